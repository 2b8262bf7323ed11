/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mock world for the tests of the mock kernel's base and KVM half. */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#include "program/op.h"
#include "sim/world.h"

enum {
    PS = PAGE_SIZE_4K,
    FX_PAGES = 16,
    FX_GPA_PAGE = 32, /* guest page of the machine's slot */
    PUNCH = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
    KEEP = FALLOC_FL_KEEP_SIZE,
};

#define FX_GPA ((uint64_t)FX_GPA_PAGE * PS)

struct fx {
    struct sim_world *w;
    struct host h;
    struct sim_call last; /* what on_call was last told */
    unsigned n_calls;
    int kvm, vm, gmem, vcpu;
    uint64_t hva;
    struct kvm_run *run;
};

/* The VFIO half is not needed here; where it is linked in, its own functions win. */
__attribute__((weak)) int vfio_ioctl(struct sim_world *w, int fd, struct sim_fd *f,
                                     unsigned long request, void *arg)
{
    (void)w, (void)fd, (void)f, (void)request, (void)arg;
    return -ENOTTY;
}

__attribute__((weak)) int vfio_open_container(struct sim_world *w)
{
    (void)w;
    return -ENOENT;
}

__attribute__((weak)) int vfio_open_group(struct sim_world *w, unsigned group)
{
    (void)w, (void)group;
    return -ENOENT;
}

__attribute__((weak)) void vfio_release(struct sim_world *w, struct sim_fd *f)
{
    (void)w, (void)f;
}

static inline void fx_record(void *ctx, const struct sim_call *call)
{
    struct fx *fx = ctx;
    fx->last = *call;
    fx->n_calls++;
}

/* An empty world, calls recorded. */
static inline void fx_world_of(struct fx *fx, const struct sim_config *config)
{
    struct sim_arena *arena = sim_arena_get();

    assert_non_null(arena);
    *fx = (struct fx){.w = sim_world_new(arena, config)};
    fx->h = sim_host(fx->w);
    sim_world_on_call(fx->w, fx_record, fx);
}

static inline void fx_world(struct fx *fx, uint64_t fault_seed)
{
    struct sim_config config = {
        .page_size = PS, .memlock_pages = UINT64_MAX, .fault_seed = fault_seed};

    fx_world_of(fx, &config);
}

/* A VM of the given type. */
static inline void fx_make_vm(struct fx *fx, unsigned long type)
{
    fx->kvm = host_open(&fx->h, "/dev/kvm", O_RDWR);
    assert_true(fx->kvm >= 0);
    fx->vm = host_ioctl(&fx->h, fx->kvm, KVM_CREATE_VM, (void *)type);
    assert_true(fx->vm >= 0);
}

/* ... in a world with the defaults. */
static inline void fx_vm(struct fx *fx, unsigned long type)
{
    fx_world(fx, 1);
    fx_make_vm(fx, type);
}

static inline uint64_t fx_map(struct fx *fx, uint64_t pages, int prot, int flags, int fd)
{
    uint64_t hva = 0;
    assert_int_equal(host_mmap(&fx->h, 0, pages * PS, prot, flags, fd, 0, &hva), 0);
    return hva;
}

