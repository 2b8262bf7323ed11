/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/edit.h"

#include <assert.h>
#include <string.h>

#include "program/op_table.h"

/* What is to go is marked by a kind that does not exist, then swept out. */
static void sweep(struct program *p)
{
    uint32_t n_ops = 0, n_expects = 0, next = 0, sweep_from = p->sweep_from;

    for (uint32_t i = 0; i < p->n_ops; i++) {
        bool gone = p->ops[i].kind == OP_KIND_COUNT;

        for (; next < p->n_expects && p->expects[next].op == i; next++) {
            if (gone || p->expects[next].kind == EXPECT_KIND_COUNT)
                continue;
            p->expects[n_expects] = p->expects[next];
            p->expects[n_expects++].op = n_ops;
        }
        sweep_from -= gone && i < p->sweep_from;
        if (!gone)
            p->ops[n_ops++] = p->ops[i];
    }
    assert(next == p->n_expects);
    p->sweep_from = sweep_from;
    p->n_ops = n_ops;
    p->n_expects = n_expects;
}

void program_drop_ops(struct program *p, uint32_t first, uint32_t n)
{
    assert(n <= p->n_ops && first <= p->n_ops - n);
    for (uint32_t i = first; i < first + n; i++)
        p->ops[i].kind = OP_KIND_COUNT;
    sweep(p);
}

void program_drop_ops_of(struct program *p, enum op_kind kind, uint8_t unit, uint8_t region)
{
    for (uint32_t i = 0; i < p->n_ops; i++) {
        struct op *op = &p->ops[i];

        if (op->kind == kind && op->unit == unit && op->region == region)
            op->kind = OP_KIND_COUNT;
    }
    sweep(p);
}

void program_drop_expect(struct program *p, uint32_t index)
{
    assert(index < p->n_expects);
    p->expects[index].kind = EXPECT_KIND_COUNT;
    sweep(p);
}

/* Takes element i out of an array of *n. */
static void take_out(void *array, uint32_t *n, uint32_t i, size_t element)
{
    char *at = (char *)array + i * element;

    assert(i < *n);
    --*n;
    memmove(at, at + element, (*n - i) * element);
    memset((char *)array + *n * element, 0, element); /* equal means equal bytes */
}

static bool op_has_unit(const struct op *op, enum op_unit unit)
{
    return op_rows[op->kind].unit == unit;
}

static bool op_has_region(const struct op *op)
{
    return op_rows[op->kind].has & HAS_RANGE && op->region != OP_NO_REGION;
}

static bool expect_has_region(const struct expect *e)
{
    return expect_rows[e->kind].has & HAS_RANGE;
}

void program_drop_section(struct program *p, uint32_t section)
{
    take_out(p->machine.sections, &p->machine.n_sections, section,
             sizeof(p->machine.sections[0]));
}

static void drop_sections_of(struct program *p, uint32_t region)
{
    struct machine *m = &p->machine;

    for (uint32_t i = m->n_sections; i-- > 0;) {
        if (m->sections[i].region == region)
            program_drop_section(p, i);
        else if (m->sections[i].region > region)
            m->sections[i].region--;
    }
}

void program_drop_region(struct program *p, uint32_t region)
{
    for (uint32_t i = 0; i < p->n_ops; i++) {
        if (!op_has_region(&p->ops[i]))
            continue;
        if (p->ops[i].region == region)
            p->ops[i].kind = OP_KIND_COUNT;
        else
            p->ops[i].region -= p->ops[i].region > region;
    }
    for (uint32_t i = 0; i < p->n_expects; i++) {
        if (!expect_has_region(&p->expects[i]))
            continue;
        if (p->expects[i].region == region)
            p->expects[i].kind = EXPECT_KIND_COUNT;
        else
            p->expects[i].region -= p->expects[i].region > region;
    }
    sweep(p);
    drop_sections_of(p, region);
    take_out(p->machine.regions, &p->machine.n_regions, region, sizeof(p->machine.regions[0]));
}

/* Ops and expectations that name a device or a container. */
static void drop_unit(struct program *p, enum op_unit unit, uint32_t number)
{
    for (uint32_t i = 0; i < p->n_ops; i++) {
        if (!op_has_unit(&p->ops[i], unit))
            continue;
        if (p->ops[i].unit == number)
            p->ops[i].kind = OP_KIND_COUNT;
        else
            p->ops[i].unit -= p->ops[i].unit > number;
    }
    for (uint32_t i = 0; i < p->n_expects; i++) {
        if (expect_rows[p->expects[i].kind].unit != unit)
            continue;
        if (p->expects[i].unit == number)
            p->expects[i].kind = EXPECT_KIND_COUNT;
        else
            p->expects[i].unit -= p->expects[i].unit > number;
    }
    sweep(p);
}

void program_drop_device(struct program *p, uint32_t device)
{
    drop_unit(p, UNIT_DEVICE, device);
    take_out(p->machine.devices, &p->machine.n_devices, device, sizeof(p->machine.devices[0]));
}

void program_drop_container(struct program *p, uint32_t container)
{
    struct machine *m = &p->machine;

    for (uint32_t i = m->n_devices; i-- > 0;) {
        if (m->devices[i].container == container)
            program_drop_device(p, i);
        else if (m->devices[i].container > container)
            m->devices[i].container--;
    }
    drop_unit(p, UNIT_CONTAINER, container);
    take_out(m->containers, &m->n_containers, container, sizeof(m->containers[0]));
}

