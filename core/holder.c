/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/holder.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/internal.h"

static const struct holder *of_source(const struct discard_source *source)
{
    return (const struct holder *)(const void *)source;
}
_Static_assert(offsetof(struct holder, source) == 0, "of_source");

static bool next_populated(const struct discard_source *source, uint64_t first, uint64_t end,
                           uint64_t *run_first, uint64_t *run_end)
{
    const struct holder *h = of_source(source);

    assert(h->end && first < end);
    if (first >= h->first && first < h->end)
        first = h->end;
    if (first < h->first && end > h->first)
        end = h->first;
    *run_first = first;
    *run_end = end;
    return first < end;
}

void holder_init(struct holder *h, uint64_t first, uint64_t end)
{
    assert(first < end);
    *h = (struct holder){.source = {.next_populated = next_populated, .granularity = 1},
                         .first = first,
                         .end = end};
}

/* A guest_memfd block that is there; else NULL. */
static struct ram_block *find(struct vmm *vmm, uint32_t region)
{
    struct ram_block *block = address_space_region(vmm, region);

    return block && block->guest_memfd ? block : NULL;
}

static int add(struct vmm *vmm, struct ram_block *block, uint64_t first, uint64_t end)
{
    int undo_error, rc;

    holder_init(&block->holder, first, end);
    rc = discard_manager_add_source(&block->manager, &block->holder.source, &undo_error);
    if (rc)
        block->holder.end = 0;
    if (undo_error)
        vmm_stop(vmm);
    return rc;
}

int vmm_source_add(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    struct ram_block *block = find(vmm, region);
    if (!block || !region_range_ok(vmm, block, offset, size))
        return vmm_leave(vmm, -EINVAL);
    if (block->holder.end)
        return vmm_leave(vmm, -EEXIST);
    sync_lock(&vmm->sync, &block->lock);
    rc = add(vmm, block, offset >> vmm->page_shift, (offset + size) >> vmm->page_shift);
    sync_unlock(&vmm->sync, &block->lock);
    return vmm_leave(vmm, rc);
}

static int take_out(struct vmm *vmm, struct ram_block *block)
{
    int undo_error;
    int rc = discard_manager_remove_source(&block->manager, &block->holder.source, &undo_error);

    if (!rc)
        block->holder.end = 0;
    if (undo_error)
        vmm_stop(vmm);
    return rc;
}

int vmm_source_remove(struct vmm *vmm, uint32_t region)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    struct ram_block *block = find(vmm, region);
    if (!block)
        return vmm_leave(vmm, -EINVAL);
    if (!block->holder.end)
        return vmm_leave(vmm, -ENOENT);
    sync_lock(&vmm->sync, &block->lock);
    rc = take_out(vmm, block);
    sync_unlock(&vmm->sync, &block->lock);
    return vmm_leave(vmm, rc);
}
