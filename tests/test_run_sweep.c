/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sweeps: what they find in cores that are wrong, how many runs they are, what they leave out;
 * and that ours survives them, on every scenario's own machine and on those that take other
 * paths through an undo.
 */
#include "tests/sweep_fixture.h"

#include "run/crash.h"

#define CONVERTS                                                                               \
    MACHINE "attach d0\n"                                                                      \
            "convert ram0[0..3) shared\n"                                                      \
            "convert ram0[0..3) private\n"

/* One page, nobody who maps it. */
#define TINY                                                                                   \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine order=attribute-first\n"                                                          \
    "region ram0 pages=1 share=memfd\n"                                                        \
    "section ram0[0] at 16\n"

static const struct sweep_counts *counts(void)
{
    assert_int_equal(sweep.programs[0].counts.not_fired, 0);
    return &sweep.programs[0].counts;
}

/* ---- the saved program ---- */

/* What a finding is saved as: printed, parsed, run as replay does. */
static void replays_the_same(const struct sweep_finding *f, const struct subject *subject)
{
    struct run_result said, again;
    struct program p, parsed;
    struct runner runner;
    FILE *file = tmpfile();
    char *text;

    program_init(&p);
    assert_non_null(file);
    assert_int_equal(sweep_reproducer(&sweep, f, &p, &said), 0);
    assert_int_equal(text_print(file, &p, &run_vocabulary, NULL), 0);
    text = all_of(file);
    must_parse(text, &parsed);
    assert_int_equal(runner_init(&runner), 0);
    runner_run(&runner, &parsed, subject, NULL, &again);
    assert_int_equal(again.verdict, said.verdict);
    assert_string_equal(again.rule, said.rule);
    assert_string_equal(again.detail, said.detail);
    assert_int_equal(again.op, said.op);
    assert_int_equal(again.page, said.page);
    runner_free(&runner);
    program_free(&parsed);
    program_free(&p);
    free(text);
    fclose(file);
}

static const struct sweep_finding *only_finding(enum verdict verdict, uint32_t n_faults)
{
    const struct sweep_finding *f = &sweep.findings[0];

    assert_int_equal(sweep.n_findings, 1);
    assert_int_equal(f->result.verdict, verdict);
    assert_int_equal(f->n_faults, n_faults);
    return f;
}

static void a_swallowed_error_is_found(void **state)
{
    const struct subject wrong = swallows_attach();
    const struct sweep_options how = depth(1, &wrong);

    (void)state;
    sweep_text(CONVERTS, &how);
    assert_int_equal(only_finding(VERDICT_VIOLATION, 1)->faults[0].op, 0);
    assert_int_equal(pool_exit_code(&sweep.totals), 1);
    replays_the_same(&sweep.findings[0], &wrong);
}

static void a_deaf_undo_takes_two_faults(void **state)
{
    const struct subject wrong = deaf_in_undo();
    struct sweep_options how = depth(1, &wrong);
    const struct sweep_finding *f;

    (void)state;
    sweep_text(CONVERTS, &how);
    assert_int_equal(sweep.n_findings, 0);
    assert_int_equal(pool_exit_code(&sweep.totals), 0);
    how.depth = 2;
    sweep_text(CONVERTS, &how);
    f = only_finding(VERDICT_VIOLATION, 2);
    assert_int_equal(f->faults[0].op, f->faults[1].op);
    replays_the_same(f, &wrong);
}

/* A retry of what failed is the first thing that is not heard of. */
static void or_one_that_is_there_to_stay(void **state)
{
    const struct subject wrong = deaf_in_undo();
    struct sweep_options how = depth(1, &wrong);
    const struct sweep_finding *f;

    (void)state;
    how.choice.sticky = true;
    sweep_text(CONVERTS, &how);
    f = only_finding(VERDICT_VIOLATION, 1);
    assert_int_equal(f->faults[0].fault.when, FAULT_STICKY);
    replays_the_same(f, &wrong);
}

/* What the last worker left behind says which faults they were, whichever way it ended. */
static void crash_exit_and_hang_are_findings(void **state)
{
    struct subject wrong = deaf_in_undo();
    const struct sweep_options how = depth(1, &wrong);

    (void)state;
    wrong.run_vcpu = crash_if;
    sweep_text(CONVERTS, &how);
    assert_int_equal(only_finding(VERDICT_CRASH, 1)->faults[0].op, 1);
    wrong.run_vcpu = exit_if;
    sweep_text(CONVERTS, &how);
    assert_int_equal(only_finding(VERDICT_CRASH, 1)->faults[0].op, 1);
    wrong.run_vcpu = hang_if;
    sweep_text(CONVERTS, &how);
    assert_int_equal(only_finding(VERDICT_HANG, 1)->faults[0].op, 1);
}

static int attach_crashes(void *state, uint32_t container, uint32_t device)
{
    (void)state, (void)container, (void)device;
    return raise(SIGABRT);
}

