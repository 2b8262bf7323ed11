/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/runner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/crash.h"
#include "run/execute.h"
#include "run/failures.h"
#include "run/feed.h"
#include "run/hash.h"
#include "run/points.h"

enum runner_phase { PHASE_BUILD, PHASE_OPS, PHASE_TEARDOWN };

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

int runner_init(struct runner *r)
{
    memset(r, 0, sizeof(*r));
    r->arena = sim_arena_get();
    return r->arena ? 0 : -ENOMEM;
}

void runner_free(struct runner *r)
{
    sim_snapshot_free(&r->snapshot);
}

static void watched(struct runner *r, enum watch_event event, const struct sim_call *call)
{
    if (r->watch)
        r->watch->see(r->watch, r, event, call);
}

static void break_off(struct runner *r, enum verdict verdict, const struct violation *v)
{
    struct run_result *result = r->result;

    if (r->broken || (r->hooks && verdict == VERDICT_VIOLATION))
        return;
    r->broken = true;
    result->verdict = verdict;
    result->page = v->page;
    snprintf(result->rule, sizeof(result->rule), "%s", v->rule);
    snprintf(result->detail, sizeof(result->detail), "%s%s", v->detail,
             r->probing ? " (same op again, without faults)" : "");
    watched(r, WATCH_BROKEN, NULL);
}

static void break_plain(struct runner *r, enum verdict verdict, const char *rule,
                        const char *detail)
{
    struct violation v = {.rule = rule, .page = MODEL_NO_PAGE, .container = UINT32_MAX};

    snprintf(v.detail, sizeof(v.detail), "%s", detail);
    break_off(r, verdict, &v);
}

/* Calls that only ask, or that hand over the CPU, have no effect on kernel state. */
static bool call_has_effect(unsigned point)
{
    const uint64_t without = 1ull << POINT_KVM_RUN | 1ull << POINT_KVM_SYSTEM |
                             1ull << POINT_VFIO_SYSTEM | 1ull << POINT_VFIO_GROUP_STATUS |
                             1ull << POINT_IOMMUFD_SYSTEM | 1ull << POINT_HOST_GETRLIMIT |
                             1ull << POINT_CORE_ALLOC | 1ull << POINT_HOST_READ;

    return !(without >> point & 1);
}

static void hash_call(struct runner *r, const struct sim_call *call)
{
    uint64_t words[] = {call->point | (uint64_t)(uint16_t)call->error << 16 |
                            (uint64_t)call->injected << 32 | (uint64_t)call->late << 33 |
                            (uint64_t)call->result << 34,
                        call->arg[0] ^ call->arg[1] << 20 ^ call->arg[2] << 40};

    r->hash = hash_words(r->hash, words, sizeof(words) / sizeof(words[0]));
}

/* Tells the model what the call changed; false: nothing. */
static bool feed_call(struct runner *r, const struct sim_call *call)
{
    return r->phase != PHASE_BUILD && !r->broken &&
           feed_after_call(r, !point_is_dma(call->point));
}

/* What the signature of a failure needs; not worth the time in each call that goes well. */
static void remember_call(struct runner *r, const struct sim_call *call)
{
    snprintf(r->result->last_call, sizeof(r->result->last_call), "%s",
             sim_point_name(call->point));
    snprintf(r->result->last_caller, sizeof(r->result->last_caller), "%s", call->caller);
}

static void on_call(void *ctx, const struct sim_call *call)
{
    struct runner *r = ctx;
    struct violation v;
    bool proof = false, any;

    hash_call(r, call);
    r->result->host_calls += !r->probing;
    r->op_calls[call->point]++;
    r->op_result.n_calls += call_has_effect(call->point);
    if (r->op_result.n_failed)
        proof = failures_note_retry(r, call);
    if (call->failed)
        failures_note(r, call, proof);
    any = feed_call(r, call);
    watched(r, WATCH_CALL, call);
    if (any && !model_after_call(r->model, &v)) {
        break_off(r, VERDICT_VIOLATION, &v);
        remember_call(r, call);
    }
    if (--r->calls_left == 0)
        crash_escape(VERDICT_HANG);
}

