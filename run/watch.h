/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks on while a program runs: the story, a picture, the history of a page. A watch is
 * told of each step once the model has seen what it changed, and asks the runner and its model
 * for the rest. It changes nothing, so that a run is the same with it and without.
 */
#ifndef RUN_WATCH_H
#define RUN_WATCH_H

#include "sim/sim.h"

struct runner;

enum watch_event {
    WATCH_BEGIN,    /* nothing is built yet, there is no model */
    WATCH_BUILT,    /* the start state was seen */
    WATCH_OP,       /* op r->result->op begins */
    WATCH_CALL,     /* a host call was answered */
    WATCH_RETURN,   /* the op has returned: r->now->op_result */
    WATCH_JUDGED,   /* and that was right: model_outcome */
    WATCH_AGAIN,    /* after WATCH_JUDGED: the same op again on a copy, without faults */
    WATCH_BACK,     /* that is over, all is as it was before it */
    WATCH_TEARDOWN, /* after the last op */
    WATCH_BROKEN,   /* the program is not good: r->result. Nothing more is seen, but the op that
                       is under way may make more calls */
};

struct watch {
    /* `call` is NULL for all but WATCH_CALL. */
    void (*see)(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call);
};

#endif
