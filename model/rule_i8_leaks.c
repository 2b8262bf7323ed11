/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I8: tear-down leaves nothing. */
#include "model/state.h"

const char rule_i8[] = "I8 leak";

bool rule_i8_leaks(const struct model *o, struct violation *v)
{
    const struct view_totals *t = &o->totals;

    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];

        if (c->seen.open || c->mapped || c->seen.entries || c->seen.pins)
            return violate(o, v, rule_i8, MODEL_NO_PAGE, i, "%s, %llu pages mapped, %u entries",
                           c->seen.open ? "still open" : "closed",
                           (unsigned long long)c->mapped, c->seen.entries);
    }
    if (t->pins || t->locked_pages || t->fds || t->vmas || t->frames || t->allocations)
        return violate(o, v, rule_i8, MODEL_NO_PAGE, CONTAINER_NONE,
                       "left: pins %llu, locked %llu, fds %u, vmas %u, frames %u, "
                       "allocations %u",
                       (unsigned long long)t->pins, (unsigned long long)t->locked_pages, t->fds,
                       t->vmas, t->frames, t->allocations);
    return true;
}
