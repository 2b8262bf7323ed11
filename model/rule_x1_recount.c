/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X1: what the model counted step by step is what counting from scratch gives. */
#include "model/state.h"

const char rule_x1[] = "X1 incremental-checker";

static bool differ(const struct model *o, uint32_t container, const char *what, uint64_t kept,
                   uint64_t counted, struct violation *v)
{
    if (kept == counted)
        return false;
    violate(o, v, rule_x1, MODEL_NO_PAGE, container, "%s: kept %llu, recounted %llu", what,
            (unsigned long long)kept, (unsigned long long)counted);
    return true;
}

static bool container_recount(const struct model *o, uint32_t i, struct violation *v)
{
    const struct container_state *c = &o->containers[i];
    uint64_t mapped = 0, entries = 0, wanted = 0, units = 0;

    for (uint32_t slot = 0; slot < o->n_slots; slot++) {
        bool entry = slot_takes_entry(o, c, slot);

        if (c->maps[slot].seen.frame) {
            mapped++;
            entries += o->runs ? c->maps[slot].seen.head : entry;
        }
        if (slot_wanted(o, c, slot)) {
            wanted++;
            units += entry;
        }
    }
    if (differ(o, i, "mapped", c->mapped, mapped, v) ||
        differ(o, i, "entries", c->entries, entries, v))
        return false;
    return o->stopped || (!differ(o, i, "wanted", c->wanted, wanted, v) &&
                          !differ(o, i, "wanted entries", c->wanted_units, units, v));
}

static bool vmem_recount(const struct model *o, struct violation *v)
{
    for (uint32_t r = 0; r < o->m->n_regions; r++) {
        uint64_t plugged = 0;

        for (uint32_t i = o->region_first[r]; i < o->region_first[r + 1]; i++)
            plugged += !page_is_unplugged(o, i);
        if (o->vmem[r].block && !region_is_absent(o, r) &&
            differ(o, CONTAINER_NONE, "plugged pages", o->vmem[r].plugged, plugged, v))
            return false;
    }
    return true;
}

bool rule_x1_recount(const struct model *o, struct violation *v)
{
    uint64_t visible = 0, gmem = 0;
    uint32_t devices[PROGRAM_CONTAINERS_MAX] = {0};

    for (uint32_t i = 0; i < o->n_slots; i++) {
        if (!slot_mappable(&o->info[i]) || !page_is_visible(o, o->info[i].home))
            continue;
        visible++;
        gmem += (o->info[i].kind & SLOT_GMEM) != 0;
    }
    for (uint32_t i = 0; i < o->m->n_devices; i++)
        devices[o->m->devices[i].container] += o->attached[i];
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        if (differ(o, i, "devices", o->containers[i].n_devices, devices[i], v) ||
            !container_recount(o, i, v))
            return false;
    return !differ(o, CONTAINER_NONE, "visible pages", o->visible_slots, visible, v) &&
           !differ(o, CONTAINER_NONE, "visible guest_memfd pages", o->visible_gmem, gmem, v) &&
           vmem_recount(o, v);
}
