/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allowed outcomes 1, 3b and 4 (design.md section 6): how an op may fail. O1: refused exactly
 * where the decision table says so, and with no host call that has an effect. O2: what nothing
 * hinders succeeds. O3: the error is the one of the first call that failed for good. O4: the
 * kernel's own refusals excuse nothing where the target fits. O9: where nothing is to be done,
 * nothing is done.
 */
#include "model/state.h"

const char rule_o1[] = "O1 refusal";
const char rule_o2[] = "O2 must-succeed";
const char rule_o3[] = "O3 wrong-error";
const char rule_o4[] = "O4 limit-excuse";
const char rule_o9[] = "O9 nothing-to-do";

static uint32_t n_recorded(const struct op_result *r)
{
    return r->n_failed < MODEL_FAILED_MAX ? r->n_failed : MODEL_FAILED_MAX;
}

bool failed_by_fault(const struct op_result *r)
{
    for (uint32_t i = 0; i < n_recorded(r); i++)
        if (r->failed[i].injected)
            return true;
    return r->n_failed > MODEL_FAILED_MAX;
}

/* A signal, or what may be otherwise in a moment: no failure until it was tried once more. */
static bool gave_up_at_once(const struct failed_call *f)
{
    return f->injected && (f->error == EINTR || f->error == EAGAIN) && !f->retried &&
           !f->made_good;
}

/* What was there before an op can be had again: where the kernel itself refuses that, the undo
 * asks for something else. Memory alone may have gone to somebody else meanwhile. */
static bool is_own_mistake(const struct failed_call *f)
{
    return !f->injected && f->error != ENOMEM;
}

/* A failure that came after the effect is no reason to give up: trying again shows it. */
bool failed_in_undo(const struct op_result *r)
{
    for (uint32_t i = 0; i < n_recorded(r); i++) {
        const struct failed_call *f = &r->failed[i];

        if (f->in_undo && !f->made_good && !is_own_mistake(f) && !gave_up_at_once(f) &&
            (!f->late || f->retried))
            return true;
    }
    return r->n_failed > MODEL_FAILED_MAX;
}

uint32_t failed_drops(const struct op_result *r)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_recorded(r); i++)
        n += r->failed[i].is_drop && !r->failed[i].made_good && !gave_up_at_once(&r->failed[i]);
    return r->n_failed > MODEL_FAILED_MAX ? UINT32_MAX : n;
}

/* The first failure that was not made good: why the op failed. NULL: none. */
static const struct failed_call *first_failure(const struct op_result *r)
{
    for (uint32_t i = 0; i < n_recorded(r); i++)
        if (!r->failed[i].made_good)
            return &r->failed[i];
    return NULL;
}

/* The op's error is that of its first failure; where this was tried again and failed again,
 * either will do. */
static bool is_first_error(const struct op_result *r, int error)
{
    for (uint32_t i = 0; i < n_recorded(r); i++) {
        if (r->failed[i].made_good)
            continue;
        if (r->failed[i].error == error)
            return true;
        if (!r->failed[i].retried)
            return false;
    }
    return r->n_failed > MODEL_FAILED_MAX;
}

/* Is `error` the answer of a call that failed? */
static bool failed_with(const struct op_result *r, int error)
{
    for (uint32_t i = 0; i < n_recorded(r); i++)
        if (r->failed[i].error == error)
            return true;
    return r->n_failed > MODEL_FAILED_MAX;
}

bool rule_o1_refused(const struct model *o, const struct op_result *r, struct violation *v)
{
    assert(o->plan.refused);
    if (r->n_calls)
        return violate(o, v, rule_o1, MODEL_NO_PAGE, CONTAINER_NONE,
                       "must be refused with %s, but made %u calls",
                       errno_name(o->plan.refused), r->n_calls);
    if (r->error == o->plan.refused ||
        (r->error && failed_by_fault(r) && failed_with(r, r->error)))
        return true;
    if (r->error == 0 && o->plan.free_result)
        return true;
    return violate(o, v, rule_o1, MODEL_NO_PAGE, CONTAINER_NONE,
                   "must be refused with %s, returned %s", errno_name(o->plan.refused),
                   errno_name(r->error));
}

static bool tried_again(const struct model *o, const struct failed_call *first,
                        struct violation *v)
{
    if (!first || !gave_up_at_once(first))
        return true;
    return violate(o, v, rule_o2, MODEL_NO_PAGE, CONTAINER_NONE,
                   "a call returned %s, and was not tried again", errno_name(first->error));
}

bool rule_failed(const struct model *o, const struct op_result *r, struct violation *v)
{
    const struct failed_call *first = first_failure(r);
    bool by_fault = first ? first->injected : r->n_failed > MODEL_FAILED_MAX;
    struct need need = plan_need(o, &o->plan);

    assert(r->error && !o->plan.refused);
    if (o->plan.kind == OP_DETACH)
        return violate(o, v, rule_o2, MODEL_NO_PAGE, CONTAINER_NONE,
                       "a detach always succeeds, returned %s", errno_name(r->error));
    if (!by_fault && !need.too_many_entries && !need.too_much_locked &&
        need.in_use == MODEL_NO_PAGE)
        return violate(o, v, r->n_failed ? rule_o4 : rule_o2, MODEL_NO_PAGE, CONTAINER_NONE,
                       r->n_failed ? "the target fits, but it returned %s"
                                   : "nothing failed, but it returned %s",
                       errno_name(r->error));
    if (!tried_again(o, first, v) || (need.too_many_entries && !rule_o12_limit_first(o, r, v)))
        return false;
    if (is_first_error(r, r->error) || (need.too_many_entries && r->error == ENOSPC) ||
        (need.too_much_locked && r->error == ENOMEM))
        return true;
    return violate(o, v, rule_o3, MODEL_NO_PAGE, CONTAINER_NONE,
                   "returned %s; %u calls failed, the first for good with %s",
                   errno_name(r->error), r->n_failed, errno_name(first ? first->error : 0));
}

/* A conversion that found all its pages as they should be. An old drop that failed may be tried
 * again, also where the model knows of no page that is left. */
bool rule_o9_idle(const struct model *o, const struct op_result *r, struct violation *v)
{
    assert(o->plan.kind == OP_CONVERT);
    if (o->pages_changed || r->n_calls == 0 || o->drop_failed || failed_drops(r))
        return true;
    return violate(o, v, rule_o9, MODEL_NO_PAGE, CONTAINER_NONE,
                   "no page had to change, but it made %u calls", r->n_calls);
}

/* A signal is no error to the one who runs a vCPU. */
static bool ended_by_signal(const struct op_result *r)
{
    uint32_t n = n_recorded(r);

    return n > 0 && r->failed[n - 1].error == EINTR;
}

/* The guest never came to its request: only a fault in running it can do that, and then
 * nothing was asked and nothing may have been done. */
bool rule_undelivered(const struct model *o, const struct op_result *r, struct violation *v)
{
    if (r->n_calls || !failed_by_fault(r))
        return violate(o, v, rule_o2, MODEL_NO_PAGE, CONTAINER_NONE,
                       "the vCPU did not come to its request, %u calls were made", r->n_calls);
    if (!tried_again(o, first_failure(r), v))
        return false;
    if (r->error ? failed_with(r, r->error) : ended_by_signal(r))
        return true;
    return violate(o, v, rule_o3, MODEL_NO_PAGE, CONTAINER_NONE,
                   "returned %s, no failed call said so", errno_name(r->error));
}
