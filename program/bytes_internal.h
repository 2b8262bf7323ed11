/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the byte form share. */
#ifndef PROGRAM_BYTES_INTERNAL_H
#define PROGRAM_BYTES_INTERNAL_H

#include "program/bytes.h"

/* Of a record that is not an op in 8 bytes. Others than these are of one byte and say nothing.
 */
enum bytes_tag { TAG_OP, TAG_EXPECT, TAG_COUNT };
enum { TAG_MASK = 3 };

struct cursor {
    const uint8_t *data;
    size_t size, at;
};

/* 0 past the end. */
static inline uint8_t cursor_byte(struct cursor *c)
{
    return c->at < c->size ? c->data[c->at++] : 0;
}

/* Seven bits a byte, low ones first, the last byte below 0x80. */
static inline uint64_t cursor_number(struct cursor *c)
{
    uint64_t n = 0;
    uint8_t byte = 0x80;

    for (uint32_t shift = 0; shift < 64 && byte & 0x80; shift += 7) {
        byte = cursor_byte(c);
        n |= (uint64_t)(byte & 0x7f) << shift;
    }
    return n;
}

/* ---- machine. program/bytes_machine.c ---- */

/* Reads the head: a valid machine, the seed, and where sweeps begin. */
void bytes_read_head(struct cursor *c, struct program *p);

/* ---- absolute records. program/bytes_record.c ---- */

/* Does the vocabulary know this OP_FAULT? */
bool bytes_fault_exists(const struct op *op, const struct vocabulary *words);

/* As they are: whoever reads them judges them. The first byte has been read. */
struct op bytes_read_op(struct cursor *c);
struct expect bytes_read_expect(struct cursor *c);

/* ---- relative ranges. program/bytes_relative.c ---- */

enum { SHADOW_PAGES = 2048 };

/* What a fault-free run would have made; of the first SHADOW_PAGES guest pages. */
struct shadow {
    const struct machine *m;
    uint32_t n_pages;
    uint8_t shared[SHADOW_PAGES];
    uint8_t unplugged[SHADOW_PAGES];
};

void shadow_init(struct shadow *s, const struct machine *m);
void shadow_op(struct shadow *s, const struct op *op);

/* An op in BYTES_OP bytes. It may not be valid: not every op can be done to every machine. */
struct op bytes_read_relative(struct cursor *c, const struct shadow *s, const struct program *p,
                              const struct vocabulary *words);

#endif
