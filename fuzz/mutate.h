/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of programs in byte form, record by record; fuzz/mutator.c gives them to AFL++. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "fuzz/target.h"
#include "program/rng.h"

enum mutation {
    MUTATE_INSERT, /* an op */
    MUTATE_DELETE, /* a record */
    MUTATE_REPEAT, /* a record, elsewhere */
    MUTATE_SPLICE, /* some records of another program */
    MUTATE_RANGE,  /* of an op */
    MUTATE_FAULT,  /* armed, or no longer */
    MUTATE_POLICY, /* one axis */
    MUTATE_COUNT
};

struct input {
    uint8_t data[TARGET_BYTES_MAX];
    size_t n;
};

/* Longer ones are cut. */
void input_set(struct input *in, const uint8_t *data, size_t size);

/* Records, and where the which-th begins (the end, for the last + 1). */
uint32_t input_records(const struct input *in);
size_t input_record_at(const struct input *in, uint32_t which);

/* One change; `other` is a program to take records from, may be empty. What does not fit, or
 * has nothing to change, changes nothing. */
void mutate(struct input *in, struct rng *r, enum mutation how, const struct input *other);

/* Leaves out the which-th record. */
void input_drop(struct input *in, uint32_t which);

#endif
