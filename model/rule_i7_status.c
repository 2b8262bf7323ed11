/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I7: the guest is told what became of its hypercall: 0, EINVAL (refused) or EAGAIN. */
#include "model/state.h"

const char rule_i7[] = "I7 guest-status";

bool rule_i7_status(const struct model *o, const struct op_result *r, struct violation *v)
{
    uint64_t want;

    if (o->op.kind != OP_CONVERT || o->op.via != VIA_HYPERCALL || o->plan.free_result)
        return true;
    if (r->undelivered)
        return true; /* there was no exit to serve */
    if (!r->has_status)
        return violate(o, v, rule_i7, MODEL_NO_PAGE, CONTAINER_NONE,
                       "the guest was told nothing");
    switch (o->outcome) {
    case MODEL_DONE:
        want = 0;
        break;
    case MODEL_REJECTED:
        want = EINVAL;
        break;
    default:
        want = EAGAIN;
        break;
    }
    if (r->guest_status == want)
        return true;
    return violate(o, v, rule_i7, MODEL_NO_PAGE, CONTAINER_NONE,
                   "the guest was told %llu, should be %llu",
                   (unsigned long long)r->guest_status, (unsigned long long)want);
}
