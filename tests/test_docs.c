/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the pages for users say must be so: every rule, op and axis that there is stands in its
 * page, and every scenario printed there parses and passes. Runs from the top of the tree.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/model.h"
#include "program/op_table.h"
#include "program/text.h"
#include "run/rule_text.h"
#include "run/runner.h"
#include "run/vocabulary.h"

#define FIRST_LINE "gmemcheck-scenario 1"

static char *read_page(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t size = 0, room = 1 << 20;
    char *text = calloc(1, room);

    if (f && text) {
        size = fread(text, 1, room - 1, f);
        fclose(f);
    }
    if (!size)
        fail_msg("%s: cannot be read (tests run from the top of the tree)", path);
    return text;
}

/* ---- names ---- */

/* Cell number `column` of the table row of a rule, without backquotes and stars. */
static bool rule_cell(const char *text, const char *rule, uint32_t column, char *out,
                      size_t room)
{
    char begin[80];
    const char *at;
    size_t used = 0;

    snprintf(begin, sizeof(begin), "\n| `%s` |", rule);
    at = strstr(text, begin);
    if (!at)
        return false;
    for (at += 3; column > 0 && *at != '\n'; at++)
        column -= *at == '|';
    for (at += strspn(at, " "); *at && *at != '\n' && *at != '|' && used + 1 < room; at++)
        if (*at != '`' && *at != '*')
            out[used++] = *at;
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    return column == 0;
}

/* Is it the whole, or a sentence or clause at its start? */
static bool begins_with(const char *whole, const char *clause)
{
    size_t n = strlen(clause);

    return strncmp(whole, clause, n) == 0 &&
           (strchr(";.,:", whole[n]) || strncmp(whole + n, " (", 2) == 0);
}

static void wrong_cell_is_noticed(void **state)
{
    static const char page[] = "\n| `S9 x` | a `b` *c*; d | I9 | e |\n| `S8 y` | f |\n";
    char cell[64];

    (void)state;
    assert_true(rule_cell(page, "S9 x", 1, cell, sizeof(cell)));
    assert_string_equal(cell, "a b c; d");
    assert_true(begins_with(cell, "a b c") && begins_with(cell, "a b c; d"));
    assert_false(begins_with(cell, "a b") || begins_with(cell, "a b c; d e"));
    assert_true(rule_cell(page, "S9 x", 3, cell, sizeof(cell)));
    assert_string_equal(cell, "e");
    assert_false(rule_cell(page, "S8 y", 3, cell, sizeof(cell)));
    assert_false(rule_cell(page, "S7 z", 1, cell, sizeof(cell)));
}

/* What a report says of a rule is what the page says. Rules without a usual cause stand in the
 * table that says when they are asked. */
static void rules_say_the_same(void **state)
{
    char *text = read_page("docs/rules.md"), cell[1000];
    const struct rule_text *rule;

    (void)state;
    for (uint32_t i = 0; (rule = rule_text_at(i)) != NULL; i++) {
        if (!rule_cell(text, rule->name, rule->means ? 1 : 2, cell, sizeof(cell)))
            fail_msg("docs/rules.md does not explain `%s`", rule->name);
        if (!begins_with(cell, rule->says))
            fail_msg("%s: the program says '%s', docs/rules.md '%s'", rule->name, rule->says,
                     cell);
        if (!rule->means)
            continue;
        assert_true(rule_cell(text, rule->name, 3, cell, sizeof(cell)));
        assert_string_equal(cell, rule->means);
    }
    free(text);
}

static void every_rule_is_explained(void **state)
{
    const uint32_t n_of_runner = 6; /* O8, and what goes wrong around the ops */
    uint32_t n_of_model = 0;

    (void)state;
    for (; model_rule_name(n_of_model); n_of_model++)
        if (!rule_text(model_rule_name(n_of_model)))
            fail_msg("run/rule_text.c does not explain `%s`", model_rule_name(n_of_model));
    assert_null(rule_text_at(n_of_model + n_of_runner));
}

/* The other way round: a rule in the tables that no longer exists. */
static void no_rule_is_invented(void **state)
{
    char *text = read_page("docs/rules.md"), name[64];

    (void)state;
    for (const char *row = text; (row = strstr(row, "\n| `")); row++)
        if (sscanf(row, "\n| `%63[^`]`", name) != 1 || !rule_text(name))
            fail_msg("docs/rules.md explains `%s`, which there is not", name);
    free(text);
}

/* Statements and checks stand in their tables as `name ...`. */
static void assert_statement(const char *text, const char *name)
{
    char begin[32];

    snprintf(begin, sizeof(begin), "`%s", name);
    if (!strstr(text, begin))
        fail_msg("docs/scenario-format.md does not explain %s", name);
}

static void every_statement_is_explained(void **state)
{
    char *text = read_page("docs/scenario-format.md");

    (void)state;
    for (unsigned i = 0; i < OP_KIND_COUNT; i++)
        assert_statement(text, op_rows[i].name);
    for (unsigned i = 0; i < EXPECT_KIND_COUNT; i++)
        assert_statement(text, expect_rows[i].name);
    free(text);
}

/* ---- examples ---- */

/* Copies the example that begins at `at`, without the indentation of its first line, up to a
 * line that is indented less or is a fence. What follows it is returned. */
