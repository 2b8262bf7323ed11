/* SPDX-License-Identifier: GPL-2.0-or-later */
/* M1: a dirty-sync says of each page where its content is (discarded, shared or private), and
 * that it is dirty when it was converted or could have been written by a device. */
#include "model/state.h"

const char rule_m1[] = "M1 dirty-pages";

static uint32_t state_of(const struct model *o, uint32_t home)
{
    if (page_is_unplugged(o, home) || (o->info[home].kind & SLOT_ABSENT))
        return MIGRATION_DISCARDED;
    return page_is_private(o, home) ? MIGRATION_PRIVATE : MIGRATION_SHARED;
}

static bool page_reported(const struct model *o, uint32_t home, uint32_t answer,
                          struct violation *v)
{
    static const char *const names[] = {"discarded", "shared", "private", "nothing"};
    uint32_t want = state_of(o, home), found = answer & MIGRATION_STATES;
    bool dirty = answer & MIGRATION_DIRTY, has_content = want != MIGRATION_DISCARDED;
    bool must = has_content && (o->state[home] & PAGE_DIRTY);
    bool may = must || (has_content && (o->state[home] & PAGE_MAYBE));

    if (found != want)
        return violate(o, v, rule_m1, home, CONTAINER_NONE, "it is %s, reported as %s",
                       names[want], names[found]);
    if (dirty ? may : !must)
        return true;
    return violate(o, v, rule_m1, home, CONTAINER_NONE, "%s, reported as %s",
                   must ? "it may have changed" : "nothing changed it",
                   dirty ? "dirty" : "clean");
}

bool rule_m1_dirty(const struct model *o, const struct op_result *r, struct violation *v)
{
    assert(o->plan.kind == OP_DIRTY_SYNC && r->error == 0);
    if (!r->dirty)
        return violate(o, v, rule_m1, MODEL_NO_PAGE, CONTAINER_NONE, "there is no answer");
    for (uint32_t home = 0; home < o->n_pages; home++)
        if (!(o->info[home].kind & SLOT_MMIO) && !page_reported(o, home, r->dirty[home], v))
            return false;
    return true;
}