static void the_clean_run_is_judged_as_well(void **state)
{
    struct subject wrong = subject_core;
    const struct sweep_options how = depth(1, &wrong);

    (void)state;
    wrong.attach = attach_crashes;
    sweep_text(CONVERTS, &how);
    (void)only_finding(VERDICT_CRASH, 0);
}

/* ---- how many there are ---- */

/* The calls: kvm/run (EINTR, ENOMEM), kvm/set_attributes (ENOMEM, EFAULT, late EFAULT),
 * memfd/punch (EINTR, EIO, late EINTR). */
static void one_fault_a_run(void **state)
{
    const struct sweep_options how = depth(1, &subject_core);

    (void)state;
    sweep_text(TINY "convert ram0[0] shared\nsweep from here\nconvert ram0[0] private\n", &how);
    assert_int_equal(counts()->before_mark, 3);
    assert_int_equal(counts()->hits, 3);
    assert_int_equal(counts()->faults, 2 + 3 + 3);
    assert_int_equal(counts()->runs[0], 1);
    assert_int_equal(counts()->runs[1], 8);
    assert_int_equal(counts()->runs[2], 0);
    assert_int_equal(sweep_runs(&sweep), 9);
}

/* After the first fault: of kvm/run, EINTR, all three calls (8); ENOMEM, none. Of
 * kvm/set_attributes, ENOMEM, none; EFAULT, the one that undoes it, which may lack memory where
 * nothing was done (3), and cannot where it was (2). Of memfd/punch, EINTR, early or late, the
 * same again (3 each); EIO, none. */
static void every_pair_is_a_run(void **state)
{
    const struct sweep_options how = depth(2, &subject_core);

    (void)state;
    sweep_text(TINY "convert ram0[0] shared\nsweep from here\nconvert ram0[0] private\n", &how);
    assert_int_equal(counts()->runs[1], 8);
    assert_int_equal(counts()->runs[2], 8 + 0 + 0 + 3 + 2 + 3 + 3 + 0);
}

/* The second fault in a later op, which has eight of them: all of those that the first one left
 * possible, once more for each of the first op's own eight. */
static void the_second_fault_may_be_in_a_later_op(void **state)
{
    const struct sweep_options how = depth(2, &subject_core);

    (void)state;
    sweep_text(TINY "convert ram0[0] shared\nconvert ram0[0] private\n", &how);
    assert_int_equal(counts()->before_mark, 0);
    assert_true(counts()->runs[2] > 19 + 3 * 8);
}

static void late_ones_only(void **state)
{
    struct sweep_options how = depth(1, &subject_core);

    (void)state;
    how.choice.early = false;
    sweep_text(TINY "convert ram0[0] shared\nsweep from here\nconvert ram0[0] private\n", &how);
    assert_int_equal(counts()->hits, 2);
    assert_int_equal(counts()->runs[1], 2);
}

/* The scenario's own fault stays: kvm/set_attributes fails by itself, and is left alone; the
 * call that undoes it is not. */
static void its_own_faults_stay(void **state)
{
    const struct sweep_options how = depth(1, &subject_core);

    (void)state;
    sweep_text(TINY "fault kvm/set_attributes EFAULT late\nconvert ram0[0] shared\n", &how);
    assert_int_equal(counts()->hits, 2);
    assert_int_equal(counts()->runs[1], 2 + 3);
}

static void a_mark_at_the_end_leaves_nothing(void **state)
{
    const struct sweep_options how = depth(2, &subject_core);

    (void)state;
    sweep_text(TINY "convert ram0[0] shared\nsweep from here\n", &how);
    assert_int_equal(counts()->before_mark, 3);
    assert_int_equal(counts()->hits, 0);
    assert_int_equal(sweep_runs(&sweep), 1);
}

/* A program with more faults than asked for is not swept in pairs, and that is said. */
static void long_ones_are_left_out(void **state)
{
    struct sweep_options how = depth(2, &subject_core);

    (void)state;
    how.short_one = 7;
    sweep_text(TINY "convert ram0[0] shared\n", &how);
    assert_int_equal(counts()->faults, 7);
    assert_true(counts()->runs[2] > 0 && !sweep.programs[0].too_long);
    how.short_one = 6;
    sweep_text(TINY "convert ram0[0] shared\n", &how);
    assert_true(counts()->runs[2] == 0 && sweep.programs[0].too_long);
}

static void triples_are_a_sample(void **state)
{
    struct sweep_options how = depth(3, &subject_core);
    uint64_t hash;

    (void)state;
    sweep_text(CONVERTS, &how);
    assert_true(counts()->runs[3] > 0 && counts()->runs[3] <= 3 * 10);
    assert_true(counts()->sampled_away > 0);
    hash = sweep.totals.hash;
    sweep_text(CONVERTS, &how);
    assert_int_equal(sweep.totals.hash, hash);
    how.seed = 2;
    sweep_text(CONVERTS, &how);
    assert_int_not_equal(sweep.totals.hash, hash);
}

/* ---- many programs ---- */

