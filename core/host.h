/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that the state manager makes, as a table: host_libc in production,
 * the mock kernel (sim/) under test. Real UAPI structs, real errnos.
 *
 * Conventions, the same for every call:
 *  - an error is returned as a negative errno, never through the errno variable;
 *  - sizes, offsets and addresses are bytes;
 *  - `caller` names the core function that asks (`__func__`): reports and failure signatures
 *    show it, nothing may be decided by it;
 *  - guest RAM addresses (from mmap) are opaque numbers; only memory that the kernel shares
 *    with the VMM on purpose (the vCPU run page, through mmap of a vCPU fd) and memory from
 *    alloc may be dereferenced.
 *
 * Use the host_* macros below: they fill in the caller.
 */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include <stddef.h>
#include <stdint.h>

struct host_ops {
    int (*open)(void *ctx, const char *caller, const char *path, int flags);
    int (*close)(void *ctx, const char *caller, int fd);
    int64_t (*read)(void *ctx, const char *caller, int fd, void *buf, uint64_t size);
    int64_t (*write)(void *ctx, const char *caller, int fd, const void *buf, uint64_t size);
    int64_t (*pread)(void *ctx, const char *caller, int fd, void *buf, uint64_t size,
                     int64_t offset);
    int64_t (*pwrite)(void *ctx, const char *caller, int fd, const void *buf, uint64_t size,
                      int64_t offset);
    /* `arg` is a pointer to the UAPI struct, or the plain argument cast to a pointer. */
    int (*ioctl)(void *ctx, const char *caller, int fd, unsigned long request, void *arg);
    /* On success 0 and *out is the address. */
    int (*mmap)(void *ctx, const char *caller, uint64_t addr, uint64_t size, int prot,
                int flags, int fd, int64_t offset, uint64_t *out);
    int (*munmap)(void *ctx, const char *caller, uint64_t addr, uint64_t size);
    int (*madvise)(void *ctx, const char *caller, uint64_t addr, uint64_t size, int advice);
    int (*fallocate)(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                     int64_t size);
    int (*memfd_create)(void *ctx, const char *caller, const char *name, unsigned flags);
    int (*ftruncate)(void *ctx, const char *caller, int fd, int64_t size);
    int (*getrlimit)(void *ctx, const char *caller, int resource, uint64_t *soft);
    /* Zeroed memory, or NULL. The caller owns it; free(NULL) does nothing. */
    void *(*alloc)(void *ctx, const char *caller, size_t size);
    void (*free)(void *ctx, void *memory);
};

struct host {
    const struct host_ops *ops;
    void *ctx;
};

/* The real system calls; ctx is unused. core/host_libc.c. */
extern const struct host_ops host_libc_ops;

#define host_open(h, path, flags)  ((h)->ops->open((h)->ctx, __func__, (path), (flags)))
#define host_close(h, fd)          ((h)->ops->close((h)->ctx, __func__, (fd)))
#define host_read(h, fd, buf, n)   ((h)->ops->read((h)->ctx, __func__, (fd), (buf), (n)))
#define host_ioctl(h, fd, rq, arg) ((h)->ops->ioctl((h)->ctx, __func__, (fd), (rq), (arg)))
#define host_mmap(h, addr, size, prot, flags, fd, off, out)                                    \
    ((h)->ops->mmap((h)->ctx, __func__, (addr), (size), (prot), (flags), (fd), (off), (out)))
#define host_munmap(h, addr, size) ((h)->ops->munmap((h)->ctx, __func__, (addr), (size)))
#define host_madvise(h, addr, size, advice)                                                    \
    ((h)->ops->madvise((h)->ctx, __func__, (addr), (size), (advice)))
#define host_fallocate(h, fd, mode, off, size)                                                 \
    ((h)->ops->fallocate((h)->ctx, __func__, (fd), (mode), (off), (size)))
#define host_memfd_create(h, name, flags)                                                      \
    ((h)->ops->memfd_create((h)->ctx, __func__, (name), (flags)))
#define host_ftruncate(h, fd, size) ((h)->ops->ftruncate((h)->ctx, __func__, (fd), (size)))
#define host_getrlimit(h, res, out) ((h)->ops->getrlimit((h)->ctx, __func__, (res), (out)))
#define host_alloc(h, size)         ((h)->ops->alloc((h)->ctx, __func__, (size)))
#define host_free(h, memory)        ((h)->ops->free((h)->ctx, (memory)))

#endif
