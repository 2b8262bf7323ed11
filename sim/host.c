/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls, as the core sees them: each is one point, or as many as it has kinds. */
#include "sim/iommufd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

enum { GROUP_DIGITS_MAX = 4 };

/* The n of "<prefix><n>", or -1. */
static int number_of_path(const char *path, const char *prefix)
{
    size_t skip = strlen(prefix), i;
    int n = 0;

    if (strncmp(path, prefix, skip) != 0 || !path[skip])
        return -1;
    for (i = skip; path[i]; i++) {
        if (path[i] < '0' || path[i] > '9' || i - skip >= GROUP_DIGITS_MAX)
            return -1;
        n = n * 10 + (path[i] - '0');
    }
    return path[skip] == '0' && i > skip + 1 ? -1 : n;
}

/* A group, or its device as a character device (named after the group here). */
static int open_numbered(struct sim_world *w, const char *path)
{
    int group = number_of_path(path, "/dev/vfio/");
    int device = number_of_path(path, "/dev/vfio/devices/vfio");

    if (group >= 0 && sysfs_has_vfio(w, (uint32_t)group))
        return vfio_open_group(w, (unsigned)group);
    if (device >= 0 && sysfs_has_vfio(w, (uint32_t)device))
        return fd_new(w, FD_VFIO_CDEV, NULL, (unsigned)device);
    return -ENOENT;
}

static int open_path(struct sim_world *w, const char *path, int flags)
{
    assert(path);
    if (strcmp(path, "/dev/kvm") == 0)
        return fd_new(w, FD_KVM, NULL, 0);
    if (strcmp(path, "/dev/null") == 0)
        return fd_new(w, FD_NULL, NULL, 0);
    if (strcmp(path, "/dev/vfio/vfio") == 0)
        return vfio_open_container(w);
    if (strcmp(path, "/dev/iommu") == 0)
        return iommufd_open(w);
    if (strncmp(path, "/sys/", strlen("/sys/")) == 0)
        return sysfs_open(w, path, flags);
    return open_numbered(w, path);
}

static int sim_open(void *ctx, const char *caller, const char *path, int flags)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_OPEN, caller, 0, 0, (uint64_t)(unsigned)flags);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, path ? open_path(w, path, flags) : -EFAULT);
}

static int sim_close(void *ctx, const char *caller, int fd)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_CLOSE, caller, 0, 0, (uint64_t)fd);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, fd_close(w, fd));
}

/* Contents of guest memory are tokens, not bytes, so a memfd cannot be read as a file here:
 * EINVAL, as for everything without a read of its own. A device reads as zeroes. */
static int64_t read_fd(struct sim_world *w, int fd, void *buf, uint64_t size, bool at_offset)
{
    struct sim_fd *f = fd_get(w, fd);

    if (!f)
        return -EBADF;
    assert(f->kind != FD_FREE);
    if (f->kind == FD_NULL)
        return 0;
    if (vfio_is_device(f) && at_offset) {
        memset(buf, 0, size);
        return (int64_t)size;
    }
    return at_offset && f->kind == FD_GMEM ? -ESPIPE : -EINVAL;
}

static int64_t sim_read(void *ctx, const char *caller, int fd, void *buf, uint64_t size)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_READ, caller, 0, size, (uint64_t)fd);
    if (call_fails_early(w))
        return call_end(w, 0);
    return call_end(w, read_fd(w, fd, buf, size, false));
}

static int64_t sim_pread(void *ctx, const char *caller, int fd, void *buf, uint64_t size,
                         int64_t offset)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_READ, caller, (uint64_t)offset, size, (uint64_t)fd);
    if (call_fails_early(w))
        return call_end(w, 0);
    return call_end(w, offset < 0 ? -EINVAL : read_fd(w, fd, buf, size, true));
}

