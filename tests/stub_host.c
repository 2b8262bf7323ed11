/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/guarded_alloc.h"
#include "tests/stub_host.h"

static void say(struct stub *s, const char *format, ...)
{
    size_t room = sizeof s->trace - s->trace_used;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(s->trace + s->trace_used, room, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < room)
        s->trace_used += (size_t)n;
}

static void violated(struct stub *s, const char *rule)
{
    s->violations++;
    s->violation = rule;
}

/* The fault that fires on this call, or NULL. */
static struct stub_fault *fault(struct stub *s, enum stub_point point)
{
    struct stub_fault *fires = NULL;

    s->hits[point]++;
    for (unsigned i = 0; i < s->n_faults; i++) {
        struct stub_fault *f = &s->faults[i];

        if (f->point != point && f->point != STUB_ANY)
            continue;
        f->seen++;
        if (f->seen >= f->nth && f->seen < f->nth + f->times)
            fires = f;
    }
    s->failed += fires != NULL;
    return fires;
}

/* early(): a fault fails the call now; ended(): it fails it after the effect. */
static bool early(const struct stub_fault *f)
{
    return f && !f->late;
}

static int ended(const struct stub_fault *f, int result)
{
    return f && result >= 0 ? -f->error : result;
}

static int new_fd(struct stub *s, char kind)
{
    for (int fd = s->zero_kind == kind ? 0 : 3; fd < STUB_FDS; fd++)
        if (!s->fds[fd].kind) {
            s->fds[fd] = (struct stub_fd){.kind = kind};
            return fd;
        }
    return -EMFILE;
}

static int stub_open(void *ctx, const char *caller, const char *path, int flags)
{
    struct stub *s = ctx;
    struct stub_fault *f = fault(s, STUB_SETUP);

    (void)caller, (void)flags;
    if (f)
        return -f->error;
    if (!strcmp(path, "/dev/kvm"))
        return new_fd(s, 'k');
    return new_fd(s, strcmp(path, "/dev/vfio/vfio") ? 'r' : 'c');
}

static int stub_close(void *ctx, const char *caller, int fd)
{
    struct stub *s = ctx;
    struct stub_fault *f = fault(s, STUB_SETUP);

    (void)caller;
    assert(fd >= 0 && fd < STUB_FDS && s->fds[fd].kind);
    for (unsigned i = 0; s->fds[fd].kind == 'c' && i < s->n_maps;) {
        if (s->maps[i].fd == fd)
            s->maps[i] = s->maps[--s->n_maps];
        else
            i++;
    }
    s->fds[fd].kind = 0;
    return f ? -EIO : 0; /* it is closed anyway */
}

static int set_region(struct stub *s, const struct kvm_userspace_memory_region2 *arg)
{
    assert(arg->slot < STUB_SLOTS);
    s->slots[arg->slot] = (struct stub_slot){
        .gpa = arg->guest_phys_addr,
        .size = arg->memory_size,
        .hva = arg->userspace_addr,
        .offset = arg->guest_memfd_offset,
        .flags = arg->flags,
        .gmem = arg->flags & KVM_MEM_GUEST_MEMFD ? (int)arg->guest_memfd : -1,
    };
    return 0;
}

static int set_attributes(struct stub *s, const struct kvm_memory_attributes *arg)
{
    bool is_private = arg->attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
    struct stub_fault *f = fault(s, STUB_ATTRIBUTE);
    uint64_t first = arg->address / STUB_PAGE, n = arg->size / STUB_PAGE;

    say(s, "%s %llu+%llu%s; ", is_private ? "private" : "shared", (unsigned long long)first,
        (unsigned long long)n, f ? " fails" : "");
    if (early(f))
        return -f->error;
    for (uint64_t i = first; i < first + n; i++)
        s->is_private[i] = is_private;
    return ended(f, 0);
}

