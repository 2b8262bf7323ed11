/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The byte form of a program, for fuzzers. Every byte string is a valid program: what is out of
 * range is brought into it, what cannot be is left out, what is missing is 0.
 *
 *   head     form (bit 0: the whole machine follows; else 16 bytes in all draw a small one), an
 *            axis a byte
 *   records  first byte below 0x80: an op in 8 bytes, whose range is relative to what a
 *            fault-free run has made so far (the n-th shared run, the last op's range, ...);
 *            above: op, expectation (all fields, as they are) or nothing, by its low two bits
 *
 * bytes_encode writes the absolute form, which loses nothing.
 */
#ifndef PROGRAM_BYTES_H
#define PROGRAM_BYTES_H

#include "program/text.h"

enum {
    BYTES_FORM = 1 + AXIS_COUNT, /* bytes of the head that any form has: form, then axes */
    BYTES_DRAWN = 16,            /* length of a head that draws its machine */
    BYTES_OP = 8,                /* of an op with a relative range */
    BYTES_ABSOLUTE = 0x80,       /* first byte of the others: this, and enum bytes_tag */
};

/* Fills p (cleared first) with a valid program; its faults are some that the vocabulary knows.
 * 0 or -ENOMEM. */
int bytes_decode(const uint8_t *data, size_t size, const struct vocabulary *words,
                 struct program *p);

/* Writes p so that bytes_decode gives it back (lines apart). 0, -errno of the stream, or
 * -EINVAL with one line in `why` for a program that is not valid. */
int bytes_encode(FILE *out, const struct program *p, const struct vocabulary *words, char *why,
                 size_t why_size);

/* For who edits bytes: length of the head, and of the record at `at` (0 at the end). */
size_t bytes_head_size(const uint8_t *data, size_t size);
size_t bytes_record_size(const uint8_t *data, size_t size, size_t at);

#endif
