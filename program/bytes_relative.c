/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges relative to what is there, so that a change of a byte hits a live spot again. */
#include <string.h>

#include "program/bytes_internal.h"
#include "program/op_table.h"

/* ---- the shadow ---- */

void shadow_init(struct shadow *s, const struct machine *m)
{
    uint32_t n = machine_n_pages(m);

    s->m = m;
    s->n_pages = n < SHADOW_PAGES ? n : SHADOW_PAGES;
    memset(s->shared, 0, s->n_pages);
    memset(s->unplugged, 0, s->n_pages);
}

static void fill(struct shadow *s, uint8_t *what, uint32_t first, uint64_t n, uint8_t value)
{
    if (first < s->n_pages)
        memset(what + first, value, n < s->n_pages - first ? n : s->n_pages - first);
}

/* A conversion, section by section; what it would be refused for does not matter here. */
static void convert(struct shadow *s, const struct op *op)
{
    const struct machine *m = s->m;
    uint64_t page_size = machine_page_size(m), gpa = op_gpa(m, op) / page_size;
    uint64_t n = op->size / page_size;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *d = &m->sections[i];
        uint64_t from = gpa > d->gpa_page ? gpa : d->gpa_page, to = d->gpa_page + d->n_pages;
        uint32_t first = machine_first_page(m, d->region) + d->first_page;

        if (n < to && gpa < to - n)
            to = gpa + n;
        if (m->regions[d->region].guest_memfd && from < to)
            fill(s, s->shared, first + (uint32_t)(from - d->gpa_page), to - from,
                 !op->to_private);
    }
}

void shadow_op(struct shadow *s, const struct op *op)
{
    uint64_t page_size = machine_page_size(s->m), n = op->size / page_size;
    uint32_t first;

    if (op->kind == OP_CONVERT) {
        convert(s, op);
    } else if (op->kind == OP_RESET) {
        memset(s->shared, 0, s->n_pages);
    } else if (op->kind == OP_PLUG || op->kind == OP_UNPLUG || op->kind == OP_UNPLUG_ALL) {
        first = machine_first_page(s->m, op->region) + (uint32_t)(op->start / page_size);
        fill(s, s->unplugged, first, n, op->kind != OP_PLUG);
        if (op->kind != OP_PLUG)
            fill(s, s->shared, first, n, 0);
    } else if (op->kind == OP_REMOVE) {
        fill(s, s->shared, machine_first_page(s->m, op->region), n, 0);
    }
}

/* ---- ranges ---- */

struct pages {
    uint32_t first, n; /* guest pages, of one region */
};

static uint32_t region_of(const struct machine *m, uint32_t page)
{
    uint32_t region = 0;

    while (region + 1 < m->n_regions && page >= machine_first_page(m, region + 1))
        region++;
    return region;
}

/* The end of the run that begins here: same region, same state. */
static uint32_t run_end(const struct shadow *s, const uint8_t *state, uint32_t page)
{
    uint32_t region = region_of(s->m, page), end = machine_first_page(s->m, region + 1), to;

    for (to = page + 1; to < end && to < s->n_pages && state[to] == state[page];)
        to++;
    return to;
}

/* The which-th run in this state, round and round; all pages of the first where none is. */
static struct pages nth_run(const struct shadow *s, const uint8_t *state, uint8_t value,
                            uint32_t which)
{
    uint32_t n = 0, to;

    for (uint32_t page = 0; page < s->n_pages; page = run_end(s, state, page))
        n += state[page] == value;
    if (!n)
        return (struct pages){0, s->n_pages ? run_end(s, state, 0) : 1};
    which %= n;
    for (uint32_t page = 0; page < s->n_pages; page = to) {
        to = run_end(s, state, page);
        if (state[page] == value && which-- == 0)
            return (struct pages){page, to - page};
    }
    return (struct pages){0, 1};
}

/* The range of the which-th op before this one that has one, as a range of a region. */
static struct pages earlier(const struct shadow *s, const struct program *p, uint32_t which)
{
    uint64_t page_size = machine_page_size(s->m);

    for (uint32_t i = p->n_ops; i-- > 0;) {
        const struct op *op = &p->ops[i];
        uint64_t page = op->start / page_size, n = op->size / page_size;

        if (!(op_rows[op->kind].has & HAS_RANGE) || op->region == OP_NO_REGION || which--)
            continue;
        if (op->region < s->m->n_regions && page < s->m->regions[op->region].n_pages)
            return (struct pages){machine_first_page(s->m, op->region) + (uint32_t)page,
                                  n ? (uint32_t)(n < UINT32_MAX ? n : UINT32_MAX) : 1};
        break;
    }
    return nth_run(s, s->shared, 0, which);
}

