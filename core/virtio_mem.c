/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stddef.h>

#include "core/virtio_mem.h"

static const struct virtio_mem *of_source(const struct discard_source *source)
{
    return (const struct virtio_mem *)(const void *)source;
}
_Static_assert(offsetof(struct virtio_mem, source) == 0, "of_source");

static bool next_populated(const struct discard_source *source, uint64_t first, uint64_t end,
                           uint64_t *run_first, uint64_t *run_end)
{
    return virtio_mem_next_run(of_source(source), first, end, true, run_first, run_end);
}

int virtio_mem_init(struct virtio_mem *v, const struct host *host, uint64_t n_pages,
                    uint64_t block_pages, uint64_t requested)
{
    *v = (struct virtio_mem){
        .source = {.next_populated = next_populated, .granularity = block_pages},
        .block_shift = (uint32_t)__builtin_ctzll(block_pages),
        .requested = requested,
        .usable = requested};
    assert(block_pages == UINT64_C(1) << v->block_shift);
    assert(n_pages % block_pages == 0 && requested % block_pages == 0 && requested <= n_pages);
    return page_map_init_bitmap(&v->plugged, host, n_pages >> v->block_shift);
}

void virtio_mem_destroy(struct virtio_mem *v, const struct host *host)
{
    page_map_destroy(&v->plugged, host);
}

bool virtio_mem_next_run(const struct virtio_mem *v, uint64_t first, uint64_t end, bool plugged,
                         uint64_t *run_first, uint64_t *run_end)
{
    uint64_t block_end = ((end - 1) >> v->block_shift) + 1;
    uint64_t from, to;

    assert(first < end);
    if (!page_map_next_run(&v->plugged, first >> v->block_shift, block_end, plugged, &from,
                           &to))
        return false;
    from <<= v->block_shift;
    to <<= v->block_shift;
    *run_first = from > first ? from : first;
    *run_end = to < end ? to : end;
    return true;
}

void virtio_mem_set(struct virtio_mem *v, uint64_t first, uint64_t end, bool plugged)
{
    assert(((first | end) & ((UINT64_C(1) << v->block_shift) - 1)) == 0);
    page_map_set(&v->plugged, first >> v->block_shift, end >> v->block_shift, plugged);
}

uint64_t virtio_mem_plugged_pages(const struct virtio_mem *v)
{
    return v->plugged.n_set << v->block_shift;
}
