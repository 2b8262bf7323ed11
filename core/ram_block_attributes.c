/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "core/ram_block_attributes.h"

static const struct ram_block_attributes *of_source(const struct discard_source *source)
{
    return (const struct ram_block_attributes *)(const void *)source;
}
_Static_assert(offsetof(struct ram_block_attributes, source) == 0, "of_source");

static bool next_populated(const struct discard_source *source, uint64_t first, uint64_t end,
                           uint64_t *run_first, uint64_t *run_end)
{
    return page_map_next_run(&of_source(source)->shared, first, end, true, run_first, run_end);
}

int ram_block_attributes_init(struct ram_block_attributes *a, const struct host *host,
                              enum vmm_tracker tracker, uint64_t n_pages)
{
    *a = (struct ram_block_attributes){
        .source = {.next_populated = next_populated, .granularity = 1}};
    int rc = page_map_init(&a->shared, host, tracker, n_pages);

    if (rc)
        return rc;
    rc = page_map_init(&a->debt[0], host, tracker, n_pages);
    if (!rc) {
        rc = page_map_init(&a->debt[1], host, tracker, n_pages);
        if (rc)
            page_map_destroy(&a->debt[0], host);
    }
    if (rc)
        page_map_destroy(&a->shared, host);
    return rc;
}

void ram_block_attributes_destroy(struct ram_block_attributes *a, const struct host *host)
{
    for (int side = 0; side < 2; side++) {
        assert(a->debt[side].n_pages == a->shared.n_pages);
        page_map_destroy(&a->debt[side], host);
    }
    page_map_destroy(&a->shared, host);
}

uint64_t ram_block_attributes_changes(const struct ram_block_attributes *a, uint64_t first,
                                      uint64_t end, bool to_private, uint64_t *hull_first,
                                      uint64_t *hull_end)
{
    uint64_t run_first, run_end, n = 0;

    assert(first < end && end <= a->shared.n_pages);
    *hull_first = *hull_end = end;
    while (first < end &&
           page_map_next_run(&a->shared, first, end, to_private, &run_first, &run_end)) {
        if (n++ == 0)
            *hull_first = run_first;
        *hull_end = first = run_end;
    }
    return n;
}
