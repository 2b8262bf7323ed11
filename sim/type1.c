/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VFIO type1: its ioctls' checks, in order (behaviour.md 5 with what 6.12 does differently,
 * nested.md 3). The mappings themselves: sim/dma_space.h. */
#include "sim/world.h"

static bool range_wraps(uint64_t start, uint64_t size)
{
    return start + size - 1 < start;
}

/* 7.x looks at size and wraps first, and has an errno of its own for them. */
static int map_check_arguments(const struct sim_world *w,
                               const struct vfio_iommu_type1_dma_map *arg)
{
    const uint32_t access = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    bool vaddr_mode = (arg->flags & VFIO_DMA_MAP_FLAG_VADDR) != 0;
    bool wraps =
        arg->size && (range_wraps(arg->iova, arg->size) || range_wraps(arg->vaddr, arg->size));

    if (arg->argsz < sizeof(*arg) || (arg->flags & ~(access | VFIO_DMA_MAP_FLAG_VADDR)))
        return -EINVAL;
    if (w_since_7_3(w) && wraps)
        return -EOVERFLOW;
    if (((arg->flags & access) != 0) == vaddr_mode)
        return -EINVAL;
    if (!arg->size || ((arg->size | arg->iova | arg->vaddr) & (w_page_size(w) - 1)))
        return -EINVAL;
    return wraps ? -EINVAL : 0;
}

static int map_pages(struct sim_world *w, struct dma_space *s, struct dma_mapping *m,
                     uint64_t vaddr)
{
    bool write = (m->prot & OBSERVE_DMA_WRITE) != 0;
    int r;

    if (m->size == w_page_size(w)) {
        r = dma_page_pin(w, vaddr, write, &m->frame);
    } else {
        m->pages = dma_pages_user(w, vaddr, m->size >> w->page_shift, write, CHARGE_TYPE1);
        if (!m->pages)
            return -ENOMEM;
        r = 0;
    }
    if (!r)
        r = dma_mapping_fill(w, s, m);
    if (r && m->pages)
        dma_pages_put(w, m->pages);
    return r;
}

/* Order: EEXIST before ENOSPC before IOVA validity before pinning (nested.md 3). */
int type1_map(struct sim_world *w, struct sim_container *c,
              const struct vfio_iommu_type1_dma_map *arg)
{
    struct dma_space *s = &c->space;
    struct dma_mapping m = {.iova = arg->iova, .size = arg->size};
    int r = map_check_arguments(w, arg);
    uint64_t skip_to;

    assert(c->iommu_type && c->n_groups > 0 && s->filled);
    if (r)
        return r;
    uint32_t at = dma_space_lower_bound(s, arg->iova);
    bool overlaps = at < s->n_maps && dma_space_at(s, at)->iova <= arg->iova + arg->size - 1;
    if (arg->flags & VFIO_DMA_MAP_FLAG_VADDR)
        return overlaps ? -EINVAL : -ENOENT; /* no mapping here ever lost its vaddr */
    if (overlaps)
        return -EEXIST;
    if (s->n_maps >= s->entry_limit)
        return -ENOSPC;
    if (dma_iova_reserved(arg->iova, arg->iova + arg->size - 1, &skip_to))
        return -EINVAL;
    m.prot = ((arg->flags & VFIO_DMA_MAP_FLAG_READ) ? OBSERVE_DMA_READ : 0) |
             ((arg->flags & VFIO_DMA_MAP_FLAG_WRITE) ? OBSERVE_DMA_WRITE : 0);
    r = dma_space_reserve(w, s, 1);
    if (!r)
        r = map_pages(w, s, &m, arg->vaddr);
    if (!r)
        dma_space_insert_at(w, s, at, &m);
    return r;
}

static int unmap_check_arguments(const struct sim_world *w,
                                 const struct vfio_iommu_type1_dma_unmap *arg)
{
    uint64_t mask = w_page_size(w) - 1;
    /* A dirty bitmap needs tracking, which is never on; giving up the vaddr is not offered
     * (extension 10 answers 0): both are EINVAL, as an unknown flag is. */
    if (arg->argsz < sizeof(*arg) || (arg->flags & ~VFIO_DMA_UNMAP_FLAG_ALL))
        return -EINVAL;
    if (arg->iova & mask)
        return -EINVAL;
    if (arg->flags & VFIO_DMA_UNMAP_FLAG_ALL)
        return arg->iova || arg->size ? -EINVAL : 0;
    if (!arg->size || (arg->size & mask))
        return -EINVAL;
    if (range_wraps(arg->iova, arg->size))
        return w_since_7_3(w) ? -EOVERFLOW : -EINVAL;
    return 0;
}

int type1_unmap(struct sim_world *w, struct sim_container *c,
                struct vfio_iommu_type1_dma_unmap *arg)
{
    struct dma_space *s = &c->space;
    int r = unmap_check_arguments(w, arg);

    assert(c->iommu_type);
    if (r)
        return r;
    if (arg->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
        arg->size = dma_space_remove(w, s, 0, s->n_maps);
        return 0;
    }
    uint64_t last = arg->iova + arg->size - 1;
    uint32_t first = dma_space_lower_bound(s, arg->iova), end = first;
    bool cuts_front = first < s->n_maps && dma_space_at(s, first)->iova < arg->iova;
    while (end < s->n_maps && dma_space_at(s, end)->iova <= last)
        end++;
    if (c->iommu_type == VFIO_TYPE1_IOMMU) {
        /* v1: from a mapping's middle on nothing goes; a first byte takes the whole. */
        arg->size = cuts_front ? 0 : dma_space_remove(w, s, first, end);
        return 0;
    }
    if (cuts_front)
        return -EINVAL;
    if (end > first &&
        dma_space_at(s, end - 1)->iova + dma_space_at(s, end - 1)->size - 1 > last)
        return -EINVAL;
    arg->size = dma_space_remove(w, s, first, end);
    return 0;
}

void type1_unmap_all(struct sim_world *w, struct sim_container *c)
{
    dma_space_remove(w, &c->space, 0, c->space.n_maps);
    assert(c->space.n_maps == 0 && c->space.mapped_pages == 0);
}
