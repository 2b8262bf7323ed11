/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is true, as a table: the mock kernel answers all of it, a real kernel a part (the
 * capability bits). Nothing here changes anything; asking is not a host call. Pages are named
 * by guest physical page number, DMA mappings by container and IOVA page number. A frame is
 * one physical page, named by a serial number that is never used again in the same world;
 * 0 = no frame.
 */
#ifndef SIM_OBSERVE_H
#define SIM_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    OBSERVE_ATTRIBUTE = 1 << 0,
    OBSERVE_SHARED_FRAME = 1 << 1,
    OBSERVE_PRIVATE_FRAME = 1 << 2,
    OBSERVE_MAPPING = 1 << 3,
    OBSERVE_PINS = 1 << 4,
    OBSERVE_OBJECTS = 1 << 5,
    OBSERVE_CHANGES = 1 << 6, /* changes() is precise: nothing else changed */
    OBSERVE_CONTENT = 1 << 7,
};

enum { OBSERVE_DMA_READ = 1, OBSERVE_DMA_WRITE = 2 };
enum { OBSERVE_CHANGES_MAX = 64 };

struct observe_page {
    bool is_private;        /* the KVM attribute */
    uint32_t shared_frame;  /* what a shared guest access would reach now, 0: nothing yet */
    uint32_t private_frame; /* what a private one would reach */
};

struct observe_mapping {
    uint32_t frame; /* 0: not mapped */
    uint8_t access; /* OBSERVE_DMA_*: what the mapping allows */
    bool head;      /* the first page of a mapping of the kernel's */
};

/* What a container counts. All 0 while it is not open. */
struct observe_container {
    bool open;
    uint32_t entries;     /* DMA entries in use */
    uint32_t entry_limit; /* as sampled when its IOMMU was set */
    uint64_t mapped_pages;
    uint64_t pins; /* pins that its mappings hold */
};

struct observe_totals {
    uint64_t pins;          /* pins over all frames */
    uint64_t locked_pages;  /* charged to the process */
    uint64_t memlock_pages; /* the limit, UINT64_MAX: none */
    uint32_t fds;           /* open file descriptors */
    uint32_t vmas;          /* live memory mappings of the process */
    uint32_t frames;        /* live physical pages */
    uint32_t allocations;   /* live alloc() blocks of the VMM */
};

/* One stretch that the calls since the last drain may have changed. */
struct observe_change {
    uint8_t is_iova; /* 0: pages of guest physical memory, 1: IOVA pages of a container */
    uint8_t container;
    uint64_t first;
    uint64_t n_pages;
};

struct observe {
    uint32_t capabilities;
    void *ctx;
    /* Guest pages [first, first + n). */
    void (*pages)(void *ctx, uint64_t first, uint64_t n, struct observe_page *out);
    void (*mapping)(void *ctx, uint32_t container, uint64_t iova_page,
                    struct observe_mapping *out);
    void (*container)(void *ctx, uint32_t container, struct observe_container *out);
    void (*totals)(void *ctx, struct observe_totals *out);
    /* Content token of a live frame; 0 = zeros. */
    uint64_t (*content)(void *ctx, uint32_t frame);
    /* What a vCPU was last told by a hypercall. */
    uint64_t (*guest_status)(void *ctx, uint32_t vcpu);
    /* Forgets the changes since the last call, and tells how many stretches they were; more
     * than OBSERVE_CHANGES_MAX: everything must be looked at. *out is good until the next host
     * call. Neighbours are merged; a page may be listed without having changed, never the other
     * way round. */
    uint32_t (*changes)(void *ctx, const struct observe_change **out);
    /* IOVA pages of a container that are mapped, ascending from *iova_page on: sets it to the
     * next one; false when there is none. */
    bool (*next_mapped)(void *ctx, uint32_t container, uint64_t *iova_page);
};

#endif
