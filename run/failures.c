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

void failures_note(struct runner *r, const struct sim_call *call, bool made_good)
{
    struct op_result *o = &r->op_result;

    if (o->n_failed < MODEL_FAILED_MAX)
        o->failed[o->n_failed] =
            (struct failed_call){.point = call->point,
                                 .error = (uint16_t)call->error,
                                 .injected = call->injected,
                                 .late = call->late,
                                 .in_undo = call->in_undo,
                                 .is_drop = call_drops(call->point),
                                 .made_good = made_good || is_question(r, call)};
    if (o->n_failed < MODEL_FAILED_MAX)
        r->failed_call[o->n_failed] = *call;
    o->n_failed++;
}

/* A fault may come after the effect: then the kernel's "exists already" to the same mapping
 * tells that it is there, and iommufd's "no such thing" to the same unmap that it is gone. */
static bool tells_done(const struct sim_call *call)
{
    if (!call->failed || call->injected)
        return false;
    return call->error == EEXIST ||
           (call->error == ENOENT && call->point == POINT_IOMMUFD_UNMAP);
}

/* Is it the same as one that failed, once more? */
bool failures_note_retry(struct runner *r, const struct sim_call *call)
{
    struct op_result *o = &r->op_result;
    uint32_t n = o->n_failed < MODEL_FAILED_MAX ? o->n_failed : MODEL_FAILED_MAX;
    bool done = tells_done(call), proof = false;

    if (!call_can_be_retried(call->point))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_call *before = &r->failed_call[i];

        if (before->point != call->point || before->container != call->container ||
            memcmp(before->arg, call->arg, sizeof(call->arg)) != 0)
            continue;
        o->failed[i].retried = true;
        if (done && before->late)
            proof = true;
        if (!call->failed || (done && before->late))
            o->failed[i].made_good = true;
    }
    return proof;
}
