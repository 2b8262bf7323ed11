/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memfd files: what holds guest RAM that several processes may share. Whole pages only. */
#include "sim/world.h"

#include <fcntl.h>
#include <sys/mman.h>

/* More pages than this in one allocation is "no space left": nothing here needs it, and one
 * bad size must not fill the machine that the simulator runs on. */
enum { ALLOCATE_PAGES_MAX = 1 << 22 };

int memfd_new(struct sim_world *w, unsigned flags)
{
    struct backing *b;
    int fd;

    /* Huge pages are not here, and there is nothing that seals would protect. */
    if (flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    b = backing_new(w, BACKING_MEMFD, 0);
    if (!b)
        return -ENOMEM;
    fd = fd_new(w, FD_MEMFD, b, 0);
    assert(fd >= 0);
    return fd;
}

int memfd_truncate(struct sim_world *w, struct backing *b, int64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1, n_pages;

    assert(b->kind == BACKING_MEMFD);
    if (size < 0)
        return -EINVAL;
    n_pages = ((uint64_t)size + page_mask) >> w->page_shift;
    if (n_pages < b->n_pages)
        backing_punch(w, b, n_pages, b->n_pages - n_pages);
    b->n_pages = n_pages;
    return 0;
}

int vfs_fallocate_check(int mode, int64_t offset, int64_t size)
{
    const int supported = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
                          FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
                          FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
    int kind = mode & ~FALLOC_FL_KEEP_SIZE;

    if (offset < 0 || size <= 0)
        return -EINVAL;
    if ((mode & ~supported) || (kind & (kind - 1)))
        return -EOPNOTSUPP;
    if (kind == FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE))
        return -EOPNOTSUPP;
    if ((kind == FALLOC_FL_COLLAPSE_RANGE || kind == FALLOC_FL_INSERT_RANGE) && mode != kind)
        return -EOPNOTSUPP;
    if (size > INT64_MAX - offset)
        return -EFBIG;
    return 0;
}

/* Only whole pages go; a part of a page would become zeroes, and content here is one token for
 * a whole page, so a page that is cut keeps it. */
static int memfd_punch(struct sim_world *w, struct backing *b, int64_t offset, int64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1;
    uint64_t first = ((uint64_t)offset + page_mask) >> w->page_shift;
    uint64_t end = (uint64_t)(offset + size) >> w->page_shift;

    assert(offset >= 0 && size > 0);
    if (first < end)
        backing_punch(w, b, first, end - first);
    return 0;
}

int memfd_fallocate(struct sim_world *w, struct backing *b, int mode, int64_t offset,
                    int64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1, first, end, old_n = b->n_pages;
    int error = vfs_fallocate_check(mode, offset, size);

    assert(b->kind == BACKING_MEMFD);
    if (error)
        return error;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE)
        return memfd_punch(w, b, offset, size);
    first = (uint64_t)offset >> w->page_shift;
    end = ((uint64_t)(offset + size) + page_mask) >> w->page_shift;
    if (end - first > ALLOCATE_PAGES_MAX)
        return -ENOSPC;
    if (end > b->n_pages)
        b->n_pages = end; /* for now: pages beyond the end may be allocated too */
    for (uint64_t page = first; page < end && !error; page++)
        error = backing_fault(w, b, page) ? 0 : -ENOSPC;
    if (error || (mode & FALLOC_FL_KEEP_SIZE))
        b->n_pages = old_n;
    return error;
}
