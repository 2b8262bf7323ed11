/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables in ascending order. Where one may grow long, its room is a gap where the last change
 * was: that is where most changes and most questions are next, and what lies behind need not
 * move for each of them. Elements are numbered as if there were no gap.
 */
#ifndef SIM_SORTED_H
#define SIM_SORTED_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Does element i come before what is looked for? True for the first ones, for no other. */
typedef bool sorted_before(const void *table, uint32_t i, uint64_t key);

/* The first element of [low, high) that does not come before, or `high`. */
static inline __attribute__((always_inline)) uint32_t sorted_search(uint32_t low, uint32_t high,
                                                                    sorted_before *before,
                                                                    const void *table,
                                                                    uint64_t key)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (before(table, middle, key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same of n elements, either side of the gap first. */
static inline __attribute__((always_inline)) uint32_t
gap_search(uint32_t gap, uint32_t n, sorted_before *before, const void *table, uint64_t key)
{
    uint32_t low = 0, high = n;

    assert(gap <= n);
    if (gap > 0 && !before(table, gap - 1, key)) {
        high = gap - 1;
        if (high == 0 || before(table, high - 1, key))
            return high;
    } else {
        low = gap;
        if (low == high || !before(table, low, key))
            return low;
    }
    return sorted_search(low, high, before, table, key);
}

/* Where element i lies, with `room` unused places in front of element `gap`. */
static inline uint32_t gap_place(uint32_t gap, uint32_t room, uint32_t i)
{
    return i < gap ? i : i + room;
}

/* The gap comes to lie in front of element `to`. */
static inline void gap_move(void *table, size_t size, uint32_t room, uint32_t *gap, uint32_t to)
{
    char *at = table;

    if (to < *gap)
        memmove(at + (to + room) * size, at + to * size, (*gap - to) * size);
    else if (to > *gap)
        memmove(at + *gap * size, at + (*gap + room) * size, (to - *gap) * size);
    *gap = to;
}

#endif
