/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One truth value a page: which pages are shared, which have something left behind. This is
 * the tracker interface (axis `tracker`). A bitmap costs a bit a page, whatever it says;
 * extents cost a node a run, and ask for memory before they grow. Pages are numbered from 0;
 * ranges are [first, end), never empty and never outside.
 */
#ifndef CORE_PAGE_MAP_H
#define CORE_PAGE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/host.h"
#include "core/run_tree.h"
#include "core/vmm.h"

struct page_map;

struct page_map_ops {
    bool (*get)(const struct page_map *map, uint64_t page);
    /* Never fails and never allocates. Where it makes more runs of true pages than there are,
     * room for them is reserved. A value for all pages, false for a whole run need none. */
    void (*set)(struct page_map *map, uint64_t first, uint64_t end, bool value);
    /* The first run of pages with this value in the range, cut to it. False: none. */
    bool (*next_run)(const struct page_map *map, uint64_t first, uint64_t end, bool value,
                     uint64_t *run_first, uint64_t *run_end);
    /* 64 pages from `page` on (a multiple of 64), bit 0 first; 0 past the end. */
    uint64_t (*word)(const struct page_map *map, uint64_t page);
    /* NULL: never needs any. */
    int (*reserve)(struct page_map *map, const struct host *host, uint64_t n_runs);
    void (*release)(struct page_map *map);
    void (*destroy)(struct page_map *map, const struct host *host);
};

/* Two words inside: the small worlds of a simulation need no memory of their own. */
enum { PAGE_MAP_WORDS_INSIDE = 2 };

struct page_map {
    const struct page_map_ops *ops;
    uint64_t n_pages;
    uint64_t n_set; /* pages whose value is true: 0 makes every question cheap */
    union {
        struct {
            uint64_t *words;
            uint64_t words_inside[PAGE_MAP_WORDS_INSIDE];
        };
        struct {
            struct run_tree tree; /* core/page_map_extents.c */
            uint64_t ceiling;     /* more runs than this may not come to be */
            bool reserved;        /* ... until a release */
        };
    };
};

/* All pages false. 0 or -ENOMEM. The map must not move afterwards. */
int page_map_init(struct page_map *map, const struct host *host, enum vmm_tracker tracker,
                  uint64_t n_pages);
int page_map_init_bitmap(struct page_map *map, const struct host *host, uint64_t n_pages);
int page_map_init_extents(struct page_map *map, const struct host *host, uint64_t n_pages);

/* Room for n more runs of true pages, on top of what is reserved, for every change until
 * page_map_release. 0 or -ENOMEM (nothing more reserved). */
static inline int page_map_reserve(struct page_map *map, const struct host *host, uint64_t n)
{
    return map->ops->reserve ? map->ops->reserve(map, host, n) : 0;
}

static inline void page_map_release(struct page_map *map)
{
    if (map->ops->release)
        map->ops->release(map);
}

static inline void page_map_destroy(struct page_map *map, const struct host *host)
{
    map->ops->destroy(map, host);
}

static inline bool page_map_get(const struct page_map *map, uint64_t page)
{
    return map->ops->get(map, page);
}

static inline void page_map_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    map->ops->set(map, first, end, value);
}

static inline bool page_map_next_run(const struct page_map *map, uint64_t first, uint64_t end,
                                     bool value, uint64_t *run_first, uint64_t *run_end)
{
    return map->ops->next_run(map, first, end, value, run_first, run_end);
}

static inline uint64_t page_map_word(const struct page_map *map, uint64_t page)
{
    return map->ops->word(map, page);
}

/* Does some page, do all pages of the range have this value? */
bool page_map_any(const struct page_map *map, uint64_t first, uint64_t end, bool value);
bool page_map_all(const struct page_map *map, uint64_t first, uint64_t end, bool value);
/* Runs of pages with this value that the range has. */
uint64_t page_map_runs(const struct page_map *map, uint64_t first, uint64_t end, bool value);

#endif
