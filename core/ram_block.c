/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "core/internal.h"
#include "core/uapi.h"

/* A drop that a signal broke off is tried this often before it counts as failed. */
enum { DROP_TRIES = 2 };

static int make_memfd(struct vmm *vmm, const struct ram_block *block)
{
    unsigned flags = MFD_CLOEXEC;

    if (block->share == VMM_SHARE_HUGETLB)
        flags |= MFD_HUGETLB | (unsigned)__builtin_ctzll(block->huge_page_size)
                                   << MFD_HUGE_SHIFT;
    return host_memfd_create(&vmm->host, "ram", flags);
}

/* Debt that is paid in part leaves what lies before and behind. */
enum { ENDS_CUT = 2 };

static int map_shared_side(struct vmm *vmm, struct ram_block *block)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    assert(block->fd == -1 && block->gmem_fd == -1 && block->hva == 0);
    if (block->share != VMM_SHARE_ANON) {
        block->fd = make_memfd(vmm, block);
        if (block->fd < 0)
            return block->fd;
        int rc = host_ftruncate(&vmm->host, block->fd, (int64_t)block->size);
        if (rc)
            return rc;
        flags = MAP_SHARED;
    }
    return host_mmap(&vmm->host, 0, block->size, PROT_READ | PROT_WRITE, flags, block->fd, 0,
                     &block->hva);
}

int ram_block_map_private(struct vmm *vmm, const struct ram_block *block, int fd, uint64_t *hva)
{
    assert(block->in_place && fd >= 0 && *hva == 0);
    return host_mmap(&vmm->host, 0, block->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0,
                     hva);
}

/* One for guest_memfd, one for virtio-mem, before anything is done. */
static int take_guards(struct vmm *vmm, struct ram_block *block)
{
    uint32_t want = block->config.guest_memfd + (block->config.virtio_mem_block != 0);

    for (; block->n_guards < want; block->n_guards++) {
        int rc = discard_guard_take(vmm, VMM_GUARD_COORDINATED_REQUIRE);

        if (rc)
            return rc;
    }
    return 0;
}

static int make_private_side(struct vmm *vmm, struct ram_block *block)
{
    uint64_t n_pages = block->size >> vmm->page_shift;
    int undo_error, rc = kvm_create_guest_memfd(vmm, block->size);

    if (rc < 0)
        return rc;
    block->gmem_fd = rc;
    rc = block->in_place ? ram_block_map_private(vmm, block, rc, &block->hva) : 0;
    if (rc)
        return rc;
    rc =
        ram_block_attributes_init(&block->attributes, &vmm->host, vmm->config.tracker, n_pages);
    if (rc)
        return rc;
    discard_manager_init(&block->manager, &vmm->host, vmm->config.tracker, n_pages);
    block->guest_memfd = true;
    return discard_manager_add_source(&block->manager, &block->attributes.source, &undo_error);
}

static int add_virtio_mem(struct vmm *vmm, struct ram_block *block)
{
    uint32_t shift = vmm->page_shift;
    int undo_error;
    int rc = virtio_mem_init(&block->virtio_mem, &vmm->host, block->size >> shift,
                             block->config.virtio_mem_block >> shift,
                             block->config.requested_size >> shift);
    if (rc)
        return rc;
    block->has_virtio_mem = true;
    return discard_manager_add_source(&block->manager, &block->virtio_mem.source, &undo_error);
}

int ram_block_open(struct vmm *vmm, struct ram_block *block)
{
    int rc = take_guards(vmm, block);

    assert(!block->present && !block->guest_memfd);
    if (!rc && block->kind != VMM_REGION_MMIO && !block->in_place)
        rc = map_shared_side(vmm, block);
    if (!rc && block->config.guest_memfd)
        rc = make_private_side(vmm, block);
    if (!rc && block->config.virtio_mem_block)
        rc = add_virtio_mem(vmm, block);
    if (rc)
        (void)ram_block_close(vmm, block);
    else
        block->present = true;
    return rc;
}

static int close_fd(struct vmm *vmm, int *fd)
{
    int rc = *fd >= 0 ? host_close(&vmm->host, *fd) : 0;

    *fd = -1;
    return rc;
}

int ram_block_close(struct vmm *vmm, struct ram_block *block)
{
    int error = 0;

    migration_forget(vmm, block);
    if (block->guest_memfd) {
        note_error(&error, discard_manager_destroy(&block->manager));
        if (block->has_virtio_mem)
            virtio_mem_destroy(&block->virtio_mem, &vmm->host);
        ram_block_attributes_destroy(&block->attributes, &vmm->host);
    }
    note_error(&error, close_fd(vmm, &block->gmem_fd));
    for (; block->n_guards; block->n_guards--)
        discard_guard_give_back(vmm, VMM_GUARD_COORDINATED_REQUIRE);
    if (block->hva)
        note_error(&error, host_munmap(&vmm->host, block->hva, block->size));
    note_error(&error, close_fd(vmm, &block->fd));
    block->hva = 0;
    block->holder.end = 0;
    block->present = block->guest_memfd = block->has_virtio_mem = false;
    return error;
}

