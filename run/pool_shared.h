/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What supervisor and workers share; only run/pool*.c and run/worker.c look inside. */
#ifndef RUN_POOL_SHARED_H
#define RUN_POOL_SHARED_H

#include <assert.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "run/pool.h"

/* What the items before `next` amount to. */
struct tally {
    uint64_t next; /* item that runs now, or is to run */
    uint64_t programs, ops, host_calls, faults, conversions, pages_changed, rechecked;
    uint64_t hash;
    uint32_t n_verdicts[VERDICT_COUNT];
    uint32_t n_findings; /* all but VERDICT_OK */
};

/* Written by its worker alone, and by the supervisor when there is none. Two tallies: one that
 * holds, one that is being written. So an item counts once or not at all, at whatever
 * instruction its worker is killed. */
struct worker_slot {
    struct tally tally[2];
    _Atomic uint32_t current;
    _Atomic bool done; /* every item of its share is through */
    struct finding findings[POOL_FINDINGS_MAX];
    /* The supervisor's own notes. */
    pid_t pid;         /* 0: no worker */
    uint32_t restarts; /* in the item that runs now */
    bool stuck;        /* killed because it slept */
    uint32_t n_asleep; /* looks in a row at which it slept in `asleep_in` */
    uint64_t asleep_in, asleep_cpu;
};

struct pool_shared {
    _Atomic uint64_t limit; /* no item at or after this one need be run */
    _Atomic bool stop;      /* interrupted or out of time: finish the item, then end */
    struct worker_slot slots[];
};

static inline const struct tally *tally_now(const struct worker_slot *slot)
{
    return &slot->tally[atomic_load_explicit(&slot->current, memory_order_acquire)];
}

/* A copy to change; it counts from tally_commit on. */
static inline struct tally *tally_begin(struct worker_slot *slot)
{
    uint32_t now = atomic_load_explicit(&slot->current, memory_order_relaxed);

    assert(now < 2);
    slot->tally[!now] = slot->tally[now];
    return &slot->tally[!now];
}

static inline void tally_commit(struct worker_slot *slot)
{
    uint32_t now = atomic_load_explicit(&slot->current, memory_order_relaxed);

    assert(slot->tally[!now].next > slot->tally[now].next);
    atomic_store_explicit(&slot->current, !now, memory_order_release);
}

/* Puts the result of the tally's item into it: verdict, finding, limit. Not yet committed. */
void tally_verdict(struct pool_shared *shared, struct worker_slot *slot, struct tally *tally,
                   const struct pool_source *source, const struct run_result *result);

/* Adds up the tallies and findings of all workers. */
void pool_sum(struct pool_shared *shared, uint32_t jobs, struct pool_totals *totals);
void pool_collect(struct pool_shared *shared, uint32_t jobs, struct pool_totals *totals);

/* A worker's whole life, from its tally's next item on. Returns when its share is done. */
void worker_main(const struct pool_source *source, const struct pool_options *options,
                 struct pool_shared *shared, uint32_t number, struct run_result *results,
                 double deadline);

/* Seconds of a clock that never goes back. */
double pool_now(void);

#endif
