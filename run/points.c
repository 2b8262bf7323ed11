/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/points.h"

#include <assert.h>

#include "sim/points.h"

#define BIT(symbol) (UINT64_C(1) << POINT_##symbol)
#define ONLY(value) (1u << (value))

/* Points that do one thing. A new one is one more bit here, and a row below. */
static const struct group {
    const char *name, *help;
    uint64_t points;
} groups[POINT_GROUPS] = {
    {"dma/map", "map guest memory for DMA, whatever the IOMMU",
     BIT(VFIO_MAP) | BIT(IOMMUFD_MAP)},
    {"dma/unmap", "unmap guest memory from DMA, whatever the IOMMU",
     BIT(VFIO_UNMAP) | BIT(IOMMUFD_UNMAP)},
    {"shared/drop", "drop pages of a shared side, whatever holds it",
     BIT(MM_MADVISE) | BIT(MEMFD_PUNCH)},
    {"attributes/set", "set private or shared on pages, whatever holds that",
     BIT(KVM_SET_ATTRIBUTES) | BIT(GMEM_SET_ATTRIBUTES)},
};

enum { N_NAMES = POINT_COUNT + POINT_GROUPS };

/* Points that only some machines' calls go through: with one of these values of the axis. */
static const struct use {
    uint64_t points;
    uint8_t axis;
    uint32_t values;
} uses[] = {
    {BIT(VFIO_SET_CONTAINER) | BIT(VFIO_UNSET_CONTAINER) | BIT(VFIO_SET_IOMMU) |
         BIT(VFIO_GROUP_STATUS) | BIT(VFIO_DEVICE_FD) | BIT(VFIO_MAP),
     AXIS_iommu, ~ONLY(IOMMU_IOMMUFD)},
    {BIT(IOMMUFD_BIND) | BIT(IOMMUFD_ATTACH) | BIT(IOMMUFD_IOAS_ALLOC) | BIT(IOMMUFD_MAP) |
         BIT(IOMMUFD_UNMAP),
     AXIS_iommu, ONLY(IOMMU_IOMMUFD)},
    {BIT(MM_MADVISE) | BIT(MEMFD_PUNCH) | BIT(KVM_SET_ATTRIBUTES), AXIS_mode,
     ONLY(MODE_DISCARD)},
    {BIT(GMEM_SET_ATTRIBUTES), AXIS_mode, ONLY(MODE_INPLACE)},
};

const char *points_name(uint32_t name)
{
    if (name < POINT_COUNT)
        return sim_point_name(name);
    return name < N_NAMES ? groups[name - POINT_COUNT].name : NULL;
}

const char *points_help(uint32_t name)
{
    if (name < POINT_COUNT)
        return sim_point_help(name);
    return name < N_NAMES ? groups[name - POINT_COUNT].help : NULL;
}

uint64_t points_of(uint32_t name)
{
    assert(name < N_NAMES);
    return name < POINT_COUNT ? UINT64_C(1) << name : groups[name - POINT_COUNT].points;
}

bool point_is_dma(uint32_t point)
{
    const uint64_t dma = BIT(VFIO_MAP) | BIT(VFIO_UNMAP) | BIT(IOMMUFD_MAP) |
                         BIT(IOMMUFD_UNMAP) | BIT(IOMMUFD_COPY) | BIT(IOMMUFD_CUT);

    assert(point < POINT_COUNT);
    return dma >> point & 1;
}

static bool point_fails(uint32_t point, int error, bool late)
{
    for (uint32_t i = 0; sim_point_errno(point, i, late) != 0; i++)
        if (sim_point_errno(point, i, late) == error)
            return true;
    return false;
}

/* Does a point of the mask before this one know the errno? */
static bool is_repeated(uint64_t points, uint32_t point, int error, bool late)
{
    for (uint32_t i = 0; i < point; i++)
        if (points >> i & 1 && point_fails(i, error, late))
            return true;
    return false;
}

int points_errno(uint32_t name, uint32_t i, bool late)
{
    uint64_t points = points_of(name);
    int error;

    for (uint32_t point = 0; point < POINT_COUNT; point++) {
        if (!(points >> point & 1))
            continue;
        for (uint32_t k = 0; (error = sim_point_errno(point, k, late)) != 0; k++)
            if (!is_repeated(points, point, error, late) && i-- == 0)
                return error;
    }
    return 0;
}

/* What drops the shared sides of this machine's guest_memfd regions: nothing a huge page. */
static uint64_t drops_of(const struct machine *m)
{
    static const uint64_t of_share[SHARE_COUNT] = {
        [SHARE_ANON] = BIT(MM_MADVISE), [SHARE_MEMFD] = BIT(MEMFD_PUNCH)};
    uint64_t points = 0;

    for (uint32_t i = 0; i < m->n_regions; i++)
        if (m->regions[i].guest_memfd)
            points |= of_share[m->regions[i].share];
    return points;
}

/* In place only what virtio-mem takes away is dropped. */
static bool uses_gmem_punch(const struct machine *m)
{
    bool any = m->axis[AXIS_mode] == MODE_DISCARD;

    for (uint32_t i = 0; i < m->n_regions; i++)
        any |= m->regions[i].virtio_mem_pages != 0;
    return any;
}

/* iommufd cuts a mapping by an unmap of its compat layer, until a kernel can cut. */
static bool uses_vfio_unmap(const struct machine *m)
{
    return m->axis[AXIS_iommu] != IOMMU_IOMMUFD ||
           (m->axis[AXIS_split] == SPLIT_CUT && m->axis[AXIS_kernel] != KERNEL_PROPOSED);
}

static uint64_t machine_points(const struct machine *m)
{
    uint64_t points = ~UINT64_C(0);

    for (uint32_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
        if (!(uses[i].values >> m->axis[uses[i].axis] & 1))
            points &= ~uses[i].points;
    if (!uses_gmem_punch(m))
        points &= ~BIT(GMEM_PUNCH);
    if (!uses_vfio_unmap(m))
        points &= ~BIT(VFIO_UNMAP);
    return points & ~((BIT(MM_MADVISE) | BIT(MEMFD_PUNCH)) & ~drops_of(m));
}

uint64_t points_armed(uint32_t name, int error, bool late, const struct machine *m)
{
    uint64_t points = points_of(name) & machine_points(m), armed = 0;

    for (uint32_t point = 0; point < POINT_COUNT; point++)
        if (points >> point & 1 && point_fails(point, error, late))
            armed |= UINT64_C(1) << point;
    return armed;
}

bool points_faults_exist(const struct program *p, uint32_t *op)
{
    for (*op = 0; *op < p->n_ops; ++*op) {
        const struct op *o = &p->ops[*op];

        if (o->kind == OP_FAULT && !points_armed(o->point, o->error, o->late, &p->machine))
            return false;
    }
    return true;
}
