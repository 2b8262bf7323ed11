/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame around every host call: record, faults, the checker's turn. */
#include "sim/world.h"

void call_begin(struct sim_world *w, unsigned point, const char *caller, uint64_t a, uint64_t b,
                uint64_t c)
{
    assert(point < POINT_COUNT);
    assert(!w->early_error && !w->late_error);
    w->call_is_exit = false;
    w->call = (struct sim_call){
        .point = (uint16_t)point,
        .in_undo = w->op_failed,
        .arg = {a, b, c},
        .caller = caller,
    };
}

bool call_fails_early(struct sim_world *w)
{
    if (SIM_LIKELY(!(w->armed >> w->call.point & 1)))
        return false;
    fault_decide(w);
    return w->early_error != 0;
}

/* What the fault that was chosen, if any, makes of the result. */
static int64_t apply_fault(struct sim_world *w, int64_t result)
{
    struct sim_call *c = &w->call;
    bool late = w->late_error != 0;
    int error = late ? w->late_error : w->early_error;

    assert(error > 0 && !(w->late_error && w->early_error));
    w->early_error = w->late_error = 0;
    if (late && result < 0)
        return result; /* there was no effect to be late for */
    c->injected = true;
    c->late = late;
    w->faults_fired++;
    return -error;
}

int64_t call_end_quiet(struct sim_world *w, int64_t result)
{
    struct sim_call *c = &w->call;

    if (SIM_UNLIKELY(w->early_error || w->late_error))
        result = apply_fault(w, result);
    if (result >= 0) {
        c->result = result;
        return result;
    }
    assert(result >= INT16_MIN);
    c->error = (int16_t)-result;
    /* What a fault made is never an exit: it came before that. That this kernel does not know
     * an ioctl is an answer; there is no other way to ask. */
    c->failed = !w->call_is_exit && !(c->point == POINT_HOST_IOCTL && c->error == ENOTTY);
    if (c->failed)
        w->op_failed = true;
    return result;
}

int64_t call_end(struct sim_world *w, int64_t result)
{
    result = call_end_quiet(w, result);
    if (w->on_call)
        w->on_call(w->on_call_ctx, &w->call);
    return result;
}
