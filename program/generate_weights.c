/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often random programs have what. 0: never, unless --set asks for it. */
#include "program/generate_internal.h"

/* Of machines; a value that does not go with the others of its machine is not drawn. */
const uint16_t gen_axis_weight[AXIS_COUNT][GEN_AXIS_VALUES_MAX] = {
    [AXIS_mode] = {[MODE_DISCARD] = 100, [MODE_INPLACE] = 10},
    [AXIS_order] = {[ORDER_ATTRIBUTE_FIRST] = 50, [ORDER_UNMAP_FIRST] = 50},
    [AXIS_failure] = {[FAILURE_ROLLBACK] = 85, [FAILURE_STOP] = 15},
    [AXIS_tracker] = {[TRACKER_BITMAP] = 65, [TRACKER_EXTENTS] = 35},
    [AXIS_iommu] = {[IOMMU_TYPE1] = 55,
                    [IOMMU_TYPE1V1] = 8,
                    [IOMMU_IOMMUFD] = 19,
                    [IOMMU_COMPAT] = 9,
                    [IOMMU_COMPATV1] = 9},
    [AXIS_mapping] = {[MAPPING_PAGE] = 60, [MAPPING_RUN] = 40},
    [AXIS_split] = {[SPLIT_REMAP] = 70, [SPLIT_CUT] = 40, [SPLIT_REFUSE] = 30},
    [AXIS_kernel] = {[KERNEL_6_12] = 70, [KERNEL_7_3] = 15, [KERNEL_PROPOSED] = 15},
    [AXIS_page_size] =
        {[PAGE_SIZE_AXIS_4K] = 86, [PAGE_SIZE_AXIS_16K] = 7, [PAGE_SIZE_AXIS_64K] = 7},
};

/* Of regions that are not on huge pages. */
const uint16_t gen_share_weight[SHARE_COUNT] = {[SHARE_ANON] = 50, [SHARE_MEMFD] = 50};

/* Percent of programs; those of pins: of programs in mode=inplace. */
const uint8_t gen_feature_percent[FEATURE_COUNT] = {
    [FEATURE_VIRTIO_MEM] = 12, [FEATURE_HOTPLUG] = 8, [FEATURE_RESET] = 6,
    [FEATURE_PINS] = 45,       [FEATURE_GUARDS] = 6,  [FEATURE_MIGRATION] = 8,
    [FEATURE_HUGETLB] = 8,     [FEATURE_SOURCES] = 6,
};

/* Of the ops of a program that has them: its swarm thins them out. */
const uint16_t gen_op_weight[OP_KIND_COUNT] = {
    [OP_CONVERT] = 58,  [OP_READ] = 6,        [OP_WRITE] = 8,      [OP_DMA_READ] = 8,
    [OP_DMA_WRITE] = 8, [OP_ATTACH] = 4,      [OP_DETACH] = 4,     [OP_LISTEN] = 8,
    [OP_UNLISTEN] = 4,  [OP_QUERY] = 4,       [OP_PLUG] = 16,      [OP_UNPLUG] = 14,
    [OP_RESIZE] = 4,    [OP_REMOVE] = 8,      [OP_UNPLUG_ALL] = 3, [OP_ADD] = 8,
    [OP_RESET] = 8,     [OP_PIN] = 12,        [OP_UNPIN] = 9,      [OP_GUARD] = 12,
    [OP_MIGRATE] = 4,   [OP_DIRTY_SYNC] = 14, [OP_SOURCE_ADD] = 9, [OP_SOURCE_REMOVE] = 8,
};

/* The feature that an op belongs to. */
const uint8_t gen_op_feature[OP_KIND_COUNT] = {
    [OP_PLUG] = 1 + FEATURE_VIRTIO_MEM,
    [OP_UNPLUG] = 1 + FEATURE_VIRTIO_MEM,
    [OP_UNPLUG_ALL] = 1 + FEATURE_VIRTIO_MEM,
    [OP_RESIZE] = 1 + FEATURE_VIRTIO_MEM,
    [OP_REMOVE] = 1 + FEATURE_HOTPLUG,
    [OP_ADD] = 1 + FEATURE_HOTPLUG,
    [OP_RESET] = 1 + FEATURE_RESET,
    [OP_PIN] = 1 + FEATURE_PINS,
    [OP_UNPIN] = 1 + FEATURE_PINS,
    [OP_GUARD] = 1 + FEATURE_GUARDS,
    [OP_MIGRATE] = 1 + FEATURE_MIGRATION,
    [OP_DIRTY_SYNC] = 1 + FEATURE_MIGRATION,
    [OP_SOURCE_ADD] = 1 + FEATURE_SOURCES,
    [OP_SOURCE_REMOVE] = 1 + FEATURE_SOURCES,
};
