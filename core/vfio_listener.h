/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's listener on (a part of) one section. Where the section's memory has a
 * RamDiscardManager it maps what is populated, page by page (mapping=page) or a mapping a run
 * (mapping=run); other memory is mapped whole, once, read-only for ROM; MMIO is never mapped.
 * No mapping goes over the listener's ends, and so none over a section's.
 *
 * All functions want the machine lock and the block's lock held.
 */
#ifndef CORE_VFIO_LISTENER_H
#define CORE_VFIO_LISTENER_H

#include "core/address_space.h"
#include "core/container.h"

/* A mapping that the request in work has cut, as it was. Pages of IOVA. A conversion cuts at
 * its own two ends at most; a source that comes may cut anywhere. */
struct vfio_cut {
    uint64_t first, end;
};
enum { VFIO_CUTS_INSIDE = 2 };

struct vfio_listener {
    struct discard_listener base; /* which pages of the block */
    struct container *container;
    struct ram_block *block;
    uint64_t iova_page; /* of base.first */
    /* For the request in work. */
    uint32_t reserved; /* runs of the ledger */
    int64_t pledged;   /* its part of the container's entries_pledged */
    struct vfio_cut *cuts, cuts_inside[VFIO_CUTS_INSIDE]; /* ascending */
    uint32_t n_cuts, may_cut, cap_cuts;
    struct vfio_listener *next;
    /* What vmm_listen asked for: it may be several sections, so several listeners. */
    bool manual;
    uint64_t asked_first, asked_end;
};

/* Makes a listener on pages [first, end) of a section's block and maps what there is now. On
 * failure there is none; *undo_error tells that unmapping failed then. */
int vfio_listener_add(struct container *c, const struct section *s, uint64_t first,
                      uint64_t end, struct vfio_listener **out, int *undo_error);

/* Mappings that a new listener there would make now. The block's lock is held. */
uint64_t vfio_listener_entries(const struct vmm *vmm, struct ram_block *block, uint64_t first,
                               uint64_t end);

/* Unmaps all that it has; it stays. After a failure, restore puts everything back. */
int vfio_listener_withdraw(struct vfio_listener *l);
int vfio_listener_restore(struct vfio_listener *l);
/* After a withdraw: there is no way back any more. No call. */
void vfio_listener_settle(struct vfio_listener *l);
/* Takes it off the lists and frees it; no call. */
void vfio_listener_forget(struct vfio_listener *l);

/* ---- core/vfio_map.c: its mappings. Pages of the block; the container's lock is held. ---- */

/* Mappings that a populated run takes. */
uint64_t vfio_map_entries(const struct vmm *vmm, const struct ram_block *block, uint64_t first,
                          uint64_t end);
/* A run is about to change, from what it is now: so many mappings more may there be at any
 * moment, and so many may be cut. -EOPNOTSUPP: some would, and split=refuse. */
struct vfio_map_plan {
    uint64_t more;
    uint32_t cuts;
};
int vfio_map_plan(const struct vfio_listener *l, uint64_t first, uint64_t end,
                  struct vfio_map_plan *plan);
/* The events of core/discard_manager.h. */
int vfio_map_populate(struct vfio_listener *l, uint64_t first, uint64_t end);
int vfio_map_discard(struct vfio_listener *l, uint64_t first, uint64_t end);
int vfio_map_undo_populate(struct vfio_listener *l, uint64_t first, uint64_t end);
int vfio_map_undo_discard(struct vfio_listener *l, uint64_t first, uint64_t end);

#endif
