/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the calls since the last drain may have changed, as stretches of guest pages and IOVA
 * pages, so that a checker need look at those only. A stretch may be too long, never too short.
 */
#include "sim/world.h"

/* How many of the last stretches are looked at for a neighbour: a conversion goes through
 * guest pages and IOVA pages in turn. */
enum { LOOK_BACK = 4 };

/* One stretch takes in another where they touch. */
static bool stretch_merge(struct observe_change *c, uint64_t first, uint64_t n)
{
    uint64_t c_end = c->first + c->n_pages, end = first + n;

    assert(c->n_pages && n);
    if (first > c_end || c->first > end)
        return false;
    if (end < c_end)
        end = c_end;
    if (first < c->first)
        c->first = first;
    c->n_pages = end - c->first;
    return true;
}

static void journal_add(struct sim_world *w, bool is_iova, unsigned container, uint64_t first,
                        uint64_t n)
{
    uint32_t have = w->n_changes, stop = have > LOOK_BACK ? have - LOOK_BACK : 0;

    assert(container < SIM_CONTAINERS_MAX);
    assert(n <= UINT64_MAX - first);
    if (have > OBSERVE_CHANGES_MAX || !n)
        return;
    for (uint32_t i = have; i > stop; i--) {
        struct observe_change *c = &w->changes[i - 1];
        if (c->is_iova == is_iova && c->container == container && stretch_merge(c, first, n))
            return;
    }
    w->n_changes = have + 1;
    if (have < OBSERVE_CHANGES_MAX)
        w->changes[have] = (struct observe_change){is_iova, (uint8_t)container, first, n};
}

void journal_gpa(struct sim_world *w, uint64_t first_page, uint64_t n)
{
    journal_add(w, false, 0, first_page, n);
}

void journal_iova(struct sim_world *w, unsigned container, uint64_t first_page, uint64_t n)
{
    journal_add(w, true, container, first_page, n);
}

void journal_all(struct sim_world *w)
{
    w->n_changes = OBSERVE_CHANGES_MAX + 1;
}

/* Pages [first, end) of a backing changed, of which `n` pages from backing page `at` on are
 * shown from guest page `gpa_page` on. */
static void journal_window(struct sim_world *w, uint64_t gpa_page, uint64_t at, uint64_t n,
                           uint64_t first, uint64_t end)
{
    uint64_t window_end = at + n;

    assert(first < end);
    if (first < at)
        first = at;
    if (end > window_end)
        end = window_end;
    if (first < end)
        journal_gpa(w, gpa_page + (first - at), end - first);
}

/* The shared side of a slot that several VMAs show. */
static void journal_by_vmas(struct sim_world *w, const struct slot *s, const struct backing *b,
                            uint64_t first, uint64_t end)
{
    uint64_t slot_end = s->hva + (s->n_pages << w->page_shift);

    for (uint32_t i = 0; i < w->mm.n; i++) {
        const struct vma *v = &w->mm.vmas[i];
        uint64_t from = v->start > s->hva ? v->start : s->hva;
        uint64_t to = v->start + v->size < slot_end ? v->start + v->size : slot_end;
        if (v->backing != b || from >= to)
            continue;
        journal_window(w, s->gpa_page + ((from - s->hva) >> w->page_shift),
                       v->first_page + ((from - v->start) >> w->page_shift),
                       (to - from) >> w->page_shift, first, end);
    }
}

void journal_backing(struct sim_world *w, const struct backing *b, uint64_t first, uint64_t n)
{
    uint64_t end = n > UINT64_MAX - first ? UINT64_MAX : first + n, page;

    assert(b && n);
    if (!w->vm || w->n_changes > OBSERVE_CHANGES_MAX)
        return;
    for (uint32_t i = 0; i < w->vm->n_slots; i++) {
        struct slot *s = &w->vm->slots[i];
        if (s->gmem == b)
            journal_window(w, s->gpa_page, s->gmem_page, s->n_pages, first, end);
        if (b->kind == BACKING_GMEM && !(b->flags & GUEST_MEMFD_FLAG_MMAP))
            continue; /* nothing can show it as memory of the process */
        if (s->shared_generation != w->mm.generation)
            kvm_slot_shared(w, s, s->gpa_page, &page); /* fills the cache if it can be */
        if (s->shared_generation != w->mm.generation)
            journal_by_vmas(w, s, b, first, end);
        else if (s->shared == b)
            journal_window(w, s->gpa_page, s->shared_page, s->n_pages, first, end);
    }
}

void journal_hva(struct sim_world *w, uint64_t start, uint64_t size)
{
    assert(size && size <= UINT64_MAX - start);
    if (!w->vm)
        return;
    for (uint32_t i = 0; i < w->vm->n_slots; i++) {
        const struct slot *s = &w->vm->slots[i];
        journal_window(w, s->gpa_page, s->hva >> w->page_shift, s->n_pages,
                       start >> w->page_shift, (start + size) >> w->page_shift);
    }
}
