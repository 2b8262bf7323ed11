/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an I/O address space maps: map, copy, unmap, cut (behaviour.md 6.2 to 6.4), in the
 * kernel's order of checks. */
#include "sim/iommufd.h"

static bool add_wraps(uint64_t a, uint64_t b)
{
    return a + b < a;
}

/* ---- where a mapping goes ---- */

/* First IOVA from `at` on where length bytes find room, below limit; false: none. */
static bool room_in_range(const struct sim_ioas *ioas, uint64_t at, uint64_t limit,
                          uint64_t length, uint64_t alignment, uint64_t offset, uint64_t *iova)
{
    for (;;) {
        uint64_t start = (at + (alignment - 1)) & ~(alignment - 1), skip_to;

        if (start < at)
            return false;
        start |= offset;
        if (start > limit || limit - start < length - 1)
            return false;
        uint64_t last = start + (length - 1);
        uint32_t i = dma_space_lower_bound(&ioas->space, start);
        bool taken = i < ioas->space.n_maps && dma_space_at(&ioas->space, i)->iova <= last;

        if (taken)
            skip_to =
                dma_space_at(&ioas->space, i)->iova + (dma_space_at(&ioas->space, i)->size - 1);
        else if (!ioas->n_attached || !dma_iova_reserved(start, last, &skip_to)) {
            *iova = start;
            return true;
        }
        if (skip_to == UINT64_MAX)
            return false;
        at = skip_to + 1;
    }
}

/* Keeps the alignment of what is shown, up to the length's: huge pages stay possible. */
static int choose_iova(const struct sim_world *w, const struct sim_ioas *ioas, uint64_t shown,
                       uint64_t length, uint64_t *iova)
{
    uint64_t alignment = 1;
    struct iommu_iova_range range;

    if (length == 0 || length >= UINT64_MAX / 2)
        return -EOVERFLOW;
    while (alignment < length)
        alignment <<= 1;
    if (shown && (shown & -shown) < alignment)
        alignment = shown & -shown;
    if (alignment < ioas_alignment(w, ioas))
        return -EINVAL;
    for (uint32_t i = 0; ioas_allowed_range(w, ioas, i, &range); i++)
        if (range.start <= range.last &&
            room_in_range(ioas, range.start, range.last, length, alignment,
                          shown & (w_page_size(w) - 1), iova))
            return 0;
    return -ENOSPC;
}

static int check_iova(const struct sim_world *w, const struct sim_ioas *ioas, uint64_t iova,
                      uint64_t length)
{
    uint64_t skip_to;

    if (iova & (ioas_alignment(w, ioas) - 1))
        return -EINVAL;
    if (add_wraps(iova, length - 1))
        return -EOVERFLOW;
    if (ioas->n_attached && dma_iova_reserved(iova, iova + (length - 1), &skip_to))
        return -EINVAL;
    return dma_space_overlaps(&ioas->space, iova, iova + (length - 1)) ? -EEXIST : 0;
}

static int place(const struct sim_world *w, const struct sim_ioas *ioas,
                 const struct dma_mapping *m, uint64_t length, bool fixed, uint64_t *iova)
{
    if (!length || (length & (ioas_alignment(w, ioas) - 1)))
        return -EINVAL;
    if (fixed)
        return check_iova(w, ioas, *iova, length);
    return choose_iova(w, ioas, m->pages->start + m->first_byte, length, iova);
}

/* ---- putting mappings in ---- */

static uint8_t prot_of(uint32_t flags)
{
    return (uint8_t)(((flags & IOMMU_IOAS_MAP_READABLE) ? OBSERVE_DMA_READ : 0) |
                     ((flags & IOMMU_IOAS_MAP_WRITEABLE) ? OBSERVE_DMA_WRITE : 0));
}

/* Fills all or none, and puts them in; each has its reference to its pages already. */
static int insert_all(struct sim_world *w, struct sim_ioas *ioas, struct dma_mapping *list,
                      uint32_t n)
{
    struct dma_space *s = &ioas->space;
    int error = dma_space_reserve(w, s, n);
    uint32_t done = 0;

    for (; done < n && s->filled && !error; done++)
        error = dma_mapping_fill(w, s, &list[done]);
    if (error) {
        for (; done > 1; done--)
            dma_mapping_unfill(w, s, &list[done - 2]);
        return error;
    }
    for (uint32_t i = 0; i < n; i++)
        dma_space_insert(w, s, &list[i]);
    return 0;
}

