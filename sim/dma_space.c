/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O address spaces: the sorted table of mappings, and what can be addressed at all. */
#include <string.h>

#include "sim/world.h"

/* What the machine's IOMMU translates; the gap holds the interrupt window (nested.md 3). */
enum { MSI_FIRST = 0xfee, MSI_SHIFT = 20 };
#define IOVA_MSI_START ((uint64_t)MSI_FIRST << MSI_SHIFT)
#define IOVA_MSI_LAST  (((uint64_t)(MSI_FIRST + 1) << MSI_SHIFT) - 1)
#define IOVA_LAST      ((1ull << 39) - 1)

enum { MAPS_FIRST_CAPACITY = 16 };

bool dma_iova_reserved(uint64_t first, uint64_t last, uint64_t *skip_to)
{
    assert(first <= last);
    if (first <= IOVA_MSI_LAST && last >= IOVA_MSI_START) {
        *skip_to = IOVA_MSI_LAST;
        return true;
    }
    *skip_to = UINT64_MAX;
    return last > IOVA_LAST;
}

void dma_iova_ranges(struct vfio_iova_range out[DMA_RANGES_MAX])
{
    out[0] = (struct vfio_iova_range){0, IOVA_MSI_START - 1};
    out[1] = (struct vfio_iova_range){IOVA_MSI_LAST + 1, IOVA_LAST};
}

int dma_space_open(struct sim_world *w, struct dma_space *s)
{
    unsigned n = w->next_container_number;

    if (n >= SIM_CONTAINERS_MAX || w->spaces[n])
        for (n = 0; n < SIM_CONTAINERS_MAX && w->spaces[n];)
            n++;
    if (n == SIM_CONTAINERS_MAX)
        return -EMFILE;
    s->number = (uint8_t)n;
    w->spaces[n] = s;
    w->next_container_number = n + 1;
    return 0;
}

void dma_space_close(struct sim_world *w, struct dma_space *s)
{
    assert(s->n_maps == 0 && s->mapped_pages == 0 && w->spaces[s->number] == s);
    arena_free(w->arena, s->maps);
    s->maps = NULL;
    s->cap_maps = s->gap = 0;
    w->spaces[s->number] = NULL;
}

static bool ends_before(const void *space, uint32_t i, uint64_t iova)
{
    const struct dma_mapping *m = dma_space_at(space, i);

    return m->iova + (m->size - 1) < iova;
}

uint32_t dma_space_lower_bound(const struct dma_space *s, uint64_t iova)
{
    return gap_search(s->gap, s->n_maps, ends_before, s, iova);
}

struct dma_mapping *dma_space_find(const struct dma_space *s, uint64_t iova)
{
    uint32_t i = dma_space_lower_bound(s, iova);

    return i < s->n_maps && dma_space_at(s, i)->iova <= iova ? dma_space_at(s, i) : NULL;
}

bool dma_space_overlaps(const struct dma_space *s, uint64_t first, uint64_t last)
{
    uint32_t i = dma_space_lower_bound(s, first);

    assert(first <= last);
    return i < s->n_maps && dma_space_at(s, i)->iova <= last;
}

static void move_gap(struct dma_space *s, uint32_t to)
{
    assert(to <= s->n_maps && s->gap <= s->n_maps);
    if (to != s->gap)
        gap_move(s->maps, sizeof(*s->maps), s->cap_maps - s->n_maps, &s->gap, to);
}

int dma_space_reserve(struct sim_world *w, struct dma_space *s, uint32_t more)
{
    uint32_t capacity = s->cap_maps ? s->cap_maps : MAPS_FIRST_CAPACITY;

    if (SIM_LIKELY(s->n_maps + more <= s->cap_maps))
        return 0;
    while (capacity < s->n_maps + more)
        capacity *= 2;
    struct dma_mapping *maps = arena_alloc(w->arena, capacity * sizeof(*maps));
    if (!maps)
        return -ENOMEM;
    move_gap(s, s->n_maps);
    if (s->n_maps)
        memcpy(maps, s->maps, s->n_maps * sizeof(*maps));
    arena_free(w->arena, s->maps);
    s->maps = maps;
    s->cap_maps = capacity;
    return 0;
}

static void journal_mapping(struct sim_world *w, const struct dma_space *s,
                            const struct dma_mapping *m)
{
    if (s->filled)
        journal_iova(w, s->number, m->iova >> w->page_shift, m->size >> w->page_shift);
}

void dma_space_insert_at(struct sim_world *w, struct dma_space *s, uint32_t at,
                         const struct dma_mapping *m)
{
    assert(s->n_maps < s->cap_maps && m->size > 0 && at <= s->n_maps);
    assert(at == s->n_maps || dma_space_at(s, at)->iova > m->iova + (m->size - 1));
    move_gap(s, at);
    s->maps[at] = *m;
    s->gap++;
    s->n_maps++;
    journal_mapping(w, s, m);
}

void dma_mapping_unfill(struct sim_world *w, struct dma_space *s, struct dma_mapping *m)
{
    uint64_t n_pages = m->size >> w->page_shift;

    assert(s->mapped_pages >= n_pages);
    if (m->pages)
        dma_pages_unpin(w, m->pages, m->first_byte >> w->page_shift, n_pages);
    else
        dma_page_unpin(w, m->frame);
    s->mapped_pages -= n_pages;
}

int dma_mapping_fill(struct sim_world *w, struct dma_space *s, struct dma_mapping *m)
{
    uint64_t n_pages = m->size >> w->page_shift;
    int error =
        m->pages ? dma_pages_pin(w, m->pages, m->first_byte >> w->page_shift, n_pages) : 0;

    if (!error)
        s->mapped_pages += n_pages;
    return error;
}

uint64_t dma_space_remove(struct sim_world *w, struct dma_space *s, uint32_t first,
                          uint32_t end)
{
    uint64_t bytes = 0;

    assert(first <= end && end <= s->n_maps);
    for (uint32_t i = first; i < end; i++) {
        struct dma_mapping *m = dma_space_at(s, i);

        bytes += m->size;
        if (s->filled)
            dma_mapping_unfill(w, s, m);
        if (m->pages)
            dma_pages_put(w, m->pages);
        journal_mapping(w, s, m);
    }
    if (s->gap < first || s->gap > end)
        move_gap(s, end);
    s->gap = first; /* it takes them in */
    s->n_maps -= end - first;
    return bytes;
}

int dma_space_fill(struct sim_world *w, struct dma_space *s)
{
    int error = 0;
    uint32_t i;

    assert(!s->filled && s->mapped_pages == 0);
    for (i = 0; i < s->n_maps && !error; i++)
        error = dma_mapping_fill(w, s, dma_space_at(s, i));
    if (error) {
        for (i--; i > 0; i--)
            dma_mapping_unfill(w, s, dma_space_at(s, i - 1));
        return error;
    }
    s->filled = true;
    for (i = 0; i < s->n_maps; i++)
        journal_mapping(w, s, dma_space_at(s, i));
    return 0;
}

void dma_space_unfill(struct sim_world *w, struct dma_space *s)
{
    assert(s->filled);
    for (uint32_t i = 0; i < s->n_maps; i++) {
        dma_mapping_unfill(w, s, dma_space_at(s, i));
        journal_mapping(w, s, dma_space_at(s, i));
    }
    s->filled = false;
    assert(s->mapped_pages == 0);
}
