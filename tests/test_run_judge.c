/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner must notice wrong subjects. Each test wraps the real core in a subject that tells
 * one lie or makes one mistake, and runs a program in which it matters.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/text.h"
#include "run/crash.h"
#include "run/runner.h"
#include "run/vocabulary.h"

static const char text[] = "gmemcheck-scenario 1\n"
                           "machine order=attribute-first failure=rollback\n"
                           "region ram0 pages=8 share=memfd guest_memfd=yes\n"
                           "section ram0[0..8) at 16\n"
                           "container c0 listen=all\n"
                           "device d0 in c0\n"
                           "attach d0\n"
                           "convert ram0[1..5) shared\n"
                           "query ram0[1..5)\n"
                           "fault vfio/map ENOSPC nth=2\n"
                           "convert ram0[5..8) shared\n"
                           "convert ram0[2] private\n"
                           "detach d0\n";

static struct runner runner;
static struct run_result result;

static void run_text(const struct subject *subject, const char *s)
{
    struct program p;
    struct text_error error;

    program_init(&p);
    assert_int_equal(text_parse(s, strlen(s), &run_vocabulary, &p, &error), 0);
    runner_run(&runner, &p, subject, NULL, &result);
    program_free(&p);
}

static void run_with(const struct subject *subject)
{
    run_text(subject, text);
}

static void assert_violation(const char *rule)
{
    if (result.verdict != VERDICT_VIOLATION || strncmp(result.rule, rule, strlen(rule)) != 0)
        fail_msg("expected %s, got %s %s: %s", rule, verdict_name(result.verdict), result.rule,
                 result.detail);
}

/* ---- deliberate errors ---- */
static int run_vcpu_lies(void *state, uint32_t vcpu)
{
    subject_core.run_vcpu(state, vcpu);
    return 0; /* "it went well", whatever came */
}

static void swallowed_error_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.run_vcpu = run_vcpu_lies;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.op, 4);
}

static void the_core_passes(void **state)
{
    (void)state;
    run_with(&subject_core);
    if (result.verdict != VERDICT_OK)
        fail_msg("%s: %s at op %u", result.rule, result.detail, result.op);
    assert_int_equal(result.ops, 7);
    assert_true(result.host_calls > 30);
    assert_int_equal(result.faults, 1);
}

/* A page of plain RAM has two addresses, its neighbour has one; a page before them is private.
 */
static void memory_at_two_addresses_passes(void **state)
{
    (void)state;
    run_text(&subject_core, "gmemcheck-scenario 1\n"
                            "machine\n"
                            "region ram0 pages=2\n"
                            "region ram1 pages=2 guest_memfd=no\n"
                            "section ram0[0..2) at 8\n"
                            "section ram1[1] at 0\n"
                            "section ram1[0..2) at 1\n"
                            "container c0\n"
                            "device d0 in c0\n"
                            "attach d0\n"
                            "write gpa[0] value=7\n"
                            "dma-read d0 gpa[2]\n"
                            "expect data=7 entries c0=2\n"
                            "convert ram0[0] shared\n"
                            "remove ram1\n"
                            "expect entries c0=1\n"
                            "add ram1\n");
    if (result.verdict != VERDICT_OK)
        fail_msg("%s: %s at op %u", result.rule, result.detail, result.op);
}

static int run_vcpu_fails(void *state, uint32_t vcpu)
{
    int error = subject_core.run_vcpu(state, vcpu);

    return error ? error : -EIO;
}

static void invented_error_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.run_vcpu = run_vcpu_fails;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.op, 1);
}

static void bits_lie(const void *state, uint32_t region, uint64_t first, uint64_t n,
                     uint64_t *bits)
{
    subject_core.populated_bits(state, region, first, n, bits);
    bits[0] |= 1; /* page 0 is said to be shared */
}

static void wrong_tracker_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.populated_bits = bits_lie;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
}

static int populated_lies(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    return !subject_core.is_populated(state, region, offset, size);
}

static void wrong_answer_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.is_populated = populated_lies;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.op, 2);
}

static int detach_does_nothing(void *state, uint32_t device)
{
    (void)state, (void)device;
    return 0;
}

static void undone_detach_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.detach = detach_does_nothing;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.op, 6);
}

static int destroy_does_nothing(void *state)
{
    (void)state;
    return 0;
}

static void leak_is_caught(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.destroy = destroy_does_nothing;
    run_with(&s);
    assert_violation("I8");
}

static int attach_crashes(void *state, uint32_t container, uint32_t device)
{
    (void)state, (void)container, (void)device;
    raise(SIGSEGV);
    return 0;
}

static void crash_is_a_verdict(void **state)
{
    struct subject s = subject_core;

    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* the sanitizer ends the process; the pool's test covers that */
#endif
    assert_int_equal(crash_init(), 0); /* cmocka set its own handlers for this test */
    s.attach = attach_crashes;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_CRASH);
    assert_int_equal(result.op, 0);
    run_with(&subject_core);
    assert_int_equal(result.verdict, VERDICT_OK);
}

