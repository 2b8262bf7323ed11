/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several ops in flight. What each may do is taken from what it asks for, not from the decision
 * table: the state in front of it depends on an order that is not known yet. So this is the
 * union, and wider than the truth; the serial orders (run/serial.c) are exact.
 */
#include <string.h>

#include "model/state.h"

void model_lanes_begin(struct model *o, const struct op *ops, uint32_t n)
{
    assert(o->phase == PHASE_IDLE && !o->has_pending);
    o->phase = PHASE_LANES;
    o->batch_kinds = 0;
    for (uint32_t i = 0; i < n; i++)
        o->batch_kinds |= 1U << ops[i].kind;
    for (uint32_t i = 0; i < MODEL_LANES_MAX; i++)
        o->flight[i].kind = OP_KIND_COUNT;
}

void model_lane_op(struct model *o, uint32_t lane, const struct op *op)
{
    assert(o->phase == PHASE_LANES && lane < MODEL_LANES_MAX);
    if (op)
        o->flight[lane] = *op;
    else
        o->flight[lane].kind = OP_KIND_COUNT;
}

bool lanes_move_listeners(const struct model *o)
{
    const uint32_t kinds = 1U << OP_ATTACH | 1U << OP_DETACH | 1U << OP_LISTEN |
                           1U << OP_UNLISTEN | 1U << OP_REMOVE | 1U << OP_ADD;

    return o->phase == PHASE_LANES && (o->batch_kinds & kinds);
}

static bool converts(const struct model *o, const struct op *op, uint32_t slot)
{
    uint64_t gpa = layout_op_gpa(o, op), page = o->info[slot].gpa_page;

    return gpa != NO_GPA && page >= gpa >> o->page_shift &&
           page < (gpa + op->size + (1ULL << o->page_shift) - 1) >> o->page_shift;
}

static bool in_region(const struct model *o, const struct op *op, uint32_t slot)
{
    uint32_t home = o->info[slot].home;

    return home >= o->region_first[op->region] && home < o->region_first[op->region + 1];
}

static bool renews(const struct model *o, const struct op *op, uint32_t slot)
{
    return op->kind == OP_RESET ||
           ((op->kind == OP_REMOVE || op->kind == OP_ADD) && in_region(o, op, slot));
}

static bool changes(const struct model *o, const struct op *op, uint32_t slot)
{
    switch (op->kind) {
    case OP_CONVERT:
        return converts(o, op, slot);
    case OP_PLUG:
    case OP_UNPLUG:
    case OP_UNPLUG_ALL:
        return in_region(o, op, slot);
    default:
        return renews(o, op, slot);
    }
}

/* mapping=run: what is mapped around a request is cut, and may be away for a moment. */
static bool maps(const struct model *o, const struct op *op, uint32_t slot)
{
    switch (op->kind) {
    case OP_ATTACH:
    case OP_DETACH:
    case OP_LISTEN:
    case OP_UNLISTEN:
        return true;
    case OP_SOURCE_ADD:
    case OP_SOURCE_REMOVE:
        return in_region(o, op, slot);
    case OP_CONVERT:
        return o->runs || converts(o, op, slot);
    default:
        return changes(o, op, slot);
    }
}

static bool any(const struct model *o, uint32_t slot,
                bool (*may)(const struct model *o, const struct op *op, uint32_t slot))
{
    for (uint32_t i = 0; i < MODEL_LANES_MAX; i++)
        if (o->flight[i].kind != OP_KIND_COUNT && may(o, &o->flight[i], slot))
            return true;
    return false;
}

bool lanes_change(const struct model *o, uint32_t slot)
{
    return any(o, slot, changes);
}

bool lanes_map(const struct model *o, uint32_t slot)
{
    return any(o, slot, maps);
}

bool lanes_renew(const struct model *o, uint32_t slot)
{
    return any(o, slot, renews);
}

void model_adopt(struct model *o, const void *from)
{
    const struct machine *m = o->m;

    memcpy(o, from, model_size(m));
    assert(o->m == m && o->phase == PHASE_IDLE);
    o->phase = PHASE_BUILDING; /* it is looked at as a whole */
}

/* Who holds a page in place holds the frame that it has here. */
static void renumber_pins(struct model *o)
{
    for (uint32_t i = 0; o->pins && i < o->n_pages; i++)
        if (o->pins[i] != PIN_NONE)
            o->pins[i] = view_frame(&o->slots[i].seen);
}

bool model_adopted(struct model *o, struct violation *v)
{
    assert(o->phase == PHASE_BUILDING);
    renumber_pins(o);
    o->phase = PHASE_IDLE;
    o->touched = false;
    o->n_dirty = 0;
    o->call_serial++;
    if (o->has_pending) {
        o->has_pending = false;
        *v = o->pending;
        return false;
    }
    return model_full_check(o, v);
}
