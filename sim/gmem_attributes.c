/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In-place conversion, as proposed (behaviour.md 7.10): the private attribute of a
 * guest_memfd's own pages, set through its fd. A page that becomes private must have no
 * reference but the file's: whoever has it pinned, a device's mapping or somebody else, is in
 * the way.
 *
 * On the way the kernel unmaps the range from the process, also where it refuses in the end.
 * Nobody can see that here: the next touch maps it again.
 */
#include "sim/kvm.h"

#include <string.h>

static int arguments_check(const struct sim_world *w, const struct backing *b,
                           const struct kvm_memory_attributes2 *a)
{
    static const uint64_t zeros[sizeof(a->reserved) / sizeof(a->reserved[0])];
    int error;

    if (a->flags || a->error_offset || memcmp(a->reserved, zeros, sizeof(zeros)) != 0)
        return -EINVAL;
    error = kvm_attributes_check(w, b->vm, a->offset, a->size, a->attributes);
    if (error)
        return error;
    return (a->offset + a->size - 1) >> w->page_shift < b->n_pages ? 0 : -EINVAL;
}

/* The first page of the range that more than the file refers to; end: none. */
static uint64_t first_referenced(struct sim_world *w, const struct backing *b, uint64_t first,
                                 uint64_t end)
{
    uint64_t n;

    for (uint64_t page = first; page < end; page += n) {
        n = end - page;
        const uint32_t *frames = backing_frames(b, page, &n);
        for (uint64_t i = 0; frames && i < n; i++)
            if (frames[i] && frame_at(&w->frames, frames[i])->pins)
                return page + i;
    }
    return end;
}

static bool all_are(const struct backing *b, uint64_t first, uint64_t end, bool is_private)
{
    uint64_t stretch_end;

    return page_runs_stretch(&b->private_pages, first, &stretch_end) == is_private &&
           stretch_end >= end;
}

static int set_attributes(struct sim_world *w, struct backing *b,
                          struct kvm_memory_attributes2 *a)
{
    uint64_t first = a->offset >> w->page_shift, end = first + (a->size >> w->page_shift), at;
    int error = arguments_check(w, b, a);

    if (error || all_are(b, first, end, a->attributes != 0))
        return error;
    if (page_runs_reserve(w, &b->private_pages) != 0) {
        a->error_offset = a->offset;
        return -ENOMEM;
    }
    if (!a->attributes) {
        page_runs_remove(&b->private_pages, first, end);
    } else {
        at = first_referenced(w, b, first, end);
        if (at < end) {
            a->error_offset = at << w->page_shift;
            return -EAGAIN;
        }
        page_runs_add(&b->private_pages, first, end);
    }
    journal_backing(w, b, first, end - first);
    return 0;
}

/* A fault that fires stands for a reference of the moment, or for memory that is out: the
 * kernel says where. */
static void answer_fault(const struct sim_world *w, struct kvm_memory_attributes2 *a)
{
    assert(w->early_error > 0);
    if (a && w->early_error != EFAULT)
        a->error_offset = a->offset;
}

int gmem_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request, void *arg)
{
    struct kvm_memory_attributes2 *a = arg;
    struct backing *b = f->object;
    int error = -EFAULT;

    assert(f->kind == FD_GMEM);
    if (request != KVM_SET_MEMORY_ATTRIBUTES2 || !b->vm->gmem_attributes) {
        call_begin(w, POINT_HOST_IOCTL, w->call.caller, 0, 0, request);
        return (int)call_end(w, -ENOTTY);
    }
    call_begin(w, POINT_GMEM_SET_ATTRIBUTES, w->call.caller, a ? a->offset : 0, a ? a->size : 0,
               a ? a->attributes : 0);
    w->call.container = b->id;
    if (call_fails_early(w)) {
        answer_fault(w, a);
        return (int)call_end(w, 0);
    }
    if (a)
        error = set_attributes(w, b, a);
    return (int)call_end(w, error);
}
