/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One op of a program, done to the world and the subject. */
#ifndef RUN_EXECUTE_H
#define RUN_EXECUTE_H

#include "run/runner.h"

/* Does the op and fills r->now->op_result: error, data, guest status. */
void execute_op(struct runner *r, const struct op *op);

#endif
