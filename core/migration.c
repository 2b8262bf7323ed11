/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

static uint64_t n_pages(const struct vmm *vmm, const struct ram_block *block)
{
    return block->size >> vmm->page_shift;
}

void migration_forget(struct vmm *vmm, struct ram_block *block)
{
    if (block->dirty_logged)
        page_map_destroy(&block->dirty, &vmm->host);
    block->dirty_logged = false;
}

static void stop_all(struct vmm *vmm)
{
    struct address_space *as = &vmm->address_space;

    for (uint32_t i = 0; i < as->n_regions; i++) {
        sync_lock(&vmm->sync, &as->regions[i]->lock);
        migration_forget(vmm, as->regions[i]);
        sync_unlock(&vmm->sync, &as->regions[i]->lock);
    }
    vmm->migrating = false;
}

/* Everything has to be sent once. */
static int start_block(struct vmm *vmm, struct ram_block *block)
{
    int rc = page_map_init_bitmap(&block->dirty, &vmm->host, n_pages(vmm, block));

    assert(block->lock.held && !block->dirty_logged);
    if (rc)
        return rc;
    block->dirty_logged = true;
    migration_dirty(block, 0, n_pages(vmm, block));
    return 0;
}

static int start_all(struct vmm *vmm)
{
    struct address_space *as = &vmm->address_space;
    int rc = 0;

    for (uint32_t i = 0; i < as->n_regions && !rc; i++) {
        if (as->regions[i]->kind == VMM_REGION_MMIO || !as->regions[i]->present)
            continue;
        sync_lock(&vmm->sync, &as->regions[i]->lock);
        rc = start_block(vmm, as->regions[i]);
        sync_unlock(&vmm->sync, &as->regions[i]->lock);
    }
    if (rc)
        stop_all(vmm);
    else
        vmm->migrating = true;
    return rc;
}

int vmm_migrate(struct vmm *vmm, bool start)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    if (start)
        rc = vmm->migrating ? -EBUSY : start_all(vmm);
    else if (vmm->migrating)
        stop_all(vmm);
    else
        rc = -EINVAL;
    return vmm_leave(vmm, rc);
}

/* The pages of a listener that are mapped stay dirty. */
static void keep_mapped(const struct vfio_listener *l)
{
    struct container *c = l->container;
    uint64_t base = l->iova_page - l->base.first; /* may wrap, and wraps back */
    uint64_t pos = l->base.first, gap, gap_end;

    sync_lock(&c->vmm->sync, &c->lock);
    while (pos < l->base.end) {
        if (!ledger_next_gap(&c->ledger, pos + base, l->base.end + base, &gap, &gap_end))
            gap = gap_end = l->base.end + base;
        if (pos < gap - base)
            migration_dirty(l->block, pos, gap - base);
        pos = gap_end - base;
    }
    sync_unlock(&c->vmm->sync, &c->lock);
}

static void clear(struct vmm *vmm, struct ram_block *block)
{
    page_map_set(&block->dirty, 0, n_pages(vmm, block), false);
    for (uint32_t i = 0; i < vmm->n_containers && block->kind == VMM_REGION_RAM; i++)
        for (const struct vfio_listener *l = vmm->containers[i]->listeners; l; l = l->next)
            if (l->block == block)
                keep_mapped(l);
}

static enum vmm_page_state state_of(const struct ram_block *block, uint64_t page)
{
    uint64_t first, end;

    if (!block->present)
        return VMM_PAGE_DISCARDED;
    if (!block->guest_memfd)
        return VMM_PAGE_SHARED;
    if (block->has_virtio_mem &&
        !virtio_mem_next_run(&block->virtio_mem, page, page + 1, true, &first, &end))
        return VMM_PAGE_DISCARDED;
    return page_map_get(&block->attributes.shared, page) ? VMM_PAGE_SHARED : VMM_PAGE_PRIVATE;
}

static void report(const struct vmm *vmm, const struct ram_block *block, uint8_t *pages)
{
    for (uint64_t page = 0; page < n_pages(vmm, block); page++) {
        pages[page] = (uint8_t)state_of(block, page);
        if (pages[page] != VMM_PAGE_DISCARDED && page_map_get(&block->dirty, page))
            pages[page] |= VMM_PAGE_DIRTY;
    }
}

int vmm_dirty_sync(struct vmm *vmm, uint32_t region, uint8_t *pages)
{
    struct ram_block *block;
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    if (!vmm->migrating || region >= vmm->address_space.n_regions)
        return vmm_leave(vmm, -EINVAL);
    block = vmm->address_space.regions[region];
    if (block->kind == VMM_REGION_MMIO)
        return vmm_leave(vmm, -EINVAL);
    sync_lock(&vmm->sync, &block->lock);
    report(vmm, block, pages);
    if (block->present)
        clear(vmm, block);
    sync_unlock(&vmm->sync, &block->lock);
    return vmm_leave(vmm, 0);
}
