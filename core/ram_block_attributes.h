/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RamBlockAttributes: which pages of a guest_memfd RAM block are shared, as a source of the
 * block's RamDiscardManager; and the debt, sides of pages that should be empty and could not be
 * dropped: the side that a page was converted away from, both sides of an unplugged page.
 *
 * Units: pages of the block. The caller holds the block's lock.
 */
#ifndef CORE_RAM_BLOCK_ATTRIBUTES_H
#define CORE_RAM_BLOCK_ATTRIBUTES_H

#include "core/discard_manager.h"
#include "core/page_map.h"

struct ram_block_attributes {
    struct discard_source source;
    struct page_map shared;
    struct page_map debt[2]; /* [0] of the shared side, [1] of the private side */
};

/* All pages private, as KVM gets told when they get an address. 0 or -ENOMEM. */
int ram_block_attributes_init(struct ram_block_attributes *a, const struct host *host,
                              enum vmm_tracker tracker, uint64_t n_pages);
void ram_block_attributes_destroy(struct ram_block_attributes *a, const struct host *host);

/* The pages of [first, end) that a conversion would change: their hull, and the number of
 * runs. 0 runs: none. */
uint64_t ram_block_attributes_changes(const struct ram_block_attributes *a, uint64_t first,
                                      uint64_t end, bool to_private, uint64_t *hull_first,
                                      uint64_t *hull_end);

#endif
