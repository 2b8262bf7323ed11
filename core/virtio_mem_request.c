/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a request of virtio-mem is done; core/vmm.h says what it promises. As in a conversion
 * neither tracker changes before commit, so an undo knows from them what was where, and nothing
 * is allocated in one.
 *
 *   plug:    drop what is left there -> map -> commit
 *   unplug:  unmap -> attribute to private -> commit -> drop both sides
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

/* Tells the listeners about each run of pages that changes. */
static int notify(const struct virtio_mem_request *r, enum discard_event e, bool goes_on)
{
    struct virtio_mem *v = &r->block->virtio_mem;
    uint64_t pos = r->first, first, end;
    int error = 0;

    while (pos < r->end && virtio_mem_next_run(v, pos, r->end, !r->plug, &first, &end)) {
        note_error(&error,
                   discard_manager_notify(&r->block->manager, &v->source, e, first, end));
        if (error && !goes_on)
            break;
        pos = end;
    }
    return error;
}

static void set_debt(const struct virtio_mem_request *r)
{
    if (!r->block->in_place) /* there one side is all there is */
        page_map_set(&r->block->attributes.debt[0], r->first, r->end, true);
    page_map_set(&r->block->attributes.debt[1], r->first, r->end, true);
}

static int pay_debt(const struct virtio_mem_request *r)
{
    int error = ram_block_pay_debt(r->vmm, r->block, false, r->first, r->end);

    note_error(&error, ram_block_pay_debt(r->vmm, r->block, true, r->first, r->end));
    return error;
}

/* ---- plug ---- */
static int change_to_plugged(struct virtio_mem_request *r)
{
    int rc = notify(r, DISCARD_RESERVE, false);

    if (rc)
        return rc;
    set_debt(r); /* whatever the guest may have touched there */
    rc = pay_debt(r);
    if (rc)
        return rc;
    r->populate_tried = true;
    return notify(r, DISCARD_POPULATE, false);
}

/* Mapping made memory on the shared side; what cannot be dropped is debt of unplugged pages,
 * and harmless. */
static void drop_mapped(const struct virtio_mem_request *r)
{
    struct ram_block_attributes *a = &r->block->attributes;

    if (discard_manager_hears(&r->block->manager, r->first, r->end) &&
        page_map_any(&a->shared, r->first, r->end, true) &&
        ram_block_drop(r->vmm, r->block, false, r->first, r->end))
        page_map_set(&a->debt[0], r->first, r->end, true);
}

static int undo_plug(const struct virtio_mem_request *r)
{
    if (!r->populate_tried)
        return 0;
    int error = notify(r, DISCARD_UNDO_POPULATE, true);
    if (!error)
        drop_mapped(r);
    return error;
}

/* ---- unplug ---- */
/* The hull of the pages that are shared; pages between are private already. */
static int set_private(struct virtio_mem_request *r)
{
    uint32_t shift = r->vmm->page_shift;
    uint64_t first, end;
    uint64_t n = ram_block_attributes_changes(&r->block->attributes, r->first, r->end, true,
                                              &first, &end);

    if (n == 0)
        return 0;
    int rc = attribute_set(r->vmm, r->block, r->gpa + (first << shift), first, end, true,
                           &r->blocked_page);
    r->attribute_touched = rc == 0 || rc == -EFAULT;
    if (rc == -EAGAIN && r->block->in_place)
        vmm_note_blocked(r->vmm, r->block->index, r->blocked_page);
    return rc;
}

static int change_to_unplugged(struct virtio_mem_request *r)
{
    int rc = notify(r, DISCARD_RESERVE, false);

    if (!rc)
        rc = notify(r, DISCARD_DISCARD, false);
    return rc ? rc : set_private(r);
}

static int set_shared_again(const struct virtio_mem_request *r)
{
    const struct page_map *shared = &r->block->attributes.shared;
    uint32_t shift = r->vmm->page_shift;
    uint64_t pos = r->first, first, end;
    int error = 0;

    while (pos < r->end && page_map_next_run(shared, pos, r->end, true, &first, &end)) {
        note_error(&error, attribute_restore(r->vmm, r->block, r->gpa + (first << shift), first,
                                             end, false));
        pos = end;
    }
    return error;
}

/* No page is mapped again that the kernel may still call private. */
static int undo_unplug(const struct virtio_mem_request *r)
{
    int error = r->attribute_touched ? set_shared_again(r) : 0;

    return error ? error : notify(r, DISCARD_UNDO_DISCARD, true);
}

/* ---- both ---- */
/* The point of no return; nothing in it can fail. */
static void commit(const struct virtio_mem_request *r)
{
    if (!r->plug)
        ram_block_set_shared(r->block, r->first, r->end, false);
    discard_manager_commit(&r->block->manager, &r->block->virtio_mem.source, r->first, r->end,
                           r->plug);
    virtio_mem_set(&r->block->virtio_mem, r->first, r->end, r->plug);
}

static int reserve_trackers(const struct virtio_mem_request *r)
{
    return ram_block_reserve(
        r->vmm, r->block,
        1 + page_map_runs(&r->block->attributes.shared, r->first, r->end, true));
}

static void release(const struct virtio_mem_request *r)
{
    (void)discard_manager_notify(&r->block->manager, &r->block->virtio_mem.source,
                                 DISCARD_RELEASE, r->first, r->end);
    ram_block_release(r->block);
}

int virtio_mem_work(struct virtio_mem_request *r)
{
    int rc = reserve_trackers(r);

    assert(r->block->lock.held && r->first < r->end);
    if (!rc)
        rc = r->plug ? change_to_plugged(r) : change_to_unplugged(r);
    if (rc && (r->plug ? undo_plug(r) : undo_unplug(r)))
        vmm_stop(r->vmm);
    if (!rc)
        commit(r);
    if (!rc && !r->plug) {
        set_debt(r);
        (void)pay_debt(r);
    }
    release(r);
    return rc;
}
