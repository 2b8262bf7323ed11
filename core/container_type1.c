/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VFIO type1, the calls that map: of its containers, and of an iommufd in their place. */
#include <assert.h>
#include <string.h>

#include "core/internal.h"
#include "core/uapi.h"

static int type1_map(struct container *c, uint64_t iova, uint64_t size, uint64_t vaddr,
                     bool read_only)
{
    struct vfio_iommu_type1_dma_map arg = {
        .argsz = sizeof arg,
        .flags = VFIO_DMA_MAP_FLAG_READ | (read_only ? 0 : VFIO_DMA_MAP_FLAG_WRITE),
        .vaddr = vaddr,
        .iova = iova,
        .size = size,
    };

    assert(c->fd >= 0 && size > 0);
    return host_ioctl(&c->vmm->host, c->fd, VFIO_IOMMU_MAP_DMA, &arg);
}

int64_t container_vfio_unmap(struct container *c, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap arg = {
        .argsz = sizeof arg,
        .iova = iova,
        .size = size,
    };

    assert(c->fd >= 0 && size > 0);
    int rc = host_ioctl(&c->vmm->host, c->fd, VFIO_IOMMU_UNMAP_DMA, &arg);
    return rc < 0 ? rc : (int64_t)arg.size;
}

/* Kernels before 5.10 do not tell. */
enum { ENTRIES_BY_DEFAULT = 65535 };

/* The capability in the answer to VFIO_IOMMU_GET_INFO. The chain is the kernel's, but a link
 * that leads out of the answer is not followed. */
static uint64_t find_avail(const struct vfio_iommu_type1_info *info, uint32_t size)
{
    struct vfio_iommu_type1_info_dma_avail cap;
    uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

    while (at >= sizeof *info && at <= size && size - at >= sizeof cap) {
        memcpy(&cap, (const char *)info + at, sizeof cap);
        if (cap.header.id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
            return cap.avail;
        at = cap.header.next > at ? cap.header.next : 0;
    }
    return ENTRIES_BY_DEFAULT;
}

/* Asked once for the size of the answer, and once for the answer. */
static int type1_entry_limit(struct container *c, uint64_t *limit)
{
    const struct host *host = &c->vmm->host;
    struct vfio_iommu_type1_info small = {.argsz = sizeof small};
    int rc = host_ioctl(host, c->fd, VFIO_IOMMU_GET_INFO, &small);

    assert(c->ledger.n_pages == 0);
    if (rc)
        return rc;
    uint32_t size = small.argsz > sizeof small ? small.argsz : sizeof small;
    struct vfio_iommu_type1_info *info = host_alloc(host, size);
    if (!info)
        return -ENOMEM;
    info->argsz = size;
    rc = host_ioctl(host, c->fd, VFIO_IOMMU_GET_INFO, info);
    if (!rc)
        *limit = find_avail(info, size);
    host_free(host, info);
    return rc;
}

#define VFIO_CALLS                                                                             \
    .prepare = container_vfio_prepare, .open_device = container_vfio_open_device,              \
    .close_device = container_vfio_close_device, .map = type1_map,                             \
    .unmap = container_vfio_unmap

const struct container_ops container_type1_ops = {
    .path = "/dev/vfio/vfio",
    .type = VFIO_TYPE1v2_IOMMU,
    .unmaps_all_or_nothing = true,
    .entry_limit = type1_entry_limit,
    VFIO_CALLS,
};

/* Version 1 takes a mapping that begins in the range as a whole, and one that does not begin
 * there not at all; as only whole mappings are ever unmapped here, that makes no difference. */
const struct container_ops container_type1v1_ops = {
    .path = "/dev/vfio/vfio",
    .type = VFIO_TYPE1_IOMMU,
    .unmaps_all_or_nothing = true,
    .entry_limit = type1_entry_limit,
    VFIO_CALLS,
};

/* The same calls on an iommufd: no entry limit, and an unmap that fails half-way stays there.
 */
const struct container_ops container_compat_ops = {
    .path = "/dev/iommu",
    .can_cut = true,
    .type = VFIO_TYPE1v2_IOMMU,
    VFIO_CALLS,
};

const struct container_ops container_compatv1_ops = {
    .path = "/dev/iommu",
    .can_cut = true,
    .type = VFIO_TYPE1_IOMMU,
    VFIO_CALLS,
};