static inline uint64_t fx_anon(struct fx *fx, uint64_t pages)
{
    return fx_map(fx, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static inline int fx_gmem_flags(struct fx *fx, uint64_t pages, uint64_t flags)
{
    struct kvm_create_guest_memfd arg = {.size = pages * PS, .flags = flags};
    return host_ioctl(&fx->h, fx->vm, KVM_CREATE_GUEST_MEMFD, &arg);
}

static inline int fx_gmem(struct fx *fx, uint64_t pages)
{
    return fx_gmem_flags(fx, pages, 0);
}

static inline int fx_region(struct fx *fx, uint32_t slot, uint32_t flags, uint64_t gpa,
                            uint64_t size, int gmem, uint64_t offset)
{
    struct kvm_userspace_memory_region2 m = {
        .slot = slot,
        .flags = flags,
        .guest_phys_addr = gpa,
        .memory_size = size,
        .userspace_addr = fx->hva,
        .guest_memfd = (uint32_t)gmem,
        .guest_memfd_offset = offset,
    };
    return host_ioctl(&fx->h, fx->vm, KVM_SET_USER_MEMORY_REGION2, &m);
}

static inline int fx_attributes(struct fx *fx, uint64_t gpa, uint64_t size, uint64_t attributes)
{
    struct kvm_memory_attributes a = {.address = gpa, .size = size, .attributes = attributes};
    return host_ioctl(&fx->h, fx->vm, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static inline int fx_convert(struct fx *fx, uint64_t page, uint64_t n, bool to_private)
{
    return fx_attributes(fx, FX_GPA + page * PS, n * PS,
                         to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
}

static inline int fx_punch(struct fx *fx, int fd, uint64_t page, uint64_t n)
{
    return host_fallocate(&fx->h, fd, PUNCH, (int64_t)(page * PS), (int64_t)(n * PS));
}

/* ... with one slot of FX_PAGES on anonymous memory, a guest_memfd, and one vCPU. */
static inline void fx_machine(struct fx *fx)
{
    uint64_t run = 0;

    fx_vm(fx, KVM_X86_SW_PROTECTED_VM);
    fx->hva = fx_anon(fx, FX_PAGES);
    fx->gmem = fx_gmem(fx, FX_PAGES);
    assert_true(fx->gmem >= 0);
    assert_int_equal(fx_region(fx, 0, KVM_MEM_GUEST_MEMFD, FX_GPA, FX_PAGES * PS, fx->gmem, 0),
                     0);
    fx->vcpu = host_ioctl(&fx->h, fx->vm, KVM_CREATE_VCPU, NULL);
    assert_true(fx->vcpu >= 0);
    assert_int_equal(
        host_mmap(&fx->h, 0, PS, PROT_READ | PROT_WRITE, MAP_SHARED, fx->vcpu, 0, &run), 0);
    fx->run = (struct kvm_run *)(uintptr_t)run;
    fx->w->n_changes = 0;
}

/* Frame serial behind a page of an fd's file, 0: hole. */
static inline uint32_t fx_frame(struct fx *fx, int fd, uint64_t page)
{
    uint32_t index = backing_frame(fd_get(fx->w, fd)->object, page);
    return index ? frame_at(&fx->w->frames, index)->serial : 0;
}

static inline uint32_t fx_backed(struct fx *fx, int fd, uint64_t n)
{
    uint32_t count = 0;
    for (uint64_t page = 0; page < n; page++)
        count += fx_frame(fx, fd, page) != 0;
    return count;
}

/* Frame serial behind an address, 0: nothing there yet. */
static inline uint32_t fx_frame_at(struct fx *fx, uint64_t address)
{
    struct vma *v = mm_find(fx->w, address);
    uint32_t index = 0;
    if (v && v->backing)
        index = backing_frame(v->backing, v->first_page + (address - v->start) / PS);
    return index ? frame_at(&fx->w->frames, index)->serial : 0;
}

/* Does the journal name a guest page? Then it is emptied by fx_forget. */
static inline bool fx_noted(const struct fx *fx, uint64_t gpa_page)
{
    for (uint32_t i = 0; i < fx->w->n_changes && i < OBSERVE_CHANGES_MAX; i++) {
        const struct observe_change *c = &fx->w->changes[i];
        if (!c->is_iova && gpa_page >= c->first && gpa_page - c->first < c->n_pages)
            return true;
    }
    return false;
}

static inline void fx_forget(struct fx *fx)
{
    fx->w->n_changes = 0;
}

/* Two results must be equal; names the rule where they are not. */
#define assert_rule(rule, got, want)                                                           \
    do {                                                                                       \
        long long got_ = (got), want_ = (want);                                                \
        if (got_ != want_)                                                                     \
            fail_msg("%s: got %lld, want %lld", (rule), got_, want_);                          \
    } while (0)

#endif
