/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extents tracker: the runs of true pages in a treap, ordered by first page. A node's
 * priority is a hash of its first page, so the shape of the tree depends on its content alone
 * and not on how it came about. Runs that touch are one run.
 *
 * Nodes live in one array, numbered from 1 (0: none); it grows in reserve only. All walks are
 * loops: a guest that picks its pages by their hash gets a deep tree and a slow one, and that
 * is all it gets.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/page_map.h"

enum { WORD_BITS = 64, CAPACITY_FIRST = 16 };

/* One to one, so two runs never have the same priority. */
static uint64_t priority(uint64_t first)
{
    first = (first ^ first >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    first = (first ^ first >> 27) * UINT64_C(0x94d049bb133111eb);
    return first ^ first >> 31;
}

/* The first run that ends after this page, 0: none. */
static uint32_t find(const struct page_map *map, uint64_t page)
{
    uint32_t i = map->root, best = 0;

    while (i) {
        const struct extent *e = &map->extents[i];

        if (e->end <= page) {
            i = e->right;
            continue;
        }
        best = i;
        if (e->first <= page)
            break;
        i = e->left;
    }
    return best;
}

static void give_back(struct page_map *map, uint32_t i)
{
    assert(i > 0 && i < map->capacity);
    map->extents[i] = (struct extent){.left = map->free};
    map->free = i;
    map->n_free++;
}

static uint32_t take(struct page_map *map)
{
    uint32_t i = map->free;

    assert(i && map->n_free > 0); /* else nobody has reserved it */
    map->free = map->extents[i].left;
    map->n_free--;
    return i;
}

/* The new node takes the place of the first one below it in priority, whose tree it gets, cut
 * in two. */
static void insert(struct page_map *map, uint64_t first, uint64_t end)
{
    struct extent *all = map->extents;
    uint32_t i = take(map), *link = &map->root, rest;
    uint64_t mine = priority(first);

    while (*link && priority(all[*link].first) > mine)
        link = first < all[*link].first ? &all[*link].left : &all[*link].right;
    rest = *link;
    *link = i;
    all[i] = (struct extent){.first = first, .end = end};
    uint32_t *left = &all[i].left, *right = &all[i].right;
    while (rest) {
        uint32_t **side = all[rest].first < first ? &left : &right;

        **side = rest;
        *side = side == &left ? &all[rest].right : &all[rest].left;
        rest = **side;
    }
    *left = *right = 0;
}

/* Its two subtrees become one. */
static void cut_out(struct page_map *map, uint32_t i)
{
    struct extent *all = map->extents;
    uint32_t *link = &map->root, left = all[i].left, right = all[i].right;

    while (*link != i)
        link = all[i].first < all[*link].first ? &all[*link].left : &all[*link].right;
    while (left && right) {
        if (priority(all[left].first) > priority(all[right].first)) {
            *link = left;
            link = &all[left].right;
            left = *link;
        } else {
            *link = right;
            link = &all[right].left;
            right = *link;
        }
    }
    *link = left ? left : right;
    give_back(map, i);
}

static bool extents_get(const struct page_map *map, uint64_t page)
{
    uint32_t i = find(map, page);

    assert(page < map->n_pages);
    return i && map->extents[i].first <= page;
}

/* Runs that overlap the range or touch it become one with it; the first of them keeps its node
 * where it does not start later. */
static void set_true(struct page_map *map, uint64_t first, uint64_t end)
{
    uint32_t kept = find(map, first ? first - 1 : 0), i;
    uint64_t pos = first, to = end;

    map->n_set += end - first;
    if (kept && map->extents[kept].first <= first) {
        pos = map->extents[kept].end;
        to = pos > end ? pos : end;
        map->n_set -= (pos < end ? pos : end) - first;
    } else {
        kept = 0;
    }
    while ((i = find(map, pos)) && map->extents[i].first <= end) {
        struct extent e = map->extents[i];

        map->n_set -= (e.end < end ? e.end : end) - e.first;
        to = e.end > to ? e.end : to;
        cut_out(map, i);
    }
    if (kept)
        map->extents[kept].end = to;
    else
        insert(map, first, to);
}

/* A run that starts before the range keeps its node. */
static void set_false(struct page_map *map, uint64_t first, uint64_t end)
{
    uint32_t i;

    while ((i = find(map, first)) && map->extents[i].first < end) {
        struct extent e = map->extents[i];

        map->n_set -= (e.end < end ? e.end : end) - (e.first > first ? e.first : first);
        if (e.first < first)
            map->extents[i].end = first;
        else
            cut_out(map, i);
        if (e.end > end)
            insert(map, end, e.end);
    }
}

static void extents_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    assert(first < end && end <= map->n_pages);
    if (value)
        set_true(map, first, end);
    else
        set_false(map, first, end);
    assert(map->n_set <= map->n_pages && (map->n_set == 0) == (map->root == 0));
}

