/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed outcomes 3b and 5: an op that failed, or was refused, leaves the old state. */
#include "model/state.h"

const char rule_o5[] = "O5 old-state";

/* A touch of a neighbour brings a page's shared side, also where a reset's drop was made up for
 * before. */
static bool may_be_huge(const struct model *o, const struct page_change *c)
{
    uint32_t home = o->info[c->slot].home;

    return (o->info[c->slot].kind & SLOT_HUGE) && !page_is_visible(o, home) &&
           (!c->pre.shared_frame || (o->state[home] & PAGE_DEBT));
}

static bool sides_restored(const struct model *o, const struct page_change *c,
                           bool debt_allowed, struct violation *v)
{
    uint32_t home = o->info[c->slot].home;
    const struct view_page *now = &o->slots[c->slot].seen;
    const uint32_t frames[2] = {now->shared_frame, now->private_frame};
    const uint32_t frames_pre[2] = {c->pre.shared_frame, c->pre.private_frame};

    for (int side = 0; side < 2; side++) {
        uint32_t frame = frames[side], pre = frames_pre[side];

        bool is_live = side == page_is_private(o, home);

        /* An access that does not exit touches a page, also one that is unplugged. */
        if (is_live && (!page_is_unplugged(o, home) || o->plan.goes_on)) {
            if (pre && frame != pre)
                return violate(o, v, rule_o5, c->slot, CONTAINER_NONE,
                               "its frame was %u, is %u", pre, frame);
        } else if (frame && frame != pre && !debt_allowed &&
                   !(side == 0 && may_be_huge(o, c))) {
            /* An old side that a failed drop had left may vanish at any time. */
            return violate(o, v, rule_o5, c->slot, CONTAINER_NONE,
                           "frame %u on the %s side was not there before", frame,
                           side ? "private" : "shared");
        }
    }
    return true;
}

static const char *side_name(uint32_t is_private)
{
    return is_private ? "private" : "shared";
}

static bool page_restored(const struct model *o, const struct page_change *c, bool debt_allowed,
                          struct violation *v)
{
    const struct view_page *now = &o->slots[c->slot].seen;

    if (now->is_private != c->pre.is_private || now->is_populated != c->pre.is_populated ||
        now->is_plugged != c->pre.is_plugged)
        return violate(o, v, rule_o5, c->slot, CONTAINER_NONE,
                       "attribute %s, tracker %s%s; were %s, %s%s", side_name(now->is_private),
                       side_name(!now->is_populated), now->is_plugged ? "" : ", unplugged",
                       side_name(c->pre.is_private), side_name(!c->pre.is_populated),
                       c->pre.is_plugged ? "" : ", unplugged");
    return sides_restored(o, c, debt_allowed, v) && rule_s6_frames(o, c, v);
}

static bool mapping_restored(const struct model *o, const struct map_change *c,
                             struct violation *v)
{
    const struct view_mapping *now = &o->containers[c->container].maps[c->slot].seen;

    if (now->frame == c->pre.frame && (!now->frame || now->access == c->pre.access))
        return true;
    if (!now->frame || !c->pre.frame)
        return violate(o, v, rule_o5, c->slot, c->container,
                       now->frame ? "mapped to frame %u, was not mapped"
                                  : "not mapped, was mapped to frame %u",
                       now->frame | c->pre.frame);
    return violate(o, v, rule_o5, c->slot, c->container,
                   "mapped to frame %u (access %#x), was to frame %u (%#x)", now->frame,
                   now->access, c->pre.frame, c->pre.access);
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
