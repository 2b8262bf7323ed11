/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "program/rng.h"
#include "run/crash.h"
#include "run/hash.h"
#include "run/pool_shared.h"

enum { PURPOSE_RECHECK = 0x5ec4ec, CLOCK_EVERY = 32 };

struct worker {
    const struct pool_source *source;
    const struct pool_options *options;
    struct pool_shared *shared;
    struct worker_slot *slot;
    struct run_result *results;
    struct runner runner;
    struct program program;
};

double pool_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The harness's own dice: nothing that a program does depends on it. */
static bool wants_recheck(const struct worker *w, uint64_t item)
{
    struct rng dice = rng_make(w->options->seed + item, PURPOSE_RECHECK);

    return rng_percent(&dice, w->options->recheck_percent);
}

static void recheck(struct worker *w, struct run_result *first)
{
    struct run_result second;

    runner_run(&w->runner, &w->program, w->options->subject, NULL, &second);
    if (second.hash == first->hash && second.verdict == first->verdict)
        return;
    first->verdict = VERDICT_NONDETERMINISM;
    snprintf(first->rule, sizeof(first->rule), "nondeterminism");
    snprintf(first->detail, sizeof(first->detail),
             "two runs of one program: hash %016llx, then %016llx",
             (unsigned long long)first->hash, (unsigned long long)second.hash);
}

static void account(struct worker *w, bool rechecked, const struct run_result *r)
{
    struct tally *t = tally_begin(w->slot);
    const uint64_t words[] = {t->next, r->hash};

    t->programs++;
    t->ops += r->ops;
    t->host_calls += r->host_calls;
    t->faults += r->faults;
    t->conversions += r->conversions;
    t->pages_changed += r->pages_changed;
    t->rechecked += rechecked;
    t->hash += hash_words(0, words, 2);
    if (w->results)
        w->results[t->next - w->source->first] = *r;
    tally_verdict(w->shared, w->slot, t, w->source, r);
    t->next += w->options->jobs;
    tally_commit(w->slot);
}

static void run_it(struct worker *w, uint64_t item, struct run_result *result)
{
    if (w->source->run)
        w->source->run(w->source->ctx, item, &w->runner, &w->program, &w->shared->stop, result);
    else
        runner_run(&w->runner, &w->program, w->options->subject, NULL, result);
}

static void one_item(struct worker *w, uint64_t item)
{
    struct run_result result;
    bool again = false;

    memset(&result, 0, sizeof(result));
    if (w->source->load(w->source->ctx, item, &w->program, &result) == 0) {
        run_it(w, item, &result);
        if (result.verdict == VERDICT_NOT_RUN) /* to be seen by who looks at the time */
            return;
        again = w->options->recheck_percent > 0 && wants_recheck(w, item);
        if (again)
            recheck(w, &result);
    }
    account(w, again, &result);
}

static bool time_is_up(const struct worker *w, uint64_t round, double deadline)
{
    if (atomic_load_explicit(&w->shared->stop, memory_order_relaxed))
        return true;
    /* However short the time is, something is run. */
    return deadline > 0 && round > 0 && round % CLOCK_EVERY == 0 && pool_now() >= deadline;
}

void worker_main(const struct pool_source *source, const struct pool_options *options,
                 struct pool_shared *shared, uint32_t number, struct run_result *results,
                 double deadline)
{
    struct worker w = {.source = source,
                       .options = options,
                       .shared = shared,
                       .slot = &shared->slots[number],
                       .results = results};
    uint64_t round = 0;

    assert(number < options->jobs);
    if (crash_init() || crash_cpu_bound(options->cpu_ms) || runner_init(&w.runner)) {
        struct run_result none = {.verdict = VERDICT_HARNESS, .page = MODEL_NO_PAGE};

        snprintf(none.rule, sizeof(none.rule), "harness");
        snprintf(none.detail, sizeof(none.detail), "the arena could not be mapped");
        if (tally_now(w.slot)->next < atomic_load(&shared->limit))
            account(&w, false, &none);
        atomic_store(&w.slot->done, true);
        return;
    }
    program_init(&w.program);
    for (; tally_now(w.slot)->next < atomic_load_explicit(&shared->limit, memory_order_relaxed);
         round++) {
        if (time_is_up(&w, round, deadline))
            break;
        one_item(&w, tally_now(w.slot)->next);
    }
    program_free(&w.program);
    runner_free(&w.runner);
    atomic_store(&w.slot->done, true);
}
