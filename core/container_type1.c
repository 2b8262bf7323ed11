/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VFIO type1, version 2: the calls. */
#include <assert.h>

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

static int64_t type1_unmap(struct container *c, uint64_t iova, uint64_t size)
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

const struct container_ops container_type1_ops = {
    .type = VFIO_TYPE1v2_IOMMU,
    .map = type1_map,
    .unmap = type1_unmap,
};
