/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/mutate.h"

#include <assert.h>
#include <string.h>

#include "program/bytes.h"

enum { SPLICE_MAX = 8 };

void input_set(struct input *in, const uint8_t *data, size_t size)
{
    in->n = size < TARGET_BYTES_MAX ? size : TARGET_BYTES_MAX;
    if (in->n)
        memcpy(in->data, data, in->n);
}

uint32_t input_records(const struct input *in)
{
    size_t at = bytes_head_size(in->data, in->n), size;
    uint32_t n = 0;

    for (; (size = bytes_record_size(in->data, in->n, at)) > 0; at += size)
        n++;
    assert(at == in->n);
    return n;
}

size_t input_record_at(const struct input *in, uint32_t which)
{
    size_t at = bytes_head_size(in->data, in->n);

    while (which-- > 0)
        at += bytes_record_size(in->data, in->n, at);
    assert(at <= in->n);
    return at;
}

static void insert(struct input *in, size_t at, const uint8_t *data, size_t size)
{
    assert(at <= in->n);
    if (size > TARGET_BYTES_MAX - in->n)
        return;
    memmove(in->data + at + size, in->data + at, in->n - at);
    memcpy(in->data + at, data, size);
    in->n += size;
}

static void cut(struct input *in, size_t at, size_t size)
{
    assert(at <= in->n && size <= in->n - at);
    memmove(in->data + at, in->data + at + size, in->n - at - size);
    in->n -= size;
}

void input_drop(struct input *in, uint32_t which)
{
    size_t at = input_record_at(in, which);

    cut(in, at, bytes_record_size(in->data, in->n, at));
}

/* An end that was cut off reads as zeros; written out, so that a record may follow. */
static void complete(struct input *in)
{
    uint32_t n;
    size_t at;

    while (in->n < BYTES_DRAWN)
        in->data[in->n++] = 0;
    n = input_records(in);
    at = n ? input_record_at(in, n - 1) : in->n;
    while (at < in->n && in->data[at] < BYTES_ABSOLUTE && in->n - at < BYTES_OP &&
           in->n < TARGET_BYTES_MAX)
        in->data[in->n++] = 0;
}

/* A relative op of this kind. */
static void draw_op(uint8_t *op, struct rng *r, uint8_t kind)
{
    for (uint32_t i = 1; i < BYTES_OP; i++)
        op[i] = (uint8_t)rng_next(r);
    op[0] = kind;
    if (rng_percent(r, 50))
        op[4] = 0;
    if (rng_percent(r, 50))
        op[5] = 0;
    if (rng_percent(r, 75))
        op[7] = 0;
}

static uint8_t draw_kind(struct rng *r)
{
    static const uint8_t often[] = {OP_CONVERT, OP_CONVERT, OP_ATTACH, OP_DETACH};

    if (rng_percent(r, 40))
        return often[rng_below(r, sizeof(often))];
    return (uint8_t)rng_below(r, OP_KIND_COUNT);
}

static bool is_op(const struct input *in, size_t at, uint8_t *kind)
{
    uint8_t first = in->data[at];

    if (first >= BYTES_ABSOLUTE && ((first & 3) != 0 || at + 1 >= in->n))
        return false;
    *kind = (first < BYTES_ABSOLUTE ? first : in->data[at + 1]) % OP_KIND_COUNT;
    return true;
}

static void change_range(struct input *in, struct rng *r, size_t at)
{
    uint8_t op[BYTES_OP], kind;
    size_t size = bytes_record_size(in->data, in->n, at);

    if (!is_op(in, at, &kind))
        return;
    draw_op(op, r, kind);
    if (in->data[at] < BYTES_ABSOLUTE && size == BYTES_OP) {
        op[1] = in->data[at + 1];
        op[6] = in->data[at + 6];
    }
    cut(in, at, size);
    insert(in, at, op, sizeof(op));
}

static void toggle_fault(struct input *in, struct rng *r, size_t at)
{
    uint8_t op[BYTES_OP], kind;

    if (at < in->n && is_op(in, at, &kind) && kind == OP_FAULT) {
        cut(in, at, bytes_record_size(in->data, in->n, at));
        return;
    }
    draw_op(op, r, OP_FAULT);
    op[5] = (uint8_t)rng_below(r, 6);
    insert(in, at, op, sizeof(op));
}

static void splice(struct input *in, struct rng *r, size_t at, const struct input *other)
{
    uint32_t n = input_records(other), first, count;
    size_t from;

    if (!n)
        return;
    first = rng_below(r, n);
    count = rng_between(r, 1, n - first < SPLICE_MAX ? n - first : SPLICE_MAX);
    from = input_record_at(other, first);
    insert(in, at, other->data + from, input_record_at(other, first + count) - from);
}

static void repeat(struct input *in, struct rng *r, size_t at, uint32_t n)
{
    size_t to = input_record_at(in, rng_below(r, n + 1));
    struct input copy = *in;

    insert(in, to, copy.data + at, bytes_record_size(copy.data, copy.n, at));
}

void mutate(struct input *in, struct rng *r, enum mutation how, const struct input *other)
{
    uint8_t op[BYTES_OP];
    uint32_t n;
    size_t at, between;

    complete(in);
    n = input_records(in);
    at = n ? input_record_at(in, rng_below(r, n)) : in->n;
    between = input_record_at(in, rng_below(r, n + 1));
    if (how == MUTATE_INSERT) {
        draw_op(op, r, draw_kind(r));
        insert(in, between, op, sizeof(op));
    } else if (how == MUTATE_SPLICE) {
        splice(in, r, between, other);
    } else if (how == MUTATE_FAULT) {
        toggle_fault(in, r, between);
    } else if (how == MUTATE_POLICY) {
        in->data[1 + rng_below(r, AXIS_COUNT)] = (uint8_t)rng_below(r, 8);
    } else if (n && how == MUTATE_DELETE) {
        cut(in, at, bytes_record_size(in->data, in->n, at));
    } else if (n && how == MUTATE_REPEAT) {
        repeat(in, r, at, n);
    } else if (n && how == MUTATE_RANGE) {
        change_range(in, r, at);
    }
}
