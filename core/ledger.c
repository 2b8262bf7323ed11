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

static void open_gap(struct ledger *l, uint32_t i)
{
    assert(l->n < l->capacity && i <= l->n);
    memmove(&l->runs[i + 1], &l->runs[i], (l->n - i) * sizeof l->runs[0]);
    l->n++;
}

static void close_gap(struct ledger *l, uint32_t i, uint32_t n)
{
    assert(i + n <= l->n);
    if (n == 0)
        return;
    memmove(&l->runs[i], &l->runs[i + n], (l->n - i - n) * sizeof l->runs[0]);
    l->n -= n;
}

void ledger_add(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(l, first);
    bool touches_left = i > 0 && l->runs[i - 1].end == first;
    bool touches_right = i < l->n && l->runs[i].first == end;

    assert(first < end);
    assert(i == l->n || l->runs[i].first >= end);
    l->n_pages += end - first;
    if (touches_left && touches_right) {
        l->runs[i - 1].end = l->runs[i].end;
        close_gap(l, i, 1);
    } else if (touches_left) {
        l->runs[i - 1].end = end;
    } else if (touches_right) {
        l->runs[i].first = first;
    } else {
        open_gap(l, i);
        l->runs[i] = (struct ledger_run){first, end};
    }
}

void ledger_remove(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(l, first);
    uint32_t keep;

    assert(first < end);
    l->n_pages -= ledger_count(l, first, end);
    if (i < l->n && l->runs[i].first < first) {
        uint64_t tail = l->runs[i].end;

        l->runs[i].end = first;
        i++;
        if (tail > end) {
            open_gap(l, i);
            l->runs[i] = (struct ledger_run){end, tail};
            return;
        }
    }
    for (keep = i; keep < l->n && l->runs[keep].end <= end;)
        keep++;
    if (keep < l->n && l->runs[keep].first < end)
        l->runs[keep].first = end;
    close_gap(l, i, keep - i);
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

bool ledger_next_run(const struct ledger *l, uint64_t first, uint64_t end, bool recorded,
                     uint64_t *run_first, uint64_t *run_end)
{
    uint32_t i = run_after(l, first);

    assert(first < end);
    if (!recorded && i < l->n && l->runs[i].first <= first)
        first = l->runs[i++].end;
    if (first >= end)
        return false;
    if (!recorded) {
        *run_first = first;
        *run_end = i < l->n && l->runs[i].first < end ? l->runs[i].first : end;
        return true;
    }
    if (i == l->n || l->runs[i].first >= end)
        return false;
    *run_first = l->runs[i].first > first ? l->runs[i].first : first;
    *run_end = l->runs[i].end < end ? l->runs[i].end : end;
    return true;
}

void ledger_clear(struct ledger *l)
{
    l->n = 0;
    l->n_pages = 0;
}

void ledger_destroy(struct ledger *l, const struct host *host)
{
    assert(l->reserved == 0);
    host_free(host, l->runs);
    *l = (struct ledger){0};
}
