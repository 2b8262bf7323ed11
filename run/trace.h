/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrative trace: one line an op, nested lines for its host calls, what came of it. Lines
 * that touched the page in question are marked with '*'. Written as it happens, so that a
 * crash still leaves the story up to it.
 */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include <stdio.h>

#include "run/runner.h"

struct trace {
    struct watch watch; /* for runner_run */
    FILE *out;
    uint32_t mark_page; /* guest page, or MODEL_NO_PAGE */
    bool brief;         /* without the axes, and calls that went well and name no page */

    uint64_t mark_seen; /* hash of what the marked page showed last */
    uint32_t n_calls;   /* of the op, so far */
    bool built;
    bool returned, failed; /* the op has returned; one of its calls has failed */
};

void trace_init(struct trace *t, FILE *out, uint32_t mark_page, bool brief);

#endif
