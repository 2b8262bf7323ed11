/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest_memfd: creation, fallocate, and from 7.3 on memory of the process too (behaviour.md 7.1
 * to 7.3). */
#include "sim/kvm.h"

#include <fcntl.h>
#include <sys/mman.h>

/* More pages than this in one allocation is "no memory": nothing here needs it, and one bad
 * size must not fill the machine that the simulator runs on. */
enum { ALLOCATE_PAGES_MAX = 1 << 22 };

uint64_t gmem_flags_supported(const struct sim_world *w, const struct sim_vm *vm)
{
    bool private_memory = vm && vm->type == KVM_X86_SW_PROTECTED_VM;

    if (!w_since_7_3(w))
        return 0;
    if (private_memory && !w->config.gmem_attributes)
        return GUEST_MEMFD_FLAG_MMAP; /* the VM says what is private, from the first page on */
    return GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;
}

/* All pages are private unless it is said otherwise. */
static int start_attributes(struct sim_world *w, struct backing *b)
{
    if (!b->vm->gmem_attributes || (b->flags & GUEST_MEMFD_FLAG_INIT_SHARED))
        return 0;
    if (page_runs_reserve(w, &b->private_pages) != 0)
        return -ENOMEM;
    page_runs_add(&b->private_pages, 0, b->n_pages);
    return 0;
}

int gmem_create(struct sim_world *w, struct sim_vm *vm, struct kvm_create_guest_memfd *arg)
{
    struct backing *b;
    int fd;

    if (arg->flags & ~gmem_flags_supported(w, vm))
        return -EINVAL;
    if (arg->size == 0 || arg->size > INT64_MAX || (arg->size & (w_page_size(w) - 1)))
        return -EINVAL;
    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    b = backing_new(w, BACKING_GMEM, arg->size >> w->page_shift);
    if (!b)
        return -ENOMEM;
    b->vm = vm;
    b->flags = arg->flags;
    vm_get(vm);
    if (start_attributes(w, b) != 0) {
        backing_put(w, b);
        return -ENOMEM;
    }
    fd = fd_new(w, FD_GMEM, b, 0);
    assert(fd >= 0);
    return fd;
}

static int gmem_allocate(struct sim_world *w, struct backing *b, uint64_t first, uint64_t end)
{
    assert(first < end);
    if (end > b->n_pages)
        return -EINVAL;
    if (end - first > ALLOCATE_PAGES_MAX)
        return -ENOMEM;
    for (uint64_t page = first; page < end; page++)
        if (!backing_fault(w, b, page))
            return -ENOMEM; /* what has been allocated stays */
    return 0;
}

int gmem_fallocate(struct sim_world *w, struct backing *b, int mode, int64_t offset,
                   int64_t size)
{
    int error = vfs_fallocate_check(mode, offset, size);
    uint64_t first, n;

    assert(b->kind == BACKING_GMEM);
    if (error)
        return error;
    if (!(mode & FALLOC_FL_KEEP_SIZE) || (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)))
        return -EOPNOTSUPP;
    if ((uint64_t)(offset | size) & (w_page_size(w) - 1))
        return -EINVAL;
    first = (uint64_t)offset >> w->page_shift;
    n = (uint64_t)size >> w->page_shift;
    if (!(mode & FALLOC_FL_PUNCH_HOLE))
        return gmem_allocate(w, b, first, first + n);
    backing_punch(w, b, first, n);
    return 0;
}

int gmem_mmap_check(const struct backing *b, int flags)
{
    assert(b->kind == BACKING_GMEM);
    if (!(b->flags & GUEST_MEMFD_FLAG_MMAP))
        return -ENODEV;
    return (flags & (MAP_SHARED | MAP_PRIVATE)) == MAP_SHARED ? 0 : -EINVAL;
}

bool gmem_host_may_touch(const struct backing *b, uint64_t page)
{
    assert(b->kind == BACKING_GMEM && page < b->n_pages);
    if (b->vm->gmem_attributes)
        return !page_runs_has(&b->private_pages, page);
    return b->flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

void gmem_release(struct sim_world *w, struct backing *b)
{
    struct sim_vm *vm = b->vm;

    assert(b->kind == BACKING_GMEM && vm && b->refs == 0);
    kvm_slots_unbind(w, vm, b);
    vm_put(w, vm);
}
