/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I4: one live backing a page. The other side is gone, or is debt that a failed drop left;
 * the side that holds live data stays the one that it was. */
#include "model/state.h"

const char rule_i4[] = "I4 two-backings";

static uint32_t side(const struct view_page *p, bool private_side)
{
    return private_side ? p->private_frame : p->shared_frame;
}

/* What hugetlb holds of the shared side stays, whoever lives in the page; but for what a reset
 * could not drop. */
static bool huge_side_kept(const struct model *o, uint32_t slot, struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);

    assert(o->info[slot].kind & SLOT_HUGE);
    if (!pre->shared_frame || (o->state[o->info[slot].home] & (PAGE_DEBT | PAGE_UNPLUGGED)) ||
        now->shared_frame == pre->shared_frame)
        return true;
    return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                   "frame %u of its huge page was dropped, now %u", pre->shared_frame,
                   now->shared_frame);
}

/* Is a frame on the side where nobody lives right? */
static bool may_stay(const struct model *o, uint32_t slot, bool private_side)
{
    return !private_side && (o->info[slot].kind & SLOT_HUGE);
}

/* A page that did not change sides in this op. */
static bool live_side_kept(const struct model *o, uint32_t slot, struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);
    bool live = page_is_private(o, o->info[slot].home);

    if (!side(pre, live) || side(now, live) == side(pre, live))
        return true;
    return violate(o, v, rule_i4, slot, CONTAINER_NONE, "its live frame %u was replaced by %u",
                   side(pre, live), side(now, live));
}

/* An unplugged page has no live side: either may vanish, neither is replaced. What comes into
 * being is S6's concern. */
static bool dead_sides_kept(const struct model *o, uint32_t slot, struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);

    for (int s = 0; s < 2; s++)
        if (side(now, s) && side(pre, s) && side(now, s) != side(pre, s))
            return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                           "it is unplugged, and its frame %u was replaced by %u", side(pre, s),
                           side(now, s));
    return true;
}

bool rule_i4_page(const struct model *o, uint32_t slot, bool debt_allowed, struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);
    uint32_t home = o->info[slot].home;
    bool other = !page_is_private(o, home);

    if (o->info[slot].kind & SLOT_ABSENT)
        return rule_i4_renewed(o, slot, false, v);
    if (page_is_unplugged(o, home))
        return dead_sides_kept(o, slot, v);
    if (!live_side_kept(o, slot, v) ||
        ((o->info[slot].kind & SLOT_HUGE) && !huge_side_kept(o, slot, v)))
        return false;
    if (!side(now, other) || debt_allowed || may_stay(o, slot, other))
        return true;
    if (side(now, other) == side(pre, other) && (o->state[home] & PAGE_DEBT))
        return true;
    return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                   "it is %s and has a %s frame %u too, was %u", other ? "shared" : "private",
                   other ? "private" : "shared", side(now, other), side(pre, other));
}

/* A page of a conversion that succeeded; the abstract state is the new one already. */
bool rule_i4_converted(const struct model *o, uint32_t slot, bool flipped, bool debt_allowed,
                       struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);
    uint32_t home = o->info[slot].home;
    bool live = page_is_private(o, home);

    if (!flipped && !(page_is_unplugged(o, home) ? dead_sides_kept(o, slot, v)
                                                 : live_side_kept(o, slot, v)))
        return false; /* unplugged: the request may have paid its debt */
    if ((o->info[slot].kind & SLOT_HUGE) && !huge_side_kept(o, slot, v))
        return false;
    if (flipped && !may_stay(o, slot, live) && side(pre, live) &&
        side(now, live) == side(pre, live))
        return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                       "frame %u, left by a failed drop, came back to life", side(pre, live));
    if (!side(now, !live) || may_stay(o, slot, !live))
        return true;
    if (!debt_allowed || side(now, !live) != side(pre, !live))
        return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                       "now %s, its %s frame %u was not dropped (was %u)",
                       live ? "private" : "shared", live ? "shared" : "private",
                       side(now, !live), side(pre, !live));
    return true;
}

bool rule_i4_renewed(const struct model *o, uint32_t slot, bool debt_allowed,
                     struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);

    if (!now->private_frame && !now->shared_frame)
        return true;
    if (!now->private_frame && debt_allowed && now->shared_frame == pre->shared_frame)
        return true;
    if (o->plan.kind == OP_ADD && !(o->info[slot].kind & SLOT_GMEM))
        return true; /* mapped at once; S6 says by whom */
    return violate(o, v, rule_i4, slot, CONTAINER_NONE,
                   "must be empty, has frames %u and %u (were %u and %u)", now->shared_frame,
                   now->private_frame, pre->shared_frame, pre->private_frame);
}

/* One failed drop excuses what one drop would have taken: pages in a row. */
bool rule_i4_left(const struct model *o, uint32_t stretches, uint32_t failed_drops,
                  struct violation *v)
{
    if (stretches <= failed_drops)
        return true;
    return violate(o, v, rule_i4, MODEL_NO_PAGE, CONTAINER_NONE,
                   "%u stretches kept their old side, but only %u drops failed", stretches,
                   failed_drops);
}
