/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest starts anew (a confidential reset): every page of guest_memfd memory private and
 * empty. core/vmm.h says what that promises.
 *
 *   new guest_memfds -> unmap -> slots -> attributes -> commit -> drop, close the old
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

/* The i-th block, if it is one that is reset. */
static struct ram_block *block_at(const struct vmm *vmm, uint32_t i)
{
    struct ram_block *block = vmm->address_space.regions[i];

    return block->guest_memfd ? block : NULL;
}

/* The guest_memfd sections from *i on. */
static const struct section *next_section(const struct vmm *vmm, uint32_t *i)
{
    const struct address_space *as = &vmm->address_space;

    while (*i < as->n_sections && !as->sections[*i].block->guest_memfd)
        ++*i;
    return *i < as->n_sections ? &as->sections[(*i)++] : NULL;
}

static void lock_blocks(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (block_at(vmm, i))
            sync_lock(&vmm->sync, &block_at(vmm, i)->lock);
}

static void unlock_blocks(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (block_at(vmm, i))
            sync_unlock(&vmm->sync, &block_at(vmm, i)->lock);
}

/* ---- guest_memfd files: each block has two for a while; in place they are mapped, too ---- */
static void close_other_file(struct vmm *vmm, struct ram_block *block)
{
    if (block->hva_other)
        (void)host_munmap(&vmm->host, block->hva_other, block->size);
    if (block->gmem_fd_other >= 0)
        (void)host_close(&vmm->host, block->gmem_fd_other);
    block->gmem_fd_other = -1;
    block->hva_other = 0;
}

static void close_other_files(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (block_at(vmm, i))
            close_other_file(vmm, block_at(vmm, i));
}

static int make_file(struct vmm *vmm, struct ram_block *block)
{
    int rc = kvm_create_guest_memfd(vmm, block->size);

    if (rc < 0)
        return rc;
    block->gmem_fd_other = rc;
    return block->in_place ? ram_block_map_private(vmm, block, rc, &block->hva_other) : 0;
}

static int make_files(struct vmm *vmm)
{
    int rc = 0;

    for (uint32_t i = 0; i < vmm->address_space.n_regions && !rc; i++)
        if (block_at(vmm, i))
            rc = make_file(vmm, block_at(vmm, i));
    return rc;
}

static void swap_files(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++) {
        struct ram_block *block = block_at(vmm, i);

        if (!block)
            continue;
        int fd = block->gmem_fd;
        block->gmem_fd = block->gmem_fd_other;
        block->gmem_fd_other = fd;
        if (!block->in_place)
            continue;
        uint64_t hva = block->hva;
        block->hva = block->hva_other;
        block->hva_other = hva;
    }
}

/* ---- listeners ---- */
static int restore_listeners(struct vmm *vmm, uint32_t n)
{
    int error = 0;

    for (uint32_t i = 0; i < n; i++)
        if (block_at(vmm, i))
            note_error(&error, listeners_restore_block(vmm, block_at(vmm, i)));
    return error;
}

static int unmap(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++) {
        struct ram_block *block = block_at(vmm, i);
        int rc = block ? listeners_withdraw_block(vmm, block) : 0;

        if (!rc)
            continue;
        if (restore_listeners(vmm, i))
            vmm_stop(vmm);
        return rc;
    }
    return 0;
}

/* ---- slots: one with a guest_memfd cannot be changed, only deleted and made anew ---- */
struct slots {
    uint32_t n_deleted, n_set; /* of the guest_memfd sections, in order */
};

static int move_slots(struct vmm *vmm, struct slots *done)
{
    const struct section *s;
    int rc = 0;

    for (uint32_t i = 0; !rc && (s = next_section(vmm, &i));) {
        rc = kvm_slot_delete(vmm, s);
        done->n_deleted += !rc;
        if (!rc)
            rc = kvm_slot_set(vmm, s);
        done->n_set += !rc;
    }
    return rc;
}

/* The files are the old ones again. */
static int move_slots_back(struct vmm *vmm, const struct slots *done)
{
    const struct section *s;
    uint32_t n = 0;
    int error = 0;

    for (uint32_t i = 0; n < done->n_deleted && (s = next_section(vmm, &i)); n++) {
        if (n < done->n_set)
            note_error(&error, kvm_slot_delete(vmm, s));
        note_error(&error, kvm_slot_set(vmm, s));
    }
    return error;
}

/* ---- attributes; in place the new files bring them along, and the old ones kept theirs ----
 */
static int set_private(struct vmm *vmm, uint32_t *n_touched)
{
    const struct section *s;
    int rc = 0;

    if (vmm->config.mode == VMM_MODE_INPLACE)
        return 0;
    for (uint32_t i = 0; !rc && (s = next_section(vmm, &i));) {
        rc = kvm_attributes_set(vmm, s->gpa, s->size, true);
        *n_touched += rc == 0 || rc == -EFAULT; /* it may have been done */
    }
    return rc;
}

static int restore_shared(struct vmm *vmm, uint32_t n_touched)
{
    const struct section *s;
    uint32_t n = 0;
    int error = 0;

    for (uint32_t i = 0; n < n_touched && (s = next_section(vmm, &i)); n++)
        note_error(&error, section_restore_attributes(vmm, s, true));
    return error;
}

/* ---- the whole ---- */
/* Slots, then attributes. After a failure all of it is back, or the VM is stopped. */
static int change_kvm(struct vmm *vmm)
{
    struct slots slots = {0, 0};
    uint32_t n_touched = 0;
    int undo = 0, rc;

    swap_files(vmm);
    rc = move_slots(vmm, &slots);
    if (!rc)
        rc = set_private(vmm, &n_touched);
    if (!rc)
        return 0;
    swap_files(vmm);
    note_error(&undo, restore_shared(vmm, n_touched));
    note_error(&undo, move_slots_back(vmm, &slots));
    if (undo)
        vmm_stop(vmm);
    return rc;
}

/* The private side is a new file. What is on the shared side becomes debt, wherever it is:
 * pages of hugetlb that were private have something there too, and unplugged ones may. All
 * pages get one value, for which the trackers need no memory. */
static void commit_block(struct vmm *vmm, struct ram_block *block)
{
    struct ram_block_attributes *a = &block->attributes;
    uint64_t n = a->shared.n_pages;

    ram_block_set_shared(block, 0, n, false);
    page_map_set(&a->debt[true], 0, n, false);
    page_map_set(&a->debt[false], 0, n, !block->in_place);
    if (block->has_virtio_mem) {
        virtio_mem_set(&block->virtio_mem, 0, n, false);
        block->virtio_mem.usable = block->virtio_mem.requested;
    }
    listeners_settle_block(vmm, block);
}

static void commit(struct vmm *vmm)
{
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (block_at(vmm, i))
            commit_block(vmm, block_at(vmm, i));
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (block_at(vmm, i))
            (void)ram_block_pay_all_debt(vmm, block_at(vmm, i));
}

static int change(struct vmm *vmm)
{
    int rc = unmap(vmm);

    if (rc)
        return rc;
    rc = change_kvm(vmm);
    if (rc && !vmm_stopped(vmm) && restore_listeners(vmm, vmm->address_space.n_regions))
        vmm_stop(vmm);
    return rc;
}

int vmm_reset(struct vmm *vmm)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    if (vmm->migrating)
        return vmm_leave(vmm, -EBUSY);
    lock_blocks(vmm);
    rc = make_files(vmm);
    if (!rc)
        rc = change(vmm);
    if (!rc)
        commit(vmm);
    close_other_files(vmm);
    unlock_blocks(vmm);
    return vmm_leave(vmm, rc);
}
