/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another source of a region's discard manager (core/vmm.h): it holds pages back from devices,
 * whatever they are. Its coming unmaps, its going maps; nothing else changes.
 */
#include "model/state.h"

static void plan_add(const struct model *o, const struct op *op, struct plan *p)
{
    if (!layout_range(o, op->region, op->start, op->size, &p->home_lo, &p->home_hi))
        p->refused = EINVAL;
    else if (o->held[op->region].hi)
        p->refused = EEXIST;
}

static void plan_remove(const struct model *o, const struct op *op, struct plan *p)
{
    const struct held_state *held = &o->held[op->region];

    p->refused = held->hi ? 0 : ENOENT;
    p->home_lo = held->lo;
    p->home_hi = held->hi;
}

void plan_source(const struct model *o, const struct op *op, struct plan *p)
{
    assert(plan_is_source(p) && op->region < o->m->n_regions);
    if (region_is_absent(o, op->region) || !o->m->regions[op->region].guest_memfd)
        p->refused = EINVAL;
    else if (op->kind == OP_SOURCE_ADD)
        plan_add(o, op, p);
    else
        plan_remove(o, op, p);
    if (p->refused)
        return;
    p->container = CONTAINER_ANY;
    /* Where its two ends are: a mapping that lies across one is cut there. */
    p->lo = o->info[p->home_lo].gpa_page;
    p->hi = o->info[p->home_hi - 1].gpa_page + 1;
}

void plan_count_held(const struct model *o, const struct plan *p, uint64_t *more)
{
    assert(p->kind == OP_SOURCE_REMOVE);
    for (uint32_t home = p->home_lo; home < p->home_hi; home++)
        for (uint32_t c = 0; c < o->m->n_containers; c++)
            more[c] += slot_mappable(&o->info[home]) &&
                       !(o->state[home] & (PAGE_PRIVATE | PAGE_UNPLUGGED)) &&
                       container_hears(&o->containers[c], home);
}