static bool build(struct runner *r)
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

    _Static_assert((int)KERNEL_PROPOSED == SIM_KERNEL_PROPOSED, "kernels in the same order");
    r->phase = PHASE_BUILD;
    r->world = sim_world_new(r->arena, &config);
    r->observe = sim_observe(r->world);
    sim_world_on_call(r->world, on_call, r);
    r->host = sim_host(r->world);
    memory = sim_world_memory(r->world, model_size(m));
    if (!memory || !feed_prepare(r)) {
        break_plain(r, VERDICT_HARNESS, "harness", "the world's arena is full");
        return false;
    }
    r->model = model_new(memory, m);
    error = r->subject->build(&r->host, m, &r->state);
    if (error) {
        r->state = NULL;
        break_plain(r, VERDICT_VIOLATION, "build", "the machine could not be built");
        return false;
    }
    feed_all(r);
    if (!model_ready(r->model, &v))
        break_off(r, VERDICT_VIOLATION, &v);
    r->phase = PHASE_OPS;
    watched(r, WATCH_BUILT, NULL);
    return !r->broken;
}

static void op_reset(struct runner *r)
{
    struct op_result *o = &r->op_result;

    /* failed[] counts through n_failed: clearing it for each op would cost more than the op. */
    memset(o, 0, offsetof(struct op_result, failed));
    o->blocked_page = MODEL_NO_PAGE;
    memset(r->op_calls, 0, sizeof(r->op_calls));
}

