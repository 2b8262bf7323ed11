/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios over every configuration that they make sense for: the full product of the values
 * that each machine line allows (program/op.h, `also`), without what program_validate refuses
 * and without machines on which one of the faults cannot exist. Where no region says share=,
 * anon and memfd are tried for all of them; not with mode=inplace, where share says nothing.
 * No sample and no pairs: a configuration is some 30 us.
 */
#ifndef RUN_MATRIX_H
#define RUN_MATRIX_H

#include <stdio.h>

#include "run/files.h"
#include "run/pool.h"

enum { MATRIX_OWN_SHARE = 0xff };

/* One program to run. */
struct matrix_item {
    uint32_t file;
    uint8_t axis[AXIS_COUNT];
    uint8_t share; /* of all regions, or MATRIX_OWN_SHARE */
};

/* One scenario: items [first, first + n). */
struct matrix_file {
    uint64_t first, n, left_out;
};

struct matrix {
    const struct file_list *list;
    struct matrix_file *files; /* one a path of the list */
    struct matrix_item *items;
    uint64_t n_items, capacity;
    struct program base; /* the scenario that was loaded last, as its file has it */
    uint32_t base_file;  /* UINT32_MAX: none */
};

/* Finds all configurations of all files; l must outlive m. A file that cannot be read, or that
 * fits no machine at all, has one item, its own machine, whose run says why; one whose machine
 * line rules out what is fixed for all has none. 0 or -ENOMEM. */
int matrix_init(struct matrix *m, const struct file_list *l);
void matrix_free(struct matrix *m);

/* The program of an item. 0, or negative errno and *problem. */
int matrix_load(struct matrix *m, uint64_t item, struct program *p, struct text_error *problem);
struct pool_source matrix_source(struct matrix *m);

/* What an item changes of its file's own machine, as options of `replay`: " --set a=b", in
 * words of the file at hand. The file must load. */
void matrix_words(struct matrix *m, uint64_t item, char *buf, size_t size);

/* The table, below each scenario the configurations that failed (the first ones), and the last
 * line. `program`: how to call gmemcheck; `sets`: options that were given for all. 0 or -errno
 * of the stream. */
int matrix_report(FILE *out, struct matrix *m, const struct run_result *results,
                  const char *program, const char *sets);

#endif
