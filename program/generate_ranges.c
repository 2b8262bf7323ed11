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
    SHAPE_COUNT
};

static const uint16_t shape_weight[SHAPE_COUNT] = {
    [SHAPE_WHOLE] = 3,  [SHAPE_PAGE] = 21, [SHAPE_EDGE] = 6,  [SHAPE_BORDER] = 10,
    [SHAPE_RUN] = 34,   [SHAPE_AGAIN] = 4, [SHAPE_BACK] = 10, [SHAPE_WITHIN] = 6,
    [SHAPE_AROUND] = 4, [SHAPE_HOLE] = 1,  [SHAPE_ALL] = 1,
};

enum { SHAPE_WEIGHT_SUM = 100 };

static uint8_t draw_section(struct gen *g)
{
    if (rng_percent(&g->r, 4))
        return (uint8_t)rng_below(&g->r, g->m->n_sections);
    return g->ram[rng_below(&g->r, g->n_ram)];
}

static void draw_run(struct gen *g, uint32_t n, uint32_t *first, uint32_t *count)
{
    uint32_t most = rng_percent(&g->r, 92) ? 6 : n; /* small ones leave more to do */

    *first = rng_below(&g->r, n);
    *count = rng_between(&g->r, 1, n - *first < most ? n - *first : most);
}

void gen_part(struct gen *g, const struct section_decl *s, uint32_t *first, uint32_t *n)
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

static struct gen_range within_last(struct gen *g)
{
    struct gen_range range = g->last;
    uint32_t first, n;
    int at;

    draw_run(g, range.n, &first, &n);
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
        return within_last(g);
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
    uint8_t section = g->ram[rng_below(&g->r, g->n_ram)];
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

void gen_convert_range(struct gen *g, struct gen_range *range, bool *to_private)
{
    enum shape shape;

    if (draw_comb(g, range, to_private))
        return;
    if ((g->striped && !g->last.n) || rng_percent(&g->r, 2))
        start_comb(g);
    shape = (enum shape)gen_weighted(&g->r, shape_weight, SHAPE_WEIGHT_SUM);
    if (!g->last.n && shape >= SHAPE_AGAIN && shape <= SHAPE_AROUND)
        shape = SHAPE_WHOLE;
    *range = draw_shape(g, shape);
    if (shape == SHAPE_AGAIN || shape == SHAPE_BACK)
        *to_private = g->last_private ^ (shape == SHAPE_BACK);
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
        (write && g->m->regions[s->region].kind != REGION_RAM)) {
        *section = g->ram[rng_below(&g->r, g->n_ram)];
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
