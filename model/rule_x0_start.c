/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X0: a machine just built is in the start state: all that can be private is private, no page
 * has come into being, no container is open. */
#include "model/state.h"

const char rule_x0[] = "X0 start-state";

bool rule_x0_start(const struct model *o, struct violation *v)
{
    for (uint32_t i = 0; i < o->n_slots; i++) {
        const struct view_page *s = &o->slots[i].seen;

        if (slot_is_plain_private(o, i) && !s->private_frame)
            continue;
        if (!rule_i3_page(o, i, v))
            return false;
        if (s->shared_frame || s->private_frame)
            return violate(o, v, rule_x0, i, CONTAINER_NONE, "has frames %u and %u already",
                           s->shared_frame, s->private_frame);
    }
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        if (o->containers[i].seen.open || o->containers[i].mapped)
            return violate(o, v, rule_x0, MODEL_NO_PAGE, i, "is open already");
    return rule_s5_counts(o, v);
}