/* The same the other way round; only pwrite reaches a device's registers. */
static int64_t write_fd(struct sim_world *w, int fd, const void *buf, uint64_t size,
                        bool at_offset)
{
    struct sim_fd *f = fd_get(w, fd);

    if (!f)
        return -EBADF;
    assert(f->kind != FD_FREE);
    if (f->kind == FD_SYSFS)
        return sysfs_write(w, f, buf, size);
    if (f->kind == FD_NULL || (vfio_is_device(f) && at_offset))
        return (int64_t)size;
    return at_offset && f->kind == FD_GMEM ? -ESPIPE : -EINVAL;
}

static int64_t sim_write(void *ctx, const char *caller, int fd, const void *buf, uint64_t size)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_WRITE, caller, 0, size, (uint64_t)fd);
    if (call_fails_early(w))
        return call_end(w, 0);
    return call_end(w, write_fd(w, fd, buf, size, false));
}

static int64_t sim_pwrite(void *ctx, const char *caller, int fd, const void *buf, uint64_t size,
                          int64_t offset)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_HOST_WRITE, caller, (uint64_t)offset, size, (uint64_t)fd);
    if (call_fails_early(w))
        return call_end(w, 0);
    return call_end(w, offset < 0 ? -EINVAL : write_fd(w, fd, buf, size, true));
}

static int sim_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    struct sim_world *w = ctx;
    struct sim_fd *f = fd_get(w, fd);

    w->call.caller = caller; /* for the call_begin of those who know the request */
    switch (f ? f->kind : FD_FREE) {
    case FD_KVM:
    case FD_VM:
    case FD_VCPU:
        return kvm_ioctl(w, fd, f, request, arg);
    case FD_VFIO_CONTAINER:
    case FD_VFIO_GROUP:
    case FD_VFIO_DEVICE:
    case FD_VFIO_CDEV:
        return vfio_ioctl(w, fd, f, request, arg);
    case FD_GMEM:
        return gmem_ioctl(w, f, request, arg);
    case FD_IOMMUFD:
        return iommufd_ioctl(w, fd, f, request, arg);
    default:
        break;
    }
    call_begin(w, POINT_HOST_IOCTL, caller, 0, 0, request);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, f ? -ENOTTY : -EBADF);
}

/* A run page is real memory: where it is says something about this build, nothing about what
 * happened, and must not get into a trace. */
static uint64_t reported_address(uint64_t address)
{
    bool in_arena = address - SIM_ARENA_BASE < SIM_ARENA_SIZE;

    return in_arena ? 0 : address;
}

static int sim_mmap(void *ctx, const char *caller, uint64_t addr, uint64_t size, int prot,
                    int flags, int fd, int64_t offset, uint64_t *out)
{
    struct sim_world *w = ctx;
    int error;

    call_begin(w, POINT_MM_MMAP, caller, addr, size, (uint64_t)fd);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    error = mm_mmap(w, addr, size, prot, flags, fd, offset, out);
    if (!error)
        w->call.arg[0] = reported_address(*out); /* reports want to know where it went */
    return (int)call_end(w, error);
}

static int sim_munmap(void *ctx, const char *caller, uint64_t addr, uint64_t size)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_MM_MUNMAP, caller, reported_address(addr), size, 0);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, mm_munmap(w, addr, size));
}

static int sim_madvise(void *ctx, const char *caller, uint64_t addr, uint64_t size, int advice)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_MM_MADVISE, caller, addr, size, (uint64_t)advice);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, mm_madvise(w, addr, size, advice));
}

/* Of a file that is neither: what the VFS says before it looks at the kind, then ENODEV. */
static int fallocate_other(const struct sim_fd *f, int mode, int64_t offset, int64_t size)
{
    int error = vfs_fallocate_check(mode, offset, size);

    if (!f)
        return -EBADF;
    assert(f->kind != FD_MEMFD && f->kind != FD_GMEM);
    return error == -EINVAL || error == -EOPNOTSUPP ? error : -ENODEV;
}

static unsigned fallocate_point(const struct sim_fd *f, int mode)
{
    bool punch = mode & FALLOC_FL_PUNCH_HOLE;

    if (f && f->kind == FD_GMEM)
        return punch ? POINT_GMEM_PUNCH : POINT_GMEM_ALLOCATE;
    if (f && f->kind == FD_MEMFD)
        return punch ? POINT_MEMFD_PUNCH : POINT_MEMFD_ALLOCATE;
    return POINT_HOST_WRITE;
}

