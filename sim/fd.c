/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process's file descriptors: the lowest free number is the next one, as everywhere. */
#include "sim/world.h"

int fd_new(struct sim_world *w, enum fd_kind kind, void *object, unsigned index)
{
    assert(kind != FD_FREE && index <= UINT16_MAX);
    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    for (int fd = SIM_FD_FIRST; fd < SIM_FDS_MAX; fd++) {
        struct sim_fd *f = &w->fds[fd];
        if (f->kind != FD_FREE)
            continue;
        f->kind = (uint8_t)kind;
        f->index = (uint16_t)index;
        f->object = object;
        w->n_fds++;
        return fd;
    }
    assert(!"n_fds counts the table");
    return -EMFILE;
}

struct sim_fd *fd_get(struct sim_world *w, int fd)
{
    if ((unsigned)fd >= SIM_FDS_MAX || w->fds[fd].kind == FD_FREE)
        return NULL; /* those below SIM_FD_FIRST are never anything else */
    return &w->fds[fd];
}

int fd_close(struct sim_world *w, int fd)
{
    struct sim_fd *f = fd_get(w, fd);
    struct sim_fd was;

    if (!f)
        return -EBADF;
    was = *f;
    *f = (struct sim_fd){.kind = FD_FREE};
    assert(w->n_fds > 0);
    w->n_fds--;
    switch (was.kind) {
    case FD_VM:
    case FD_VCPU:
        kvm_release(w, &was);
        break;
    case FD_MEMFD:
    case FD_GMEM:
        backing_put(w, was.object);
        break;
    case FD_VFIO_CONTAINER:
    case FD_VFIO_GROUP:
    case FD_VFIO_DEVICE:
    case FD_VFIO_CDEV:
    case FD_IOMMUFD:
        vfio_release(w, &was);
        break;
    default:
        break; /* /dev/kvm, /dev/null, sysfs: nothing behind them that goes */
    }
    return 0;
}
