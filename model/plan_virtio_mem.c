/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision table of virtio-mem's requests (behaviour.md 8.3, in the order of core/vmm.h),
 * and of migration: it makes virtio-mem busy, and can be started and stopped once.
 */
#include "model/state.h"

static void refuse(struct plan *p, int error, uint8_t response)
{
    p->refused = error;
    p->response = response;
}

/* Does every page of the range have the state that the request starts from? */
static bool all_ready(const struct model *o, const struct plan *p)
{
    for (uint32_t home = p->home_lo; home < p->home_hi; home++)
        if (page_is_unplugged(o, home) != (p->kind == OP_PLUG))
            return false;
    return true;
}

/* Whole blocks below the usable size, and the region has an address. */
static bool range_ok(const struct model *o, const struct op *op, struct plan *p)
{
    const struct vmem_state *s;
    uint32_t base;

    if (!layout_range(o, op->region, op->start, op->size, &p->home_lo, &p->home_hi))
        return false;
    if (region_is_absent(o, op->region))
        return false;
    s = &o->vmem[op->region];
    base = o->region_first[op->region];
    return s->block && (p->home_lo - base) % s->block == 0 &&
           (p->home_hi - base) % s->block == 0 && p->home_hi - base <= s->usable &&
           (o->info[base].kind & SLOT_PLACED);
}

/* All listeners may hear of it. If it is refused yet, that is because of a mapping that it
 * would cut: not now. */
static void plan_addresses(const struct model *o, struct plan *p)
{
    p->container = CONTAINER_ANY;
    p->lo = o->info[p->home_lo].gpa_page;
    p->hi = p->lo + (p->home_hi - p->home_lo);
    p->response = RESPONSE_BUSY;
}

void plan_plug(const struct model *o, const struct op *op, struct plan *p)
{
    const struct vmem_state *s = &o->vmem[op->region];

    assert(op->region < o->m->n_regions);
    if (!range_ok(o, op, p))
        refuse(p, EINVAL, RESPONSE_ERROR);
    else if (op->kind == OP_PLUG && s->plugged + (p->home_hi - p->home_lo) > s->requested)
        refuse(p, ENOSPC, RESPONSE_NACK);
    else if (!all_ready(o, p))
        refuse(p, EINVAL, RESPONSE_ERROR);
    else if (o->migrating)
        refuse(p, EBUSY, RESPONSE_BUSY);
    if (p->refused)
        p->home_lo = p->home_hi = 0;
    else
        plan_addresses(o, p);
}

/* Where nothing is plugged no page changes, and nobody is busy. */
void plan_unplug_all(const struct model *o, const struct op *op, struct plan *p)
{
    assert(op->region < o->m->n_regions);
    if (!o->vmem[op->region].block || region_is_absent(o, op->region))
        refuse(p, EINVAL, RESPONSE_ERROR);
    else if (o->vmem[op->region].plugged && o->migrating)
        refuse(p, EBUSY, RESPONSE_BUSY);
    else if (o->vmem[op->region].plugged) {
        p->home_lo = o->region_first[op->region];
        p->home_hi = o->region_first[op->region + 1];
        plan_addresses(o, p);
    }
}

void plan_resize(const struct model *o, const struct op *op, struct plan *p)
{
    const struct vmem_state *s = &o->vmem[op->region];

    assert(op->region < o->m->n_regions);
    if (!s->block || region_is_absent(o, op->region) || op->value % s->block ||
        op->value > o->m->regions[op->region].n_pages)
        refuse(p, EINVAL, RESPONSE_ERROR);
}

void plan_migrate(const struct model *o, const struct op *op, struct plan *p)
{
    if (op->kind == OP_MIGRATE && op->value)
        p->refused = o->migrating ? EBUSY : 0;
    else
        p->refused = o->migrating ? 0 : EINVAL;
}

void plan_count_plugged(const struct model *o, const struct plan *p, uint64_t *more)
{
    assert(p->kind == OP_PLUG);
    for (uint32_t home = p->home_lo; home < p->home_hi; home++)
        for (uint32_t c = 0;
             !(o->state[home] & (PAGE_PRIVATE | PAGE_HELD)) && c < o->m->n_containers; c++)
            more[c] += container_hears(&o->containers[c], home);
}
