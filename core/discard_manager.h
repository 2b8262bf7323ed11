/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RamDiscardManager: tells listeners which pages of one RAM block they may use (populated) and
 * which not (discarded). What is populated is said by sources, and a page is populated when
 * all sources say so; today the RAM block attributes (shared) are the only one.
 *
 * Units: pages of the block; ranges are [first, end). The caller holds the block's lock.
 *
 * A source notifies before it changes its own answer, so all through a request and its undo
 * its answer is the old one; the manager leaves the notifying source out when it asks.
 */
#ifndef CORE_DISCARD_MANAGER_H
#define CORE_DISCARD_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

struct discard_source {
    /* The first run of populated pages in the range, cut to it. False: none. */
    bool (*next_populated)(const struct discard_source *source, uint64_t first, uint64_t end,
                           uint64_t *run_first, uint64_t *run_end);
    struct discard_source *next;
};

/* What happens to pages; each call gets a range inside the listener's own range. */
enum discard_event {
    DISCARD_RESERVE,       /* memory for what may happen to this run, undo and all; may fail */
    DISCARD_RELEASE,       /* all that the listener has reserved is free again; cannot fail */
    DISCARD_POPULATE,      /* may fail, and may have done a part then */
    DISCARD_DISCARD,       /* the same */
    DISCARD_UNDO_POPULATE, /* the pages were not populated: let go of what there is */
    DISCARD_UNDO_DISCARD,  /* the pages are populated: take what is missing */
};

struct discard_listener {
    int (*event)(struct discard_listener *l, enum discard_event e, uint64_t first,
                 uint64_t end);
    uint64_t first, end;
    struct discard_listener *next;
};

struct discard_manager {
    struct discard_source *sources;
    struct discard_listener *listeners, **last; /* in order of registration */
};

void discard_manager_init(struct discard_manager *m);
void discard_manager_destroy(struct discard_manager *m); /* no listener may be left */
void discard_manager_add_source(struct discard_manager *m, struct discard_source *source);

/* Tells every listener about its part of the range. RESERVE, POPULATE and DISCARD stop at
 * the first error, and the caller has to undo: RELEASE and the UNDO events go to every
 * listener whatever happens, the one that failed and those never reached included (a listener
 * knows what it has). The first error is returned. */
int discard_manager_notify(struct discard_manager *m, const struct discard_source *from,
                           enum discard_event e, uint64_t first, uint64_t end);

/* notify for one listener, over the runs that all sources but `except` say are populated. */
int discard_manager_replay(struct discard_manager *m, struct discard_listener *l,
                           const struct discard_source *except, enum discard_event e,
                           uint64_t first, uint64_t end);

/* Do all sources call every page of the range populated? */
bool discard_manager_is_populated(const struct discard_manager *m, uint64_t first,
                                  uint64_t end);

/* Does some listener listen to a page of the range? */
bool discard_manager_hears(const struct discard_manager *m, uint64_t first, uint64_t end);

/* Reserves, then populates the listener with what is populated now. On failure it has nothing
 * and is not registered; *undo_error tells that letting go failed as well. */
int discard_manager_register(struct discard_manager *m, struct discard_listener *l,
                             int *undo_error);

/* Unregistering goes in steps, so that several listeners can go together or not at all:
 * withdraw takes away what the listener has; restore gives it back (after a withdraw that
 * failed, too); forget takes it off the list without a call. */
int discard_manager_withdraw(struct discard_manager *m, struct discard_listener *l);
int discard_manager_restore(struct discard_manager *m, struct discard_listener *l);
void discard_manager_forget(struct discard_manager *m, struct discard_listener *l);

#endif
