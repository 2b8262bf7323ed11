/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices in an iommufd. Through its character device a device is bound and attached by ioctls
 * of its own, and refuses everything before it is bound; through its group both happen when its
 * fd is asked for. A device belongs to one iommufd, and keeps it.
 */
#include "sim/iommufd.h"

int vfio_device_bind(struct sim_group *g, struct sim_iommufd *i)
{
    assert(!g->bound && !g->ioas);
    g->device_id = iommufd_object_new(i, OBJECT_DEVICE, NULL);
    if (!g->device_id)
        return -ENOMEM;
    iommufd_get(i);
    g->bound = i;
    return 0;
}

void vfio_device_unbind(struct sim_world *w, struct sim_group *g)
{
    struct sim_iommufd *i = g->bound;

    assert(i && !g->ioas);
    iommufd_object_free(i, g->device_id);
    g->bound = NULL;
    g->device_id = 0;
    iommufd_put(w, i);
}

/* Attached already: it changes over, and stays where it was if that fails. */
int vfio_device_attach(struct sim_world *w, struct sim_group *g, struct sim_ioas *ioas)
{
    if (g->ioas == ioas)
        return 0;
    int error = ioas_attach(w, ioas);
    if (error)
        return error;
    if (g->ioas)
        ioas_detach(w, g->ioas);
    g->ioas = ioas;
    return 0;
}

void vfio_device_detach(struct sim_world *w, struct sim_group *g)
{
    if (g->ioas)
        ioas_detach(w, g->ioas);
    g->ioas = NULL;
}

static int64_t bind(struct sim_world *w, struct sim_fd *f, struct vfio_device_bind_iommufd *arg)
{
    struct sim_group *g = &w->groups[f->index];

    if (!arg)
        return -EFAULT;
    if (arg->argsz < sizeof(*arg) || arg->flags || arg->iommufd < 0)
        return -EINVAL;
    if (g->opened)
        return -EBUSY;
    if (f->object)
        return -EINVAL;
    struct sim_fd *target = fd_get(w, arg->iommufd);
    if (!target)
        return -EBADF;
    if (target->kind != FD_IOMMUFD)
        return -EBADFD;
    if (g->bound) /* through another open of the same device */
        return -EINVAL;
    int error = vfio_device_bind(g, target->object);
    if (error)
        return error;
    f->object = target->object;
    arg->out_devid = g->device_id;
    return 0;
}

static int64_t attach(struct sim_world *w, struct sim_group *g,
                      struct vfio_device_attach_iommufd_pt *arg)
{
    if (!arg)
        return -EFAULT;
    if (arg->argsz < sizeof(*arg) || arg->flags)
        return -EINVAL;
    const struct iommufd_object *o = iommufd_object_at(g->bound, arg->pt_id);
    if (!o)
        return -ENOENT;
    if (o->kind == OBJECT_DEVICE)
        return -EINVAL;
    int error = vfio_device_attach(w, g, o->ioas);
    if (!error)
        arg->pt_id = g->ioas->hwpt_id;
    return error;
}

static int64_t detach(struct sim_world *w, struct sim_group *g,
                      const struct vfio_device_detach_iommufd_pt *arg)
{
    if (!arg)
        return -EFAULT;
    if (arg->argsz < sizeof(*arg) || arg->flags)
        return -EINVAL;
    vfio_device_detach(w, g);
    return 0;
}

int64_t vfio_cdev_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request, void *arg)
{
    struct sim_group *g = &w->groups[f->index];

    if (request == VFIO_DEVICE_BIND_IOMMUFD)
        return bind(w, f, arg);
    if (!f->object)
        return -EINVAL;
    assert(g->bound == f->object);
    switch (request) {
    case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
        return attach(w, g, arg);
    case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        return detach(w, g, arg);
    default:
        return vfio_device_ioctl(w, request, arg);
    }
}

void vfio_cdev_release(struct sim_world *w, struct sim_fd *f)
{
    struct sim_group *g = &w->groups[f->index];

    if (!f->object)
        return;
    assert(g->bound == f->object);
    vfio_device_detach(w, g);
    vfio_device_unbind(w, g);
}
