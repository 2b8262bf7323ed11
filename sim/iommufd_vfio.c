/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO's own ioctls on an iommufd, which stands in for a container (behaviour.md 6.7). They
 * mean one IOAS, made when the first group is put in or chosen by IOMMU_VFIO_IOAS. Where that
 * has no huge pages an unmap cuts what reaches across its ends; type1 version 1 is that.
 */
#include "sim/iommufd.h"

int iommufd_vfio_use(struct sim_world *w, struct sim_iommufd *i)
{
    int error = 0;

    if (!i->compat)
        i->compat = ioas_new(w, i, &error);
    return error;
}

int iommufd_vfio_map(struct sim_world *w, struct sim_iommufd *i,
                     const struct vfio_iommu_type1_dma_map *arg)
{
    uint32_t flags = IOMMU_IOAS_MAP_FIXED_IOVA;
    uint64_t iova = arg->iova;

    if (arg->argsz < sizeof(*arg) ||
        (arg->flags & ~(uint32_t)(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)))
        return -EINVAL;
    if (!i->compat)
        return -ENODEV;
    if (arg->flags & VFIO_DMA_MAP_FLAG_READ)
        flags |= IOMMU_IOAS_MAP_READABLE;
    if (arg->flags & VFIO_DMA_MAP_FLAG_WRITE)
        flags |= IOMMU_IOAS_MAP_WRITEABLE;
    return ioas_map_user(w, i->compat, &iova, arg->vaddr, arg->size, flags);
}

/* The end first, as the kernel does; what was cut stays cut when the other cannot be. */
static int cut_ends(struct sim_world *w, struct sim_ioas *ioas, uint64_t iova, uint64_t size)
{
    int error = ioas_cut_after(w, ioas, iova + size - 1);

    if (!error && iova)
        error = ioas_cut_after(w, ioas, iova - 1);
    return error;
}

int iommufd_vfio_unmap(struct sim_world *w, struct sim_iommufd *i,
                       struct vfio_iommu_type1_dma_unmap *arg, uint64_t *bytes)
{
    struct sim_ioas *ioas = i->compat;
    int error;

    *bytes = 0;
    if (arg->argsz < sizeof(*arg) || (arg->flags & ~(uint32_t)VFIO_DMA_UNMAP_FLAG_ALL))
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    if (arg->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
        if (arg->iova || arg->size)
            return -EINVAL;
        error = ioas_unmap_all(w, ioas, bytes);
    } else {
        error = ioas->no_large_pages ? cut_ends(w, ioas, arg->iova, arg->size) : 0;
        if (error)
            return error;
        error = ioas_unmap(w, ioas, arg->iova, arg->size, bytes);
        /* Nothing there is fine here, but not an area that sticks out. */
        if (error == -ENOENT && *bytes == 0 &&
            !dma_space_overlaps(&ioas->space, arg->iova, arg->iova + (arg->size - 1)))
            error = 0;
    }
    arg->size = *bytes; /* also where the unmap failed half-way */
    return error;
}

static int set_iommu(struct sim_world *w, struct sim_iommufd *i, unsigned long type)
{
    if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
        return -EINVAL;
    if (!i->compat)
        return -ENODEV;
    return type == VFIO_TYPE1_IOMMU ? ioas_set_large_pages(w, i->compat, 0) : 0;
}

static int check_extension(unsigned long extension)
{
    return extension == VFIO_TYPE1_IOMMU || extension == VFIO_TYPE1v2_IOMMU ||
           extension == VFIO_UNMAP_ALL;
}

static int get_info(struct sim_world *w, struct sim_iommufd *i, void *arg)
{
    struct vfio_iommu_answer a = {.page_sizes = ~(w_page_size(w) - 1),
                                  .avail = UINT32_MAX,
                                  .n_ranges = 1,
                                  .ranges = {{0, UINT64_MAX}}};

    if (!arg)
        return -EFAULT;
    if (!i->compat)
        return -ENODEV;
    if (i->compat->n_attached) {
        a.page_sizes = w_page_size(w) | DMA_LARGE_PAGES;
        a.n_ranges = DMA_RANGES_MAX;
        dma_iova_ranges(a.ranges);
    }
    return vfio_iommu_get_info(&a, arg);
}

int64_t iommufd_vfio_other(struct sim_world *w, struct sim_iommufd *i, unsigned long request,
                           void *arg)
{
    assert(i->refs > 0);
    switch (request) {
    case VFIO_GET_API_VERSION:
        return VFIO_API_VERSION;
    case VFIO_SET_IOMMU:
        return set_iommu(w, i, (unsigned long)arg);
    case VFIO_CHECK_EXTENSION:
        if ((unsigned long)arg == VFIO_DMA_CC_IOMMU)
            return i->compat ? 1 : -ENODEV;
        return check_extension((unsigned long)arg);
    case VFIO_IOMMU_GET_INFO:
        return get_info(w, i, arg);
    default:
        return -ENOTTY;
    }
}
