/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fault: mostly at calls that a conversion makes, mostly at one of the first. */
#include <assert.h>
#include <string.h>

#include "program/generate_internal.h"

enum { CHANCE_ONE = 65536 };

/* What may go wrong. */
enum where {
    WHERE_ATTRIBUTES,
    WHERE_MAP,
    WHERE_UNMAP,
    WHERE_SHARED_DROP,
    WHERE_PRIVATE_DROP,
    WHERE_ALLOC,
    WHERE_SLOT,
    WHERE_FILE,
    WHERE_BACKING,
    WHERE_DEVICE,
    WHERE_RUN,
    WHERE_ANY,
    WHERE_COUNT
};

enum { WHERE_WEIGHT_SUM = 100 };

/* Of an op that a fault is armed for: the calls that it makes. */
static const uint16_t convert_weight[WHERE_COUNT] = {21, 26, 19, 14, 10, 4, 0, 0, 0, 0, 3, 3};
static const uint16_t undo_weight[WHERE_COUNT] = {27, 29, 27, 13, 0, 0, 0, 0, 0, 0, 0, 4};
/* Of an op on whole regions; of one that unmaps, and of one that maps. */
static const uint16_t undo_weight_region[WHERE_COUNT] = {26, 22, 16, 0, 0, 0,
                                                         31, 0,  0,  0, 0, 5};
static const uint16_t undo_weight_unmap[WHERE_COUNT] = {18, 62, 16, 0, 0, 0, 0, 0, 0, 0, 0, 4};
static const uint16_t undo_weight_map[WHERE_COUNT] = {4, 8, 70, 14, 0, 0, 0, 0, 0, 0, 0, 4};
static const uint16_t op_weight[OP_KIND_COUNT][WHERE_COUNT] = {
    [OP_ATTACH] = {0, 40, 0, 0, 0, 12, 0, 0, 0, 45, 0, 3},
    [OP_DETACH] = {0, 0, 45, 0, 0, 2, 0, 0, 0, 50, 0, 3},
    [OP_LISTEN] = {0, 68, 2, 0, 0, 25, 0, 0, 0, 0, 0, 5},
    [OP_UNLISTEN] = {0, 5, 85, 0, 0, 5, 0, 0, 0, 0, 0, 5},
    [OP_PLUG] = {8, 55, 2, 5, 5, 20, 0, 0, 0, 0, 0, 5},
    [OP_UNPLUG] = {24, 4, 37, 15, 14, 1, 0, 0, 0, 0, 0, 5},
    [OP_UNPLUG_ALL] = {24, 4, 37, 15, 14, 1, 0, 0, 0, 0, 0, 5},
    [OP_REMOVE] = {23, 4, 28, 0, 0, 3, 30, 0, 0, 0, 0, 12},
    [OP_ADD] = {17, 14, 0, 0, 0, 15, 19, 14, 15, 0, 0, 6},
    [OP_RESET] = {15, 8, 20, 2, 2, 8, 20, 17, 0, 0, 0, 8},
    [OP_MIGRATE] = {0, 0, 0, 0, 0, 95, 0, 0, 0, 0, 0, 5},
    [OP_SOURCE_ADD] = {0, 8, 62, 0, 0, 25, 0, 0, 0, 0, 0, 5},
    [OP_SOURCE_REMOVE] = {0, 65, 5, 0, 0, 25, 0, 0, 0, 0, 0, 5},
};

bool gen_may_fail(uint8_t kind)
{
    assert(kind < OP_KIND_COUNT);
    return op_weight[kind][WHERE_ANY] > 0;
}

/* Where a fault goes that is for the undo of the op that comes. */
static const uint16_t *weights_of_undo(uint8_t kind)
{
    switch (kind) {
    case OP_REMOVE:
    case OP_ADD:
    case OP_RESET:
        return undo_weight_region;
    case OP_UNLISTEN:
    case OP_UNPLUG:
    case OP_UNPLUG_ALL:
    case OP_SOURCE_ADD:
        return undo_weight_unmap;
    case OP_LISTEN:
    case OP_PLUG:
    case OP_SOURCE_REMOVE:
        return undo_weight_map;
    default:
        return undo_weight;
    }
}

static enum where draw_where(struct gen *g)
{
    const uint16_t *weight =
        g->next_kind == OP_KIND_COUNT ? convert_weight : op_weight[g->next_kind];
    enum where where;

    if (g->undo_next)
        weight = weights_of_undo(g->next_kind);
    where = (enum where)gen_weighted(&g->r, weight, WHERE_WEIGHT_SUM);
    if (g->striped && rng_percent(&g->r, 40))
        where = WHERE_ALLOC; /* that is where records grow */
    if ((where == WHERE_MAP || where == WHERE_UNMAP) && !g->m->n_devices)
        where = WHERE_PRIVATE_DROP; /* no device, no DMA calls */
    if (g->m->axis[AXIS_mode] == MODE_INPLACE &&
        (where == WHERE_SHARED_DROP || where == WHERE_PRIVATE_DROP))
        where = gen_has(g, FEATURE_VIRTIO_MEM)
                    ? WHERE_PRIVATE_DROP /* an unplug drops the only side */
                    : WHERE_ATTRIBUTES;  /* nothing is dropped */
    return where;
}

static const char *unmap_name(struct gen *g)
{
    bool cut = g->m->axis[AXIS_split] == SPLIT_CUT &&
               g->m->axis[AXIS_kernel] == KERNEL_PROPOSED && rng_percent(&g->r, 40);

    if (cut)
        return "iommufd/cut";
    return g->m->axis[AXIS_iommu] == IOMMU_IOMMUFD ? "iommufd/unmap" : "vfio/unmap";
}

