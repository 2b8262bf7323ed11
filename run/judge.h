/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How one op of a running program is judged: the model looks after every host call and when the
 * op has returned. What does not hold is the verdict in r->result, and r->broken.
 */
#ifndef RUN_JUDGE_H
#define RUN_JUDGE_H

#include "run/runner.h"

/* Whoever looks on is told. */
void judge_watched(struct runner *r, enum watch_event event, const struct sim_call *call);

/* The run ends with this verdict, unless it has one already. */
void judge_break(struct runner *r, enum verdict verdict, const struct violation *v);
/* The same where no page is to blame. */
void judge_break_plain(struct runner *r, enum verdict verdict, const char *rule,
                       const char *detail);

/* The world's sim_call_fn; ctx is the runner. */
void judge_call(void *ctx, const struct sim_call *call);

/* Nothing has come of the op yet. */
void judge_op_reset(struct runner *r);

/* Does one op and judges it. */
void judge_op(struct runner *r, const struct op *op);

/* The expectations of op `index`. */
void judge_expects(struct runner *r, uint32_t index);

#endif
