/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of two programs is simpler. What counts first decides: lines, then declarations, then
 * odd words, ... Each step of the shrinker must go down here, so it ends, and shrinking its own
 * result changes nothing.
 */
#include <assert.h>
#include <string.h>

#include "program/op_table.h"
#include "run/points.h"
#include "run/shrink_internal.h"

enum weight { LINES, DECLARATIONS, OP_WORDS, MACHINE_WORDS, PAGES, SIZES, PLACES, VALUES, N };

struct weights {
    uint64_t w[N];
};

static void add(struct weights *to, enum weight which, uint64_t more)
{
    to->w[which] = more > UINT64_MAX - to->w[which] ? UINT64_MAX : to->w[which] + more;
}

/* How far down the list of the point's errnos. */
static uint32_t errno_place(const struct op *op)
{
    uint32_t i = 0;

    while (points_errno(op->point, i, op->late) &&
           points_errno(op->point, i, op->late) != op->error)
        i++;
    return i;
}

static void weigh_op(struct weights *w, const struct machine *m, const struct op *op)
{
    uint64_t page_size = machine_page_size(m);
    uint8_t has = op_rows[op->kind].has;

    if (has & HAS_FAULT)
        add(w, OP_WORDS,
            (op->when != FAULT_NTH) + (op->when == FAULT_CHANCE) + op->late + op->in_undo);
    if (has & HAS_CONVERT)
        add(w, OP_WORDS, op->via);
    if (has & HAS_RANGE) {
        bool bytes = op->start % page_size || op->size % page_size;

        add(w, OP_WORDS, (op->region == OP_NO_REGION) + bytes);
        add(w, SIZES, op->size / page_size + (op->size % page_size != 0));
        add(w, PLACES, op->start / page_size + (op->region != OP_NO_REGION ? op->region : 0));
    }
    add(w, VALUES, op->value);
    add(w, VALUES, op_rows[op->kind].unit == UNIT_GUARD ? 0 : op->unit);
    if (has & HAS_FAULT)
        add(w, VALUES, errno_place(op));
}

static void weigh_region(struct weights *w, const struct region_decl *r)
{
    add(w, MACHINE_WORDS, r->share + (uint64_t)(r->also_share != 0));
    add(w, MACHINE_WORDS, (r->huge_pages != 0) + (r->virtio_mem_pages != 0));
    add(w, MACHINE_WORDS, r->kind == REGION_RAM && !r->guest_memfd);
    add(w, MACHINE_WORDS, r->virtio_mem_pages && r->requested_pages != r->n_pages);
    add(w, PAGES, r->n_pages);
    add(w, PAGES, (uint64_t)r->huge_pages + r->virtio_mem_pages);
    add(w, VALUES, r->requested_pages);
}

static void weigh_machine(struct weights *w, const struct machine *m)
{
    add(w, DECLARATIONS,
        (uint64_t)m->n_vcpus + m->n_regions + m->n_sections + m->n_containers + m->n_devices);
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        add(w, MACHINE_WORDS, m->axis[i] + (uint64_t)(m->also[i] != 0));
    add(w, MACHINE_WORDS, m->memlock_pages != 0);
    add(w, VALUES, m->memlock_pages);
    for (uint32_t i = 0; i < m->n_regions; i++)
        weigh_region(w, &m->regions[i]);
    for (uint32_t i = 0; i < m->n_sections; i++)
        add(w, PLACES, m->sections[i].gpa_page + m->sections[i].first_page);
    for (uint32_t i = 0; i < m->n_containers; i++) {
        bool plain = m->containers[i].entry_limit == PROGRAM_ENTRIES_DEFAULT;

        add(w, MACHINE_WORDS, (uint64_t)!m->containers[i].listen_all + !plain);
        add(w, VALUES, plain ? 0 : m->containers[i].entry_limit);
    }
    for (uint32_t i = 0; i < m->n_devices; i++)
        add(w, VALUES, m->devices[i].container);
}

static void weigh(struct weights *w, const struct program *p)
{
    memset(w, 0, sizeof(*w));
    add(w, LINES, (uint64_t)p->n_ops + p->n_expects);
    weigh_machine(w, &p->machine);
    for (uint32_t i = 0; i < p->n_ops; i++)
        weigh_op(w, &p->machine, &p->ops[i]);
    for (uint32_t i = 0; i < p->n_expects; i++)
        add(w, SIZES, p->expects[i].size / machine_page_size(&p->machine));
    add(w, VALUES, p->seed != 0);
}

int shrink_compare(const struct program *a, const struct program *b)
{
    struct weights wa, wb;

    weigh(&wa, a);
    weigh(&wb, b);
    for (uint32_t i = 0; i < N; i++)
        if (wa.w[i] != wb.w[i])
            return wa.w[i] < wb.w[i] ? -1 : 1;
    return 0;
}
