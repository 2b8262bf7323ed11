/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/feed.h"

#include <assert.h>
#include <string.h>

#include "run/hash.h"

enum {
    SEE_AT_ONCE = 32,
    SHORT = 64, /* pages: up to here each is looked up, longer ranges are cut by section */
};

bool feed_prepare(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    uint32_t word = 0, page = 0;

    r->has_virtio_mem = false;
    for (uint32_t i = 0; i < m->n_regions; i++) {
        r->region_word[i] = word;
        r->region_page[i] = page;
        word += (m->regions[i].n_pages + 63) / 64;
        page += m->regions[i].n_pages;
        r->has_virtio_mem |= m->regions[i].virtio_mem_pages != 0;
    }
    r->region_word[m->n_regions] = word;
    r->region_page[m->n_regions] = page;
    r->tracker = sim_world_memory(r->world, (word + 1) * sizeof(*r->tracker));
    r->plugged = sim_world_memory(r->world, (word + 1) * sizeof(*r->plugged));
    r->dirty = sim_world_memory(r->world, page + 1);
    return r->tracker && r->plugged && r->dirty;
}

static void see_mapping(struct runner *r, uint32_t container, uint32_t page, uint64_t iova_page)
{
    const struct view_mapping *last = model_mapping(r->model, container, page);
    struct observe_mapping truth;
    struct view_mapping seen;

    r->observe->mapping(r->observe->ctx, container, iova_page, &truth);
    seen =
        (struct view_mapping){.frame = truth.frame, .access = truth.access, .head = truth.head};
    if (seen.frame == last->frame && seen.access == last->access && seen.head == last->head)
        return;
    r->hash = hash_words(
        r->hash,
        (uint64_t[]){page | (uint64_t)container << 32,
                     seen.frame | (uint64_t)seen.access << 32 | (uint64_t)seen.head << 34},
        2);
    model_see_mapping(r->model, container, page, &seen);
}

/* Guest pages at [first, first + n), numbered in a row from `page` on. */
static void see_row(struct runner *r, uint32_t page, uint64_t first, uint32_t n)
{
    struct observe_page truth[SEE_AT_ONCE];
    struct view_truth seen[SEE_AT_ONCE];
    uint64_t words[SEE_AT_ONCE + 1]; /* not cleared: most rows are short */

    assert(n <= SEE_AT_ONCE);
    r->observe->pages(r->observe->ctx, first, n, truth);
    for (uint32_t i = 0; i < n; i++) {
        seen[i].shared_frame = truth[i].shared_frame;
        seen[i].private_frame = truth[i].private_frame;
        seen[i].is_private = truth[i].is_private;
    }
    if (!model_see_truth(r->model, page, n, seen) || r->starting)
        return;
    words[0] = page;
    for (uint32_t i = 0; i < n; i++)
        words[i + 1] = truth[i].shared_frame | (uint64_t)truth[i].private_frame << 31 |
                       (uint64_t)truth[i].is_private << 63;
    r->hash = hash_words(r->hash, words, n + 1);
}

static void see_pages(struct runner *r, uint64_t first, uint64_t n)
{
    while (n > 0) {
        uint64_t step = n < SEE_AT_ONCE ? n : SEE_AT_ONCE;
        uint32_t page = model_pages_at(r->model, first, &step);

        if (page != MODEL_NO_PAGE)
            see_row(r, page, first, (uint32_t)step);
        first += step;
        n -= step;
    }
}

typedef void stretch_fn(struct runner *r, uint32_t container, uint64_t first, uint64_t n);

static void see_stretch(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    (void)container;
    see_pages(r, first, n);
}

/* False: one of them is nobody's. */
static bool see_iova_pages(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    bool known = true;
    uint64_t step;

    for (; n > 0; n -= step, first += step) {
        step = n;
        uint32_t page = model_pages_at(r->model, first, &step);

        known &= page != MODEL_NO_PAGE;
        for (uint32_t i = 0; page != MODEL_NO_PAGE && i < step; i++)
            see_mapping(r, container, page + i, first + i);
    }
    return known;
}

static void see_iova_stretch(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    (void)see_iova_pages(r, container, first, n);
}

/* The parts of a long range that sections show. */
static void in_sections(struct runner *r, uint32_t container, uint64_t first, uint64_t n,
                        stretch_fn *see)
{
    const struct machine *m = &r->program->machine;
    uint64_t end = n > UINT64_MAX - first ? UINT64_MAX : first + n;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];
        uint64_t from = first > s->gpa_page ? first : s->gpa_page;
        uint64_t to = end < s->gpa_page + s->n_pages ? end : s->gpa_page + s->n_pages;

        if (from < to)
            see(r, container, from, to - from);
    }
}

static void gpa_changed(struct runner *r, uint64_t first, uint64_t n)
{
    if (n <= SHORT)
        see_pages(r, first, n);
    else
        in_sections(r, 0, first, n, see_stretch);
}

static void look_for_strays(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    uint64_t end = n > UINT64_MAX - first ? UINT64_MAX : first + n;

    for (uint64_t page = first;
         r->observe->next_mapped(r->observe->ctx, container, &page) && page < end; page++)
        if (model_page_at(r->model, page) == MODEL_NO_PAGE)
            model_see_stray(r->model, container, page, true);
}