static int sim_fallocate(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                         int64_t size)
{
    struct sim_world *w = ctx;
    struct sim_fd *f = fd_get(w, fd);
    int error;

    call_begin(w, fallocate_point(f, mode), caller, (uint64_t)offset, (uint64_t)size,
               (uint64_t)fd);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    if (f && f->kind == FD_MEMFD)
        error = memfd_fallocate(w, f->object, mode, offset, size);
    else if (f && f->kind == FD_GMEM)
        error = gmem_fallocate(w, f->object, mode, offset, size);
    else
        error = fallocate_other(f, mode, offset, size);
    return (int)call_end(w, error);
}

static int sim_memfd_create(void *ctx, const char *caller, const char *name, unsigned flags)
{
    struct sim_world *w = ctx;

    call_begin(w, POINT_MEMFD_CREATE, caller, 0, 0, flags);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, name ? memfd_new(w, flags) : -EFAULT);
}

static int sim_ftruncate(void *ctx, const char *caller, int fd, int64_t size)
{
    struct sim_world *w = ctx;
    struct sim_fd *f = fd_get(w, fd);
    int error;

    call_begin(w, POINT_MEMFD_TRUNCATE, caller, 0, (uint64_t)size, (uint64_t)fd);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    if (size < 0)
        error = -EINVAL;
    else if (!f)
        error = -EBADF;
    else if (f->kind != FD_MEMFD) /* guest_memfd's size is fixed (behaviour.md 7.1) */
        error = -EINVAL;
    else
        error = memfd_truncate(w, f->object, size);
    return (int)call_end(w, error);
}

static int sim_getrlimit(void *ctx, const char *caller, int resource, uint64_t *soft)
{
    struct sim_world *w = ctx;
    uint64_t pages = w->config.memlock_pages;

    call_begin(w, POINT_HOST_GETRLIMIT, caller, 0, 0, (uint64_t)resource);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    if (resource < 0 || resource >= (int)RLIMIT_NLIMITS)
        return (int)call_end(w, -EINVAL);
    *soft = UINT64_MAX;
    if (resource == (int)RLIMIT_NOFILE)
        *soft = SIM_FDS_MAX;
    if (resource == (int)RLIMIT_MEMLOCK && pages <= UINT64_MAX >> w->page_shift)
        *soft = pages << w->page_shift;
    return (int)call_end(w, 0);
}

static void *sim_alloc(void *ctx, const char *caller, size_t size)
{
    struct sim_world *w = ctx;
    void *memory = NULL;

    call_begin(w, POINT_CORE_ALLOC, caller, 0, size, 0);
    if (!call_fails_early(w))
        memory = arena_alloc(w->arena, size);
    if (!memory) {
        call_end(w, -ENOMEM);
        return NULL;
    }
    w->n_allocations++;
    if (SIM_UNLIKELY(w->watch_hits))
        call_end(w, 0);
    else
        call_end_quiet(w, 0);
    return memory;
}

static void sim_free(void *ctx, void *memory)
{
    struct sim_world *w = ctx;

    if (!memory)
        return;
    assert(w->n_allocations > 0);
    w->n_allocations--;
    arena_free(w->arena, memory);
}

static const struct host_ops sim_ops = {
    .open = sim_open,
    .close = sim_close,
    .read = sim_read,
    .write = sim_write,
    .pread = sim_pread,
    .pwrite = sim_pwrite,
    .ioctl = sim_ioctl,
    .mmap = sim_mmap,
    .munmap = sim_munmap,
    .madvise = sim_madvise,
    .fallocate = sim_fallocate,
    .memfd_create = sim_memfd_create,
    .ftruncate = sim_ftruncate,
    .getrlimit = sim_getrlimit,
    .alloc = sim_alloc,
    .free = sim_free,
};

struct host sim_host(struct sim_world *w)
{
    assert(w->arena);
    return (struct host){.ops = &sim_ops, .ctx = w};
}
