/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/execute.h"

#include <assert.h>
#include <errno.h>

#include "run/hash.h"

#include "run/points.h"

/* Hypercalls and implicit accesses wait in the kernel until the vCPU runs into them. */
static int convert_as_guest(struct runner *r, const struct op *op, uint64_t gpa)
{
    enum sim_request_kind kind =
        op->via == VIA_HYPERCALL ? SIM_REQUEST_HYPERCALL : SIM_REQUEST_ACCESS;
    int error;

    assert(op->size >= machine_page_size(&r->program->machine));
    sim_guest_request(r->world, op->unit, kind, gpa, op->size >> SIM_HYPERCALL_SHIFT,
                      op->to_private);
    error = r->subject->run_vcpu(r->state, op->unit);
    r->now->op_result.undelivered = sim_guest_request_pending(r->world, op->unit);
    if (op->via == VIA_HYPERCALL && !r->now->op_result.undelivered) {
        r->now->op_result.has_status = true;
        r->now->op_result.guest_status = r->observe->guest_status(r->observe->ctx, op->unit);
    }
    return error;
}

/* In place: the page that the subject says was in the way. */
static void ask_blocked(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    uint32_t region;
    uint64_t offset;

    if (m->axis[AXIS_mode] != MODE_INPLACE || r->now->op_result.undelivered ||
        !r->subject->blocked(r->state, &region, &offset) || region >= m->n_regions)
        return;
    r->now->op_result.blocked_page =
        machine_first_page(m, region) + (uint32_t)(offset / machine_page_size(m));
}

static int execute_convert(struct runner *r, const struct op *op)
{
    uint64_t gpa = op_gpa(&r->program->machine, op);
    int error = op->via == VIA_VMM
                    ? r->subject->convert(r->state, gpa, op->size, op->to_private)
                    : convert_as_guest(r, op, gpa);

    if (error)
        ask_blocked(r);
    return error;
}

/* The guest's own accesses and the devices' DMA: a stopped machine does neither. */
static int execute_data(struct runner *r, const struct op *op)
{
    uint64_t gpa = op_gpa(&r->program->machine, op);

    if (r->subject->stopped(r->state))
        return -EIO;
    switch (op->kind) {
    case OP_READ:
        return sim_guest_read(r->world, gpa, &r->now->op_result.data);
    case OP_WRITE:
        return sim_guest_write(r->world, gpa, op->value);
    case OP_DMA_READ:
        return sim_dma_read(r->world, op->unit, gpa, &r->now->op_result.data);
    default:
        assert(op->kind == OP_DMA_WRITE);
        return sim_dma_write(r->world, op->unit, gpa, op->value);
    }
}

/* Someone else on the host takes a reference to each page of the range, or drops them: all or
 * none. The pages may have addresses that lie apart. */
static int execute_pin(struct runner *r, const struct op *op)
{
    const struct machine *m = &r->program->machine;
    uint64_t page_size = machine_page_size(m), at = 0;
    int error = r->subject->stopped(r->state) ? -EIO : 0;

    for (; !error && at < op->size; at += page_size) {
        uint64_t gpa = machine_gpa(m, op->region, op->start + at);

        error = gpa == UINT64_MAX ? -EFAULT : sim_pin(r->world, gpa, 1);
    }
    for (at -= page_size; error && error != -EIO && at > 0;) {
        at -= page_size;
        (void)sim_unpin(r->world, machine_gpa(m, op->region, op->start + at), 1);
    }
    return error;
}

static int execute_unpin(struct runner *r, const struct op *op)
{
    const struct machine *m = &r->program->machine;
    uint64_t page_size = machine_page_size(m);

    if (r->subject->stopped(r->state))
        return -EIO;
    for (uint64_t at = 0; at < op->size; at += page_size) {
        uint64_t gpa = machine_gpa(m, op->region, op->start + at);

        if (gpa == UINT64_MAX || !sim_is_pinned(r->world, gpa))
            return -ENOENT;
    }
    for (uint64_t at = 0; at < op->size; at += page_size)
        (void)sim_unpin(r->world, machine_gpa(m, op->region, op->start + at), 1);
    return 0;
}

static int execute_attach(struct runner *r, const struct op *op)
{
    const struct machine *m = &r->program->machine;
    uint32_t container = m->devices[op->unit].container;

    sim_set_entry_limit(r->world, m->containers[container].entry_limit);
    sim_name_next_container(r->world, container);
    return r->subject->attach(r->state, container, op->unit);
}

static int execute_query(struct runner *r, const struct op *op)
{
    int answer = r->subject->is_populated(r->state, op->region, op->start, op->size);

    if (answer < 0)
        return answer;
    r->now->op_result.data = (uint64_t)answer;
    return 0;
}

