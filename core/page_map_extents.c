/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extents tracker: the runs of true pages in a tree. Runs that touch are one run. */
#include <assert.h>
#include <errno.h>

#include "core/page_map.h"

enum { WORD_BITS = 64 };

static uint32_t find(const struct page_map *map, uint64_t page)
{
    return run_tree_find(&map->tree, page);
}

static bool extents_get(const struct page_map *map, uint64_t page)
{
    uint32_t i = find(map, page);

    assert(page < map->n_pages);
    return i && map->tree.nodes[i].first <= page;
}

/* Runs that overlap the range or touch it become one with it; the first of them keeps its node
 * where it does not start later. */
static void set_true(struct page_map *map, uint64_t first, uint64_t end)
{
    uint32_t kept = find(map, first ? first - 1 : 0), i;
    uint64_t pos = first, to = end;

    map->n_set += end - first;
    if (kept && map->tree.nodes[kept].first <= first) {
        pos = map->tree.nodes[kept].end;
        to = pos > end ? pos : end;
        map->n_set -= (pos < end ? pos : end) - first;
    } else {
        kept = 0;
    }
    while ((i = find(map, pos)) && map->tree.nodes[i].first <= end) {
        struct run_node e = map->tree.nodes[i];

        map->n_set -= (e.end < end ? e.end : end) - e.first;
        to = e.end > to ? e.end : to;
        run_tree_remove(&map->tree, i);
    }
    if (kept)
        run_tree_set_end(&map->tree, kept, to);
    else
        run_tree_insert(&map->tree, first, to, 0);
}

/* A run that starts before the range keeps its node. */
static void set_false(struct page_map *map, uint64_t first, uint64_t end)
{
    uint32_t i;

    while ((i = find(map, first)) && map->tree.nodes[i].first < end) {
        struct run_node e = map->tree.nodes[i];

        map->n_set -= (e.end < end ? e.end : end) - (e.first > first ? e.first : first);
        if (e.first < first)
            run_tree_set_end(&map->tree, i, first);
        else
            run_tree_remove(&map->tree, i);
        if (e.end > end)
            run_tree_insert(&map->tree, end, e.end, 0);
    }
}

static void extents_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    assert(first < end && end <= map->n_pages);
    if (value)
        set_true(map, first, end);
    else
        set_false(map, first, end);
    assert(map->n_set <= map->n_pages && (map->n_set == 0) == (map->tree.root == 0));
    assert(map->tree.n <= map->ceiling); /* somebody has reserved that much */
}

static bool next_true(const struct page_map *map, uint64_t first, uint64_t end,
                      uint64_t *run_first, uint64_t *run_end)
{
    const struct run_node *e = &map->tree.nodes[find(map, first)];

    if (e == map->tree.nodes || e->first >= end)
        return false;
    *run_first = e->first > first ? e->first : first;
    *run_end = e->end < end ? e->end : end;
    return true;
}

static bool next_false(const struct page_map *map, uint64_t first, uint64_t end,
                       uint64_t *run_first, uint64_t *run_end)
{
    uint32_t i = find(map, first);

    if (i && map->tree.nodes[i].first <= first) {
        first = map->tree.nodes[i].end;
        if (first >= end)
            return false;
        i = find(map, first);
    }
    *run_first = first;
    *run_end = i && map->tree.nodes[i].first < end ? map->tree.nodes[i].first : end;
    return true;
}

static bool extents_next_run(const struct page_map *map, uint64_t first, uint64_t end,
                             bool value, uint64_t *run_first, uint64_t *run_end)
{
    assert(first < end && end <= map->n_pages);
    if (!value)
        return next_false(map, first, end, run_first, run_end);
    return map->tree.root && next_true(map, first, end, run_first, run_end);
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
    uint64_t ceiling = map->ceiling + n_runs;
    int rc = run_tree_grow(&map->tree, host, ceiling - map->tree.n);

    if (!rc) {
        map->ceiling = ceiling;
        map->reserved = true;
    }
    return rc;
}

static void extents_release(struct page_map *map)
{
    assert(map->tree.n <= map->ceiling);
    map->ceiling = map->tree.n ? map->tree.n : 1;
    map->reserved = false;
}

static void extents_destroy(struct page_map *map, const struct host *host)
{
    assert(!map->reserved); /* else it would only ever grow */
    run_tree_destroy(&map->tree, host);
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
    assert(n_pages > 0);
    *map = (struct page_map){.ops = &extents_ops, .n_pages = n_pages, .ceiling = 1};
    return run_tree_grow(&map->tree, host, 1); /* for a value of all pages */
}
