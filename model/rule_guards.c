/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * D4: whoever holds discard guards, and nobody else, is in the way of others that want one:
 * what was taken for a device or a region that did not come is given back.
 */
#include "model/state.h"

const char rule_guards[] = "D4 guards";

bool rule_guards_op(const struct model *o, const struct op_result *r, struct violation *v)
{
    if (!r->told_guards)
        return true;
    for (uint32_t kind = 0; kind < GUARD_KIND_COUNT; kind++) {
        bool is_free = r->free_guards >> kind & 1, want = !guard_refuses(o, kind);

        if (is_free != want)
            return violate(o, v, rule_guards, MODEL_NO_PAGE, CONTAINER_NONE,
                           "guard %u could %sbe taken now, and should %sbe", kind,
                           is_free ? "" : "not ", want ? "" : "not ");
    }
    return true;
}