static void iova_changed(struct runner *r, uint32_t container, uint64_t first, uint64_t n)
{
    bool strays = n > SHORT;

    if (container >= r->program->machine.n_containers) {
        model_see_stray(r->model, 0, first, true);
        return;
    }
    if (n > SHORT)
        in_sections(r, container, first, n, see_iova_stretch);
    else
        strays = !see_iova_pages(r, container, first, n);
    if (strays)
        look_for_strays(r, container, first, n);
}

/* Pages of a region of which a tracker says something else than when it was last seen: who is
 * shared, or who is plugged. */
static void word_changed(struct runner *r, uint32_t region, uint32_t word, uint64_t *last,
                         uint64_t now, bool plugged)
{
    uint64_t changed = *last ^ now;

    *last = now;
    model_see_bits(r->model, r->region_page[region] + word * 64, changed, now, plugged);
    r->hash = hash_words(
        r->hash, (uint64_t[]){region | (uint64_t)word << 32 | (uint64_t)plugged << 63, now}, 2);
}

static bool region_tracker_changed(struct runner *r, uint32_t region, bool plugged)
{
    uint64_t *seen = (plugged ? r->plugged : r->tracker) + r->region_word[region];
    uint32_t n_words = r->region_word[region + 1] - r->region_word[region];
    uint32_t left = r->program->machine.regions[region].n_pages;
    bool any = false;

    for (uint32_t i = 0; i < n_words; i++, left -= 64) {
        uint64_t now = 0;

        (plugged ? r->subject->plugged_bits : r->subject->populated_bits)(
            r->state, region, i * 64, left < 64 ? left : 64, &now);
        if (now == seen[i])
            continue;
        word_changed(r, region, i, &seen[i], now, plugged);
        any = true;
    }
    return any;
}

/* The subject answers questions only between build and tear-down. */
static bool tracker_changed(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    bool any = false;

    for (uint32_t i = 0; r->state && i < m->n_regions; i++)
        if (m->regions[i].guest_memfd)
            any |= region_tracker_changed(r, i, false);
    return any;
}

/* Asked before what else changed is looked at: an unplugged page may lose what it had. */
static bool plugged_changed(struct runner *r)
{
    const struct machine *m = &r->program->machine;
    bool any = false;

    for (uint32_t i = 0; r->state && i < m->n_regions; i++)
        if (m->regions[i].virtio_mem_pages)
            any |= region_tracker_changed(r, i, true);
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
    const struct observe_change *ignored;

    (void)r->observe->changes(r->observe->ctx, &ignored);
    r->starting = true; /* the start state follows from the program: it need not be hashed */
    plugged_changed(r);
    tracker_changed(r);
    gpa_changed(r, 0, UINT64_MAX);
    r->starting = false;
    /* Nothing was mapped yet, as far as the model knows. */
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++)
        for (uint64_t page = 0; r->observe->next_mapped(r->observe->ctx, i, &page); page++)
            iova_changed(r, i, page, 1);
    see_containers(r);
    see_totals(r);
}

void feed_again(struct runner *r)
{
    const struct observe_change *ignored;

    (void)r->observe->changes(r->observe->ctx, &ignored);
    if (r->has_virtio_mem)
        plugged_changed(r);
    tracker_changed(r);
    everything_changed(r);
    see_containers(r);
    see_totals(r);
}

static void see_changes(struct runner *r, const struct observe_change *changes, uint32_t n)
{
    bool mapped = false;

    for (uint32_t i = 0; i < n; i++) {
        const struct observe_change *c = &changes[i];

        if (!c->is_iova) {
            gpa_changed(r, c->first, c->n_pages);
            continue;
        }
        iova_changed(r, c->container, c->first, c->n_pages);
        if (c->container < r->program->machine.n_containers)
            see_container(r, c->container);
        mapped = true;
    }
    if (mapped)
        see_totals(r);
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

/* Most calls change nothing: what is done when one does stays out of their way. */
static __attribute__((noinline)) void
take_changes(struct runner *r, const struct observe_change *changes, uint32_t n)
{
    if (n > OBSERVE_CHANGES_MAX) {
        everything_changed(r);
        see_containers(r);
        see_totals(r);
    } else if (!nothing_to_protect(r)) {
        see_changes(r, changes, n);
    }
}

/* True when there was anything new. */
static bool feed_journal(struct runner *r)
{
    const struct observe_change *changes;
    uint32_t n = r->observe->changes(r->observe->ctx, &changes);

    if (n > 0)
        take_changes(r, changes, n);
    return n > 0;
}

bool feed_after_call(struct runner *r, bool ask_tracker)
{
    bool any = r->has_virtio_mem && plugged_changed(r);

    any |= feed_journal(r);
    return any && ask_tracker ? tracker_changed(r) || any : any;
}

void feed_after_op(struct runner *r, bool subject_ran)
{
    if (r->has_virtio_mem)
        plugged_changed(r);
    feed_journal(r);
    if (!subject_ran)
        return;
    tracker_changed(r);
    see_containers(r);
    see_totals(r);
}
