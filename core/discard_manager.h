/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RamDiscardManager: tells listeners which pages of one RAM block they may use (populated) and
 * which not (discarded). What is populated is said by sources: the block's attributes
 * (shared), virtio-mem (plugged), any other. A page is populated when all sources say so, and
 * all pages are when there is none.
 *
 * Units: pages of the block; ranges are [first, end). The caller holds the block's lock.
 * Runs that listeners and callbacks get are maximal, ascending, and cut to the range asked for.
 *
 * How a source changes pages (behaviour.md 1.6, but for the undo, which is the caller's here
 * because a request may span blocks):
 *   1. notify RESERVE for each run of pages that it is about to change, then POPULATE or
 *      DISCARD. Its own answer is still the old one, and is not asked for: only runs that all
 *      other sources call populated reach the listeners.
 *   2. On failure: notify UNDO_... for the same runs, then RELEASE.
 *   3. On success: it changes its answer and calls discard_manager_commit for each run, in
 *      either order; then RELEASE.
 * Nothing allocates after RESERVE.
 *
 * The manager keeps the aggregate: with one source that is the source's own answer, with more
 * a page_map that commit keeps up to date. So questions and replay cost O(runs) of the answer,
 * however many sources and pages there are.
 *
 * In a callback of a listener (event): withdraw, restore and forget may be called for any
 * registered listener, this one too; register and add/remove of a source are refused with
 * -EBUSY, for the newcomer would miss the rest of what is going on.
 */
#ifndef CORE_DISCARD_MANAGER_H
#define CORE_DISCARD_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/page_map.h"

struct discard_source {
    /* The first run of pages that it calls populated in the range, cut to it; maximal. False:
     * none. */
    bool (*next_populated)(const struct discard_source *source, uint64_t first, uint64_t end,
                           uint64_t *run_first, uint64_t *run_end);
    uint64_t granularity; /* its answer is one for whole blocks of so many pages; not 0 */
    struct discard_source *next;
};

/* What happens to pages; each call gets a range inside the listener's own range. A listener
 * takes ranges of any size, whatever it was populated in, and a discard of what it has not
 * got. */
enum discard_event {
    DISCARD_RESERVE,       /* memory for what may happen to this run, undo and all; may fail */
    DISCARD_RELEASE,       /* all that it has reserved is free again, wherever; cannot fail */
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
    /* Relies on changes in whole blocks of so many pages; 0: on nothing. */
    uint64_t granularity;
    /* Optional: from here on the manager does not touch it, and it may be freed. Where it was
     * forgotten in a callback that is when the outermost callback has returned. */
    void (*forgotten)(struct discard_listener *l);
    bool gone; /* forgotten in a callback: hears nothing any more */
};

struct discard_manager {
    const struct host *host;
    enum vmm_tracker tracker; /* of the aggregate */
    uint64_t n_pages;
    struct discard_source *sources;
    uint32_t n_sources;
    uint32_t n_gone; /* forgotten listeners that are still on the list */
    uint32_t depth;  /* callbacks in work */
    struct discard_listener *listeners, **last; /* in order of registration */
    struct page_map aggregate; /* what all sources call populated; with 2 sources or more */
};

void discard_manager_init(struct discard_manager *m, const struct host *host,
                          enum vmm_tracker tracker, uint64_t n_pages);

/* In any order with sources and listeners: listeners that are left are discarded their whole
 * range and forgotten; then the sources are let go of, whatever they say. Nothing is populated
 * (behaviour.md 1.6: no source would mean that all is). The sources must still exist. The first
 * error of a listener is returned. */
int discard_manager_destroy(struct discard_manager *m);

/* ---- sources ---- */

/* Adds a source under live listeners: what was populated so far and is not by it is discarded
 * first. -EBUSY: it is there already, a listener relies on coarser blocks than its, or a
 * callback is in work; -ENOMEM; a listener's error. On failure everything is as it was, but
 * when *undo_error tells that even that failed. */
int discard_manager_add_source(struct discard_manager *m, struct discard_source *source,
                               int *undo_error);

/* The other way round: what this source alone held back is populated first. -ENOENT: no such
 * source; -EBUSY: a callback is in work. On failure all listeners, the failing one too, have
 * let go of it again, and the source stays. Whoever tears the block down wants
 * discard_manager_destroy and not this: without its sources all memory is populated. */
