/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/judge.h"

#include <stdio.h>
#include <string.h>

#include "run/crash.h"
#include "run/execute.h"
#include "run/failures.h"
#include "run/feed.h"
#include "run/hash.h"
#include "run/lanes.h"
#include "run/points.h"

void judge_watched(struct runner *r, enum watch_event event, const struct sim_call *call)
{
    if (r->watch)
        r->watch->see(r->watch, r, event, call);
}

void judge_break(struct runner *r, enum verdict verdict, const struct violation *v)
{
    struct run_result *result = r->result;

    if (r->broken || (r->hooks && verdict == VERDICT_VIOLATION))
        return;
    r->broken = true;
    if (r->now->last_caller) {
        snprintf(result->last_call, sizeof(result->last_call), "%s",
                 sim_point_name(r->now->last_point));
        snprintf(result->last_caller, sizeof(result->last_caller), "%s", r->now->last_caller);
    }
    result->verdict = verdict;
    result->page = v->page;
    snprintf(result->rule, sizeof(result->rule), "%s", v->rule);
    snprintf(result->detail, sizeof(result->detail), "%s%s", v->detail,
             r->probing ? " (same op again, without faults)" : "");
    judge_watched(r, WATCH_BROKEN, NULL);
}

void judge_break_plain(struct runner *r, enum verdict verdict, const char *rule,
                       const char *detail)
{
    struct violation v = {.rule = rule, .page = MODEL_NO_PAGE, .container = UINT32_MAX};

    snprintf(v.detail, sizeof(v.detail), "%s", detail);
    judge_break(r, verdict, &v);
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

void judge_call(void *ctx, const struct sim_call *call)
{
    struct runner *r = ctx;
    struct violation v;
    bool proof = false, any;

    if (call->point == POINT_CORE_ALLOC && !call->failed) { /* who watches hits sees it */
        judge_watched(r, WATCH_CALL, call);
        return;
    }
    hash_call(r, call);
    r->result->host_calls += !r->probing;
    r->now->op_points |= 1ull << call->point;
    r->now->op_calls[call->point]++;
    r->now->op_result.n_calls += call_has_effect(call->point);
    if (r->now->op_result.n_failed)
        proof = failures_note_retry(r, call);
    if (call->failed)
        failures_note(r, call, proof);
    r->now->last_point = call->point;
    r->now->last_caller = call->caller;
    any = feed_call(r, call);
    judge_watched(r, WATCH_CALL, call);
    if (any && !model_after_call(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    if (--r->calls_left == 0)
        crash_escape(VERDICT_HANG);
    if (r->lanes)
        lanes_point(r);
}

void judge_op_reset(struct runner *r)
{
    struct op_result *o = &r->now->op_result;

    /* failed[] counts through n_failed: clearing it for each op would cost more than the op. */
    memset(o, 0, offsetof(struct op_result, failed));
    o->blocked_page = MODEL_NO_PAGE;
    r->now->last_caller = NULL;
    for (uint64_t points = r->now->op_points; points; points &= points - 1)
        r->now->op_calls[__builtin_ctzll(points)] = 0;
    r->now->op_points = 0;
}

static void hash_op_end(struct runner *r)
{
    const struct op_result *o = &r->now->op_result;
    const uint64_t words[] = {(uint64_t)o->error | (uint64_t)o->stopped << 32 |
                                  (uint64_t)o->response << 40,
                              o->guest_status, o->data};

    r->hash = hash_words(r->hash, words, sizeof(words) / sizeof(words[0]));
}

/* What the guest and the devices do by themselves: the subject is not asked. */
static bool op_is_data(const struct op *op)
{
    return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_DMA_READ ||
           op->kind == OP_DMA_WRITE;
}

/* Does one op and judges it. */
void judge_op(struct runner *r, const struct op *op)
{
    struct violation v;

    judge_op_reset(r);
    sim_op_begin(r->world);
    model_op_begin(r->model, op);
    if (r->hooks && !op_is_data(op))
        r->hooks->before_op(r);
    execute_op(r, op);
    r->now->op_result.stopped = r->subject->stopped(r->state);
    if (r->hooks && !op_is_data(op))
        r->hooks->after_op(r);
    if (r->broken)
        return;
    feed_after_op(r, !op_is_data(op));
    hash_op_end(r);
    judge_watched(r, WATCH_RETURN, NULL);
    if (!model_after_call(r->model, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    if (!r->broken && !model_op_end(r->model, &r->now->op_result, &v))
        judge_break(r, VERDICT_VIOLATION, &v);
    if (!r->broken)
        judge_watched(r, WATCH_JUDGED, NULL);
}

/* Of a point, or of all points of a group. */
static uint32_t calls_of(const struct runner *r, uint32_t name)
{
    uint64_t points = points_of(name);
    uint32_t n = 0;

    for (uint32_t i = 0; i < POINT_COUNT; i++)
        n += points >> i & 1 ? r->now->op_calls[i] : 0;
    return n;
}

void judge_expects(struct runner *r, uint32_t index)
{
    const struct program *p = r->program;
    struct violation v;

    for (; r->next_expect < p->n_expects && p->expects[r->next_expect].op == index;
         ++r->next_expect) {
        const struct expect *e = &p->expects[r->next_expect];
        uint32_t calls = e->kind == EXPECT_CALLS ? calls_of(r, e->point) : 0;

        if (r->broken || !expect_applies(&p->machine, e) ||
            model_expect(r->model, e, &r->now->op_result, calls, &v))
            continue;
        r->result->line = e->line;
        if (r->hooks)
            r->hooks->unmet(r, e);
        judge_break(r, VERDICT_VIOLATION, &v);
    }
}
