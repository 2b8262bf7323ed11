/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/ledger.h"

enum { LEDGER_CAPACITY_FIRST = 16 };

int ledger_reserve(struct ledger *l, const struct host *host, uint32_t more)
{
    uint64_t want = (uint64_t)l->n + l->reserved + more;
    uint64_t capacity = l->capacity ? l->capacity : LEDGER_CAPACITY_FIRST;

    assert(l->n <= l->capacity);
    if (want > UINT32_MAX / 2)
        return -ENOMEM;
    while (capacity < want)
        capacity *= 2;
    if (capacity > l->capacity) {
        struct ledger_run *runs = host_alloc(host, capacity * sizeof runs[0]);

        if (!runs)
            return -ENOMEM;
        if (l->n)
            memcpy(runs, l->runs, l->n * sizeof runs[0]);
        host_free(host, l->runs);
        l->runs = runs;
        l->capacity = (uint32_t)capacity;
    }
    l->reserved += more;
    return 0;
}

void ledger_release(struct ledger *l, uint32_t less)
{
    assert(l->reserved >= less);
    l->reserved -= less;
}

/* Index of the first run that ends after `page`; n when none does. */
static uint32_t run_after(const struct ledger *l, uint64_t page)
{
    uint32_t low = 0, high = l->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (l->runs[middle].end <= page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t mappings_of(const struct ledger_run *run)
{
    return run->whole ? 1 : run->end - run->first;
}

static void insert(struct ledger *l, uint32_t i, struct ledger_run run)
{
    assert(l->n < l->capacity && i <= l->n && run.first < run.end);
    memmove(&l->runs[i + 1], &l->runs[i], (l->n - i) * sizeof l->runs[0]);
    l->runs[i] = run;
    l->n++;
}

static void erase(struct ledger *l, uint32_t i, uint32_t n)
{
    assert(i + n <= l->n);
    if (n == 0)
        return;
    memmove(&l->runs[i], &l->runs[i + n], (l->n - i - n) * sizeof l->runs[0]);
    l->n -= n;
}

/* Takes single pages in. */
static bool is_open(const struct ledger_run *run)
{
    return !run->whole && !run->doubtful;
}

/* A mapping of one page joins those beside it; a larger one is a run of its own. */
void ledger_add(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(l, first);
    bool whole = end - first > 1;
    bool left = !whole && i > 0 && l->runs[i - 1].end == first && is_open(&l->runs[i - 1]);
    bool right = !whole && i < l->n && l->runs[i].first == end && is_open(&l->runs[i]);

    assert(first < end);
    assert(i == l->n || l->runs[i].first >= end);
    l->n_pages += end - first;
    l->n_mappings++;
    if (left && right) {
        l->runs[i - 1].end = l->runs[i].end;
        erase(l, i, 1);
    } else if (left) {
        l->runs[i - 1].end = end;
    } else if (right) {
        l->runs[i].first = first;
    } else {
        insert(l, i, (struct ledger_run){first, end, whole, false});
    }
}

/* A mapping of one page that comes of it is a single page like any other. */
void ledger_cut(struct ledger *l, uint64_t page)
{
    uint32_t i = run_after(l, page);

    if (i == l->n || l->runs[i].first >= page)
        return;
    struct ledger_run *head = &l->runs[i], tail = *head;
    l->n_mappings -= mappings_of(head);
    head->end = tail.first = page;
    head->whole &= head->end - head->first > 1;
    tail.whole &= tail.end - tail.first > 1;
    l->n_mappings += mappings_of(head) + mappings_of(&tail);
    insert(l, i + 1, tail);
}

/* Single pages at the end, or at the start, of a run are forgotten. */
static void shorten(struct ledger *l, uint32_t i, uint64_t first, uint64_t end)
{
    struct ledger_run *run = &l->runs[i];
    uint64_t less = run->end - run->first - (end - first);

    assert(!run->whole && first < end);
    l->n_pages -= less;
    l->n_mappings -= less;
    run->first = first;
    run->end = end;
}

void ledger_remove(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(l, first);
    uint32_t keep;

    assert(first < end);
    /* Whole mappings only: shorten() sees to the end that stays. */
    if (i < l->n && l->runs[i].first < first) {
        assert(!l->runs[i].whole);
        if (l->runs[i].end > end)
            ledger_cut(l, end);
        shorten(l, i, l->runs[i].first, first);
        i++;
    }
    for (keep = i; keep < l->n && l->runs[keep].end <= end; keep++) {
        l->n_pages -= l->runs[keep].end - l->runs[keep].first;
        l->n_mappings -= mappings_of(&l->runs[keep]);
    }
    if (keep < l->n && l->runs[keep].first < end)
        shorten(l, keep, end, l->runs[keep].end);
    erase(l, i, keep - i);
}

void ledger_doubt(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i;

    assert(first < end);
    ledger_cut(l, first);
    ledger_cut(l, end);
    for (i = run_after(l, first); i < l->n && l->runs[i].first < end; i++)
        l->runs[i].doubtful = true;
}

void ledger_trust(struct ledger *l, uint64_t first)
{
    uint32_t i = run_after(l, first);

    assert(i < l->n && l->runs[i].first == first && l->runs[i].doubtful);
    if (l->runs[i].whole) {
        l->runs[i].doubtful = false;
        return;
    }
    ledger_remove(l, first, first + 1);
    ledger_add(l, first, first + 1);
}

bool ledger_next_doubt(const struct ledger *l, uint64_t first, uint64_t end,
                       uint64_t *mapping_first, uint64_t *mapping_end)
{
    assert(first < end);
    for (uint32_t i = run_after(l, first); i < l->n && l->runs[i].first < end; i++) {
        const struct ledger_run *run = &l->runs[i];
        uint64_t page = run->first > first ? run->first : first;

        if (!run->doubtful)
            continue;
        *mapping_first = run->whole ? run->first : page;
        *mapping_end = run->whole ? run->end : page + 1;
        return true;
    }
    return false;
}

uint64_t ledger_count(const struct ledger *l, uint64_t first, uint64_t end)
{
    uint64_t n = 0;

    assert(first < end);
    for (uint32_t i = run_after(l, first); i < l->n && l->runs[i].first < end; i++) {
        const struct ledger_run *run = &l->runs[i];

        n += (run->end < end ? run->end : end) - (run->first > first ? run->first : first);
    }
    return n;
}

bool ledger_find(const struct ledger *l, uint64_t page, uint64_t *mapping_first,
                 uint64_t *mapping_end)
{
    uint32_t i = run_after(l, page);

    if (i == l->n || l->runs[i].first > page)
        return false;
    *mapping_first = l->runs[i].whole ? l->runs[i].first : page;
    *mapping_end = l->runs[i].whole ? l->runs[i].end : page + 1;
    return true;
}

bool ledger_next_gap(const struct ledger *l, uint64_t first, uint64_t end, uint64_t *gap_first,
                     uint64_t *gap_end)
{
    uint32_t i = run_after(l, first);

    assert(first < end);
    for (; i < l->n && l->runs[i].first <= first; i++)
        first = l->runs[i].end;
    if (first >= end)
        return false;
    *gap_first = first;
    *gap_end = i < l->n && l->runs[i].first < end ? l->runs[i].first : end;
    return true;
}

void ledger_clear(struct ledger *l)
{
    l->n = 0;
    l->n_pages = 0;
    l->n_mappings = 0;
}

void ledger_destroy(struct ledger *l, const struct host *host)
{
    assert(l->reserved == 0);
    host_free(host, l->runs);
    *l = (struct ledger){0};
}
