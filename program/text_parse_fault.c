/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>

#include "program/parser.h"

static const char *point_name(const void *ctx, uint32_t i)
{
    const struct vocabulary *v = ctx;

    return i < v->n_names ? v->point_name(i) : NULL;
}

int parse_point(struct parser *ps, struct word w, uint16_t *point)
{
    const struct vocabulary *v = ps->vocabulary;

    assert(v->n_points <= v->n_names && v->n_names <= UINT16_MAX);
    for (uint32_t i = 0; i < v->n_names; i++) {
        if (word_is(w, v->point_name(i))) {
            *point = (uint16_t)i;
            return 0;
        }
    }
    return complain(&ps->complaint, "unknown fault point '%s'%s", quote(w).s,
                    suggest(w, point_name, v).s);
}

static int set_hit(struct parser *ps, struct word value, struct op *op, uint8_t when)
{
    if (op->value)
        return complain(&ps->complaint, "one of nth=, from= and chance= only");
    op->when = when;
    return parse_number(ps, when == FAULT_NTH ? "nth" : "from", value, 1, UINT32_MAX,
                        &op->value);
}

static int set_nth(struct parser *ps, struct word value, void *out)
{
    return set_hit(ps, value, out, FAULT_NTH);
}

static int set_from(struct parser *ps, struct word value, void *out)
{
    return set_hit(ps, value, out, FAULT_STICKY);
}

/* "N%" for people, "N/65536" exactly. */
static int set_chance(struct parser *ps, struct word value, void *out)
{
    enum { ONE = 65536, PERCENT = 100 };
    struct op *op = out;
    uint32_t slash = word_find(value, '/');
    uint64_t n = 0;
    int error;

    if (op->value)
        return complain(&ps->complaint, "one of nth=, from= and chance= only");
    op->when = FAULT_CHANCE;
    if (slash < value.n && word_is(word_tail(value, slash), "/65536"))
        return parse_number(ps, "chance", word_head(value, slash), 1, ONE, &op->value);
    if (!value.n || value.s[value.n - 1] != '%')
        return complain(&ps->complaint, "chance: expected N%% or N/65536, got '%s'",
                        quote(value).s);
    error = parse_number(ps, "chance", word_head(value, value.n - 1), 1, PERCENT, &n);
    op->value = n * ONE / PERCENT;
    return error;
}

static int set_late(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;

    (void)ps;
    (void)value;
    op->late = 1;
    return 0;
}

static int set_in_undo(struct parser *ps, struct word value, void *out)
{
    struct op *op = out;

    (void)ps;
    (void)value;
    op->in_undo = 1;
    return 0;
}

/* Can this point fail so? If not, say how it can. */
static int check_errno(struct parser *ps, const struct op *op)
{
    const struct vocabulary *v = ps->vocabulary;
    char names[100] = " nothing";
    size_t used = 0;
    int number;

    if (v->point_fails(op->point, op->error, op->late))
        return 0;
    for (uint32_t i = 0; used < sizeof(names); i++) {
        number = v->point_errno(op->point, i, op->late);
        if (!number)
            break;
        used += (size_t)snprintf(names + used, sizeof(names) - used, " %s", text_errno(number));
    }
    return complain(&ps->complaint, "%s cannot fail%s with %s; %s:%s", v->point_name(op->point),
                    op->late ? " late" : "", text_errno(op->error),
                    op->late ? "late it fails with" : "it fails with", names);
}

static int take_errno(struct parser *ps, uint16_t *error_number)
{
    struct word w = {"", 0};
    int error = take_word(ps, "an errno like ENOMEM", &w), number;

    if (error)
        return error;
    number = text_errno_number(w.s, w.n);
    if (number <= 0)
        return complain(&ps->complaint, "expected an errno like ENOMEM, got '%s'", quote(w).s);
    *error_number = (uint16_t)number;
    return 0;
}

int parse_fault(struct parser *ps, struct op *op)
{
    static const struct key keys[] = {
        {"nth", false, set_nth},  {"from", false, set_from},      {"chance", false, set_chance},
        {"late", true, set_late}, {"in-undo", true, set_in_undo},
    };
    struct word w = {"", 0};
    int error = take_word(ps, "a fault point like vfio/map", &w);

    if (!error)
        error = parse_point(ps, w, &op->point);
    if (!error && !ps->vocabulary->point_is_fault(op->point))
        error = complain(&ps->complaint, "%s cannot be made to fail, only be counted",
                         ps->vocabulary->point_name(op->point));
    if (!error)
        error = take_errno(ps, &op->error);
    if (!error)
        error = parse_keys(ps, "fault", keys, sizeof(keys) / sizeof(keys[0]), op);
    if (!error)
        error = check_errno(ps, op);
    if (!error && !op->value)
        op->value = 1;
    return error;
}
