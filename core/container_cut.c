/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * split=cut: only a part of a mapping of an iommufd goes, its rest stays mapped all the time.
 * Where the kernel has an ioctl for that (proposed: IOMMU_IOAS_CUT), it makes the part a
 * mapping of its own, which then goes as any other. Where not (behaviour.md 6.4), an unmap
 * through VFIO's ioctl cuts what reaches over its ends, if the address space does without huge
 * pages: it is made VFIO's, and they are switched off before anything is mapped. How such a
 * kernel has put pages together to mappings does not matter any more: whatever the range, it is
 * unmapped.
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"
#include "core/uapi.h"

static int cut_call(struct container *c, uint64_t first, uint64_t end)
{
    struct iommu_ioas_cut arg = {
        .size = sizeof arg,
        .ioas_id = c->ioas_id,
        .iova = first << c->vmm->page_shift,
        .length = (end - first) << c->vmm->page_shift,
    };

    return host_ioctl(&c->vmm->host, c->fd, IOMMU_IOAS_CUT, &arg);
}

/* The address space that VFIO's ioctls mean: a container of theirs has got one by now. */
static int find_ioas(struct container *c)
{
    struct iommu_vfio_ioas arg = {.size = sizeof arg, .op = IOMMU_VFIO_IOAS_GET};
    int rc = c->ops->type ? host_ioctl(&c->vmm->host, c->fd, IOMMU_VFIO_IOAS, &arg) : 0;

    if (!rc && c->ops->type)
        c->ioas_id = arg.ioas_id;
    return rc;
}

static int make_it_vfios(struct container *c)
{
    struct iommu_vfio_ioas arg = {
        .size = sizeof arg, .ioas_id = c->ioas_id, .op = IOMMU_VFIO_IOAS_SET};

    return c->ops->type ? 0 : host_ioctl(&c->vmm->host, c->fd, IOMMU_VFIO_IOAS, &arg);
}

static int switch_huge_pages_off(struct container *c)
{
    struct iommu_option arg = {
        .size = sizeof arg,
        .option_id = IOMMU_OPTION_HUGE_PAGES,
        .op = IOMMU_OPTION_OP_SET,
        .object_id = c->ioas_id,
    };

    return host_ioctl(&c->vmm->host, c->fd, IOMMU_OPTION, &arg);
}

int container_cut_prepare(struct container *c)
{
    const struct vmm_config *config = &c->vmm->config;

    assert(c->ledger.n_pages == 0);
    assert(c->cut_by == CUT_BY_NOTHING || config->split == VMM_SPLIT_CUT);
    if (config->mapping != VMM_MAPPING_RUN || config->split != VMM_SPLIT_CUT)
        return 0;
    int rc = find_ioas(c);
    if (rc)
        return rc;
    rc = cut_call(c, 0, 1); /* nothing is mapped there: only asks whether the kernel can */
    if (rc == 0)
        c->cut_by = CUT_BY_IOCTL;
    if (rc != -ENOTTY)
        return rc;
    c->cut_by = CUT_BY_UNMAP;
    rc = make_it_vfios(c);
    return rc ? rc : switch_huge_pages_off(c);
}

static bool lies_inside(const struct container *c, uint64_t page)
{
    uint64_t first, end;

    return ledger_find(&c->ledger, page, &first, &end) && first < page;
}

int container_cut(struct container *c, uint64_t first, uint64_t end)
{
    assert(c->lock.held && first < end && c->cut_by != CUT_BY_NOTHING);
    if (c->cut_by == CUT_BY_UNMAP || (!lies_inside(c, first) && !lies_inside(c, end)))
        return 0;
    int rc = cut_call(c, first, end);
    if (rc)
        return rc;
    ledger_cut(&c->ledger, first);
    ledger_cut(&c->ledger, end);
    return 0;
}
