/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "program/op_table.h"
#include "program/validate.h"

enum { ERRNO_LAST = 4095, CHANCE_ONE = 65536 };

static const char *name_of(const struct op *op)
{
    return op_rows[op->kind].name;
}

static int check_unit(const struct machine *m, const struct op *op, const struct complaint *c)
{
    switch (op_rows[op->kind].unit) {
    case UNIT_VCPU:
        return op->unit < m->n_vcpus
                   ? 0
                   : complain(c, "vcpu=%u, the machine has %u vCPUs", op->unit, m->n_vcpus);
    case UNIT_DEVICE:
        return op->unit < m->n_devices
                   ? 0
                   : complain(c, "d%u, the machine has %u devices", op->unit, m->n_devices);
    case UNIT_CONTAINER:
        return op->unit < m->n_containers ? 0
                                          : complain(c, "c%u, the machine has %u containers",
                                                     op->unit, m->n_containers);
    case UNIT_GUARD:
        return op->unit < GUARD_KIND_COUNT
                   ? 0
                   : complain(c, "guard %u, there are %u", op->unit, GUARD_KIND_COUNT);
    default:
        return op->unit ? complain(c, "%s has no unit, its field must be 0", name_of(op)) : 0;
    }
}

/* Text does not show a field without a meaning, so it may hold nothing. */
static int check_unused(const struct op *op, const struct complaint *c)
{
    uint8_t has = op_rows[op->kind].has;

    if ((!(has & HAS_RANGE) && (op->region || op->start || op->size)) ||
        (!(has & HAS_VALUE) && op->value) || (!(has & HAS_POINT) && op->point) ||
        (!(has & HAS_CONVERT) && (op->to_private || op->via)) ||
        (!(has & HAS_FAULT) && (op->when || op->late || op->in_undo || op->error)))
        return complain(c, "%s: a field that it has no use for must be 0", name_of(op));
    return 0;
}

/* The range begins at an address. */
static int check_start(const struct machine *m, const struct op *op, uint64_t *gpa,
                       const struct complaint *c)
{
    if (op->region != OP_NO_REGION && op->region >= m->n_regions)
        return complain(c, "%s: region %u, there are %u", name_of(op), op->region,
                        m->n_regions);
    *gpa = op_gpa(m, op);
    if (op->region != OP_NO_REGION && *gpa == UINT64_MAX)
        return complain(c, "%s: no section shows byte 0x%" PRIx64 " of %s", name_of(op),
                        op->start, region_name(m, op->region).s);
    return 0;
}

int check_convert(const struct machine *m, const struct op *op, const struct complaint *c)
{
    uint64_t page_size = machine_page_size(m), gpa = 0;
    int error = check_start(m, op, &gpa, c);

    if (error)
        return error;
    if (op->to_private > 1 || op->via > VIA_VMM)
        return complain(c, "convert: a field is out of range");
    if (op->via == VIA_VMM)
        return 0;
    if (gpa % page_size || op->size % page_size || !op->size)
        return complain(c,
                        "convert: only via=vmm can ask for bytes; start 0x%" PRIx64
                        " and size 0x%" PRIx64 " must be whole pages",
                        op->start, op->size);
    if (op->via == VIA_FAULT && op->size != page_size)
        return complain(c, "convert: via=fault is for exactly one page, not %" PRIu64,
                        op->size / page_size);
    if (op->size > UINT64_MAX - gpa)
        return complain(c,
                        "convert: 0x%" PRIx64 " bytes from GPA 0x%" PRIx64
                        " wrap; only via=vmm can ask for that",
                        op->size, gpa);
    return 0;
}

static bool writes(const struct op *op)
{
    return op->kind == OP_WRITE || op->kind == OP_DMA_WRITE;
}

int check_data(const struct machine *m, const struct op *op, const struct complaint *c)
{
    uint64_t page_size = machine_page_size(m), gpa = 0;
    int error = check_start(m, op, &gpa, c), section;
    uint8_t kind;

    if (error)
        return error;
    if (gpa % page_size || op->size != page_size)
        return complain(c, "%s: expected one page, not 0x%" PRIx64 " bytes from 0x%" PRIx64,
                        name_of(op), op->size, op->start);
    section = machine_section_at(m, gpa);
    if (section < 0)
        return complain(c, "%s: nothing is at GPA page %" PRIu64, name_of(op), gpa / page_size);
    kind = m->regions[m->sections[section].region].kind;
    if (kind == REGION_MMIO)
        return complain(c, "%s: %s cannot be %s", name_of(op),
                        region_name(m, m->sections[section].region).s,
                        writes(op) ? "written" : "read");
    if (writes(op) && !op->value)
        return complain(c, "%s: value must not be 0 (an untouched page reads 0)", name_of(op));
    return 0;
}

