/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S5: pins, entries and locked memory are what the mappings imply, limits hold, and nothing
 * is mapped through a container that is closed. */
#include "model/state.h"

const char rule_s5[] = "S5 accounting";

/* What iommufd still has when its last device went reaches nothing. */
static bool container_counts(const struct model *o, uint32_t i, struct violation *v)
{
    const struct container_state *c = &o->containers[i];

    if (c->seen.mapped_pages != c->mapped || c->seen.pins != c->mapped)
        return violate(o, v, rule_s5, MODEL_NO_PAGE, i,
                       "%llu pages are mapped; it counts %llu and %llu pins",
                       (unsigned long long)c->mapped, (unsigned long long)c->seen.mapped_pages,
                       (unsigned long long)c->seen.pins);
    if (c->seen.entries != c->entries && (c->mapped || entries_are_limited(o)))
        return violate(o, v, rule_s5, MODEL_NO_PAGE, i,
                       "the mappings make %llu entries; it counts %u",
                       (unsigned long long)c->entries, c->seen.entries);
    if (entries_are_limited(o) && c->entries > o->m->containers[i].entry_limit)
        return violate(o, v, rule_s5, MODEL_NO_PAGE, i, "%llu entries, the limit is %u",
                       (unsigned long long)c->entries, o->m->containers[i].entry_limit);
    if (c->mapped && !c->seen.open)
        return violate(o, v, rule_s5, MODEL_NO_PAGE, i, "%llu pages mapped, but it is closed",
                       (unsigned long long)c->mapped);
    return true;
}

static uint64_t count_mapped(const struct model *o)
{
    uint64_t mapped = 0;

    for (uint32_t i = 0; i < o->m->n_containers; i++)
        mapped += o->containers[i].mapped;
    return mapped;
}

bool rule_s5_pins(const struct model *o, struct violation *v)
{
    const struct view_totals *t = &o->totals;
    uint64_t mapped = count_mapped(o);

    if (t->pins == mapped + o->n_pins &&
        t->locked_pages == (locked_pages_count(o) ? mapped : 0))
        return true;
    return violate(o, v, rule_s5, MODEL_NO_PAGE, CONTAINER_NONE,
                   "%llu pages are mapped, others hold %llu; %llu are pinned, %llu locked",
                   (unsigned long long)mapped, (unsigned long long)o->n_pins,
                   (unsigned long long)t->pins, (unsigned long long)t->locked_pages);
}

bool rule_s5_counts(const struct model *o, struct violation *v)
{
    const struct view_totals *t = &o->totals;
    bool others_move = o->plan.kind == OP_PIN || o->plan.kind == OP_UNPIN; /* rule_pin.c asks */

    for (uint32_t i = 0; i < o->m->n_containers; i++)
        if (!container_counts(o, i, v))
            return false;
    if (!others_move && !rule_s5_pins(o, v))
        return false;
    if (o->m->memlock_pages && t->locked_pages > o->m->memlock_pages)
        return violate(o, v, rule_s5, MODEL_NO_PAGE, CONTAINER_NONE,
                       "%llu pages locked, the limit is %u",
                       (unsigned long long)t->locked_pages, o->m->memlock_pages);
    return true;
}

/* When an op has returned: open means that a device is plugged in. */
bool rule_s5_open(const struct model *o, struct violation *v)
{
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];

        if (c->seen.open != (c->n_devices != 0))
            return violate(o, v, rule_s5, MODEL_NO_PAGE, i, "%s with %u devices plugged in",
                           c->seen.open ? "open" : "closed", c->n_devices);
    }
    return true;
}
