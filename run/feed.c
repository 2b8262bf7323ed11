/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/feed.h"

#include <assert.h>
#include <string.h>

#include "run/hash.h"

enum { CHANGES_MAX = 64, SEE_AT_ONCE = 32 };

#define ALL_REGIONS UINT32_MAX

bool feed_prepare(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    uint32_t word = 0, page = 0;

    for (uint32_t i = 0; i < m->n_regions; i++) {
        r->region_word[i] = word;
        r->region_page[i] = page;
        word += (m->regions[i].n_pages + 63) / 64;
        page += m->regions[i].n_pages;
    }
    r->region_word[m->n_regions] = word;
    r->region_page[m->n_regions] = page;
    r->tracker = sim_world_memory(r->world, (word + 1) * sizeof(*r->tracker));
    return r->tracker != NULL;
}

static bool tracker_bit(const struct runner *r, uint32_t region, uint32_t page)
{
    return r->tracker[r->region_word[region] + page / 64] >> (page % 64) & 1;
}

static bool same_page(const struct view_page *a, const struct view_page *b)
{
    return a->shared_frame == b->shared_frame && a->private_frame == b->private_frame &&
           a->is_private == b->is_private && a->is_populated == b->is_populated;
}

/* Tells the model about a page, if there is anything new. */
static void see_page(struct runner *r, uint32_t page, const struct view_page *seen)
{
    if (same_page(model_page(r->model, page), seen))
        return;
    r->hash = hash_words(r->hash,
                         (uint64_t[]){page | (uint64_t)seen->is_private << 32 |
                                          (uint64_t)seen->is_populated << 33,
                                      seen->shared_frame | (uint64_t)seen->private_frame << 32},
                         2);
    model_see_page(r->model, page, seen);
}

static void see_mapping(struct runner *r, uint32_t container, uint64_t iova_page)
{
    struct observe_mapping truth;
    uint32_t page = model_page_at(r->model, iova_page);
    const struct view_mapping *last = model_mapping(r->model, container, page);
    struct view_mapping seen;

    r->observe->mapping(r->observe->ctx, container, iova_page, &truth);
    seen = (struct view_mapping){.frame = truth.frame, .access = truth.access};
    if (seen.frame == last->frame && seen.access == last->access)
        return;
    r->hash = hash_words(r->hash,
                         (uint64_t[]){page | (uint64_t)container << 32,
                                      seen.frame | (uint64_t)seen.access << 32},
                         2);
    model_see_mapping(r->model, container, page, &seen);
}

/* Guest pages [from, to), all inside one section. */
static void see_pages(struct runner *r, const struct section_decl *s, uint64_t from,
                      uint64_t to)
{
    struct observe_page truth[SEE_AT_ONCE];

    while (from < to) {
        uint32_t n = to - from < SEE_AT_ONCE ? (uint32_t)(to - from) : SEE_AT_ONCE;
        uint32_t first = s->first_page + (uint32_t)(from - s->gpa_page);

        r->observe->pages(r->observe->ctx, from, n, truth);
        for (uint32_t i = 0; i < n; i++) {
            struct view_page seen = {
                .shared_frame = truth[i].shared_frame,
                .private_frame = truth[i].private_frame,
                .is_private = truth[i].is_private,
                .is_populated = tracker_bit(r, s->region, first + i),
            };

            see_page(r, model_page_at(r->model, from + i), &seen);
        }
        from += n;
    }
}

/* Sections are few and ranges small: the intersections cost less than an index would. Returns
 * the regions that the range is in, a bit each. */
static uint32_t gpa_changed(struct runner *r, uint64_t first, uint64_t n)
{
    const struct machine *m = &r->program->machine;
    uint64_t end = first + n;
    uint32_t regions = 0;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];
        uint64_t from = first > s->gpa_page ? first : s->gpa_page;
        uint64_t to = end < s->gpa_page + s->n_pages ? end : s->gpa_page + s->n_pages;

        if (from >= to)
            continue;
        see_pages(r, s, from, to);
        regions |= 1u << s->region;
    }
    return regions;
}

static void look_for_strays(struct runner *r, uint32_t container, uint64_t first, uint64_t end)
{
    for (uint64_t page = first;
         r->observe->next_mapped(r->observe->ctx, container, &page) && page < end; page++)
        if (model_page_at(r->model, page) == MODEL_NO_PAGE)
            model_see_stray(r->model, container, page, true);
}

static void iova_changed(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    const struct machine *m = &r->program->machine;
    uint64_t end = first + n, seen = 0;

    if (container >= m->n_containers) {
        model_see_stray(r->model, container, first, true);
        return;
    }
    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];
        uint64_t from = first > s->gpa_page ? first : s->gpa_page;
        uint64_t to = end < s->gpa_page + s->n_pages ? end : s->gpa_page + s->n_pages;

        for (uint64_t page = from; page < to; page++, seen++)
            see_mapping(r, container, page);
    }
    if (seen < n)
        look_for_strays(r, container, first, end);
}