int discard_manager_remove_source(struct discard_manager *m, struct discard_source *source,
                                  int *undo_error);

/* Pages that change together: the smallest granularity of a source; 0 without one. */
uint64_t discard_manager_granularity(const struct discard_manager *m);

/* Tells every listener, in order of registration, about its part of the range. RESERVE,
 * POPULATE and DISCARD stop at the first error, and the caller has to undo: RELEASE and the
 * UNDO events go to every listener whatever happens, the one that failed and those never
 * reached included (a listener knows what it has). The first error is returned. */
int discard_manager_notify(struct discard_manager *m, const struct discard_source *from,
                           enum discard_event e, uint64_t first, uint64_t end);

/* The source's answer for these pages is `populated` from now on: before or after it changes
 * its own. Never fails; room was reserved by notify RESERVE over the same pages. */
void discard_manager_commit(struct discard_manager *m, const struct discard_source *from,
                            uint64_t first, uint64_t end, bool populated);

/* ---- questions ---- */

/* The first run of pages that all sources call populated, or not. False: none. */
bool discard_manager_next_run(const struct discard_manager *m, uint64_t first, uint64_t end,
                              bool populated, uint64_t *run_first, uint64_t *run_end);

/* Do all sources call every page of the range populated? */
bool discard_manager_is_populated(const struct discard_manager *m, uint64_t first,
                                  uint64_t end);

/* Calls fn for each run that is populated, or discarded. Stops at the first error and returns
 * it. */
typedef int discard_replay_fn(void *opaque, uint64_t first, uint64_t end);
int discard_manager_replay_runs(const struct discard_manager *m, uint64_t first, uint64_t end,
                                bool populated, discard_replay_fn *fn, void *opaque);

/* Does some listener listen to a page of the range? */
bool discard_manager_hears(const struct discard_manager *m, uint64_t first, uint64_t end);

/* ---- listeners ---- */

/* One event for one listener, over the runs that are populated. */
int discard_manager_replay(struct discard_manager *m, struct discard_listener *l,
                           enum discard_event e, uint64_t first, uint64_t end);

/* Reserves, then populates the listener with what is populated now. On failure it has nothing
 * and is not registered; *undo_error tells that letting go failed as well. -EBUSY: a callback
 * is in work, or its granularity is above the manager's. */
int discard_manager_register(struct discard_manager *m, struct discard_listener *l,
                             int *undo_error);

/* Unregistering goes in steps, so that several listeners can go together or not at all:
 * withdraw takes away what the listener has, in one discard of its whole range; restore gives
 * it back (after a withdraw that failed, too); forget takes it off the list without a call,
 * but for a RELEASE when a request is in work. */
int discard_manager_withdraw(struct discard_manager *m, struct discard_listener *l);
int discard_manager_restore(struct discard_manager *m, struct discard_listener *l);
void discard_manager_forget(struct discard_manager *m, struct discard_listener *l);

/* ---- for the manager itself: core/discard_runs.c, core/discard_source.c ---- */

/* Which runs of a range: the first that ... false: none. `source` is the one in question. */
typedef bool discard_next_fn(const struct discard_manager *m,
                             const struct discard_source *source, uint64_t first, uint64_t end,
                             uint64_t *run_first, uint64_t *run_end);
discard_next_fn discard_next_of_all;    /* all sources call populated */
discard_next_fn discard_next_of_others; /* all but `source` */
discard_next_fn discard_next_held_back; /* all but `source`, which need not be on the list */

/* One event for every listener, over such runs of its part of the range. */
int discard_tell_all(struct discard_manager *m, discard_next_fn *next,
                     const struct discard_source *source, enum discard_event e, uint64_t first,
                     uint64_t end);

/* Room in the aggregate for whatever becomes of these pages; RELEASE ends it. */
int discard_aggregate_reserve(struct discard_manager *m, const struct discard_source *from,
                              uint64_t first, uint64_t end);
/* A source is about to come or go: what can fail of that; and how it ended. Both are called
 * while it is (still or not yet) off or on the list. */
int discard_aggregate_prepare(struct discard_manager *m, const struct discard_source *source,
                              bool add);
void discard_aggregate_finish(struct discard_manager *m, const struct discard_source *source,
                              bool add, bool done);

#endif
