/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I1: nothing is mapped that is private, unplugged, or that no listener wants. */
#include "model/state.h"

const char rule_i1[] = "I1 unwanted-mapping";

bool rule_i1_unwanted(const struct model *o, uint32_t container, uint32_t slot,
                      struct violation *v)
{
    const struct container_state *c = &o->containers[container];
    const struct view_mapping *map = &c->maps[slot].seen;
    uint32_t home = o->info[slot].home;

    assert(container < o->m->n_containers && slot < o->n_slots);
    if (!map->frame || slot_wanted(o, c, slot))
        return true;
    return violate(o, v, rule_i1, slot, container, "still maps frame %u, but %s", map->frame,
                   page_is_private(o, home)     ? "the page is private"
                   : page_is_unplugged(o, home) ? "the page is unplugged"
                   : o->state[home] & PAGE_HELD ? "a source holds the page back"
                                                : "no listener wants it");
}