static int map_dma(struct stub *s, int fd, const struct vfio_iommu_type1_dma_map *arg)
{
    struct stub_fault *f = fault(s, STUB_MAP);
    struct stub_mapping m = {fd, arg->iova, arg->size, arg->vaddr, arg->flags};

    say(s, "map %llu+%llu%s%s; ", (unsigned long long)(arg->iova / STUB_PAGE),
        (unsigned long long)(arg->size / STUB_PAGE),
        arg->flags & VFIO_DMA_MAP_FLAG_WRITE ? "" : " ro", f ? " fails" : "");
    if (early(f))
        return -f->error;
    for (unsigned i = 0; i < s->n_maps; i++) {
        const struct stub_mapping *o = &s->maps[i];

        if (o->fd == fd && o->iova < m.iova + m.size && m.iova < o->iova + o->size)
            return -EEXIST;
    }
    if (s->n_maps >= s->map_limit)
        return -ENOSPC;
    s->maps[s->n_maps++] = m;
    return ended(f, 0);
}

static int unmap_dma(struct stub *s, int fd, struct vfio_iommu_type1_dma_unmap *arg)
{
    struct stub_fault *f = fault(s, STUB_UNMAP);
    uint64_t end = arg->iova + arg->size, done = 0;

    say(s, "unmap %llu+%llu%s; ", (unsigned long long)(arg->iova / STUB_PAGE),
        (unsigned long long)(arg->size / STUB_PAGE), f ? " fails" : "");
    if (early(f))
        return -f->error;
    for (unsigned i = 0; i < s->n_maps;) {
        const struct stub_mapping *o = &s->maps[i];

        if (o->fd != fd || o->iova >= end || o->iova + o->size <= arg->iova) {
            i++;
        } else if (o->iova < arg->iova || o->iova + o->size > end) {
            return -EINVAL;
        } else {
            done += o->size;
            s->maps[i] = s->maps[--s->n_maps];
        }
    }
    if (f)
        return -f->error;
    arg->size = done;
    return 0;
}

static int run_vcpu(struct stub *s)
{
    struct stub_fault *f = fault(s, STUB_RUN);

    if (f)
        return -f->error;
    return s->on_run ? s->on_run(s, s->run) : 0;
}

/* The capability comes second, behind one that nobody asks for. */
static int get_info(const struct stub *s, struct vfio_iommu_type1_info *info)
{
    struct {
        struct vfio_iommu_type1_info info;
        struct vfio_info_cap_header other;
        struct vfio_iommu_type1_info_dma_avail avail;
    } all = {.info = {.argsz = sizeof all, .flags = VFIO_IOMMU_INFO_CAPS}};

    if (!s->tells_limit)
        return 0;
    if (info->argsz >= sizeof all) {
        all.info.cap_offset = sizeof all.info;
        all.other = (struct vfio_info_cap_header){
            .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
            .next = sizeof all.info + sizeof all.other,
        };
        all.avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
        all.avail.avail = s->map_limit - s->n_maps;
    }
    memcpy(info, &all, info->argsz < sizeof all ? sizeof all.info : sizeof all);
    return 0;
}

static int setup_ioctl(struct stub *s, unsigned long request, void *arg)
{
    struct stub_fault *f = fault(s, STUB_SETUP);

    if (f)
        return -f->error;
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return -1 & 0xffff;
    case KVM_GET_VCPU_MMAP_SIZE:
        return STUB_PAGE;
    case KVM_CREATE_VM:
        return new_fd(s, 'v');
    case KVM_CREATE_VCPU:
        return new_fd(s, 'u');
    case KVM_CREATE_GUEST_MEMFD:
        return new_fd(s, 'g');
    case KVM_SET_USER_MEMORY_REGION2:
        return set_region(s, arg);
    case VFIO_CHECK_EXTENSION:
        return 1;
    case VFIO_IOMMU_GET_INFO:
        return get_info(s, arg);
    case VFIO_GROUP_GET_STATUS:
        ((struct vfio_group_status *)arg)->flags = VFIO_GROUP_FLAGS_VIABLE;
        return 0;
    case VFIO_GROUP_GET_DEVICE_FD:
        return new_fd(s, 'd');
    default:
        return 0;
    }
}

