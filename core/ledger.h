/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's own record of what it has mapped: runs of IOVA pages, sorted, disjoint, never
 * touching. The kernel cannot be asked, and its answers do not always tell; the ledger says
 * how many bytes an unmap must give back and what an undo has to do.
 *
 * Room is reserved before anything is changed, so that adding and removing never fail. A
 * holder of a reservation of k may make the ledger grow by k runs at most.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/host.h"

struct ledger_run {
    uint64_t first, end; /* pages, [first, end) */
};

struct ledger {
    struct ledger_run *runs;
    uint32_t n, capacity;
    uint32_t reserved; /* over all holders */
    uint64_t n_pages;
};

/* Room for `more` runs, until ledger_release. 0 or -ENOMEM (nothing reserved). */
int ledger_reserve(struct ledger *l, const struct host *host, uint32_t more);
void ledger_release(struct ledger *l, uint32_t less);

/* [first, end): none of it recorded before, all after. */
void ledger_add(struct ledger *l, uint64_t first, uint64_t end);
/* Whatever of [first, end) is recorded is forgotten. */
void ledger_remove(struct ledger *l, uint64_t first, uint64_t end);

/* Pages of [first, end) that are recorded. */
uint64_t ledger_count(const struct ledger *l, uint64_t first, uint64_t end);
/* The first recorded, or not recorded, run in [first, end), cut to it. False: none. */
bool ledger_next_run(const struct ledger *l, uint64_t first, uint64_t end, bool recorded,
                     uint64_t *run_first, uint64_t *run_end);

/* Forgets everything; keeps reservations and memory. */
void ledger_clear(struct ledger *l);
void ledger_destroy(struct ledger *l, const struct host *host);

#endif
