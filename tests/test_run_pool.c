/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers, findings and sums, with subjects whose process ends in every way. */
#include "tests/run_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/interrupt.h"
#include "run/pool.h"

enum { ITEMS = 60 };

/* Each item attaches and converts; the value of its write is its number + 1, so that a subject
 * can be told by op kind alone, and hashes differ. */
static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    char text[400];
    struct text_error error;

    (void)ctx, (void)result;
    snprintf(text, sizeof(text),
             MACHINE "attach d0\nconvert ram0[1..5) shared\nwrite ram0[2] value=%u\n",
             (unsigned)item + 1);
    return text_parse(text, strlen(text), &run_vocabulary, p, &error);
}

static struct pool_source source = {.n_items = ITEMS, .load = load};
static struct pool_totals totals;
static struct run_result *results;
static char once[64]; /* made by the first who gets there */
static _Thread_local uint64_t loaded;

static void run(const struct subject *subject, uint32_t jobs)
{
    const struct pool_options options = {
        .jobs = jobs, .subject = subject, .cpu_ms = 40, .idle_ms = 100};

    assert_int_equal(pool_run(&source, &options, results, &totals), 0);
}

/* ---- subjects ---- */
static int (*at_attach)(void); /* what to do in the chosen items */
static bool (*chosen)(uint64_t item);

static int load_noting(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    loaded = item;
    return load(ctx, item, p, result);
}

static int attach(void *state, uint32_t container, uint32_t device)
{
    int error = chosen(loaded) ? at_attach() : 0;

    return error ? error : subject_core.attach(state, container, device);
}

static void run_choosing(bool (*items)(uint64_t item), int (*what)(void), uint32_t jobs)
{
    struct subject s = subject_core;

    s.attach = attach;
    chosen = items;
    at_attach = what;
    source.load = load_noting;
    run(&s, jobs);
}

static bool item_7(uint64_t item)
{
    return item == 7;
}

static bool items_7_and_up(uint64_t item)
{
    return item >= 7;
}

static bool all_items(uint64_t item)
{
    (void)item;
    return true;
}

static int fail_for_no_reason(void)
{
    return -EIO;
}

static int fail_every_other_time(void)
{
    static bool again;

    again = !again;
    return again ? 0 : -EIO;
}

static int leave(void)
{
    _exit(5);
}

static int die(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    sigaction(SIGSEGV, &plain, NULL);
    raise(SIGSEGV);
    return 0;
}

static int kill_itself(void)
{
    raise(SIGKILL);
    return 0;
}

static int kill_itself_once(void)
{
    int fd = open(once, O_CREAT | O_EXCL | O_WRONLY, 0600);

    if (fd >= 0)
        raise(SIGKILL);
    return 0;
}

static int loop(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
    return 0;
}

static int sleep_for_ever(void)
{
    for (;;)
        pause();
    return 0;
}

static int interrupt_parent(void)
{
    kill(getppid(), SIGINT);
    return 0;
}

static void assert_only_finding(uint64_t item, enum verdict verdict, const char *rule)
{
    assert_int_equal(totals.n_findings, 1);
    assert_int_equal(totals.findings[0].item, item);
    assert_int_equal(totals.findings[0].result.verdict, verdict);
    assert_string_equal(totals.findings[0].result.rule, rule);
    assert_int_equal(results[item].verdict, verdict);
    assert_int_equal(totals.programs, ITEMS);
    for (uint64_t i = 0; i < ITEMS; i++)
        if (i != item)
            assert_int_equal(results[i].verdict, VERDICT_OK);
}

/* ---- deliberate error ---- */
static void a_wrong_item_is_found(void **state)
{
    (void)state;
    run_choosing(item_7, fail_for_no_reason, 1);
    assert_int_equal(totals.n_findings, 1);
    assert_int_equal(totals.findings[0].item, 7);
    assert_int_equal(totals.n_verdicts[VERDICT_VIOLATION], 1);
    assert_int_equal(pool_exit_code(&totals), 1);
}

static void good_items_have_no_finding(void **state)
{
    (void)state;
    run(&subject_core, 2);
    assert_int_equal(totals.n_findings, 0);
    assert_int_equal(totals.programs, ITEMS);
    assert_int_equal(totals.ops, 3 * ITEMS);
    assert_int_equal(pool_exit_code(&totals), 0);
}

