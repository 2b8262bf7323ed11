/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinned pages and what they are charged to (behaviour.md 5.4, 6.2, 6.5). Pages are faulted in
 * first, so those stay when the locked-memory limit then says no.
 */
#include "sim/world.h"

static uint64_t *charged(struct sim_world *w, enum dma_charge charge)
{
    return charge == CHARGE_USER ? &w->mm.user_locked_pages : &w->mm.locked_pages;
}

static int charge_pages(struct sim_world *w, enum dma_charge charge, uint64_t n)
{
    uint64_t *count = charged(w, charge), limit = w->config.memlock_pages;

    if (charge == CHARGE_NONE)
        return 0;
    if (limit != UINT64_MAX && (*count > limit || n > limit - *count))
        return -ENOMEM;
    *count += n;
    return 0;
}

static void uncharge_pages(struct sim_world *w, enum dma_charge charge, uint64_t n)
{
    uint64_t *count = charged(w, charge);

    if (charge == CHARGE_NONE)
        return;
    assert(*count >= n);
    *count -= n;
}

int dma_page_pin(struct sim_world *w, uint64_t address, bool write, uint32_t *frame)
{
    int error = mm_fault(w, address, write, frame);

    if (!error)
        error = charge_pages(w, CHARGE_TYPE1, 1);
    if (error)
        return error;
    frame_pin(w, *frame);
    return 0;
}

void dma_page_unpin(struct sim_world *w, uint32_t frame)
{
    frame_unpin(w, frame);
    uncharge_pages(w, CHARGE_TYPE1, 1);
}

struct dma_pages *dma_pages_user(struct sim_world *w, uint64_t start, uint64_t n_pages,
                                 bool writable, enum dma_charge charge)
{
    struct dma_pages *p = arena_alloc(w->arena, sizeof(*p));

    assert(n_pages > 0 && start % w_page_size(w) == 0);
    if (!p)
        return NULL;
    p->refs = 1;
    p->charge = (uint8_t)charge;
    p->writable = writable;
    p->start = start;
    p->n_pages = n_pages;
    return p;
}

struct dma_pages *dma_pages_file(struct sim_world *w, struct backing *file, uint64_t start,
                                 uint64_t n_pages, enum dma_charge charge)
{
    struct dma_pages *p = dma_pages_user(w, start, n_pages, true, charge);

    if (!p)
        return NULL;
    p->is_file = true;
    p->file = file;
    if (file)
        backing_get(file);
    return p;
}

void dma_pages_put(struct sim_world *w, struct dma_pages *p)
{
    assert(p->refs > 0);
    if (--p->refs)
        return;
    for (uint64_t i = 0; p->pins && i < p->n_pages; i++)
        assert(p->pins[i].users == 0);
    if (p->file)
        backing_put(w, p->file);
    if (p->pins != &p->only)
        arena_free(w->arena, p->pins);
    arena_free(w->arena, p);
}

/* How many pages from an address on are mapped by the process at all, at most n: the rest
 * cannot be pinned, so a huge request needs no huge table to fail. */
static uint64_t user_pages_present(struct sim_world *w, uint64_t start, uint64_t n)
{
    uint64_t end = start, found = 0;

    while (found < n) {
        struct vma *v = mm_find(w, end);

        if (!v || v->start + v->size <= end)
            break;
        end = v->start + v->size;
        found = (end - start) >> w->page_shift;
    }
    return found < n ? found : n;
}

static uint64_t pages_present(struct sim_world *w, const struct dma_pages *p, uint64_t first,
                              uint64_t n)
{
    uint64_t at = (p->start >> w->page_shift) + first;

    if (!p->is_file)
        return user_pages_present(w, p->start + (first << w->page_shift), n);
    if (!p->file || at >= p->file->n_pages)
        return 0;
    return p->file->n_pages - at < n ? p->file->n_pages - at : n;
}

static int fault_page(struct sim_world *w, struct dma_pages *p, uint64_t page, uint32_t *frame)
{
    uint64_t at = p->start + (page << w->page_shift);

    if (!p->is_file)
        return mm_fault(w, at, p->writable, frame);
    *frame = backing_fault(w, p->file, at >> w->page_shift);
    return *frame ? 0 : -ENOMEM;
}

/* A range of which a part is not there: what is there is faulted in all the same. */
static int pin_what_is_missing(struct sim_world *w, struct dma_pages *p, uint64_t first,
                               uint64_t present)
{
    uint32_t frame;

    for (uint64_t i = 0; i < present; i++) {
        int error = fault_page(w, p, first + i, &frame);

        if (error)
            return error;
    }
    return p->is_file ? -EINVAL : -EFAULT;
}

static int pins_table(struct sim_world *w, struct dma_pages *p)
{
    if (p->pins)
        return 0;
    if (p->n_pages == 1)
        p->pins = &p->only;
    else if (p->n_pages <= SIZE_MAX / sizeof(*p->pins))
        p->pins = arena_alloc(w->arena, p->n_pages * sizeof(*p->pins));
    return p->pins ? 0 : -ENOMEM;
}

/* iommufd faults all in, then charges all, then holds them. */
static int pin_range(struct sim_world *w, struct dma_pages *p, uint64_t first, uint64_t n)
{
    struct dma_pin *pins = p->pins + first;
    uint64_t fresh = 0;
    int error = 0;

    for (uint64_t i = 0; i < n && !error; i++) {
        if (pins[i].users)
            continue;
        fresh++;
        error = fault_page(w, p, first + i, &pins[i].frame);
    }
    if (!error)
        error = charge_pages(w, p->charge, fresh);
    for (uint64_t i = 0; i < n && !error; i++)
        if (pins[i].users++ == 0)
            frame_pin(w, pins[i].frame);
    return error;
}

/* type1 goes page by page. */
static int pin_page_by_page(struct sim_world *w, struct dma_pages *p, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        int error = pin_range(w, p, i, 1);

        if (error) {
            dma_pages_unpin(w, p, 0, i);
            return error;
        }
    }
    return 0;
}

int dma_pages_pin(struct sim_world *w, struct dma_pages *p, uint64_t first, uint64_t n)
{
    uint64_t present = pages_present(w, p, first, n);
    bool by_page = p->charge == CHARGE_TYPE1;

    assert(n > 0 && first + n <= p->n_pages && (!by_page || first == 0));
    if (present < n && (!by_page || present == 0))
        return pin_what_is_missing(w, p, first, present);
    if (present < n)
        p->n_pages = present; /* these can still be too many for the limit */
    int error = pins_table(w, p);
    if (!error)
        error = by_page ? pin_page_by_page(w, p, present) : pin_range(w, p, first, n);
    if (!error && present < n) {
        dma_pages_unpin(w, p, 0, present);
        error = -EFAULT;
    }
    return error;
}

void dma_pages_unpin(struct sim_world *w, struct dma_pages *p, uint64_t first, uint64_t n)
{
    uint64_t last_users = 0;

    assert(n == 0 || (p->pins && first + n <= p->n_pages));
    for (uint64_t i = first; i < first + n; i++) {
        assert(p->pins[i].users > 0);
        if (--p->pins[i].users)
            continue;
        frame_unpin(w, p->pins[i].frame);
        last_users++;
    }
    uncharge_pages(w, p->charge, last_users);
}
