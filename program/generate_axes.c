/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The axes of a random machine: what is fixed, then what goes with it, by weight. */
#include <assert.h>

#include "program/generate_internal.h"

#define BIT(value) (UINT32_C(1) << (value))

enum {
    TYPE1_BITS = BIT(IOMMU_TYPE1) | BIT(IOMMU_TYPE1V1),
    IOMMUFD_BITS = BIT(IOMMU_IOMMUFD) | BIT(IOMMU_COMPAT) | BIT(IOMMU_COMPATV1),
};
static const uint32_t any = UINT32_MAX;

/* Was a value asked for that is not in the set? */
static bool fixed_outside(const struct generate_options *o, uint32_t axis, uint32_t set)
{
    return o->axis[axis] >= 0 && !(set & BIT(o->axis[axis]));
}

/* One of the set: what was asked for; else by weight; when none has any, all alike. */
static uint32_t draw(struct gen *g, uint32_t axis, uint32_t set)
{
    uint16_t weight[GEN_AXIS_VALUES_MAX] = {0};
    uint32_t sum = 0, count = program_axis_count(axis);

    assert(count <= GEN_AXIS_VALUES_MAX && (set & (BIT(count) - 1)));
    if (g->o->axis[axis] >= 0)
        return g->m->axis[axis] = (uint8_t)g->o->axis[axis];
    for (uint32_t i = 0; i < count; i++)
        sum += weight[i] = set & BIT(i) ? gen_axis_weight[axis][i] : 0;
    for (uint32_t i = 0, none = !sum; i < count && none; i++)
        sum += weight[i] = (set & BIT(i)) != 0;
    return g->m->axis[axis] = (uint8_t)gen_weighted(&g->r, weight, sum);
}

/* validate_axes has the rules; where two of the fixed ones are at odds, they stay so. */
void gen_axes(struct gen *g)
{
    const struct generate_options *o = g->o;
    uint32_t modes = o->feature[FEATURE_PINS] == 1 ? BIT(MODE_INPLACE)
                     : fixed_outside(o, AXIS_kernel, BIT(KERNEL_PROPOSED)) ||
                             fixed_outside(o, AXIS_order, BIT(ORDER_ATTRIBUTE_FIRST)) ||
                             o->share == SHARE_HUGETLB
                         ? BIT(MODE_DISCARD)
                         : any;
    bool inplace = draw(g, AXIS_mode, modes) == MODE_INPLACE, page, type1;

    (void)draw(g, AXIS_kernel, inplace ? BIT(KERNEL_PROPOSED) : any);
    (void)draw(g, AXIS_order, inplace ? BIT(ORDER_ATTRIBUTE_FIRST) : any);
    (void)draw(g, AXIS_failure, any);
    (void)draw(g, AXIS_tracker, any);
    /* With a number of pages asked for: the size that most pages have room with. */
    (void)draw(g, AXIS_page_size, o->n_pages ? BIT(PAGE_SIZE_AXIS_4K) : any);
    page = draw(g, AXIS_mapping,
                fixed_outside(o, AXIS_split, BIT(SPLIT_REMAP)) ? BIT(MAPPING_RUN) : any) ==
           MAPPING_PAGE;
    type1 = BIT(draw(g, AXIS_iommu, o->axis[AXIS_split] == SPLIT_CUT ? IOMMUFD_BITS : any)) &
            TYPE1_BITS;
    (void)draw(g, AXIS_split,
               page    ? BIT(SPLIT_REMAP)
               : type1 ? BIT(SPLIT_REMAP) | BIT(SPLIT_REFUSE)
                       : any);
}
