/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that is true of one guest page at an instant, and how it is put: in words, one fact a
 * row, or as the cell of a picture. */
#ifndef RUN_PAGE_STATE_H
#define RUN_PAGE_STATE_H

#include "run/runner.h"

struct page_state {
    uint32_t page; /* guest page or alias (model/model.h) */
    struct view_page view;
    struct view_mapping maps[PROGRAM_CONTAINERS_MAX];
    uint64_t shared_content, private_content;
};

/* As the model has seen it last; the contents are 0. */
struct page_state page_seen(const struct runner *r, uint32_t page);
/* With what the frames hold now. */
struct page_state page_state(const struct runner *r, uint32_t page);
/* The same page, later. Contents are looked at only where they can be others: to find a frame
 * may take long. In tear-down they are what they were: frames go, and nobody reads. */
struct page_state page_state_later(const struct runner *r, const struct page_state *before);

/* attribute, tracker, plugged or not, the two sides, a mapping for each container. */
enum { PAGE_FACTS_MAX = 5 + PROGRAM_CONTAINERS_MAX };

struct page_fact {
    char what[24];  /* "attribute", "c0 maps" */
    char value[48]; /* "shared", "frame 4, read and write" */
};

/* How many there are: the same ones for each page of a region. */
uint32_t page_facts(const struct page_state *s, const struct machine *m,
                    struct page_fact facts[PAGE_FACTS_MAX]);

/* "Ss 4/- >4": attribute, tracker ('.': has none), 'u' when it is unplugged; the frames of its
 * shared and its private side; the frame that each container's devices reach. */
enum { PAGE_CELL_SIZE = 80 };
void page_cell(char buf[PAGE_CELL_SIZE], const struct page_state *s, const struct machine *m);

#endif
