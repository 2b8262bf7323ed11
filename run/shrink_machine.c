/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Less machine: regions, sections, containers, devices, vCPUs; then the plainest of each that
 * is left; then the first value of each axis. */
#include <assert.h>

#include "program/edit.h"
#include "program/op_table.h"
#include "run/shrink_internal.h"

/* Takes out declaration number i of a kind. */
typedef void drop_fn(struct program *p, uint32_t i);

static void drop_vcpu(struct program *p, uint32_t vcpu)
{
    for (uint32_t i = 0; i < p->n_ops; i++) {
        struct op *op = &p->ops[i];

        if (op_rows[op->kind].unit == UNIT_VCPU && op->unit >= vcpu && op->unit > 0)
            op->unit = op->unit == vcpu ? 0 : op->unit - 1;
    }
    p->machine.n_vcpus--;
}

/* A section whose region is shown nowhere else takes nothing with it: ops may still name it. */
static bool drop_each(struct shrinker *s, drop_fn *drop, const uint32_t *n)
{
    bool any = false;

    for (uint32_t i = *n; i-- > 0;) {
        struct program *p = i < *n ? shrink_begin(s) : NULL;

        if (!p)
            continue;
        drop(p, i);
        any |= shrink_try_faults(s);
    }
    return any;
}

static bool drop_declarations(struct shrinker *s)
{
    const struct machine *m = &s->best.machine;
    bool any = drop_each(s, program_drop_region, &m->n_regions);

    any |= drop_each(s, program_drop_container, &m->n_containers);
    any |= drop_each(s, program_drop_device, &m->n_devices);
    any |= drop_each(s, program_drop_section, &m->n_sections);
    any |= drop_each(s, drop_vcpu, &m->n_vcpus);
    return any;
}

uint64_t shrink_prove(struct shrinker *s)
{
    const struct machine *m = &s->best.machine;
    const struct {
        drop_fn *drop;
        uint32_t n;
    } kinds[] = {
        {program_drop_region, m->n_regions},          {program_drop_container, m->n_containers},
        {program_drop_device, m->n_devices},          {program_drop_section, m->n_sections},
        {drop_vcpu, m->n_vcpus > 1 ? m->n_vcpus : 0}, {program_drop_expect, s->best.n_expects}};
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->best.n_ops; i++, n++) {
        struct program *p = shrink_begin(s);

        if (!p)
            return 0;
        program_drop_ops(p, i, 1);
        if (shrink_try_again(s))
            return 0;
    }
    for (uint32_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
        for (uint32_t i = 0; i < kinds[kind].n; i++, n++) {
            struct program *p = shrink_begin(s);

            if (!p)
                return 0;
            kinds[kind].drop(p, i);
            if (shrink_try_again(s))
                return 0;
        }
    return shrink_over(s) ? 0 : n;
}

/* ---- plainer declarations ---- */

static void drop_virtio_mem(struct program *p, uint32_t region)
{
    static const enum op_kind kinds[] = {OP_PLUG, OP_UNPLUG, OP_UNPLUG_ALL, OP_RESIZE};

    for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        program_drop_ops_of(p, kinds[i], 0, (uint8_t)region);
    p->machine.regions[region].virtio_mem_pages = 0;
    p->machine.regions[region].requested_pages = 0;
}

/* The i-th plainer form of a region; false: there are no more. */
static bool region_plainer(struct program *p, uint32_t region, uint32_t i)
{
    struct region_decl *r = &p->machine.regions[region];

    switch (i) {
    case 0:
        drop_virtio_mem(p, region);
        return true;
    case 1:
        r->share = SHARE_ANON;
        r->huge_pages = r->also_share = 0;
        return true;
    case 2:
        r->share = r->share == SHARE_HUGETLB ? SHARE_MEMFD : r->share;
        r->huge_pages = r->also_share = 0;
        return true;
    case 3:
        r->guest_memfd = r->kind == REGION_RAM;
        return true;
    case 4:
        r->requested_pages = r->virtio_mem_pages ? r->n_pages : 0;
        return true;
    case 5:
        r->huge_pages /= 2;
        return true;
    case 6:
        r->virtio_mem_pages /= 2;
        return true;
    case 7:
        r->huge_pages /= 2;
        r->virtio_mem_pages /= 2;
        return true;
    default:
        return false;
    }
}

