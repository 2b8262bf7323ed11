/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>

#include "program/parser.h"

static const struct {
    const char *name;
    int (*parse)(struct parser *ps);
} declarations[] = {
    {"machine", parse_machine}, {"region", parse_region_statement},
    {"section", parse_section}, {"container", parse_container},
    {"device", parse_device},   {"seed", parse_seed},
};

enum { N_DECLARATIONS = sizeof(declarations) / sizeof(declarations[0]) };

static const char *statement_name(const void *ctx, uint32_t i)
{
    (void)ctx;
    if (i < N_DECLARATIONS)
        return declarations[i].name;
    i -= N_DECLARATIONS;
    if (i < OP_KIND_COUNT)
        return op_rows[i].name;
    if (i == OP_KIND_COUNT)
        return "expect";
    if (i == OP_KIND_COUNT + 1)
        return "sweep";
    return i == OP_KIND_COUNT + 2 ? "ref" : NULL;
}

static int parse_version(struct parser *ps)
{
    static const char name[] = "gmemcheck-scenario";
    uint64_t version = 0;
    int error;

    if (!ps->n_words || !word_is(ps->words[0], name))
        return complain(&ps->complaint, "expected '%s %d' as the first line, got '%s'", name,
                        SCENARIO_VERSION, ps->n_words ? quote(ps->words[0]).s : "");
    if (ps->n_words < 2)
        return complain(&ps->complaint, "expected '%s %d', got no version", name,
                        SCENARIO_VERSION);
    ps->next = 2;
    error = parse_number(ps, "version", ps->words[1], 1, UINT64_MAX, &version);
    if (!error && version > SCENARIO_VERSION)
        error = complain(&ps->complaint,
                         "made by a newer gmemcheck: scenario version %" PRIu64
                         ", this one reads %d",
                         version, SCENARIO_VERSION);
    return error;
}

static int parse_declaration(struct parser *ps, uint32_t i)
{
    int error;

    assert(i < N_DECLARATIONS);
    if (ps->p->n_ops)
        return complain(&ps->complaint, "'%s' must come before the first op",
                        declarations[i].name);
    if (!ps->has_machine && declarations[i].parse != parse_machine)
        return complain(&ps->complaint, "'%s' before the machine line", declarations[i].name);
    error = declarations[i].parse(ps);
    return error ? error : validate_machine(&ps->p->machine, &ps->complaint);
}

/* Statements that stand among the ops. */
static int check_may_begin(struct parser *ps, const char *name)
{
    if (!ps->has_machine)
        return complain(&ps->complaint, "'%s' before the machine line", name);
    if (!ps->p->machine.n_regions)
        return complain(&ps->complaint, "'%s' before the first region", name);
    return 0;
}

static int parse_op_statement(struct parser *ps, uint32_t kind)
{
    int error = check_may_begin(ps, op_rows[kind].name);

    return error ? error : parse_op(ps, kind);
}

static int parse_sweep(struct parser *ps)
{
    int error = check_may_begin(ps, "sweep");

    if (!error)
        error = take_literal(ps, "from");
    if (!error)
        error = take_literal(ps, "here");
    if (!error && ps->has_sweep)
        error = complain(&ps->complaint, "'sweep from here' a second time");
    ps->has_sweep = true;
    ps->p->sweep_from = ps->p->n_ops;
    return error;
}

static int parse_statement(struct parser *ps)
{
    struct word name = ps->words[ps->next++];

    for (uint32_t i = 0; i < N_DECLARATIONS; i++) {
        if (word_is(name, declarations[i].name))
            return parse_declaration(ps, i);
    }
    for (uint32_t i = 0; i < OP_KIND_COUNT; i++) {
        if (word_is(name, op_rows[i].name))
            return parse_op_statement(ps, i);
    }
    if (word_is(name, "expect"))
        return parse_expect(ps);
    if (word_is(name, "sweep"))
        return parse_sweep(ps);
    return complain(&ps->complaint, "unknown statement '%s'%s", quote(name).s,
                    suggest(name, statement_name, NULL).s);
}

static int parse_line(struct parser *ps)
{
    int error = 0;

    if (ps->line == 1)
        error = parse_version(ps);
    else if (ps->n_words)
        error = parse_statement(ps);
    if (!error && have_word(ps))
        error = complain(&ps->complaint, "expected the end of the line, got '%s'",
                         quote(peek_word(ps)).s);
    return error;
}

/* All lines were good: is it a whole? */
static int parse_end(struct parser *ps)
{
    uint32_t line;

    if (!ps->line)
        return complain(&ps->complaint, "the file is empty; expected 'gmemcheck-scenario %d'",
                        SCENARIO_VERSION);
    if (!ps->has_machine)
        return complain(&ps->complaint, "the file ends without a machine line");
    if (!ps->p->machine.n_regions)
        return complain(&ps->complaint, "the file ends without a region");
    return program_validate(ps->p, ps->error->why, sizeof(ps->error->why), &line);
}

int text_parse(const char *text, size_t size, const struct vocabulary *words, struct program *p,
               struct text_error *error)
{
    struct parser ps;
    int result = 0;

    assert((text || !size) && words && p && error);
    ps.text = text;
    ps.size = size;
    ps.at = 0;
    ps.vocabulary = words;
    ps.p = p;
    ps.error = error;
    ps.complaint = (struct complaint){error->why, sizeof(error->why)};
    ps.line = ps.n_words = ps.next = 0;
    ps.has_machine = ps.has_seed = ps.has_sweep = false;
    error->line = 0;
    error->why[0] = 0;
    program_clear(p);
    if (size > TEXT_FILE_MAX) {
        (void)complain(&ps.complaint, "the file has %zu bytes, the most is %d", size,
                       TEXT_FILE_MAX);
        return -E2BIG;
    }
    while (!result) {
        int more = lex_line(&ps);

        if (more == 0)
            break;
        result = more < 0 ? more : parse_line(&ps);
    }
    if (!result)
        result = parse_end(&ps);
    if (!result)
        return 0;
    if (result == -ENOMEM)
        (void)complain(&ps.complaint, "out of memory");
    error->line = ps.line ? ps.line : 1;
    program_clear(p);
    return result;
}
