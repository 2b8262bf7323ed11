/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "program/op_table.h"
#include "program/validate.h"

enum { ERRNO_LAST = 4095 };

static const char *name_of(const struct expect *e)
{
    return expect_rows[e->kind].name;
}

int check_result(const struct program *p, const struct expect *e, const struct complaint *c)
{
    (void)p;
    if (e->value > ERRNO_LAST)
        return complain(c, "expect result: %" PRIu64 " is no errno", e->value);
    return 0;
}

int check_status(const struct program *p, const struct expect *e, const struct complaint *c)
{
    const struct op *op = &p->ops[e->op];

    if (op->kind != OP_CONVERT || op->via != VIA_HYPERCALL)
        return complain(c, "expect status: only a convert via=hypercall tells the guest one");
    if (e->value != 0 && e->value != EAGAIN && e->value != EINVAL)
        return complain(c, "expect status: the guest is told 0, EAGAIN or EINVAL");
    return 0;
}

int check_pages(const struct program *p, const struct expect *e, const struct complaint *c)
{
    const struct machine *m = &p->machine;
    uint64_t page_size = machine_page_size(m), bytes;

    if (e->region >= m->n_regions || m->regions[e->region].kind == REGION_MMIO)
        return complain(c, "expect %s: expected a range of a region with memory", name_of(e));
    if (e->start % page_size || e->size % page_size || !e->size)
        return complain(
            c, "expect %s: start 0x%" PRIx64 " and size 0x%" PRIx64 " must be whole pages",
            name_of(e), e->start, e->size);
    bytes = m->regions[e->region].n_pages * page_size;
    if (e->start > bytes || e->size > bytes - e->start)
        return complain(c, "expect %s: the range leaves %s, which has %u pages", name_of(e),
                        region_name(m, e->region).s, m->regions[e->region].n_pages);
    return 0;
}

int check_side_pages(const struct program *p, const struct expect *e, const struct complaint *c)
{
    if (e->value > 1)
        return complain(c, "expect %s: the side is shared or private", name_of(e));
    return check_pages(p, e, c);
}

/* What can never hold, on whatever machine, is a mistake. */
int check_private(const struct program *p, const struct expect *e, const struct complaint *c)
{
    const struct machine *m = &p->machine;
    int error = check_pages(p, e, c);

    if (!error && !m->regions[e->region].guest_memfd)
        error = complain(c, "expect %s: no page of %s is ever private: it has no guest_memfd",
                         name_of(e), region_name(m, e->region).s);
    return error;
}

int check_backed(const struct program *p, const struct expect *e, const struct complaint *c)
{
    int error = check_side_pages(p, e, c);

    return error || !e->value ? error : check_private(p, e, c);
}

int check_unplugged(const struct program *p, const struct expect *e, const struct complaint *c)
{
    const struct machine *m = &p->machine;
    int error = check_pages(p, e, c);

    if (!error && !m->regions[e->region].virtio_mem_pages)
        error = complain(c, "expect %s: all pages of %s are plugged: it has no virtio_mem",
                         name_of(e), region_name(m, e->region).s);
    return error;
}

/* The end of the section that shows this page of a region; the page itself: none does. */
static uint64_t shown_up_to(const struct machine *m, uint32_t region, uint64_t page)
{
    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        if (s->region == region && page >= s->first_page && page - s->first_page < s->n_pages)
            return s->first_page + (uint64_t)s->n_pages;
    }
    return page;
}

int check_mapped(const struct program *p, const struct expect *e, const struct complaint *c)
{
    const struct machine *m = &p->machine;
    uint64_t page_size = machine_page_size(m), page = e->start / page_size, to = 0;
    int error = check_pages(p, e, c);

    for (; !error && page < (e->start + e->size) / page_size; page = to) {
        to = shown_up_to(m, e->region, page);
        if (to == page)
            error = complain(c, "expect %s: page %" PRIu64 " of %s has no address", name_of(e),
                             page, region_name(m, e->region).s);
    }
    return error;
}

