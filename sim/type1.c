/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO type1: mappings of IOVA ranges to pinned pages (behaviour.md 5 with its 6.12
 * differences, nested.md 3). A mapping remembers the frames that it pinned, not the address
 * they came from: after a punch it still reaches the old page (behaviour.md 5.5).
 */
#include <string.h>

#include "sim/world.h"

/* What the machine's IOMMU translates; the gap holds the interrupt window (nested.md 3). */
enum { MSI_FIRST = 0xfee, MSI_SHIFT = 20 };
#define IOVA_MSI_START ((uint64_t)MSI_FIRST << MSI_SHIFT)
#define IOVA_MSI_LAST  (((uint64_t)(MSI_FIRST + 1) << MSI_SHIFT) - 1)
#define IOVA_LAST      ((1ull << 39) - 1)

enum { MAPS_FIRST_CAPACITY = 16 };

static bool range_wraps(uint64_t start, uint64_t size)
{
    return start + size - 1 < start;
}

static bool iova_valid(uint64_t first, uint64_t last)
{
    assert(first <= last);
    return last < IOVA_MSI_START || (first > IOVA_MSI_LAST && last <= IOVA_LAST);
}

void type1_iova_ranges(struct vfio_iova_range out[2])
{
    out[0] = (struct vfio_iova_range){0, IOVA_MSI_START - 1};
    out[1] = (struct vfio_iova_range){IOVA_MSI_LAST + 1, IOVA_LAST};
}

uint32_t type1_lower_bound(const struct sim_container *c, uint64_t iova)
{
    uint32_t lo = 0, hi = c->n_maps;
    if (hi == 0 || c->maps[hi - 1].iova + c->maps[hi - 1].size <= iova)
        return hi; /* the common append */
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (c->maps[mid].iova + c->maps[mid].size > iova)
            hi = mid;
        else
            lo = mid + 1;
    }
    assert(lo < c->n_maps);
    return lo;
}

struct dma_mapping *type1_find(struct sim_container *c, uint64_t iova)
{
    uint32_t i = type1_lower_bound(c, iova);
    return i < c->n_maps && c->maps[i].iova <= iova ? &c->maps[i] : NULL;
}

static void unpin_pages(struct sim_world *w, struct sim_container *c, struct dma_mapping *m,
                        uint64_t n_pages)
{
    assert(w->mm.locked_pages >= n_pages && c->mapped_pages >= n_pages);
    for (uint64_t i = 0; i < n_pages; i++)
        frame_unpin(w, dma_mapping_frame(m, i));
    w->mm.locked_pages -= n_pages;
    c->mapped_pages -= n_pages;
    if (m->frames)
        arena_free(w->arena, m->frames);
    m->frames = NULL;
}

/* How many pages from vaddr on are mapped by the process at all, at most n_pages: the rest
 * cannot be pinned, so a huge request needs no huge table to fail. */
static uint64_t pages_present(struct sim_world *w, uint64_t vaddr, uint64_t n_pages)
{
    uint64_t end = vaddr, last = vaddr + (n_pages << w->page_shift) - 1;
    while (end <= last) {
        struct vma *v = mm_find(w, end);
        if (!v || v->start + v->size < end)
            break;
        end = v->start + v->size;
    }
    uint64_t found = (end - vaddr) >> w->page_shift;
    return found < n_pages ? found : n_pages;
}

/* Pins one page and charges it. The page is faulted in first, so it stays when the locked
 * memory limit then says no. */
static int pin_page(struct sim_world *w, struct sim_container *c, struct dma_mapping *m,
                    uint64_t page, uint32_t *frame)
{
    uint64_t address = m->vaddr + (page << w->page_shift);
    int r = mm_fault(w, address, (m->prot & OBSERVE_DMA_WRITE) != 0, frame);
    if (r)
        return r;
    if (w->config.memlock_pages != UINT64_MAX && w->mm.locked_pages >= w->config.memlock_pages)
        return -ENOMEM;
    frame_pin(w, *frame);
    w->mm.locked_pages++;
    c->mapped_pages++;
    return 0;
}

static int pin_pages(struct sim_world *w, struct sim_container *c, struct dma_mapping *m,
                     uint64_t n_pages)
{
    assert(n_pages > 0 && !m->frames);
    if (n_pages == 1)
        return pin_page(w, c, m, 0, &m->frame);
    uint64_t present = pages_present(w, m->vaddr, n_pages);
    if (present == 0)
        return -EFAULT;
    m->frames = arena_alloc(w->arena, present * sizeof(*m->frames));
    if (!m->frames)
        return -ENOMEM;
    for (uint64_t i = 0; i < n_pages; i++) {
        int r = i < present ? pin_page(w, c, m, i, &m->frames[i]) : -EFAULT;
        if (r) {
            unpin_pages(w, c, m, i);
            return r;
        }
    }
    return 0;
}

static int map_check_arguments(const struct sim_world *w,
                               const struct vfio_iommu_type1_dma_map *arg)
{
    const uint32_t access = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    bool vaddr_mode = (arg->flags & VFIO_DMA_MAP_FLAG_VADDR) != 0;
    if (arg->argsz < sizeof(*arg) || (arg->flags & ~(access | VFIO_DMA_MAP_FLAG_VADDR)))
        return -EINVAL;
    if (((arg->flags & access) != 0) == vaddr_mode)
        return -EINVAL;
    if (!arg->size || ((arg->size | arg->iova | arg->vaddr) & (w_page_size(w) - 1)))
        return -EINVAL;
    if (range_wraps(arg->iova, arg->size) || range_wraps(arg->vaddr, arg->size))
        return -EINVAL; /* EOVERFLOW only from 7.x on */
    return 0;
}

