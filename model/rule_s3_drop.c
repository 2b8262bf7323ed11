/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S3: a side is dropped or replaced only while the attribute names the other one, or while the
 * page is unplugged; in place, where both are one, only then. */
#include "model/state.h"

const char rule_s3[] = "S3 live-side-dropped";

bool rule_s3_drop(const struct model *o, uint32_t slot, const struct view_page *old,
                  struct violation *v)
{
    const struct view_page *now = &o->slots[slot].seen;

    assert(slot < o->n_slots);
    if (!now->is_plugged || plan_renews(o, slot)) /* renewed: a reset, a region that goes */
        return true;
    if (o->in_place && (o->info[slot].kind & SLOT_GMEM)) {
        if (!view_frame(old) || view_frame(old) == view_frame(now))
            return true;
        return violate(o, v, rule_s3, slot, CONTAINER_NONE, "its only frame %u went (now %u)",
                       view_frame(old), view_frame(now));
    }
    if (old->shared_frame && now->shared_frame != old->shared_frame && !now->is_private)
        return violate(o, v, rule_s3, slot, CONTAINER_NONE,
                       "shared frame %u went (now %u) while the page is shared",
                       old->shared_frame, now->shared_frame);
    if (old->private_frame && now->private_frame != old->private_frame && now->is_private)
        return violate(o, v, rule_s3, slot, CONTAINER_NONE,
                       "private frame %u went (now %u) while the page is private",
                       old->private_frame, now->private_frame);
    return true;
}
