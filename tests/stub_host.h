/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host table for tests of the core alone: just enough of KVM and VFIO to answer rightly, a
 * trace of the calls that matter, scripted failures, and a watch on the safety rules
 * (design.md section 6). Numbers in the trace are pages.
 */
#ifndef TESTS_STUB_HOST_H
#define TESTS_STUB_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/uapi.h"
#include "core/vmm.h"

enum { STUB_PAGE = 1 << 12, STUB_GPA_PAGES = 512, STUB_FDS = 64, STUB_MAPS = 512 };

enum stub_point {
    STUB_ALLOC,
    STUB_SETUP, /* every call that is none of the below */
    STUB_ATTRIBUTE,
    STUB_MAP,
    STUB_UNMAP,
    STUB_DROP_SHARED,
    STUB_DROP_PRIVATE,
    STUB_RUN,
    STUB_ANY, /* faults only: any call at all */
    STUB_POINTS
};

struct stub_fault {
    enum stub_point point;
    unsigned nth; /* counted from the arming on, 1 = next */
    unsigned times;
    int error; /* positive errno */
    bool late; /* after the effect */
    unsigned seen;
};

enum { STUB_FAULTS = 4, STUB_SLOTS = 32 };

struct stub_slot {
    uint64_t gpa, size, hva, offset;
    int gmem; /* fd, -1: none */
    uint32_t flags;
};

struct stub_fd {
    char kind;     /* 0 free, k KVM, v VM, u vCPU, m memfd, g guest_memfd, c d r VFIO container,
                      device, group */
    uint64_t base; /* memfd: where it is mapped */
};

struct stub_mapping {
    int fd;
    uint64_t iova, size, vaddr;
    uint32_t flags;
};

struct stub {
    char trace[4096];
    size_t trace_used;
    struct stub_fd fds[STUB_FDS];
    struct stub_slot slots[STUB_SLOTS];
    bool is_private[STUB_GPA_PAGES];
    struct stub_mapping maps[STUB_MAPS];
    unsigned n_maps, map_limit;
    bool tells_limit; /* VFIO_IOMMU_GET_INFO has the DMA_AVAIL capability */
    char zero_kind;   /* the first fd of this kind is 0 */
    uint64_t next_address;
    unsigned n_vmas, n_blocks; /* live mmaps, live alloc blocks */
    unsigned hits[STUB_POINTS];
    unsigned n_faults;
    struct stub_fault faults[STUB_FAULTS];
    unsigned failed; /* calls that a fault made fail since stub_trace_clear */
    bool guards;     /* memory ends where nothing may be touched; slow */
    bool alloc_is_a_bug;
    bool watch_undo;     /* allocating after a call has failed is one, too */
    unsigned violations; /* of the safety rules */
    const char *violation;
    struct kvm_run *run; /* of the newest vCPU */
    /* What KVM_RUN does next: sets the run page, returns. */
    int (*on_run)(struct stub *s, struct kvm_run *run);
    /* Pages that hold nothing, so that either side may be dropped; NULL: none. */
    bool (*is_unplugged)(const struct stub *s, uint64_t gpa_page);
    void *owner;         /* for the two above */
    uint64_t gpa, pages; /* for on_run */
    bool to_private;
};

extern const struct host_ops stub_ops;

void stub_init(struct stub *s);
struct host stub_host(struct stub *s);
void stub_fail(struct stub *s, enum stub_point point, unsigned nth, int error, bool late);
void stub_fail_often(struct stub *s, enum stub_point point, unsigned nth, unsigned times,
                     int error);
void stub_fail_none(struct stub *s);
void stub_trace_clear(struct stub *s);
bool stub_mapped(const struct stub *s, uint64_t gpa_page);
unsigned stub_open_fds(const struct stub *s);

#endif
