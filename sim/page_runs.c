/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/world.h"

#include <string.h>

enum { RUNS_FIRST = 8 };

static bool ends_by(const void *set, uint32_t i, uint64_t page)
{
    return page_runs_at(set, i)->end <= page;
}

/* Index of the first run whose end is beyond a page. */
static uint32_t run_after(const struct page_runs *s, uint64_t page)
{
    return gap_search(s->gap, s->n, ends_by, s, page);
}

bool page_runs_has(const struct page_runs *s, uint64_t page)
{
    uint32_t i = run_after(s, page);

    assert(i <= s->n);
    return i < s->n && page_runs_at(s, i)->first <= page;
}

bool page_runs_stretch(const struct page_runs *s, uint64_t page, uint64_t *end)
{
    uint32_t i = run_after(s, page);
    bool has = i < s->n && page_runs_at(s, i)->first <= page;

    if (has)
        *end = page_runs_at(s, i)->end;
    else
        *end = i < s->n ? page_runs_at(s, i)->first : UINT64_MAX;
    assert(*end > page || page == UINT64_MAX);
    return has;
}

int page_runs_reserve(struct sim_world *w, struct page_runs *s)
{
    uint32_t capacity = s->capacity ? 2 * s->capacity : RUNS_FIRST;
    struct page_run *runs;

    if (s->n < s->capacity)
        return 0;
    assert(s->n == s->capacity);
    runs = arena_alloc(w->arena, capacity * sizeof(*runs));
    if (!runs)
        return -ENOMEM;
    if (s->n) /* it is full: there is no gap */
        memcpy(runs, s->runs, s->n * sizeof(*runs));
    s->gap = s->n;
    arena_free(w->arena, s->runs);
    s->runs = runs;
    s->capacity = capacity;
    return 0;
}

/* Runs [i, j) become the n given ones. */
static void runs_replace(struct page_runs *s, uint32_t i, uint32_t j,
                         const struct page_run *with, uint32_t n)
{
    uint32_t room = s->capacity - s->n;

    assert(i <= j && j <= s->n && n <= room + (j - i));
    if (s->gap < i || s->gap > j)
        gap_move(s->runs, sizeof(*s->runs), room, &s->gap, j);
    for (uint32_t k = 0; k < n; k++)
        s->runs[i + k] = with[k];
    s->gap = i + n;
    s->n = s->n - (j - i) + n;
}

bool page_runs_add(struct page_runs *s, uint64_t first, uint64_t end)
{
    struct page_run new = {first, end};
    uint32_t i = first ? run_after(s, first - 1) : 0, j = i;

    assert(first < end);
    while (j < s->n && page_runs_at(s, j)->first <= end)
        j++;
    if (i < j) { /* takes in all that it meets or touches */
        const struct page_run *a = page_runs_at(s, i), *z = page_runs_at(s, j - 1);
        if (a->first <= first && a->end >= end)
            return false;
        if (a->first < first)
            new.first = a->first;
        if (z->end > end)
            new.end = z->end;
    }
    runs_replace(s, i, j, &new, 1);
    return true;
}

bool page_runs_remove(struct page_runs *s, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(s, first), j = i, n = 0;
    struct page_run left[2];

    assert(first < end);
    while (j < s->n && page_runs_at(s, j)->first < end)
        j++;
    if (i == j)
        return false;
    if (page_runs_at(s, i)->first < first)
        left[n++] = (struct page_run){page_runs_at(s, i)->first, first};
    if (page_runs_at(s, j - 1)->end > end)
        left[n++] = (struct page_run){end, page_runs_at(s, j - 1)->end};
    runs_replace(s, i, j, left, n);
    return true;
}

void page_runs_free(struct sim_world *w, struct page_runs *s)
{
    assert(s->n <= s->capacity);
    arena_free(w->arena, s->runs);
    *s = (struct page_runs){0};
}
