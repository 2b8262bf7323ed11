/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "core/internal.h"

static const struct container_ops *const ops_of[] = {
    [VMM_IOMMU_TYPE1] = &container_type1_ops,
    [VMM_IOMMU_TYPE1V1] = &container_type1v1_ops,
    [VMM_IOMMU_IOMMUFD] = &container_iommufd_ops,
    [VMM_IOMMU_COMPAT] = &container_compat_ops,
    [VMM_IOMMU_COMPATV1] = &container_compatv1_ops,
};
#define N_IOMMUS (sizeof ops_of / sizeof ops_of[0])

/* NULL: no memory. */
static struct container *container_new(struct vmm *vmm, enum vmm_iommu iommu, bool listen_all,
                                       uint32_t index)
{
    struct container *c = host_alloc(&vmm->host, sizeof *c);

    assert(iommu < N_IOMMUS);
    if (!c)
        return NULL;
    c->vmm = vmm;
    c->ops = ops_of[iommu];
    c->index = index;
    c->listen_all = listen_all;
    c->fd = -1;
    c->last = &c->listeners;
    sync_init(&vmm->sync, &c->lock, LOCK_CONTAINER, index);
    return c;
}

static int container_open(struct container *c)
{
    const struct host *host = &c->vmm->host;
    int fd = host_open(host, c->ops->path, O_RDWR | O_CLOEXEC);

    assert(c->fd == -1 && c->ledger.n_pages == 0);
    if (fd < 0)
        return fd;
    c->fd = fd;
    int rc = c->ops->prepare(c);
    if (rc) {
        (void)host_close(host, fd);
        c->fd = -1;
        return rc;
    }
    c->vmm->n_containers_open++;
    return 0;
}

/* Closing the container removes every mapping that it still has. */
static int container_close(struct container *c)
{
    int rc = host_close(&c->vmm->host, c->fd);

    assert(c->n_devices == 0 && !c->listeners && c->vmm->n_containers_open > 0);
    c->fd = -1;
    c->vmm->n_containers_open--;
    ledger_clear(&c->ledger);
    return rc;
}

/* The IOMMU driver is chosen when a container gets its first device; then its limit is known.
 */
static int open_device(struct container *c, struct container_device *d, bool first)
{
    int rc = c->ops->open_device(c, d, first);

    if (rc || !first)
        return rc;
    c->entry_limit = UINT64_MAX;
    rc = c->ops->entry_limit ? c->ops->entry_limit(c, &c->entry_limit) : 0;
    if (!rc)
        rc = container_cut_prepare(c);
    if (rc)
        (void)c->ops->close_device(c, d);
    return rc;
}

static int close_device(struct container *c, uint32_t i)
{
    struct container_device d = c->devices[i];
    int error = c->ops->close_device(c, &d);

    assert(i < c->n_devices);
    if (d.guarded)
        discard_guard_give_back(c->vmm, VMM_GUARD_UNCOORDINATED_DISABLE);
    c->n_devices--;
    for (; i < c->n_devices; i++)
        c->devices[i] = c->devices[i + 1];
    return error;
}

/* The last device goes, and the container with it. What cannot be unmapped goes when the
 * container is closed; until then the machine lock keeps conversions out. */
static int close_last_device(struct container *c)
{
    int error = 0;

    assert(c->n_devices == 1);
    note_error(&error, listeners_drop_all(c));
    note_error(&error, close_device(c, 0));
    note_error(&error, container_close(c));
    return error;
}

static int attach(struct container *c, uint32_t group)
{
    struct container_device d = {.group = group, .group_fd = -1, .fd = -1};
    bool first = c->n_devices == 0;
    int rc = array_room(&c->vmm->host, (void **)&c->devices, &c->cap_devices, c->n_devices,
                        sizeof d);

    if (!rc && first)
        rc = container_open(c);
    if (rc)
        return rc;
    rc = open_device(c, &d, first);
    if (rc) {
        if (first)
            (void)container_close(c);
        return rc;
    }
    c->devices[c->n_devices++] = d;
    if (first && c->listen_all)
        rc = listeners_add_all(c);
    if (rc)
        (void)close_last_device(c);
    return rc;
}

/* Pinned memory that is dropped would be lost for a device, but where its listener is told. */
static int attach_guarded(struct container *c, uint32_t group)
{
    int rc = discard_guard_take(c->vmm, VMM_GUARD_UNCOORDINATED_DISABLE);

    if (rc)
        return rc;
    rc = attach(c, group);
    if (rc)
        discard_guard_give_back(c->vmm, VMM_GUARD_UNCOORDINATED_DISABLE);
    else
        c->devices[c->n_devices - 1].guarded = true;
    return rc;
}

static struct container *find_group(struct vmm *vmm, uint32_t group, uint32_t *device)
{
    for (uint32_t i = 0; i < vmm->n_containers; i++) {
        struct container *c = vmm->containers[i];

        for (*device = 0; *device < c->n_devices; (*device)++)
            if (c->devices[*device].group == group)
                return c;
    }
    return NULL;
}

int vmm_device_attach(struct vmm *vmm, uint32_t container, uint32_t group)
{
    uint32_t device;
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    if (container >= vmm->n_containers)
        return vmm_leave(vmm, -EINVAL);
    if (find_group(vmm, group, &device))
        return vmm_leave(vmm, -EEXIST);
    return vmm_leave(vmm, attach_guarded(vmm->containers[container], group));
}

int vmm_device_detach(struct vmm *vmm, uint32_t group)
{
    uint32_t device;
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    struct container *c = find_group(vmm, group, &device);
    if (!c)
        return vmm_leave(vmm, -ENOENT);
    if (c->n_devices > 1)
        (void)close_device(c, device);
    else
        (void)close_last_device(c);
    return vmm_leave(vmm, 0);
}

int vmm_container_add(struct vmm *vmm, enum vmm_iommu iommu, bool listen_all, uint32_t *index)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    if (iommu >= N_IOMMUS || (vmm->config.split == VMM_SPLIT_CUT && !ops_of[iommu]->can_cut))
        rc = -EINVAL;
    if (!rc)
        rc = array_room(&vmm->host, (void **)&vmm->containers, &vmm->cap_containers,
                        vmm->n_containers, sizeof vmm->containers[0]);
    if (!rc) {
        struct container *c = container_new(vmm, iommu, listen_all, vmm->n_containers);

        rc = c ? 0 : -ENOMEM;
        if (c) {
            *index = vmm->n_containers;
            vmm->containers[vmm->n_containers++] = c;
        }
    }
    return vmm_leave(vmm, rc);
}

int container_free(struct container *c)
{
    struct vmm *vmm = c->vmm;
    int error = 0;

    while (c->n_devices > 1)
        note_error(&error, close_device(c, c->n_devices - 1));
    if (c->n_devices == 1)
        note_error(&error, close_last_device(c));
    assert(c->fd == -1 && !c->listeners);
    ledger_destroy(&c->ledger, &vmm->host);
    sync_destroy(&vmm->sync, &c->lock);
    host_free(&vmm->host, c->devices);
    host_free(&vmm->host, c);
    return error;
}