/* Mappings that follow each other: `iova` of each counts from 0 on. */
static int map_list(struct sim_world *w, struct sim_ioas *ioas, struct dma_mapping *list,
                    uint32_t n, uint64_t length, uint32_t flags, uint64_t *iova)
{
    uint64_t mask = ioas_alignment(w, ioas) - 1;
    uint64_t at = *iova;
    int error = place(w, ioas, list, length, flags & IOMMU_IOAS_MAP_FIXED_IOVA, &at);

    for (uint32_t i = 0; i < n && !error; i++) {
        list[i].prot = prot_of(flags);
        list[i].iova += at;
        if ((flags & IOMMU_IOAS_MAP_WRITEABLE) && !list[i].pages->writable)
            error = -EPERM;
        else if (list[i].first_byte & (w_page_size(w) - 1) & mask)
            error = -EINVAL;
    }
    if (!error)
        error = insert_all(w, ioas, list, n);
    if (!error)
        *iova = at;
    return error;
}

static enum dma_charge charge_of(const struct sim_world *w, const struct sim_ioas *ioas)
{
    if (w->config.memlock_pages == UINT64_MAX) /* CAP_IPC_LOCK */
        return CHARGE_NONE;
    return ioas->owner->by_process ? CHARGE_PROCESS : CHARGE_USER;
}

/* How many pages [start, start + length) touches. */
static uint64_t pages_touched(const struct sim_world *w, uint64_t start, uint64_t length)
{
    uint64_t mask = w_page_size(w) - 1;

    return (((start & mask) + (length - 1)) >> w->page_shift) + 1;
}

static int map_pages(struct sim_world *w, struct sim_ioas *ioas, struct dma_pages *p,
                     uint64_t first_byte, uint64_t length, uint32_t flags, uint64_t *iova)
{
    struct dma_mapping m = {.size = length, .first_byte = first_byte, .pages = p};

    if (!p)
        return -ENOMEM;
    int error = map_list(w, ioas, &m, 1, length, flags, iova);
    if (error)
        dma_pages_put(w, p);
    return error;
}

int ioas_map_user(struct sim_world *w, struct sim_ioas *ioas, uint64_t *iova, uint64_t address,
                  uint64_t length, uint32_t flags)
{
    uint64_t mask = w_page_size(w) - 1;

    if (add_wraps(address, length))
        return -EOVERFLOW;
    if (length == 0 || length > UINT64_MAX - w_page_size(w))
        return -EINVAL;
    return map_pages(w, ioas,
                     dma_pages_user(w, address & ~mask, pages_touched(w, address, length),
                                    flags & IOMMU_IOAS_MAP_WRITEABLE, charge_of(w, ioas)),
                     address & mask, length, flags, iova);
}

int ioas_map_file(struct sim_world *w, struct sim_ioas *ioas, uint64_t *iova,
                  const struct iommu_ioas_map_file *c)
{
    struct sim_fd *f = fd_get(w, c->fd);
    uint64_t mask = w_page_size(w) - 1;

    if (!f)
        return -EBADF;
    if (c->length == 0)
        return -EINVAL;
    if (add_wraps(c->start, c->length - 1))
        return -EOVERFLOW;
    /* Only shmem can be pinned as a file; what else it is shows when that is tried. */
    return map_pages(w, ioas,
                     dma_pages_file(w, f->kind == FD_MEMFD ? f->object : NULL, c->start & ~mask,
                                    pages_touched(w, c->start, c->length), charge_of(w, ioas)),
                     c->start & mask, c->length, c->flags, iova);
}

/* How many areas show [iova, last] without a gap; 0: there is one. */
static uint32_t areas_over(const struct dma_space *s, uint64_t iova, uint64_t last)
{
    uint32_t first = dma_space_lower_bound(s, iova), i = first;
    uint64_t at = iova;

    for (; i < s->n_maps && dma_space_at(s, i)->iova <= at; i++) {
        uint64_t end = dma_space_at(s, i)->iova + (dma_space_at(s, i)->size - 1);

        if (end >= last)
            return i - first + 1;
        at = end + 1;
    }
    return 0;
}

