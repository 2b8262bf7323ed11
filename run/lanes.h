/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch: ops whose lanes run concurrently (run/scheduler.h), judged by the safety rules after
 * every host call and, when all have returned, by rule 7 of design.md section 6: some serial
 * order explains what came of them (run/serial.h).
 */
#ifndef RUN_LANES_H
#define RUN_LANES_H

#include "run/runner.h"
#include "run/scheduler.h"

enum { LANES_OPS_MAX = 64, LANES_MAX = SCHEDULER_LANES_MAX };

/* What came of an op, and when it ran: counted in ops begun and ended. */
struct lane_op {
    const struct op *op;
    uint32_t index; /* in the program */
    uint8_t lane;   /* index within the batch */
    uint32_t began, ended;
    struct op_result result;
    uint32_t calls[POINT_COUNT];
};

struct lanes {
    struct runner *r;
    struct scheduler scheduler;
    struct sync sync;
    struct in_flight flights[LANES_MAX];
    void *stacks[LANES_MAX]; /* in the arena; NULL: none yet in this world */
    struct lane_op ops[LANES_OPS_MAX];
    uint32_t n_ops, n_lanes, clock;
    uint8_t ids[LANES_MAX]; /* the program's number of each lane */
    struct sim_snapshot start, end;
    void *state;
};

/* Before runner_run: its programs may have lanes from now on. `name` tells a lane's name by the
 * program's number. 0 or -ENOMEM. */
int lanes_enable(struct runner *r, enum strategy strategy, uint8_t depth, uint64_t seed);
void lanes_free(struct runner *r);
/* A new world begins: nothing of the one before is there. */
void lanes_new_world(struct runner *r);

/* Ops [first, first + n) of the program as one batch; lane_of[i]: the lane, 1-15, of op
 * first + i. */
void lanes_batch(struct runner *r, uint32_t first, uint32_t n, const uint8_t *lane_of);

/* A host call of a lane was judged: somebody else may go on here. */
void lanes_point(struct runner *r);

#endif
