/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest_memfd as 6.12 has it: no flags, no mmap, no partial pages (behaviour.md 7.1, 7.3). */
#include "sim/kvm.h"

#include <linux/falloc.h>

/* More pages than this in one allocation is "no memory": nothing here needs it, and one bad
 * size must not fill the machine that the simulator runs on. */
enum { ALLOCATE_PAGES_MAX = 1 << 22 };

int gmem_create(struct sim_world *w, struct sim_vm *vm, struct kvm_create_guest_memfd *arg)
{
    struct backing *b;
    int fd;

    if (arg->flags)
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

void gmem_release(struct sim_world *w, struct backing *b)
{
    struct sim_vm *vm = b->vm;

    assert(b->kind == BACKING_GMEM && vm);
    kvm_slots_unbind(w, vm, b);
    backing_put(w, b);
    vm_put(w, vm);
}
