/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One item of a sweep: the faults of one op of one program, at one depth. */
#ifndef RUN_SWEEP_ITEM_H
#define RUN_SWEEP_ITEM_H

#include "run/sweep.h"

struct sweep_item {
    uint32_t program, op; /* op == n_ops: only the clean run */
    uint32_t depth;
    bool first;    /* of its program and depth: the clean run, too, at depth 1 */
    uint64_t seed; /* of a sample */
};

/* The work on an item. Faults of the run that is under way are in out->faults. */
struct sweep_work {
    const struct sweep_item *item;
    const struct sweep_options *options;
    struct sweep_outcome *out;
    const _Atomic bool *stop;
    struct runner *runner;
    struct hits hits;
    /* By how many ops with faults are below: in front of the op at hand, and clean behind it.
     */
    struct runner_mark before[SWEEP_DEPTH_MAX], after[SWEEP_DEPTH_MAX];
    uint64_t hash; /* of all runs */
};

/* Does it with the worker's runner, or gives up: VERDICT_NOT_RUN. `out` is zeroed. */
void sweep_item_run(const struct sweep_item *item, const struct sweep_options *options,
                    struct runner *r, const struct program *p, const _Atomic bool *stop,
                    struct sweep_outcome *out, struct run_result *result);

/* Steps of the work, all of them until the runner is broken. */
void work_mark(struct sweep_work *w, struct runner_mark *mark);
void work_op(struct sweep_work *w, uint32_t op);
/* Arms those faults from number `first` on that stand in front of the op. False: no room. */
bool work_arm(struct sweep_work *w, uint32_t first, uint32_t op);
void work_end(struct sweep_work *w);
/* Between runs: breaks the runner when it is to give up. */
bool work_goes_on(struct sweep_work *w);

/* A sample of the runs that have all faults of the item's depth, the first in its op:
 * run/sweep_sample.c */
void work_sample(struct sweep_work *w);

#endif
