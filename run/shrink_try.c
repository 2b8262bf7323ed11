/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One candidate: simpler, valid, not tried before, and fails the same way? */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program/edit.h"
#include "run/crash.h"
#include "run/hash.h"
#include "run/process.h"
#include "run/shrink_internal.h"

enum { LOOK_MS = 20, ASLEEP_LOOKS = 5, FAULT_COUNTS_MAX = 16 };

double shrink_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool shrink_over(const struct shrinker *s)
{
    uint64_t tries = s->options->tries ? s->options->tries : SHRINK_TRIES;

    return atomic_load_explicit(&s->shared->stop, memory_order_relaxed) ||
           atomic_load_explicit(&s->shared->tries, memory_order_relaxed) >= tries ||
           shrink_now() >= s->deadline;
}

/* ---- a run in a child ---- */

static void gone(struct run_result *r, enum verdict verdict, const char *detail)
{
    r->verdict = verdict;
    r->page = MODEL_NO_PAGE;
    snprintf(r->rule, sizeof(r->rule), "%s", verdict_name(verdict));
    snprintf(r->detail, sizeof(r->detail), "%s", detail);
}

static _Noreturn void run_in_child(struct shrinker *s)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (crash_cpu_bound(s->cpu_ms) == 0) {
        runner_run(&s->runner, &s->work, s->options->subject, NULL, &s->shared->run_result);
        atomic_store(&s->shared->run_done, true);
    }
    _exit(0);
}

/* Until the child has ended; false: it slept, and was ended. */
static bool wait_for(pid_t pid, int end_of_child)
{
    struct pollfd end = {.fd = end_of_child, .events = POLLIN};
    uint64_t cpu = 0, cpu_before = UINT64_MAX;
    uint32_t asleep = 0;

    while (poll(&end, 1, LOOK_MS) <= 0) {
        asleep = process_sleeps(pid, &cpu) && cpu == cpu_before ? asleep + 1 : 0;
        cpu_before = cpu;
        if (asleep < ASLEEP_LOOKS)
            continue;
        kill(pid, SIGKILL);
        return false;
    }
    return true;
}

static void child_ended(struct shrinker *s, bool slept, int status, struct run_result *r)
{
    char detail[100];

    *r = s->shared->run_result;
    if (atomic_load(&s->shared->run_done))
        return;
    snprintf(detail, sizeof(detail), "the subject ended the process with exit code %d",
             WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        snprintf(detail, sizeof(detail), "the process died of signal %d", WTERMSIG(status));
    if (slept)
        gone(r, VERDICT_HANG, "the subject sleeps and nothing will wake it");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) /* from outside */
        gone(r, VERDICT_HARNESS, "its process was killed from outside");
    else
        gone(r, VERDICT_CRASH, detail);
}

static void run_forked(struct shrinker *s, struct run_result *r)
{
    int ends[2], status = 0;
    bool slept;
    pid_t pid;

    memset(&s->shared->run_result, 0, sizeof(s->shared->run_result));
    atomic_store(&s->shared->run_done, false);
    memset(r, 0, sizeof(*r));
    gone(r, VERDICT_HARNESS, "no process could be started");
    if (pipe(ends))
        return;
    pid = fork();
    if (pid == 0)
        run_in_child(s);
    close(ends[1]);
    if (pid > 0) {
        slept = !wait_for(pid, ends[0]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        child_ended(s, slept, status, r);
    }
    close(ends[0]);
}

void shrink_run(struct shrinker *s, struct run_result *result)
{
    if (s->forks)
        run_forked(s, result);
    else
        runner_run(&s->runner, &s->work, s->options->subject, NULL, result);
    atomic_fetch_add_explicit(&s->shared->tries, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->shared->ops, result->ops, memory_order_relaxed);
}

/* ---- a candidate ---- */

struct program *shrink_begin(struct shrinker *s)
{
    if (shrink_over(s) || program_copy(&s->work, &s->best))
        return NULL;
    return &s->work;
}

static uint64_t hash_of(const struct program *p)
{
    uint64_t hash = XXH3_64bits(&p->machine, sizeof(p->machine));

    hash = XXH3_64bits_withSeed(p->ops, p->n_ops * sizeof(*p->ops), hash ^ p->seed);
    return XXH3_64bits_withSeed(p->expects, p->n_expects * sizeof(*p->expects), hash);
}

/* What comes after the op that fails was never run. */
static void cut_tail(struct program *p, const struct run_result *r)
{
    if (r->op < p->n_ops && r->op != RUN_OP_UNKNOWN)
        program_drop_ops(p, r->op + 1, p->n_ops - r->op - 1);
}

static void adopt(struct shrinker *s, const struct run_result *r)
{
    struct program old = s->best;

    s->best = s->work;
    s->work = old;
    s->result = *r;
    cut_tail(&s->best, r);
    shrink_publish(s);
}

static bool fits(const struct shrinker *s, const struct program *p)
{
    return p->n_ops <= s->shared->cap_ops && p->n_expects <= s->shared->cap_expects &&
           program_validate(p, NULL, 0, NULL) == 0;
}

static bool run_and_compare(struct shrinker *s)
{
    struct run_result result;
    struct signature now;

    shrink_run(s, &result);
    if (result.verdict == VERDICT_OK || result.verdict == VERDICT_INPUT ||
        result.verdict == VERDICT_HARNESS)
        return false;
    signature_of(&now, &result, &s->work);
    if (!(s->options->same ? s->options->same : signature_equal)(&now, &s->want))
        return false;
    adopt(s, &result);
    return true;
}

bool shrink_try_any(struct shrinker *s)
{
    uint64_t hash, *slot;

    if (shrink_over(s) || !fits(s, &s->work))
        return false;
    hash = hash_of(&s->work);
    slot = &s->refused[hash % SHRINK_REFUSED_SLOTS];
    if (*slot == hash)
        return false;
    *slot = hash;
    return run_and_compare(s);
}

bool shrink_try(struct shrinker *s)
{
    return shrink_compare(&s->work, &s->best) < 0 && shrink_try_any(s);
}

bool shrink_try_again(struct shrinker *s)
{
    return !shrink_over(s) && fits(s, &s->work) && run_and_compare(s);
}

static bool is_counted(const struct op *op)
{
    return op->kind == OP_FAULT && op->when != FAULT_CHANCE && op->value > 1;
}

/* The candidate again, with this many hits at the faults from the first counted one on. */
static bool try_count(struct shrinker *s, uint64_t value, bool all)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->work.n_ops; i++) {
        struct op *op = &s->work.ops[i];

        if (is_counted(op) && (all || n == 0)) {
            op->value = value < op->value ? value : op->value;
            n++;
        }
    }
    return n > 0 && shrink_try(s);
}

bool shrink_try_faults(struct shrinker *s)
{
    struct program smaller;
    uint64_t highest = 0;
    bool good = shrink_try(s);

    for (uint32_t i = 0; i < s->work.n_ops && !good; i++)
        if (is_counted(&s->work.ops[i]) && s->work.ops[i].value > highest)
            highest = s->work.ops[i].value;
    if (good || highest == 0 || shrink_compare(&s->work, &s->best) >= 0)
        return good;
    program_init(&smaller);
    if (program_copy(&smaller, &s->work) == 0) {
        for (uint64_t v = 1; v < highest && v <= FAULT_COUNTS_MAX && !good; v++) {
            good = try_count(s, v, false);
            if (!good && program_copy(&s->work, &smaller) == 0)
                good = try_count(s, v, true);
            if (!good && program_copy(&s->work, &smaller))
                break;
        }
    }
    program_free(&smaller);
    return good;
}
