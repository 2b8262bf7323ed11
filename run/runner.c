/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/runner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/crash.h"
#include "run/execute.h"
#include "run/feed.h"
#include "run/hash.h"
#include "run/judge.h"
#include "run/lanes.h"
#include "run/probe.h"

enum {
    HOST_CALLS_PER_OP = 20000,
    HOST_CALLS_PER_PAGE = 16,
    HOST_CALLS_OPS_MORE = 10, /* so many ops more: machine, tear-down, probes */
    CANON_MAX = 16384
};

static const char *const verdict_names[] = {
    [VERDICT_OK] = "ok",
    [VERDICT_VIOLATION] = "violation",
    [VERDICT_CRASH] = "crash",
    [VERDICT_HANG] = "hang",
    [VERDICT_NONDETERMINISM] = "nondeterminism",
    [VERDICT_HARNESS] = "harness-error",
    [VERDICT_INPUT] = "bad-input",
    [VERDICT_NOT_RUN] = "not-run",
};

const char *verdict_name(enum verdict v)
{
    assert(v < VERDICT_COUNT);
    return verdict_names[v];
}

static const struct sync one_lane = {.ops = NULL};

int runner_init(struct runner *r)
{
    memset(r, 0, sizeof(*r));
    r->now = &r->single;
    r->arena = sim_arena_get();
    return r->arena ? 0 : -ENOMEM;
}

void runner_free(struct runner *r)
{
    sim_snapshot_free(&r->snapshot);
    lanes_free(r);
}