static int maps_reserve_one(struct sim_world *w, struct sim_container *c)
{
    if (SIM_LIKELY(c->n_maps < c->cap_maps))
        return 0;
    uint32_t capacity = c->cap_maps ? c->cap_maps * 2 : MAPS_FIRST_CAPACITY;
    struct dma_mapping *maps = arena_alloc(w->arena, capacity * sizeof(*maps));
    if (!maps)
        return -ENOMEM;
    if (c->n_maps)
        memcpy(maps, c->maps, c->n_maps * sizeof(*maps));
    arena_free(w->arena, c->maps);
    c->maps = maps;
    c->cap_maps = capacity;
    return 0;
}

/* Order: EEXIST before ENOSPC before IOVA validity before pinning (nested.md 3). */
int type1_map(struct sim_world *w, struct sim_container *c,
              struct vfio_iommu_type1_dma_map *arg)
{
    assert(c->iommu_type && c->n_groups > 0);
    int r = map_check_arguments(w, arg);
    if (r)
        return r;
    uint64_t last = arg->iova + arg->size - 1;
    uint32_t at = type1_lower_bound(c, arg->iova);
    bool overlaps = at < c->n_maps && c->maps[at].iova <= last;
    if (arg->flags & VFIO_DMA_MAP_FLAG_VADDR)
        return overlaps ? -EINVAL : -ENOENT; /* no mapping here ever lost its vaddr */
    if (overlaps)
        return -EEXIST;
    if (c->n_maps >= c->entry_limit)
        return -ENOSPC;
    if (!iova_valid(arg->iova, last))
        return -EINVAL;
    struct dma_mapping m = {.iova = arg->iova, .size = arg->size, .vaddr = arg->vaddr};
    m.prot = ((arg->flags & VFIO_DMA_MAP_FLAG_READ) ? OBSERVE_DMA_READ : 0) |
             ((arg->flags & VFIO_DMA_MAP_FLAG_WRITE) ? OBSERVE_DMA_WRITE : 0);
    r = maps_reserve_one(w, c);
    if (r == 0)
        r = pin_pages(w, c, &m, arg->size >> w->page_shift);
    if (r)
        return r;
    if (at < c->n_maps)
        memmove(&c->maps[at + 1], &c->maps[at], (c->n_maps - at) * sizeof(m));
    c->maps[at] = m;
    c->n_maps++;
    journal_iova(w, c->number, m.iova >> w->page_shift, m.size >> w->page_shift);
    return 0;
}

/* Removes mappings [first, end) by index; how many bytes they were. */
static uint64_t maps_remove(struct sim_world *w, struct sim_container *c, uint32_t first,
                            uint32_t end)
{
    uint64_t bytes = 0;
    assert(first <= end && end <= c->n_maps);
    for (uint32_t i = first; i < end; i++) {
        struct dma_mapping *m = &c->maps[i];
        bytes += m->size;
        unpin_pages(w, c, m, m->size >> w->page_shift);
        journal_iova(w, c->number, m->iova >> w->page_shift, m->size >> w->page_shift);
    }
    if (end < c->n_maps)
        memmove(&c->maps[first], &c->maps[end], (c->n_maps - end) * sizeof(*c->maps));
    c->n_maps -= end - first;
    return bytes;
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
    if (!arg->size || (arg->size & mask) || range_wraps(arg->iova, arg->size))
        return -EINVAL; /* a wrap is EOVERFLOW only from 7.x on */
    return 0;
}

int type1_unmap(struct sim_world *w, struct sim_container *c,
                struct vfio_iommu_type1_dma_unmap *arg)
{
    assert(c->iommu_type);
    int r = unmap_check_arguments(w, arg);
    if (r)
        return r;
    if (arg->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
        arg->size = maps_remove(w, c, 0, c->n_maps);
        return 0;
    }
    uint64_t last = arg->iova + arg->size - 1;
    uint32_t first = type1_lower_bound(c, arg->iova), end = first;
    bool cuts_front = first < c->n_maps && c->maps[first].iova < arg->iova;
    while (end < c->n_maps && c->maps[end].iova <= last)
        end++;
    if (c->iommu_type == VFIO_TYPE1_IOMMU) {
        /* v1: from a mapping's middle on nothing goes; a first byte takes the whole. */
        arg->size = cuts_front ? 0 : maps_remove(w, c, first, end);
        return 0;
    }
    if (cuts_front)
        return -EINVAL;
    if (end > first && c->maps[end - 1].iova + c->maps[end - 1].size - 1 > last)
        return -EINVAL;
    arg->size = maps_remove(w, c, first, end);
    return 0;
}

void type1_unmap_all(struct sim_world *w, struct sim_container *c)
{
    maps_remove(w, c, 0, c->n_maps);
    assert(c->n_maps == 0 && c->mapped_pages == 0);
    arena_free(w->arena, c->maps);
    c->maps = NULL;
    c->cap_maps = 0;
}
