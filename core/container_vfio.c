/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that VFIO groups are put into: VFIO's own, or an iommufd in its place. The kernel
 * takes the same calls for both.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "core/internal.h"
#include "core/uapi.h"

/* Group n is the PCI function 0000:00:(n + 5).0. */
enum { FIRST_PCI_SLOT = 5 };

static void *number(unsigned long n)
{
    return (void *)(uintptr_t)n;
}

int container_vfio_prepare(struct container *c)
{
    const struct host *host = &c->vmm->host;
    int rc = host_ioctl(host, c->fd, VFIO_GET_API_VERSION, NULL);

    assert(c->ops->type);
    if (rc == VFIO_API_VERSION)
        rc = host_ioctl(host, c->fd, VFIO_CHECK_EXTENSION, number(c->ops->type)) == 1 ? 0
                                                                                      : -ENODEV;
    else
        rc = rc < 0 ? rc : -ENODEV;
    return rc;
}

static int open_group(struct container *c, uint32_t group)
{
    const struct host *host = &c->vmm->host;
    struct vfio_group_status status = {.argsz = sizeof status};
    char path[32];

    (void)snprintf(path, sizeof path, "/dev/vfio/%u", group);
    int fd = host_open(host, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fd;
    int rc = host_ioctl(host, fd, VFIO_GROUP_GET_STATUS, &status);
    if (!rc && !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        rc = -EPERM;
    if (!rc)
        rc = host_ioctl(host, fd, VFIO_GROUP_SET_CONTAINER, &c->fd);
    if (rc) {
        (void)host_close(host, fd);
        return rc;
    }
    return fd;
}

/* A container that will not let the group go loses it when the group is closed. */
static int close_group(struct container *c, int fd)
{
    int error = 0;

    note_error(&error, host_ioctl(&c->vmm->host, fd, VFIO_GROUP_UNSET_CONTAINER, NULL));
    note_error(&error, host_close(&c->vmm->host, fd));
    return error;
}

/* The IOMMU driver is chosen once the container has its first group. */
int container_vfio_open_device(struct container *c, struct container_device *d, bool first)
{
    const struct host *host = &c->vmm->host;
    char name[32];
    int rc = open_group(c, d->group);

    if (rc < 0)
        return rc;
    d->group_fd = rc;
    rc = first ? host_ioctl(host, c->fd, VFIO_SET_IOMMU, number(c->ops->type)) : 0;
    if (!rc) {
        (void)snprintf(name, sizeof name, "0000:00:%02x.0", d->group + FIRST_PCI_SLOT);
        rc = host_ioctl(host, d->group_fd, VFIO_GROUP_GET_DEVICE_FD, name);
    }
    if (rc < 0) {
        (void)close_group(c, d->group_fd);
        return rc;
    }
    d->fd = rc;
    return 0;
}

int container_vfio_close_device(struct container *c, const struct container_device *d)
{
    int error = 0;

    assert(d->fd >= 0 && d->group_fd >= 0);
    note_error(&error, host_close(&c->vmm->host, d->fd));
    note_error(&error, close_group(c, d->group_fd));
    return error;
}
