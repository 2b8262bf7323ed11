/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario files as a source of programs: named files, and folders searched for *.scn. */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include "program/generate.h"
#include "program/text.h"
#include "run/pool.h"

enum { FILES_MAX = 100000 };

struct file_list {
    char **paths; /* in the order given; a folder's files sorted by name */
    uint32_t n, capacity;
    const struct generate_options *fixed; /* axes that override the file's, or NULL */
    bool others_vary; /* the other axes will be chosen to go with them (run/matrix.h) */
};

void file_list_init(struct file_list *l);
void file_list_free(struct file_list *l);
/* 0, or negative errno with one line in `why`. */
int file_list_add(struct file_list *l, const char *path, char *why, size_t why_size);

/* Reads and parses one file, applies the fixed axes. 0, or negative errno and *problem, whose
 * line is 0 when the file could not even be read. */
int file_load(const struct file_list *l, uint32_t index, struct program *p,
              struct text_error *problem);

/* Where the fixed axes are not what the file's machine line says: "failure=stop, where the
 * machine line says failure=rollback", in words; else "". */
void file_overrides(const struct file_list *l, uint32_t index, char *buf, size_t size);

/* Gives a program the axes that are fixed (NULL: none). It may not be valid then. */
void files_fix(const struct generate_options *fixed, struct program *p);

/* The same as a result. */
void file_bad_input(const struct text_error *problem, struct run_result *result);

/* The list as a pool source: l is the context. */
struct pool_source file_source(struct file_list *l);

#endif
