/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What supervisor and workers share; only run/pool.c and run/worker.c look inside. */
#ifndef RUN_POOL_SHARED_H
#define RUN_POOL_SHARED_H

#include <stdatomic.h>
#include <sys/types.h>

#include "run/pool.h"

/* Written by one worker, read by the supervisor. */
struct worker_slot {
    _Atomic uint64_t item; /* the one that runs now */
    _Atomic uint64_t programs, ops, host_calls, faults, conversions, pages_changed, rechecked;
    _Atomic uint64_t hash;
    _Atomic uint32_t n_findings;
    _Atomic bool done; /* every item of its share is through */
    struct finding findings[POOL_FINDINGS_MAX];
    /* The supervisor's own notes. */
    pid_t pid;
    uint64_t next; /* where a new worker begins */
    uint32_t restarts;
};

struct pool_shared {
    _Atomic uint64_t limit; /* no item at or after this one need be run */
    _Atomic bool stop;      /* interrupted or out of time: finish the item, then end */
    struct worker_slot slots[];
};

/* A worker's whole life, from slot->next on. Returns when its share is done. */
void worker_main(const struct pool_source *source, const struct pool_options *options,
                 struct pool_shared *shared, uint32_t number, struct run_result *results,
                 double deadline);

/* Seconds of a clock that never goes back. */
double pool_now(void);

#endif