static struct pages anchor(const struct shadow *s, const struct program *p, uint8_t how,
                           uint8_t which)
{
    uint32_t region = which % s->m->n_regions;

    switch (how % 8) {
    case 0:
    case 1:
        return nth_run(s, s->shared, how % 8, which);
    case 2:
        return nth_run(s, s->unplugged, which & 1, which >> 1);
    case 3:
    case 4:
        return earlier(s, p, which % 8);
    case 5:
        return (struct pages){s->n_pages ? which % s->n_pages : 0, 1 + which / 32u};
    default:
        return (struct pages){machine_first_page(s->m, region), s->m->regions[region].n_pages};
    }
}

/* Cuts `front` pages off, keeps `keep` of the rest (0: all), and stays in the region. */
static struct pages trim(const struct shadow *s, struct pages a, uint8_t front, uint8_t keep)
{
    uint32_t end = machine_first_page(s->m, region_of(s->m, a.first) + 1);

    a.n = a.n < end - a.first ? a.n : end - a.first;
    assert(a.n > 0);
    front %= a.n < 256 ? a.n : 255;
    a.first += front;
    a.n -= front;
    if (keep && keep < a.n)
        a.n = keep;
    return a;
}

/* ---- ops ---- */

static bool one_page(const struct op *op)
{
    return (op->kind >= OP_READ && op->kind <= OP_DMA_WRITE) ||
           (op->kind == OP_CONVERT && op->via == VIA_FAULT);
}

static bool whole_region(uint8_t kind)
{
    return kind == OP_UNPLUG_ALL || kind == OP_RESIZE || kind == OP_REMOVE || kind == OP_ADD ||
           kind == OP_SOURCE_REMOVE;
}

static void set_range(struct op *op, const struct shadow *s, struct pages a, uint8_t odd)
{
    uint64_t page_size = machine_page_size(s->m);
    uint32_t region = region_of(s->m, a.first);

    op->region = (uint8_t)region;
    op->start = (a.first - machine_first_page(s->m, region)) * page_size;
    op->size = (one_page(op) ? 1 : a.n) * page_size;
    if (whole_region(op->kind)) {
        op->start = 0;
        op->size = s->m->regions[region].n_pages * page_size;
    }
    if (op->kind == OP_CONVERT && op->via == VIA_VMM && odd & 0x80)
        op->size += odd * 16u; /* over the border, or not whole pages */
    else if (op->kind == OP_CONVERT && op->via == VIA_HYPERCALL && odd & 0x80)
        op->size += (odd & 3u) * page_size;
}

static uint8_t units(const struct machine *m, uint8_t unit)
{
    const uint32_t n[] = {[UNIT_NONE] = 0,
                          [UNIT_VCPU] = m->n_vcpus,
                          [UNIT_DEVICE] = m->n_devices,
                          [UNIT_CONTAINER] = m->n_containers,
                          [UNIT_GUARD] = GUARD_KIND_COUNT};

    return (uint8_t)n[unit];
}

/* A fault of the vocabulary; the errno stays 0, which is not valid, where the point has none.
 */
static void set_fault(struct op *op, const uint8_t *b, const struct vocabulary *words)
{
    uint32_t n = 0;

    op->late = b[2] & 1;
    op->in_undo = (b[2] & 6) == 6;
    op->point = b[3] % words->n_names;
    while (n < 255 && words->point_errno(op->point, n, op->late))
        n++;
    op->error = n ? (uint16_t)words->point_errno(op->point, b[4] % n, op->late) : 0;
    op->when = (b[2] & 0x38) == 0x38 ? FAULT_STICKY : FAULT_NTH;
    op->value = 1 + b[5] % 32u;
}

/* kind, unit, how, which, front, keep, value, odd */
struct op bytes_read_relative(struct cursor *c, const struct shadow *s, const struct program *p,
                              const struct vocabulary *words)
{
    uint8_t b[BYTES_OP], has, n;
    struct op op;

    for (uint32_t i = 0; i < BYTES_OP; i++)
        b[i] = cursor_byte(c);
    op = (struct op){.kind = b[0] % OP_KIND_COUNT};
    has = op_rows[op.kind].has;
    n = units(s->m, op_rows[op.kind].unit);
    op.unit = n ? b[1] % n : 0;
    if (has & HAS_CONVERT) {
        op.to_private = b[6] & 1;
        op.via = (b[6] & 0xe) == 2 ? VIA_FAULT : (b[6] & 0xe) == 4 ? VIA_VMM : VIA_HYPERCALL;
    }
    if (has & HAS_RANGE)
        set_range(&op, s, trim(s, anchor(s, p, b[2], b[3]), b[4], b[5]), b[7]);
    if (has & HAS_FAULT)
        set_fault(&op, b, words);
    else if (has & HAS_VALUE)
        op.value = op.kind == OP_GUARD || op.kind == OP_MIGRATE ? b[6] & 1 : b[6];
    return op;
}
