/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's requests: plug, unplug, unplug all; and the VMM's resize. core/vmm.h says what
 * they promise. As in a conversion neither tracker changes before commit, so an undo knows from
 * them what was where, and nothing is allocated in one.
 *
 *   plug:    drop what is left there -> map -> commit
 *   unplug:  unmap -> attribute to private -> commit -> drop both sides
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

struct request {
    struct vmm *vmm;
    struct ram_block *block;
    bool plug;
    uint64_t gpa;        /* of the RAM block's page 0 */
    uint64_t first, end; /* of its blocks those change that are not yet what is wanted */
    bool attribute_touched;
    uint64_t blocked_page;
};

/* Tells the listeners about each run of pages that changes. */
static int notify(const struct request *r, enum discard_event e, bool goes_on)
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

static void set_debt(const struct request *r)
{
    if (!r->block->in_place) /* there one side is all there is */
        page_map_set(&r->block->attributes.debt[0], r->first, r->end, true);
    page_map_set(&r->block->attributes.debt[1], r->first, r->end, true);
}

static int pay_debt(const struct request *r)
{
    int error = ram_block_pay_debt(r->vmm, r->block, false, r->first, r->end);

    note_error(&error, ram_block_pay_debt(r->vmm, r->block, true, r->first, r->end));
    return error;
}

/* ---- plug ---- */
static int change_to_plugged(const struct request *r)
{
    int rc = notify(r, DISCARD_RESERVE, false);

    if (rc)
        return rc;
    set_debt(r); /* whatever the guest may have touched there */
    rc = pay_debt(r);
    return rc ? rc : notify(r, DISCARD_POPULATE, false);
}

/* Mapping made memory on the shared side; what cannot be dropped is debt of an unplugged page,
 * and harmless. */
static void drop_mapped(const struct request *r)
{
    struct ram_block_attributes *a = &r->block->attributes;
    uint64_t pos = r->first, first, end;

    while (pos < r->end && page_map_next_run(&a->shared, pos, r->end, true, &first, &end)) {
        if (discard_manager_hears(&r->block->manager, first, end) &&
            ram_block_drop(r->vmm, r->block, false, first, end))
            page_map_set(&a->debt[0], first, end, true);
        pos = end;
    }
}

static int undo_plug(const struct request *r)
{
    int error = notify(r, DISCARD_UNDO_POPULATE, true);

    if (!error)
        drop_mapped(r);
    return error;
}

/* ---- unplug ---- */
/* The hull of the pages that are shared; pages between are private already. */
static int set_private(struct request *r)
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

static int change_to_unplugged(struct request *r)
{
    int rc = notify(r, DISCARD_RESERVE, false);

    if (!rc)
        rc = notify(r, DISCARD_DISCARD, false);
    return rc ? rc : set_private(r);
}

static int set_shared_again(const struct request *r)
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
static int undo_unplug(const struct request *r)
{
    int error = r->attribute_touched ? set_shared_again(r) : 0;

    return error ? error : notify(r, DISCARD_UNDO_DISCARD, true);
}

/* ---- both ---- */
/* The point of no return; nothing in it can fail. */
static void commit(const struct request *r)
{
    if (!r->plug)
        ram_block_set_shared(r->block, r->first, r->end, false);
    discard_manager_commit(&r->block->manager, &r->block->virtio_mem.source, r->first, r->end,
                           r->plug);
    virtio_mem_set(&r->block->virtio_mem, r->first, r->end, r->plug);
}

/* Each shared run may become a run of debt, when a plug is undone. */
static int reserve_trackers(const struct request *r)
{
    return ram_block_reserve(
        r->vmm, r->block,
        1 + page_map_runs(&r->block->attributes.shared, r->first, r->end, true));
}

static void release(const struct request *r)
{
    (void)discard_manager_notify(&r->block->manager, &r->block->virtio_mem.source,
                                 DISCARD_RELEASE, r->first, r->end);
    ram_block_release(r->block);
}

