/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages a dirty-sync must report: those that were converted, and those that a device
 * could have written to, since they were mapped at some instant. It is known exactly, but for
 * an op that failed: what it tried to map may be reported.
 */
#include "model/state.h"

/* Memory that has content: the reports are about it. */
static bool has_content(const struct model *o, uint32_t home)
{
    return !(o->info[home].kind & (SLOT_MMIO | SLOT_ABSENT)) && !page_is_unplugged(o, home);
}

void migration_start(struct model *o)
{
    assert(!o->migrating);
    o->migrating = true;
    for (uint32_t home = 0; home < o->n_pages; home++)
        if (has_content(o, home))
            o->state[home] |= PAGE_DIRTY;
}

void migration_stop(struct model *o)
{
    assert(o->migrating);
    o->migrating = false;
    for (uint32_t home = 0; home < o->n_pages; home++)
        o->state[home] &= (uint8_t) ~(PAGE_DIRTY | PAGE_MAYBE);
}

void migration_mapped(struct model *o, uint32_t slot)
{
    assert(o->migrating && slot < o->n_slots);
    if (slot_access(&o->info[slot]) & ACCESS_WRITE)
        o->state[o->info[slot].home] |= PAGE_DIRTY;
}

void migration_failed(struct model *o)
{
    assert(o->migrating);
    for (uint32_t slot = 0; slot < o->n_slots; slot++)
        for (uint32_t c = 0; c < o->m->n_containers; c++)
            if (plan_maps(o, c, slot))
                o->state[o->info[slot].home] |= PAGE_MAYBE;
}

void migration_synced(struct model *o)
{
    assert(o->migrating);
    for (uint32_t home = 0; home < o->n_pages; home++)
        o->state[home] &= (uint8_t) ~(PAGE_DIRTY | PAGE_MAYBE);
    for (uint32_t c = 0; c < o->m->n_containers; c++)
        for (uint32_t slot = 0; o->containers[c].mapped && slot < o->n_slots; slot++)
            if (o->containers[c].maps[slot].seen.frame)
                migration_mapped(o, slot);
}
