/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages: edges, repeats and mixtures are where the bugs are. */
#include <assert.h>

#include "program/generate_internal.h"

enum shape {
    SHAPE_WHOLE,  /* a whole section */
    SHAPE_PAGE,   /* any one page */
    SHAPE_EDGE,   /* the first or the last page */
    SHAPE_BORDER, /* over the end of a section */
    SHAPE_RUN,    /* any run */
    SHAPE_AGAIN,  /* the last range, the same direction */
    SHAPE_BACK,   /* the last range, back at once */
    SHAPE_WITHIN, /* part of the last range */
    SHAPE_AROUND, /* more than the last range */
    SHAPE_HOLE,   /* from right before a section */
    SHAPE_ALL,    /* as many pages as the machine has */
    SHAPE_MIDDLE, /* part of the last range, none of its ends */
    SHAPE_HEAD,   /* the first pages of the last range */
    SHAPE_TAIL,   /* the last pages of it */
    SHAPE_COUNT
};

static const uint16_t shape_weight[SHAPE_COUNT] = {
    [SHAPE_WHOLE] = 3,  [SHAPE_PAGE] = 21, [SHAPE_EDGE] = 6,  [SHAPE_BORDER] = 10,
    [SHAPE_RUN] = 34,   [SHAPE_AGAIN] = 4, [SHAPE_BACK] = 10, [SHAPE_WITHIN] = 6,
    [SHAPE_AROUND] = 4, [SHAPE_HOLE] = 1,  [SHAPE_ALL] = 1,
};

/* Where a mapping is a run: what cuts runs, at their ends and in their middle. */
static const uint16_t shape_weight_run[SHAPE_COUNT] = {
    [SHAPE_WHOLE] = 7,  [SHAPE_PAGE] = 14, [SHAPE_EDGE] = 5, [SHAPE_BORDER] = 8,
    [SHAPE_RUN] = 30,   [SHAPE_AGAIN] = 3, [SHAPE_BACK] = 7, [SHAPE_WITHIN] = 7,
    [SHAPE_AROUND] = 6, [SHAPE_HOLE] = 1,  [SHAPE_ALL] = 1,  [SHAPE_MIDDLE] = 5,
    [SHAPE_HEAD] = 3,   [SHAPE_TAIL] = 3,
};

enum { SHAPE_WEIGHT_SUM = 100 };

static bool needs_last(enum shape shape)
{
    return (shape >= SHAPE_AGAIN && shape <= SHAPE_AROUND) || shape >= SHAPE_MIDDLE;
}

static bool is_removed(const struct gen *g, uint8_t section)
{
    return g->removed >> g->m->sections[section].region & 1;
}

/* RAM that converts and is there, mostly. */
static uint8_t draw_ram(struct gen *g)
{
    uint32_t i = rng_below(&g->r, g->n_ram);

    for (uint32_t n = 0; g->removed && n < g->n_ram && rng_percent(&g->r, 90); n++) {
        if (!is_removed(g, g->ram[i]))
            break;
        i = (i + 1) % g->n_ram;
    }
    return g->ram[i];
}

static uint8_t draw_section(struct gen *g)
{
    if (rng_percent(&g->r, 4))
        return (uint8_t)rng_below(&g->r, g->m->n_sections);
    return draw_ram(g);
}

static void draw_run(struct gen *g, uint32_t n, uint32_t *first, uint32_t *count)
{
    /* Small ones leave more to do, large ones more to cut. */
    uint32_t small = g->m->axis[AXIS_mapping] == MAPPING_RUN ? 75 : 92;
    uint32_t most = rng_percent(&g->r, small) ? 6 : n;

    *first = rng_below(&g->r, n);
    *count = rng_between(&g->r, 1, n - *first < most ? n - *first : most);
}

void gen_pages(struct gen *g, const struct section_decl *s, uint32_t *first, uint32_t *n)
{
    uint32_t x = rng_below(&g->r, 100);

    *first = 0;
    *n = s->n_pages;
    if (x < 15) {
        *first = rng_below(&g->r, s->n_pages);
        *n = 1;
    } else if (x < 65) {
        draw_run(g, s->n_pages, first, n);
    }
    *first += s->first_page;
    assert(*n > 0 && *first + *n <= s->first_page + s->n_pages);
}

/* Is something right behind the section? */
static bool has_neighbour(const struct gen *g, uint8_t section)
{
    const struct section_decl *s = &g->m->sections[section];

    for (uint32_t i = 0; i < g->m->n_sections; i++) {
        if (g->m->sections[i].gpa_page == s->gpa_page + s->n_pages)
            return true;
    }
    return false;
}

static struct gen_range part_of(struct gen *g, uint8_t section, enum shape shape)
{
    const struct section_decl *s = &g->m->sections[section];
    struct gen_range range = {s->gpa_page, s->n_pages, section};
    uint32_t first = 0;

