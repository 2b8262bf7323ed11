/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often random programs have what: the one place to switch a feature on, once it is built
 * and a campaign with --set has shown that it is whole. 0: never, unless --set asks for it.
 */
#include "program/generate_internal.h"

const uint16_t gen_axis_weight[AXIS_COUNT][GEN_AXIS_VALUES_MAX] = {
    [AXIS_mode] = {[MODE_DISCARD] = 100, [MODE_INPLACE] = 0},
    [AXIS_order] = {[ORDER_ATTRIBUTE_FIRST] = 50, [ORDER_UNMAP_FIRST] = 50},
    [AXIS_failure] = {[FAILURE_ROLLBACK] = 85, [FAILURE_STOP] = 15},
    [AXIS_tracker] = {[TRACKER_BITMAP] = 100, [TRACKER_EXTENTS] = 0},
    [AXIS_iommu] = {[IOMMU_TYPE1] = 100,
                    [IOMMU_TYPE1V1] = 0,
                    [IOMMU_IOMMUFD] = 0,
                    [IOMMU_COMPAT] = 0,
                    [IOMMU_COMPATV1] = 0},
    [AXIS_mapping] = {[MAPPING_PAGE] = 60, [MAPPING_RUN] = 40},
    [AXIS_split] = {[SPLIT_REMAP] = 70, [SPLIT_CUT] = 0, [SPLIT_REFUSE] = 30},
    [AXIS_kernel] = {[KERNEL_6_12] = 100, [KERNEL_7_3] = 0, [KERNEL_PROPOSED] = 0},
    [AXIS_page_size] =
        {[PAGE_SIZE_AXIS_4K] = 100, [PAGE_SIZE_AXIS_16K] = 0, [PAGE_SIZE_AXIS_64K] = 0},
};

const uint16_t gen_share_weight[SHARE_COUNT] = {
    [SHARE_ANON] = 50,
    [SHARE_MEMFD] = 50,
    [SHARE_HUGETLB] = 0,
};

/* Of the ops of a program, before its swarm thins them out. */
const uint16_t gen_op_weight[OP_KIND_COUNT] = {
    [OP_CONVERT] = 54,   [OP_READ] = 6,       [OP_WRITE] = 8,  [OP_DMA_READ] = 8,
    [OP_DMA_WRITE] = 8,  [OP_ATTACH] = 4,     [OP_DETACH] = 4, [OP_LISTEN] = 8,
    [OP_UNLISTEN] = 4,   [OP_QUERY] = 4,      [OP_PLUG] = 0,   [OP_UNPLUG] = 0,
    [OP_UNPLUG_ALL] = 0, [OP_RESIZE] = 0,     [OP_REMOVE] = 0, [OP_ADD] = 0,
    [OP_RESET] = 0,      [OP_PIN] = 0,        [OP_UNPIN] = 0,  [OP_GUARD] = 0,
    [OP_MIGRATE] = 0,    [OP_DIRTY_SYNC] = 0,
};
