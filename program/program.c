/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program/op.h"
#include "program/op_table.h"

/* Programs are compared byte for byte: no field may have a hole before it. */
static_assert(offsetof(struct machine, n_vcpus) % 8 == 0, "axis[] and its pad are words");
static_assert(offsetof(struct expect, point) == 4 + AXIS_COUNT + 3 &&
                  offsetof(struct expect, start) == offsetof(struct expect, point) + 8,
              "no hole");
static_assert(sizeof(struct region_decl) == 4 + 4 * sizeof(uint32_t), "no hole");

void program_init(struct program *p)
{
    assert(p);
    memset(p, 0, sizeof(*p));
}

void program_free(struct program *p)
{
    assert(p);
    free(p->ops);
    free(p->expects);
    program_init(p);
}

void program_clear(struct program *p)
{
    assert(p && p->n_ops <= p->cap_ops && p->n_expects <= p->cap_expects);
    memset(&p->machine, 0, sizeof(p->machine));
    p->seed = 0;
    p->sweep_from = 0;
    p->n_ops = 0;
    p->n_expects = 0;
}

/* Room for one more element; doubles, so that appending is cheap. */
static int grow(void **array, uint32_t *cap, uint32_t n, uint32_t max, size_t element)
{
    uint32_t wanted;
    void *bigger;

    assert(n <= *cap && element > 0);
    if (n >= max)
        return -E2BIG;
    if (n < *cap)
        return 0;
    wanted = *cap ? *cap * 2 : 64;
    if (wanted > max)
        wanted = max;
    bigger = realloc(*array, wanted * element);
    if (!bigger)
        return -ENOMEM;
    *array = bigger;
    *cap = wanted;
    return 0;
}

/* Room for n elements, whatever is in it. */
static int make_room(void **array, uint32_t *cap, uint32_t n, size_t element)
{
    void *room;

    if (n <= *cap)
        return 0;
    room = realloc(*array, n * element);
    if (!room)
        return -ENOMEM;
    *array = room;
    *cap = n;
    return 0;
}

int program_copy(struct program *to, const struct program *from)
{
    void *ops = to->ops, *expects = to->expects;
    int error = make_room(&ops, &to->cap_ops, from->n_ops, sizeof(*to->ops));

    to->ops = ops;
    if (!error)
        error = make_room(&expects, &to->cap_expects, from->n_expects, sizeof(*to->expects));
    to->expects = expects;
    if (error)
        return error;
    to->machine = from->machine;
    to->seed = from->seed;
    to->sweep_from = from->sweep_from;
    to->n_ops = from->n_ops;
    to->n_expects = from->n_expects;
    if (from->n_ops)
        memcpy(to->ops, from->ops, from->n_ops * sizeof(*to->ops));
    if (from->n_expects)
        memcpy(to->expects, from->expects, from->n_expects * sizeof(*to->expects));
    return 0;
}

int program_add_op(struct program *p, const struct op *op)
{
    void *array = p->ops;
    int error = grow(&array, &p->cap_ops, p->n_ops, PROGRAM_OPS_MAX, sizeof(*op));

    assert(op->kind < OP_KIND_COUNT);
    p->ops = array;
    if (!error)
        p->ops[p->n_ops++] = *op;
    return error;
}

int program_add_expect(struct program *p, const struct expect *expect)
{
    void *array = p->expects;
    int error =
        grow(&array, &p->cap_expects, p->n_expects, PROGRAM_EXPECTS_MAX, sizeof(*expect));

    assert(expect->kind < EXPECT_KIND_COUNT);
    p->expects = array;
    if (!error)
        p->expects[p->n_expects++] = *expect;
    return error;
}

static uint64_t scaled(uint64_t bytes, uint64_t from, uint64_t to)
{
    uint64_t whole = bytes / from, rest = bytes % from;

    return whole > UINT64_MAX / to - 1 ? bytes : whole * to + rest * to / from;
}

static void scale(struct program *p, uint64_t from, uint64_t to)
{
    assert(from && to);
    for (uint32_t i = 0; i < p->n_ops && from != to; i++) {
        p->ops[i].start = scaled(p->ops[i].start, from, to);
        p->ops[i].size = scaled(p->ops[i].size, from, to);
    }
    for (uint32_t i = 0; i < p->n_expects && from != to; i++) {
        p->expects[i].start = scaled(p->expects[i].start, from, to);
        p->expects[i].size = scaled(p->expects[i].size, from, to);
    }
}

void program_set_axis(struct program *p, enum program_axis axis, uint8_t value)
{
    uint32_t page_size = machine_page_size(&p->machine);

    assert(axis < AXIS_COUNT && value < program_axis_count(axis));
    p->machine.axis[axis] = value;
    p->machine.also[axis] = 0;
    scale(p, page_size, machine_page_size(&p->machine));
}

void program_set_share(struct program *p, uint8_t share)
{
    for (uint32_t i = 0; i < p->machine.n_regions; i++) {
        struct region_decl *r = &p->machine.regions[i];

        if (r->kind == REGION_MMIO)
            continue;
        r->share = share;
        r->also_share = 0;
        if (share != SHARE_HUGETLB)
            r->huge_pages = 0;
    }
}

bool expect_applies(const struct machine *m, const struct expect *e)
{
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (e->only[i] && !(e->only[i] >> m->axis[i] & 1))
            return false;
    return true;
}

uint32_t machine_page_size(const struct machine *m)
{
    static const uint32_t sizes[] = {
        [PAGE_SIZE_AXIS_4K] = PAGE_SIZE_4K,
        [PAGE_SIZE_AXIS_16K] = 4 * PAGE_SIZE_4K,
        [PAGE_SIZE_AXIS_64K] = 16 * PAGE_SIZE_4K,
    };

    assert(m->axis[AXIS_page_size] < sizeof(sizes) / sizeof(sizes[0]));
    return sizes[m->axis[AXIS_page_size]];
}

uint32_t machine_first_page(const struct machine *m, uint32_t region)
{
    uint32_t n = 0;

    assert(region <= m->n_regions && m->n_regions <= PROGRAM_REGIONS_MAX);
    for (uint32_t i = 0; i < region; i++)
        n += m->regions[i].n_pages;
    return n;
}

uint32_t machine_n_pages(const struct machine *m)
{
    return machine_first_page(m, m->n_regions);
}

uint64_t machine_gpa(const struct machine *m, uint32_t region, uint64_t offset)
{
    uint64_t page_size = machine_page_size(m), page = offset / page_size;

    assert(region < m->n_regions && m->n_sections <= PROGRAM_SECTIONS_MAX);
    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        if (s->region == region && page >= s->first_page && page - s->first_page < s->n_pages)
            return (s->gpa_page + (page - s->first_page)) * page_size + offset % page_size;
    }
    return UINT64_MAX;
}

int machine_section_at(const struct machine *m, uint64_t gpa)
{
    uint64_t page = gpa / machine_page_size(m);

    assert(m->n_sections <= PROGRAM_SECTIONS_MAX);
    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        if (page >= s->gpa_page && page - s->gpa_page < s->n_pages)
            return (int)i;
    }
    return -1;
}

uint64_t op_gpa(const struct machine *m, const struct op *op)
{
    assert(op->region == OP_NO_REGION || op->region < m->n_regions);
    if (op->region == OP_NO_REGION)
        return op->start;
    return machine_gpa(m, op->region, op->start);
}