static bool next_true(const struct page_map *map, uint64_t first, uint64_t end,
                      uint64_t *run_first, uint64_t *run_end)
{
    const struct extent *e = &map->extents[find(map, first)];

    if (e == map->extents || e->first >= end)
        return false;
    *run_first = e->first > first ? e->first : first;
    *run_end = e->end < end ? e->end : end;
    return true;
}

static bool next_false(const struct page_map *map, uint64_t first, uint64_t end,
                       uint64_t *run_first, uint64_t *run_end)
{
    uint32_t i = find(map, first);

    if (i && map->extents[i].first <= first) {
        first = map->extents[i].end;
        if (first >= end)
            return false;
        i = find(map, first);
    }
    *run_first = first;
    *run_end = i && map->extents[i].first < end ? map->extents[i].first : end;
    return true;
}

static bool extents_next_run(const struct page_map *map, uint64_t first, uint64_t end,
                             bool value, uint64_t *run_first, uint64_t *run_end)
{
    assert(first < end && end <= map->n_pages);
    if (!value)
        return next_false(map, first, end, run_first, run_end);
    return map->root && next_true(map, first, end, run_first, run_end);
}

static uint64_t extents_word(const struct page_map *map, uint64_t page)
{
    uint64_t word = 0, first, pos = page;
    uint64_t end = page + WORD_BITS < map->n_pages ? page + WORD_BITS : map->n_pages;

    assert(page % WORD_BITS == 0);
    while (pos < end && extents_next_run(map, pos, end, true, &first, &pos))
        word |= ~UINT64_C(0) >> (WORD_BITS - (pos - first)) << (first - page);
    return word;
}

/* All nodes that may be needed until release are there beforehand. */
static int extents_reserve(struct page_map *map, const struct host *host, uint64_t n_runs)
{
    uint32_t used = map->capacity - map->n_free; /* number 0 is never free */
    uint64_t want = used + map->reserved + n_runs + (map->capacity == 0);
    uint64_t more = 2 * (uint64_t)map->capacity;

    if (map->reserved + n_runs > map->n_free) {
        more = more > want ? more : want;
        more = more > CAPACITY_FIRST ? more : CAPACITY_FIRST;
        struct extent *bigger =
            more <= UINT32_MAX ? host_alloc(host, more * sizeof *bigger) : NULL;
        if (!bigger)
            return -ENOMEM;
        if (map->capacity)
            memcpy(bigger, map->extents, map->capacity * sizeof *bigger);
        host_free(host, map->extents);
        map->extents = bigger;
        uint32_t from = map->capacity ? map->capacity : 1;
        map->capacity = (uint32_t)more;
        for (uint32_t i = (uint32_t)more - 1; i >= from; i--)
            give_back(map, i);
    }
    map->reserved += n_runs;
    assert(map->reserved <= map->n_free);
    return 0;
}

static void extents_release(struct page_map *map)
{
    assert(map->n_free <= map->capacity);
    map->reserved = 0;
}

static void extents_destroy(struct page_map *map, const struct host *host)
{
    host_free(host, map->extents);
    map->extents = NULL;
    map->root = 0;
    map->n_pages = 0;
}

static const struct page_map_ops extents_ops = {
    .get = extents_get,
    .set = extents_set,
    .next_run = extents_next_run,
    .word = extents_word,
    .reserve = extents_reserve,
    .release = extents_release,
    .destroy = extents_destroy,
};

int page_map_init_extents(struct page_map *map, const struct host *host, uint64_t n_pages)
{
    (void)host;
    assert(n_pages > 0);
    *map = (struct page_map){.ops = &extents_ops, .n_pages = n_pages};
    return 0;
}
