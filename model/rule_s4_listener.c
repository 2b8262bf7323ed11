/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S4: a mapping lies in a live listener's part of a section, with at most its access. A
 * listener is live during an op when it is so before or after it. */
#include "model/state.h"

const char rule_s4[] = "S4 outside-listener";

bool rule_s4_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     const struct view_mapping *now, struct violation *v)
{
    const struct slot_info *i = &o->info[slot];

    assert(now->frame != 0);
    if (!slot_mappable(i))
        return violate(o, v, rule_s4, slot, container, "mapped, but there is no RAM");
    if (!container_hears(&o->containers[container], i->home))
        return violate(o, v, rule_s4, slot, container, "mapped, but no listener is there");
    if (now->access & ~slot_access(i))
        return violate(o, v, rule_s4, slot, container, "access %#x, the section gives %#x",
                       now->access, slot_access(i));
    return true;
}

bool rule_s4_ends(const struct model *o, uint32_t container, uint32_t slot,
                  const struct view_mapping *now, struct violation *v)
{
    assert(now->frame != 0);
    if (now->head || !slot_starts(o, &o->containers[container], slot))
        return true;
    return violate(o, v, rule_s4, slot, container,
                   "its mapping began before the section, or the listener, does");
}

bool rule_s4_stray(const struct model *o, uint32_t container, uint64_t iova_page,
                   struct violation *v)
{
    assert(container < o->m->n_containers);
    return violate(o, v, rule_s4, MODEL_NO_PAGE, container,
                   "mapped IOVA page %#llx is no guest page", (unsigned long long)iova_page);
}
