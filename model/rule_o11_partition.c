/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping=run. O11: what an op has mapped it has mapped with one mapping a run; what it cut of
 * a mapping stays one. O12 is for both ways of mapping: a target that goes over the entry limit
 * is found out before anything is changed.
 */
#include "model/state.h"

const char rule_o11[] = "O11 one-mapping-a-run";
const char rule_o12[] = "O12 limit-first";

static bool must_be_head(const struct model *o, const struct map_change *change)
{
    const struct container_state *c = &o->containers[change->container];
    uint32_t before = slot_before(o, change->slot);

    if (change->pre.frame) /* it went for a moment: a part that stays of a mapping */
        return change->pre.head || o->info[change->slot].gpa_page == o->plan.hi;
    if (slot_starts(o, c, change->slot))
        return true;
    return c->maps[before].op_mark != o->op_serial || !c->maps[before].seen.frame;
}

bool rule_o11_partition(const struct model *o, struct violation *v)
{
    assert(o->runs);
    for (uint32_t i = 0; i < o->n_map_changes; i++) {
        const struct map_change *change = &o->map_changes[i];
        const struct view_mapping *now =
            &o->containers[change->container].maps[change->slot].seen;

        if (now->frame && now->head != must_be_head(o, change))
            return violate(o, v, rule_o11, change->slot, change->container,
                           now->head ? "a mapping begins here, in the middle of a run"
                                     : "a mapping goes on here that should begin");
    }
    return true;
}

/* Calls that are undone before anybody looks count, too: what a region that comes needs of
 * memory and slots. Only an attach has to open its container to learn what the limit is. */
bool rule_o12_limit_first(const struct model *o, const struct op_result *r, struct violation *v)
{
    if (o->n_map_changes == 0 && o->n_changes == 0) {
        if (r->n_calls == 0 || o->plan.kind == OP_ATTACH)
            return true;
        return violate(o, v, rule_o12, MODEL_NO_PAGE, CONTAINER_NONE,
                       "the target goes over the entry limit, but it made %u calls before it "
                       "gave up",
                       r->n_calls);
    }
    return violate(o, v, rule_o12, MODEL_NO_PAGE, CONTAINER_NONE,
                   "the target goes over the entry limit, but %u pages and %u mappings were "
                   "changed before it gave up",
                   o->n_changes, o->n_map_changes);
}
