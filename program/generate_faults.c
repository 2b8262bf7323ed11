/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fault: mostly at calls that a conversion makes, mostly at one of the first. */
#include <assert.h>
#include <string.h>

#include "program/generate_internal.h"

enum { CHANCE_ONE = 65536, WHERE_ALLOC = 6, WHERE_COUNT = 7 };

static const char *const where_names[WHERE_COUNT] = {
    "kvm/set_attributes", "vfio/map",   "vfio/unmap", "memfd/punch",
    "mm/madvise",         "gmem/punch", "core/alloc",
};
static const uint16_t where_weight[WHERE_COUNT + 1] = {20, 28, 20, 7, 7, 11, 4, 3};

enum { WHERE_WEIGHT_SUM = 100 };

/* Index of a fault point that the vocabulary has; any of them where it lacks this one. */
static uint32_t draw_point(struct gen *g)
{
    const struct vocabulary *v = g->words;
    uint32_t where = gen_weighted(&g->r, where_weight, WHERE_WEIGHT_SUM), any;

    if (g->striped && rng_percent(&g->r, 40))
        where = WHERE_ALLOC; /* that is where records grow */

    if (where > 0 && where < 3 && !g->m->n_devices) /* no device, no DMA calls */
        where = 5;
    for (uint32_t i = 0; i < v->n_points && where < WHERE_COUNT; i++) {
        if (strcmp(v->point_name(i), where_names[where]) == 0 && v->point_is_fault(i))
            return i;
    }
    any = rng_below(&g->r, v->n_points);
    for (uint32_t i = 0; i < v->n_points; i++) {
        if (v->point_is_fault((any + i) % v->n_points))
            return (any + i) % v->n_points;
    }
    return UINT32_MAX;
}

static int draw_errno(struct gen *g, uint32_t point, bool late)
{
    uint32_t n = 0;

    while (g->words->point_errno(point, n, late))
        n++;
    return n ? g->words->point_errno(point, rng_below(&g->r, n), late) : 0;
}

static void draw_when(struct gen *g, struct op *op)
{
    uint32_t x = rng_below(&g->r, 100);

    if (g->striped)
        x = 50 + x / 2; /* more that last */
    op->when = x < 78 ? FAULT_NTH : x < 90 ? FAULT_STICKY : FAULT_CHANCE;
    if (op->when == FAULT_CHANCE)
        op->value = CHANCE_ONE / rng_between(&g->r, 2, 16);
    else if (rng_percent(&g->r, 85))
        op->value = rng_between(&g->r, 1, op->in_undo ? 2 : 4);
    else
        op->value = rng_between(&g->r, 1, 16);
}

void gen_fault(struct gen *g)
{
    struct op op = {.kind = OP_FAULT};
    uint32_t point = draw_point(g);
    bool late = rng_percent(&g->r, 15);
    int error;

    assert(g->faults > 0);
    g->faults--;
    if (point == UINT32_MAX) { /* nothing can fail in this vocabulary */
        op.kind = OP_DISARM;
        gen_add(g, &op);
        return;
    }
    error = draw_errno(g, point, late);
    if (!error)
        error = draw_errno(g, point, late = !late);
    assert(error > 0);
    op.point = (uint16_t)point;
    op.error = (uint16_t)error;
    op.late = late;
    op.in_undo = g->undo_next || rng_percent(&g->r, 8);
    draw_when(g, &op);
    gen_add(g, &op);
    g->undo_next = g->faults > 0 && rng_percent(&g->r, 50);
    g->convert_next = g->undo_next || rng_percent(&g->r, 80);
}
