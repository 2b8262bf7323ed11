/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "core/page_map.h"

int page_map_init(struct page_map *map, const struct host *host, enum vmm_tracker tracker,
                  uint64_t n_pages)
{
    assert(tracker == VMM_TRACKER_BITMAP || tracker == VMM_TRACKER_EXTENTS);
    if (tracker == VMM_TRACKER_EXTENTS)
        return page_map_init_extents(map, host, n_pages);
    return page_map_init_bitmap(map, host, n_pages);
}

bool page_map_any(const struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    uint64_t run_first, run_end;

    return page_map_next_run(map, first, end, value, &run_first, &run_end);
}

bool page_map_all(const struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    return !page_map_any(map, first, end, !value);
}

uint64_t page_map_runs(const struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    uint64_t run_first, n = 0;

    assert(first < end);
    while (first < end && page_map_next_run(map, first, end, value, &run_first, &first))
        n++;
    return n;
}
