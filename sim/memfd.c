/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memfd files: what holds guest RAM that several processes may share. Whole pages only. Of a
 * hugetlb one pages come and go by the huge page; its pool of huge pages never runs dry.
 */
#include "sim/world.h"

#include <fcntl.h>
#include <sys/mman.h>

/* More pages than this in one allocation is "no space left": nothing here needs it, and one
 * bad size must not fill the machine that the simulator runs on. */
enum { ALLOCATE_PAGES_MAX = 1 << 22, HUGE_SHIFT_MAX = 30 };

/* How many pages a huge page of MFD_HUGETLB flags has; 0: there is no such size. Any power of
 * two up to 1 GiB is a size here, so that small worlds have huge pages too. */
static uint64_t huge_pages(const struct sim_world *w, unsigned flags)
{
    /* What one page of page tables covers, as on x86 and arm64. */
    uint32_t default_shift = 2 * w->page_shift - 3;
    uint32_t shift = flags >> MFD_HUGE_SHIFT & MFD_HUGE_MASK;

    assert(flags & MFD_HUGETLB);
    if (shift == 0)
        shift = default_shift;
    return shift > w->page_shift && shift <= HUGE_SHIFT_MAX
               ? UINT64_C(1) << (shift - w->page_shift)
               : 0;
}

int memfd_new(struct sim_world *w, unsigned flags)
{
    unsigned known = MFD_CLOEXEC | MFD_ALLOW_SEALING; /* nothing that seals would protect */
    struct backing *b;
    int fd;

    if (flags & MFD_HUGETLB)
        known |= MFD_HUGETLB | (unsigned)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
    if (flags & ~known)
        return -EINVAL;
    if ((flags & MFD_HUGETLB) && !huge_pages(w, flags))
        return -ENODEV;
    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    b = backing_new(w, BACKING_MEMFD, 0);
    if (!b)
        return -ENOMEM;
    b->huge_pages = flags & MFD_HUGETLB ? huge_pages(w, flags) : 0;
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
    if (b->huge_pages && ((size & (int64_t)page_mask) || n_pages % b->huge_pages))
        return -EINVAL;
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

/* Pages [first, end) keep their frames and become zeros; holes stay holes. */
static void zero_pages(struct sim_world *w, struct backing *b, uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end; page++) {
        uint32_t frame = backing_frame(b, page);

        if (frame)
            frame_at(&w->frames, frame)->content = 0;
    }
}

void memfd_punch(struct sim_world *w, struct backing *b, uint64_t first, uint64_t end)
{
    uint64_t n = b->huge_pages ? b->huge_pages : 1;
    uint64_t whole_first = (first + n - 1) / n * n, whole_end = end / n * n;

    assert(b->kind == BACKING_MEMFD && first <= end);
    if (whole_first >= whole_end) {
        zero_pages(w, b, first, end);
        return;
    }
    zero_pages(w, b, first, whole_first);
    backing_punch(w, b, whole_first, whole_end - whole_first);
    zero_pages(w, b, whole_end, end);
}

/* Only whole pages go; a part of a page would become zeroes, and content here is one token for
 * a whole page, so a page that is cut keeps it. */
static int punch_bytes(struct sim_world *w, struct backing *b, int64_t offset, int64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1;
    uint64_t first = ((uint64_t)offset + page_mask) >> w->page_shift;
    uint64_t end = (uint64_t)(offset + size) >> w->page_shift;

    assert(offset >= 0 && size > 0);
    if (first < end)
        memfd_punch(w, b, first, end);
    return 0;
}

int memfd_fallocate(struct sim_world *w, struct backing *b, int mode, int64_t offset,
                    int64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1, first, end, old_n = b->n_pages;
    uint64_t huge = b->huge_pages ? b->huge_pages : 1;
    int error = vfs_fallocate_check(mode, offset, size);

    assert(b->kind == BACKING_MEMFD);
    if (error)
        return error;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE)
        return punch_bytes(w, b, offset, size);
    first = (uint64_t)offset >> w->page_shift;
    end = ((uint64_t)(offset + size) + page_mask) >> w->page_shift;
    end = (end + huge - 1) / huge * huge;
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