static void hash_op_end(struct runner *r)
{
    const struct op_result *o = &r->op_result;
    const uint64_t words[] = {(uint64_t)o->error | (uint64_t)o->stopped << 32 |
                                  (uint64_t)o->response << 40,
                              o->guest_status, o->data};

    r->hash = hash_words(r->hash, words, sizeof(words) / sizeof(words[0]));
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

/* What the guest and the devices do by themselves: the subject is not asked. */
static bool op_is_data(const struct op *op)
{
    return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_DMA_READ ||
           op->kind == OP_DMA_WRITE;
}

/* Does one op and judges it. */
static void judged_op(struct runner *r, const struct op *op)
{
    struct violation v;

    op_reset(r);
    sim_op_begin(r->world);
    model_op_begin(r->model, op);
    if (r->hooks && !op_is_data(op))
        r->hooks->before_op(r);
    execute_op(r, op);
    r->op_result.stopped = r->subject->stopped(r->state);
    if (r->hooks && !op_is_data(op))
        r->hooks->after_op(r);
    if (r->broken)
        return;
    feed_after_op(r, !op_is_data(op));
    hash_op_end(r);
    watched(r, WATCH_RETURN, NULL);
    if (!model_after_call(r->model, &v))
        break_off(r, VERDICT_VIOLATION, &v);
    if (!r->broken && !model_op_end(r->model, &r->op_result, &v))
        break_off(r, VERDICT_VIOLATION, &v);
    if (!r->broken)
        watched(r, WATCH_JUDGED, NULL);
}

/* Of a point, or of all points of a group. */
static uint32_t calls_of(const struct runner *r, uint32_t name)
{
    uint64_t points = points_of(name);
    uint32_t n = 0;

    for (uint32_t i = 0; i < POINT_COUNT; i++)
        n += points >> i & 1 ? r->op_calls[i] : 0;
    return n;
}

static void check_expects(struct runner *r, uint32_t index, uint32_t *next)
{
    const struct program *p = r->program;
    struct violation v;

    for (; *next < p->n_expects && p->expects[*next].op == index; ++*next) {
        const struct expect *e = &p->expects[*next];
        uint32_t calls = e->kind == EXPECT_CALLS ? calls_of(r, e->point) : 0;

        if (r->broken || !expect_applies(&p->machine, e) ||
            model_expect(r->model, e, &r->op_result, calls, &v))
            continue;
        r->result->line = e->line;
        if (r->hooks)
            r->hooks->unmet(r, e);
        break_off(r, VERDICT_VIOLATION, &v);
    }
}

/* Rule 6 of design.md section 6: after a clean failure, the same op without faults succeeds.
 * Tried on the side; the program goes on from where the failure left it. */
static void probe_retry(struct runner *r, const struct op *op)
{
    struct op_result saved = r->op_result;
    uint32_t saved_calls[POINT_COUNT];
    uint64_t saved_hash = r->hash;

    if (sim_snapshot_take(r->world, &r->snapshot)) {
        break_plain(r, VERDICT_HARNESS, "harness", "no memory for a snapshot");
        return;
    }
    memcpy(saved_calls, r->op_calls, sizeof(saved_calls));
    watched(r, WATCH_AGAIN, NULL);
    sim_fault_disarm_all(r->world);
    r->probing = true;
    judged_op(r, op);
    if (!r->broken && model_outcome(r->model) != MODEL_DONE)
        break_plain(r, VERDICT_VIOLATION, "O8 retry-heals", "expected success");
    r->probing = false;
    if (r->broken)
        return;
    sim_snapshot_restore(r->world, &r->snapshot);
    r->op_result = saved;
    memcpy(r->op_calls, saved_calls, sizeof(saved_calls));
    r->hash = saved_hash;
    watched(r, WATCH_BACK, NULL);
}

static bool wants_probe(struct runner *r, const struct op *op)
{
    return model_outcome(r->model) == MODEL_UNDONE && r->op_result.n_failed > 0 &&
           (r->subject->capabilities & SUBJECT_CAN_SNAPSHOT) &&
           model_retry_must_succeed(r->model, op);
}

static void one_op(struct runner *r, uint32_t index, uint32_t *next_expect)
{
    const struct op *op = &r->program->ops[index];

    crash_progress();
    r->result->op = index;
    r->result->line = op->line;
    r->result->ops++;
    watched(r, WATCH_OP, NULL);
    if (op->kind == OP_FAULT || op->kind == OP_DISARM) {
        op_reset(r);
        execute_op(r, op);
        if (r->op_result.error == ENODEV)
            break_plain(r, VERDICT_INPUT, "no-such-fault",
                        "no call of this machine can fail so");
        else if (r->op_result.error)
            break_plain(r, VERDICT_INPUT, "too-many-faults",
                        "more faults are armed at once than the mock kernel holds");
        check_expects(r, index, next_expect);
        return;
    }
    judged_op(r, op);
    if (!r->broken && op->kind == OP_CONVERT) {
        r->result->conversions++;
        r->result->pages_changed += model_pages_changed(r->model);
    }
    check_expects(r, index, next_expect);
    if (!r->broken && !r->hooks && wants_probe(r, op))
        probe_retry(r, op);
}

/* From here on the subject is not asked any more. */
static int destroy_subject(struct runner *r)
{
    void *state = r->state;

    r->state = NULL;
    return r->subject->destroy(state);
}

static void teardown(struct runner *r)
{
    struct violation v;
    bool stopped;
    int error;

    crash_progress();
    r->result->op = r->program->n_ops;
    r->result->line = 0;
    if (!model_full_check(r->model, &v)) {
        break_off(r, VERDICT_VIOLATION, &v);
        return;
    }
    hash_canon(r);
    op_reset(r);
    sim_op_begin(r->world);
    sim_fault_disarm_all(r->world);
    sim_unpin_all(r->world);
    r->phase = PHASE_TEARDOWN;
    watched(r, WATCH_TEARDOWN, NULL);
    model_teardown_begin(r->model);
    stopped = r->subject->stopped(r->state);
    error = destroy_subject(r);
    if (r->broken)
        return;
    /* A subject that was stopped half-way may meet leftovers; it must leave none. */
    if (error && !stopped) {
        break_plain(r, VERDICT_VIOLATION, "tear-down", "it failed without a fault");
        return;
    }
    feed_after_op(r, true);
    if (!model_after_teardown(r->model, &v))
        break_off(r, VERDICT_VIOLATION, &v);
}

static void run_all(struct runner *r)
{
    uint32_t next_expect = 0;

    watched(r, WATCH_BEGIN, NULL);
    if (!build(r))
        return;
    for (uint32_t i = 0; i < r->program->n_ops && !r->broken; i++)
        one_op(r, i, &next_expect);
    if (!r->broken && !r->hooks)
        teardown(r);
}

/* No program needs near as many host calls; a loop does. An op may touch every page in every
 * container, undo that, and be probed. */
static uint64_t host_call_bound(const struct program *p)
{
    uint64_t pages = machine_n_pages(&p->machine), sides = p->machine.n_containers + 2;

    return ((uint64_t)p->n_ops + HOST_CALLS_OPS_MORE) *
           (HOST_CALLS_PER_OP + HOST_CALLS_PER_PAGE * pages * sides);
}

void runner_run(struct runner *r, const struct program *p, const struct subject *subject,
                struct watch *watch, struct run_result *result)
{
    sigjmp_buf escape;
    int why;

    memset(result, 0, sizeof(*result));
    result->page = MODEL_NO_PAGE;
    r->program = p;
    r->subject = subject;
    r->watch = watch;
    r->result = result;
    r->world = NULL;
    r->state = NULL;
    r->model = NULL;
    r->broken = r->probing = false;
    r->hash = p->seed;
    r->calls_left = host_call_bound(p);
    why = sigsetjmp(escape, 0);
    if (why == 0) {
        crash_guard(&escape);
        run_all(r);
    } else {
        break_plain(r, (enum verdict)why, verdict_name((enum verdict)why), crash_reason());
    }
    crash_guard(NULL);
    result->faults = r->world ? sim_faults_fired(r->world) : 0;
    result->hash = r->hash;
}
