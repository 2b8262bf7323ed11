/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host for benchmarks of the core alone: every system call is answered at once, as if it had
 * worked. It counts the calls that map and unmap for DMA, and memory. And a machine on it.
 */
#ifndef BENCH_BENCH_HOST_H
#define BENCH_BENCH_HOST_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/uapi.h"
#include "core/vmm.h"
#include "program/op.h"

struct bench_host {
    uint64_t maps, unmaps, cuts;
    uint64_t bytes; /* of memory that the core holds */
    bool knows_cut; /* a kernel that has IOMMU_IOAS_CUT */
};

/* In front of each allocation, so that free knows its size. */
union bench_head {
    size_t size;
    max_align_t align;
};

static inline int stub_open(void *ctx, const char *caller, const char *path, int flags)
{
    (void)ctx, (void)caller, (void)path, (void)flags;
    return 3;
}

static inline int stub_close(void *ctx, const char *caller, int fd)
{
    (void)ctx, (void)caller, (void)fd;
    return 0;
}

/* As many mappings as anybody wants. */
static inline int bench_info(struct vfio_iommu_type1_info *info)
{
    struct {
        struct vfio_iommu_type1_info info;
        struct vfio_iommu_type1_info_dma_avail avail;
    } all = {.info = {.argsz = sizeof all, .flags = VFIO_IOMMU_INFO_CAPS}};

    if (info->argsz < sizeof all) {
        info->argsz = sizeof all;
        return 0;
    }
    all.info.cap_offset = sizeof all.info;
    all.avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
    all.avail.avail = UINT32_MAX;
    memcpy(info, &all, sizeof all);
    return 0;
}

static inline int stub_ioctl(void *ctx, const char *caller, int fd, unsigned long request,
                             void *arg)
{
    struct bench_host *h = ctx;

    (void)caller, (void)fd;
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return 0xffff;
    case KVM_GET_VCPU_MMAP_SIZE:
        return PAGE_SIZE_4K;
    case KVM_CREATE_VM:
    case KVM_CREATE_VCPU:
    case KVM_CREATE_GUEST_MEMFD:
        return 4;
    case VFIO_CHECK_EXTENSION:
        return 1;
    case VFIO_GROUP_GET_STATUS:
        ((struct vfio_group_status *)arg)->flags = VFIO_GROUP_FLAGS_VIABLE;
        return 0;
    case VFIO_GROUP_GET_DEVICE_FD:
        return 6;
    case VFIO_IOMMU_GET_INFO:
        return bench_info(arg);
    case IOMMU_IOAS_CUT:
        h->cuts++;
        return h->knows_cut ? 0 : -ENOTTY;
    case VFIO_IOMMU_MAP_DMA:
    case IOMMU_IOAS_MAP:
        h->maps++;
        return 0;
    case VFIO_IOMMU_UNMAP_DMA:
    case IOMMU_IOAS_UNMAP:
        h->unmaps++;
        return 0;
    default:
        return 0;
    }
}

static inline int stub_mmap(void *ctx, const char *caller, uint64_t addr, uint64_t size,
                            int prot, int flags, int fd, int64_t offset, uint64_t *out)
{
    static char run_page[PAGE_SIZE_4K];

    (void)ctx, (void)caller, (void)addr, (void)size, (void)prot, (void)flags, (void)offset;
    *out = fd >= 0 ? (uint64_t)(uintptr_t)run_page : UINT64_C(1) << 46;
    return 0;
}

static inline int stub_munmap(void *ctx, const char *caller, uint64_t addr, uint64_t size)
{
    (void)ctx, (void)caller, (void)addr, (void)size;
    return 0;
}

static inline int stub_madvise(void *ctx, const char *caller, uint64_t addr, uint64_t size,
                               int advice)
{
    (void)ctx, (void)caller, (void)addr, (void)size, (void)advice;
    return 0;
}

static inline int stub_fallocate(void *ctx, const char *caller, int fd, int mode,
                                 int64_t offset, int64_t size)
{
    (void)ctx, (void)caller, (void)fd, (void)mode, (void)offset, (void)size;
    return 0;
}

static inline int stub_memfd_create(void *ctx, const char *caller, const char *name,
                                    unsigned flags)
{
    (void)ctx, (void)caller, (void)name, (void)flags;
    return 5;
}

static inline int stub_ftruncate(void *ctx, const char *caller, int fd, int64_t size)
{
    (void)ctx, (void)caller, (void)fd, (void)size;
    return 0;
}

static inline int stub_getrlimit(void *ctx, const char *caller, int resource, uint64_t *soft)
{
    (void)ctx, (void)caller, (void)resource;
    *soft = UINT64_MAX;
    return 0;
}

static inline void *stub_alloc(void *ctx, const char *caller, size_t size)
{
    struct bench_host *h = ctx;
    union bench_head *head = calloc(1, sizeof *head + size);

    (void)caller;
    if (!head)
        return NULL;
    head->size = size;
    h->bytes += size;
    return head + 1;
}

static inline void stub_free(void *ctx, void *memory)
{
    struct bench_host *h = ctx;
    union bench_head *head = (union bench_head *)memory - 1;

    if (!memory)
        return;
    h->bytes -= head->size;
    free(head);
}

static const struct host_ops stub_ops = {.open = stub_open,
                                         .close = stub_close,
                                         .ioctl = stub_ioctl,
                                         .mmap = stub_mmap,
                                         .munmap = stub_munmap,
                                         .madvise = stub_madvise,
                                         .fallocate = stub_fallocate,
                                         .memfd_create = stub_memfd_create,
                                         .ftruncate = stub_ftruncate,
                                         .getrlimit = stub_getrlimit,
                                         .alloc = stub_alloc,
                                         .free = stub_free};

/* One guest_memfd region of `size` bytes at GPA 0, one container that listens to it all. NULL:
 * it could not be made. */
static inline struct vmm *bench_vmm(struct bench_host *h, enum vmm_tracker tracker,
                                    enum vmm_mapping mapping, uint64_t size)
{
    const struct host host = {.ops = &stub_ops, .ctx = h};
    const struct sync sync = {.ops = &sync_pthread_ops};
    const struct vmm_config config = {
        .page_size = PAGE_SIZE_4K, .n_vcpus = 1, .tracker = tracker, .mapping = mapping};
    const struct vmm_region_config region = {
        .kind = VMM_REGION_RAM, .share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = size};
    struct vmm *vmm = NULL;
    uint32_t index;

    if (vmm_create(&host, &sync, &config, &vmm))
        return NULL;
    if (vmm_region_add(vmm, &region, &index) || vmm_section_add(vmm, 0, 0, size, 0) ||
        vmm_container_add(vmm, VMM_IOMMU_TYPE1, true, &index)) {
        vmm_destroy(vmm);
        return NULL;
    }
    return vmm;
}

#endif
