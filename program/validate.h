/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of program_validate, so that the parser can name the line that breaks a rule. */
#ifndef PROGRAM_VALIDATE_H
#define PROGRAM_VALIDATE_H

#include "program/complain.h"
#include "program/op.h"

/* The values exist, and go together. */
int validate_axes(const struct machine *m, const struct complaint *c);
int validate_regions(const struct machine *m, const struct complaint *c);
/* All rules of a machine but those on what it must have: holds after each declaration. */
int validate_machine(const struct machine *m, const struct complaint *c);
int validate_op(const struct machine *m, const struct op *op, const struct complaint *c);
/* `p` holds the ops that the expectation may name. */
int validate_expect(const struct program *p, const struct expect *e, const struct complaint *c);
/* Is its condition true of any machine at all? */
bool expect_is_possible(const struct expect *e);
/* Is the expectation at odds with one of the first n, of the same op? Then both cannot hold. */
int check_at_odds(const struct program *p, uint32_t n, const struct expect *e,
                  const struct complaint *c);

/* "ram0": name of region i. */
struct region_name {
    char s[16];
};
struct region_name region_name(const struct machine *m, uint32_t region);
const char *region_kind_name(uint32_t kind); /* NULL past the end */

#endif
