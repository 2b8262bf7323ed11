/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said about a shrunk program: in its file, and on the terminal. */
#ifndef RUN_SHRINK_REPORT_H
#define RUN_SHRINK_REPORT_H

#include <stdio.h>

#include "run/shrink.h"

enum { SHRINK_ORIGIN_TEXT = 600, SHRINK_HEADER_TEXT = 2600 };

/* Where the original is from: lines of the header. */
struct shrink_origin {
    char from[SHRINK_ORIGIN_TEXT];    /* "shrunk from 26 ops and 3 faults on 64 pages: ..." */
    char command[SHRINK_ORIGIN_TEXT]; /* "found by: gmemcheck run ..." */
};

/* `source`: "program 34 of seed 12", or the name of a file; `command`: what found it. */
void shrink_origin_of(struct shrink_origin *o, const struct program *original,
                      const char *source, const char *command);
/* A file that was saved by us says in its comments where it is from: that is kept. */
void shrink_origin_of_file(struct shrink_origin *o, const struct program *original,
                           const char *path, const char *command);

/* The header of the file: rule, what broke, bucket, origin. */
void shrink_header(char *buf, size_t size, const struct shrink_result *r,
                   const struct shrink_origin *o);

/* "shrunk:    from ... to ...": one line, how far it went and what it took. */
void shrink_summary(FILE *out, const struct shrink_result *r, const struct program *original);

#endif
