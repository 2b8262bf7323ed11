/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO containers, and the way into all VFIO ioctls: which host call it is, its fault point,
 * its record. An iommufd may stand in a container's place. A container lives as long as its fd
 * or a group in it; its mappings live until its last group leaves.
 */
#include <string.h>

#include "sim/iommufd.h"

int vfio_open_container(struct sim_world *w)
{
    struct sim_container *c = arena_alloc(w->arena, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->refs = 1;
    int r = dma_space_open(w, &c->space); /* it has a name from its opening on */
    if (r < 0) {
        arena_free(w->arena, c);
        return r;
    }
    r = fd_new(w, FD_VFIO_CONTAINER, c, 0);
    if (r < 0)
        vfio_container_put(w, c);
    return r;
}

void vfio_container_put(struct sim_world *w, struct sim_container *c)
{
    assert(c->refs > 0);
    if (--c->refs)
        return;
    assert(c->n_groups == 0 && !c->iommu_type);
    dma_space_close(w, &c->space);
    arena_free(w->arena, c);
}

void vfio_release(struct sim_world *w, struct sim_fd *f)
{
    switch (f->kind) {
    case FD_VFIO_CONTAINER:
        vfio_container_put(w, f->object);
        break;
    case FD_IOMMUFD:
        iommufd_put(w, f->object);
        break;
    case FD_VFIO_CDEV:
        vfio_cdev_release(w, f);
        break;
    case FD_VFIO_GROUP:
        w->groups[f->index].fd_open = false;
        if (w->groups[f->index].device_fds == 0)
            vfio_group_release(w, &w->groups[f->index]);
        break;
    default:
        assert(f->kind == FD_VFIO_DEVICE);
        vfio_device_release(w, &w->groups[f->index]);
        break;
    }
}

/* Which types and features there are (nested.md 3: 1, 3, 6 and 9 answer 1). */
static int check_extension(unsigned long extension)
{
    return extension == VFIO_TYPE1_IOMMU || extension == VFIO_TYPE1v2_IOMMU ||
           extension == VFIO_TYPE1_NESTING_IOMMU || extension == VFIO_UNMAP_ALL;
}

/* ENODEV: no driver knows the type. EINVAL: type1 knows the number, but as no type that it
 * can open; nesting is one that this machine's IOMMU does not have. */
static int set_iommu(struct sim_world *w, struct sim_container *c, unsigned long type)
{
    if (c->n_groups == 0 || c->iommu_type)
        return -EINVAL;
    if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
        return check_extension(type) ? -EINVAL : -ENODEV;
    assert(c->space.n_maps == 0);
    c->iommu_type = (uint8_t)type;
    c->space.entry_limit = w->entry_limit;
    c->space.filled = true;
    return 0;
}

/* observe's number of what a mapping ioctl on this fd means. */
static uint16_t space_number(const struct sim_fd *f)
{
    if (f->kind == FD_VFIO_CONTAINER)
        return ((const struct sim_container *)f->object)->space.number;
    const struct sim_iommufd *i = f->object;
    return i->compat ? i->compat->space.number : 0;
}

static int do_map(struct sim_world *w, struct sim_fd *f,
                  const struct vfio_iommu_type1_dma_map *arg)
{
    struct sim_container *c = f->object;
    if (f->kind == FD_IOMMUFD)
        return arg ? iommufd_vfio_map(w, f->object, arg) : -EFAULT;
    if (!c->iommu_type)
        return -EINVAL;
    return arg ? type1_map(w, c, arg) : -EFAULT;
}

static int dma_map(struct sim_world *w, struct sim_fd *f,
                   const struct vfio_iommu_type1_dma_map *arg)
{
    if (arg)
        call_begin(w, POINT_VFIO_MAP, w->call.caller, arg->iova, arg->size, arg->vaddr);
    else
        call_begin(w, POINT_VFIO_MAP, w->call.caller, 0, 0, 0);
    w->call.container = space_number(f);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    int64_t r = do_map(w, f, arg);
    r = call_end(w, r ? r : (int64_t)arg->size);
    return r < 0 ? (int)r : 0;
}

/* *bytes: what was unmapped; arg->size: what the kernel answers. */
static int do_unmap(struct sim_world *w, struct sim_fd *f,
                    struct vfio_iommu_type1_dma_unmap *arg, uint64_t *bytes)
{
    struct sim_container *c = f->object;
    if (f->kind == FD_IOMMUFD)
        return arg ? iommufd_vfio_unmap(w, f->object, arg, bytes) : -EFAULT;
    int r = !c->iommu_type ? -EINVAL : !arg ? -EFAULT : type1_unmap(w, c, arg);
    if (!r)
        *bytes = arg->size;
    return r;
}

/* The removed size is the result that the record shows; the caller reads it from the struct,
 * where it is not written when the copy-out failed. */
static int dma_unmap(struct sim_world *w, struct sim_fd *f,
                     struct vfio_iommu_type1_dma_unmap *arg)
{
    uint64_t asked = arg ? arg->size : 0, bytes = 0;
    call_begin(w, POINT_VFIO_UNMAP, w->call.caller, arg ? arg->iova : 0, asked,
               arg ? arg->flags : 0);
    w->call.container = space_number(f);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    int64_t r = do_unmap(w, f, arg, &bytes);
    r = call_end(w, r ? r : (int64_t)bytes);
    if (r < 0 && arg && w->call.late)
        arg->size = asked;
    return r < 0 ? (int)r : 0;
}

/* Everything but mapping. */
static int64_t container_other(struct sim_world *w, struct sim_container *c,
                               unsigned long request, void *arg)
{
    switch (request) {
    case VFIO_GET_API_VERSION:
        return VFIO_API_VERSION;
    case VFIO_CHECK_EXTENSION:
        return check_extension((unsigned long)arg);
    case VFIO_SET_IOMMU:
        return set_iommu(w, c, (unsigned long)arg);
    case VFIO_IOMMU_GET_INFO:
        if (!c->iommu_type)
            return -EINVAL;
        return arg ? type1_get_info(w, c, arg) : -EFAULT;
    default: /* goes to the IOMMU driver, if there is one yet */
        return c->iommu_type ? -ENOTTY : -EINVAL;
    }
}

static unsigned request_point(unsigned long request)
{
    switch (request) {
    case VFIO_SET_IOMMU:
        return POINT_VFIO_SET_IOMMU;
    case VFIO_GROUP_GET_STATUS:
        return POINT_VFIO_GROUP_STATUS;
    case VFIO_GROUP_SET_CONTAINER:
        return POINT_VFIO_SET_CONTAINER;
    case VFIO_GROUP_UNSET_CONTAINER:
        return POINT_VFIO_UNSET_CONTAINER;
    case VFIO_GROUP_GET_DEVICE_FD:
        return POINT_VFIO_DEVICE_FD;
    case VFIO_DEVICE_BIND_IOMMUFD:
        return POINT_IOMMUFD_BIND;
    case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
        return POINT_IOMMUFD_ATTACH;
    case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        return POINT_IOMMUFD_DETACH;
    case VFIO_GET_API_VERSION:
    case VFIO_CHECK_EXTENSION:
    case VFIO_IOMMU_GET_INFO:
    case VFIO_DEVICE_GET_INFO:
    case VFIO_DEVICE_GET_REGION_INFO:
        return POINT_VFIO_SYSTEM;
    default:
        return POINT_HOST_IOCTL;
    }
}

static int64_t other_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request,
                           void *arg)
{
    switch (f->kind) {
    case FD_VFIO_CONTAINER:
        return container_other(w, f->object, request, arg);
    case FD_IOMMUFD:
        return iommufd_vfio_other(w, f->object, request, arg);
    case FD_VFIO_GROUP:
        return vfio_group_ioctl(w, f, request, arg);
    case FD_VFIO_CDEV:
        return vfio_cdev_ioctl(w, f, request, arg);
    default:
        assert(f->kind == FD_VFIO_DEVICE);
        return vfio_device_ioctl(w, request, arg);
    }
}

int vfio_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request, void *arg)
{
    bool maps = f->kind == FD_VFIO_CONTAINER || f->kind == FD_IOMMUFD;
    if (maps && request == VFIO_IOMMU_MAP_DMA)
        return dma_map(w, f, arg);
    if (maps && request == VFIO_IOMMU_UNMAP_DMA)
        return dma_unmap(w, f, arg);
    /* The type or extension is the argument itself; elsewhere it is a pointer, and addresses
     * stay out of the record. */
    bool plain = request == VFIO_SET_IOMMU || request == VFIO_CHECK_EXTENSION;
    call_begin(w, request_point(request), w->call.caller, plain ? (uintptr_t)arg : 0,
               (uint64_t)fd, request);
    if (call_fails_early(w))
        return (int)call_end(w, 0);
    return (int)call_end(w, other_ioctl(w, f, request, arg));
}
