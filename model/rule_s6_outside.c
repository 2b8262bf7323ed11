/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S6: K, T, what is plugged, and M outside what the op was asked about do not change, not even
 * for a moment; no page comes into being there either. */
#include "model/state.h"

const char rule_s6[] = "S6 outside-request";

bool rule_s6_page(const struct model *o, uint32_t slot, const struct view_page *old,
                  struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen;

    if (now->is_plugged != old->is_plugged && !plan_plugs(o, slot) && !plan_renews(o, slot))
        return violate(o, v, rule_s6, slot, CONTAINER_NONE, "it became %s, nobody asked",
                       now->is_plugged ? "plugged" : "unplugged");
    if (plan_changes(o, slot) ||
        (now->is_private == old->is_private && now->is_populated == old->is_populated))
        return true;
    if (now->is_private != old->is_private)
        return violate(o, v, rule_s6, slot, CONTAINER_NONE, "attribute became %s, nobody asked",
                       now->is_private ? "private" : "shared");
    return violate(o, v, rule_s6, slot, CONTAINER_NONE, "tracker became %s, nobody asked",
                   now->is_populated ? "shared" : "private");
}

bool rule_s6_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v)
{
    assert(slot < o->n_slots);
    if (plan_maps(o, container, slot))
        return true;
    return violate(o, v, rule_s6, slot, container, "its mapping changed, nobody asked");
}

bool rule_s6_frames(const struct model *o, const struct page_change *c, struct violation *v)
{
    const struct view_page *now = &o->slots[c->slot].seen;
    bool shared = now->shared_frame && !c->pre.shared_frame;
    bool private = now->private_frame && !c->pre.private_frame;

    if (o->in_place && view_frame(&c->pre)) /* at most it shows on the other side now */
        return true;
    if (!shared && !private)
        return true;
    if (plan_touches(o, c->slot) || (shared && !private && plan_touches_huge(o, c->slot)))
        return true;
    return violate(o, v, rule_s6, c->slot, CONTAINER_NONE,
                   "frames were %u and %u, are %u and %u, nobody touched it",
                   c->pre.shared_frame, c->pre.private_frame, now->shared_frame,
                   now->private_frame);
}
