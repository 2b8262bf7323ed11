/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region that goes while the VM runs, and comes again. core/vmm.h says what that promises.
 *
 *   remove:  unmap -> slots -> attributes -> commit -> listeners, tracker, memory go
 *   add:     memory -> slots and attributes -> listeners
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

/* ---- remove ---- */
/* Puts the slots of the block's first `n` sections back, by index into all sections. */
static int set_slots(struct vmm *vmm, const struct ram_block *block, uint32_t n)
{
    const struct address_space *as = &vmm->address_space;
    int error = 0;

    for (uint32_t i = 0; i < n; i++)
        if (as->sections[i].block == block)
            note_error(&error, kvm_slot_set(vmm, &as->sections[i]));
    return error;
}

static int delete_slots(struct vmm *vmm, const struct ram_block *block)
{
    const struct address_space *as = &vmm->address_space;
    int rc;

    for (uint32_t i = 0; i < as->n_sections; i++) {
        if (as->sections[i].block != block)
            continue;
        rc = kvm_slot_delete(vmm, &as->sections[i]);
        if (!rc)
            continue;
        if (set_slots(vmm, block, i))
            vmm_stop(vmm);
        return rc;
    }
    return 0;
}

static int restore_private(struct vmm *vmm, const struct ram_block *block, uint32_t n)
{
    const struct address_space *as = &vmm->address_space;
    int error = 0;

    for (uint32_t i = 0; i < n; i++)
        if (as->sections[i].block == block)
            note_error(&error, section_restore_attributes(vmm, &as->sections[i], false));
    return error;
}

/* An address without memory is shared, as it was before there was any: a guest that goes on
 * using it is told that there is nothing, and not asked to convert it. */
static int clear_attributes(struct vmm *vmm, const struct ram_block *block)
{
    const struct address_space *as = &vmm->address_space;

    if (!block->guest_memfd || block->in_place)
        return 0; /* in place they go with the file */
    for (uint32_t i = 0; i < as->n_sections; i++) {
        const struct section *s = &as->sections[i];

        if (s->block != block)
            continue;
        int rc = kvm_attributes_set(vmm, s->gpa, s->size, false);
        if (!rc)
            continue;
        if (restore_private(vmm, block, i + (rc == -EFAULT))) /* it may have been done */
            vmm_stop(vmm);
        return rc;
    }
    return 0;
}

/* The slots come back after the attributes: no guest finds a private page shared. */
static int take_out_of_kvm(struct vmm *vmm, const struct ram_block *block)
{
    int rc = block->kind == VMM_REGION_MMIO ? 0 : delete_slots(vmm, block);

    if (rc)
        return rc;
    rc = clear_attributes(vmm, block);
    if (rc && !vmm_stopped(vmm) && set_slots(vmm, block, vmm->address_space.n_sections))
        vmm_stop(vmm);
    return rc;
}

static int remove_block(struct vmm *vmm, struct ram_block *block)
{
    int rc = listeners_withdraw_block(vmm, block);

    if (rc)
        return rc;
    rc = take_out_of_kvm(vmm, block);
    if (rc) {
        if (!vmm_stopped(vmm) && listeners_restore_block(vmm, block))
            vmm_stop(vmm);
        return rc;
    }
    listeners_forget_block(vmm, block);
    (void)ram_block_close(vmm, block); /* what is closed is closed, whatever it says */
    return 0;
}

/* ---- add ---- */
/* Takes back the block's first `n` sections, with their listeners. */
static int undo_sections(struct vmm *vmm, struct ram_block *block, uint32_t n)
{
    const struct address_space *as = &vmm->address_space;
    int error = listeners_withdraw_block(vmm, block);

    if (error)
        return error;
    listeners_forget_block(vmm, block);
    for (uint32_t i = 0; i < n; i++)
        if (as->sections[i].block == block)
            note_error(&error, section_unplug(vmm, &as->sections[i]));
    return error;
}

static int add_sections(struct vmm *vmm, struct ram_block *block)
{
    const struct address_space *as = &vmm->address_space;
    uint32_t plugged = 0;
    int rc = 0;

    for (; plugged < as->n_sections && !rc; plugged += !rc)
        if (as->sections[plugged].block == block)
            rc = section_plug(vmm, &as->sections[plugged]);
    for (uint32_t i = 0; i < as->n_sections && !rc; i++)
        if (as->sections[i].block == block)
            rc = listeners_add_section(vmm, &as->sections[i]);
    if (rc && !vmm_stopped(vmm) && undo_sections(vmm, block, plugged))
        vmm_stop(vmm);
    return rc;
}

static int add_block(struct vmm *vmm, struct ram_block *block)
{
    int rc = listeners_fit(vmm, block, NULL);

    if (!rc)
        rc = ram_block_open(vmm, block);
    if (rc)
        return rc;
    rc = add_sections(vmm, block);
    if (rc && !vmm_stopped(vmm)) /* else vmm_destroy finds what is there */
        (void)ram_block_close(vmm, block);
    return rc;
}

/* ---- both ---- */
static int check(const struct vmm *vmm, uint32_t region, bool present)
{
    const struct address_space *as = &vmm->address_space;

    if (region >= as->n_regions)
        return -EINVAL;
    if (as->regions[region]->present != present)
        return present ? -ENOENT : -EEXIST;
    return vmm->migrating ? -EBUSY : 0;
}

typedef int block_fn(struct vmm *vmm, struct ram_block *block);

static int change_region(struct vmm *vmm, uint32_t region, bool present, block_fn *fn)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    rc = check(vmm, region, present);
    if (rc)
        return vmm_leave(vmm, rc);
    struct ram_block *block = vmm->address_space.regions[region];
    sync_lock(&vmm->sync, &block->lock);
    rc = fn(vmm, block);
    sync_unlock(&vmm->sync, &block->lock);
    return vmm_leave(vmm, rc);
}

int vmm_region_remove(struct vmm *vmm, uint32_t region)
{
    return change_region(vmm, region, true, remove_block);
}

int vmm_region_readd(struct vmm *vmm, uint32_t region)
{
    return change_region(vmm, region, false, add_block);
}