int check_region_range(const struct machine *m, const struct op *op, const struct complaint *c)
{
    uint64_t page_size = machine_page_size(m), bytes;

    if (op->region >= m->n_regions)
        return complain(c, "%s: expected a range of a region, like ram0[0..2)", name_of(op));
    if (m->regions[op->region].kind == REGION_MMIO)
        return complain(c, "%s: %s has no memory", name_of(op), region_name(m, op->region).s);
    if (op->start % page_size || op->size % page_size || !op->size)
        return complain(c, "%s: start 0x%" PRIx64 " and size 0x%" PRIx64 " must be whole pages",
                        name_of(op), op->start, op->size);
    bytes = m->regions[op->region].n_pages * page_size;
    if (op->start > bytes || op->size > bytes - op->start)
        return complain(c, "%s: the range leaves %s, which has %u pages", name_of(op),
                        region_name(m, op->region).s, m->regions[op->region].n_pages);
    return 0;
}

/* Whole blocks or not, plugged or not: that is for the device to say. */
int check_plug(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_region_range(m, op, c);

    if (!error && !m->regions[op->region].virtio_mem_pages)
        error =
            complain(c, "%s: %s has no virtio_mem", name_of(op), region_name(m, op->region).s);
    return error;
}

/* Only memory that can be private has a discard manager. */
int check_source(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_region_range(m, op, c);

    if (!error && !m->regions[op->region].guest_memfd)
        error =
            complain(c, "%s: %s has no guest_memfd", name_of(op), region_name(m, op->region).s);
    return error;
}

int check_pin(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_source(m, op, c);

    if (!error && m->axis[AXIS_mode] != MODE_INPLACE)
        error =
            complain(c, "%s: only mode=inplace has pages that others can hold", name_of(op));
    return error;
}

int check_region_op(const struct machine *m, const struct op *op, const struct complaint *c)
{
    if (op->region >= m->n_regions)
        return complain(c, "%s: region %u, there are %u", name_of(op), op->region,
                        m->n_regions);
    if (op->start ||
        op->size != (uint64_t)m->regions[op->region].n_pages * machine_page_size(m))
        return complain(c, "%s: expected the whole of %s", name_of(op),
                        region_name(m, op->region).s);
    return 0;
}

int check_source_remove(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_region_op(m, op, c);

    return error ? error : check_source(m, op, c);
}

int check_unplug_all(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_region_op(m, op, c);

    return error ? error : check_plug(m, op, c);
}

int check_resize(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error = check_unplug_all(m, op, c);

    if (!error && op->value > UINT32_MAX)
        error = complain(c, "resize: %" PRIu64 " pages, the most is %u", op->value, UINT32_MAX);
    return error;
}

int check_switch(const struct machine *m, const struct op *op, const struct complaint *c)
{
    (void)m;
    if (op->value > 1)
        return complain(c, "%s: the value must be 0 or 1, not %" PRIu64, name_of(op),
                        op->value);
    return 0;
}

int check_fault(const struct machine *m, const struct op *op, const struct complaint *c)
{
    uint64_t max = op->when == FAULT_CHANCE ? CHANCE_ONE : UINT32_MAX;

    (void)m;
    if (op->when > FAULT_CHANCE || op->late > 1 || op->in_undo > 1)
        return complain(c, "fault: a field is out of range");
    if (!op->error || op->error > ERRNO_LAST)
        return complain(c, "fault: %u is no errno", op->error);
    if (!op->value || op->value > max)
        return complain(c, "fault: %s must be 1 to %" PRIu64 ", not %" PRIu64,
                        op->when == FAULT_CHANCE ? "chance (in 65536)" : "the hit number", max,
                        op->value);
    return 0;
}

int validate_op(const struct machine *m, const struct op *op, const struct complaint *c)
{
    int error;

    if (op->kind >= OP_KIND_COUNT)
        return complain(c, "unknown op %u", op->kind);
    error = check_unit(m, op, c);
    if (!error)
        error = check_unused(op, c);
    if (!error && op_rows[op->kind].check)
        error = op_rows[op->kind].check(m, op, c);
    return error;
}
