/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of lanes over the real core, and over subjects that are wrong only when two ops are
 * in flight. Each text is a program whose last `n` ops are one batch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "program/text.h"
#include "run/crash.h"
#include "run/lanes.h"
#include "run/vocabulary.h"

#define MACHINE                                                                                \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine order=attribute-first failure=rollback vcpus=2\n"                                 \
    "region ram0 pages=8 share=memfd guest_memfd=yes\n"                                        \
    "section ram0[0..8) at 16\n"                                                               \
    "container c0 listen=all\n"                                                                \
    "device d0 in c0\n"

enum { SEEDS = 60, VCPU0 = 1, VCPU1 = 2, MAIN = 9 };

struct batch {
    uint32_t n;
    uint8_t lane_of[LANES_OPS_MAX];
};

static struct runner runner;
static struct run_result result;

static void steps(struct runner *r, void *ctx)
{
    const struct batch *b = ctx;
    uint32_t first = r->program->n_ops - b->n;

    if (!runner_build(r))
        return;
    for (uint32_t i = 0; i < first && !r->broken; i++)
        runner_op(r, i);
    if (!r->broken)
        lanes_batch(r, first, b->n, b->lane_of);
    if (!r->broken)
        runner_end(r);
}

static void run_batch(const struct subject *subject, const char *text, const struct batch *b,
                      uint64_t seed)
{
    struct program p;
    struct text_error error;

    program_init(&p);
    assert_int_equal(text_parse(text, strlen(text), &run_vocabulary, &p, &error), 0);
    assert_int_equal(lanes_enable(&runner, seed % 2 ? STRATEGY_PCT : STRATEGY_RANDOM,
                                  1 + seed / 2 % 4, seed),
                     0);
    runner_steps(&runner, &p, subject, NULL, &result, steps, (void *)b);
    program_free(&p);
}

/* Some seed of these must find it. */
static void assert_found(const struct subject *subject, const char *text, const struct batch *b,
                         const char *rule)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run_batch(subject, text, b, seed);
        if (result.verdict == VERDICT_OK)
            continue;
        if (strcmp(result.rule, rule) != 0)
            fail_msg("expected %s, got %s: %s", rule, result.rule, result.detail);
        return;
    }
    fail_msg("%s was not found", rule);
}

static void assert_right(const char *text, const struct batch *b)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        run_batch(&subject_core, text, b, seed);
        if (result.verdict != VERDICT_OK)
            fail_msg("seed %u: %s: %s", (unsigned)seed, result.rule, result.detail);
    }
}

static const char two_converts[] = MACHINE "attach d0\n"
                                           "convert ram0[0..4) shared via=vmm\n"
                                           "convert ram0[0..4) private via=vmm\n";
static const struct batch two = {2, {VCPU0, VCPU1}};

/* ---- deliberate errors ---- */
/* A conversion in two halves: each is right, the whole is not atomic. */
static int convert_halves(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    int error = subject_core.convert(state, gpa, size / 2, to_private);

    return error ? error
                 : subject_core.convert(state, gpa + size / 2, size - size / 2, to_private);
}

static void a_torn_conversion(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.convert = convert_halves;
    assert_found(&s, two_converts, &two, "O13 serial-order");
}

/* Two locks of its own, taken in an order that depends on who asks. */
static struct core_lock own[2];
static const struct sync *own_sync;

static int build_own(const struct host *host, const struct sync *sync, const struct machine *m,
                     void **state)
{
    own_sync = sync;
    for (uint32_t i = 0; i < 2; i++)
        sync_init(sync, &own[i], LOCK_CONTAINER, i);
    return subject_core.build(host, sync, m, state);
}

static int convert_crossed(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    (void)state, (void)gpa, (void)size;
    sync_lock(own_sync, &own[to_private]);
    sync_lock(own_sync, &own[!to_private]);
    sync_unlock(own_sync, &own[!to_private]);
    sync_unlock(own_sync, &own[to_private]);
    return 0;
}

static void locks_in_the_wrong_order(void **state)
{
    struct subject s = subject_core;

    (void)state;
    s.build = build_own;
    s.convert = convert_crossed;
    assert_found(&s, two_converts, &two, "L3 lock-order");
    assert_non_null(strstr(result.detail, "vcpu1 in convert_crossed takes container 0"));
}

