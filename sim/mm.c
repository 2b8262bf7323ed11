/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process's address space. Addresses are opaque numbers that are handed out in ascending
 * order and never again, with gaps between, so that a range that runs over its end is noticed.
 * The only real memory is a vCPU's run page, whose address is where it lies in the arena.
 */
#include "sim/world.h"

#include <string.h>
#include <sys/mman.h>

enum { VMAS_FIRST = 8, GUARD_PAGES = 16 };

static bool vma_before(const void *mm, uint32_t i, uint64_t address)
{
    const struct vma *v = &((const struct mm *)mm)->vmas[i];

    return v->start + v->size <= address;
}

/* Index of the first VMA that ends after an address. */
static uint32_t vma_index(const struct mm *mm, uint64_t address)
{
    return sorted_search(0, mm->n, vma_before, mm, address);
}

struct vma *mm_find(struct sim_world *w, uint64_t address)
{
    uint32_t i = vma_index(&w->mm, address);

    assert(i <= w->mm.n);
    if (i == w->mm.n || w->mm.vmas[i].start > address)
        return NULL;
    return &w->mm.vmas[i];
}

/* Room for `more` VMAs, so that what follows cannot fail. */
static int vma_reserve(struct sim_world *w, uint32_t more)
{
    struct mm *mm = &w->mm;
    uint32_t capacity = mm->capacity ? 2 * mm->capacity : VMAS_FIRST;
    struct vma *vmas;

    if (mm->n + more <= mm->capacity)
        return 0;
    assert(mm->n + more <= capacity);
    vmas = arena_alloc(w->arena, capacity * sizeof(*vmas));
    if (!vmas)
        return -ENOMEM;
    if (mm->n)
        memcpy(vmas, mm->vmas, mm->n * sizeof(*vmas));
    arena_free(w->arena, mm->vmas);
    mm->vmas = vmas;
    mm->capacity = capacity;
    return 0;
}

static void vma_insert(struct mm *mm, const struct vma *vma)
{
    uint32_t i = vma_index(mm, vma->start);

    assert(mm->n < mm->capacity);
    memmove(&mm->vmas[i + 1], &mm->vmas[i], (mm->n - i) * sizeof(*vma));
    mm->vmas[i] = *vma;
    mm->n++;
    mm->generation++;
}

/* Takes VMA i out of the table; what it holds is the caller's. */
static void vma_delete(struct mm *mm, uint32_t i)
{
    assert(i < mm->n);
    mm->n--;
    memmove(&mm->vmas[i], &mm->vmas[i + 1], (mm->n - i) * sizeof(mm->vmas[0]));
    mm->generation++;
}

int mm_fault(struct sim_world *w, uint64_t address, bool write, uint32_t *frame)
{
    struct vma *vma = mm_find(w, address);
    uint64_t page;

    if (!vma || !vma->backing)
        return -EFAULT;
    if (!(vma->prot & (write ? PROT_WRITE : PROT_READ)))
        return -EFAULT;
    page = vma->first_page + ((address - vma->start) >> w->page_shift);
    if (page >= vma->backing->n_pages)
        return -EFAULT; /* beyond the end of the file: SIGBUS */
    if (vma->backing->kind == BACKING_GMEM && !gmem_host_may_touch(vma->backing, page))
        return -EFAULT; /* SIGBUS too */
    *frame = backing_fault(w, vma->backing, page);
    return *frame ? 0 : -ENOMEM;
}

/* Bytes that a mapping of a file goes by: its huge page, or the page. */
static uint64_t file_page_size(const struct sim_world *w, const struct backing *b)
{
    return b && b->huge_pages ? b->huge_pages << w->page_shift : w_page_size(w);
}

/* A place for `size` bytes, aligned to a power of two, or 0. */
static uint64_t address_new(struct sim_world *w, uint64_t size, uint64_t align)
{
    uint64_t start = (w->mm.next_address + align - 1) & ~(align - 1);
    uint64_t gap = GUARD_PAGES * w_page_size(w);

    assert(size && start % w_page_size(w) == 0);
    if (size > SIM_ARENA_BASE - start || gap > SIM_ARENA_BASE - start - size)
        return 0;
    w->mm.next_address = start + size + gap;
    return start;
}

/* The run page of a vCPU: real memory at a place of its own. */
static int map_run_page(struct sim_world *w, struct sim_fd *f, uint64_t size, int64_t offset,
                        uint64_t *out)
{
    struct vma vma = {.prot = PROT_READ | PROT_WRITE, .shared = 1, .run_of = f->index};

    if (offset || size > w_page_size(w))
        return -EINVAL;
    vma.start = (uint64_t)(uintptr_t)kvm_run_map(w, f->index);
    vma.size = sizeof(struct kvm_run);
    assert(vma.start);
    vma_insert(&w->mm, &vma);
    *out = vma.start;
    return 0;
}

/* The backing of a new mapping, with a reference; NULL with *error 0 for PROT_NONE and for a
 * device's registers. */
