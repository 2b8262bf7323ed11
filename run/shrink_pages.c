/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fewer pages, and all of it at low addresses: whole stretches are cut out of the guest. */
#include "program/edit.h"
#include "run/shrink_internal.h"

/* What was too much for a limit still is, with fewer pages, when the limit is lower. */
static bool lower_limits(struct machine *m, uint32_t pages)
{
    bool any = m->memlock_pages > pages;

    m->memlock_pages -= any ? pages : 0;
    for (uint32_t i = 0; i < m->n_containers; i++) {
        uint32_t *limit = &m->containers[i].entry_limit;

        if (*limit == PROGRAM_ENTRIES_DEFAULT || *limit <= pages)
            continue;
        *limit -= pages;
        any = true;
    }
    return any;
}

static bool without_pages(struct shrinker *s, uint32_t region, uint32_t first, uint32_t n)
{
    struct program *p = shrink_begin(s);

    if (!p)
        return false;
    program_drop_pages(p, region, first, n);
    if (shrink_try_faults(s))
        return true;
    p = shrink_begin(s);
    if (!p || !lower_limits(&p->machine, n))
        return false;
    program_drop_pages(p, region, first, n);
    return shrink_try_faults(s);
}

/* Stretches of `chunk` pages, from the end. */
static bool drop_stretches(struct shrinker *s, uint32_t region, uint32_t chunk)
{
    uint32_t end = s->best.machine.regions[region].n_pages;
    bool any = false;

    while (end >= chunk && !shrink_over(s)) {
        if (!without_pages(s, region, end - chunk, chunk)) {
            end -= chunk;
            continue;
        }
        any = true;
        if (region >= s->best.machine.n_regions)
            break;
        end = end > chunk ? end - chunk : 0;
        if (end > s->best.machine.regions[region].n_pages)
            end = s->best.machine.regions[region].n_pages;
    }
    return any;
}

static bool drop_pages_of(struct shrinker *s, uint32_t region)
{
    uint32_t chunk = 1;
    bool any = false;

    while (chunk < s->best.machine.regions[region].n_pages)
        chunk *= 2;
    for (; chunk > 0 && region < s->best.machine.n_regions; chunk /= 2)
        any |= drop_stretches(s, region, chunk);
    return any;
}

/* The first address from `from` on that a section shows, and where that one ends. */
static bool next_section(const struct machine *m, uint64_t from, uint64_t *start, uint64_t *end)
{
    bool found = false;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *d = &m->sections[i];

        if (d->gpa_page < from || (found && d->gpa_page >= *start))
            continue;
        found = true;
        *start = d->gpa_page;
        *end = d->gpa_page + d->n_pages;
    }
    return found;
}

/* All of a gap, or all but a page of it. */
static bool close_gap(struct shrinker *s, uint64_t at, uint64_t n)
{
    for (uint64_t left = 0; left < 2 && left < n; left++) {
        struct program *p = shrink_begin(s);

        if (!p)
            return false;
        program_drop_gap(p, at, n - left);
        if (shrink_try_faults(s))
            return true;
    }
    return false;
}

static bool close_gaps(struct shrinker *s)
{
    uint64_t at = 0, start = 0, end = 0;
    bool any = false;

    while (next_section(&s->best.machine, at, &start, &end)) {
        if (start > at && close_gap(s, at, start - at)) {
            any = true;
            if (!next_section(&s->best.machine, at, &start, &end))
                break;
        }
        at = end;
    }
    return any;
}

bool shrink_pages(struct shrinker *s)
{
    bool any = false;

    for (uint32_t region = s->best.machine.n_regions; region-- > 0;)
        if (region < s->best.machine.n_regions)
            any |= drop_pages_of(s, region);
    return close_gaps(s) || any;
}
