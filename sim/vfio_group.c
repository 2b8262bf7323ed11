/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO groups and their devices. Group n holds one device. A device fd keeps its group open,
 * a group in a container keeps the container; the last group to leave a container takes the
 * IOMMU and every mapping with it. An iommufd can stand in a container's place.
 */
#include <string.h>

#include "sim/iommufd.h"

/* edu as nested.md 3 saw it: one BAR, no reset. */
enum {
    DEVICE_FIRST_SLOT = 5,
    DEVICE_FLAGS_PCI = 1 << 1,
    DEVICE_REGIONS = 9,
    DEVICE_IRQS = 5,
    REGION_BAR0 = 0,
    REGION_CONFIG = 7,
    REGION_READ = 1 << 0,
    REGION_WRITE = 1 << 1,
    REGION_MMAP = 1 << 2,
    REGION_OFFSET_SHIFT = 40,
    BAR0_SIZE = 1 << 20,
    CONFIG_SIZE = 256,
};

void sim_device_name(uint32_t group, char name[SIM_DEVICE_NAME_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t slot = group + DEVICE_FIRST_SLOT;
    assert(slot < 256);
    memcpy(name, "0000:00:00.0", SIM_DEVICE_NAME_SIZE);
    name[8] = digits[slot / 16];
    name[9] = digits[slot % 16];
}

int vfio_open_group(struct sim_world *w, unsigned group)
{
    if (group >= w->config.n_groups)
        return -ENOENT;
    struct sim_group *g = &w->groups[group];
    if (g->opened || g->bound)
        return -EBUSY;
    assert(!g->container && !g->iommufd && g->device_fds == 0);
    int fd = fd_new(w, FD_VFIO_GROUP, g, group);
    if (fd >= 0)
        g->opened = g->fd_open = true;
    return fd;
}

static bool group_has_iommu(const struct sim_group *g)
{
    return g->container || g->iommufd;
}

static void group_leave(struct sim_world *w, struct sim_group *g)
{
    struct sim_container *c = g->container;
    struct sim_iommufd *i = g->iommufd;
    if (i) {
        g->iommufd = NULL;
        iommufd_put(w, i);
        return;
    }
    assert(c && c->n_groups > 0 && g->device_fds == 0);
    g->container = NULL;
    if (--c->n_groups == 0 && c->iommu_type) {
        type1_unmap_all(w, c);
        c->iommu_type = 0;
        c->space.filled = false;
        c->space.entry_limit = 0;
    }
    vfio_container_put(w, c);
}

void vfio_group_release(struct sim_world *w, struct sim_group *g)
{
    assert(g->opened && g->device_fds == 0);
    if (group_has_iommu(g))
        group_leave(w, g);
    g->opened = false;
}

void vfio_device_release(struct sim_world *w, struct sim_group *g)
{
    assert(g->device_fds > 0 && g->opened && (g->container || g->bound));
    g->device_fds--;
    if (g->device_fds == 0 && g->bound) {
        vfio_device_detach(w, g);
        vfio_device_unbind(w, g);
    }
    if (g->device_fds == 0 && !g->fd_open)
        vfio_group_release(w, g);
}

static int group_status(const struct sim_group *g, struct vfio_group_status *arg)
{
    if (!arg)
        return -EFAULT;
    if (arg->argsz < sizeof(*arg))
        return -EINVAL;
    arg->flags =
        VFIO_GROUP_FLAGS_VIABLE | (group_has_iommu(g) ? VFIO_GROUP_FLAGS_CONTAINER_SET : 0);
    return 0;
}

/* The fd must be open before anything about the group matters; what kind of fd it is matters
 * last: EBADF, EINVAL, EBADFD. */
static int set_container(struct sim_world *w, struct sim_group *g, const int32_t *arg)
{
    if (!arg)
        return -EFAULT;
    struct sim_fd *f = fd_get(w, *arg);
    if (!f)
        return -EBADF;
    if (group_has_iommu(g))
        return -EINVAL;
    if (f->kind == FD_IOMMUFD) {
        int error = iommufd_vfio_use(w, f->object);
        if (error)
            return error;
        iommufd_get(f->object);
        g->iommufd = f->object;
        return 0;
    }
    if (f->kind != FD_VFIO_CONTAINER)
        return -EBADFD;
    struct sim_container *c = f->object;
    c->n_groups++;
    c->refs++;
    g->container = c;
    return 0;
}

static int unset_container(struct sim_world *w, struct sim_group *g)
{
    if (!group_has_iommu(g))
        return -EINVAL;
    if (g->container && g->device_fds)
        return -EBUSY; /* of an iommufd the device has a reference of its own */
    group_leave(w, g);
    return 0;
}

/* The first fd of a device whose group is in an iommufd: binds it and attaches it to the IOAS
 * that VFIO's own ioctls mean, with all that is mapped there. */
static int open_in_iommufd(struct sim_world *w, struct sim_group *g)
{
    struct sim_ioas *ioas = g->iommufd->compat;
    if (!ioas)
        return -ENODEV;
    int error = vfio_device_bind(g, g->iommufd);
    if (error)
        return error;
    error = vfio_device_attach(w, g, ioas);
    if (error)
        vfio_device_unbind(w, g);
    return error;
}

/* The name is looked up before the container is asked for its IOMMU. */
static int get_device_fd(struct sim_world *w, struct sim_fd *f, const char *name)
{
    struct sim_group *g = f->object;
    char mine[SIM_DEVICE_NAME_SIZE];
    if (!name)
        return -EFAULT;
    sim_device_name(f->index, mine);
    if (strcmp(name, mine) != 0)
        return -ENODEV;
    if (!group_has_iommu(g) || (g->container && !g->container->iommu_type))
        return -EINVAL;
    int fd = fd_new(w, FD_VFIO_DEVICE, g, f->index);
    if (fd < 0)
        return fd;
    int error = g->iommufd && !g->bound ? open_in_iommufd(w, g) : 0;
    g->device_fds++;
    if (error) {
        w->fds[fd].kind = FD_FREE; /* it was never installed */
        w->n_fds--;
        g->device_fds--;
        return error;
    }
    return fd;
}

int64_t vfio_group_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request,
                         void *arg)
{
    struct sim_group *g = f->object;
    assert(g == &w->groups[f->index] && g->opened);
    switch (request) {
    case VFIO_GROUP_GET_STATUS:
        return group_status(g, arg);
    case VFIO_GROUP_SET_CONTAINER:
        return set_container(w, g, arg);
    case VFIO_GROUP_UNSET_CONTAINER:
        return unset_container(w, g);
    case VFIO_GROUP_GET_DEVICE_FD:
        return get_device_fd(w, f, arg);
    default:
        return -ENOTTY;
    }
}