/* Locks of which the order says nothing wrong, but whose holder waits for the same one. */
static int convert_twice_locked(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    (void)state, (void)gpa, (void)size;
    own[0].rank = to_private ? LOCK_BLOCK : LOCK_CONTAINER;
    own[1].rank = to_private ? LOCK_CONTAINER : LOCK_BLOCK;
    sync_lock(own_sync, &own[!to_private]);
    own[0].rank = to_private ? LOCK_BLOCK : LOCK_CONTAINER;
    own[1].rank = to_private ? LOCK_CONTAINER : LOCK_BLOCK;
    sync_lock(own_sync, &own[to_private]);
    sync_unlock(own_sync, &own[to_private]);
    sync_unlock(own_sync, &own[!to_private]);
    return 0;
}

static void a_deadlock(void **state)
{
    struct subject s = subject_core;
    bool found = false;

    (void)state;
    s.build = build_own;
    s.convert = convert_twice_locked;
    for (uint64_t seed = 0; seed < SEEDS && !found; seed++) {
        run_batch(&s, two_converts, &two, seed);
        found = strcmp(result.rule, "L1 deadlock") == 0;
    }
    assert_true(found);
    assert_non_null(strstr(result.detail, "vcpu0 in convert_twice_locked wants "));
    assert_non_null(strstr(result.detail, "; vcpu1 in convert_twice_locked wants "));
}

/* ---- the real core ---- */
static void conversions_that_overlap(void **state)
{
    static const struct batch b = {4, {VCPU0, VCPU1, VCPU0, VCPU1}};

    (void)state;
    assert_right(two_converts, &two);
    assert_right(MACHINE "attach d0\n"
                         "convert ram0[0..4) shared vcpu=0\n"
                         "convert ram0[2..6) shared vcpu=1\n"
                         "convert ram0[1..3) private vcpu=0\n"
                         "convert ram0[3..5) private vcpu=1\n",
                 &b);
}

static void a_device_comes_meanwhile(void **state)
{
    static const struct batch b = {3, {VCPU0, MAIN, VCPU0}};

    (void)state;
    assert_right(MACHINE "convert ram0[0..4) shared\n"
                         "convert ram0[2..6) shared vcpu=0\n"
                         "attach d0\n"
                         "convert ram0[1..3) private vcpu=0\n",
                 &b);
    assert_right(MACHINE "attach d0\nconvert ram0[0..4) shared\n"
                         "convert ram0[2..6) shared vcpu=0\n"
                         "detach d0\n"
                         "convert ram0[1..3) private vcpu=0\n",
                 &b);
}

/* The list that was recorded gives the same run. */
static void a_schedule_replays(void **state)
{
    struct choice_run list[256];
    uint32_t n;
    uint64_t hash;

    (void)state;
    run_batch(&subject_core, two_converts, &two, 4);
    assert_int_equal(result.verdict, VERDICT_OK);
    n = runner.lanes->scheduler.n_taken;
    hash = result.hash;
    assert_in_range(n, 4, 256);
    memcpy(list, runner.lanes->scheduler.taken, n * sizeof(list[0]));
    run_batch(&subject_core, two_converts, &two, 6);
    assert_int_not_equal(result.hash, hash);
    {
        struct program p;
        struct text_error error;

        program_init(&p);
        assert_int_equal(
            text_parse(two_converts, strlen(two_converts), &run_vocabulary, &p, &error), 0);
        scheduler_follow(&runner.lanes->scheduler, list, n);
        runner_steps(&runner, &p, &subject_core, NULL, &result, steps, (void *)&two);
        program_free(&p);
    }
    assert_int_equal(result.hash, hash);
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
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/lanes/" name, fn, NULL, NULL, NULL                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-torn-conversion", a_torn_conversion),
        TEST("locks-in-the-wrong-order", locks_in_the_wrong_order),
        TEST("a-deadlock", a_deadlock),
        TEST("conversions-that-overlap", conversions_that_overlap),
        TEST("a-device-comes-meanwhile", a_device_comes_meanwhile),
        TEST("a-schedule-replays", a_schedule_replays),
    };

    return cmocka_run_group_tests_name("run/lanes", tests, setup, teardown);
}
