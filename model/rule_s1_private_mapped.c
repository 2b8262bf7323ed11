/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S1: no mapping shows a private frame, of this page or of any other; and the kernel calls a
 * page shared as long as it is mapped, but where order=attribute-first makes it private (in
 * place there is one frame, and no instant in between). */
#include "model/state.h"

const char rule_s1[] = "S1 private-page-mapped";

bool rule_s1_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v)
{
    uint32_t frame = o->containers[container].maps[slot].seen.frame;

    assert(frame != 0);
    /* The own page first: that is what goes wrong, if anything. */
    if (o->slots[slot].seen.private_frame == frame)
        return violate(o, v, rule_s1, slot, container,
                       "the device reaches frame %u, this page's private side", frame);
    for (uint32_t i = 0; i < o->n_slots; i++)
        if (o->slots[i].seen.private_frame == frame)
            return violate(o, v, rule_s1, slot, container,
                           "the device reaches frame %u, the private side of page %u", frame,
                           o->info[i].home);
    return true;
}

/* To shared the attribute comes first and goes last; to private the order says. */
static bool attribute_may_be_early(const struct model *o)
{
    return o->plan.kind == OP_CONVERT && o->plan.to_private && !o->in_place &&
           o->m->axis[AXIS_order] == ORDER_ATTRIBUTE_FIRST;
}

bool rule_s1_attribute(const struct model *o, uint32_t container, uint32_t slot,
                       struct violation *v)
{
    assert(o->containers[container].maps[slot].seen.frame != 0);
    if (!o->slots[slot].seen.is_private || attribute_may_be_early(o))
        return true;
    return violate(o, v, rule_s1, slot, container,
                   "the attribute says private while the device reaches frame %u",
                   o->containers[container].maps[slot].seen.frame);
}
