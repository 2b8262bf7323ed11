/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I2: every plugged and shared page in a listener's part of a section is mapped, with its
 * access. */
#include "model/state.h"

const char rule_i2[] = "I2 missing-mapping";

bool rule_i2_missing(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v)
{
    const struct container_state *c = &o->containers[container];
    const struct view_mapping *map = &c->maps[slot].seen;

    assert(container < o->m->n_containers && slot < o->n_slots);
    if (!slot_wanted(o, c, slot))
        return true;
    if (!map->frame)
        return violate(o, v, rule_i2, slot, container, "shared, listened to and not mapped");
    if (map->access != slot_access(&o->info[slot]))
        return violate(o, v, rule_i2, slot, container, "mapped with access %#x, wanted %#x",
                       map->access, slot_access(&o->info[slot]));
    return true;
}

/* All changed mappings being right, the counts tell whether an unchanged one is wrong: what is
 * wanted only grew or only shrank in one op. The slow search is for the report. */
bool rule_i2_counts(const struct model *o, struct violation *v)
{
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];

        if (c->mapped == c->wanted)
            continue;
        for (uint32_t slot = 0; slot < o->n_slots; slot++)
            if (!rules_i1_i2(o, i, slot, v))
                return false;
        return violate(o, v, rule_x1, MODEL_NO_PAGE, i, "%llu pages mapped, %llu wanted",
                       (unsigned long long)c->mapped, (unsigned long long)c->wanted);
    }
    return true;
}
