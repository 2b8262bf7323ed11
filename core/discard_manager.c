/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stddef.h>

#include "core/discard_manager.h"

void discard_manager_init(struct discard_manager *m)
{
    *m = (struct discard_manager){0};
    m->last = &m->listeners;
}

void discard_manager_destroy(struct discard_manager *m)
{
    assert(!m->listeners);
    m->sources = NULL;
}

void discard_manager_add_source(struct discard_manager *m, struct discard_source *source)
{
    assert(!source->next && !m->listeners);
    source->next = m->sources;
    m->sources = source;
}

/* The first run of [first, end) that every source but one calls populated, or a first part of
 * it. Each source moves `first` up or `stop` down until all of them agree. */
static bool next_populated(const struct discard_manager *m, const struct discard_source *except,
                           uint64_t first, uint64_t end, uint64_t *run_first, uint64_t *run_end)
{
    const struct discard_source *s = m->sources;
    uint64_t stop = end, from, to;

    while (s && first < end) {
        if (s == except) {
            s = s->next;
        } else if (!s->next_populated(s, first, stop, &from, &to)) {
            if (stop == end)
                return false;
            first = stop; /* nothing in common so far: all again behind it */
            stop = end;
            s = m->sources;
        } else if (from > first) {
            first = from; /* starts later: ask all again from there */
            stop = end;
            s = m->sources;
        } else {
            stop = to < stop ? to : stop;
            s = s->next;
        }
    }
    *run_first = first;
    *run_end = stop;
    return first < stop;
}

bool discard_manager_is_populated(const struct discard_manager *m, uint64_t first, uint64_t end)
{
    uint64_t run_first, run_end;

    assert(first < end);
    return next_populated(m, NULL, first, end, &run_first, &run_end) && run_first == first &&
           run_end == end;
}

/* Must every listener and run be visited, whatever fails on the way? */
static bool goes_on(enum discard_event e)
{
    return e == DISCARD_RELEASE || e == DISCARD_UNDO_POPULATE || e == DISCARD_UNDO_DISCARD;
}

int discard_manager_replay(struct discard_manager *m, struct discard_listener *l,
                           const struct discard_source *except, enum discard_event e,
                           uint64_t first, uint64_t end)
{
    uint64_t stop = end < l->end ? end : l->end;
    uint64_t pos = first > l->first ? first : l->first;
    uint64_t run_first, run_end;
    int error = 0;

    assert(l->first < l->end);
    while (pos < stop && next_populated(m, except, pos, stop, &run_first, &run_end)) {
        int rc = l->event(l, e, run_first, run_end);

        error = error ? error : rc;
        if (error && !goes_on(e))
            break;
        pos = run_end;
    }
    return error;
}

int discard_manager_notify(struct discard_manager *m, const struct discard_source *from,
                           enum discard_event e, uint64_t first, uint64_t end)
{
    int error = 0;

    assert(first < end && from);
    for (struct discard_listener *l = m->listeners; l; l = l->next) {
        if (l->end <= first || l->first >= end)
            continue;
        int rc = discard_manager_replay(m, l, from, e, first, end);

        error = error ? error : rc;
        if (error && !goes_on(e))
            break;
    }
    return error;
}

bool discard_manager_hears(const struct discard_manager *m, uint64_t first, uint64_t end)
{
    assert(first < end);
    for (const struct discard_listener *l = m->listeners; l; l = l->next)
        if (l->first < end && first < l->end)
            return true;
    return false;
}

int discard_manager_register(struct discard_manager *m, struct discard_listener *l,
                             int *undo_error)
{
    *undo_error = 0;
    assert(l->event && !l->next && l->first < l->end);
    int rc = discard_manager_replay(m, l, NULL, DISCARD_RESERVE, l->first, l->end);

    if (!rc) {
        rc = discard_manager_replay(m, l, NULL, DISCARD_POPULATE, l->first, l->end);
        if (rc)
            *undo_error = l->event(l, DISCARD_UNDO_POPULATE, l->first, l->end);
    }
    (void)l->event(l, DISCARD_RELEASE, l->first, l->end);
    if (rc)
        return rc;
    *m->last = l;
    m->last = &l->next;
    return 0;
}

int discard_manager_withdraw(struct discard_manager *m, struct discard_listener *l)
{
    assert(m->listeners && l->first < l->end);
    (void)m;
    return l->event(l, DISCARD_DISCARD, l->first, l->end);
}

int discard_manager_restore(struct discard_manager *m, struct discard_listener *l)
{
    assert(m->listeners);
    return discard_manager_replay(m, l, NULL, DISCARD_UNDO_DISCARD, l->first, l->end);
}

void discard_manager_forget(struct discard_manager *m, struct discard_listener *l)
{
    struct discard_listener **link = &m->listeners;

    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    if (!*link)
        m->last = link;
    l->next = NULL;
}
