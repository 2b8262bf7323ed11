/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to guest pages that somebody else on the host holds. */
#include "sim/world.h"

#include <string.h>

enum { PINS_FIRST = 16 };

static bool pin_before(const void *world, uint32_t i, uint64_t gpa_page)
{
    return ((const struct sim_world *)world)->host_pins[i].gpa_page < gpa_page;
}

/* Index of the first pin of a guest page at or above this one. */
static uint32_t pin_index(const struct sim_world *w, uint64_t gpa_page)
{
    return sorted_search(0, w->n_host_pins, pin_before, w, gpa_page);
}

/* How many pins lie in n guest pages from there on. */
static uint32_t pins_in(const struct sim_world *w, uint64_t gpa_page, uint64_t n)
{
    uint32_t first = pin_index(w, gpa_page), i = first;

    while (i < w->n_host_pins && w->host_pins[i].gpa_page - gpa_page < n)
        i++;
    return i - first;
}

static int pins_reserve(struct sim_world *w, uint64_t more)
{
    uint64_t capacity = w->cap_host_pins ? w->cap_host_pins : PINS_FIRST;
    struct host_pin *pins;

    while (capacity < w->n_host_pins + more)
        capacity *= 2;
    if (capacity == w->cap_host_pins)
        return 0;
    pins = capacity > UINT32_MAX ? NULL : arena_alloc(w->arena, capacity * sizeof(*pins));
    if (!pins)
        return -ENOMEM;
    if (w->n_host_pins)
        memcpy(pins, w->host_pins, w->n_host_pins * sizeof(*pins));
    arena_free(w->arena, w->host_pins);
    w->host_pins = pins;
    w->cap_host_pins = (uint32_t)capacity;
    return 0;
}

/* The frame behind a guest page, by way of the VMM's address for it. */
static int host_frame(struct sim_world *w, uint64_t gpa_page, uint32_t *frame)
{
    struct slot *s = w->vm ? kvm_slot_at(w->vm, gpa_page) : NULL;
    bool read_only = s && (s->flags & KVM_MEM_READONLY);

    if (!s)
        return -EFAULT;
    return mm_fault(w, s->hva + ((gpa_page - s->gpa_page) << w->page_shift), !read_only, frame);
}

int sim_pin(struct sim_world *w, uint64_t gpa, uint64_t n_pages)
{
    uint64_t first = gpa >> w->page_shift;
    uint32_t at = pin_index(w, first), frame;

    assert(n_pages > 0 && n_pages <= UINT64_MAX - first);
    for (uint64_t i = 0; i < n_pages; i++) {
        int error = host_frame(w, first + i, &frame);
        if (error)
            return error;
    }
    if (pins_in(w, first, n_pages))
        return -EEXIST;
    if (pins_reserve(w, n_pages) != 0)
        return -ENOMEM;
    memmove(&w->host_pins[at + n_pages], &w->host_pins[at],
            (w->n_host_pins - at) * sizeof(w->host_pins[0]));
    for (uint64_t i = 0; i < n_pages; i++) {
        int error = host_frame(w, first + i, &frame);

        assert(!error); /* it was faulted in above */
        (void)error;
        frame_pin(w, frame);
        w->host_pins[at + i] = (struct host_pin){first + i, frame};
    }
    w->n_host_pins += (uint32_t)n_pages;
    return 0;
}

int sim_unpin(struct sim_world *w, uint64_t gpa, uint64_t n_pages)
{
    uint64_t first = gpa >> w->page_shift;
    uint32_t at = pin_index(w, first);

    assert(n_pages > 0);
    if (pins_in(w, first, n_pages) != n_pages)
        return -ENOENT;
    for (uint64_t i = 0; i < n_pages; i++)
        frame_unpin(w, w->host_pins[at + i].frame);
    w->n_host_pins -= (uint32_t)n_pages;
    memmove(&w->host_pins[at], &w->host_pins[at + n_pages],
            (w->n_host_pins - at) * sizeof(w->host_pins[0]));
    return 0;
}

bool sim_is_pinned(const struct sim_world *w, uint64_t gpa)
{
    return pins_in(w, gpa >> w->page_shift, 1) == 1;
}

void sim_unpin_all(struct sim_world *w)
{
    for (uint32_t i = 0; i < w->n_host_pins; i++)
        frame_unpin(w, w->host_pins[i].frame);
    arena_free(w->arena, w->host_pins);
    w->host_pins = NULL;
    w->n_host_pins = w->cap_host_pins = 0;
}
