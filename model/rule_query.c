/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A query says whether a device may see every page of the range: shared, and plugged. */
#include "model/state.h"

const char rule_query[] = "D2 query";

bool rule_query_op(const struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;
    uint64_t want = 1;

    assert(p->kind == OP_QUERY);
    if (r->error != p->refused)
        return violate(o, v, rule_query, MODEL_NO_PAGE, CONTAINER_NONE,
                       "must return %s, returned %s", errno_name(p->refused),
                       errno_name(r->error));
    for (uint32_t i = p->home_lo; !r->error && i < p->home_hi; i++)
        want &= page_is_visible(o, i) && !(o->info[i].kind & SLOT_MMIO);
    if (r->error || r->data == want)
        return true;
    return violate(o, v, rule_query, MODEL_NO_PAGE, CONTAINER_NONE,
                   "answered %llu, should be %llu", (unsigned long long)r->data,
                   (unsigned long long)want);
}
