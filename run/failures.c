/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/failures.h"

#include <errno.h>
#include <string.h>

#include "run/points.h"

static bool call_drops(unsigned point)
{
    return point == POINT_MEMFD_PUNCH || point == POINT_GMEM_PUNCH || point == POINT_MM_MADVISE;
}

/* Calls that an op may well make again after they failed. */
static bool call_can_be_retried(unsigned point)
{
    return call_drops(point) || point == POINT_KVM_RUN || point == POINT_KVM_SET_ATTRIBUTES ||
           point == POINT_GMEM_SET_ATTRIBUTES || point_is_dma(point);
}

/* A map of an address that is no page's can only be meant to be refused: which errno it gets
 * tells whether something is mapped there. */
static bool is_question(const struct runner *r, const struct sim_call *call)
{
    uint64_t mask = machine_page_size(&r->program->machine) - 1;

    return call->point == POINT_IOMMUFD_MAP && (call->arg[2] & mask) && call->failed &&
           !call->injected;
}

/* Nothing is: so whatever the unmaps of that range said, they are done. */
static void unmaps_are_done(struct runner *r, const struct sim_call *question)
{
    struct op_result *o = &r->now->op_result;

    for (uint32_t i = 0; i < o->n_failed && i < MODEL_FAILED_MAX; i++) {
        const struct sim_call *before = &r->now->failed_call[i];

        if (before->point == POINT_IOMMUFD_UNMAP && before->container == question->container &&
            before->arg[0] == question->arg[0] && before->arg[1] == question->arg[1])
            o->failed[i].retried = o->failed[i].made_good = true;
    }
}

void failures_note(struct runner *r, const struct sim_call *call, bool made_good)
{
    struct op_result *o = &r->now->op_result;
    bool question = is_question(r, call);

    if (question && call->error == EINVAL)
        unmaps_are_done(r, call);
    if (o->n_failed < MODEL_FAILED_MAX)
        o->failed[o->n_failed] = (struct failed_call){.point = call->point,
                                                      .error = (uint16_t)call->error,
                                                      .injected = call->injected,
                                                      .late = call->late,
                                                      .in_undo = call->in_undo,
                                                      .is_drop = call_drops(call->point),
                                                      .made_good = made_good || question};
    if (o->n_failed < MODEL_FAILED_MAX)
        r->now->failed_call[o->n_failed] = *call;
    o->n_failed++;
}

/* Is it the same as one that failed, once more? A fault may come after the effect: then the
 * kernel's "exists already" to the same mapping tells that it is there. */
bool failures_note_retry(struct runner *r, const struct sim_call *call)
{
    struct op_result *o = &r->now->op_result;
    uint32_t n = o->n_failed < MODEL_FAILED_MAX ? o->n_failed : MODEL_FAILED_MAX;
    bool exists = call->failed && !call->injected && call->error == EEXIST;
    bool proof = false;

    if (!call_can_be_retried(call->point))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_call *before = &r->now->failed_call[i];

        if (before->point != call->point || before->container != call->container ||
            memcmp(before->arg, call->arg, sizeof(call->arg)) != 0)
            continue;
        o->failed[i].retried = true;
        if (exists && before->late)
            proof = true;
        if (!call->failed || (exists && before->late))
            o->failed[i].made_good = true;
    }
    return proof;
}
