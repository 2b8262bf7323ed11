/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told what: listeners, and the walks over them. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/discard_manager.h"

void discard_manager_init(struct discard_manager *m, const struct host *host,
                          enum vmm_tracker tracker, uint64_t n_pages)
{
    assert(n_pages > 0);
    *m = (struct discard_manager){.host = host, .tracker = tracker, .n_pages = n_pages};
    m->last = &m->listeners;
}

/* Takes forgotten listeners off the list; no callback is in work. */
static void sweep(struct discard_manager *m)
{
    struct discard_listener **link = &m->listeners;

    assert(m->depth == 0);
    while (*link) {
        struct discard_listener *l = *link;

        if (!l->gone) {
            link = &l->next;
            continue;
        }
        *link = l->next;
        l->next = NULL;
        m->n_gone--;
        if (l->forgotten)
            l->forgotten(l);
    }
    m->last = link;
    assert(m->n_gone == 0);
}

static int call(struct discard_manager *m, struct discard_listener *l, enum discard_event e,
                uint64_t first, uint64_t end)
{
    assert(!l->gone && first < end && first >= l->first && end <= l->end);
    m->depth++;
    int rc = l->event(l, e, first, end);
    m->depth--;
    return rc;
}

/* Forgotten listeners stay linked while a walk looks at the list, so its caller sweeps. */
static int leave(struct discard_manager *m, int rc)
{
    if (m->n_gone && m->depth == 0)
        sweep(m);
    return rc;
}

/* Must every listener and run be visited, whatever fails on the way? */
static bool goes_on(enum discard_event e)
{
    return e == DISCARD_RELEASE || e == DISCARD_UNDO_POPULATE || e == DISCARD_UNDO_DISCARD;
}

/* Tells one listener about the runs of its part of the range. */
static int tell(struct discard_manager *m, struct discard_listener *l, discard_next_fn *next,
                const struct discard_source *source, enum discard_event e, uint64_t first,
                uint64_t end)
{
    uint64_t stop = end < l->end ? end : l->end;
    uint64_t pos = first > l->first ? first : l->first;
    uint64_t run_first, run_end;
    int error = 0;

    if (e == DISCARD_RELEASE)
        return call(m, l, e, pos, stop);
    while (pos < stop && !l->gone && next(m, source, pos, stop, &run_first, &run_end)) {
        int rc = call(m, l, e, run_first, run_end);

        error = error ? error : rc;
        if (error && !goes_on(e))
            break;
        pos = run_end;
    }
    return error;
}

int discard_tell_all(struct discard_manager *m, discard_next_fn *next,
                     const struct discard_source *source, enum discard_event e, uint64_t first,
                     uint64_t end)
{
    int error = 0;

    assert(first < end && end <= m->n_pages);
    assert(m->depth == 0); /* a listener's callback changes no page of the block */
    for (struct discard_listener *l = m->listeners; l; l = l->next) {
        if (l->end <= first || l->first >= end || l->gone)
            continue;
        int rc = tell(m, l, next, source, e, first, end);

        error = error ? error : rc;
        if (error && !goes_on(e))
            break;
    }
    return leave(m, error);
}

int discard_manager_notify(struct discard_manager *m, const struct discard_source *from,
                           enum discard_event e, uint64_t first, uint64_t end)
{
    int rc = e == DISCARD_RESERVE ? discard_aggregate_reserve(m, from, first, end) : 0;

    if (e == DISCARD_RELEASE && m->n_sources > 1)
        page_map_release(&m->aggregate);
    return rc ? rc : discard_tell_all(m, discard_next_of_others, from, e, first, end);
}

int discard_manager_replay(struct discard_manager *m, struct discard_listener *l,
                           enum discard_event e, uint64_t first, uint64_t end)
{
    assert(l->first < l->end && l->end <= m->n_pages);
    return leave(m, tell(m, l, discard_next_of_all, NULL, e, first, end));
}

bool discard_manager_hears(const struct discard_manager *m, uint64_t first, uint64_t end)
{
    assert(first < end);
    for (const struct discard_listener *l = m->listeners; l; l = l->next)
        if (l->first < end && first < l->end && !l->gone)
            return true;
    return false;
}

int discard_manager_register(struct discard_manager *m, struct discard_listener *l,
                             int *undo_error)
{
    *undo_error = 0;
    assert(l->event && !l->next && l->first < l->end && l->end <= m->n_pages);
    if (m->depth || (m->n_sources && l->granularity > discard_manager_granularity(m)))
        return -EBUSY;
    l->gone = false;
    int rc = discard_manager_replay(m, l, DISCARD_RESERVE, l->first, l->end);

    if (!rc) {
        rc = discard_manager_replay(m, l, DISCARD_POPULATE, l->first, l->end);
        if (rc)
            *undo_error = call(m, l, DISCARD_UNDO_POPULATE, l->first, l->end);
    }
    (void)call(m, l, DISCARD_RELEASE, l->first, l->end);
    if (rc)
        return leave(m, rc);
    *m->last = l;
    m->last = &l->next;
    return 0;
}

int discard_manager_withdraw(struct discard_manager *m, struct discard_listener *l)
{
    assert(m->listeners && l->first < l->end);
    return leave(m, call(m, l, DISCARD_DISCARD, l->first, l->end));
}

int discard_manager_restore(struct discard_manager *m, struct discard_listener *l)
{
    assert(m->listeners && !l->gone);
    return discard_manager_replay(m, l, DISCARD_UNDO_DISCARD, l->first, l->end);
}

void discard_manager_forget(struct discard_manager *m, struct discard_listener *l)
{
    assert(m->listeners && !l->gone);
    if (m->depth)
        (void)call(m, l, DISCARD_RELEASE, l->first, l->end);
    l->gone = true;
    m->n_gone++;
    (void)leave(m, 0);
}
