/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/probe.h"

#include <string.h>

#include "run/judge.h"

void probe_retry(struct runner *r, const struct op *op)
{
    struct op_result saved = r->now->op_result;
    uint32_t saved_calls[POINT_COUNT];
    uint64_t saved_hash = r->hash, saved_points = r->now->op_points;

    if (sim_snapshot_take(r->world, &r->snapshot)) {
        judge_break_plain(r, VERDICT_HARNESS, "harness", "no memory for a snapshot");
        return;
    }
    memcpy(saved_calls, r->now->op_calls, sizeof(saved_calls));
    judge_watched(r, WATCH_AGAIN, NULL);
    sim_fault_disarm_all(r->world);
    r->probing = true;
    judge_op(r, op);
    if (!r->broken && model_outcome(r->model) != MODEL_DONE)
        judge_break_plain(r, VERDICT_VIOLATION, "O8 retry-heals", "expected success");
    r->probing = false;
    if (r->broken)
        return;
    sim_snapshot_restore(r->world, &r->snapshot);
    r->now->op_result = saved;
    memcpy(r->now->op_calls, saved_calls, sizeof(saved_calls));
    r->now->op_points = saved_points;
    r->hash = saved_hash;
    judge_watched(r, WATCH_BACK, NULL);
}

bool probe_wanted(struct runner *r, const struct op *op)
{
    return model_outcome(r->model) == MODEL_UNDONE && r->now->op_result.n_failed > 0 &&
           (r->subject->capabilities & SUBJECT_CAN_SNAPSHOT) &&
           model_retry_must_succeed(r->model, op);
}
