/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hand-fed machine with a virtio-mem region, and for each rule about that one way to break
 * it. */
#ifndef TESTS_MODEL_VMEM_H
#define TESTS_MODEL_VMEM_H

#include "tests/model_hand.h"

/* With d0 attached, and region 0 as virtio-mem in blocks of two pages, of which six may be
 * plugged. */
static inline int hand_setup_vmem(void **state)
{
    struct hand *h = calloc(1, sizeof(*h));

    if (!h)
        return -1;
    hand_machine(&h->m);
    h->m.regions[0].virtio_mem_pages = 2;
    h->m.regions[0].requested_pages = 6;
    hand_new(h);
    for (uint32_t i = 0; i < 8; i++)
        h->page[i].is_plugged = 0;
    hand_ready(h);
    hand_attach(h);
    *state = h;
    return h->bad ? -1 : 0;
}

/* A request of virtio-mem on pages of region 0. */
static inline struct op hand_vmem(enum op_kind kind, uint32_t first, uint32_t n)
{
    return (struct op){.kind = (uint8_t)kind,
                       .start = (uint64_t)first * PAGE_SIZE_4K,
                       .size = (uint64_t)n * PAGE_SIZE_4K};
}

static inline void hand_set_plugged(struct hand *h, uint32_t first, uint32_t n, uint8_t plugged)
{
    for (uint32_t i = first; i < first + n; i++)
        h->page[i].is_plugged = plugged;
}

/* Plugs pages that are all private. */
static inline void hand_plug(struct hand *h, uint32_t first, uint32_t n)
{
    hand_begin(h, hand_vmem(OP_PLUG, first, n));
    hand_call(h);
    hand_set_plugged(h, first, n, 1);
    hand_end(h);
}

static inline void vmem_break_s7(struct hand *h)
{
    hand_plug(h, 2, 2);
    hand_share(h, 3, 30);
    hand_begin(h, hand_vmem(OP_UNPLUG, 2, 2));
    hand_set_plugged(h, 2, 2, 0);
    hand_call(h);
}

static inline void vmem_break_v1(struct hand *h)
{
    hand_begin(h, hand_vmem(OP_WRITE, 2, 1)); /* the guest may, but it comes to nothing */
    h->page[2].private_frame = 20;
    hand_end(h);
    hand_fine(h);
    hand_plug(h, 2, 2);
}

static inline void vmem_break_v2(struct hand *h)
{
    hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
    hand_set_plugged(h, 2, 2, 1);
    h->r.response = RESPONSE_BUSY;
    hand_end(h);
}

static inline void vmem_break_m1(struct hand *h)
{
    hand_begin(h, (struct op){.kind = OP_MIGRATE, .value = 1});
    hand_end(h);
    hand_fine(h);
    hand_begin(h, (struct op){.kind = OP_DIRTY_SYNC});
    hand_end(h);
}

#endif
