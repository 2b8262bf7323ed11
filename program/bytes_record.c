/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ops and expectations with all their fields; those that a kind has no use for are not there.
 */
#include <inttypes.h>

#include "program/bytes_internal.h"
#include "program/op_table.h"
#include "program/validate.h"

static void put(FILE *out, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        putc((int)(n & 0x7f) | 0x80, out);
    putc((int)n, out);
}

/* ---- ops ---- */

struct op bytes_read_op(struct cursor *c)
{
    struct op op = {.kind = cursor_byte(c) % OP_KIND_COUNT};
    uint8_t has = op_rows[op.kind].has;

    if (op_rows[op.kind].unit != UNIT_NONE)
        op.unit = cursor_byte(c);
    if (has & HAS_RANGE) {
        op.region = cursor_byte(c);
        op.start = cursor_number(c);
        op.size = cursor_number(c);
    }
    if (has & HAS_CONVERT) {
        op.to_private = cursor_byte(c);
        op.via = cursor_byte(c);
    }
    if (has & HAS_FAULT) {
        op.when = cursor_byte(c);
        op.late = cursor_byte(c);
        op.in_undo = cursor_byte(c);
        op.error = (uint16_t)cursor_number(c);
    }
    if (has & HAS_POINT)
        op.point = (uint16_t)cursor_number(c);
    if (has & HAS_VALUE)
        op.value = cursor_number(c);
    return op;
}

static void put_op(FILE *out, const struct op *op)
{
    uint8_t has = op_rows[op->kind].has;

    putc(BYTES_ABSOLUTE | TAG_OP, out);
    putc(op->kind, out);
    if (op_rows[op->kind].unit != UNIT_NONE)
        putc(op->unit, out);
    if (has & HAS_RANGE) {
        putc(op->region, out);
        put(out, op->start);
        put(out, op->size);
    }
    if (has & HAS_CONVERT) {
        putc(op->to_private, out);
        putc(op->via, out);
    }
    if (has & HAS_FAULT) {
        putc(op->when, out);
        putc(op->late, out);
        putc(op->in_undo, out);
        put(out, op->error);
    }
    if (has & HAS_POINT)
        put(out, op->point);
    if (has & HAS_VALUE)
        put(out, op->value);
}

/* ---- expectations ---- */

struct expect bytes_read_expect(struct cursor *c)
{
    struct expect e = {.kind = cursor_byte(c) % EXPECT_KIND_COUNT};
    uint8_t has = expect_rows[e.kind].has;

    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        e.only[i] = cursor_byte(c);
    if (expect_rows[e.kind].unit != UNIT_NONE)
        e.unit = cursor_byte(c);
    if (has & HAS_RANGE) {
        e.region = cursor_byte(c);
        e.start = cursor_number(c);
        e.size = cursor_number(c);
    }
    if (has & HAS_POINT)
        e.point = (uint16_t)cursor_number(c);
    if (has & HAS_VALUE)
        e.value = cursor_number(c);
    return e;
}

static void put_expect(FILE *out, const struct expect *e)
{
    uint8_t has = expect_rows[e->kind].has;

    putc(BYTES_ABSOLUTE | TAG_EXPECT, out);
    putc(e->kind, out);
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        putc(e->only[i], out);
    if (expect_rows[e->kind].unit != UNIT_NONE)
        putc(e->unit, out);
    if (has & HAS_RANGE) {
        putc(e->region, out);
        put(out, e->start);
        put(out, e->size);
    }
    if (has & HAS_POINT)
        put(out, e->point);
    if (has & HAS_VALUE)
        put(out, e->value);
}

/* ---- the whole ---- */

static void put_io(FILE *out, const struct machine *m)
{
    put(out, m->n_containers);
    for (uint32_t i = 0; i < m->n_containers; i++) {
        put(out, m->containers[i].listen_all);
        put(out, m->containers[i].entry_limit);
    }
    put(out, m->n_devices);
    for (uint32_t i = 0; i < m->n_devices; i++)
        put(out, m->devices[i].container);
}

static void put_regions(FILE *out, const struct machine *m)
{
    put(out, m->n_regions);
    for (uint32_t i = 0; i < m->n_regions; i++) {
        const struct region_decl *r = &m->regions[i];

        putc(r->kind, out);
        putc(r->share, out);
        putc(r->guest_memfd, out);
        putc(r->also_share, out);
        put(out, r->n_pages);
        put(out, r->huge_pages);
        put(out, r->virtio_mem_pages);
        put(out, r->requested_pages);
    }
    put(out, m->n_sections);
    for (uint32_t i = 0; i < m->n_sections; i++) {
        put(out, m->sections[i].region);
        put(out, m->sections[i].first_page);
        put(out, m->sections[i].n_pages);
        put(out, m->sections[i].gpa_page);
    }
}

static void put_head(FILE *out, const struct program *p)
{
    const struct machine *m = &p->machine;

    putc(1, out);
    (void)fwrite(m->axis, 1, AXIS_COUNT, out);
    (void)fwrite(m->also, 1, AXIS_COUNT, out);
    put(out, m->n_vcpus);
    put(out, m->memlock_pages);
    put_regions(out, m);
    put_io(out, m);
    put(out, p->seed);
    put(out, p->sweep_from);
}

/* Names that the vocabulary does not have are no part of what validates a program. */
static int check_points(const struct program *p, const struct vocabulary *words,
                        const struct complaint *c)
{
    for (uint32_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind == OP_FAULT && !bytes_fault_exists(&p->ops[i], words))
            return complain(c, "op %u: no such fault", i);
    for (uint32_t i = 0; i < p->n_expects; i++)
        if (p->expects[i].point >= words->n_names)
            return complain(c, "expectation %u: no such host call", i);
    return 0;
}

int bytes_encode(FILE *out, const struct program *p, const struct vocabulary *words, char *why,
                 size_t why_size)
{
    const struct complaint c = {why, why_size};
    uint32_t e = 0;

    if (program_validate(p, why, why_size, NULL) || check_points(p, words, &c))
        return -EINVAL;
    put_head(out, p);
    for (uint32_t i = 0; i < p->n_ops; i++) {
        put_op(out, &p->ops[i]);
        for (; e < p->n_expects && p->expects[e].op == i; e++)
            put_expect(out, &p->expects[e]);
    }
    assert(e == p->n_expects);
    errno = 0;
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    return errno ? -errno : -EIO;
}
