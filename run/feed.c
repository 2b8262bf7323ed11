/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/feed.h"

#include <assert.h>
#include <string.h>

#include "run/hash.h"

enum {
    CHANGES_MAX = 64,
    /* Up to this many tracker words are compared after every host call, more than that only
     * when an op has ended. */
    TRACKER_WORDS_EACH_CALL = 16,
};

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
    r->n_words = word;
    r->tracker = sim_world_memory(r->world, (word + 1) * sizeof(*r->tracker));
    return r->tracker != NULL;
}

static bool tracker_bit(const struct runner *r, uint32_t region, uint32_t page)
{
    return r->tracker[r->region_word[region] + page / 64] >> (page % 64) & 1;
}

static void see_page(struct runner *r, uint32_t region, uint32_t page_in_region,
                     uint64_t gpa_page)
{
    struct observe_page truth;
    struct view_page seen;
    uint32_t page = r->region_page[region] + page_in_region;

    r->observe->page(r->observe->ctx, gpa_page, &truth);
    seen = (struct view_page){
        .shared_frame = truth.shared_frame,
        .private_frame = truth.private_frame,
        .is_private = truth.is_private,
        .is_populated = tracker_bit(r, region, page_in_region),
    };
    r->hash = hash_words(
        r->hash,
        (uint64_t[]){page | (uint64_t)seen.is_private << 32 | (uint64_t)seen.is_populated << 33,
                     seen.shared_frame | (uint64_t)seen.private_frame << 32},
        2);
    model_see_page(r->model, page, &seen);
}

static void see_mapping(struct runner *r, uint32_t container, uint64_t iova_page)
{
    struct observe_mapping truth;
    struct view_mapping seen;
    uint32_t page = model_page_at(r->model, iova_page);

    r->observe->mapping(r->observe->ctx, container, iova_page, &truth);
    seen = (struct view_mapping){.frame = truth.frame, .access = truth.access};
    r->hash = hash_words(r->hash,
                         (uint64_t[]){page | (uint64_t)container << 32,
                                      seen.frame | (uint64_t)seen.access << 32},
                         2);
    model_see_mapping(r->model, container, page, &seen);
}

/* Sections are few and ranges small: the intersections cost less than an index would. */
static void gpa_changed(struct runner *r, uint64_t first, uint64_t n)
{
    const struct machine *m = &r->program->machine;
    uint64_t end = first + n;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];
        uint64_t from = first > s->gpa_page ? first : s->gpa_page;
        uint64_t to = end < s->gpa_page + s->n_pages ? end : s->gpa_page + s->n_pages;

        for (uint64_t page = from; page < to; page++)
            see_page(r, s->region, s->first_page + (uint32_t)(page - s->gpa_page), page);
    }
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
static bool word_changed(struct runner *r, uint32_t region, uint32_t word, uint64_t now)
{
    const struct machine *m = &r->program->machine;
    uint64_t *last = &r->tracker[r->region_word[region] + word];
    uint64_t changed = *last ^ now, page_size = machine_page_size(m);

    *last = now;
    for (; changed != 0; changed &= changed - 1) {
        uint32_t page = word * 64 + (uint32_t)__builtin_ctzll(changed);
        uint64_t gpa = machine_gpa(m, region, page * page_size);
        struct view_page seen = {.is_populated = tracker_bit(r, region, page)};

        if (gpa != UINT64_MAX)
            see_page(r, region, page, gpa / page_size);
        else
            model_see_page(r->model, r->region_page[region] + page, &seen);
    }
    return true;
}

static bool tracker_changed(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    bool any = false;

    for (uint32_t i = 0; i < m->n_regions; i++) {
        uint32_t n_pages = m->regions[i].n_pages;

        if (!m->regions[i].guest_memfd)
            continue;
        for (uint32_t first = 0; first < n_pages; first += 64) {
            uint32_t n = n_pages - first < 64 ? n_pages - first : 64;
            uint64_t now = 0;

            r->subject->populated_bits(r->state, i, first, n, &now);
            if (now != r->tracker[r->region_word[i] + first / 64])
                any |= word_changed(r, i, first / 64, now);
        }
    }
    return any;
}

static void see_containers(struct runner *r)
{
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++) {
        struct observe_container truth;

        r->observe->container(r->observe->ctx, i, &truth);
        model_see_container(r->model, i,
                            &(struct view_container){.open = truth.open,
                                                     .entries = truth.entries,
                                                     .entry_limit = truth.entry_limit,
                                                     .mapped_pages = truth.mapped_pages,
                                                     .pins = truth.pins});
    }
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
    if (r->state)
        tracker_changed(r);
    everything_changed(r);
    see_containers(r);
    see_totals(r);
}

bool feed_changes(struct runner *r)
{
    struct observe_change changes[CHANGES_MAX];
    uint32_t n = r->observe->changes(r->observe->ctx, changes, CHANGES_MAX);
    bool any = n > 0;

    /* The subject answers questions only between build and destroy. */
    if (r->state && (r->n_words <= TRACKER_WORDS_EACH_CALL || !r->in_op))
        any |= tracker_changed(r);
    if (!any && r->in_op)
        return false;
    if (n > CHANGES_MAX)
        everything_changed(r);
    else
        for (uint32_t i = 0; i < n; i++) {
            if (changes[i].is_iova)
                iova_changed(r, changes[i].container, changes[i].first, changes[i].n_pages);
            else
                gpa_changed(r, changes[i].first, changes[i].n_pages);
        }
    see_containers(r);
    see_totals(r);
    return true;
}
