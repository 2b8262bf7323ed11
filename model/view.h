/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the oracle sees: what is true (sim/observe.h) and what the subject says, put side by
 * side by run/ and numbered the way the program numbers things. Guest pages: through all
 * regions, machine_first_page(). The model owns no pointer into the core or the mock kernel.
 */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "program/op.h"

/* One guest page as it is now. K, T, SF, PF of design.md section 6. */
struct view_page {
    uint32_t shared_frame;  /* SF, 0: none */
    uint32_t private_frame; /* PF, 0: none */
    uint8_t is_private;     /* K: the kernel's attribute */
    uint8_t is_populated;   /* T: the subject's tracker, 1 = shared */
    uint8_t is_plugged;     /* 1, but where virtio-mem says no */
};

/* What the kernel says of a page: the rest of its view_page is the subject's word. (The frames
 * lie apart so that they are copied one by one, as they came: two stores are slow to load as
 * one.) */
struct view_truth {
    uint32_t shared_frame;
    bool is_private;
    uint32_t private_frame;
};

/* One guest page as a container's device sees it at IOVA = GPA. M of design.md section 6. */
struct view_mapping {
    uint32_t frame; /* 0: not mapped */
    uint8_t access; /* 1 read, 2 write */
    bool head;      /* the first page of a mapping of the kernel's: how it is cut */
};

struct view_container {
    bool open;
    uint32_t entries;
    uint32_t entry_limit;
    uint64_t mapped_pages; /* in all, strays included */
    uint64_t pins;
};

struct view_totals {
    uint64_t pins;
    uint64_t locked_pages;
    uint64_t memlock_pages;
    uint32_t fds, vmas, frames, allocations;
};

#endif