int check_read_back(const struct program *p, const struct expect *e, const struct complaint *c)
{
    if (p->ops[e->op].kind != OP_READ && p->ops[e->op].kind != OP_DMA_READ)
        return complain(c, "expect data: only read and dma-read have data, not %s",
                        op_rows[p->ops[e->op].kind].name);
    return 0;
}

int check_truth(const struct program *p, const struct expect *e, const struct complaint *c)
{
    (void)p;
    if (e->value > 1)
        return complain(c, "expect %s: must be 0 or 1, not %" PRIu64, name_of(e), e->value);
    return 0;
}

int check_populated(const struct program *p, const struct expect *e, const struct complaint *c)
{
    if (p->ops[e->op].kind != OP_QUERY)
        return complain(c, "expect populated: only query answers that, not %s",
                        op_rows[p->ops[e->op].kind].name);
    return check_truth(p, e, c);
}

int check_response(const struct program *p, const struct expect *e, const struct complaint *c)
{
    uint8_t kind = p->ops[e->op].kind;

    if (kind != OP_PLUG && kind != OP_UNPLUG && kind != OP_UNPLUG_ALL && kind != OP_RESIZE)
        return complain(c, "expect response: only virtio-mem responds, not %s",
                        op_rows[kind].name);
    if (e->value >= RESPONSE_COUNT)
        return complain(c, "expect response: unknown response %" PRIu64, e->value);
    return 0;
}

int check_dirty(const struct program *p, const struct expect *e, const struct complaint *c)
{
    if (p->ops[e->op].kind != OP_DIRTY_SYNC)
        return complain(c, "expect %s: only dirty-sync answers that, not %s", name_of(e),
                        op_rows[p->ops[e->op].kind].name);
    return check_pages(p, e, c);
}

int check_blocked(const struct program *p, const struct expect *e, const struct complaint *c)
{
    if (p->ops[e->op].kind != OP_CONVERT)
        return complain(c, "expect blocked: only convert can be, not %s",
                        op_rows[p->ops[e->op].kind].name);
    if (e->size != machine_page_size(&p->machine))
        return complain(c, "expect blocked: expected one page, not 0x%" PRIx64 " bytes",
                        e->size);
    if (p->machine.axis[AXIS_mode] != MODE_INPLACE && expect_applies(&p->machine, e))
        return complain(c, "expect blocked: only mode=inplace has pages that others can hold");
    return check_private(p, e, c);
}

static int check_fields(const struct expect *e, const struct complaint *c)
{
    uint8_t has = expect_rows[e->kind].has;

    if ((!(has & HAS_RANGE) && (e->region || e->start || e->size)) ||
        (!(has & HAS_VALUE) && e->value) || (!(has & HAS_POINT) && e->point) ||
        (!expect_rows[e->kind].unit && e->unit) || e->pad)
        return complain(c, "expect %s: a field that it has no use for must be 0", name_of(e));
    return 0;
}

static int check_only(const struct expect *e, const struct complaint *c)
{
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        if (e->only[i] & ~program_axis_all(i))
            return complain(c, "expect %s: unknown values 0x%x of axis %s", name_of(e),
                            e->only[i], program_axis_name(i));
    }
    return 0;
}

int validate_expect(const struct program *p, const struct expect *e, const struct complaint *c)
{
    int error;

    if (e->kind >= EXPECT_KIND_COUNT)
        return complain(c, "unknown expectation %u", e->kind);
    if (e->op >= p->n_ops)
        return complain(c, "expect %s: no op is before it", name_of(e));
    if (expect_rows[e->kind].unit == UNIT_CONTAINER && e->unit >= p->machine.n_containers)
        return complain(c, "expect %s: c%u, the machine has %u containers", name_of(e), e->unit,
                        p->machine.n_containers);
    error = check_fields(e, c);
    if (!error)
        error = check_only(e, c);
    if (!error && expect_rows[e->kind].check)
        error = expect_rows[e->kind].check(p, e, c);
    return error;
}
