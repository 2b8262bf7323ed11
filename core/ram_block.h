/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory region and its RAM block: the backing of the shared side (anonymous memory or a
 * memfd, hugetlb too), and with guest_memfd the backing of the private side, who holds which
 * page now, and who wants to know. A region of kind MMIO has an address range and no memory.
 */
#ifndef CORE_RAM_BLOCK_H
#define CORE_RAM_BLOCK_H

#include "core/discard_manager.h"
#include "core/holder.h"
#include "core/ram_block_attributes.h"
#include "core/virtio_mem.h"
#include "core/vmm.h"

/* The struct stays while its region is away (hot-unplugged): the lock, and what it was. */
struct ram_block {
    uint32_t index;
    bool present; /* else nothing below `config` is there */
    struct vmm_region_config config;
    enum vmm_region_kind kind;
    enum vmm_share share;
    uint64_t size;           /* bytes */
    uint64_t huge_page_size; /* VMM_SHARE_HUGETLB, else 0 */
    bool in_place;           /* guest_memfd holds both sides, and hva shows it */
    struct core_lock lock;
    bool guest_memfd; /* it is there */
    uint64_t hva;     /* of the shared side; opaque */
    int fd;           /* of the shared side, -1: anonymous */
    int gmem_fd;
    int gmem_fd_other;  /* in a reset: the new one, or the old one; else -1 */
    uint64_t hva_other; /* ... in place what shows it, else 0 */
    struct ram_block_attributes attributes; /* guest_memfd only, as the manager */
    bool has_virtio_mem;                    /* guest_memfd only */
    struct virtio_mem virtio_mem;
    struct holder holder; /* guest_memfd only */
    struct discard_manager manager;
    uint32_t n_guards; /* VMM_GUARD_COORDINATED_REQUIRE that it holds */
    bool dirty_logged; /* a migration runs; core/migration.h */
    struct page_map dirty;
};

/* 0 and *out, or an error and nothing is left. */
int ram_block_new(struct vmm *vmm, const struct vmm_region_config *config, uint32_t index,
                  struct ram_block **out);
/* The memory of a block that is away: as it was when it was new. On failure it stays away. */
int ram_block_open(struct vmm *vmm, struct ram_block *block);
/* ... goes, whatever fails; the first error is returned. Nobody may listen or have it mapped.
 */
int ram_block_close(struct vmm *vmm, struct ram_block *block);

/* In place: maps a guest_memfd of the block. */
int ram_block_map_private(struct vmm *vmm, const struct ram_block *block, int fd,
                          uint64_t *hva);

/* Frees it whatever fails; the first error is returned. */
int ram_block_free(struct vmm *vmm, struct ram_block *block);

/* Is nothing dropped on that side when a page leaves it? On hugetlb what was there stays
 * (core/vmm.h); in place both sides are one. */
static inline bool ram_block_keeps_side(const struct ram_block *block, bool private_side)
{
    return block->in_place || (!private_side && block->share == VMM_SHARE_HUGETLB);
}

/* Room in the trackers for a request that changes n_runs runs of pages, the debt it leaves and
 * the debt it pays included, until ram_block_release. 0 or -ENOMEM (release that, too). */
int ram_block_reserve(struct vmm *vmm, struct ram_block *block, uint64_t n_runs);
void ram_block_release(struct ram_block *block);

/* Commits: the pages are shared, or private, from now on. Never fails. */
void ram_block_set_shared(struct ram_block *block, uint64_t first, uint64_t end, bool shared);

/* Drops the shared or the private backing of pages [first, end); what is read there next is
 * zeros (where it is less than a huge page the memory itself stays). A signal in the middle is
 * retried once. The block's lock is held. */
int ram_block_drop(struct vmm *vmm, struct ram_block *block, bool private_side, uint64_t first,
                   uint64_t end);

/* Drops what the debt of one side of pages [first, end) says, and forgets it where that worked.
 * The first error is returned; it does not end the work. The block's lock is held. */
int ram_block_pay_debt(struct vmm *vmm, struct ram_block *block, bool private_side,
                       uint64_t first, uint64_t end);
/* The same for the whole block, both sides. */
int ram_block_pay_all_debt(struct vmm *vmm, struct ram_block *block);

#endif
