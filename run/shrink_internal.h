/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the shrinker share; only run/shrink*.c look inside. */
#ifndef RUN_SHRINK_INTERNAL_H
#define RUN_SHRINK_INTERNAL_H

#include <stdatomic.h>

#include "run/shrink.h"

enum { SHRINK_REFUSED_SLOTS = 1 << 14 };

struct shrink_shared;

struct shrinker {
    const struct shrink_options *options;
    struct shrink_shared *shared;
    struct runner runner;
    struct signature want;
    struct program best;      /* fails as wanted, and is valid */
    struct program work;      /* the candidate */
    struct run_result result; /* of best */
    bool forks;               /* each run is a child's: the subject may end the process */
    uint32_t cpu_ms;          /* that an op may use */
    double deadline;
    uint64_t refused[SHRINK_REFUSED_SLOTS]; /* hashes of candidates that were tried */
};

/* ---- trying: run/shrink_try.c ---- */

/* work becomes best once more, to be changed. NULL: it is over, or no memory. */
struct program *shrink_begin(struct shrinker *s);
/* Is work simpler than best, valid, and does it fail as wanted? Then it is the best. */
bool shrink_try(struct shrinker *s);
/* The same; if not, with the hits that its faults wait for counted anew: a smaller program
 * makes fewer calls. */
bool shrink_try_faults(struct shrinker *s);
/* The same as shrink_try for what need not be simpler. */
bool shrink_try_any(struct shrinker *s);
/* Work was tried before, on this very best, or it was not: it is now. For the proof. */
bool shrink_try_again(struct shrinker *s);
bool shrink_over(const struct shrinker *s);

/* Below 0: a is simpler. run/shrink_weight.c */
int shrink_compare(const struct program *a, const struct program *b);

/* ---- passes: each tries what it knows, true when something was simpler ---- */

/* Each fault directly before the op in which it fires; no chances. run/shrink_faults.c */
bool shrink_place_faults(struct shrinker *s);
bool shrink_ops(struct shrinker *s);     /* run/shrink_ops.c */
bool shrink_machine(struct shrinker *s); /* run/shrink_machine.c */
bool shrink_axes(struct shrinker *s);
bool shrink_pages(struct shrinker *s);  /* run/shrink_pages.c */
bool shrink_values(struct shrinker *s); /* run/shrink_values.c */

/* Tries to take each single thing out: how many, or 0 when one could be. */
uint64_t shrink_prove(struct shrinker *s);

/* ---- the worker's process: run/shrink.c; around it: run/shrink_process.c ---- */

/* Runs work, whatever it does. */
void shrink_run(struct shrinker *s, struct run_result *result);
/* The best, for whoever goes on when this process is gone. */
void shrink_publish(struct shrinker *s);
/* The worker's whole life. */
enum shrink_end shrink_worker(struct shrinker *s, bool resumed);

double shrink_now(void);

struct shrink_slot {
    struct machine machine;
    uint64_t seed;
    uint32_t n_ops, n_expects;
    struct run_result result;
    struct op *ops;
    struct expect *expects;
};

/* Two slots: one that holds, one that is being written. */
struct shrink_shared {
    size_t size; /* of all of it */
    uint32_t cap_ops, cap_expects;
    _Atomic uint32_t current; /* slot, from 1 on; 0: none yet */
    _Atomic bool stop;
    _Atomic uint64_t tries, ops;
    uint64_t removals;
    double seconds; /* that workers have used which came to their end */
    enum shrink_end end;
    struct signature want;
    uint32_t cpu_ms;
    /* Of the one run that is a child's. */
    _Atomic bool run_done;
    struct run_result run_result;
    struct shrink_slot slots[2];
};

#endif
