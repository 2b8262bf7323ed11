/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>

#include "program/validate.h"
#include "program/writer.h"

const char *const via_names[3] = {"hypercall", "fault", "vmm"};
const char *const share_names[SHARE_COUNT] = {"anon", "memfd", "hugetlb"};
const char *const guard_names[GUARD_KIND_COUNT] = {"disable", "uncoordinated-disable",
                                                   "require", "coordinated-require"};
const char *const response_names[RESPONSE_COUNT] = {"ack", "nack", "busy", "error"};

void put(struct writer *w, const char *format, ...)
{
    va_list args;
    int n;

    assert(w->used < w->size);
    va_start(args, format);
    n = vsnprintf(w->buf + w->used, w->size - w->used, format, args);
    va_end(args);
    if (n < 0)
        return;
    w->used = (size_t)n < w->size - w->used ? w->used + (size_t)n : w->size - 1;
}

/* The page form of a region stays inside it; the byte form may run on. */
static bool fits_pages(const struct machine *m, uint32_t region, uint64_t start, uint64_t size)
{
    uint64_t page_size = machine_page_size(m), limit = UINT64_MAX / page_size;

    if (start % page_size || size % page_size || !size)
        return false;
    if (region != OP_NO_REGION)
        limit = region < m->n_regions ? m->regions[region].n_pages : 0;
    return start / page_size <= limit && size / page_size <= limit - start / page_size;
}

static void put_pages(struct writer *w, const char *name, uint64_t first, uint64_t n)
{
    if (n == 1)
        put(w, "%s[%" PRIu64 "]", name, first);
    else
        put(w, "%s[%" PRIu64 "..%" PRIu64 ")", name, first, first + n);
}

static struct region_name range_name(const struct machine *m, uint32_t region)
{
    return region == OP_NO_REGION ? (struct region_name){"gpa"} : region_name(m, region);
}

void put_range(struct writer *w, uint32_t region, uint64_t start, uint64_t size)
{
    uint64_t page_size = machine_page_size(w->machine);
    struct region_name name = range_name(w->machine, region);

    if (fits_pages(w->machine, region, start, size))
        put_pages(w, name.s, start / page_size, size / page_size);
    else
        put(w, "%s@0x%" PRIx64 "+0x%" PRIx64, name.s, start, size);
}

void text_range(char *buf, size_t size, const struct machine *m, uint32_t region,
                uint64_t first, uint64_t n)
{
    struct writer w = {.buf = buf, .size = size, .machine = m};

    assert(buf && size);
    put_pages(&w, range_name(m, region).s, first, n);
}

static const char *name_of(const struct op *op)
{
    return op_rows[op->kind].name;
}

static void put_vcpu(struct writer *w, const struct op *op)
{
    if (!w->brief || op->unit)
        put(w, " vcpu=%u", op->unit);
}

void print_convert(struct writer *w, const struct op *op)
{
    put(w, "%s ", name_of(op));
    put_range(w, op->region, op->start, op->size);
    put(w, " %s", op->to_private ? "private" : "shared");
    put_vcpu(w, op);
    if (!w->brief || op->via != VIA_HYPERCALL)
        put(w, " via=%s", op->via <= VIA_VMM ? via_names[op->via] : "?");
}

void print_cpu(struct writer *w, const struct op *op)
{
    put(w, "%s ", name_of(op));
    put_range(w, op->region, op->start, op->size);
    if (op->kind == OP_WRITE)
        put(w, " value=%" PRIu64, op->value);
    put_vcpu(w, op);
}

void print_dma(struct writer *w, const struct op *op)
{
    put(w, "%s d%u ", name_of(op), op->unit);
    put_range(w, op->region, op->start, op->size);
    if (op->kind == OP_DMA_WRITE)
        put(w, " value=%" PRIu64, op->value);
}

void print_device_op(struct writer *w, const struct op *op)
{
    put(w, "%s d%u", name_of(op), op->unit);
}

void print_listen(struct writer *w, const struct op *op)
{
    put(w, "%s c%u ", name_of(op), op->unit);
    put_range(w, op->region, op->start, op->size);
}

void print_pages_op(struct writer *w, const struct op *op)
{
    put(w, "%s ", name_of(op));
    put_range(w, op->region, op->start, op->size);
}

void print_region_op(struct writer *w, const struct op *op)
{
    put(w, "%s %s", name_of(op), region_name(w->machine, op->region).s);
}

void print_resize(struct writer *w, const struct op *op)
{
    print_region_op(w, op);
    put(w, " pages=%" PRIu64, op->value);
}

void print_guard(struct writer *w, const struct op *op)
{
    put(w, "%s %s %s", name_of(op), op->unit < GUARD_KIND_COUNT ? guard_names[op->unit] : "?",
        op->value ? "on" : "off");
}

void print_migrate(struct writer *w, const struct op *op)
{
    put(w, "%s %s", name_of(op), op->value ? "start" : "stop");
}

void print_fault(struct writer *w, const struct op *op)
{
    const struct vocabulary *v = w->vocabulary;

    put(w, "%s %s %s", name_of(op), op->point < v->n_names ? v->point_name(op->point) : "?",
        text_errno(op->error));
    if (op->when == FAULT_CHANCE)
        put(w, " chance=%" PRIu64 "/65536", op->value);
    else if (!w->brief || op->when != FAULT_NTH || op->value != 1)
        put(w, " %s=%" PRIu64, op->when == FAULT_NTH ? "nth" : "from", op->value);
    put(w, "%s%s", op->late ? " late" : "", op->in_undo ? " in-undo" : "");
}

void print_nothing(struct writer *w, const struct op *op)
{
    put(w, "%s", name_of(op));
}

void text_op(char *buf, size_t size, const struct program *p, const struct op *op,
             const struct vocabulary *words)
{
    struct writer w = {buf, size, 0, &p->machine, words, false};

    assert(buf && size && op->kind < OP_KIND_COUNT);
    op_rows[op->kind].print(&w, op);
}

void text_op_brief(char *buf, size_t size, const struct program *p, const struct op *op,
                   const struct vocabulary *words)
{
    struct writer w = {buf, size, 0, &p->machine, words, true};

    assert(buf && size && op->kind < OP_KIND_COUNT);
    op_rows[op->kind].print(&w, op);
}
