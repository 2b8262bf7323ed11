/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/lanes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/crash.h"
#include "run/execute.h"
#include "run/feed.h"
#include "run/judge.h"
#include "run/serial.h"

static const char *lane_name(uint8_t lane)
{
    static const char *const names[] = {NULL,    "vcpu0", "vcpu1", "vcpu2", "vcpu3",
                                        "vcpu4", "vcpu5", "vcpu6", "vcpu7", "main",
                                        "io0",   "io1",   "io2",   "io3"};

    assert(lane > 0 && lane < sizeof(names) / sizeof(names[0]));
    return names[lane];
}

/* The lane's own: what has come of its op, what its calls count for. */
static void take_turn(void *ctx, uint32_t lane)
{
    struct lanes *l = ctx;

    l->r->now = &l->flights[lane];
    sim_lane(l->r->world, l->ids[lane]);
}

int lanes_enable(struct runner *r, enum strategy strategy, uint8_t depth, uint64_t seed)
{
    struct lanes *l = r->lanes ? r->lanes : calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    scheduler_free(&l->scheduler);
    scheduler_init(&l->scheduler, strategy, depth, seed);
    l->r = r;
    l->scheduler.resumed = take_turn;
    l->scheduler.ctx = l;
    l->sync = (struct sync){.ops = &scheduler_sync_ops, .ctx = &l->scheduler};
    r->lanes = l;
    return 0;
}

void lanes_free(struct runner *r)
{
    if (!r->lanes)
        return;
    scheduler_free(&r->lanes->scheduler);
    sim_snapshot_free(&r->lanes->start);
    sim_snapshot_free(&r->lanes->end);
    free(r->lanes);
    r->lanes = NULL;
}

void lanes_new_world(struct runner *r)
{
    assert(r->lanes);
    memset(r->lanes->stacks, 0, sizeof(r->lanes->stacks));
    r->lanes->n_lanes = 0;
    r->lanes->scheduler.current = r->lanes->scheduler.n_lanes = 0;
    r->sync = &r->lanes->sync;
}

void lanes_point(struct runner *r)
{
    struct scheduler *s = &r->lanes->scheduler;

    if (!scheduler_in_lane(s))
        return;
    if (r->broken)
        scheduler_stop(s);
    scheduler_point(s);
}

static void run_op(struct lanes *l, struct lane_op *o)
{
    struct runner *r = l->r;
    struct violation v;

    r->result->op = o->index;
    r->result->line = o->op->line;
    r->result->ops++;
    judge_op_reset(r);
    sim_op_begin(r->world);
    o->began = ++l->clock;
    model_lane_op(r->model, o->lane, o->op);
    scheduler_point(&l->scheduler);
    execute_op(r, o->op);
    r->now->op_result.stopped = r->subject->stopped(r->state);
    feed_after_op(r, true);
    if (!model_after_call(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    model_lane_op(r->model, o->lane, NULL);
    o->ended = ++l->clock;
    o->result = r->now->op_result;
    memcpy(o->calls, r->now->op_calls, sizeof(o->calls));
    lanes_point(r);
}

struct lane_arg {
    struct lanes *l;
    uint32_t lane;
};

static void run_lane(void *arg)
{
    const struct lane_arg *a = arg;

    take_turn(a->l, a->lane);
    for (uint32_t i = 0; i < a->l->n_ops; i++)
        if (a->l->ops[i].lane == a->lane)
            run_op(a->l, &a->l->ops[i]);
}

static bool take_ops(struct lanes *l, uint32_t first, uint32_t n, const uint8_t *lane_of)
{
    assert(n > 0 && n <= LANES_OPS_MAX);
    l->n_ops = n;
    l->n_lanes = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct lane_op *o = &l->ops[i];
        uint32_t lane = 0;

        while (lane < l->n_lanes && l->ids[lane] != lane_of[i])
            lane++;
        assert(lane < LANES_MAX);
        if (lane == l->n_lanes)
            l->ids[l->n_lanes++] = lane_of[i];
        o->op = &l->r->program->ops[first + i];
        o->index = first + i;
        o->lane = (uint8_t)lane;
    }
    for (uint32_t i = 0; i < l->n_lanes; i++) {
        if (!l->stacks[i])
            l->stacks[i] = sim_world_memory(l->r->world, FIBER_STACK_SIZE);
        if (!l->stacks[i])
            return false;
    }
    return true;
}

static bool run_concurrently(struct lanes *l)
{
    struct runner *r = l->r;
    struct lane_arg args[LANES_MAX];
    bool ok;

    scheduler_begin(&l->scheduler);
    for (uint32_t i = 0; i < l->n_lanes; i++) {
        args[i] = (struct lane_arg){l, i};
        scheduler_add(&l->scheduler, lane_name(l->ids[i]), l->stacks[i], run_lane, &args[i]);
    }
    l->clock = 0;
    model_lanes_begin(r->model, l->ops[0].op, l->n_ops);
    ok = scheduler_run(&l->scheduler);
    sim_lane(r->world, 0);
    r->now = &r->single;
    if (!ok && !r->broken)
        judge_break_plain(r, VERDICT_VIOLATION, l->scheduler.rule, l->scheduler.detail);
    return !r->broken;
}

void lanes_batch(struct runner *r, uint32_t first, uint32_t n, const uint8_t *lane_of)
{
    struct lanes *l = r->lanes;

    assert(l && r->phase == PHASE_OPS && !r->broken);
    crash_progress();
    if (!take_ops(l, first, n, lane_of) || sim_snapshot_take(r->world, &l->start)) {
        judge_break_plain(r, VERDICT_HARNESS, "harness", "no memory for lanes");
        return;
    }
    l->state = r->state;
    if (!run_concurrently(l) || !serial_explains(l))
        return;
    for (uint32_t i = 0; i < n; i++) {
        r->now->op_result = l->ops[i].result;
        memcpy(r->now->op_calls, l->ops[i].calls, sizeof(r->now->op_calls));
        judge_expects(r, first + i);
    }
}
