/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shrinker, with subjects that make one mistake each. Whether a result is as small as it
 * can be is looked at from outside: its text, without any one of its lines, must not fail so.
 */
#include "tests/shrink_fixture.h"

#include "run/campaign.h"
#include "run/crash.h"
#include "run/interrupt.h"
#include "tests/program_same.h"

static struct shrink_result result;

/* ---- helpers ---- */

static void shrink_with(const char *text, const struct shrink_options *options)
{
    struct program p;

    must_parse(text, &p);
    assert_int_equal(shrink(&p, options, &result), 0);
    program_free(&p);
}

static void shrink_text(const char *text, const struct subject *subject)
{
    const struct shrink_options options = {.subject = subject};

    shrink_with(text, &options);
}

static void assert_minimal(const struct subject *subject)
{
    char *text = brief_text(&result.program);
    struct signature here = signature_here(&result.program, subject);
    unsigned line = line_too_many(text, subject, &result.signature);

    assert_int_equal(result.end, SHRINK_MINIMAL);
    assert_true(result.removals > 0);
    assert_true(signature_equal(&here, &result.signature));
    if (line)
        fail_msg("line %u is one too many:\n%s", line, text);
    free(text);
}

static void assert_kinds(const enum op_kind *kinds, uint32_t n)
{
    char *text = brief_text(&result.program);
    bool same = result.program.n_ops == n;

    for (uint32_t i = 0; i < n && same; i++)
        same = result.program.ops[i].kind == kinds[i];
    if (!same)
        fail_msg("other ops than these were wanted:\n%s", text);
    free(text);
}

#define ASSERT_KINDS(...)                                                                      \
    assert_kinds((const enum op_kind[]){__VA_ARGS__},                                          \
                 sizeof((const enum op_kind[]){__VA_ARGS__}) / sizeof(enum op_kind))

/* ---- deliberate errors ---- */

static bool keeps_anything(const struct signature *a, const struct signature *b)
{
    (void)a, (void)b;
    return true;
}

static void keeping_anything_is_noticed(void **state)
{
    const struct subject s = stale();
    const struct shrink_options options = {.subject = &s, .same = keeps_anything};
    struct signature here;

    (void)state;
    shrink_with(LONG, &options);
    here = signature_here(&result.program, &s);
    assert_false(signature_equal(&here, &result.signature));
}

static void a_line_too_many_is_noticed(void **state)
{
    static const char text[] = "gmemcheck-scenario 1\nmachine\nregion ram0 pages=1\n"
                               "\nquery ram0[0]\nquery ram0[0]\n";
    const struct subject s = querying(query_lies);
    struct signature here;
    struct program p;

    (void)state;
    must_parse(text, &p);
    here = signature_here(&p, &s);
    assert_int_equal(here.verdict, VERDICT_VIOLATION);
    assert_int_equal(line_too_many(text, &s, &here), 5);
    program_free(&p);
}

/* ---- what is left ---- */

static void it_fails_the_same_way(void **state)
{
    const struct subject s = stale();
    struct signature before;
    struct program p;

    (void)state;
    must_parse(LONG, &p);
    before = signature_here(&p, &s);
    program_free(&p);
    assert_int_equal(before.verdict, VERDICT_VIOLATION);
    shrink_text(LONG, &s);
    assert_true(signature_equal(&before, &result.signature));
    assert_minimal(&s);
    ASSERT_KINDS(OP_ATTACH, OP_CONVERT, OP_CONVERT);
    assert_int_equal(machine_n_pages(&result.program.machine), 1);
    assert_int_equal(result.program.machine.n_vcpus, 1);
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        assert_int_equal(result.program.machine.axis[i], 0);
}

static void a_chance_becomes_a_number(void **state)
{
    const struct subject s = deaf();

    (void)state;
    shrink_text(LONG, &s);
    assert_minimal(&s);
    ASSERT_KINDS(OP_ATTACH, OP_FAULT, OP_CONVERT);
    assert_int_equal(result.program.ops[1].when, FAULT_NTH);
    assert_int_equal(result.program.ops[1].value, 1);
    assert_int_equal(result.program.seed, 0);
}

static void what_is_needed_stays(void **state)
{
    static const char text[] = MACHINE "attach d0\n"
                                       "convert ram0[0..8) shared\n"
                                       "  expect result=0\n"
                                       "convert ram0[2..5) private\n"
                                       "  expect result=0 shared ram0[4]\n"
                                       "query ram0[0]\n";

    (void)state;
    shrink_text(text, &subject_core);
    assert_minimal(&subject_core);
    assert_int_equal(result.program.n_expects, 1);
    assert_int_equal(result.program.expects[0].kind, EXPECT_SHARED);
    ASSERT_KINDS(OP_CONVERT, OP_CONVERT);
    assert_int_equal(result.program.expects[0].op, 1);
}

static void the_result_cannot_be_shrunk(void **state)
{
    const struct subject s = stale();
    struct shrink_result first;

    (void)state;
    shrink_text(LONG, &s);
    first = result;
    assert_int_equal(shrink(&first.program, &(struct shrink_options){.subject = &s}, &result),
                     0);
    forget_lines(&result.program);
    assert_true(same_program(&first.program, &result.program));
    shrink_free(&first);
}

/* Programs as a campaign has them. */
static void any_program(void **state)
{
    enum { VIOLATIONS = 12 };
    const struct subject s = stale();
    const struct shrink_options options = {.subject = &s};
    struct campaign c = {.seed = 5};
    struct program p;
    uint32_t n = 0;

    (void)state;
    generate_defaults(&c.options);
    program_init(&p);
    for (uint64_t i = 0; n < VIOLATIONS; i++) {
        assert_int_equal(campaign_program(&c, i, &p), 0);
        if (signature_here(&p, &s).verdict != VERDICT_VIOLATION)
            continue;
        assert_int_equal(shrink(&p, &options, &result), 0);
        assert_minimal(&s);
        shrink_free(&result);
        n++;
    }
    program_free(&p);
    program_init(&result.program);
}

