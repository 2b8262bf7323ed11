/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrative trace: one line an op, nested lines for its host calls, what came of it. Lines
 * that touched the page in question are marked with '*'. Written as it happens, so that a
 * crash still leaves the story up to it.
 */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include <stdio.h>

#include "model/model.h"
#include "program/op.h"
#include "sim/sim.h"

struct trace {
    FILE *out;
    uint32_t mark_page; /* guest page, or MODEL_NO_PAGE */
    const struct program *program;
    uint32_t n_calls; /* of the op, so far */
};

void trace_machine(struct trace *t, const struct program *p);
void trace_op(struct trace *t, uint32_t index, const struct op *op);
/* `touched`: the call changed the marked page. An op that makes thousands of calls shows the
 * first ones, and those that touched. */
void trace_call(struct trace *t, const struct sim_call *call, bool touched);
void trace_op_end(struct trace *t, const struct op_result *r, enum model_outcome outcome);
void trace_note(struct trace *t, const char *text);
void trace_broken(struct trace *t, const char *rule, const char *detail);

/* "ram0[3]", or "page 7" where there is none. */
void trace_page_name(char *buf, size_t size, const struct machine *m, uint32_t page);

#endif