    if (shape == SHAPE_PAGE) {
        range.page += rng_below(&g->r, s->n_pages);
        range.n = 1;
    } else if (shape == SHAPE_EDGE) {
        range.page += rng_percent(&g->r, 50) ? 0 : s->n_pages - 1;
        range.n = 1;
    } else if (shape == SHAPE_RUN) {
        draw_run(g, s->n_pages, &first, &range.n);
        range.page += first;
    } else if (shape == SHAPE_ALL) {
        range.n = g->n_pages;
    }
    return range;
}

static struct gen_range over_border(struct gen *g, uint8_t section)
{
    const struct section_decl *s = &g->m->sections[section];
    uint32_t inside = rng_between(&g->r, 1, s->n_pages < 6 ? s->n_pages : 6);

    /* Over the edge into nothing is always refused (or skipped): once is enough. */
    if (!has_neighbour(g, section) && rng_percent(&g->r, 75))
        return part_of(g, section, SHAPE_RUN);
    return (struct gen_range){s->gpa_page + s->n_pages - inside,
                              inside + rng_between(&g->r, 1, 6), section};
}

/* From before the section: the hole there, or whatever touches it. */
static struct gen_range from_hole(struct gen *g, uint8_t section)
{
    const struct section_decl *s = &g->m->sections[section];
    uint32_t before = rng_between(&g->r, 1, 4);
    struct gen_range range = {s->gpa_page, before + rng_below(&g->r, 8), section};
    int at;

    if (s->gpa_page < before)
        return range;
    range.page -= before;
    at = machine_section_at(g->m, range.page * g->page_size);
    range.section = at < 0 ? GEN_NO_SECTION : (uint8_t)at;
    return range;
}

/* The middle, the head or the tail of n pages, if it has more than that. */
static void draw_cut(struct gen *g, enum shape shape, uint32_t all, uint32_t *first,
                     uint32_t *n)
{
    uint32_t margin = shape == SHAPE_MIDDLE ? 2 : 1;

    *first = 0;
    *n = all;
    if (all <= margin)
        return;
    *n = rng_between(&g->r, 1, rng_percent(&g->r, 60) ? 1 : all - margin);
    if (shape == SHAPE_MIDDLE)
        *first = rng_between(&g->r, 1, all - 1 - *n);
    else if (shape == SHAPE_TAIL)
        *first = all - *n;
}

static struct gen_range within_last(struct gen *g, enum shape shape)
{
    struct gen_range range = g->last;
    uint32_t first, n;
    int at;

    if (shape == SHAPE_WITHIN)
        draw_run(g, range.n, &first, &n);
    else
        draw_cut(g, shape, range.n, &first, &n);
    range.page += first;
    range.n = n;
    if (first) {
        at = machine_section_at(g->m, range.page * g->page_size);
        range.section = at < 0 ? GEN_NO_SECTION : (uint8_t)at;
    }
    return range;
}

/* Grows both ways, but not over the ends of the section it starts in. */
static struct gen_range around_last(struct gen *g)
{
    struct gen_range range = g->last;
    const struct section_decl *s;
    uint64_t before, after;

    if (range.section == GEN_NO_SECTION)
        return range;
    s = &g->m->sections[range.section];
    before = range.page - s->gpa_page;
    if (before)
        before = rng_below(&g->r, (uint32_t)before + 1);
    range.page -= before;
    range.n += (uint32_t)before;
    after = s->gpa_page + s->n_pages;
    after = after > range.page + range.n ? after - range.page - range.n : 0;
    if (after)
        range.n += rng_below(&g->r, (uint32_t)after + 1);
    return range;
}

static struct gen_range draw_shape(struct gen *g, enum shape shape)
{
    switch (shape) {
    case SHAPE_BORDER:
        return over_border(g, draw_section(g));
    case SHAPE_AGAIN:
    case SHAPE_BACK:
        return g->last;
    case SHAPE_WITHIN:
    case SHAPE_MIDDLE:
    case SHAPE_HEAD:
    case SHAPE_TAIL:
        return within_last(g, shape);
    case SHAPE_AROUND:
        return around_last(g);
    case SHAPE_HOLE:
        return from_hole(g, draw_section(g));
    default:
        return part_of(g, draw_section(g), shape);
    }
}

/* The bits of g->shared that stand for the part of a range in its first section. */
static uint64_t hint_bits(const struct gen *g, const struct gen_range *range)
{
    const struct section_decl *s = &g->m->sections[range->section];
    uint32_t shift = 0, first = (uint32_t)(range->page - s->gpa_page), last;

    while (s->n_pages >> shift > 63)
        shift++;
    last = range->n < s->n_pages - first ? first + range->n - 1 : s->n_pages - 1;
    first >>= shift;
    last >>= shift;
    assert(first <= last && last < 64);
    return (UINT64_MAX >> (63 - (last - first))) << first;
}

void gen_remember(struct gen *g, const struct gen_range *range, bool to_private)
{
    g->last = *range;
    g->last_private = to_private;
    if (range->section == GEN_NO_SECTION)
        return;
    if (to_private)
        g->shared[range->section] &= ~hint_bits(g, range);
    else
        g->shared[range->section] |= hint_bits(g, range);
}

