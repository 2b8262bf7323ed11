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

struct counts {
    uint64_t visible, gmem;
    struct {
        uint64_t mapped, entries, wanted, units;
    } container[PROGRAM_CONTAINERS_MAX];
};

static void count_slot(const struct model *o, uint32_t slot, struct counts *n)
{
    const struct slot_info *info = &o->info[slot];
    bool visible = slot_mappable(info) && page_is_visible(o, info->home);

    n->visible += visible;
    n->gmem += visible && (info->kind & SLOT_GMEM);
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];
        const struct view_mapping *map = &c->maps[slot].seen;

        if (map->frame) {
            n->container[i].mapped++;
            n->container[i].entries += o->runs ? map->head : slot_takes_entry(o, c, slot);
        }
        if (visible && container_hears(c, info->home)) {
            n->container[i].wanted++;
            n->container[i].units += slot_takes_entry(o, c, slot);
        }
    }
}

static bool container_agrees(const struct model *o, uint32_t i, const struct counts *n,
                             struct violation *v)
{
    const struct container_state *c = &o->containers[i];

    if (differ(o, i, "mapped", c->mapped, n->container[i].mapped, v) ||
        differ(o, i, "entries", c->entries, n->container[i].entries, v))
        return false;
    return o->stopped ||
           (!differ(o, i, "wanted", c->wanted, n->container[i].wanted, v) &&
            !differ(o, i, "wanted entries", c->wanted_units, n->container[i].units, v));
}

static bool vmem_recount(const struct model *o, struct violation *v)
{
    for (uint32_t r = 0; r < o->m->n_regions; r++) {
        uint64_t plugged = 0;

        if (!o->vmem[r].block || region_is_absent(o, r))
            continue;
        for (uint32_t i = o->region_first[r]; i < o->region_first[r + 1]; i++)
            plugged += !page_is_unplugged(o, i);
        if (differ(o, CONTAINER_NONE, "plugged pages", o->vmem[r].plugged, plugged, v))
            return false;
    }
    return true;
}

bool rule_x1_recount(const struct model *o, struct violation *v)
{
    uint32_t devices[PROGRAM_CONTAINERS_MAX] = {0};
    struct counts n = {.visible = 0};

    for (uint32_t i = 0; i < o->n_slots; i++)
        count_slot(o, i, &n);
    for (uint32_t i = 0; i < o->m->n_devices; i++)
        devices[o->m->devices[i].container] += o->attached[i];
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        if (differ(o, i, "devices", o->containers[i].n_devices, devices[i], v) ||
            !container_agrees(o, i, &n, v))
            return false;
    return !differ(o, CONTAINER_NONE, "visible pages", o->visible_slots, n.visible, v) &&
           !differ(o, CONTAINER_NONE, "visible guest_memfd pages", o->visible_gmem, n.gmem,
                   v) &&
           vmem_recount(o, v);
}