static int execute_virtio_mem(struct runner *r, const struct op *op)
{
    const struct subject *s = r->subject;
    uint64_t page_size = machine_page_size(&r->program->machine);
    uint16_t response = UINT8_MAX;
    int error;

    if (op->kind == OP_PLUG)
        error = s->plug(r->state, op->region, op->start, op->size, &response);
    else if (op->kind == OP_UNPLUG)
        error = s->unplug(r->state, op->region, op->start, op->size, &response);
    else if (op->kind == OP_UNPLUG_ALL)
        error = s->unplug_all(r->state, op->region, &response);
    else
        error = s->resize(r->state, op->region, op->value * page_size, &response);
    r->now->op_result.response = (uint8_t)response;
    if (error && op->kind != OP_RESIZE)
        ask_blocked(r);
    return error;
}

/* All regions that have memory; the answer counts when all of them gave one. */
static int execute_dirty_sync(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    int error = 0;

    for (uint32_t i = 0; i < m->n_regions && !error; i++)
        if (m->regions[i].kind != REGION_MMIO)
            error = r->subject->dirty_sync(r->state, i, r->dirty + r->region_page[i]);
    if (error)
        return error;
    r->now->op_result.dirty = r->dirty;
    r->hash = hash_words(r->hash, (uint64_t[]){XXH3_64bits(r->dirty, machine_n_pages(m))}, 1);
    return 0;
}

/* A group's fault is one fault at all its points. */
static int execute_fault(struct runner *r, const struct op *op)
{
    uint64_t points = UINT64_C(1) << op->point;
    struct sim_fault fault = {.error = op->error,
                              .when = op->when,
                              .late = op->late,
                              .in_undo = op->in_undo,
                              .value = op->value,
                              .tag = r->result->op};

    if (op->point >= POINT_COUNT)
        points = points_armed(op->point, op->error, op->late, &r->program->machine);
    if (!points)
        return -ENODEV;
    fault.point = (uint16_t)__builtin_ctzll(points);
    fault.more = points;
    return sim_fault_arm(r->world, &fault);
}

/* Memory that comes and goes, and who keeps devices away from it. */
static int execute_region(struct runner *r, const struct op *op)
{
    const struct subject *s = r->subject;

    switch (op->kind) {
    case OP_REMOVE:
        return s->region_remove(r->state, op->region);
    case OP_ADD:
        return s->region_add(r->state, op->region);
    case OP_SOURCE_ADD:
        return s->source_add(r->state, op->region, op->start, op->size);
    default:
        assert(op->kind == OP_SOURCE_REMOVE);
        return s->source_remove(r->state, op->region);
    }
}

/* After ops that take or give back guards: who else could have one? */
static void ask_guards(struct runner *r, const struct op *op)
{
    if (op->kind != OP_ATTACH && op->kind != OP_DETACH && op->kind != OP_ADD &&
        op->kind != OP_REMOVE && op->kind != OP_GUARD)
        return;
    for (uint32_t kind = 0; kind < GUARD_KIND_COUNT; kind++)
        r->now->op_result.free_guards |=
            (uint8_t)(r->subject->guard_is_free(r->state, kind) << kind);
    r->now->op_result.told_guards = true;
}

void execute_op(struct runner *r, const struct op *op)
{
    int error = 0;

    switch (op->kind) {
    case OP_CONVERT:
        error = execute_convert(r, op);
        break;
    case OP_READ:
    case OP_WRITE:
    case OP_DMA_READ:
    case OP_DMA_WRITE:
        error = execute_data(r, op);
        break;
    case OP_ATTACH:
        error = execute_attach(r, op);
        break;
    case OP_DETACH:
        error = r->subject->detach(r->state, op->unit);
        break;
    case OP_LISTEN:
        error = r->subject->listen(r->state, op->unit, op->region, op->start, op->size);
        break;
    case OP_UNLISTEN:
        error = r->subject->unlisten(r->state, op->unit, op->region, op->start, op->size);
        break;
    case OP_REMOVE:
    case OP_ADD:
    case OP_SOURCE_ADD:
    case OP_SOURCE_REMOVE:
        error = execute_region(r, op);
        break;
    case OP_RESET:
        error = r->subject->reset(r->state);
        break;
    case OP_QUERY:
        error = execute_query(r, op);
        break;
    case OP_GUARD:
        error = r->subject->guard(r->state, op->unit, op->value != 0);
        break;
    case OP_PIN:
        error = execute_pin(r, op);
        break;
    case OP_UNPIN:
        error = execute_unpin(r, op);
        break;
    case OP_PLUG:
    case OP_UNPLUG:
    case OP_UNPLUG_ALL:
    case OP_RESIZE:
        error = execute_virtio_mem(r, op);
        break;
    case OP_MIGRATE:
        error = r->subject->migrate(r->state, op->value);
        break;
    case OP_DIRTY_SYNC:
        error = execute_dirty_sync(r);
        break;
    case OP_FAULT:
        error = execute_fault(r, op);
        break;
    case OP_DISARM:
        sim_fault_disarm_all(r->world);
        break;
    default:
        assert(!"an op that the validator lets through is known here");
    }
    ask_guards(r, op);
    r->now->op_result.error = -error;
}