static const char *take_example(const char *text, const char *at, char *out, size_t room)
{
    size_t indent = 0, used = 0;

    while (at - indent > text && at[-1 - (long)indent] == ' ')
        indent++;
    for (at -= indent; *at; at++) {
        size_t length = strcspn(at, "\n"), blank = strspn(at, " ");

        if (strncmp(at, "```", 3) == 0 || (blank < indent && blank < length))
            break;
        length -= length < indent ? length : indent;
        assert_true(used + length + 2 < room);
        memcpy(out + used, at + (strcspn(at, "\n") - length), length);
        used += length;
        out[used++] = '\n';
        at += strcspn(at, "\n");
        if (!*at)
            break;
    }
    out[used] = '\0';
    return at;
}

/* NULL, or what is wrong with an example. */
static const char *try_example(const char *example)
{
    static struct runner runner;
    static char problem[400];
    struct run_result result;
    struct program p;
    struct text_error error;

    program_init(&p);
    if (text_parse(example, strlen(example), &run_vocabulary, &p, &error)) {
        snprintf(problem, sizeof(problem), "line %u: %s", error.line, error.why);
        program_free(&p);
        return problem;
    }
    assert_int_equal(runner_init(&runner), 0);
    runner_run(&runner, &p, &subject_core, NULL, &result);
    runner_free(&runner);
    program_free(&p);
    if (result.verdict == VERDICT_OK)
        return NULL;
    snprintf(problem, sizeof(problem), "line %u: %s: %s", result.line, result.rule,
             result.detail);
    return problem;
}

static const char *try_page(const char *text, unsigned *n)
{
    static char example[1 << 16];
    const char *problem = NULL;

    *n = 0;
    for (const char *at = text; !problem && (at = strstr(at, FIRST_LINE "\n"));) {
        at = take_example(text, at, example, sizeof(example));
        problem = try_example(example);
        ++*n;
    }
    return problem;
}

static const char page_start[] = "Text.\n\n    " FIRST_LINE "\n    machine\n"
                                 "    region ram0 pages=2\n    section ram0[0..2) at 4\n\n"
                                 "    convert ram0[0] shared\n      expect ";

static void wrong_example_is_noticed(void **state)
{
    char page[400];
    unsigned n;

    (void)state;
    snprintf(page, sizeof(page), "%sresult=0\n\nMore text.\n", page_start);
    assert_null(try_page(page, &n));
    assert_int_equal(n, 1);
    snprintf(page, sizeof(page), "%sresult=EINVAL\n\nMore text.\n", page_start);
    assert_string_equal(try_page(page, &n),
                        "line 7: E1 expectation: result: expected EINVAL, found success");
    snprintf(page, sizeof(page), "%sresul=0\n\nMore text.\n", page_start);
    assert_non_null(strstr(try_page(page, &n), "line 7: "));
}

static void examples_pass(void **state)
{
    static const char *const pages[] = {"README.md", "docs/scenario-format.md"};

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        char *text = read_page(pages[i]);
        unsigned n;
        const char *problem = try_page(text, &n);

        free(text);
        if (problem)
            fail_msg("%s, example %u, %s", pages[i], n, problem);
        assert_true(n >= 1);
    }
}

/* ---- what comments cite ---- */

/* The word that ends with ".md" before `end`, or "" for a path. */
static void cited_name(const char *text, const char *end, char *name, size_t size)
{
    const char *from = end;

    while (from > text && ((from[-1] >= 'a' && from[-1] <= 'z') || from[-1] == '-'))
        from--;
    if ((from > text && from[-1] == '/') || (size_t)(end - from) + 4 > size)
        from = end;
    snprintf(name, size, "%.*s.md", (int)(end - from), from);
    if (from == end)
        name[0] = 0;
}

/* The first one that is neither a page of docs/ nor explained there; "": none. */
static void unexplained(const char *text, const char *explained, char *name, size_t size)
{
    for (const char *at = text; (at = strstr(at, ".md")); at++) {
        char path[80];

        cited_name(text, at, name, size);
        snprintf(path, sizeof(path), "docs/%s", name);
        if (name[0] && !strstr(explained, name) && access(path, R_OK))
            return;
    }
    name[0] = 0;
}

static void every_paper_that_is_cited_is_explained(void **state)
{
    char *explained = read_page("docs/sources.md"), name[40];
    glob_t found;

    (void)state;
    unexplained("see rules.md, behaviour.md 7 and docs/no.md, not hearsay"
                ".md",
                explained, name, sizeof(name));
    assert_int_equal(strncmp(name, "hearsay.", 8), 0);
    assert_int_equal(glob("[cmprst]*/*.[ch]", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 300);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = read_page(found.gl_pathv[i]);

        unexplained(text, explained, name, sizeof(name));
        if (name[0])
            fail_msg("%s cites %s, which docs/sources.md does not explain", found.gl_pathv[i],
                     name);
        free(text);
    }
    globfree(&found);
    free(explained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"docs/wrong-cell-is-noticed", wrong_cell_is_noticed, NULL, NULL, NULL},
        {"docs/wrong-example-is-noticed", wrong_example_is_noticed, NULL, NULL, NULL},
        {"docs/rules-say-the-same", rules_say_the_same, NULL, NULL, NULL},
        {"docs/every-rule-is-explained", every_rule_is_explained, NULL, NULL, NULL},
        {"docs/no-rule-is-invented", no_rule_is_invented, NULL, NULL, NULL},
        {"docs/every-statement-is-explained", every_statement_is_explained, NULL, NULL, NULL},
        {"docs/examples-pass", examples_pass, NULL, NULL, NULL},
        {"docs/papers-that-are-cited", every_paper_that_is_cited_is_explained, NULL, NULL,
         NULL},
    };

    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