static struct backing *mmap_backing(struct sim_world *w, uint64_t size, int prot, int flags,
                                    struct sim_fd *f, int *error)
{
    struct backing *b = NULL;

    *error = 0;
    if (f && vfio_is_device(f))
        return NULL; /* registers, not memory: nothing to fault in or to pin */
    if (f) {
        b = f->object;
        backing_get(b);
    } else if (prot != PROT_NONE) {
        b = backing_new(w, BACKING_ANON, size >> w->page_shift);
        if (!b)
            *error = -ENOMEM;
    }
    assert(!f || (flags & MAP_SHARED));
    return b;
}

/* The checks of mmap, in the kernel's order: offset, fd, length, sharing, then the file's own.
 * Copy on write of a memfd (MAP_PRIVATE) is not modelled: ENODEV. */
static int mmap_check(struct sim_world *w, uint64_t size, int flags, int64_t offset,
                      struct sim_fd *f)
{
    int sharing = flags & (MAP_SHARED | MAP_PRIVATE);

    if (offset & (int64_t)(w_page_size(w) - 1))
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS) && !f)
        return -EBADF;
    if (size == 0)
        return -EINVAL;
    if (size > SIM_USER_END)
        return -ENOMEM;
    if (sharing != MAP_SHARED && sharing != MAP_PRIVATE)
        return -EINVAL;
    if (flags & MAP_ANONYMOUS)
        return 0;
    if (f->kind == FD_VFIO_CDEV && !f->object)
        return -EINVAL; /* not bound yet */
    if (vfio_is_device(f))
        return sharing == MAP_SHARED ? vfio_device_mmap_check(offset, size) : -EINVAL;
    if (f->kind == FD_GMEM)
        return gmem_mmap_check(f->object, flags);
    if (f->kind != FD_MEMFD && f->kind != FD_VCPU)
        return -ENODEV;
    if (f->kind == FD_MEMFD && (uint64_t)offset & (file_page_size(w, f->object) - 1))
        return -EINVAL;
    return sharing == MAP_SHARED ? 0 : -ENODEV;
}

/* A hugetlb file grows to what is mapped of it for writing. */
static void grow_hugetlb(const struct vma *vma, uint32_t page_shift)
{
    struct backing *b = vma->backing;
    uint64_t end = vma->first_page + (vma->size >> page_shift);

    if (b && b->huge_pages && b->n_pages < end)
        b->n_pages = end;
}

int mm_mmap(struct sim_world *w, uint64_t addr, uint64_t size, int prot, int flags, int fd,
            int64_t offset, uint64_t *out)
{
    struct sim_fd *f = flags & MAP_ANONYMOUS ? NULL : fd_get(w, fd);
    uint64_t page_mask = w_page_size(w) - 1;
    int error = mmap_check(w, size, flags, offset, f);
    struct vma vma = {.run_of = VMA_NOT_RUN};

    if (error)
        return error;
    if (f && f->kind == FD_MEMFD)
        page_mask = file_page_size(w, f->object) - 1;
    size = (size + page_mask) & ~page_mask;
    if (vma_reserve(w, 2) != 0)
        return -ENOMEM;
    if (f && f->kind == FD_VCPU)
        return map_run_page(w, f, size, offset, out);
    if (!(flags & MAP_FIXED))
        addr = address_new(w, size, page_mask + 1); /* else an address is only a wish */
    else if ((addr & page_mask) || size > SIM_ARENA_BASE || addr > SIM_ARENA_BASE - size)
        return addr & page_mask ? -EINVAL : -ENOMEM;
    if (!addr)
        return -ENOMEM;
    vma.backing = mmap_backing(w, size, prot, flags, f, &error);
    if (error)
        return error;
    if (flags & MAP_FIXED)
        error = mm_munmap(w, addr, size);
    if (error) {
        if (vma.backing)
            backing_put(w, vma.backing);
        return error;
    }
    vma.start = addr;
    vma.size = size;
    vma.first_page = f ? (uint64_t)offset >> w->page_shift : 0;
    vma.prot = (uint8_t)prot;
    vma.shared = (flags & MAP_SHARED) != 0;
    vma_insert(&w->mm, &vma);
    if (prot & PROT_WRITE)
        grow_hugetlb(&vma, w->page_shift);
    journal_hva(w, addr, size);
    *out = addr;
    return 0;
}

/* Pages [start, end) of a VMA go: private anonymous memory is freed at once. */
static void vma_drop_pages(struct sim_world *w, const struct vma *vma, uint64_t start,
                           uint64_t end)
{
    assert(start >= vma->start && start < end && end <= vma->start + vma->size);
    if (!vma->backing || vma->shared)
        return;
    backing_punch(w, vma->backing, vma->first_page + ((start - vma->start) >> w->page_shift),
                  (end - start) >> w->page_shift);
}

