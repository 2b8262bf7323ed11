/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversions between private and shared, the heart of it. core/vmm.h says what a conversion
 * promises; this is how: validate all, reserve all, change and notify, commit, drop.
 *
 * The tracker does not change before commit, so all through a request and its undo the pages
 * that it changes are those in its range whose tracker bit is not yet what is wanted. Nothing
 * needs to be remembered for an undo, and nothing is allocated in one.
 */
#ifndef CORE_CONVERT_H
#define CORE_CONVERT_H

#include "core/ram_block.h"

/* One request over what it touches of one section. Pages of the block. */
struct convert_part {
    struct ram_block *block;
    uint64_t gpa;                  /* of page `first` */
    uint64_t first, end;           /* what was asked for */
    uint64_t hull_first, hull_end; /* what changes lies in here */
    uint64_t n_runs;               /* ... in so many runs; 0: nothing changes */
    bool drop_at_once;             /* one run, and no debt in the block: see commit */
};

enum { CONVERT_PARTS_INSIDE = 4 };

struct convert {
    struct vmm *vmm;
    uint64_t gpa, size;
    bool to_private;
    bool refused;              /* by the decision table */
    uint32_t n_touched;        /* parts whose attributes the kernel may have changed */
    struct ram_block *blocked; /* in place: where the kernel would not, or NULL */
    uint64_t blocked_page;
    bool populate_tried;             /* listeners were asked to map */
    uint64_t change_gpa, change_end; /* hull of all that changes */
    struct convert_part *parts;      /* ascending GPA */
    uint32_t n_parts;
    struct convert_part parts_inside[CONVERT_PARTS_INSIDE];
};

/* The whole thing. *refused: it was not even tried, and never will be. */
int convert_request(struct vmm *vmm, uint64_t gpa, uint64_t size, bool to_private,
                    bool *refused);

/* Are the listeners told before the attribute is set? */
bool convert_unmaps_first(const struct convert *c);

/* ---- core/convert_plan.c ---- */
/* The decision table, and the parts. The machine lock is held. */
int convert_plan(struct convert *c);
void convert_plan_free(struct convert *c);
/* Locks the blocks, ascending; the machine lock is held. */
void convert_lock(struct convert *c);
void convert_unlock(struct convert *c);
/* Finds out what changes. False: nothing. */
bool convert_scan(struct convert *c);

/* Calls fn for each run of pages that change. Without `goes_on` it stops at the first error;
 * the first error is returned either way. */
typedef int convert_fn(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end);
int convert_each(struct convert *c, convert_fn *fn, bool goes_on);

/* ---- core/convert_undo.c ---- */
/* Puts everything back; the tracker was not changed yet. 0, or the VM has to be stopped. */
int convert_undo(struct convert *c);

#endif