static void add_text(const char *name, const char *text)
{
    struct program p;

    must_parse(text, &p);
    assert_int_equal(sweep_add(&sweep, name, &p, NULL), 0);
    program_free(&p);
}

/* The same from one worker and two: all counts, the finding, the hash. */
static void as_many_jobs_as_you_like(const struct subject *subject, bool keep_going)
{
    struct sweep_counts one[3];
    uint64_t hash = 0;
    uint32_t n_findings = 0;

    for (uint32_t jobs = 1; jobs <= 2; jobs++) {
        struct sweep_options how = depth(2, subject);

        how.jobs = jobs;
        how.keep_going = keep_going;
        sweep_free(&sweep);
        sweep_init(&sweep, &how);
        add_text("a.scn", TINY "convert ram0[0] shared\n");
        add_text("b.scn", CONVERTS);
        add_text("c.scn", CONVERTS "convert ram0[1] shared\n");
        assert_int_equal(sweep_run(&sweep), 0);
        for (uint32_t i = 0; i < 3; i++)
            if (jobs == 1)
                one[i] = sweep.programs[i].counts;
            else
                assert_memory_equal(&one[i], &sweep.programs[i].counts, sizeof(one[i]));
        if (jobs == 2) {
            assert_int_equal(sweep.totals.hash, hash);
            assert_int_equal(sweep.n_findings, n_findings);
        }
        hash = sweep.totals.hash;
        n_findings = sweep.n_findings;
    }
}

static void jobs_change_nothing(void **state)
{
    const struct subject wrong = deaf_in_undo();

    (void)state;
    as_many_jobs_as_you_like(&subject_core, false);
    assert_int_equal(sweep.n_findings, 0);
    as_many_jobs_as_you_like(&wrong, false);
    assert_int_equal(sweep.n_findings, 1);
    assert_int_equal(sweep.findings[0].program, 1);
    as_many_jobs_as_you_like(&wrong, true);
    assert_true(sweep.n_findings > 2);
    assert_int_equal(sweep.findings[sweep.n_findings - 1].program, 2);
}

static void a_bad_file_does_not_stop_the_others(void **state)
{
    const struct text_error problem = {.line = 3, .why = "what it is"};
    const struct sweep_options how = depth(1, &subject_core);
    FILE *out = tmpfile();
    char *text;

    (void)state;
    sweep_free(&sweep);
    sweep_init(&sweep, &how);
    assert_int_equal(sweep_add(&sweep, "bad.scn", NULL, &problem), 0);
    add_text("good.scn", TINY "convert ram0[0] shared\n");
    assert_int_equal(sweep_run(&sweep), 0);
    assert_int_equal(pool_exit_code(&sweep.totals), 2);
    assert_non_null(out);
    sweep_report_programs(out, &sweep);
    assert_int_equal(sweep_report_summary(out, &sweep, false), 0);
    text = all_of(out);
    assert_non_null(strstr(text, "bad-input bad.scn\n"));
    assert_non_null(strstr(text, "ok        good.scn  hits=3 faults=7 runs=7\n"));
    assert_non_null(strstr(text, "gmemcheck: bad-input scenarios=2 depth=1 hits=3 faults=7 "
                                 "runs=8 "));
    free(text);
    fclose(out);
}

static int setup(void **state)
{
    const struct sweep_options how = depth(1, &subject_core);

    (void)state;
    sweep_init(&sweep, &how);
    return crash_init();
}

static int teardown(void **state)
{
    (void)state;
    sweep_free(&sweep);
    return 0;
}

#define TEST(name, function)                                                                   \
    {                                                                                          \
        "run/sweep/" name, function, NULL, NULL, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-swallowed-error-is-found", a_swallowed_error_is_found),
        TEST("a-deaf-undo-takes-two-faults", a_deaf_undo_takes_two_faults),
        TEST("or-one-that-is-there-to-stay", or_one_that_is_there_to_stay),
        TEST("crash-exit-and-hang-are-findings", crash_exit_and_hang_are_findings),
        TEST("the-clean-run-is-judged-as-well", the_clean_run_is_judged_as_well),
        TEST("one-fault-a-run", one_fault_a_run),
        TEST("every-pair-is-a-run", every_pair_is_a_run),
        TEST("the-second-fault-may-be-in-a-later-op", the_second_fault_may_be_in_a_later_op),
        TEST("late-ones-only", late_ones_only),
        TEST("its-own-faults-stay", its_own_faults_stay),
        TEST("a-mark-at-the-end-leaves-nothing", a_mark_at_the_end_leaves_nothing),
        TEST("long-ones-are-left-out", long_ones_are_left_out),
        TEST("triples-are-a-sample", triples_are_a_sample),
        TEST("jobs-change-nothing", jobs_change_nothing),
        TEST("a-bad-file-does-not-stop-the-others", a_bad_file_does_not_stop_the_others),
    };

    return cmocka_run_group_tests_name("run/sweep", tests, setup, teardown);
}