static bool container_plainer(struct program *p, uint32_t container, uint32_t i)
{
    struct container_decl *c = &p->machine.containers[container];

    switch (i) {
    case 0:
        c->listen_all = 1;
        for (uint32_t region = 0; region < p->machine.n_regions; region++) {
            program_drop_ops_of(p, OP_LISTEN, (uint8_t)container, (uint8_t)region);
            program_drop_ops_of(p, OP_UNLISTEN, (uint8_t)container, (uint8_t)region);
        }
        return true;
    case 1:
        c->listen_all = 1;
        return true;
    case 2:
        c->entry_limit = PROGRAM_ENTRIES_DEFAULT;
        return true;
    case 3:
        c->entry_limit /= 2;
        return true;
    case 4:
        c->entry_limit -= c->entry_limit > 0;
        return true;
    default:
        return false;
    }
}

static bool device_plainer(struct program *p, uint32_t device, uint32_t i)
{
    if (i >= p->machine.devices[device].container)
        return false;
    p->machine.devices[device].container = i;
    return true;
}

/* What the whole machine and program have. */
static bool rest_plainer(struct program *p, uint32_t which, uint32_t i)
{
    assert(which == 0);
    switch (i) {
    case 0:
        p->machine.memlock_pages = 0;
        return true;
    case 1:
        p->machine.memlock_pages /= 2;
        return true;
    case 2:
        p->machine.memlock_pages -= p->machine.memlock_pages > 0;
        return true;
    case 3:
        p->seed = 0;
        return true;
    default:
        return false;
    }
}

static bool plainer_each(struct shrinker *s,
                         bool (*change)(struct program *, uint32_t, uint32_t), uint32_t n)
{
    bool any = false;

    for (uint32_t which = 0; which < n; which++)
        for (uint32_t i = 0;;) {
            struct program *p = shrink_begin(s);

            if (!p || !change(p, which, i))
                break;
            if (shrink_try_faults(s))
                any = true;
            else
                i++;
        }
    return any;
}

bool shrink_machine(struct shrinker *s)
{
    bool any = drop_declarations(s);

    any |= plainer_each(s, region_plainer, s->best.machine.n_regions);
    any |= plainer_each(s, container_plainer, s->best.machine.n_containers);
    any |= plainer_each(s, device_plainer, s->best.machine.n_devices);
    any |= plainer_each(s, rest_plainer, 1);
    return any;
}

/* ---- axes ---- */

/* What must change with the axis so that the values go together. */
static void follow(struct program *p, enum program_axis axis)
{
    uint8_t *of = p->machine.axis;

    if (axis == AXIS_mapping && of[AXIS_mapping] == MAPPING_PAGE)
        of[AXIS_split] = SPLIT_REMAP;
    if (axis == AXIS_kernel && of[AXIS_kernel] != KERNEL_PROPOSED)
        of[AXIS_mode] = MODE_DISCARD;
    if (axis == AXIS_iommu && of[AXIS_split] == SPLIT_CUT)
        of[AXIS_split] = SPLIT_REMAP;
    if (of[AXIS_mode] == MODE_DISCARD && axis != AXIS_order) {
        for (uint32_t region = 0; region < p->machine.n_regions; region++) {
            program_drop_ops_of(p, OP_PIN, 0, (uint8_t)region);
            program_drop_ops_of(p, OP_UNPIN, 0, (uint8_t)region);
        }
    }
}

bool shrink_axes(struct shrinker *s)
{
    bool any = false;

    for (uint32_t axis = 0; axis < AXIS_COUNT; axis++)
        for (uint8_t value = 0; value <= s->best.machine.axis[axis]; value++) {
            struct program *p = shrink_begin(s);

            if (!p)
                return any;
            program_set_axis(p, axis, value);
            follow(p, axis);
            any |= shrink_try_faults(s);
        }
    return any;
}
