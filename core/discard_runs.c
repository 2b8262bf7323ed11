/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are populated: the AND over the sources, asked for run by run, and the aggregate
 * that remembers it.
 */
#include <assert.h>
#include <stddef.h>

#include "core/discard_manager.h"

/* Each source moves `first` up or `stop` down until all of them agree. */
bool discard_next_of_others(const struct discard_manager *m,
                            const struct discard_source *source, uint64_t first, uint64_t end,
                            uint64_t *run_first, uint64_t *run_end)
{
    const struct discard_source *s = m->sources;
    uint64_t stop = end, from, to;

    while (s && first < end) {
        if (s == source) {
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

bool discard_next_of_all(const struct discard_manager *m, const struct discard_source *source,
                         uint64_t first, uint64_t end, uint64_t *run_first, uint64_t *run_end)
{
    (void)source;
    if (m->n_sources > 1)
        return page_map_next_run(&m->aggregate, first, end, true, run_first, run_end);
    return discard_next_of_others(m, NULL, first, end, run_first, run_end);
}

/* The first run of [first, end) that the source does not call populated. */
static bool next_gap(const struct discard_source *source, uint64_t first, uint64_t end,
                     uint64_t *run_first, uint64_t *run_end)
{
    uint64_t from, to;

    if (!source->next_populated(source, first, end, &from, &to)) {
        *run_first = first;
        *run_end = end;
        return true;
    }
    if (from == first) {
        if (to == end)
            return false;
        first = to;
        if (!source->next_populated(source, first, end, &from, &to))
            from = end;
    }
    *run_first = first;
    *run_end = from;
    assert(first < from);
    return true;
}

bool discard_next_held_back(const struct discard_manager *m,
                            const struct discard_source *source, uint64_t first, uint64_t end,
                            uint64_t *run_first, uint64_t *run_end)
{
    uint64_t from, to;

    while (first < end && discard_next_of_others(m, source, first, end, &from, &to)) {
        if (next_gap(source, from, to, run_first, run_end))
            return true;
        first = to;
    }
    return false;
}

bool discard_manager_next_run(const struct discard_manager *m, uint64_t first, uint64_t end,
                              bool populated, uint64_t *run_first, uint64_t *run_end)
{
    assert(first < end && end <= m->n_pages);
    if (populated)
        return discard_next_of_all(m, NULL, first, end, run_first, run_end);
    if (m->n_sources > 1)
        return page_map_next_run(&m->aggregate, first, end, false, run_first, run_end);
    return m->n_sources && next_gap(m->sources, first, end, run_first, run_end);
}

bool discard_manager_is_populated(const struct discard_manager *m, uint64_t first, uint64_t end)
{
    uint64_t run_first, run_end;

    return !discard_manager_next_run(m, first, end, false, &run_first, &run_end);
}

int discard_manager_replay_runs(const struct discard_manager *m, uint64_t first, uint64_t end,
                                bool populated, discard_replay_fn *fn, void *opaque)
{
    uint64_t run_first, run_end;
    int rc = 0;

    while (!rc && first < end &&
           discard_manager_next_run(m, first, end, populated, &run_first, &run_end)) {
        rc = fn(opaque, run_first, run_end);
        first = run_end;
    }
    return rc;
}

uint64_t discard_manager_granularity(const struct discard_manager *m)
{
    uint64_t least = 0;

    for (const struct discard_source *s = m->sources; s; s = s->next) {
        assert(s->granularity > 0);
        if (least == 0 || s->granularity < least)
            least = s->granularity;
    }
    return least;
}

/* A run that goes may leave two ends; each run that the others leave may come. */
int discard_aggregate_reserve(struct discard_manager *m, const struct discard_source *from,
                              uint64_t first, uint64_t end)
{
    uint64_t n = 1, run_first;

    if (m->n_sources < 2)
        return 0;
    assert(first < end);
    while (first < end && discard_next_of_others(m, from, first, end, &run_first, &first))
        n++;
    return page_map_reserve(&m->aggregate, m->host, n);
}

void discard_manager_commit(struct discard_manager *m, const struct discard_source *from,
                            uint64_t first, uint64_t end, bool populated)
{
    uint64_t run_first, run_end;

    if (m->n_sources < 2)
        return;
    assert(first < end && end <= m->n_pages);
    if (!populated) {
        page_map_set(&m->aggregate, first, end, false);
        return;
    }
    while (first < end && discard_next_of_others(m, from, first, end, &run_first, &run_end)) {
        page_map_set(&m->aggregate, run_first, run_end, true);
        first = run_end;
    }
}

/* Fills a new aggregate; each run has its own reservation, for the number is not known. */
static int fill(struct discard_manager *m, const struct discard_source *added)
{
    uint64_t pos = 0, first, end, from, to;
    int rc = 0;

    while (!rc && pos < m->n_pages &&
           discard_next_of_others(m, NULL, pos, m->n_pages, &first, &end)) {
        for (pos = end;
             !rc && first < end && added->next_populated(added, first, end, &from, &to);
             first = to) {
            rc = page_map_reserve(&m->aggregate, m->host, 1);
            if (!rc)
                page_map_set(&m->aggregate, from, to, true);
            page_map_release(&m->aggregate);
        }
    }
    return rc;
}

static int make(struct discard_manager *m, const struct discard_source *added)
{
    int rc = page_map_init(&m->aggregate, m->host, m->tracker, m->n_pages);

    if (!rc)
        rc = fill(m, added);
    if (rc)
        page_map_destroy(&m->aggregate, m->host);
    return rc;
}

int discard_aggregate_prepare(struct discard_manager *m, const struct discard_source *source,
                              bool add)
{
    uint64_t pos = 0, first, n = 0;

    if (m->n_sources == 1 && add)
        return make(m, source);
    if (m->n_sources < 2)
        return 0;
    while (pos < m->n_pages && discard_next_held_back(m, source, pos, m->n_pages, &first, &pos))
        n++;
    return page_map_reserve(&m->aggregate, m->host, n);
}

void discard_aggregate_finish(struct discard_manager *m, const struct discard_source *source,
                              bool add, bool done)
{
    uint64_t pos = 0, first, end;

    if (m->n_sources == 1 && add && !done)
        page_map_destroy(&m->aggregate, m->host);
    if (m->n_sources < 2)
        return;
    while (done && pos < m->n_pages &&
           discard_next_held_back(m, source, pos, m->n_pages, &first, &end)) {
        page_map_set(&m->aggregate, first, end, !add);
        pos = end;
    }
    page_map_release(&m->aggregate);
    if (m->n_sources == 2 && !add && done)
        page_map_destroy(&m->aggregate, m->host);
}