bool runner_build(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    const struct sim_config config = {
        .page_size = machine_page_size(m),
        .kernel = (enum sim_kernel)m->axis[AXIS_kernel],
        .gmem_attributes = m->axis[AXIS_mode] == MODE_INPLACE,
        .memlock_pages = m->memlock_pages ? m->memlock_pages : UINT64_MAX,
        .n_groups = m->n_devices,
        .fault_seed = r->program->seed,
    };
    void *memory;
    struct violation v;
    int error;

    judge_watched(r, WATCH_BEGIN, NULL);
    _Static_assert((int)KERNEL_PROPOSED == SIM_KERNEL_PROPOSED, "kernels in the same order");
    r->phase = PHASE_BUILD;
    r->world = sim_world_new(r->arena, &config);
    r->observe = sim_observe(r->world);
    sim_world_on_call(r->world, judge_call, r);
    r->host = sim_host(r->world);
    memory = sim_world_memory(r->world, model_size(m));
    if (!memory || !feed_prepare(r)) {
        judge_break_plain(r, VERDICT_HARNESS, "harness", "the world's arena is full");
        return false;
    }
    r->model = model_new(memory, m);
    error = r->subject->build(&r->host, r->sync, m, &r->state);
    if (error) {
        r->state = NULL;
        judge_break_plain(r, VERDICT_VIOLATION, "build", "the machine could not be built");
        return false;
    }
    feed_all(r);
    judge_watched(r, WATCH_BUILT, NULL);
    if (!model_ready(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    r->phase = PHASE_OPS;
    return !r->broken;
}

void runner_op(struct runner *r, uint32_t index)
{
    const struct op *op = &r->program->ops[index];

    assert(r->phase == PHASE_OPS && !r->broken && index < r->program->n_ops);
    crash_progress();
    r->result->op = index;
    r->result->line = op->line;
    r->result->ops++;
    judge_watched(r, WATCH_OP, NULL);
    if (op->kind == OP_FAULT || op->kind == OP_DISARM) {
        judge_op_reset(r);
        execute_op(r, op);
        if (r->now->op_result.error == ENODEV)
            judge_break_plain(r, VERDICT_INPUT, "no-such-fault",
                              "no call of this machine can fail so");
        else if (r->now->op_result.error)
            judge_break_plain(r, VERDICT_INPUT, "too-many-faults",
                              "more faults are armed at once than the mock kernel holds");
        judge_expects(r, index);
        return;
    }
    judge_op(r, op);
    if (!r->broken && op->kind == OP_CONVERT) {
        r->result->conversions++;
        r->result->pages_changed += model_pages_changed(r->model);
    }
    judge_expects(r, index);
    if (!r->broken && !r->hooks && !r->no_probe && probe_wanted(r, op))
        probe_retry(r, op);
}

/* What the subject keeps inside: the pages of it that can be seen were hashed as they changed.
 */
static void hash_canon(struct runner *r)
{
    uint64_t canon[CANON_MAX / sizeof(uint64_t)];
    size_t size = r->subject->canon(r->state, canon, sizeof(canon));

    if (size > sizeof(canon))
        size = sizeof(canon);
    r->hash = hash_words(r->hash, (uint64_t[]){XXH3_64bits(canon, size)}, 1);
}

/* From here on the subject is not asked any more. */
static int destroy_subject(struct runner *r)
{
    void *state = r->state;

    r->state = NULL;
    return r->subject->destroy(state);
}

void runner_end(struct runner *r)
{
    struct violation v;
    bool stopped;
    int error;

    assert(r->phase == PHASE_OPS && !r->broken);
    crash_progress();
    r->result->op = r->program->n_ops;
    r->result->line = 0;
    if (!runner_look(r))
        return;
    hash_canon(r);
    judge_op_reset(r);
    sim_op_begin(r->world);
    sim_fault_disarm_all(r->world);
    sim_unpin_all(r->world);
    r->phase = PHASE_TEARDOWN;
    judge_watched(r, WATCH_TEARDOWN, NULL);
    model_teardown_begin(r->model);
    stopped = r->subject->stopped(r->state);
    error = destroy_subject(r);
    if (r->broken)
        return;
    /* A subject that was stopped half-way may meet leftovers; it must leave none. */
    if (error && !stopped) {
        judge_break_plain(r, VERDICT_VIOLATION, "tear-down", "it failed without a fault");
        return;
    }
    feed_after_op(r, true);
    if (!model_after_teardown(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
}

static void run_all(struct runner *r, void *ctx)
{
    (void)ctx;
    if (!runner_build(r))
        return;
    for (uint32_t i = 0; i < r->program->n_ops && !r->broken; i++)
        runner_op(r, i);
    if (!r->broken && !r->hooks)
        runner_end(r);
}

/* No program needs near as many host calls; a loop does. An op may touch every page in every
 * container, undo that, and be probed. */
static uint64_t host_call_bound(const struct program *p)
{
    uint64_t pages = machine_n_pages(&p->machine), sides = p->machine.n_containers + 2;

    return ((uint64_t)p->n_ops + HOST_CALLS_OPS_MORE) *
           (HOST_CALLS_PER_OP + HOST_CALLS_PER_PAGE * pages * sides);
}

void runner_steps(struct runner *r, const struct program *p, const struct subject *subject,
                  struct watch *watch, struct run_result *result,
                  void (*steps)(struct runner *r, void *ctx), void *ctx)
{
    sigjmp_buf escape;
    int why;

    memset(result, 0, sizeof(*result));
    result->page = MODEL_NO_PAGE;
    result->op = RUN_OP_BUILD;
    r->program = p;
    r->subject = subject;
    r->watch = watch;
    r->result = result;
    r->sync = &one_lane;
    if (r->lanes)
        lanes_new_world(r);
    r->world = NULL;
    r->state = NULL;
    r->model = NULL;
    r->now = &r->single;
    r->now->last_caller = NULL;
    r->broken = r->probing = false;
    r->next_expect = 0;
    r->hash = p->seed;
    r->calls_left = host_call_bound(p);
    why = sigsetjmp(escape, 0);
    if (why == 0) {
        crash_guard(&escape);
        steps(r, ctx);
    } else {
        judge_break_plain(r, (enum verdict)why, verdict_name((enum verdict)why),
                          crash_reason());
    }
    crash_guard(NULL);
    result->faults = r->world ? sim_faults_fired(r->world) : 0;
    result->hash = r->hash;
}

void runner_run(struct runner *r, const struct program *p, const struct subject *subject,
                struct watch *watch, struct run_result *result)
{
    runner_steps(r, p, subject, watch, result, run_all, NULL);
}

int runner_mark(struct runner *r, struct runner_mark *mark)
{
    assert(r->phase == PHASE_OPS && !r->broken);
    mark->state = r->state;
    mark->hash = r->hash;
    return sim_snapshot_take(r->world, &mark->bytes);
}

void runner_go_back(struct runner *r, const struct runner_mark *mark)
{
    assert(r->program->n_expects == 0 && !r->broken);
    sim_snapshot_restore(r->world, &mark->bytes);
    r->state = mark->state;
    r->hash = mark->hash;
    r->phase = PHASE_OPS;
    r->calls_left = host_call_bound(r->program);
}

void runner_mark_free(struct runner_mark *mark)
{
    sim_snapshot_free(&mark->bytes);
}

int runner_arm(struct runner *r, const struct op *fault)
{
    assert(fault->kind == OP_FAULT && r->phase == PHASE_OPS);
    judge_op_reset(r);
    execute_op(r, fault);
    return r->now->op_result.error;
}

bool runner_look(struct runner *r)
{
    struct violation v;

    assert(r->phase == PHASE_OPS && !r->broken);
    if (!model_full_check(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    return !r->broken;
}
