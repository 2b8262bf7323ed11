/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allowed outcome 3c. O7: the VM may stop only when a conversion fails and failure=stop, or
 * when an undo failed itself. O10: with failure=stop a conversion that fails does stop. O6:
 * once stopped, everything answers EIO and does nothing.
 */
#include "model/state.h"

const char rule_o6[] = "O6 after-stop";
const char rule_o7[] = "O7 must-not-stop";
const char rule_o10[] = "O10 must-stop";

bool rule_o6_after_stop(const struct model *o, const struct op_result *r, struct violation *v)
{
    assert(o->stopped);
    if (!r->stopped)
        return violate(o, v, rule_o6, MODEL_NO_PAGE, CONTAINER_NONE, "it runs again");
    if (o->op.kind == OP_FAULT || o->op.kind == OP_DISARM)
        return true;
    if (r->error != EIO)
        return violate(o, v, rule_o6, MODEL_NO_PAGE, CONTAINER_NONE,
                       "must return EIO, returned %s", errno_name(r->error));
    if (r->n_calls)
        return violate(o, v, rule_o6, MODEL_NO_PAGE, CONTAINER_NONE, "made %u host calls",
                       r->n_calls);
    for (uint32_t i = 0; i < o->n_changes; i++)
        if (!rule_s6_frames(o, &o->changes[i], v))
            return false;
    return true;
}

static bool kind_may_stop(uint8_t kind)
{
    return kind == OP_CONVERT || kind == OP_ATTACH || kind == OP_LISTEN ||
           kind == OP_UNLISTEN || kind == OP_PLUG || kind == OP_UNPLUG ||
           kind == OP_UNPLUG_ALL || kind == OP_REMOVE || kind == OP_ADD || kind == OP_RESET ||
           kind == OP_GUARD || kind == OP_SOURCE_ADD || kind == OP_SOURCE_REMOVE;
}

bool rule_o7_may_stop(const struct model *o, const struct op_result *r, struct violation *v)
{
    bool policy = o->m->axis[AXIS_failure] == FAILURE_STOP && o->plan.kind == OP_CONVERT;

    assert(r->stopped && !o->stopped);
    if (!r->error || !kind_may_stop(o->plan.kind))
        return violate(o, v, rule_o7, MODEL_NO_PAGE, CONTAINER_NONE,
                       "stopped by an op that cannot stop it (returned %s)",
                       errno_name(r->error));
    if (!policy && !failed_in_undo(r))
        return violate(o, v, rule_o7, MODEL_NO_PAGE, CONTAINER_NONE,
                       "stopped, but no undo failed and failure=rollback");
    if (o->plan.refused && !failed_by_fault(r))
        return violate(o, v, rule_o7, MODEL_NO_PAGE, CONTAINER_NONE,
                       "stopped by a request that must be refused");
    return o->plan.refused || rule_failed(o, r, v);
}

bool rule_o10_must_stop(const struct model *o, const struct op_result *r, struct violation *v)
{
    assert(r->error && !r->stopped);
    if (o->plan.kind != OP_CONVERT || o->m->axis[AXIS_failure] != FAILURE_STOP)
        return true;
    if (o->plan.goes_on) /* no conversion was asked for: it was the vCPU that failed */
        return true;
    return violate(o, v, rule_o10, MODEL_NO_PAGE, CONTAINER_NONE,
                   "failure=stop, the conversion returned %s and the VM goes on",
                   errno_name(r->error));
}
