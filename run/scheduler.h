/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes that run concurrently, one at a time: who goes on is decided here at every host call,
 * lock and unlock, and when a lane waits or ends. Deterministic: the same strategy and seed, or
 * the same list of choices, give the same run.
 *
 * A schedule is the choice at each of these decisions, in order; equal choices in a row are one
 * run of the list.
 */
#ifndef RUN_SCHEDULER_H
#define RUN_SCHEDULER_H

#include <stdint.h>

#include "core/sync.h"
#include "program/rng.h"
#include "run/fiber.h"

enum { SCHEDULER_LANES_MAX = 4, SCHEDULER_LOCKS_MAX = 32, SCHEDULER_DEPTH_MAX = 4 };

enum strategy { STRATEGY_LIST, STRATEGY_RANDOM, STRATEGY_PCT };

struct choice_run {
    uint8_t lane; /* index within the batch */
    uint32_t times;
};

struct lane {
    struct fiber fiber;
    const char *name;
    const struct core_lock *waits_for; /* NULL: it can run */
    const char *waits_in;              /* the core's function that asked */
    uint32_t n_held;
    struct {
        const struct core_lock *lock;
        const char *taken_in;
    } held[SCHEDULER_LOCKS_MAX];
    uint64_t priority; /* PCT: the highest that can run does */
};

struct scheduler {
    uint8_t strategy; /* enum strategy */
    uint8_t depth;    /* PCT: of the bugs that it is after, 1-4 */
    struct rng random;
    const struct choice_run *list; /* STRATEGY_LIST: followed from `at` on */
    uint32_t n_list, at, used;     /* `used` of list[at].times */

    /* Each time a lane takes up again; may be NULL. */
    void (*resumed)(void *ctx, uint32_t lane);
    void *ctx;

    struct fiber thread;
    struct lane lanes[SCHEDULER_LANES_MAX];
    uint32_t n_lanes, current; /* current == n_lanes: none, the thread runs */
    uint64_t decisions;        /* of this batch */
    uint64_t change_at[SCHEDULER_DEPTH_MAX];
    bool stopping;

    /* What was decided: grown by realloc. */
    struct choice_run *taken;
    uint32_t n_taken, cap_taken;
    bool out_of_memory;

    /* L1, L3: the first one found; NULL: none. */
    const char *rule;
    char detail[200];
};

/* `random` starts from the seed; a list stays the caller's. */
void scheduler_init(struct scheduler *s, enum strategy strategy, uint8_t depth, uint64_t seed);
void scheduler_free(struct scheduler *s);
/* From the next batch on: this list. */
void scheduler_follow(struct scheduler *s, const struct choice_run *list, uint32_t n);

/* A new batch without lanes; then its lanes; then it runs until all of them have ended (true),
 * or nothing can go on or somebody stops it (false: the lanes are abandoned). */
void scheduler_begin(struct scheduler *s);
void scheduler_add(struct scheduler *s, const char *name, void *stack, void (*run)(void *arg),
                   void *arg);
bool scheduler_run(struct scheduler *s);

/* Does a lane run now? */
static inline bool scheduler_in_lane(const struct scheduler *s)
{
    return s->current < s->n_lanes;
}

/* By the lane that runs: somebody else may go on here. Nothing outside of a batch. */
void scheduler_point(struct scheduler *s);
/* By the lane that runs: the batch ends here, for all. Does not return. */
_Noreturn void scheduler_stop(struct scheduler *s);

/* Behind core/sync.h; ctx is the scheduler. */
extern const struct sync_ops scheduler_sync_ops;

#endif
