/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's own record of what it has mapped, mapping by mapping, since only whole mappings
 * can be unmapped. The kernel cannot be asked, and its answers do not always tell; the ledger
 * says how many bytes an unmap must give back, what it would cut, how many of the container's
 * entries are in use and what an undo has to do.
 *
 * Kept as runs of IOVA pages in a tree: a run is one mapping of several pages, or pages in a
 * row of which each is a mapping of its own (so that mapping=page costs a run for a stretch,
 * not for a page). What is asked for one place costs O(log runs).
 *
 * Room is reserved before anything is changed, so that adding and removing never fail. A
 * holder of a reservation of k may make the ledger grow by k runs at most.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/host.h"
#include "core/run_tree.h"

struct ledger_run {
    uint64_t first, end; /* pages, [first, end) */
    bool whole;          /* one mapping; else each page is one */
    bool doubtful;       /* nobody knows whether the kernel still has it */
};

struct ledger {
    struct run_tree tree;
    uint32_t reserved; /* over all holders */
    uint64_t n_pages;
    uint64_t n_mappings;
};

/* Room for `more` runs, until ledger_release. 0 or -ENOMEM (nothing reserved). */
int ledger_reserve(struct ledger *l, const struct host *host, uint32_t more);
void ledger_release(struct ledger *l, uint32_t less);

/* One mapping of [first, end): none of it recorded before. */
void ledger_add(struct ledger *l, uint64_t first, uint64_t end);
/* Whatever of [first, end) is recorded is forgotten: whole mappings only. */
void ledger_remove(struct ledger *l, uint64_t first, uint64_t end);
/* The mapping that page - 1 and page lie in becomes two; nothing where there is no such one. */
void ledger_cut(struct ledger *l, uint64_t page);

/* An unmap of [first, end) left the kernel in a state that nobody knows. The mappings stay
 * recorded, for an undo that maps them once more must name the same bounds, but as doubtful.
 * Takes up to two runs. */
void ledger_doubt(struct ledger *l, uint64_t first, uint64_t end);
/* The mapping that begins at `first`, doubtful so far, is there for certain. */
void ledger_trust(struct ledger *l, uint64_t first);
/* The first doubtful mapping that reaches into [first, end). False: none. */
bool ledger_next_doubt(const struct ledger *l, uint64_t first, uint64_t end,
                       uint64_t *mapping_first, uint64_t *mapping_end);

/* Pages of [first, end) that are recorded. */
uint64_t ledger_count(const struct ledger *l, uint64_t first, uint64_t end);
/* The mapping that `page` lies in. False: none. */
bool ledger_find(const struct ledger *l, uint64_t page, uint64_t *mapping_first,
                 uint64_t *mapping_end);
/* The first stretch of [first, end) that is not recorded, cut to the range. False: none. */
bool ledger_next_gap(const struct ledger *l, uint64_t first, uint64_t end, uint64_t *gap_first,
                     uint64_t *gap_end);

/* The first run that ends after `page`. False: none. */
bool ledger_next(const struct ledger *l, uint64_t page, struct ledger_run *run);

/* Forgets everything; keeps reservations and memory. */
void ledger_clear(struct ledger *l);
void ledger_destroy(struct ledger *l, const struct host *host);

#endif
