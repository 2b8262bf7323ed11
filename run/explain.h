/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a failure: what broke, what the rule says, the machine, the page before and after,
 * the picture of the run, its trace. Bounded, however long the program is.
 */
#ifndef RUN_EXPLAIN_H
#define RUN_EXPLAIN_H

#include <stdio.h>

#include "run/runner.h"
#include "run/subject.h"

enum { EXPLAIN_WIDTH = 100, EXPLAIN_WIDTH_MIN = 60, EXPLAIN_WIDTH_MAX = 200 };

/* The story of p, of which r is what came of it: a failure, or VERDICT_OK. `width`: of the
 * picture, in columns. The program runs a few times more, in child processes. */
void explain_story(FILE *out, const struct program *p, const struct subject *subject,
                   const struct run_result *r, uint32_t width);

#endif