void gen_now_private(struct gen *g, const struct gen_part *part)
{
    for (uint32_t i = 0; i < g->m->n_sections; i++) {
        const struct section_decl *s = &g->m->sections[i];
        uint32_t from = part->first > s->first_page ? part->first : s->first_page;
        uint32_t end = part->first + part->n;
        struct gen_range range = {.section = (uint8_t)i};

        if (end > s->first_page + s->n_pages)
            end = s->first_page + s->n_pages;
        if (s->region != part->region || from >= end)
            continue;
        range.page = s->gpa_page + (from - s->first_page);
        range.n = end - from;
        g->shared[i] &= ~hint_bits(g, &range);
    }
}

/* Mostly the one that changes something. */
static bool draw_direction(struct gen *g, const struct gen_range *range)
{
    uint64_t bits, shared;

    if (range->section == GEN_NO_SECTION)
        return rng_percent(&g->r, 20);
    bits = hint_bits(g, range);
    shared = g->shared[range->section] & bits;
    if (!shared)
        return rng_percent(&g->r, 6);
    return rng_percent(&g->r, shared == bits ? 92 : 50);
}

/* Every other page, then all of them: a mixture is converted. */
static bool draw_comb(struct gen *g, struct gen_range *range, bool *to_private)
{
    if (!g->comb && !g->comb_cover)
        return false;
    *to_private = g->last_private;
    if (!g->comb) {
        g->comb_cover = false;
        *range = g->comb_range;
        *to_private ^= rng_percent(&g->r, 50);
        return true;
    }
    g->comb--;
    *range = (struct gen_range){g->comb_range.page + 2 * (uint64_t)g->comb, 1,
                                g->comb_range.section};
    return true;
}

static void start_comb(struct gen *g)
{
    uint8_t section = draw_ram(g);
    const struct section_decl *s = &g->m->sections[section];
    uint32_t teeth = rng_between(&g->r, 2, 3), n;

    if (g->striped && s->n_pages >= 40 && g->left > 20)
        teeth = rng_between(&g->r, 16, 20);
    n = 2 * teeth;
    if (s->n_pages < n || g->left < teeth + 1)
        return;
    g->comb = (uint8_t)teeth;
    g->comb_cover = true;
    g->comb_range =
        (struct gen_range){s->gpa_page + rng_below(&g->r, s->n_pages - n + 1), n, section};
}

/* Over pages that someone holds: what is around them is in the way of it, too. */
static bool draw_around(struct gen *g, struct gen_range *range, bool *to_private)
{
    if (!g->around_next)
        return false;
    g->around_next = false;
    *range = rng_percent(&g->r, 70) ? around_last(g) : g->last;
    *to_private = rng_percent(&g->r, 85);
    return range->n > 0;
}

static enum shape draw_shape_kind(struct gen *g)
{
    bool run = g->m->axis[AXIS_mapping] == MAPPING_RUN;
    enum shape shape = (enum shape)gen_weighted(&g->r, run ? shape_weight_run : shape_weight,
                                                SHAPE_WEIGHT_SUM);

    return !g->last.n && needs_last(shape) ? SHAPE_WHOLE : shape;
}

void gen_convert_range(struct gen *g, struct gen_range *range, bool *to_private)
{
    uint32_t combs = g->m->axis[AXIS_mapping] == MAPPING_RUN ? 4 : 2;
    enum shape shape;

    if (draw_comb(g, range, to_private) || draw_around(g, range, to_private))
        return;
    if ((g->striped && !g->last.n) || rng_percent(&g->r, combs))
        start_comb(g);
    shape = draw_shape_kind(g);
    *range = draw_shape(g, shape);
    if (shape == SHAPE_AGAIN || shape == SHAPE_BACK)
        *to_private = g->last_private ^ (shape == SHAPE_BACK);
    else if (shape >= SHAPE_MIDDLE)
        *to_private = g->last_private ^ rng_percent(&g->r, 85);
    else
        *to_private = draw_direction(g, range);
    assert(range->n > 0);
}

uint64_t gen_data_page(struct gen *g, bool write, uint8_t *section)
{
    const struct section_decl *s;
    uint64_t page;

    *section = g->data[rng_below(&g->r, g->n_data)];
    if (g->last.n && g->last.section != GEN_NO_SECTION && rng_percent(&g->r, 70))
        *section = g->last.section;
    s = &g->m->sections[*section];
    if (g->m->regions[s->region].kind == REGION_MMIO ||
        (write && g->m->regions[s->region].kind != REGION_RAM && rng_percent(&g->r, 75)) ||
        (is_removed(g, *section) && rng_percent(&g->r, 90))) {
        *section = draw_ram(g);
        s = &g->m->sections[*section];
    }
    page = s->gpa_page + rng_below(&g->r, s->n_pages);
    if (*section == g->last.section && g->last.n) {
        page = g->last.page + rng_below(&g->r, g->last.n);
        if (page >= s->gpa_page + s->n_pages)
            page = g->last.page;
    }
    return page;
}
