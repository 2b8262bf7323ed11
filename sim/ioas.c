/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O address spaces (behaviour.md 6). Without a device nothing is pinned and any IOVA will do,
 * aligned or not; the first device pins all, and brings the rules of its IOMMU with it.
 */
#include "sim/iommufd.h"

#include <string.h>

struct sim_ioas *ioas_new(struct sim_world *w, struct sim_iommufd *i, int *error)
{
    struct sim_ioas *ioas = arena_alloc(w->arena, sizeof(*ioas));

    *error = ioas ? dma_space_open(w, &ioas->space) : -ENOMEM;
    if (!*error) {
        ioas->id = iommufd_object_new(i, OBJECT_IOAS, ioas);
        if (!ioas->id) {
            dma_space_close(w, &ioas->space);
            *error = -ENOMEM;
        }
    }
    if (*error) {
        arena_free(w->arena, ioas);
        return NULL;
    }
    ioas->owner = i;
    ioas->space.entry_limit = UINT32_MAX;
    return ioas;
}

void ioas_free(struct sim_world *w, struct sim_ioas *ioas)
{
    assert(ioas->n_attached == 0 && !ioas->space.filled);
    if (ioas->owner->compat == ioas)
        ioas->owner->compat = NULL;
    iommufd_object_free(ioas->owner, ioas->id);
    dma_space_remove(w, &ioas->space, 0, ioas->space.n_maps);
    dma_space_close(w, &ioas->space);
    arena_free(w->arena, ioas->allowed);
    arena_free(w->arena, ioas);
}

uint64_t ioas_alignment(const struct sim_world *w, const struct sim_ioas *ioas)
{
    return ioas->n_attached || ioas->no_large_pages ? w_page_size(w) : 1;
}

static bool areas_are_aligned(const struct sim_world *w, const struct sim_ioas *ioas)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < ioas->space.n_maps; i++) {
        const struct dma_mapping *m = dma_space_at(&ioas->space, i);

        bits |= m->iova | m->size | m->first_byte;
    }
    return !(bits & (w_page_size(w) - 1));
}

/* Is everything where the machine's IOMMU can have it? */
static bool areas_are_addressable(const struct sim_ioas *ioas)
{
    uint64_t skip_to;

    for (uint32_t i = 0; i < ioas->space.n_maps; i++) {
        const struct dma_mapping *m = dma_space_at(&ioas->space, i);

        if (dma_iova_reserved(m->iova, m->iova + (m->size - 1), &skip_to))
            return false;
    }
    for (uint32_t i = 0; i < ioas->n_allowed; i++)
        if (dma_iova_reserved(ioas->allowed[i].start, ioas->allowed[i].last, &skip_to))
            return false;
    return true;
}

int ioas_attach(struct sim_world *w, struct sim_ioas *ioas)
{
    if (ioas->n_attached == 0) {
        if (!areas_are_addressable(ioas) || !areas_are_aligned(w, ioas))
            return -EADDRINUSE;
        uint32_t id = iommufd_object_new(ioas->owner, OBJECT_HWPT, ioas);
        if (!id)
            return -ENOMEM;
        int error = dma_space_fill(w, &ioas->space);
        if (error) {
            iommufd_object_free(ioas->owner, id);
            return error;
        }
        ioas->hwpt_id = id;
    }
    ioas->n_attached++;
    return 0;
}

void ioas_detach(struct sim_world *w, struct sim_ioas *ioas)
{
    assert(ioas->n_attached > 0 && ioas->space.filled);
    if (--ioas->n_attached)
        return;
    dma_space_unfill(w, &ioas->space);
    iommufd_object_free(ioas->owner, ioas->hwpt_id);
    ioas->hwpt_id = 0;
}

int ioas_set_large_pages(struct sim_world *w, struct sim_ioas *ioas, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    if (value == 1 || ioas->no_large_pages) {
        ioas->no_large_pages = value == 0;
        return 0;
    }
    if (ioas->n_attached && ioas->space.n_maps)
        return -EINVAL;
    if (!areas_are_aligned(w, ioas))
        return -EADDRINUSE;
    ioas->no_large_pages = true;
    return 0;
}

int ioas_ranges(struct sim_world *w, struct sim_ioas *ioas, struct iommu_ioas_iova_ranges *c)
{
    struct vfio_iova_range ranges[DMA_RANGES_MAX] = {{0, UINT64_MAX}};
    uint32_t room = c->num_iovas, n = 1;
    struct iommu_iova_range *out = (void *)(uintptr_t)c->allowed_iovas;

    if (ioas->n_attached) {
        dma_iova_ranges(ranges);
        n = DMA_RANGES_MAX;
    }
    if (room && !out)
        return -EFAULT;
    for (uint32_t i = 0; i < n && i < room; i++)
        memcpy(&out[i], &(struct iommu_iova_range){ranges[i].start, ranges[i].end},
               sizeof(out[i]));
    c->num_iovas = n;
    c->out_iova_alignment = ioas_alignment(w, ioas);
    return n > room ? -EMSGSIZE : 0;
}

/* The new list, sorted; the caller checks it against the machine. */
static int load_allowed(struct iommu_iova_range *list, const struct iommu_iova_range *from,
                        uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct iommu_iova_range r;
        uint32_t at = i;

        memcpy(&r, &from[i], sizeof(r)); /* the caller's array may be of any alignment */
        if (r.start >= r.last)
            return -EINVAL;
        for (; at > 0 && list[at - 1].start > r.start; at--)
            list[at] = list[at - 1];
        list[at] = r;
        if ((at > 0 && list[at - 1].last >= r.start) ||
            (at < i && list[at + 1].start <= r.last))
            return -EINVAL;
    }
    return 0;
}

int ioas_allow(struct sim_world *w, struct sim_ioas *ioas,
               const struct iommu_ioas_allow_iovas *c)
{
    const struct iommu_iova_range *from = (const void *)(uintptr_t)c->allowed_iovas;
    struct iommu_iova_range *list = NULL;
    uint64_t skip_to;
    int error = 0;

    if (c->num_iovas && !from)
        return -EFAULT;
    if (c->num_iovas) {
        list = arena_alloc(w->arena, c->num_iovas * sizeof(*list));
        error = list ? load_allowed(list, from, c->num_iovas) : -ENOMEM;
    }
    for (uint32_t i = 0; i < c->num_iovas && !error && ioas->n_attached; i++)
        if (dma_iova_reserved(list[i].start, list[i].last, &skip_to))
            error = -EADDRINUSE;
    if (error) {
        arena_free(w->arena, list);
        return error;
    }
    arena_free(w->arena, ioas->allowed);
    ioas->allowed = list;
    ioas->n_allowed = c->num_iovas;
    return 0;
}

bool ioas_allowed_range(const struct sim_world *w, const struct sim_ioas *ioas, uint32_t n,
                        struct iommu_iova_range *out)
{
    uint64_t first = w_page_size(w), last = UINT64_MAX - w_page_size(w);

    if (n >= (ioas->n_allowed ? ioas->n_allowed : 1))
        return false;
    *out = ioas->n_allowed ? ioas->allowed[n] : (struct iommu_iova_range){first, last};
    if (out->start < first)
        out->start = first;
    if (out->last > last)
        out->last = last;
    return true;
}