static const char *drop_name(struct gen *g)
{
    const struct section_decl *s = &g->m->sections[g->ram[rng_below(&g->r, g->n_ram)]];

    switch (g->m->regions[s->region].share) {
    case SHARE_MEMFD:
        return "memfd/punch";
    case SHARE_ANON:
        return "mm/madvise";
    default: /* hugetlb is not dropped */
        return "gmem/punch";
    }
}

/* Making the shared side of a region. */
static const char *backing_name(struct gen *g)
{
    static const char *const names[] = {"memfd/create", "memfd/truncate", "mm/mmap"};

    return names[rng_below(&g->r, 3)];
}

/* A call of attaching a device, or of detaching one. */
static const char *device_name(struct gen *g)
{
    static const char *const group[] = {"host/open", "vfio/group_status", "vfio/set_container",
                                        "vfio/set_iommu", "vfio/device_fd"};
    static const char *const cdev[] = {"host/open", "iommufd/ioas_alloc", "iommufd/bind",
                                       "iommufd/attach", "iommufd/option"};
    bool iommufd = g->m->axis[AXIS_iommu] == IOMMU_IOMMUFD;
    uint32_t x = rng_below(&g->r, 5);

    if (g->next_kind == OP_DETACH)
        return x < 2 && !iommufd ? "vfio/unset_container" : "host/close";
    return iommufd ? cdev[x] : group[x];
}

/* The host call that does it on this machine; NULL: any. */
static const char *where_name(struct gen *g, enum where where)
{
    switch (where) {
    case WHERE_ATTRIBUTES:
        return g->m->axis[AXIS_mode] == MODE_INPLACE ? "gmem/set_attributes"
                                                     : "kvm/set_attributes";
    case WHERE_MAP:
        return g->m->axis[AXIS_iommu] == IOMMU_IOMMUFD ? "iommufd/map" : "vfio/map";
    case WHERE_UNMAP:
        return unmap_name(g);
    case WHERE_SHARED_DROP:
        return drop_name(g);
    case WHERE_PRIVATE_DROP:
        return "gmem/punch";
    case WHERE_ALLOC:
        return "core/alloc";
    case WHERE_SLOT:
        return "kvm/set_memory_region";
    case WHERE_FILE:
        return "gmem/create";
    case WHERE_BACKING:
        return backing_name(g);
    case WHERE_DEVICE:
        return device_name(g);
    case WHERE_RUN: /* the guest does not come to its request */
        return "kvm/run";
    default:
        return NULL;
    }
}

static bool may_fail(const struct gen *g, uint32_t point)
{
    const struct vocabulary *v = g->words;

    if (g->o->alloc_faults == 0 && strcmp(v->point_name(point), "core/alloc") == 0)
        return false;
    return v->point_is_fault(point);
}

/* Index of a fault point that the vocabulary has; any of them where it lacks this one. */
static uint32_t draw_point(struct gen *g, enum where where)
{
    const struct vocabulary *v = g->words;
    const char *name = where_name(g, where);
    uint32_t any;

    for (uint32_t i = 0; i < v->n_points && name; i++) {
        if (strcmp(v->point_name(i), name) == 0 && may_fail(g, i))
            return i;
    }
    any = rng_below(&g->r, v->n_points);
    for (uint32_t i = 0; i < v->n_points; i++) {
        if (may_fail(g, (any + i) % v->n_points))
            return (any + i) % v->n_points;
    }
    return UINT32_MAX;
}

static int draw_errno(struct gen *g, uint32_t point, bool late)
{
    uint32_t n = 0;

    while (g->words->point_errno(point, n, late))
        n++;
    return n ? g->words->point_errno(point, rng_below(&g->r, n), late) : 0;
}

static void draw_when(struct gen *g, struct op *op)
{
    uint32_t x = rng_below(&g->r, 100);

    if (g->striped)
        x = 50 + x / 2; /* more that last */
    op->when = x < 78 ? FAULT_NTH : x < 90 ? FAULT_STICKY : FAULT_CHANCE;
    if (op->when == FAULT_CHANCE)
        op->value = CHANCE_ONE / rng_between(&g->r, 2, 16);
    else if (rng_percent(&g->r, 85))
        op->value = rng_between(&g->r, 1, op->in_undo ? 2 : 4);
    else
        op->value = rng_between(&g->r, 1, 16);
}

/* Fills in what fails, and where; false: nothing can, in this vocabulary. */
static bool draw_fault(struct gen *g, struct op *op)
{
    uint32_t point = draw_point(g, draw_where(g));
    bool late = rng_percent(&g->r, 20);
    int error;

    if (point == UINT32_MAX)
        return false;
    error = draw_errno(g, point, late);
    if (!error)
        error = draw_errno(g, point, late = !late);
    assert(error > 0);
    op->point = (uint16_t)point;
    op->error = (uint16_t)error;
    op->late = late;
    op->in_undo = g->undo_next || rng_percent(&g->r, 8);
    draw_when(g, op);
    return true;
}

void gen_fault(struct gen *g)
{
    struct op op = {.kind = OP_FAULT}, disarm = {.kind = OP_DISARM};

    assert(g->faults > 0);
    g->faults--;
    if (!g->undo_next) /* else it is still to come */
        gen_next_op(g);
    if (draw_fault(g, &op))
        gen_add(g, &op);
    else
        gen_add(g, &disarm);
    g->undo_next = g->faults > 0 && rng_percent(&g->r, g->next_kind == OP_KIND_COUNT ? 50 : 70);
}
