/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of pages as sorted runs that neither overlap nor touch, so a range of any size costs
 * what it changes: the private pages of a VM, or of a guest_memfd. Ranges are [first, end).
 */
#ifndef SIM_PAGE_RUNS_H
#define SIM_PAGE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sorted.h"

struct sim_world;

struct page_run {
    uint64_t first, end;
};

struct page_runs {
    struct page_run *runs; /* with a gap (sim/sorted.h): see page_runs_at */
    uint32_t n, capacity, gap;
};

static inline struct page_run *page_runs_at(const struct page_runs *s, uint32_t i)
{
    assert(i < s->n);
    return &s->runs[gap_place(s->gap, s->capacity - s->n, i)];
}

bool page_runs_has(const struct page_runs *s, uint64_t page);
/* Is the page in the set, and in *end where the stretch of pages with that answer ends. */
bool page_runs_stretch(const struct page_runs *s, uint64_t page, uint64_t *end);

/* Room for what one call of page_runs_add or page_runs_remove may need: the only thing that
 * can fail, so it comes before any change. 0 or -ENOMEM. */
int page_runs_reserve(struct sim_world *w, struct page_runs *s);
/* True if anything changed. */
bool page_runs_add(struct page_runs *s, uint64_t first, uint64_t end);
bool page_runs_remove(struct page_runs *s, uint64_t first, uint64_t end);

void page_runs_free(struct sim_world *w, struct page_runs *s);

#endif
