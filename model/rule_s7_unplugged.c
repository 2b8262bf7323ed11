/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S7: a page that is mapped is plugged. A plug maps its pages first and then says that they are
 * plugged, and may be stopped in its undo; all else is the other way round. */
#include "model/state.h"

const char rule_s7[] = "S7 unplugged-page-mapped";

bool rule_s7_unplugged(const struct model *o, uint32_t container, uint32_t slot,
                       struct violation *v)
{
    assert(o->containers[container].maps[slot].seen.frame != 0);
    if (o->slots[slot].seen.is_plugged || o->stopped ||
        (o->plan.kind == OP_PLUG && plan_plugs(o, slot)))
        return true;
    return violate(o, v, rule_s7, slot, container,
                   "the page is unplugged, and the device reaches frame %u",
                   o->containers[container].maps[slot].seen.frame);
}
