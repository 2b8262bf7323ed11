/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ops but fault. */
#include <assert.h>

#include "program/parser.h"
#include "program/writer.h"

static int set_vcpu(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;
    uint64_t number = 0;
    int error = parse_number(ps, "vcpu", value, 0, ps->p->machine.n_vcpus - 1, &number);

    op->unit = (uint8_t)number;
    return error;
}

static int set_via(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;

    return parse_one_of(ps, "via", value, via_names, sizeof(via_names) / sizeof(via_names[0]),
                        &op->via);
}

static int set_value(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;

    return parse_number(ps, "value", value, 1, UINT64_MAX, &op->value);
}

static int take_op_range(struct parser *ps, bool gpa_allowed, struct op *op)
{
    struct range range = {0};
    int error = take_range(ps, gpa_allowed, &range);

    op->region = range.region;
    op->start = range.start;
    op->size = range.size;
    return error;
}

int parse_convert(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {{"vcpu", false, set_vcpu}, {"via", false, set_via}};
    struct word w = {"", 0};
    int error = take_op_range(ps, true, op);

    if (!error)
        error = take_word(ps, "shared or private", &w);
    if (error)
        return error;
    if (!word_is(w, "shared") && !word_is(w, "private"))
        return complain(&ps->complaint, "expected shared or private, got '%s'", quote(w).s);
    op->to_private = word_is(w, "private");
    return parse_keys(ps, "convert", keys, sizeof(keys) / sizeof(keys[0]), op);
}

int parse_read(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {{"vcpu", false, set_vcpu}};
    int error = take_op_range(ps, true, op);

    return error ? error : parse_keys(ps, "read", keys, 1, op);
}

/* Statements that write need their value. */
static int parse_write_keys(struct parser *ps, const struct key *keys, uint32_t n,
                            struct op *op)
{
    int error = parse_keys(ps, op_rows[op->kind].name, keys, n, op);

    if (!error && !op->value)
        error = complain(&ps->complaint, "expected value=N");
    return error;
}

int parse_write(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {{"value", false, set_value}, {"vcpu", false, set_vcpu}};
    int error = take_op_range(ps, true, op);

    return error ? error : parse_write_keys(ps, keys, sizeof(keys) / sizeof(keys[0]), op);
}

int parse_dma_read(struct parser *ps, struct op *op)
{
    int error = take_unit(ps, UNIT_DEVICE, &op->unit);

    return error ? error : take_op_range(ps, true, op);
}

int parse_dma_write(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {{"value", false, set_value}};
    int error = parse_dma_read(ps, op);

    return error ? error : parse_write_keys(ps, keys, 1, op);
}

int parse_device_op(struct parser *ps, struct op *op)
{
    return take_unit(ps, UNIT_DEVICE, &op->unit);
}

int parse_listen(struct parser *ps, struct op *op)
{
    int error = take_unit(ps, UNIT_CONTAINER, &op->unit);

    return error ? error : take_op_range(ps, false, op);
}

int parse_pages_op(struct parser *ps, struct op *op)
{
    return take_op_range(ps, false, op);
}

int parse_region_op(struct parser *ps, struct op *op)
{
    const struct machine *m = &ps->p->machine;
    struct word w = {"", 0};
    uint32_t region = 0;
    int error = take_word(ps, "a region like ram0", &w);

    if (!error)
        error = parse_region(ps, w, &region);
    if (error)
        return error;
    op->region = (uint8_t)region;
    op->size = (uint64_t)m->regions[region].n_pages * machine_page_size(m);
    return 0;
}

static int set_resize_pages(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;

    return parse_number(ps, "pages", value, 0, UINT32_MAX, &op->value);
}

int parse_resize(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {{"pages", false, set_resize_pages}};
    int error = parse_region_op(ps, op);

    if (!error && !have_word(ps)) /* 0 is a size, too */
        error = complain(&ps->complaint, "expected pages=N");
    return error ? error : parse_keys(ps, "resize", keys, 1, op);
}

/* One of two words, as op->value. */
static int take_switch(struct parser *ps, const char *zero, const char *one, struct op *op)
{
    const char *const names[] = {zero, one};
    struct word w = {"", 0};
    char what[32];
    uint8_t index = 0;
    int error;

    (void)snprintf(what, sizeof(what), "%s or %s", one, zero);
    error = take_word(ps, what, &w);
    if (!error)
        error = parse_one_of(ps, op_rows[op->kind].name, w, names, 2, &index);
    op->value = index;
    return error;
}

int parse_guard(struct parser *ps, struct op *op)
{
    struct word w = {"", 0};
    int error = take_word(ps, "a guard like require", &w);

    if (!error)
        error = parse_one_of(ps, "guard", w, guard_names, GUARD_KIND_COUNT, &op->unit);
    return error ? error : take_switch(ps, "off", "on", op);
}

int parse_migrate(struct parser *ps, struct op *op)
{
    return take_switch(ps, "stop", "start", op);
}

int parse_nothing(struct parser *ps, struct op *op)
{
    (void)ps;
    assert(op->kind < OP_KIND_COUNT);
    return 0;
}

int parse_op(struct parser *ps, uint32_t kind)
{
    struct op op = {.kind = (uint8_t)kind, .line = ps->line};
    int error = op_rows[kind].parse(ps, &op);

    assert(kind < OP_KIND_COUNT);
    if (!error)
        error = validate_op(&ps->p->machine, &op, &ps->complaint);
    if (error)
        return error;
    error = program_add_op(ps->p, &op);
    if (error == -E2BIG)
        (void)complain(&ps->complaint, "too many ops, the most is %d", PROGRAM_OPS_MAX);
    return error;
}
