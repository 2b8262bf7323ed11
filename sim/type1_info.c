/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO_IOMMU_GET_INFO: page sizes, and behind them a chain of capabilities that is only
 * written when the caller's argsz has room for all of it; otherwise argsz says how much it
 * needs and the caller asks again.
 */
#include <stddef.h>
#include <string.h>

#include "sim/world.h"

/* The smallest page and the 2 MiB and 1 GiB pages of the IOMMU. */
enum { LARGE_PAGES = 0x40200000 };

struct info_capabilities {
    struct vfio_info_cap_header avail_header;
    uint32_t avail;
    uint32_t avail_pad; /* each capability starts 8-aligned */
    struct vfio_info_cap_header range_header;
    uint32_t n_ranges;
    uint32_t reserved;
    struct vfio_iova_range ranges[2];
};

_Static_assert(offsetof(struct info_capabilities, range_header) % 8 == 0, "ABI");
_Static_assert(offsetof(struct info_capabilities, ranges) ==
                   offsetof(struct info_capabilities, range_header) +
                       sizeof(struct vfio_iommu_type1_info_cap_iova_range),
               "ABI");

static void fill_capabilities(const struct sim_container *c, struct info_capabilities *out)
{
    const uint32_t base = sizeof(struct vfio_iommu_type1_info);
    assert(c->n_maps <= c->entry_limit);
    *out = (struct info_capabilities){
        .avail_header = {.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
                         .version = 1,
                         .next = base + offsetof(struct info_capabilities, range_header)},
        .avail = c->entry_limit - c->n_maps,
        .range_header = {.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1},
        .n_ranges = 2,
    };
    type1_iova_ranges(out->ranges);
}

int type1_get_info(struct sim_world *w, struct sim_container *c, void *arg)
{
    const size_t minimum = offsetof(struct vfio_iommu_type1_info, cap_offset);
    struct vfio_iommu_type1_info info = {0};
    struct info_capabilities capabilities;
    uint32_t asked;

    memcpy(&asked, arg, sizeof(asked)); /* the caller's struct may be of any alignment */
    if (asked < minimum)
        return -EINVAL;
    info.argsz = asked;
    info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info.iova_pgsizes = w_page_size(w) | LARGE_PAGES;
    if (asked < sizeof(info) + sizeof(capabilities)) {
        info.argsz = sizeof(info) + sizeof(capabilities);
    } else {
        fill_capabilities(c, &capabilities);
        memcpy((char *)arg + sizeof(info), &capabilities, sizeof(capabilities));
        info.cap_offset = sizeof(info);
    }
    memcpy(arg, &info, asked < sizeof(info) ? asked : sizeof(info));
    return 0;
}
