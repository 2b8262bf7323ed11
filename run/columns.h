/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages a picture shows. A first run, in a child process, surveys how often each page
 * changes and how wide what is to be shown of it becomes; then those that matter most are
 * chosen, as many as there is room for.
 */
#ifndef RUN_COLUMNS_H
#define RUN_COLUMNS_H

#include "run/runner.h"

/* The names of all rules fit into a label, most host calls do. */
enum { COLUMNS_MAX = 16, LABEL_INDENT = 3, LABEL_WIDTH_MIN = 28, LABEL_WIDTH_MAX = 46 };

struct columns {
    uint32_t n;
    uint32_t page[COLUMNS_MAX];  /* ascending: guest pages, then aliases (model/model.h) */
    uint32_t width[COLUMNS_MAX]; /* of its cells and its name */
    uint32_t label_width;        /* of the steps */
    uint32_t n_changed;          /* pages that changed, shown or not */
    uint32_t n_pages;            /* that there are */
};

/* Runs p. `page` matters most, then what changed in the last op, and what is near. It is shown
 * even if it never changed; MODEL_NO_PAGE: no page is special. `width`: of all columns and the
 * steps. 0, or -errno. */
int columns_choose(const struct program *p, const struct subject *subject,
                   const struct run_result *result, uint32_t width, struct columns *c);

/* Of the steps of a picture: a host call, the return of an op. */
enum { LABEL_SIZE = 160 };
void call_label(char buf[LABEL_SIZE], const struct runner *r, const struct sim_call *call);
void return_label(char buf[LABEL_SIZE], const struct runner *r);

/* Where the guest sees the page: "0x13000", or "none". */
void address_text(char *buf, size_t size, const struct runner *r, uint32_t page);

/* Blanks before a column: more where pages are left out. */
enum { COLUMN_GAP = 2, COLUMN_GAP_LEFT_OUT = 4 };
uint32_t column_gap(const struct columns *c, uint32_t i);

#endif