static int work(struct request *r)
{
    int rc = reserve_trackers(r);

    assert(r->block->lock.held && r->first < r->end);
    r->vmm->is_blocked = false;
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

/* The virtio-mem region and its address. It is one section, whole. */
static bool find(struct vmm *vmm, uint32_t region, struct request *r)
{
    const struct address_space *as = &vmm->address_space;

    r->block = address_space_region(vmm, region);
    for (uint32_t i = 0; r->block && r->block->has_virtio_mem && i < as->n_sections; i++) {
        if (as->sections[i].block != r->block)
            continue;
        assert(as->sections[i].offset == 0 && as->sections[i].size == r->block->size);
        r->gpa = as->sections[i].gpa;
        return true;
    }
    return false;
}

/* May it be done? The response goes with the error. */
static int check(const struct request *r, uint64_t offset, uint64_t size, uint16_t *response)
{
    const struct virtio_mem *v = &r->block->virtio_mem;
    uint64_t mask = (UINT64_C(1) << (v->block_shift + r->vmm->page_shift)) - 1;
    uint64_t usable = v->usable << r->vmm->page_shift;
    uint64_t first, end;

    *response = VMM_RESPONSE_ERROR;
    if (size == 0 || ((offset | size) & mask) || offset > usable || size > usable - offset)
        return -EINVAL;
    if (r->plug && virtio_mem_plugged_pages(v) + (r->end - r->first) > v->requested) {
        *response = VMM_RESPONSE_NACK;
        return -ENOSPC;
    }
    if (virtio_mem_next_run(v, r->first, r->end, r->plug, &first, &end))
        return -EINVAL;
    *response = VMM_RESPONSE_BUSY;
    return r->vmm->migrating ? -EBUSY : 0;
}

static int plug_or_unplug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
                          bool plug, uint16_t *response)
{
    struct request r = {.vmm = vmm, .plug = plug};
    int rc = vmm_enter(vmm);

    *response = VMM_RESPONSE_BUSY;
    if (rc)
        return rc;
    if (!find(vmm, region, &r)) {
        *response = VMM_RESPONSE_ERROR;
        return vmm_leave(vmm, -EINVAL);
    }
    r.first = offset >> vmm->page_shift;
    r.end = r.first + (size >> vmm->page_shift);
    sync_lock(&vmm->sync, &r.block->lock);
    rc = check(&r, offset, size, response);
    if (!rc)
        rc = work(&r);
    if (!rc)
        *response = VMM_RESPONSE_ACK;
    sync_unlock(&vmm->sync, &r.block->lock);
    return vmm_leave(vmm, rc);
}

int vmm_plug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
             uint16_t *response)
{
    return plug_or_unplug(vmm, region, offset, size, true, response);
}

int vmm_unplug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
               uint16_t *response)
{
    return plug_or_unplug(vmm, region, offset, size, false, response);
}

/* With nothing plugged there is nothing that migration could mind. */
static int unplug_all(struct request *r)
{
    struct virtio_mem *v = &r->block->virtio_mem;
    int rc = 0;

    r->first = 0;
    r->end = r->block->size >> r->vmm->page_shift;
    if (virtio_mem_plugged_pages(v))
        rc = r->vmm->migrating ? -EBUSY : work(r);
    if (!rc)
        v->usable = v->requested;
    return rc;
}

int vmm_unplug_all(struct vmm *vmm, uint32_t region, uint16_t *response)
{
    struct request r = {.vmm = vmm};
    int rc = vmm_enter(vmm);

    *response = VMM_RESPONSE_BUSY;
    if (rc)
        return rc;
    if (!find(vmm, region, &r)) {
        *response = VMM_RESPONSE_ERROR;
        return vmm_leave(vmm, -EINVAL);
    }
    sync_lock(&vmm->sync, &r.block->lock);
    rc = unplug_all(&r);
    if (!rc)
        *response = VMM_RESPONSE_ACK;
    sync_unlock(&vmm->sync, &r.block->lock);
    return vmm_leave(vmm, rc);
}

int vmm_resize(struct vmm *vmm, uint32_t region, uint64_t requested, uint16_t *response)
{
    struct request r = {.vmm = vmm};
    int rc = vmm_enter(vmm);

    *response = VMM_RESPONSE_BUSY;
    if (rc)
        return rc;
    *response = VMM_RESPONSE_ERROR;
    if (!find(vmm, region, &r) || requested > r.block->size)
        return vmm_leave(vmm, -EINVAL);
    struct virtio_mem *v = &r.block->virtio_mem;
    uint64_t pages = requested >> vmm->page_shift;
    if (requested & ((UINT64_C(1) << (v->block_shift + vmm->page_shift)) - 1))
        return vmm_leave(vmm, -EINVAL);
    sync_lock(&vmm->sync, &r.block->lock);
    v->requested = pages;
    v->usable = pages > v->usable ? pages : v->usable;
    sync_unlock(&vmm->sync, &r.block->lock);
    *response = VMM_RESPONSE_ACK;
    return vmm_leave(vmm, 0);
}
