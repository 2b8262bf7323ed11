/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S2: what a device reaches at an address is what a shared access of the guest reaches. */
#include "model/state.h"

const char rule_s2[] = "S2 stale-frame";

bool rule_s2_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v)
{
    uint32_t frame = o->containers[container].maps[slot].seen.frame;
    uint32_t shared = o->slots[slot].seen.shared_frame;

    assert(frame != 0);
    if (frame == shared)
        return true;
    if (!shared)
        return violate(o, v, rule_s2, slot, container,
                       "the device reaches frame %u, the shared side has none", frame);
    return violate(o, v, rule_s2, slot, container,
                   "the device reaches frame %u, the shared side is frame %u", frame, shared);
}
