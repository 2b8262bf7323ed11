/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I3: the kernel's attribute and the trackers say what the conversions, and the requests of
 * virtio-mem, made of a page. */
#include "model/state.h"

const char rule_i3[] = "I3 attribute-or-tracker";

bool rule_i3_page(const struct model *o, uint32_t slot, struct violation *v)
{
    const struct slot_info *i = &o->info[slot];
    const struct view_page *s = &o->slots[slot].seen;
    bool want = page_is_private(o, i->home);

    assert(!want || (i->kind & SLOT_GMEM));
    if (i->kind & SLOT_ABSENT) {
        if (!s->is_private && !((i->kind & SLOT_GMEM) && s->is_populated) &&
            !((i->kind & SLOT_VMEM) && s->is_plugged))
            return true;
        return violate(o, v, rule_i3, slot, CONTAINER_NONE,
                       "its region is away, and attribute or tracker still say something");
    }
    if ((i->kind & SLOT_PLACED) && s->is_private != want)
        return violate(o, v, rule_i3, slot, CONTAINER_NONE, "attribute says %s, the page is %s",
                       want ? "shared" : "private", want ? "private" : "shared");
    /* Only pages that can be private have a tracker. */
    if ((i->kind & SLOT_GMEM) && s->is_populated == want)
        return violate(o, v, rule_i3, slot, CONTAINER_NONE, "tracker says %s, the page is %s",
                       want ? "shared" : "private", want ? "private" : "shared");
    if ((i->kind & SLOT_VMEM) && s->is_plugged == page_is_unplugged(o, i->home))
        return violate(
            o, v, rule_i3, slot, CONTAINER_NONE, "virtio-mem says %s, the page is %s",
            s->is_plugged ? "plugged" : "unplugged", s->is_plugged ? "unplugged" : "plugged");
    return true;
}
