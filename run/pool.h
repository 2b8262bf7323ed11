/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker processes: each runs every jobs-th item of a source, in order, in a world of its own.
 * The supervisor knows each worker's current item, so a worker that dies is a finding (or, if
 * something outside killed it, is started again) and the rest goes on. Sums do not depend on
 * the number of workers. SIGINT, SIGTERM and SIGHUP end it early (run/interrupt.h); a second
 * one does not wait for the items that are under way.
 */
#ifndef RUN_POOL_H
#define RUN_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "program/op.h"
#include "run/runner.h"
#include "run/subject.h"

enum { POOL_JOBS_MAX = 256, POOL_FINDINGS_MAX = 16 };

/* Where programs come from. */
struct pool_source {
    void *ctx;
    uint64_t first;   /* first item */
    uint64_t n_items; /* UINT64_MAX: until time is up */
    /* Fills p for an item. 0, or negative errno with *result describing a bad input. */
    int (*load)(void *ctx, uint64_t item, struct program *p, struct run_result *result);
    bool stop_at_first; /* a finding ends it, once all items before it are through */
    /* What is done with an item's program, and the line on stderr after so many seconds; NULL:
     * it is run, and what all runs amount to. Once *stop is true it may give up, with
     * VERDICT_NOT_RUN. */
    void (*run)(void *ctx, uint64_t item, struct runner *r, const struct program *p,
                const _Atomic bool *stop, struct run_result *result);
    void (*show_progress)(void *ctx, double seconds);
};

struct pool_options {
    uint32_t jobs;
    double seconds;           /* 0: no limit */
    uint32_t recheck_percent; /* items run twice and compared */
    uint64_t seed;            /* of the choice which */
    const struct subject *subject;
    bool progress;    /* a line on stderr, rewritten */
    uint32_t cpu_ms;  /* CPU time an op may take, 0: 20 s */
    uint32_t idle_ms; /* time a worker may sleep in an item, 0: 10 s */
};

struct finding {
    uint64_t item;
    struct run_result result;
};

struct pool_totals {
    uint64_t programs, ops, host_calls, faults, conversions, pages_changed;
    uint64_t rechecked;
    uint64_t hash; /* commutative: sum over items */
    double seconds;
    bool interrupted; /* by SIGINT, SIGTERM or SIGHUP */
    uint32_t workers_restarted;
    uint32_t n_verdicts[VERDICT_COUNT];
    uint32_t n_findings; /* all but VERDICT_OK; the first ones by item are kept */
    struct finding findings[POOL_FINDINGS_MAX];
};

/* Runs all items. `results`, if not NULL, is memory from pool_results_alloc for n_items
 * entries and receives each item's result (VERDICT_NOT_RUN: it was ended before). 0, or
 * negative errno when workers could not be started. */
int pool_run(const struct pool_source *source, const struct pool_options *options,
             struct run_result *results, struct pool_totals *totals);

/* Memory that workers and supervisor share, zeroed. NULL: none. */
void *pool_shared_alloc(size_t size);
void pool_shared_free(void *memory, size_t size);
struct run_result *pool_results_alloc(uint64_t n_items);
void pool_results_free(struct run_result *results, uint64_t n_items);

/* The exit code that a set of findings asks for: 0, 1, 2 or 3; interrupted: 130. */
int pool_exit_code(const struct pool_totals *t);
int verdict_exit_code(enum verdict v);

#endif
