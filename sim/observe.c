/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of truths (sim/observe.h), answered from the world as it is. Nothing here faults a
 * page in or changes anything, except that changes() forgets what it hands out.
 */
#include <string.h>

#include "sim/world.h"

static uint32_t serial_of(struct sim_world *w, uint32_t index)
{
    return index ? frame_at(&w->frames, index)->serial : 0;
}

/* Frame indexes of the shared side of a slot from a page on; NULL: all holes. *n becomes how
 * many pages the answer is good for, at most as many as it was. */
static const uint32_t *shared_frames(struct sim_world *w, struct slot *s, uint64_t first,
                                     uint64_t *n)
{
    uint64_t page;
    const struct backing *b = kvm_slot_shared(w, s, first, &page);

    if (s->shared_generation != w->mm.generation)
        *n = 1; /* several VMAs show the slot: each page is looked up */
    return b ? backing_frames(b, page, n) : NULL;
}

/* Up to n pages that have the attribute in common and, on either side, what holds them: how
 * many there are. */
static uint64_t observe_stretch(struct sim_world *w, uint64_t first, uint64_t n,
                                bool is_private, struct observe_page *out)
{
    const uint32_t *shared = NULL, *private = NULL;
    struct slot *s = kvm_slot_at(w->vm, first);

    if (!s) {
        *out = (struct observe_page){.is_private = is_private};
        return 1;
    }
    if (n > s->gpa_page + s->n_pages - first)
        n = s->gpa_page + s->n_pages - first;
    if (s->gmem)
    private = backing_frames(s->gmem, s->gmem_page + (first - s->gpa_page), &n);
    if (!kvm_slot_has_one_backing(s)) {
        shared = shared_frames(w, s, first, &n);
    } else if (!is_private) { /* what it holds can only be reached through the live side */
        shared = private;
        private = NULL;
    }
    for (uint64_t i = 0; i < n; i++) {
        out[i].is_private = is_private;
        out[i].shared_frame = shared ? serial_of(w, shared[i]) : 0;
        out[i].private_frame = private ? serial_of(w, private[i]) : 0;
    }
    return n;
}

static void observe_pages(void *ctx, uint64_t first, uint64_t n, struct observe_page *out)
{
    struct sim_world *w = ctx;
    uint64_t end = 0, step;
    bool is_private = false;

    if (!w->vm) {
        memset(out, 0, n * sizeof(*out));
        return;
    }
    for (; n > 0; n -= step, first += step, out += step) {
        if (first >= end)
            is_private = kvm_private_stretch(w->vm, first, &end);
        step = observe_stretch(w, first, n < end - first ? n : end - first, is_private, out);
    }
}

static const struct dma_space *space_at(const struct sim_world *w, uint32_t number)
{
    return number < SIM_CONTAINERS_MAX ? w->spaces[number] : NULL;
}

static void observe_mapping(void *ctx, uint32_t container, uint64_t iova_page,
                            struct observe_mapping *out)
{
    struct sim_world *w = ctx;
    const struct dma_space *s = space_at(w, container);
    *out = (struct observe_mapping){0};
    if (!s || !s->filled || iova_page > UINT64_MAX >> w->page_shift)
        return;
    uint64_t iova = iova_page << w->page_shift;
    const struct dma_mapping *m = dma_space_find(s, iova);
    if (!m)
        return;
    out->frame =
        serial_of(w, dma_mapping_frame(m, (iova - m->iova) >> w->page_shift, w->page_shift));
    out->access = m->prot;
    out->head = iova == m->iova;
}

/* A container (of iommufd: an IOAS) counts as open while anything keeps it: mappings outlive
 * its fd in a group. */
static void observe_container(void *ctx, uint32_t container, struct observe_container *out)
{
    struct sim_world *w = ctx;
    const struct dma_space *s = space_at(w, container);
    *out = (struct observe_container){0};
    if (!s)
        return;
    out->open = true;
    out->entries = s->n_maps;
    out->entry_limit = s->entry_limit;
    out->mapped_pages = s->mapped_pages;
    out->pins = s->mapped_pages; /* what iommufd's copies share counts in each of them */
}

static void observe_totals(void *ctx, struct observe_totals *out)
{
    struct sim_world *w = ctx;
    *out = (struct observe_totals){
        .pins = w->frames.pins,
        .locked_pages = w->mm.locked_pages + w->mm.user_locked_pages,
        .memlock_pages = w->config.memlock_pages,
        .fds = w->n_fds,
        .vmas = w->mm.n,
        .frames = w->frames.live,
        .allocations = w->n_allocations,
    };
}

/* Frames are named by serial, stored by index; until slots are used again the two agree. */
static uint64_t observe_content(void *ctx, uint32_t frame)
{
    struct frames *f = &((struct sim_world *)ctx)->frames;
    assert(frame != 0);
    if (frame < f->n && f->table[frame].serial == frame)
        return f->table[frame].content;
    for (uint32_t i = 1; i < f->n; i++)
        if (f->table[i].serial == frame)
            return f->table[i].content;
    return 0;
}

static uint64_t observe_guest_status(void *ctx, uint32_t vcpu)
{
    return kvm_guest_status(ctx, vcpu);
}

/* The journal has merged neighbours as they came. */
static uint32_t observe_changes(void *ctx, const struct observe_change **out)
{
    struct sim_world *w = ctx;
    uint32_t n = w->n_changes;

    w->n_changes = 0;
    *out = w->changes;
    return n;
}

static bool observe_next_mapped(void *ctx, uint32_t container, uint64_t *iova_page)
{
    struct sim_world *w = ctx;
    const struct dma_space *s = space_at(w, container);
    if (!s || !s->filled || *iova_page > UINT64_MAX >> w->page_shift)
        return false;
    uint32_t i = dma_space_lower_bound(s, *iova_page << w->page_shift);
    if (i == s->n_maps)
        return false;
    uint64_t first = dma_space_at(s, i)->iova >> w->page_shift;
    if (first > *iova_page)
        *iova_page = first;
    return true;
}

const struct observe *sim_observe(struct sim_world *w)
{
    if (w->observe.ctx == w)
        return &w->observe;
    w->observe = (struct observe){
        .capabilities = OBSERVE_ATTRIBUTE | OBSERVE_SHARED_FRAME | OBSERVE_PRIVATE_FRAME |
                        OBSERVE_MAPPING | OBSERVE_PINS | OBSERVE_OBJECTS | OBSERVE_CHANGES |
                        OBSERVE_CONTENT,
        .ctx = w,
        .pages = observe_pages,
        .mapping = observe_mapping,
        .container = observe_container,
        .totals = observe_totals,
        .content = observe_content,
        .guest_status = observe_guest_status,
        .changes = observe_changes,
        .next_mapped = observe_next_mapped,
    };
    return &w->observe;
}
