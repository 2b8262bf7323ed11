/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of truths (sim/observe.h), answered from the world as it is. Nothing here faults a
 * page in or changes anything, except that changes() forgets what it hands out.
 */
#include "sim/world.h"

static uint32_t serial_of(struct sim_world *w, uint32_t index)
{
    return index ? frame_at(&w->frames, index)->serial : 0;
}

static void observe_page(void *ctx, uint64_t gpa_page, struct observe_page *out)
{
    struct sim_world *w = ctx;
    const struct backing *b;
    uint64_t page;
    *out = (struct observe_page){0};
    if (!w->vm)
        return;
    out->is_private = kvm_page_is_private(w->vm, gpa_page);
    struct slot *s = kvm_slot_at(w->vm, gpa_page);
    if (!s)
        return;
    assert(gpa_page >= s->gpa_page && gpa_page - s->gpa_page < s->n_pages);
    b = kvm_slot_shared(w, s, gpa_page, &page);
    if (b)
        out->shared_frame = serial_of(w, backing_frame(b, page));
    b = kvm_slot_private(s, gpa_page, &page);
    if (b)
        out->private_frame = serial_of(w, backing_frame(b, page));
}

static struct sim_container *container_at(struct sim_world *w, uint32_t number)
{
    return number < SIM_CONTAINERS_MAX ? w->containers[number] : NULL;
}

static void observe_mapping(void *ctx, uint32_t container, uint64_t iova_page,
                            struct observe_mapping *out)
{
    struct sim_world *w = ctx;
    struct sim_container *c = container_at(w, container);
    *out = (struct observe_mapping){0};
    if (!c || iova_page > UINT64_MAX >> w->page_shift)
        return;
    uint64_t iova = iova_page << w->page_shift;
    struct dma_mapping *m = type1_find(c, iova);
    if (!m)
        return;
    out->frame = serial_of(w, dma_mapping_frame(m, (iova - m->iova) >> w->page_shift));
    out->access = m->prot;
}

/* A container counts as open while anything keeps it: mappings outlive its fd in a group. */
static void observe_container(void *ctx, uint32_t container, struct observe_container *out)
{
    struct sim_world *w = ctx;
    struct sim_container *c = container_at(w, container);
    *out = (struct observe_container){0};
    if (!c)
        return;
    out->open = true;
    out->entries = c->n_maps;
    out->entry_limit = c->entry_limit;
    out->mapped_pages = c->mapped_pages;
    out->pins = c->mapped_pages; /* every mapped page is pinned once a mapping */
}

static void observe_totals(void *ctx, struct observe_totals *out)
{
    struct sim_world *w = ctx;
    *out = (struct observe_totals){
        .pins = w->frames.pins,
        .locked_pages = w->mm.locked_pages,
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
static uint32_t observe_changes(void *ctx, struct observe_change *out, uint32_t max)
{
    struct sim_world *w = ctx;
    uint32_t n = w->n_changes;
    w->n_changes = 0;
    if (n > SIM_JOURNAL_MAX || n > max)
        return max + 1;
    for (uint32_t i = 0; i < n; i++)
        out[i] = w->changes[i];
    return n;
}

static bool observe_next_mapped(void *ctx, uint32_t container, uint64_t *iova_page)
{
    struct sim_world *w = ctx;
    struct sim_container *c = container_at(w, container);
    if (!c || *iova_page > UINT64_MAX >> w->page_shift)
        return false;
    uint32_t i = type1_lower_bound(c, *iova_page << w->page_shift);
    if (i == c->n_maps)
        return false;
    uint64_t first = c->maps[i].iova >> w->page_shift;
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
        .page = observe_page,
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
