/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/bytes_internal.h"
#include "program/validate.h"

static const struct complaint nobody = {NULL, 0};

bool bytes_fault_exists(const struct op *op, const struct vocabulary *words)
{
    return op->point < words->n_names && words->point_is_fault(op->point) &&
           words->point_fails(op->point, op->error, op->late);
}

struct decoder {
    struct cursor at;
    const struct vocabulary *words;
    struct program *p;
    struct shadow shadow;
};

/* What is full takes no more: -E2BIG is no error here. */
static int full_is_fine(int error)
{
    assert(error == 0 || error == -E2BIG || error == -ENOMEM);
    return error == -E2BIG ? 0 : error;
}

static int take_op(struct decoder *d, const struct op *op)
{
    if (validate_op(&d->p->machine, op, &nobody))
        return 0;
    if (op->kind == OP_FAULT && !bytes_fault_exists(op, d->words))
        return 0;
    shadow_op(&d->shadow, op);
    return full_is_fine(program_add_op(d->p, op));
}

static int take_expect(struct decoder *d, struct expect e)
{
    struct program *p = d->p;

    if (!p->n_ops || e.point >= d->words->n_names)
        return 0;
    e.op = p->n_ops - 1;
    if (validate_expect(p, &e, &nobody) || check_at_odds(p, p->n_expects, &e, &nobody))
        return 0;
    return full_is_fine(program_add_expect(p, &e));
}

static int take_record(struct decoder *d)
{
    uint8_t first = d->at.data[d->at.at];
    struct op op;

    if (first < BYTES_ABSOLUTE) {
        op = bytes_read_relative(&d->at, &d->shadow, d->p, d->words);
        return take_op(d, &op);
    }
    d->at.at++;
    if ((first & TAG_MASK) == TAG_OP) {
        op = bytes_read_op(&d->at);
        return take_op(d, &op);
    }
    return (first & TAG_MASK) == TAG_EXPECT ? take_expect(d, bytes_read_expect(&d->at)) : 0;
}

int bytes_decode(const uint8_t *data, size_t size, const struct vocabulary *words,
                 struct program *p)
{
    struct decoder d = {.at = {data, size, 0}, .words = words, .p = p};
    int error = 0;

    program_clear(p);
    bytes_read_head(&d.at, p);
    shadow_init(&d.shadow, &p->machine);
    while (!error && d.at.at < size)
        error = take_record(&d);
    if (p->sweep_from > p->n_ops)
        p->sweep_from = p->n_ops;
    return error;
}

size_t bytes_head_size(const uint8_t *data, size_t size)
{
    struct cursor c = {data, size, 0};
    struct program scratch = {0};

    bytes_read_head(&c, &scratch);
    return c.at;
}

size_t bytes_record_size(const uint8_t *data, size_t size, size_t at)
{
    struct cursor c = {data, size, at};
    uint8_t first = cursor_byte(&c);

    if (at >= size)
        return 0;
    if (first < BYTES_ABSOLUTE)
        return size - at < BYTES_OP ? size - at : BYTES_OP;
    if ((first & TAG_MASK) == TAG_OP)
        (void)bytes_read_op(&c);
    else if ((first & TAG_MASK) == TAG_EXPECT)
        (void)bytes_read_expect(&c);
    assert(c.at > at && c.at <= size);
    return c.at - at;
}
