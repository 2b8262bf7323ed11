/* SPDX-License-Identifier: GPL-2.0-or-later */
/* V1: a plugged page starts empty, whatever the guest touched while it was unplugged; an
 * unplugged one has lost both its sides, or what a failed drop left. (That it starts private is
 * I3's: an unplug makes it so.) */
#include "model/state.h"

const char rule_v1[] = "V1 plugged-empty";

/* By being mapped: it is shared, and somebody listens. */
static bool may_be_touched(const struct model *o, uint32_t slot)
{
    uint32_t home = o->info[slot].home;
    bool heard = false;

    if (o->info[slot].kind & SLOT_HUGE) /* or another page of its huge page was */
        return true;
    for (uint32_t c = 0; c < o->m->n_containers; c++)
        heard |= container_hears(&o->containers[c], home);
    return heard && !(o->state[home] & (PAGE_PRIVATE | PAGE_HELD));
}

bool rule_v1_plugged(const struct model *o, uint32_t slot, struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen, *pre = slot_pre(o, slot);

    assert(page_is_unplugged(o, o->info[slot].home));
    if (now->private_frame)
        return violate(o, v, rule_v1, slot, CONTAINER_NONE, "it starts with private frame %u",
                       now->private_frame);
    if (now->shared_frame &&
        (now->shared_frame == pre->shared_frame || !may_be_touched(o, slot)))
        return violate(o, v, rule_v1, slot, CONTAINER_NONE,
                       "it starts with shared frame %u, was %u", now->shared_frame,
                       pre->shared_frame);
    return true;
}

/* One side of the pages: the first one that has kept its frame, or MODEL_NO_PAGE. */
static uint32_t first_left(const struct model *o, uint32_t lo, uint32_t hi, bool private_side)
{
    for (uint32_t i = lo; i < hi; i++)
        if (private_side ? o->slots[i].seen.private_frame : o->slots[i].seen.shared_frame)
            return i;
    return MODEL_NO_PAGE;
}

bool rule_v1_unplugged(const struct model *o, uint32_t lo, uint32_t hi, uint32_t failed_drops,
                       struct violation *v)
{
    uint32_t left[2] = {first_left(o, lo, hi, false), first_left(o, lo, hi, true)};
    uint32_t n = (left[0] != MODEL_NO_PAGE) + (left[1] != MODEL_NO_PAGE);
    bool side = left[0] == MODEL_NO_PAGE;

    if (n <= failed_drops)
        return true;
    return violate(o, v, rule_v1, left[side], CONTAINER_NONE,
                   "unplugged, but its %s side is still there; %u drops failed",
                   side ? "private" : "shared", failed_drops);
}