static void its_text_is_the_program(void **state)
{
    const struct subject s = stale();
    struct program back;
    char *text, *again;

    (void)state;
    shrink_text(LONG, &s);
    text = brief_text(&result.program);
    must_parse(text, &back);
    again = brief_text(&back);
    assert_string_equal(text, again);
    assert_true(fails_so(text, &s, &result.signature));
    program_free(&back);
    free(text);
    free(again);
}

/* ---- subjects that do not return ---- */

/* Each try of these costs a whole wait. */
#define SHORT MACHINE "attach d0\nconvert ram0[0..2) shared\nquery ram0[0..4)\nreset\n"

static void shrinks_to_attach_and_query(const char *text,
                                        int (*query)(void *, uint32_t, uint64_t, uint64_t),
                                        enum verdict verdict)
{
    const struct subject s = querying(query);

    shrink_text(text, &s);
    assert_int_equal(result.end, SHRINK_MINIMAL);
    assert_int_equal(result.result.verdict, verdict);
    ASSERT_KINDS(OP_ATTACH, OP_QUERY);
    assert_int_equal(machine_n_pages(&result.program.machine), 1);
}

static void a_crash(void **state)
{
    (void)state;
    shrinks_to_attach_and_query(LONG, query_crashes, VERDICT_CRASH);
}

static void a_loop(void **state)
{
    (void)state;
    shrinks_to_attach_and_query(SHORT, query_loops, VERDICT_HANG);
}

static void a_sleep(void **state)
{
    (void)state;
    shrinks_to_attach_and_query(SHORT, query_sleeps, VERDICT_HANG);
}

static void an_exit(void **state)
{
    (void)state;
    shrinks_to_attach_and_query(LONG, query_exits, VERDICT_CRASH);
}

static void an_exit_on_the_way(void **state)
{
    (void)state;
    shrinks_to_attach_and_query(LONG, query_lies_or_exits, VERDICT_VIOLATION);
}

/* ---- what ends it early ---- */

static void interrupted_before_it_starts(void **state)
{
    const struct subject s = stale();

    (void)state;
    interrupt_catch();
    raise(SIGINT);
    shrink_text(LONG, &s);
    interrupt_forget();
    assert_int_equal(result.end, SHRINK_INTERRUPTED);
    assert_true(shrink_has_result(&result));
    assert_int_equal(result.tries, 2);
}

/* The second one does not wait for the try that is under way. */
static void interrupts_keep_the_best(void **state)
{
    const struct subject s = querying(query_lies_and_interrupts);
    const struct subject quiet = querying(query_lies);
    struct signature here;

    (void)state;
    shrink_text(LONG, &s);
    interrupt_forget();
    assert_int_equal(result.end, SHRINK_INTERRUPTED);
    assert_true(shrink_has_result(&result));
    here = signature_here(&result.program, &quiet);
    assert_true(signature_equal(&here, &result.signature));
    assert_int_equal(result.removals, 0);
}

static void the_budget_keeps_the_best(void **state)
{
    const struct subject s = stale();
    const struct shrink_options options = {.subject = &s, .tries = 20};
    struct signature here;

    (void)state;
    shrink_with(LONG, &options);
    assert_int_equal(result.end, SHRINK_BUDGET);
    assert_int_equal(result.tries, 20);
    here = signature_here(&result.program, &s);
    assert_true(signature_equal(&here, &result.signature));
}

static void a_good_program_is_none(void **state)
{
    (void)state;
    shrink_text(LONG, &subject_core);
    assert_int_equal(result.end, SHRINK_NOT_FAILING);
    assert_false(shrink_has_result(&result));
}

static void a_failure_that_comes_and_goes_is_none(void **state)
{
    const struct subject s = querying(query_lies_at_times);

    (void)state;
    shrink_text(MACHINE "query ram0[0]\n", &s);
    assert_int_equal(result.end, SHRINK_UNSTABLE);
    assert_false(shrink_has_result(&result));
}

static int setup(void **state)
{
    (void)state;
    return crash_init() || runner_init(&runner);
}

static int teardown(void **state)
{
    (void)state;
    runner_free(&runner);
    shrink_free(&result);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/shrink/" name, fn, setup, teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("keeping-anything-is-noticed", keeping_anything_is_noticed),
        TEST("a-line-too-many-is-noticed", a_line_too_many_is_noticed),
        TEST("it-fails-the-same-way", it_fails_the_same_way),
        TEST("a-chance-becomes-a-number", a_chance_becomes_a_number),
        TEST("what-is-needed-stays", what_is_needed_stays),
        TEST("the-result-cannot-be-shrunk", the_result_cannot_be_shrunk),
        TEST("any-program", any_program),
        TEST("its-text-is-the-program", its_text_is_the_program),
        TEST("a-crash", a_crash),
        TEST("a-loop", a_loop),
        TEST("a-sleep", a_sleep),
        TEST("an-exit", an_exit),
        TEST("an-exit-on-the-way", an_exit_on_the_way),
        TEST("interrupted-before-it-starts", interrupted_before_it_starts),
        TEST("interrupts-keep-the-best", interrupts_keep_the_best),
        TEST("the-budget-keeps-the-best", the_budget_keeps_the_best),
        TEST("a-good-program-is-none", a_good_program_is_none),
        TEST("a-failure-that-comes-and-goes-is-none", a_failure_that_comes_and_goes_is_none),
    };

    return cmocka_run_group_tests_name("run/shrink", tests, NULL, NULL);
}
