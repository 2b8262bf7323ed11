/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect` and its checks, several on a line. */
#include <assert.h>

#include "program/parser.h"
#include "program/writer.h"

static int add_expect(struct parser *ps, const struct expect *e)
{
    int error = validate_expect(ps->p, e, &ps->complaint);

    if (!error)
        error = check_at_odds(ps->p, ps->p->n_expects, e, &ps->complaint);
    if (error)
        return error;
    error = program_add_expect(ps->p, e);
    if (error == -E2BIG)
        (void)complain(&ps->complaint, "too many expectations, the most is %d",
                       PROGRAM_EXPECTS_MAX);
    return error;
}

/* The check's own word is "name=value": the value. */
static int own_value(struct parser *ps, struct expect *e, struct word *value)
{
    struct word key;

    assert(ps->next > 0);
    if (!split_key(ps->words[ps->next - 1], &key, value))
        return complain(&ps->complaint, "expect %s: expected %s=...", expect_rows[e->kind].name,
                        expect_rows[e->kind].name);
    return 0;
}

int parse_expect_errno(struct parser *ps, struct expect *e)
{
    struct word value = {"", 0};
    int error = own_value(ps, e, &value), number;

    if (error)
        return error;
    number = text_errno_number(value.s, value.n);
    if (number < 0)
        return complain(&ps->complaint, "expect %s: expected 0 or an errno, got '%s'",
                        expect_rows[e->kind].name, quote(value).s);
    e->value = (uint64_t)number;
    return add_expect(ps, e);
}

int parse_expect_number(struct parser *ps, struct expect *e)
{
    struct word value = {"", 0};
    int error = own_value(ps, e, &value);

    if (!error)
        error = parse_number(ps, expect_rows[e->kind].name, value, 0, UINT64_MAX, &e->value);
    return error ? error : add_expect(ps, e);
}

int parse_expect_response(struct parser *ps, struct expect *e)
{
    struct word value = {"", 0};
    uint8_t index = 0;
    int error = own_value(ps, e, &value);

    if (!error)
        error =
            parse_one_of(ps, "expect response", value, response_names, RESPONSE_COUNT, &index);
    e->value = index;
    return error ? error : add_expect(ps, e);
}

/* One range or more, an expectation each. */
int parse_expect_pages(struct parser *ps, struct expect *e)
{
    int error;

    do {
        struct range range = {0};

        error = take_range(ps, false, &range);
        e->region = range.region;
        e->start = range.start;
        e->size = range.size;
        if (!error)
            error = add_expect(ps, e);
    } while (!error && have_word(ps) && looks_like_range(peek_word(ps)));
    return error;
}

int parse_expect_mapped(struct parser *ps, struct expect *e)
{
    int error = take_unit(ps, UNIT_CONTAINER, &e->unit);

    return error ? error : parse_expect_pages(ps, e);
}

int parse_expect_side(struct parser *ps, struct expect *e)
{
    struct word w = {"", 0};
    int error = take_word(ps, "shared or private", &w);

    if (error)
        return error;
    if (!word_is(w, "shared") && !word_is(w, "private"))
        return complain(&ps->complaint, "expected shared or private, got '%s'", quote(w).s);
    e->value = word_is(w, "private");
    return parse_expect_pages(ps, e);
}

int parse_expect_calls(struct parser *ps, struct expect *e)
{
    struct word w = {"", 0}, name, value;
    int error;

    do {
        error = take_word(ps, "a host call like vfio/map=4", &w);
        if (error)
            return error;
        if (!split_key(w, &name, &value))
            return complain(&ps->complaint, "expected a host call like vfio/map=4, got '%s'",
                            quote(w).s);
        error = parse_point(ps, name, &e->point);
        if (!error)
            error = parse_number(ps, "calls", value, 0, UINT64_MAX, &e->value);
        if (!error)
            error = add_expect(ps, e);
        (void)split_key(peek_word(ps), &name, &value);
    } while (!error && word_find(name, '/') < name.n);
    return error;
}

int parse_expect_entries(struct parser *ps, struct expect *e)
{
    struct word w = {"", 0}, name, value;
    int error;

    do {
        error = take_word(ps, "a number of entries like c0=3", &w);
        if (error)
            return error;
        if (!split_key(w, &name, &value))
            return complain(&ps->complaint, "expected a number of entries like c0=3, got '%s'",
                            quote(w).s);
        error = parse_unit(ps, name, UNIT_CONTAINER, &e->unit);
        if (!error)
            error = parse_number(ps, "entries", value, 0, UINT64_MAX, &e->value);
        if (!error)
            error = add_expect(ps, e);
        (void)split_key(peek_word(ps), &name, &value);
    } while (!error && name.n >= 2 && name.s[0] == 'c' && name.s[1] >= '0' && name.s[1] <= '9');
    return error;
}

int parse_expect_stopped(struct parser *ps, struct expect *e)
{
    assert(e->kind == EXPECT_STOPPED);
    if (!e->value && word_is(ps->words[ps->next - 1], "stopped"))
        e->value = 1;
    return add_expect(ps, e);
}

static bool takes_value(uint32_t kind)
{
    int (*parse)(struct parser *, struct expect *) = expect_rows[kind].parse;

    return parse == parse_expect_errno || parse == parse_expect_number ||
           parse == parse_expect_response;
}

static const char *expect_name(const void *ctx, uint32_t i)
{
    (void)ctx;
    if (i == EXPECT_KIND_COUNT)
        return "running";
    return i < EXPECT_KIND_COUNT ? expect_rows[i].name : NULL;
}

static int parse_check(struct parser *ps, const struct expect *about)
{
    struct word w = ps->words[ps->next++], name, value;
    struct expect e = *about;
    bool has_value = split_key(w, &name, &value);
    uint32_t kind = 0;

    while (kind < EXPECT_KIND_COUNT && !word_is(name, expect_rows[kind].name))
        kind++;
    if (word_is(w, "running"))
        kind = EXPECT_STOPPED;
    if (kind == EXPECT_KIND_COUNT)
        return complain(&ps->complaint, "unknown expectation '%s'%s", quote(w).s,
                        suggest(name, expect_name, NULL).s);
    e.kind = (uint8_t)kind;
    if (has_value && !takes_value(kind))
        return complain(&ps->complaint, "'%s' takes no =value", expect_rows[kind].name);
    return expect_rows[kind].parse(ps, &e);
}

/* "AXIS=V|V2 ..." in front of the checks: the machines that they are about. */
static int parse_only(struct parser *ps, struct expect *about)
{
    enum program_axis axis = AXIS_COUNT;
    struct word name, values;
    uint8_t first;
    int error = 0;

    while (!error && axis_word(peek_word(ps), &axis)) {
        (void)split_key(ps->words[ps->next++], &name, &values);
        if (about->only[axis])
            return complain(&ps->complaint, "'%s' is given twice", program_axis_name(axis));
        error = parse_axis_set(ps, axis, values, &first, &about->only[axis]);
    }
    return error;
}

/* A condition that no machine meets, or none that the machine line leaves, is a mistake. */
static int check_condition(struct parser *ps, const struct expect *about)
{
    char buf[TEXT_LINE_MAX];
    struct writer w = {.buf = buf, .size = sizeof(buf), .machine = &ps->p->machine};

    if (expect_may_apply(&ps->p->machine, about))
        return 0;
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (about->only[i]) {
            put_axis(&w, (enum program_axis)i, about->only[i]);
            put(&w, " ");
        }
    if (w.used > 0)
        buf[w.used - 1] = 0;
    return complain(&ps->complaint,
                    expect_is_possible(about)
                        ? "expect: no machine that the machine line allows has %s"
                        : "expect: no machine can have %s",
                    buf);
}

int parse_expect(struct parser *ps)
{
    struct expect about = {.op = ps->p->n_ops - 1, .line = ps->line};
    int error;

    if (!ps->p->n_ops)
        return complain(&ps->complaint, "expect belongs after the op that it is about");
    error = parse_only(ps, &about);
    if (!error)
        error = check_condition(ps, &about);
    if (!error && !have_word(ps))
        error =
            complain(&ps->complaint, "expected a check like result=0, got the end of the line");
    while (!error && have_word(ps))
        error = parse_check(ps, &about);
    return error;
}
