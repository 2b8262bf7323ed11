/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker: how does the program fail, and what is the least that fails so? */
#include "run/shrink.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "run/crash.h"
#include "run/interrupt.h"
#include "run/shrink_internal.h"

/* CPU time of an op that does not loop: much more than it needs. */
enum {
    FIRST_CPU_MS = 1000, /* nothing is known yet */
    CPU_MS = 50,
    CPU_MS_A_PAGE_SHIFT = 7,
    CPU_TIMES = 10, /* what all of the original took */
};

/* Core dumps and what a subject says when it dies: once is enough, and that is in the story. */
static void be_quiet(void)
{
    const struct rlimit none = {0};

    (void)setrlimit(RLIMIT_CORE, &none);
    if (!freopen("/dev/null", "w", stderr))
        close(STDERR_FILENO);
}

/* A try may not take as long as a program of a campaign may. */
static uint32_t cpu_bound(const struct shrinker *s, double seconds)
{
    double ms = CPU_MS + (machine_n_pages(&s->best.machine) >> CPU_MS_A_PAGE_SHIFT);

    if (s->result.verdict != VERDICT_HANG)
        ms += CPU_TIMES * seconds * 1e3;
    return (uint32_t)ms;
}

/* Twice: a failure that comes and goes cannot be shrunk. */
static enum shrink_end judge_original(struct shrinker *s)
{
    double start = shrink_now();
    struct run_result again;
    struct signature second;

    if (program_copy(&s->work, &s->best))
        return SHRINK_HARNESS;
    shrink_run(s, &s->result);
    s->shared->slots[0].result = s->result; /* if nothing comes after it */
    if (s->result.verdict == VERDICT_HARNESS)
        return SHRINK_HARNESS;
    if (s->result.verdict == VERDICT_OK || s->result.verdict == VERDICT_INPUT)
        return SHRINK_NOT_FAILING;
    s->cpu_ms = s->shared->cpu_ms = cpu_bound(s, shrink_now() - start);
    if (crash_cpu_bound(s->cpu_ms))
        return SHRINK_HARNESS;
    signature_of(&s->want, &s->result, &s->best);
    shrink_run(s, &again);
    signature_of(&second, &again, &s->best);
    /* Where a loop was ended depends on the clock. */
    if (!signature_equal(&second, &s->want) ||
        (again.hash != s->result.hash && again.verdict == VERDICT_VIOLATION))
        return SHRINK_UNSTABLE;
    s->shared->want = s->want;
    shrink_publish(s);
    return SHRINK_UNDER_WAY;
}

static enum shrink_end ended_early(const struct shrinker *s)
{
    return atomic_load(&s->shared->stop) ? SHRINK_INTERRUPTED : SHRINK_BUDGET;
}

/* What says nothing about this run: other values for the matrix, lines, where sweeps begin. */
static void forget_the_rest(struct shrinker *s)
{
    struct program *p = shrink_begin(s);

    if (!p)
        return;
    p->sweep_from = 0;
    memset(p->machine.also, 0, sizeof(p->machine.also));
    for (uint32_t i = 0; i < p->machine.n_regions; i++)
        p->machine.regions[i].also_share = 0;
    for (uint32_t i = 0; i < p->n_ops; i++)
        p->ops[i].line = 0;
    for (uint32_t i = 0; i < p->n_expects; i++)
        p->expects[i].line = 0;
    (void)shrink_try_any(s);
}

/* Big pieces first; again as long as anything helps, for what one pass takes away lets another
 * go on. */
static enum shrink_end shrink_all(struct shrinker *s)
{
    bool any;

    forget_the_rest(s);
    (void)shrink_place_faults(s);
    do {
        do {
            any = shrink_ops(s);
            any |= shrink_machine(s);
            any |= shrink_pages(s);
            any |= shrink_values(s);
            any |= shrink_axes(s);
            any |= shrink_place_faults(s);
        } while (any);
        if (shrink_over(s))
            return ended_early(s);
        s->shared->removals = shrink_prove(s);
        if (shrink_over(s))
            return ended_early(s);
    } while (s->shared->removals == 0);
    return SHRINK_MINIMAL;
}

enum shrink_end shrink_worker(struct shrinker *s, bool resumed)
{
    enum shrink_end end = SHRINK_UNDER_WAY;
    double start = shrink_now();

    be_quiet();
    if (!resumed)
        s->cpu_ms = FIRST_CPU_MS + cpu_bound(s, 0);
    if (crash_init() || crash_cpu_bound(s->cpu_ms) || runner_init(&s->runner))
        return SHRINK_HARNESS;
    if (!resumed)
        end = judge_original(s);
    if (end == SHRINK_UNDER_WAY)
        end = shrink_all(s);
    s->shared->seconds += shrink_now() - start;
    return end;
}