int ioas_copy(struct sim_world *w, struct sim_ioas *to, struct sim_ioas *from, uint64_t *iova,
              const struct iommu_ioas_copy *c)
{
    const struct dma_space *s = &from->space;
    uint64_t last = c->src_iova + (c->length - 1);
    uint32_t first = dma_space_lower_bound(s, c->src_iova);

    if (c->length == 0)
        return -EINVAL;
    if (last < c->src_iova)
        return -EOVERFLOW;
    uint32_t n = areas_over(s, c->src_iova, last);
    if (n == 0)
        return -ENOENT;
    struct dma_mapping *list = arena_alloc(w->arena, n * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct dma_mapping *m = dma_space_at(s, first + i);
        uint64_t begin = m->iova > c->src_iova ? m->iova : c->src_iova;
        uint64_t end = m->iova + (m->size - 1) < last ? m->iova + (m->size - 1) : last;

        list[i] = (struct dma_mapping){.iova = begin - c->src_iova,
                                       .size = end - begin + 1,
                                       .first_byte = m->first_byte + (begin - m->iova),
                                       .pages = m->pages};
        m->pages->refs++;
    }
    int error = map_list(w, to, list, n, c->length, c->flags, iova);
    for (uint32_t i = 0; i < n && error; i++)
        dma_pages_put(w, list[i].pages);
    arena_free(w->arena, list);
    return error;
}

/* ---- taking them out ---- */

static int unmap_range(struct sim_world *w, struct sim_ioas *ioas, uint64_t iova, uint64_t last,
                       uint64_t *unmapped)
{
    struct dma_space *s = &ioas->space;
    uint32_t first = dma_space_lower_bound(s, iova), end = first;
    bool cut = false;

    for (; end < s->n_maps && dma_space_at(s, end)->iova <= last; end++) {
        cut = dma_space_at(s, end)->iova < iova ||
              dma_space_at(s, end)->iova + (dma_space_at(s, end)->size - 1) > last;
        if (cut)
            break;
    }
    *unmapped = dma_space_remove(w, s, first, end);
    return cut || *unmapped == 0 ? -ENOENT : 0;
}

int ioas_unmap(struct sim_world *w, struct sim_ioas *ioas, uint64_t iova, uint64_t length,
               uint64_t *unmapped)
{
    *unmapped = 0;
    if (length == 0)
        return -EINVAL;
    if (add_wraps(iova, length - 1))
        return -EOVERFLOW;
    return unmap_range(w, ioas, iova, iova + (length - 1), unmapped);
}

int ioas_unmap_all(struct sim_world *w, struct sim_ioas *ioas, uint64_t *unmapped)
{
    int error = unmap_range(w, ioas, 0, UINT64_MAX, unmapped);

    return error == -ENOENT ? 0 : error;
}

/* ---- cutting ---- */

/* The area that a cut after byte `last` would go through, or NULL. */
static struct dma_mapping *area_to_cut(const struct sim_ioas *ioas, uint64_t last)
{
    struct dma_mapping *m = dma_space_find(&ioas->space, last);

    if (!m || last == m->iova || last == m->iova + (m->size - 1))
        return NULL;
    return m;
}

/* There is room for one area more. Both parts show the same pages: nothing is pinned or let
 * go, and the device notices nothing. */
static void cut_area(struct sim_world *w, struct sim_ioas *ioas, struct dma_mapping *m,
                     uint64_t last)
{
    struct dma_mapping tail = *m;
    uint64_t head_size = last - m->iova + 1;

    assert(head_size < m->size && m->pages);
    tail.iova += head_size;
    tail.size -= head_size;
    tail.first_byte += head_size;
    m->size = head_size;
    m->pages->refs++;
    dma_space_insert(w, &ioas->space, &tail);
}

int ioas_cut_after(struct sim_world *w, struct sim_ioas *ioas, uint64_t last)
{
    struct dma_mapping *m = area_to_cut(ioas, last);
    uint64_t mask = ioas_alignment(w, ioas) - 1;

    if (!m)
        return 0;
    if ((last + 1) & mask)
        return -EINVAL;
    if (ioas->n_attached && !ioas->no_large_pages)
        return -EINVAL;
    if (dma_space_reserve(w, &ioas->space, 1) != 0)
        return -ENOMEM;
    cut_area(w, ioas, area_to_cut(ioas, last), last); /* the table may have moved */
    return 0;
}

int ioas_cut(struct sim_world *w, struct sim_ioas *ioas, const struct iommu_ioas_cut *c)
{
    uint64_t mask = ioas_alignment(w, ioas) - 1, last = c->iova + (c->length - 1);

    if (c->length == 0)
        return -EINVAL;
    if (last < c->iova)
        return -EOVERFLOW;
    if ((c->iova | c->length) & mask)
        return -EINVAL;
    if (dma_space_reserve(w, &ioas->space, 2) != 0)
        return -ENOMEM;
    struct dma_mapping *m = c->iova ? area_to_cut(ioas, c->iova - 1) : NULL;
    if (m)
        cut_area(w, ioas, m, c->iova - 1);
    m = area_to_cut(ioas, last);
    if (m)
        cut_area(w, ioas, m, last);
    return 0;
}
