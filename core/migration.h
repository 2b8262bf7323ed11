/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What migration has to know of each page: where its content is now (shared side, private side,
 * or nowhere: a discarded page has none), and whether it may have changed. core/vmm.h says what
 * makes a page dirty; this file has the places that say so.
 *
 * While it runs every block with memory has a dirty map. A page that is mapped for DMA keeps
 * its bit: the device may write at any time, and when the page is unmapped what it wrote last
 * must not be lost.
 */
#ifndef CORE_MIGRATION_H
#define CORE_MIGRATION_H

#include "core/ram_block.h"

/* Pages [first, end) of a block may have changed. The block's lock is held; nothing happens
 * when no migration runs. */
static inline void migration_dirty(struct ram_block *block, uint64_t first, uint64_t end)
{
    assert(block->lock.held);
    if (block->dirty_logged)
        page_map_set(&block->dirty, first, end, true);
}

/* A block goes, or the VM does. */
void migration_forget(struct vmm *vmm, struct ram_block *block);

#endif
