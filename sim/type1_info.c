/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO_IOMMU_GET_INFO: page sizes, and behind them a chain of capabilities that is only
 * written when the caller's argsz has room for all of it; otherwise argsz says how much it
 * needs and the caller asks again.
 */
#include <stddef.h>
#include <string.h>

#include "sim/world.h"

struct info_capabilities {
    struct vfio_info_cap_header avail_header;
    uint32_t avail;
    uint32_t avail_pad; /* each capability starts 8-aligned */
    struct vfio_info_cap_header range_header;
    uint32_t n_ranges;
    uint32_t reserved;
    struct vfio_iova_range ranges[DMA_RANGES_MAX];
};

_Static_assert(offsetof(struct info_capabilities, range_header) % 8 == 0, "ABI");
_Static_assert(offsetof(struct info_capabilities, ranges) ==
                   offsetof(struct info_capabilities, range_header) +
                       sizeof(struct vfio_iommu_type1_info_cap_iova_range),
               "ABI");

static void fill_capabilities(const struct vfio_iommu_answer *a, struct info_capabilities *out)
{
    const uint32_t base = sizeof(struct vfio_iommu_type1_info);

    assert(a->n_ranges >= 1 && a->n_ranges <= DMA_RANGES_MAX);
    *out = (struct info_capabilities){
        .avail_header = {.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
                         .version = 1,
                         .next = base + offsetof(struct info_capabilities, range_header)},
        .avail = a->avail,
        .range_header = {.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1},
        .n_ranges = a->n_ranges,
    };
    memcpy(out->ranges, a->ranges, a->n_ranges * sizeof(a->ranges[0]));
}

int vfio_iommu_get_info(const struct vfio_iommu_answer *a, void *arg)
{
    const size_t minimum = offsetof(struct vfio_iommu_type1_info, cap_offset);
    struct vfio_iommu_type1_info info = {0};
    struct info_capabilities capabilities;
    size_t size = offsetof(struct info_capabilities, ranges[a->n_ranges]);
    uint32_t asked;

    memcpy(&asked, arg, sizeof(asked)); /* the caller's struct may be of any alignment */
    if (asked < minimum)
        return -EINVAL;
    info.argsz = asked;
    info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info.iova_pgsizes = a->page_sizes;
    if (asked < sizeof(info) + size) {
        info.argsz = (uint32_t)(sizeof(info) + size);
    } else {
        fill_capabilities(a, &capabilities);
        memcpy((char *)arg + sizeof(info), &capabilities, size);
        info.cap_offset = sizeof(info);
    }
    memcpy(arg, &info, asked < sizeof(info) ? asked : sizeof(info));
    return 0;
}

int type1_get_info(struct sim_world *w, struct sim_container *c, void *arg)
{
    struct vfio_iommu_answer a = {
        .page_sizes = w_page_size(w) | DMA_LARGE_PAGES,
        .avail = c->space.entry_limit - c->space.n_maps,
        .n_ranges = 2,
    };

    assert(c->space.n_maps <= c->space.entry_limit);
    dma_iova_ranges(a.ranges);
    return vfio_iommu_get_info(&a, arg);
}