static void sums_do_not_depend_on_jobs(void **state)
{
    struct pool_totals first;

    (void)state;
    run(&subject_core, 1);
    first = totals;
    assert_int_not_equal(first.hash, 0);
    for (uint32_t jobs = 2; jobs <= 3; jobs++) {
        run(&subject_core, jobs);
        assert_int_equal(totals.hash, first.hash);
        assert_int_equal(totals.host_calls, first.host_calls);
        assert_int_equal(totals.pages_changed, first.pages_changed);
    }
}

static void the_hash_depends_on_each_item(void **state)
{
    uint64_t whole;

    (void)state;
    run(&subject_core, 1);
    whole = totals.hash;
    source.n_items = ITEMS - 1;
    run(&subject_core, 1);
    assert_int_not_equal(totals.hash, whole);
}

static void more_jobs_than_items(void **state)
{
    (void)state;
    source.n_items = 2;
    run(&subject_core, 8);
    assert_int_equal(totals.programs, 2);
    assert_int_equal(totals.n_findings, 0);
}

/* The second run of a program must be the first one again; without a second run nobody knows.
 */
static void a_program_that_differs_is_found(void **state)
{
    struct subject s = subject_core;
    struct pool_options options = {.jobs = 2, .subject = &s};

    (void)state;
    s.attach = attach;
    chosen = item_7;
    at_attach = fail_every_other_time;
    source.load = load_noting;
    assert_int_equal(pool_run(&source, &options, results, &totals), 0);
    assert_int_equal(totals.n_findings, 0);
    options.recheck_percent = 100;
    assert_int_equal(pool_run(&source, &options, results, &totals), 0);
    assert_int_equal(totals.n_findings, 1);
    assert_int_equal(totals.findings[0].item, 7);
    assert_int_equal(totals.findings[0].result.verdict, VERDICT_NONDETERMINISM);
    assert_int_equal(pool_exit_code(&totals), 3);
}

static void an_exit_is_a_crash(void **state)
{
    (void)state;
    run_choosing(item_7, leave, 2);
    assert_only_finding(7, VERDICT_CRASH, "crash");
    assert_non_null(strstr(results[7].detail, "exit code 5"));
    assert_int_equal(totals.findings[0].result.op, RUN_OP_UNKNOWN);
    assert_int_equal(pool_exit_code(&totals), 1);
}

static void a_death_by_signal_is_a_crash(void **state)
{
    (void)state;
    run_choosing(item_7, die, 3);
    assert_only_finding(7, VERDICT_CRASH, "crash");
    assert_non_null(strstr(results[7].detail, "signal 11"));
}

static void a_loop_is_a_hang(void **state)
{
    (void)state;
    run_choosing(item_7, loop, 2);
    assert_only_finding(7, VERDICT_HANG, "hang");
    assert_non_null(strstr(results[7].detail, "0.040 seconds of CPU"));
    assert_int_equal(results[7].op, 0);
}

static void a_sleep_is_a_hang(void **state)
{
    (void)state;
    run_choosing(item_7, sleep_for_ever, 2);
    assert_only_finding(7, VERDICT_HANG, "hang");
    assert_int_equal(totals.workers_restarted, 0);
    assert_int_equal(pool_exit_code(&totals), 1);
}

static void killed_once_counts_once(void **state)
{
    struct pool_totals quiet;

    (void)state;
    run(&subject_core, 2);
    quiet = totals;
    run_choosing(item_7, kill_itself_once, 2);
    assert_int_equal(totals.workers_restarted, 1);
    assert_int_equal(totals.n_findings, 0);
    assert_int_equal(totals.programs, quiet.programs);
    assert_int_equal(totals.host_calls, quiet.host_calls);
    assert_int_equal(totals.hash, quiet.hash);
    assert_int_equal(pool_exit_code(&totals), 0);
}

static void killed_always_is_given_up(void **state)
{
    (void)state;
    run_choosing(item_7, kill_itself, 2);
    assert_only_finding(7, VERDICT_HARNESS, "worker-killed");
    assert_int_equal(totals.workers_restarted, 4);
    assert_int_equal(pool_exit_code(&totals), 3);
}

/* A campaign whose every worker is killed ends; it does not try each program four times. */
static void killed_everywhere_ends(void **state)
{
    (void)state;
    source.stop_at_first = true;
    source.n_items = UINT64_MAX;
    pool_results_free(results, ITEMS);
    results = NULL;
    run_choosing(all_items, kill_itself, 1);
    assert_int_equal(totals.n_findings, 1);
    assert_int_equal(pool_exit_code(&totals), 3);
}

