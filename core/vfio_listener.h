/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's listener on (a part of) one section. Where the section's memory has a
 * RamDiscardManager it maps what is populated, page by page (mapping=page); other memory is
 * mapped whole, once, read-only for ROM; MMIO is never mapped.
 *
 * All functions want the machine lock and the block's lock held.
 */
#ifndef CORE_VFIO_LISTENER_H
#define CORE_VFIO_LISTENER_H

#include "core/address_space.h"
#include "core/container.h"

struct vfio_listener {
    struct discard_listener base; /* which pages of the block */
    struct container *container;
    struct ram_block *block;
    uint64_t iova_page; /* of base.first */
    uint32_t reserved;  /* runs of the ledger, for the request in work */
    struct vfio_listener *next;
    /* What vmm_listen asked for: it may be several sections, so several listeners. */
    bool manual;
    uint64_t asked_first, asked_end;
};

/* Makes a listener on pages [first, end) of a section's block and maps what there is now. On
 * failure there is none; *undo_error tells that unmapping failed then. */
int vfio_listener_add(struct container *c, const struct section *s, uint64_t first,
                      uint64_t end, struct vfio_listener **out, int *undo_error);

/* Unmaps all that it has; it stays. After a failure, restore puts everything back. */
int vfio_listener_withdraw(struct vfio_listener *l);
int vfio_listener_restore(struct vfio_listener *l);
/* Takes it off the lists and frees it; no call. */
void vfio_listener_forget(struct vfio_listener *l);

#endif