/* Pages of a region whose tracker bit differs from what was last seen. */
static void word_changed(struct runner *r, uint32_t region, uint32_t word, uint64_t now)
{
    uint64_t *last = &r->tracker[r->region_word[region] + word];
    uint64_t changed = *last ^ now;

    *last = now;
    for (; changed != 0; changed &= changed - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(changed);
        uint32_t page = r->region_page[region] + word * 64 + bit;
        struct view_page seen = *model_page(r->model, page);

        seen.is_populated = now >> bit & 1;
        see_page(r, page, &seen);
    }
}

static bool region_tracker_changed(struct runner *r, uint32_t region)
{
    uint32_t n_pages = r->program->machine.regions[region].n_pages;
    bool any = false;

    for (uint32_t first = 0; first < n_pages; first += 64) {
        uint32_t n = n_pages - first < 64 ? n_pages - first : 64;
        uint64_t now = 0;

        r->subject->populated_bits(r->state, region, first, n, &now);
        if (now == r->tracker[r->region_word[region] + first / 64])
            continue;
        word_changed(r, region, first / 64, now);
        any = true;
    }
    return any;
}

/* `regions`: a bit each. The subject answers questions only between build and tear-down. */
static bool tracker_changed(struct runner *r, uint32_t regions)
{
    const struct machine *m = &r->program->machine;
    bool any = false;

    for (uint32_t i = 0; r->state && i < m->n_regions; i++)
        if (m->regions[i].guest_memfd && (regions >> i & 1))
            any |= region_tracker_changed(r, i);
    return any;
}

static void see_container(struct runner *r, uint32_t i)
{
    struct observe_container truth;

    r->observe->container(r->observe->ctx, i, &truth);
    model_see_container(r->model, i,
                        &(struct view_container){.open = truth.open,
                                                 .entries = truth.entries,
                                                 .entry_limit = truth.entry_limit,
                                                 .mapped_pages = truth.mapped_pages,
                                                 .pins = truth.pins});
}

static void see_containers(struct runner *r)
{
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++)
        see_container(r, i);
}

static void see_totals(struct runner *r)
{
    struct observe_totals truth;

    r->observe->totals(r->observe->ctx, &truth);
    model_see_totals(r->model, &(struct view_totals){.pins = truth.pins,
                                                     .locked_pages = truth.locked_pages,
                                                     .memlock_pages = truth.memlock_pages,
                                                     .fds = truth.fds,
                                                     .vmas = truth.vmas,
                                                     .frames = truth.frames,
                                                     .allocations = truth.allocations});
}

static void everything_changed(struct runner *r)
{
    const struct machine *m = &r->program->machine;

    gpa_changed(r, 0, UINT64_MAX);
    for (uint32_t i = 0; i < m->n_containers; i++)
        iova_changed(r, i, 0, UINT64_MAX);
}

void feed_all(struct runner *r)
{
    struct observe_change ignored[CHANGES_MAX];

    r->observe->changes(r->observe->ctx, ignored, CHANGES_MAX);
    tracker_changed(r, ALL_REGIONS);
    gpa_changed(r, 0, UINT64_MAX);
    /* Nothing was mapped yet, as far as the model knows. */
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++)
        for (uint64_t page = 0; r->observe->next_mapped(r->observe->ctx, i, &page); page++)
            iova_changed(r, i, page, 1);
    see_containers(r);
    see_totals(r);
}

/* The listed changes: returns the regions touched, a bit each. */
static uint32_t see_changes(struct runner *r, const struct observe_change *changes, uint32_t n)
{
    uint32_t regions = 0;
    bool mapped = false;

    for (uint32_t i = 0; i < n; i++) {
        const struct observe_change *c = &changes[i];

        if (!c->is_iova) {
            regions |= gpa_changed(r, c->first, c->n_pages);
            continue;
        }
        iova_changed(r, c->container, c->first, c->n_pages);
        if (c->container < r->program->machine.n_containers)
            see_container(r, c->container);
        mapped = true;
    }
    if (mapped)
        see_totals(r);
    return regions;
}

/* In tear-down, once every container is closed, there is nothing left that a page could be
 * mapped by: what happens to pages then is nobody's concern but the leak check's. */
static bool nothing_to_protect(struct runner *r)
{
    if (r->state)
        return false;
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++) {
        struct observe_container truth;

        r->observe->container(r->observe->ctx, i, &truth);
        if (truth.open)
            return false;
    }
    return true;
}

bool feed_changes(struct runner *r)
{
    struct observe_change changes[CHANGES_MAX];
    uint32_t n = r->observe->changes(r->observe->ctx, changes, CHANGES_MAX);
    uint32_t regions = 0;
    bool any = n > 0;

    if (n == 0 && r->in_op)
        return false;
    if (nothing_to_protect(r) && r->in_op)
        return false;
    if (n > CHANGES_MAX) {
        everything_changed(r);
        see_containers(r);
        see_totals(r);
        regions = ALL_REGIONS;
    } else if (n > 0) {
        regions = see_changes(r, changes, n);
    }
    if (!r->in_op) {
        see_containers(r);
        see_totals(r);
        regions = ALL_REGIONS;
    }
    any |= tracker_changed(r, regions);
    return any || !r->in_op;
}