int ram_block_new(struct vmm *vmm, const struct vmm_region_config *config, uint32_t index,
                  struct ram_block **out)
{
    struct ram_block *block = host_alloc(&vmm->host, sizeof *block);

    if (!block)
        return -ENOMEM;
    block->index = index;
    block->config = *config;
    block->kind = config->kind;
    block->share = config->share;
    block->size = config->size;
    block->huge_page_size = config->huge_page_size;
    block->in_place = config->guest_memfd && vmm->config.mode == VMM_MODE_INPLACE;
    block->fd = block->gmem_fd = block->gmem_fd_other = -1;
    sync_init(&vmm->sync, &block->lock, LOCK_BLOCK, index);
    int rc = ram_block_open(vmm, block);
    if (rc) {
        (void)ram_block_free(vmm, block);
        return rc;
    }
    *out = block;
    return 0;
}

int ram_block_free(struct vmm *vmm, struct ram_block *block)
{
    int error = ram_block_close(vmm, block);

    assert(block->gmem_fd_other == -1 && block->hva_other == 0);
    sync_destroy(&vmm->sync, &block->lock);
    host_free(&vmm->host, block);
    return error;
}

int ram_block_reserve(struct vmm *vmm, struct ram_block *block, uint64_t n_runs)
{
    struct ram_block_attributes *a = &block->attributes;
    int rc = page_map_reserve(&a->shared, &vmm->host, n_runs);

    assert(block->lock.held && block->guest_memfd);
    for (int side = 0; side < 2 && !rc; side++)
        rc = page_map_reserve(&a->debt[side], &vmm->host, n_runs + ENDS_CUT);
    return rc;
}

void ram_block_release(struct ram_block *block)
{
    assert(block->lock.held && block->guest_memfd);
    page_map_release(&block->attributes.shared);
    page_map_release(&block->attributes.debt[0]);
    page_map_release(&block->attributes.debt[1]);
}

void ram_block_set_shared(struct ram_block *block, uint64_t first, uint64_t end, bool shared)
{
    struct ram_block_attributes *a = &block->attributes;

    assert(block->lock.held && block->guest_memfd);
    page_map_set(&a->shared, first, end, shared);
    discard_manager_commit(&block->manager, &a->source, first, end, shared);
}

static int drop_once(struct vmm *vmm, struct ram_block *block, bool private_side,
                     uint64_t offset, uint64_t size)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    if (private_side || block->in_place)
        return host_fallocate(&vmm->host, block->gmem_fd, mode, (int64_t)offset, (int64_t)size);
    if (block->share != VMM_SHARE_ANON)
        return host_fallocate(&vmm->host, block->fd, mode, (int64_t)offset, (int64_t)size);
    return host_madvise(&vmm->host, block->hva + offset, size, MADV_DONTNEED);
}

/* Does nobody live on that side of these pages? On an unplugged page nobody lives at all. */
static bool side_is_dead(const struct ram_block *block, bool private_side, uint64_t first,
                         uint64_t end)
{
    const struct page_map *shared = &block->attributes.shared;
    uint64_t run_first, run_end;

    if (!block->has_virtio_mem)
        return !block->in_place && page_map_all(shared, first, end, private_side);
    while (first < end &&
           virtio_mem_next_run(&block->virtio_mem, first, end, true, &run_first, &run_end)) {
        if (block->in_place || !page_map_all(shared, run_first, run_end, private_side))
            return false;
        first = run_end;
    }
    return true;
}

int ram_block_drop(struct vmm *vmm, struct ram_block *block, bool private_side, uint64_t first,
                   uint64_t end)
{
    uint64_t offset = first << vmm->page_shift;
    uint64_t size = (end - first) << vmm->page_shift;
    int rc = -EINTR;

    assert(block->lock.held && block->guest_memfd);
    assert(first < end && offset + size <= block->size);
    assert(side_is_dead(block, private_side, first, end));
    for (int i = 0; i < DROP_TRIES && (rc == -EINTR || rc == -EAGAIN); i++)
        rc = drop_once(vmm, block, private_side, offset, size);
    return rc;
}

int ram_block_pay_debt(struct vmm *vmm, struct ram_block *block, bool private_side,
                       uint64_t first, uint64_t end)
{
    struct page_map *debt = &block->attributes.debt[private_side];
    uint64_t run_first, run_end;
    int error = 0;

    if (debt->n_set == 0)
        return 0;
    while (first < end && page_map_next_run(debt, first, end, true, &run_first, &run_end)) {
        int rc = ram_block_drop(vmm, block, private_side, run_first, run_end);

        if (!rc)
            page_map_set(debt, run_first, run_end, false);
        note_error(&error, rc);
        first = run_end;
    }
    return error;
}

int ram_block_pay_all_debt(struct vmm *vmm, struct ram_block *block)
{
    int error = 0;

    if (!block->guest_memfd)
        return 0;
    for (int side = 0; side < 2; side++)
        note_error(&error, ram_block_pay_debt(vmm, block, side, 0,
                                              block->attributes.debt[side].n_pages));
    return error;
}
