/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of text that a child process writes and its parent prints, whatever becomes of the
 * child: of a text of any length the first and the last lines are kept, in memory that both
 * share.
 */
#ifndef RUN_LINES_H
#define RUN_LINES_H

#include <stdint.h>
#include <stdio.h>

enum { LINES_WIDTH_MAX = 255 }; /* of a line, the rest is cut off */

struct lines;

/* Keeps `first` lines from the start and `last` from the end. NULL: no memory. */
struct lines *lines_new(uint32_t first, uint32_t last);
void lines_free(struct lines *l);

/* What is written there is kept; a line at a time, so that a process that ends in the middle
 * loses no whole line. One stream at a time. NULL: no memory. */
FILE *lines_stream(struct lines *l);

/* Lines that there were. */
uint64_t lines_count(const struct lines *l);

/* Prints them; where some are missing one that says so, and what to do about it. */
void lines_print(const struct lines *l, FILE *out, const char *hint);

#endif
