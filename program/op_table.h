/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row an op and one row an expectation: all that the room knows about it. A new one is an
 * enum constant in op.h, a row here, and the functions that the row names.
 */
#ifndef PROGRAM_OP_TABLE_H
#define PROGRAM_OP_TABLE_H

#include "program/complain.h"
#include "program/op.h"

struct parser;
struct writer;

/* What `unit` counts. */
enum op_unit { UNIT_NONE, UNIT_VCPU, UNIT_DEVICE, UNIT_CONTAINER, UNIT_GUARD };

/* Fields with a meaning; all others are 0. */
enum {
    HAS_RANGE = 1 << 0,   /* region, start, size */
    HAS_VALUE = 1 << 1,   /* value */
    HAS_CONVERT = 1 << 2, /* to_private, via */
    HAS_FAULT = 1 << 3,   /* when, late, in_undo, error */
    HAS_POINT = 1 << 4,   /* point */
};

struct op_row {
    const char *name;
    const char *help;
    uint8_t unit; /* enum op_unit */
    uint8_t has;  /* HAS_* */
    /* Reads the words after the name; the op is zeroed but for kind and line. */
    int (*parse)(struct parser *ps, struct op *op);
    void (*print)(struct writer *w, const struct op *op);
    /* Units and unused fields have been checked. NULL: nothing more to check. */
    int (*check)(const struct machine *m, const struct op *op, const struct complaint *c);
};

struct expect_row {
    const char *name; /* the word after `expect`; docs/scenario-format.md explains it */
    uint8_t unit;
    uint8_t has;
    /* Reads what follows the name; `e` is zeroed but for op, kind and line; adds it itself,
     * because one name may be followed by several (`calls a=1 b=2`). */
    int (*parse)(struct parser *ps, struct expect *e);
    void (*print)(struct writer *w, const struct expect *e);
    int (*check)(const struct program *p, const struct expect *e, const struct complaint *c);
};

extern const struct op_row op_rows[OP_KIND_COUNT];
extern const struct expect_row expect_rows[EXPECT_KIND_COUNT];

/* Checks of op_rows. program/validate_op.c */
int check_convert(const struct machine *m, const struct op *op, const struct complaint *c);
int check_data(const struct machine *m, const struct op *op, const struct complaint *c);
int check_region_range(const struct machine *m, const struct op *op, const struct complaint *c);
int check_plug(const struct machine *m, const struct op *op, const struct complaint *c);
int check_pin(const struct machine *m, const struct op *op, const struct complaint *c);
int check_source(const struct machine *m, const struct op *op, const struct complaint *c);
int check_source_remove(const struct machine *m, const struct op *op,
                        const struct complaint *c);
int check_region_op(const struct machine *m, const struct op *op, const struct complaint *c);
int check_unplug_all(const struct machine *m, const struct op *op, const struct complaint *c);
int check_resize(const struct machine *m, const struct op *op, const struct complaint *c);
int check_switch(const struct machine *m, const struct op *op, const struct complaint *c);
int check_fault(const struct machine *m, const struct op *op, const struct complaint *c);

/* Checks of expect_rows. program/validate_expect.c */
int check_result(const struct program *p, const struct expect *e, const struct complaint *c);
int check_status(const struct program *p, const struct expect *e, const struct complaint *c);
int check_pages(const struct program *p, const struct expect *e, const struct complaint *c);
int check_private(const struct program *p, const struct expect *e, const struct complaint *c);
int check_mapped(const struct program *p, const struct expect *e, const struct complaint *c);
int check_unplugged(const struct program *p, const struct expect *e, const struct complaint *c);
int check_backed(const struct program *p, const struct expect *e, const struct complaint *c);
int check_side_pages(const struct program *p, const struct expect *e,
                     const struct complaint *c);
int check_read_back(const struct program *p, const struct expect *e, const struct complaint *c);
int check_truth(const struct program *p, const struct expect *e, const struct complaint *c);
int check_populated(const struct program *p, const struct expect *e, const struct complaint *c);
int check_response(const struct program *p, const struct expect *e, const struct complaint *c);
int check_dirty(const struct program *p, const struct expect *e, const struct complaint *c);
int check_blocked(const struct program *p, const struct expect *e, const struct complaint *c);

#endif