/* Cuts [start, end) out of VMA i. Room for one more VMA has been reserved. */
static void vma_cut(struct sim_world *w, uint32_t i, uint64_t start, uint64_t end)
{
    struct vma *vma = &w->mm.vmas[i];
    struct vma tail = *vma;
    uint64_t vma_end = vma->start + vma->size;

    vma_drop_pages(w, vma, start, end);
    w->mm.generation++;
    if (end < vma_end) {
        tail.start = end;
        tail.size = vma_end - end;
        tail.first_page += (end - vma->start) >> w->page_shift;
        if (tail.backing)
            backing_get(tail.backing);
    }
    if (start > vma->start) {
        vma->size = start - vma->start;
    } else {
        struct backing *b = vma->backing;
        vma_delete(&w->mm, i);
        if (b)
            backing_put(w, b);
    }
    if (end < vma_end)
        vma_insert(&w->mm, &tail);
}

/* A hugetlb mapping is not cut inside a huge page. */
static bool cuts_huge_page(const struct sim_world *w, const struct vma *vma, uint64_t at)
{
    return at > vma->start && at < vma->start + vma->size &&
           ((at - vma->start) & (file_page_size(w, vma->backing) - 1));
}

static bool may_cut(struct sim_world *w, uint64_t start, uint64_t end)
{
    const struct vma *first = mm_find(w, start), *last = mm_find(w, end);

    return !(first && cuts_huge_page(w, first, start)) &&
           !(last && cuts_huge_page(w, last, end));
}

int mm_munmap(struct sim_world *w, uint64_t addr, uint64_t size)
{
    uint64_t page_mask = w_page_size(w) - 1, end;
    struct vma *run = mm_find(w, addr);
    uint32_t i;

    if (run && run->run_of != VMA_NOT_RUN && run->start == addr && size) {
        unsigned index = run->run_of;
        vma_delete(&w->mm, (uint32_t)(run - w->mm.vmas));
        kvm_run_unmap(w, index);
        return 0;
    }
    if ((addr & page_mask) || size == 0 || size > SIM_USER_END || addr > SIM_USER_END - size)
        return -EINVAL;
    end = addr + ((size + page_mask) & ~page_mask);
    if (!may_cut(w, addr, end))
        return -EINVAL;
    if (vma_reserve(w, 1) != 0)
        return -ENOMEM;
    journal_hva(w, addr, end - addr);
    for (i = vma_index(&w->mm, addr); i < w->mm.n && w->mm.vmas[i].start < end;) {
        struct vma *vma = &w->mm.vmas[i];
        uint64_t from = vma->start > addr ? vma->start : addr;
        uint64_t to = vma->start + vma->size < end ? vma->start + vma->size : end;
        if (vma->run_of != VMA_NOT_RUN)
            break; /* the arena lies above all addresses that are handed out */
        vma_cut(w, i, from, to);
        i = vma_index(&w->mm, addr);
    }
    return 0;
}

/* MADV_REMOVE on one VMA: punches the file behind it. */
static int vma_remove(struct sim_world *w, const struct vma *vma, uint64_t start, uint64_t end)
{
    assert(start < end);
    if (!vma->backing || !vma->shared)
        return -EINVAL;
    if (!(vma->prot & PROT_WRITE))
        return -EACCES;
    memfd_punch(w, vma->backing, vma->first_page + ((start - vma->start) >> w->page_shift),
                vma->first_page + ((end - vma->start) >> w->page_shift));
    return 0;
}

/* MADV_DONTNEED on one VMA. Of a hugetlb one whole huge pages are let go of, and the range must
 * begin with one; the file keeps them. */
static int vma_dont_need(struct sim_world *w, const struct vma *vma, uint64_t start,
                         uint64_t end)
{
    if (vma->backing && ((start - vma->start) & (file_page_size(w, vma->backing) - 1)))
        return -EINVAL;
    vma_drop_pages(w, vma, start, end);
    return 0;
}

int mm_madvise(struct sim_world *w, uint64_t addr, uint64_t size, int advice)
{
    uint64_t page_mask = w_page_size(w) - 1, end, at = addr;
    int result = 0;

    if (advice != MADV_DONTNEED && advice != MADV_REMOVE)
        return -EINVAL;
    if (addr & page_mask)
        return -EINVAL;
    if (size > UINT64_MAX - page_mask || addr + ((size + page_mask) & ~page_mask) < addr)
        return -EINVAL;
    end = addr + ((size + page_mask) & ~page_mask);
    for (uint32_t i = vma_index(&w->mm, addr); at < end && i < w->mm.n; i++) {
        struct vma *vma = &w->mm.vmas[i];
        uint64_t to = vma->start + vma->size < end ? vma->start + vma->size : end;
        if (vma->start >= end)
            break;
        if (vma->run_of != VMA_NOT_RUN)
            return -EINVAL;
        if (vma->start > at) {
            result = -ENOMEM; /* a hole: the rest is done all the same */
            at = vma->start;
        }
        int error =
            advice == MADV_REMOVE ? vma_remove(w, vma, at, to) : vma_dont_need(w, vma, at, to);
        if (error)
            return error;
        at = to;
    }
    return at < end ? -ENOMEM : result;
}
