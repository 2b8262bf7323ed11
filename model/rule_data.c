/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data: every read of a CPU or a device returns what was last written to the page as it is
 * now; a device without the right to a page is refused by the IOMMU. */
#include "model/state.h"

const char rule_data[] = "D1 data";

/* The errno with which the machine answers the access, 0: it is done. */
static int access_error(const struct model *o)
{
    const struct plan *p = &o->plan;
    bool dma = p->kind == OP_DMA_READ || p->kind == OP_DMA_WRITE;
    bool writes = p->kind == OP_WRITE || p->kind == OP_DMA_WRITE;
    const struct slot_info *i = p->slot == MODEL_NO_PAGE ? NULL : &o->info[p->slot];

    if (dma && !o->attached[o->op.unit])
        return ENODEV;
    if (!i || !slot_mappable(i))
        return EFAULT;
    if (dma) {
        uint32_t c = o->m->devices[o->op.unit].container;

        if (!slot_wanted(o, &o->containers[c], p->slot))
            return EFAULT;
        return writes && (i->kind & SLOT_ROM) ? EFAULT : 0;
    }
    return writes && (i->kind & SLOT_ROM) ? EACCES : 0;
}

bool rule_data_op(struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;
    int error = access_error(o);
    uint64_t *token;

    assert(p->kind >= OP_READ && p->kind <= OP_DMA_WRITE);
    if (p->free_result)
        return true;
    if (r->error != error)
        return violate(o, v, rule_data, p->slot, CONTAINER_NONE, "must return %s, returned %s",
                       errno_name(error), errno_name(r->error));
    if (error)
        return true;
    token = &o->tokens[!o->in_place && page_is_private(o, p->home_lo)][p->home_lo];
    if (p->kind == OP_WRITE || p->kind == OP_DMA_WRITE)
        *token = o->op.value;
    else if (r->data != *token)
        return violate(o, v, rule_data, p->slot, CONTAINER_NONE, "read %#llx, should be %#llx",
                       (unsigned long long)r->data, (unsigned long long)*token);
    return true;
}