static int stub_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    struct stub *s = ctx;

    (void)caller;
    assert(fd >= 0 && fd < STUB_FDS && s->fds[fd].kind);
    switch (request) {
    case KVM_SET_MEMORY_ATTRIBUTES:
        return set_attributes(s, arg);
    case VFIO_IOMMU_MAP_DMA:
        return map_dma(s, fd, arg);
    case VFIO_IOMMU_UNMAP_DMA:
        return unmap_dma(s, fd, arg);
    case KVM_RUN:
        return run_vcpu(s);
    default:
        return setup_ioctl(s, request, arg);
    }
}

static int stub_mmap(void *ctx, const char *caller, uint64_t addr, uint64_t size, int prot,
                     int flags, int fd, int64_t offset, uint64_t *out)
{
    struct stub *s = ctx;
    struct stub_fault *f = fault(s, STUB_SETUP);

    (void)caller, (void)prot, (void)flags;
    assert(addr == 0 && offset == 0);
    if (f)
        return -f->error;
    s->n_vmas++;
    if (fd >= 0 && s->fds[fd].kind == 'u') {
        s->run = calloc(1, size);
        *out = (uint64_t)(uintptr_t)s->run;
        return 0;
    }
    *out = s->next_address;
    s->next_address += UINT64_C(1) << 40;
    if (fd >= 0)
        s->fds[fd].base = *out;
    return 0;
}

static int stub_munmap(void *ctx, const char *caller, uint64_t addr, uint64_t size)
{
    struct stub *s = ctx;
    struct stub_fault *f = fault(s, STUB_SETUP);

    (void)caller, (void)size;
    s->n_vmas--;
    if (addr == (uint64_t)(uintptr_t)s->run) {
        free(s->run);
        s->run = NULL;
    }
    return f ? -EINVAL : 0;
}

static bool lives(const struct stub *s, uint64_t gpa_page, bool private_side)
{
    return s->is_private[gpa_page] == private_side &&
           !(s->is_unplugged && s->is_unplugged(s, gpa_page));
}

/* S2: nothing is dropped while it is mapped. S3: only what the attribute does not name. */
static void watch_shared_drop(struct stub *s, uint64_t address, uint64_t size)
{
    for (unsigned i = 0; i < s->n_maps; i++)
        if (s->maps[i].vaddr < address + size && address < s->maps[i].vaddr + s->maps[i].size)
            violated(s, "S2 dropped while mapped");
    for (unsigned i = 0; i < STUB_SLOTS; i++) {
        const struct stub_slot *slot = &s->slots[i];

        for (uint64_t at = 0; at < slot->size; at += STUB_PAGE)
            if (slot->hva + at >= address && slot->hva + at < address + size &&
                lives(s, (slot->gpa + at) / STUB_PAGE, false))
                violated(s, "S3 shared side in use");
    }
}

static void watch_private_drop(struct stub *s, int fd, uint64_t offset, uint64_t size)
{
    for (unsigned i = 0; i < STUB_SLOTS; i++) {
        const struct stub_slot *slot = &s->slots[i];

        for (uint64_t at = 0; at < slot->size && slot->gmem == fd; at += STUB_PAGE)
            if (slot->offset + at >= offset && slot->offset + at < offset + size &&
                lives(s, (slot->gpa + at) / STUB_PAGE, true))
                violated(s, "S3 private side in use");
    }
}

static int drop_shared(struct stub *s, uint64_t address, uint64_t size)
{
    struct stub_fault *f = fault(s, STUB_DROP_SHARED);

    say(s, "drop shared %llu+%llu%s; ",
        (unsigned long long)((address & ((UINT64_C(1) << 40) - 1)) / STUB_PAGE),
        (unsigned long long)(size / STUB_PAGE), f ? " fails" : "");
    if (early(f))
        return -f->error;
    watch_shared_drop(s, address, size);
    return ended(f, 0);
}

static int stub_madvise(void *ctx, const char *caller, uint64_t addr, uint64_t size, int advice)
{
    (void)caller, (void)advice;
    return drop_shared(ctx, addr, size);
}