static void the_first_finding_is_the_lowest(void **state)
{
    int (*const ways[])(void) = {fail_for_no_reason, leave, die};

    (void)state;
    source.stop_at_first = true;
    for (uint32_t jobs = 1; jobs <= 3; jobs++)
        for (uint32_t i = 0; i < 3; i++) {
            run_choosing(items_7_and_up, ways[i], jobs);
            assert_true(totals.n_findings >= 1);
            assert_int_equal(totals.findings[0].item, 7);
            for (uint64_t item = 0; item < 7; item++)
                assert_int_equal(results[item].verdict, VERDICT_OK);
        }
}

static void all_findings_count_the_first_are_kept(void **state)
{
    (void)state;
    run_choosing(items_7_and_up, fail_for_no_reason, 3);
    assert_int_equal(totals.n_findings, ITEMS - 7);
    for (uint32_t i = 0; i < POOL_FINDINGS_MAX; i++)
        assert_int_equal(totals.findings[i].item, 7 + i);
}

/* Thirty bad inputs, then a violation. */
static int load_bad(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    loaded = item;
    if (item >= 30)
        return load(ctx, item, p, result);
    result->verdict = VERDICT_INPUT;
    return -EINVAL;
}

static bool item_59(uint64_t item)
{
    return item == 59;
}

static void the_worst_verdict_counts_however_late(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.attach = attach;
    chosen = item_59;
    at_attach = fail_for_no_reason;
    source.load = load_bad;
    run(&s, 2);
    assert_int_equal(totals.n_verdicts[VERDICT_INPUT], 30);
    assert_int_equal(totals.n_findings, 31);
    assert_int_equal(pool_exit_code(&totals), 1);
}

static void an_interrupt_ends_it_and_is_told(void **state)
{
    (void)state;
    source.n_items = UINT64_MAX;
    pool_results_free(results, ITEMS);
    results = NULL;
    run_choosing(item_7, interrupt_parent, 2);
    assert_true(totals.interrupted);
    assert_true(totals.programs >= 4); /* 1, 3, 5, 7 */
    assert_int_equal(totals.n_findings, 0);
    assert_int_equal(pool_exit_code(&totals), 130);
}

static void what_was_not_run_is_not_ok(void **state)
{
    (void)state;
    source.stop_at_first = true;
    run_choosing(item_7, fail_for_no_reason, 1);
    assert_int_equal(results[6].verdict, VERDICT_OK);
    assert_int_equal(results[7].verdict, VERDICT_VIOLATION);
    assert_int_equal(results[8].verdict, VERDICT_NOT_RUN);
    assert_int_equal(results[ITEMS - 1].verdict, VERDICT_NOT_RUN);
}

static void no_worker_is_left(void **state)
{
    (void)state;
    run_choosing(item_7, die, 3);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int setup(void **state)
{
    (void)state;
    interrupt_forget();
    source = (struct pool_source){.n_items = ITEMS, .load = load};
    snprintf(once, sizeof(once), "/tmp/test-run-pool-%d", (int)getpid());
    unlink(once);
    results = pool_results_alloc(ITEMS);
    return results ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(once);
    pool_results_free(results, ITEMS);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/pool/" name, fn, setup, teardown, NULL                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-wrong-item-is-found", a_wrong_item_is_found),
        TEST("good-items-have-no-finding", good_items_have_no_finding),
        TEST("sums-do-not-depend-on-jobs", sums_do_not_depend_on_jobs),
        TEST("the-hash-depends-on-each-item", the_hash_depends_on_each_item),
        TEST("more-jobs-than-items", more_jobs_than_items),
        TEST("a-program-that-differs-is-found", a_program_that_differs_is_found),
        TEST("an-exit-is-a-crash", an_exit_is_a_crash),
        TEST("a-death-by-signal-is-a-crash", a_death_by_signal_is_a_crash),
        TEST("a-loop-is-a-hang", a_loop_is_a_hang),
        TEST("a-sleep-is-a-hang", a_sleep_is_a_hang),
        TEST("killed-once-counts-once", killed_once_counts_once),
        TEST("killed-always-is-given-up", killed_always_is_given_up),
        TEST("killed-everywhere-ends", killed_everywhere_ends),
        TEST("the-first-finding-is-the-lowest", the_first_finding_is_the_lowest),
        TEST("all-findings-count-the-first-are-kept", all_findings_count_the_first_are_kept),
        TEST("the-worst-verdict-counts-however-late", the_worst_verdict_counts_however_late),
        TEST("an-interrupt-ends-it-and-is-told", an_interrupt_ends_it_and_is_told),
        TEST("what-was-not-run-is-not-ok", what_was_not_run_is_not_ok),
        TEST("no-worker-is-left", no_worker_is_left),
    };

    return cmocka_run_group_tests_name("run/pool", tests, NULL, NULL);
}
