/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's requests: plug, unplug, unplug all; and the VMM's resize: which are allowed, and
 * what the guest is told. */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

/* The virtio-mem region and its address. It is one section, whole. */
static bool find(struct vmm *vmm, uint32_t region, struct virtio_mem_request *r)
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
static int check(const struct virtio_mem_request *r, uint64_t offset, uint64_t size,
                 uint16_t *response)
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

/* The locks of a request of the guest's. On an error none is held. */
static int begin(struct virtio_mem_request *r, uint32_t region, uint16_t *response)
{
    int rc = vmm_enter(r->vmm);

    *response = VMM_RESPONSE_BUSY;
    if (rc)
        return rc;
    r->vmm->is_blocked = false;
    if (!find(r->vmm, region, r)) {
        *response = VMM_RESPONSE_ERROR;
        return vmm_leave(r->vmm, -EINVAL);
    }
    sync_lock(&r->vmm->sync, &r->block->lock);
    return 0;
}

static int end(struct virtio_mem_request *r, int rc, uint16_t *response)
{
    if (!rc)
        *response = VMM_RESPONSE_ACK;
    sync_unlock(&r->vmm->sync, &r->block->lock);
    return vmm_leave(r->vmm, rc);
}

static int plug_or_unplug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
                          bool plug, uint16_t *response)
{
    struct virtio_mem_request r = {.vmm = vmm, .plug = plug};
    int rc = begin(&r, region, response);

    if (rc)
        return rc;
    r.first = offset >> vmm->page_shift;
    r.end = r.first + (size >> vmm->page_shift);
    rc = check(&r, offset, size, response);
    if (!rc)
        rc = virtio_mem_work(&r);
    return end(&r, rc, response);
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
static int unplug_all(struct virtio_mem_request *r)
{
    struct virtio_mem *v = &r->block->virtio_mem;
    int rc = 0;

    r->first = 0;
    r->end = r->block->size >> r->vmm->page_shift;
    if (virtio_mem_plugged_pages(v))
        rc = r->vmm->migrating ? -EBUSY : virtio_mem_work(r);
    if (!rc)
        v->usable = v->requested;
    return rc;
}

int vmm_unplug_all(struct vmm *vmm, uint32_t region, uint16_t *response)
{
    struct virtio_mem_request r = {.vmm = vmm};
    int rc = begin(&r, region, response);

    return rc ? rc : end(&r, unplug_all(&r), response);
}

int vmm_resize(struct vmm *vmm, uint32_t region, uint64_t requested, uint16_t *response)
{
    struct virtio_mem_request r = {.vmm = vmm};
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