static int stub_fallocate(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                          int64_t size)
{
    struct stub *s = ctx;

    (void)caller, (void)mode;
    if (s->fds[fd].kind == 'm')
        return drop_shared(s, s->fds[fd].base + (uint64_t)offset, (uint64_t)size);
    assert(s->fds[fd].kind == 'g');
    struct stub_fault *f = fault(s, STUB_DROP_PRIVATE);
    say(s, "drop private %lld+%lld%s; ", (long long)(offset / STUB_PAGE),
        (long long)(size / STUB_PAGE), f ? " fails" : "");
    if (early(f))
        return -f->error;
    watch_private_drop(s, fd, (uint64_t)offset, (uint64_t)size);
    return ended(f, 0);
}

static int stub_memfd_create(void *ctx, const char *caller, const char *name, unsigned flags)
{
    struct stub_fault *f = fault(ctx, STUB_SETUP);

    (void)caller, (void)name;
    assert(flags & MFD_CLOEXEC);
    return f ? -f->error : new_fd(ctx, 'm');
}

static int stub_ftruncate(void *ctx, const char *caller, int fd, int64_t size)
{
    struct stub_fault *f = fault(ctx, STUB_SETUP);

    (void)caller, (void)fd, (void)size;
    return f ? -f->error : 0;
}

static void *stub_alloc(void *ctx, const char *caller, size_t size)
{
    struct stub *s = ctx;
    struct stub_fault *f = fault(s, STUB_ALLOC);

    (void)caller;
    if (s->alloc_is_a_bug || (s->watch_undo && s->failed > (f != NULL)))
        violated(s, "allocated where nothing may be");
    if (f)
        return NULL;
    s->n_blocks++;
    return s->guards ? guarded_alloc(size) : calloc(1, size);
}

static void stub_free(void *ctx, void *memory)
{
    struct stub *s = ctx;

    s->n_blocks -= memory != NULL;
    if (s->guards)
        guarded_free(memory);
    else
        free(memory);
}

const struct host_ops stub_ops = {
    .open = stub_open,
    .close = stub_close,
    .ioctl = stub_ioctl,
    .mmap = stub_mmap,
    .munmap = stub_munmap,
    .madvise = stub_madvise,
    .fallocate = stub_fallocate,
    .memfd_create = stub_memfd_create,
    .ftruncate = stub_ftruncate,
    .alloc = stub_alloc,
    .free = stub_free,
};

void stub_init(struct stub *s)
{
    *s = (struct stub){.map_limit = STUB_MAPS, .next_address = UINT64_C(1) << 40};
}

struct host stub_host(struct stub *s)
{
    return (struct host){&stub_ops, s};
}

void stub_fail_often(struct stub *s, enum stub_point point, unsigned nth, unsigned times,
                     int error)
{
    assert(s->n_faults < STUB_FAULTS);
    s->faults[s->n_faults++] = (struct stub_fault){point, nth, times, error, false, 0};
}

void stub_fail(struct stub *s, enum stub_point point, unsigned nth, int error, bool late)
{
    stub_fail_often(s, point, nth, 1, error);
    s->faults[s->n_faults - 1].late = late;
}

void stub_fail_none(struct stub *s)
{
    s->n_faults = 0;
    s->failed = 0;
}

void stub_trace_clear(struct stub *s)
{
    s->trace_used = 0;
    s->trace[0] = 0;
    s->failed = 0;
}

bool stub_mapped(const struct stub *s, uint64_t gpa_page)
{
    uint64_t at = gpa_page * STUB_PAGE;

    for (unsigned i = 0; i < s->n_maps; i++)
        if (s->maps[i].iova <= at && at < s->maps[i].iova + s->maps[i].size)
            return true;
    return false;
}

unsigned stub_open_fds(const struct stub *s)
{
    unsigned n = 0;

    for (int fd = 0; fd < STUB_FDS; fd++)
        n += s->fds[fd].kind != 0;
    return n;
}