static int device_info(struct vfio_device_info *arg)
{
    if (!arg)
        return -EFAULT;
    if (arg->argsz < offsetof(struct vfio_device_info, cap_offset))
        return -EINVAL;
    arg->flags = DEVICE_FLAGS_PCI;
    arg->num_regions = DEVICE_REGIONS;
    arg->num_irqs = DEVICE_IRQS;
    if (arg->argsz >= sizeof(*arg))
        arg->cap_offset = 0;
    return 0;
}

static int region_info(struct vfio_region_info *arg)
{
    if (!arg)
        return -EFAULT;
    if (arg->argsz < sizeof(*arg) || arg->index >= DEVICE_REGIONS)
        return -EINVAL;
    arg->flags = 0;
    arg->cap_offset = 0;
    arg->size = 0;
    arg->offset = (uint64_t)arg->index << REGION_OFFSET_SHIFT;
    if (arg->index == REGION_BAR0) {
        arg->flags = REGION_READ | REGION_WRITE | REGION_MMAP;
        arg->size = BAR0_SIZE;
    } else if (arg->index == REGION_CONFIG) {
        arg->flags = REGION_READ | REGION_WRITE;
        arg->size = CONFIG_SIZE;
    }
    return 0;
}

/* Only BAR 0 has memory to map. The mapping does not keep the device open here. */
int vfio_device_mmap_check(int64_t offset, uint64_t size)
{
    uint64_t at = (uint64_t)offset & ((1ull << REGION_OFFSET_SHIFT) - 1);
    assert(size > 0);
    if ((uint64_t)offset >> REGION_OFFSET_SHIFT != REGION_BAR0)
        return -EINVAL;
    return at < BAR0_SIZE && size <= BAR0_SIZE - at ? 0 : -EINVAL;
}

int64_t vfio_device_ioctl(struct sim_world *w, unsigned long request, void *arg)
{
    (void)w;
    switch (request) {
    case VFIO_DEVICE_GET_INFO:
        return device_info(arg);
    case VFIO_DEVICE_GET_REGION_INFO:
        return region_info(arg);
    default:
        return -ENOTTY;
    }
}
