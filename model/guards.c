/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The discard guards (behaviour.md 1.4): who holds which is counted from the machine itself.
 * Memory that can be private discards, and tells whom it concerns; a device needs memory to
 * stay but where it is told; other users of the machine may take any of the four.
 */
#include "model/state.h"

/* Users of coordinated-require: guest_memfd, and virtio-mem on it. */
static uint32_t coordinated(const struct model *o)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < o->m->n_regions; i++)
        if (!region_is_absent(o, i))
            n += o->m->regions[i].guest_memfd + (o->m->regions[i].virtio_mem_pages != 0);
    return n;
}

static uint32_t devices(const struct model *o)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < o->m->n_devices; i++)
        n += o->attached[i];
    return n;
}

/* Is there someone who cannot live with another one of this kind? */
static bool is_excluded(const struct model *o, uint32_t kind)
{
    const uint32_t *others = o->guards;

    switch (kind) {
    case GUARD_DISABLE:
        return others[GUARD_REQUIRE] || others[GUARD_COORDINATED_REQUIRE] || coordinated(o);
    case GUARD_UNCOORDINATED_DISABLE:
        return others[GUARD_REQUIRE];
    case GUARD_REQUIRE:
        return others[GUARD_DISABLE] || others[GUARD_UNCOORDINATED_DISABLE] || devices(o);
    default:
        assert(kind == GUARD_COORDINATED_REQUIRE);
        return others[GUARD_DISABLE];
    }
}

int guard_refuses(const struct model *o, uint32_t kind)
{
    return is_excluded(o, kind) ? EBUSY : 0;
}

void plan_guard(const struct model *o, const struct op *op, struct plan *p)
{
    assert(op->unit < GUARD_KIND_COUNT);
    if (op->value)
        p->refused = guard_refuses(o, op->unit);
    else if (o->guards[op->unit] == 0)
        p->refused = EINVAL;
}

void adopt_guard(struct model *o)
{
    assert(o->op.value || o->guards[o->op.unit] > 0);
    o->guards[o->op.unit] += o->op.value ? 1 : UINT32_MAX;
}
