/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run as a picture in text: a row for each step (an op, a host call) that changed something
 * shown, or failed; a column for each page. The first row of an op shows all of them, the
 * others what changed.
 */
#ifndef RUN_PICTURE_H
#define RUN_PICTURE_H

#include <stdio.h>

#include "run/columns.h"
#include "run/page_state.h"

struct picture {
    struct watch watch; /* for runner_run */
    FILE *out;
    const struct columns *columns;
    const struct run_result *result; /* how the program ends: the page is marked */

    char shown[COLUMNS_MAX][PAGE_CELL_SIZE]; /* last */
    bool built, broken;
    bool whole;      /* the next row shows all cells */
    bool op_shown;   /* the line of the op stands there */
    uint32_t n_idle; /* ops that had nothing to show, in a row */
};

void picture_init(struct picture *p, FILE *out, const struct columns *c,
                  const struct run_result *result);

/* Two lines. */
void picture_legend(FILE *out, const struct machine *m, const struct columns *c);

#endif
