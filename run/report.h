/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run says: the story of a failure, the saved program, the last line. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <stdio.h>

#include "run/pool.h"

/* What all verdicts together amount to, in a word. */
const char *report_verdict(const struct pool_totals *t);

/* The last line of `run` and `replay`, always the same fields; or the same as one JSON
 * object. 0 or -errno of the stream. */
int report_summary(FILE *out, const struct pool_totals *t, uint64_t seed, bool json);

enum { REPORT_INDENT = 9, REPORT_WIDTH = 100 };

/* The words of a text after a title, in lines of at most `width`. */
void report_wrapped(FILE *out, const char *title, uint32_t width, const char *text);

/* Rule, op, page and detail of a failure, one line each; what the rule says. p: the program, or
 * NULL when it could not be read. */
void report_finding(FILE *out, const struct run_result *r, const struct program *p);

/* Runs p again in a child process with the trace on, the page of r marked, and prints the
 * story. A crash of the child is said, not passed on. */
void report_trace(FILE *out, const struct run_result *r, const struct program *p,
                  const struct subject *subject);

/* Saves p as <dir>/<name>.scn, whole or not at all; its header has the failure and `origin`, a
 * line. 0 and the path, or negative errno and one line in `path`. */
int report_save(const char *dir, const struct run_result *r, const struct program *p,
                const char *name, const char *origin, char *path, size_t path_size);

#endif
