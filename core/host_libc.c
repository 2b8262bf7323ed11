/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real system calls behind core/host.h. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/host.h"

/* The C library's way of failing, turned into this table's way. */
static int64_t result(int64_t r)
{
    assert(r >= -1);
    return r == -1 ? -errno : r;
}

static int libc_open(void *ctx, const char *caller, const char *path, int flags)
{
    (void)ctx, (void)caller;
    return (int)result(open(path, flags));
}

static int libc_close(void *ctx, const char *caller, int fd)
{
    (void)ctx, (void)caller;
    return (int)result(close(fd));
}

static int64_t libc_read(void *ctx, const char *caller, int fd, void *buf, uint64_t size)
{
    (void)ctx, (void)caller;
    return result(read(fd, buf, size));
}

static int64_t libc_write(void *ctx, const char *caller, int fd, const void *buf, uint64_t size)
{
    (void)ctx, (void)caller;
    return result(write(fd, buf, size));
}

static int64_t libc_pread(void *ctx, const char *caller, int fd, void *buf, uint64_t size,
                          int64_t offset)
{
    (void)ctx, (void)caller;
    return result(pread(fd, buf, size, offset));
}

static int64_t libc_pwrite(void *ctx, const char *caller, int fd, const void *buf,
                           uint64_t size, int64_t offset)
{
    (void)ctx, (void)caller;
    return result(pwrite(fd, buf, size, offset));
}

static int libc_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    (void)ctx, (void)caller;
    return (int)result(ioctl(fd, request, arg));
}

static int libc_mmap(void *ctx, const char *caller, uint64_t addr, uint64_t size, int prot,
                     int flags, int fd, int64_t offset, uint64_t *out)
{
    (void)ctx, (void)caller;
    void *p = mmap((void *)(uintptr_t)addr, size, prot, flags, fd, offset);

    if (p == MAP_FAILED)
        return -errno;
    *out = (uint64_t)(uintptr_t)p;
    return 0;
}

static int libc_munmap(void *ctx, const char *caller, uint64_t addr, uint64_t size)
{
    (void)ctx, (void)caller;
    return (int)result(munmap((void *)(uintptr_t)addr, size));
}

static int libc_madvise(void *ctx, const char *caller, uint64_t addr, uint64_t size, int advice)
{
    (void)ctx, (void)caller;
    return (int)result(madvise((void *)(uintptr_t)addr, size, advice));
}

static int libc_fallocate(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                          int64_t size)
{
    (void)ctx, (void)caller;
    return (int)result(fallocate(fd, mode, offset, size));
}

static int libc_memfd_create(void *ctx, const char *caller, const char *name, unsigned flags)
{
    (void)ctx, (void)caller;
    return (int)result(memfd_create(name, flags));
}

static int libc_ftruncate(void *ctx, const char *caller, int fd, int64_t size)
{
    (void)ctx, (void)caller;
    return (int)result(ftruncate(fd, size));
}

static int libc_getrlimit(void *ctx, const char *caller, int resource, uint64_t *soft)
{
    (void)ctx, (void)caller;
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
        return -errno;
    *soft = limit.rlim_cur;
    return 0;
}

static void *libc_alloc(void *ctx, const char *caller, size_t size)
{
    (void)ctx, (void)caller;
    assert(size > 0);
    return calloc(1, size);
}

static void libc_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

const struct host_ops host_libc_ops = {
    .open = libc_open,
    .close = libc_close,
    .read = libc_read,
    .write = libc_write,
    .pread = libc_pread,
    .pwrite = libc_pwrite,
    .ioctl = libc_ioctl,
    .mmap = libc_mmap,
    .munmap = libc_munmap,
    .madvise = libc_madvise,
    .fallocate = libc_fallocate,
    .memfd_create = libc_memfd_create,
    .ftruncate = libc_ftruncate,
    .getrlimit = libc_getrlimit,
    .alloc = libc_alloc,
    .free = libc_free,
};