/* ---- pages and addresses ---- */

/* Stretches of a line that are cut out of it; they do not overlap. */
struct cut {
    uint32_t n;
    uint64_t at[PROGRAM_SECTIONS_MAX], size[PROGRAM_SECTIONS_MAX];
};

/* Where a point of the line is afterwards. */
static uint64_t moved(const struct cut *c, uint64_t x)
{
    uint64_t less = 0;

    for (uint32_t i = 0; i < c->n; i++)
        if (x > c->at[i])
            less += x - c->at[i] < c->size[i] ? x - c->at[i] : c->size[i];
    return x - less;
}

static uint64_t moved_size(const struct cut *c, uint64_t start, uint64_t size)
{
    return size > UINT64_MAX - start ? size : moved(c, start + size) - moved(c, start);
}

struct both_cuts {
    uint32_t region;
    struct cut pages; /* of the region; this and the next in bytes */
    struct cut gpas;
};

/* A conversion runs on in guest physical space from where it starts. */
static void cut_op(const struct machine *m, const struct both_cuts *cuts, struct op *op)
{
    uint64_t old_size = op->size;
    bool here = op->region == cuts->region;

    if (!(op_rows[op->kind].has & HAS_RANGE))
        return;
    if (op->region == OP_NO_REGION || op->kind == OP_CONVERT)
        op->size = moved_size(&cuts->gpas, op_gpa(m, op), op->size);
    else if (here)
        op->size = moved_size(&cuts->pages, op->start, op->size);
    if (op->region == OP_NO_REGION)
        op->start = moved(&cuts->gpas, op->start);
    else if (here)
        op->start = moved(&cuts->pages, op->start);
    if (old_size && !op->size)
        op->kind = OP_KIND_COUNT;
}

static void cut_expect(const struct both_cuts *cuts, struct expect *e)
{
    if (!expect_has_region(e) || e->region != cuts->region)
        return;
    e->size = moved_size(&cuts->pages, e->start, e->size);
    e->start = moved(&cuts->pages, e->start);
    if (!e->size)
        e->kind = EXPECT_KIND_COUNT;
}

static void cut_sections(struct program *p, const struct both_cuts *cuts)
{
    struct machine *m = &p->machine;
    uint64_t page_size = machine_page_size(m);

    for (uint32_t i = m->n_sections; i-- > 0;) {
        struct section_decl *s = &m->sections[i];

        s->gpa_page = moved(&cuts->gpas, s->gpa_page * page_size) / page_size;
        if (s->region != cuts->region)
            continue;
        s->n_pages = (uint32_t)(moved_size(&cuts->pages, s->first_page * page_size,
                                           s->n_pages * page_size) /
                                page_size);
        s->first_page = (uint32_t)(moved(&cuts->pages, s->first_page * page_size) / page_size);
        if (!s->n_pages)
            program_drop_section(p, i);
    }
}

static void cut_program(struct program *p, const struct both_cuts *cuts)
{
    for (uint32_t i = 0; i < p->n_ops; i++)
        cut_op(&p->machine, cuts, &p->ops[i]);
    for (uint32_t i = 0; i < p->n_expects; i++)
        cut_expect(cuts, &p->expects[i]);
    sweep(p);
    cut_sections(p, cuts);
}

/* Where the pages are shown. */
static void add_shown(struct cut *gpas, const struct section_decl *s, uint32_t first,
                      uint32_t n, uint64_t page_size)
{
    uint64_t low = first > s->first_page ? first : s->first_page;
    uint64_t end =
        first + n < s->first_page + s->n_pages ? first + n : s->first_page + s->n_pages;

    if (low >= end)
        return;
    gpas->at[gpas->n] = (s->gpa_page + low - s->first_page) * page_size;
    gpas->size[gpas->n++] = (end - low) * page_size;
}

void program_drop_pages(struct program *p, uint32_t region, uint32_t first, uint32_t n)
{
    struct machine *m = &p->machine;
    struct region_decl *r = &m->regions[region];
    uint64_t page_size = machine_page_size(m);
    struct both_cuts cuts = {.region = region, .pages = {.n = 1}};

    assert(region < m->n_regions && n <= r->n_pages && first <= r->n_pages - n);
    cuts.pages.at[0] = first * page_size;
    cuts.pages.size[0] = n * page_size;
    for (uint32_t i = 0; i < m->n_sections; i++)
        if (m->sections[i].region == region)
            add_shown(&cuts.gpas, &m->sections[i], first, n, page_size);
    cut_program(p, &cuts);
    r->n_pages -= n;
    if (r->requested_pages > r->n_pages)
        r->requested_pages = r->n_pages;
}

void program_drop_gap(struct program *p, uint64_t gpa_page, uint64_t n)
{
    uint64_t page_size = machine_page_size(&p->machine);
    const struct both_cuts cuts = {
        .region = OP_NO_REGION,
        .gpas = {.n = 1, .at = {gpa_page * page_size}, .size = {n * page_size}}};

    cut_program(p, &cuts);
}
