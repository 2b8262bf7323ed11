/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A holder: another user of a guest_memfd RAM block, who keeps devices away from a stretch of
 * its pages, as a further source of the block's RamDiscardManager. It calls that stretch
 * discarded and all else populated, whatever the attributes and virtio-mem say. It comes and
 * goes under live listeners. core/vmm.h says what vmm_source_add and vmm_source_remove promise.
 *
 * Units: pages of the RAM block. The caller holds the block's lock.
 */
#ifndef CORE_HOLDER_H
#define CORE_HOLDER_H

#include "core/discard_manager.h"

struct holder {
    struct discard_source source;
    uint64_t first, end; /* held back; end == 0: nobody holds anything */
};

void holder_init(struct holder *h, uint64_t first, uint64_t end);

#endif
