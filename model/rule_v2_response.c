/* SPDX-License-Identifier: GPL-2.0-or-later */
/* V2: the guest is told what became of its virtio-mem request: ACK (done), NACK (too much),
 * BUSY (not now) or ERROR (never). */
#include "model/state.h"

const char rule_v2[] = "V2 virtio-mem-response";

static bool is_request(uint8_t kind)
{
    return kind == OP_PLUG || kind == OP_UNPLUG || kind == OP_UNPLUG_ALL || kind == OP_RESIZE;
}

bool rule_v2_response(const struct model *o, const struct op_result *r, struct violation *v)
{
    static const char *const names[] = {"ACK", "NACK", "BUSY", "ERROR", "?"};
    uint32_t found = r->response <= RESPONSE_ERROR ? r->response : RESPONSE_ERROR + 1;
    uint32_t want = RESPONSE_ACK;

    if (!is_request(o->op.kind))
        return true;
    if (r->error)
        want = o->plan.refused ? o->plan.response : RESPONSE_BUSY;
    if (found == want)
        return true;
    return violate(o, v, rule_v2, MODEL_NO_PAGE, CONTAINER_NONE,
                   "the guest was told %s, should be %s", names[found], names[want]);
}
