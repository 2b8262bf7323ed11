/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules, one a file; outcome.c and model.c say when they are asked. They return true when
 * all is well, else fill *v. Included at the end of state.h, which has what they look at.
 */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include "model/model.h"

bool violate(const struct model *o, struct violation *v, const char *rule, uint32_t slot,
             uint32_t container, const char *format, ...)
    __attribute__((format(printf, 6, 7), cold));

extern const char rule_s1[], rule_s2[], rule_s3[], rule_s4[], rule_s5[], rule_s6[], rule_i1[],
    rule_i2[], rule_i3[], rule_i4[], rule_i7[], rule_i8[], rule_o1[], rule_o2[], rule_o3[],
    rule_o4[], rule_o5[], rule_o6[], rule_o7[], rule_o10[], rule_o9[], rule_o11[], rule_o12[],
    rule_data[], rule_query[], rule_pin[], rule_blocked_name[], rule_guards[], rule_x0[],
    rule_x1[], rule_expect[], rule_s7[], rule_v1[], rule_v2[], rule_m1[];

bool rule_s1_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v);
/* While a page is mapped the kernel calls it shared: not only when all is done. */
bool rule_s1_attribute(const struct model *o, uint32_t container, uint32_t slot,
                       struct violation *v);
bool rule_s2_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v);
/* A page was just seen to change: from what it was. */
bool rule_s3_drop(const struct model *o, uint32_t slot, const struct view_page *old,
                  struct violation *v);
bool rule_s4_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     const struct view_mapping *now, struct violation *v);
/* mapping=run: does a mapping go over the end of a section or a listener? */
bool rule_s4_ends(const struct model *o, uint32_t container, uint32_t slot,
                  const struct view_mapping *now, struct violation *v);
bool rule_s4_stray(const struct model *o, uint32_t container, uint64_t iova_page,
                   struct violation *v);
/* Pins are those of mappings and those of others. */
bool rule_s5_pins(const struct model *o, struct violation *v);
bool rule_s5_counts(const struct model *o, struct violation *v);
bool rule_s5_open(const struct model *o, struct violation *v);
bool rule_s6_page(const struct model *o, uint32_t slot, const struct view_page *old,
                  struct violation *v);
bool rule_s6_mapping(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v);
/* A frame that came into being where this op has no business. */
bool rule_s6_frames(const struct model *o, const struct page_change *c, struct violation *v);

/* These judge the view against the abstract state, one slot. */
bool rule_i1_unwanted(const struct model *o, uint32_t container, uint32_t slot,
                      struct violation *v);
bool rule_i2_missing(const struct model *o, uint32_t container, uint32_t slot,
                     struct violation *v);
/* Both, in one look where they hold. */
static inline bool rules_i1_i2(const struct model *o, uint32_t container, uint32_t slot,
                               struct violation *v)
{
    const struct container_state *c = &o->containers[container];
    const struct view_mapping *map = &c->maps[slot].seen;

    assert(container < o->m->n_containers && slot < o->n_slots);
    if (slot_wanted(o, c, slot) ? map->frame && map->access == slot_access(&o->info[slot])
                                : !map->frame)
        return true;
    return rule_i1_unwanted(o, container, slot, v) && rule_i2_missing(o, container, slot, v);
}
bool rule_i2_counts(const struct model *o, struct violation *v);
bool rule_i3_page(const struct model *o, uint32_t slot, struct violation *v);
bool rule_i4_page(const struct model *o, uint32_t slot, bool debt_allowed, struct violation *v);
bool rule_i4_converted(const struct model *o, uint32_t slot, bool flipped, bool debt_allowed,
                       struct violation *v);
/* `stretches`: of pages that one drop can have been for, and that kept their old side. */
bool rule_i4_left(const struct model *o, uint32_t stretches, uint32_t failed_drops,
                  struct violation *v);
/* After a reset, or after the region went. */
bool rule_i4_renewed(const struct model *o, uint32_t slot, bool debt_allowed,
                     struct violation *v);
bool rule_i7_status(const struct model *o, const struct op_result *r, struct violation *v);
/* A page that is mapped is plugged, but where a plug maps it just now. */
bool rule_s7_unplugged(const struct model *o, uint32_t container, uint32_t slot,
                       struct violation *v);
/* After a plug; before the abstract state follows. */
bool rule_v1_plugged(const struct model *o, uint32_t slot, struct violation *v);
/* After an unplug: nothing is left of [lo, hi) that no failed drop has left. */
bool rule_v1_unplugged(const struct model *o, uint32_t lo, uint32_t hi, uint32_t failed_drops,
                       struct violation *v);
bool rule_v2_response(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_m1_dirty(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_i8_leaks(const struct model *o, struct violation *v);
bool rule_o5_old_state(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_o6_after_stop(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_o7_may_stop(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_o1_refused(const struct model *o, const struct op_result *r, struct violation *v);
/* O2, O3, O4: the op failed; had it a reason, and does it say which? */
bool rule_undelivered(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_failed(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_data_op(struct model *o, const struct op_result *r, struct violation *v);
bool rule_query_op(const struct model *o, const struct op_result *r, struct violation *v);
/* References that someone else on the host takes and drops. */
bool rule_pin_op(struct model *o, const struct op_result *r, struct violation *v);
/* A conversion succeeded. */
bool rule_pin_converted(const struct model *o, struct violation *v);
bool rule_blocked(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_guards_op(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_x0_start(const struct model *o, struct violation *v);
bool rule_x1_recount(const struct model *o, struct violation *v);
bool rule_o10_must_stop(const struct model *o, const struct op_result *r, struct violation *v);
bool rule_o11_partition(const struct model *o, struct violation *v);
/* The target does not fit. */
bool rule_o12_limit_first(const struct model *o, const struct op_result *r,
                          struct violation *v);
bool rule_o9_idle(const struct model *o, const struct op_result *r, struct violation *v);

/* Did a fault make a call of this op fail? */
bool failed_by_fault(const struct op_result *r);
bool failed_in_undo(const struct op_result *r);
/* Drops left undone. */
uint32_t failed_drops(const struct op_result *r);

#endif
