/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources come and go, under live listeners. The aggregate, the reservations and the listeners
 * are changed first, the list last, so a failure leaves the list as it was.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/discard_manager.h"

static struct discard_source **find(struct discard_manager *m,
                                    const struct discard_source *source)
{
    struct discard_source **link = &m->sources;

    while (*link && *link != source)
        link = &(*link)->next;
    return link;
}

/* Tells all listeners about the pages that only this source holds back. */
static int tell(struct discard_manager *m, const struct discard_source *source,
                enum discard_event e)
{
    return discard_tell_all(m, discard_next_held_back, source, e, 0, m->n_pages);
}

/* All that can fail of a change; what failed is undone for every listener. */
static int change(struct discard_manager *m, const struct discard_source *source, bool add,
                  int *undo_error)
{
    int rc = discard_aggregate_prepare(m, source, add);

    if (rc)
        return rc;
    rc = tell(m, source, DISCARD_RESERVE);
    if (!rc) {
        rc = tell(m, source, add ? DISCARD_DISCARD : DISCARD_POPULATE);
        if (rc)
            *undo_error = tell(m, source, add ? DISCARD_UNDO_DISCARD : DISCARD_UNDO_POPULATE);
    }
    (void)tell(m, source, DISCARD_RELEASE);
    discard_aggregate_finish(m, source, add, rc == 0);
    return rc;
}

/* A listener that relies on coarser blocks than these would be told of parts of them. */
static bool is_too_fine(const struct discard_manager *m, const struct discard_source *source)
{
    for (const struct discard_listener *l = m->listeners; l; l = l->next)
        if (l->granularity > source->granularity)
            return true;
    return false;
}

int discard_manager_add_source(struct discard_manager *m, struct discard_source *source,
                               int *undo_error)
{
    struct discard_source **last = find(m, source);

    *undo_error = 0;
    assert(source->granularity > 0);
    if (*last || m->depth || is_too_fine(m, source))
        return -EBUSY;
    assert(!source->next);
    int rc = change(m, source, true, undo_error);
    if (rc)
        return rc;
    *last = source;
    m->n_sources++;
    return 0;
}

int discard_manager_remove_source(struct discard_manager *m, struct discard_source *source,
                                  int *undo_error)
{
    struct discard_source **link = find(m, source);

    *undo_error = 0;
    if (!*link)
        return -ENOENT;
    if (m->depth)
        return -EBUSY;
    int rc = change(m, source, false, undo_error);
    if (rc)
        return rc;
    *link = source->next;
    source->next = NULL;
    m->n_sources--;
    return 0;
}

int discard_manager_destroy(struct discard_manager *m)
{
    int error = 0;

    assert(m->depth == 0);
    while (m->listeners) {
        struct discard_listener *l = m->listeners;
        int rc = discard_manager_withdraw(m, l);

        error = error ? error : rc;
        if (m->listeners == l) /* else it has forgotten itself */
            discard_manager_forget(m, l);
    }
    if (m->n_sources > 1)
        page_map_destroy(&m->aggregate, m->host);
    while (m->sources) {
        struct discard_source *s = m->sources;

        m->sources = s->next;
        s->next = NULL;
    }
    return error;
}