static struct host saved_host;

static int build_keeps_host(const struct host *host, const struct sync *sync,
                            const struct machine *m, void **state)
{
    saved_host = *host;
    return subject_core.build(host, sync, m, state);
}

static int attach_loops(void *state, uint32_t container, uint32_t device)
{
    (void)state, (void)container, (void)device;
    for (;;)
        host_close(&saved_host, -1);
    return 0;
}

static void endless_calls_are_a_hang(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.build = build_keeps_host;
    s.attach = attach_loops;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_HANG);
    assert_int_equal(result.op, 0);
}

/* As many host calls as the largest machine may need are no hang. */
static void a_large_conversion_is_no_hang(void **state)
{
    static const char large[] = "gmemcheck-scenario 1\nmachine\n"
                                "region ram0 pages=262144 share=memfd\n"
                                "section ram0[0..262144) at 0\n"
                                "container c0 entries=262144\ndevice d0 in c0\nattach d0\n"
                                "convert ram0[0..262144) shared\n  expect result=0\n";
    struct program p;
    struct text_error error;

    (void)state;
    program_init(&p);
    assert_int_equal(text_parse(large, sizeof(large) - 1, &run_vocabulary, &p, &error), 0);
    runner_run(&runner, &p, &subject_core, NULL, &result);
    program_free(&p);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_true(result.host_calls > 262144);
}

static int attach_computes(void *state, uint32_t container, uint32_t device)
{
    (void)state, (void)container, (void)device;
    for (volatile unsigned i = 0;; i++)
        ;
    return 0;
}

static void an_endless_loop_is_a_hang(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.attach = attach_computes;
    assert_int_equal(crash_cpu_bound(20), 0);
    run_with(&s);
    assert_int_equal(crash_cpu_bound(0), 0);
    assert_int_equal(result.verdict, VERDICT_HANG);
    assert_int_equal(result.op, 0);
    assert_non_null(strstr(result.detail, "0.020 seconds of CPU"));
    run_with(&subject_core);
    assert_int_equal(result.verdict, VERDICT_OK);
}

static int destroy_asks_first(void *state)
{
    uint64_t soft;

    host_getrlimit(&saved_host, 0, &soft);
    return subject_core.destroy(state);
}

/* One host call more, with no effect on anything: only the hash of the calls can tell. */
static void a_call_more_is_another_hash(void **state)
{
    struct subject s = subject_core;
    uint64_t first;

    (void)state;
    run_with(&subject_core);
    first = result.hash;
    s.build = build_keeps_host;
    s.destroy = destroy_asks_first;
    run_with(&s);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_not_equal(result.hash, first);
}

static void same_program_same_hash(void **state)
{
    uint64_t first;

    (void)state;
    run_with(&subject_core);
    first = result.hash;
    run_with(&subject_core);
    assert_int_equal(result.hash, first);
    assert_int_not_equal(first, 0);
}

static int group_setup(void **state)
{
    (void)state;
    return crash_init() || runner_init(&runner);
}

static int group_teardown(void **state)
{
    (void)state;
    runner_free(&runner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"run/judge/swallowed-error-is-caught", swallowed_error_is_caught, NULL, NULL, NULL},
        {"run/judge/the-core-passes", the_core_passes, NULL, NULL, NULL},
        {"run/judge/memory-at-two-addresses-passes", memory_at_two_addresses_passes, NULL, NULL,
         NULL},
        {"run/judge/invented-error-is-caught", invented_error_is_caught, NULL, NULL, NULL},
        {"run/judge/wrong-tracker-is-caught", wrong_tracker_is_caught, NULL, NULL, NULL},
        {"run/judge/wrong-answer-is-caught", wrong_answer_is_caught, NULL, NULL, NULL},
        {"run/judge/undone-detach-is-caught", undone_detach_is_caught, NULL, NULL, NULL},
        {"run/judge/leak-is-caught", leak_is_caught, NULL, NULL, NULL},
        {"run/judge/crash-is-a-verdict", crash_is_a_verdict, NULL, NULL, NULL},
        {"run/judge/endless-calls-are-a-hang", endless_calls_are_a_hang, NULL, NULL, NULL},
        {"run/judge/a-large-conversion-is-no-hang", a_large_conversion_is_no_hang, NULL, NULL,
         NULL},
        {"run/judge/an-endless-loop-is-a-hang", an_endless_loop_is_a_hang, NULL, NULL, NULL},
        {"run/judge/a-call-more-is-another-hash", a_call_more_is_another_hash, NULL, NULL,
         NULL},
        {"run/judge/same-program-same-hash", same_program_same_hash, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("run/judge", tests, group_setup, group_teardown);
}
