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

/* Only this process writes its slot, so a plain add in two steps is enough. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void lower_limit(struct pool_shared *shared, uint64_t limit)
{
    uint64_t now = atomic_load(&shared->limit);

    while (limit < now && !atomic_compare_exchange_weak(&shared->limit, &now, limit))
        ;
}

static void record_finding(struct worker *w, uint64_t item, const struct run_result *result)
{
    uint32_t n = atomic_load(&w->slot->n_findings);

    if (n < POOL_FINDINGS_MAX)
        w->slot->findings[n] = (struct finding){.item = item, .result = *result};
    atomic_store(&w->slot->n_findings, n + 1);
    if (w->source->stop_at_first)
        lower_limit(w->shared, item + 1);
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
    add(&w->slot->rechecked, 1);
    if (second.hash == first->hash && second.verdict == first->verdict)
        return;
    first->verdict = VERDICT_NONDETERMINISM;
    snprintf(first->rule, sizeof(first->rule), "nondeterminism");
    snprintf(first->detail, sizeof(first->detail),
             "two runs of one program: hash %016llx, then %016llx",
             (unsigned long long)first->hash, (unsigned long long)second.hash);
}

static void account(struct worker *w, uint64_t item, const struct run_result *r)
{
    const uint64_t words[] = {item, r->hash};

    add(&w->slot->programs, 1);
    add(&w->slot->ops, r->ops);
    add(&w->slot->host_calls, r->host_calls);
    add(&w->slot->faults, r->faults);
    add(&w->slot->conversions, r->conversions);
    add(&w->slot->pages_changed, r->pages_changed);
    add(&w->slot->hash, hash_words(0, words, 2));
    if (w->results)
        w->results[item - w->source->first] = *r;
    if (r->verdict != VERDICT_OK)
        record_finding(w, item, r);
}

static void one_item(struct worker *w, uint64_t item)
{
    struct run_result result;

    memset(&result, 0, sizeof(result));
    atomic_store_explicit(&w->slot->item, item, memory_order_relaxed);
    if (w->source->load(w->source->ctx, item, &w->program, &result) == 0) {
        runner_run(&w->runner, &w->program, w->options->subject, NULL, &result);
        if (w->options->recheck_percent > 0 && wants_recheck(w, item))
            recheck(w, &result);
    }
    account(w, item, &result);
}

static bool time_is_up(const struct worker *w, uint64_t round, double deadline)
{
    if (atomic_load_explicit(&w->shared->stop, memory_order_relaxed))
        return true;
    return deadline > 0 && round % CLOCK_EVERY == 0 && pool_now() >= deadline;
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
    if (crash_init() || runner_init(&w.runner)) {
        struct run_result none = {.verdict = VERDICT_HARNESS};

        snprintf(none.rule, sizeof(none.rule), "harness");
        snprintf(none.detail, sizeof(none.detail), "the arena could not be mapped");
        record_finding(&w, w.slot->next, &none);
        atomic_store(&w.slot->done, true);
        return;
    }
    program_init(&w.program);
    for (uint64_t item = w.slot->next;
         item < atomic_load_explicit(&shared->limit, memory_order_relaxed) &&
         !time_is_up(&w, round, deadline);
         item += options->jobs, round++)
        one_item(&w, item);
    program_free(&w.program);
    runner_free(&w.runner);
    atomic_store(&w.slot->done, true);
}
