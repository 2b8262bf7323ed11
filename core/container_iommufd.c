/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd: a context and an I/O address space (IOAS) of its own for each container, so that one
 * that is in trouble cannot take another along. Devices are opened as character devices, bound
 * to the context and attached to the IOAS; closing one undoes both.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "core/internal.h"
#include "core/uapi.h"

static int iommufd_prepare(struct container *c)
{
    struct iommu_ioas_alloc arg = {.size = sizeof arg};
    int rc = host_ioctl(&c->vmm->host, c->fd, IOMMU_IOAS_ALLOC, &arg);

    c->ioas_id = arg.out_ioas_id;
    return rc;
}

static int bind_and_attach(struct container *c, int fd)
{
    const struct host *host = &c->vmm->host;
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind, .iommufd = c->fd};
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof attach, .pt_id = c->ioas_id};
    int rc = host_ioctl(host, fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

    return rc ? rc : host_ioctl(host, fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

/* The device of group n is /dev/vfio/devices/vfio<n>. */
static int iommufd_open_device(struct container *c, struct container_device *d, bool first)
{
    const struct host *host = &c->vmm->host;
    char path[40];

    (void)first;
    (void)snprintf(path, sizeof path, "/dev/vfio/devices/vfio%u", d->group);
    int fd = host_open(host, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fd;
    int rc = bind_and_attach(c, fd);
    if (rc) {
        (void)host_close(host, fd);
        return rc;
    }
    d->fd = fd;
    return 0;
}

static int iommufd_close_device(struct container *c, const struct container_device *d)
{
    assert(d->fd >= 0);
    return host_close(&c->vmm->host, d->fd);
}

static int ioas_map(struct container *c, uint64_t iova, uint64_t size, uint64_t vaddr,
                    bool read_only)
{
    struct iommu_ioas_map arg = {
        .size = sizeof arg,
        .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                 (read_only ? 0 : IOMMU_IOAS_MAP_WRITEABLE),
        .ioas_id = c->ioas_id,
        .user_va = vaddr,
        .length = size,
        .iova = iova,
    };

    assert(c->fd >= 0 && size > 0);
    return host_ioctl(&c->vmm->host, c->fd, IOMMU_IOAS_MAP, &arg);
}

static int64_t ioas_unmap(struct container *c, uint64_t iova, uint64_t size)
{
    struct iommu_ioas_unmap arg = {
        .size = sizeof arg, .ioas_id = c->ioas_id, .iova = iova, .length = size};

    assert(c->fd >= 0 && size > 0);
    int rc = host_ioctl(&c->vmm->host, c->fd, IOMMU_IOAS_UNMAP, &arg);
    return rc < 0 ? rc : (int64_t)arg.length;
}

/* A map that cannot succeed, for its address is not page-aligned: EEXIST is looked for before
 * that is (behaviour.md 6.2). */
static int ioas_is_mapped(struct container *c, uint64_t iova, uint64_t size)
{
    int rc = ioas_map(c, iova, size, 1, false);

    assert(rc < 0);
    return rc == -EEXIST ? 1 : rc == -EINVAL ? 0 : rc;
}

const struct container_ops container_iommufd_ops = {
    .path = "/dev/iommu",
    .can_cut = true,
    .prepare = iommufd_prepare,
    .open_device = iommufd_open_device,
    .close_device = iommufd_close_device,
    .map = ioas_map,
    .unmap = ioas_unmap,
    .is_mapped = ioas_is_mapped,
};
