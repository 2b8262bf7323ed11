/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed outcomes 3b and 5: an op that failed, or was refused, leaves the old state. */
#include "model/state.h"

const char rule_o5[] = "O5 old-state";

/* A touch of a neighbour brings a page's shared side, also where a reset's drop was made up for
 * before. */
static bool may_be_huge(const struct model *o, const struct page_change *c)
{
    uint32_t home = o->info[c->slot].home;

    return (o->info[c->slot].kind & SLOT_HUGE) && page_is_private(o, home) &&
           (!c->pre.shared_frame || (o->state[home] & PAGE_DEBT));
}

static bool page_restored(const struct model *o, const struct page_change *c, bool debt_allowed,
                          struct violation *v)
{
    const struct view_page *now = &o->slots[c->slot].seen;
    bool is_private = page_is_private(o, o->info[c->slot].home);
    uint32_t live = is_private ? now->private_frame : now->shared_frame;
    uint32_t live_pre = is_private ? c->pre.private_frame : c->pre.shared_frame;
    uint32_t other = is_private ? now->shared_frame : now->private_frame;
    uint32_t other_pre = is_private ? c->pre.shared_frame : c->pre.private_frame;

    if (now->is_private != c->pre.is_private || now->is_populated != c->pre.is_populated)
        return violate(o, v, rule_o5, c->slot, CONTAINER_NONE,
                       "attribute %u, tracker %u; were %u, %u", now->is_private,
                       now->is_populated, c->pre.is_private, c->pre.is_populated);
    if (live_pre && live != live_pre)
        return violate(o, v, rule_o5, c->slot, CONTAINER_NONE, "its frame was %u, is %u",
                       live_pre, live);
    /* An old side that a failed drop had left may vanish at any time. */
    if (other && other != other_pre && !debt_allowed && !may_be_huge(o, c))
        return violate(o, v, rule_o5, c->slot, CONTAINER_NONE,
                       "frame %u on the %s side was not there before", other,
                       is_private ? "shared" : "private");
    return rule_s6_frames(o, c, v);
}

static bool mapping_restored(const struct model *o, const struct map_change *c,
                             struct violation *v)
{
    const struct view_mapping *now = &o->containers[c->container].maps[c->slot].seen;

    if (now->frame == c->pre.frame && (!now->frame || now->access == c->pre.access))
        return true;
    return violate(o, v, rule_o5, c->slot, c->container,
                   "mapped frame was %u (access %#x), is %u (%#x)", c->pre.frame, c->pre.access,
                   now->frame, now->access);
}

bool rule_o5_old_state(const struct model *o, const struct op_result *r, struct violation *v)
{
    bool debt_allowed = failed_drops(r) > 0;

    for (uint32_t i = 0; i < o->n_changes; i++)
        if (!page_restored(o, &o->changes[i], debt_allowed, v))
            return false;
    for (uint32_t i = 0; i < o->n_map_changes; i++)
        if (!mapping_restored(o, &o->map_changes[i], v))
            return false;
    if (o->totals.fds != o->pre_totals.fds || o->totals.vmas != o->pre_totals.vmas)
        return violate(o, v, rule_o5, MODEL_NO_PAGE, CONTAINER_NONE,
                       "fds %u, vmas %u; were %u, %u", o->totals.fds, o->totals.vmas,
                       o->pre_totals.fds, o->pre_totals.vmas);
    return true;
}
