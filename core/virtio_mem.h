/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: which blocks of a guest_memfd RAM block are plugged, as the second source of the
 * block's RamDiscardManager. A device may see a page that is plugged AND shared.
 *
 * An unplugged page has no content: both its sides were dropped, or are debt. What the guest
 * writes there all the same goes before the block is plugged, so that a plugged page always
 * starts empty; private, unless the guest converted it while it was unplugged.
 *
 * Units: pages of the RAM block; a virtio-mem block is a power of two of them. The caller holds
 * the RAM block's lock. Source of the rules: behaviour.md 8.
 */
#ifndef CORE_VIRTIO_MEM_H
#define CORE_VIRTIO_MEM_H

#include "core/discard_manager.h"
#include "core/page_map.h"
#include "core/vmm.h"

struct ram_block;

struct virtio_mem {
    struct discard_source source;
    uint32_t block_shift;    /* pages a block = 1 << block_shift */
    struct page_map plugged; /* one truth value a block */
    uint64_t requested;      /* pages that the VMM wants plugged */
    uint64_t usable;         /* requests must lie below; grows with `requested` */
};

/* All blocks unplugged. 0 or -ENOMEM. Sizes in pages, multiples of the block. */
int virtio_mem_init(struct virtio_mem *v, const struct host *host, uint64_t n_pages,
                    uint64_t block_pages, uint64_t requested);
void virtio_mem_destroy(struct virtio_mem *v, const struct host *host);

/* The first run of plugged, or unplugged, pages in [first, end), cut to it. False: none. */
bool virtio_mem_next_run(const struct virtio_mem *v, uint64_t first, uint64_t end, bool plugged,
                         uint64_t *run_first, uint64_t *run_end);

/* [first, end) are whole blocks. */
void virtio_mem_set(struct virtio_mem *v, uint64_t first, uint64_t end, bool plugged);
uint64_t virtio_mem_plugged_pages(const struct virtio_mem *v);

/* ---- core/virtio_mem_request.c ---- */
/* Blocks that are about to be plugged, or unplugged. */
struct virtio_mem_request {
    struct vmm *vmm;
    struct ram_block *block;
    bool plug;
    uint64_t gpa;        /* of the RAM block's page 0 */
    uint64_t first, end; /* of its blocks those change that are not yet what is wanted */
    bool populate_tried; /* plug: listeners were asked to map */
    bool attribute_touched;
    uint64_t blocked_page; /* mode=inplace: which page someone else holds */
};

/* Does it: 0, or an error and all is as it was, or the VM is stopped. The RAM block's lock is
 * held. */
int virtio_mem_work(struct virtio_mem_request *r);

#endif
