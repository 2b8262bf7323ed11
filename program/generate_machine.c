/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine of a random program: axes, regions, where they are in guest physical space. */
#include <assert.h>

#include "program/generate_internal.h"

/* Striped: every other page of much memory, one at a time, so that records of what is mapped
 * have to grow. */
enum { GAP_MAX = 512, STRIPED_PERMILLE = 6 };
/* Up to here all regions can be cut in three, and shown once more. */
enum { FEW_REGIONS = PROGRAM_SECTIONS_MAX / 4, SHOWN_TWICE_PAGES_MAX = 64 };

/* A stretch of a region on its way to an address. */
struct piece {
    uint32_t region, first, n;
};

/* Guest pages that have room below the end of guest physical space, gaps and all. */
static uint32_t pages_max(uint32_t page_size)
{
    uint32_t gaps = PROGRAM_SECTIONS_MAX * GAP_MAX + FEW_REGIONS * SHOWN_TWICE_PAGES_MAX;

    return (uint32_t)(PROGRAM_GPA_END / page_size) - gaps - 16; /* may be rounded up */
}

static uint32_t draw_pages(struct gen *g)
{
    uint32_t x = rng_below(&g->r, 100), most = pages_max(g->page_size);

    if (g->o->n_pages)
        return g->o->n_pages < most ? g->o->n_pages : most;
    if (g->striped)
        return rng_between(&g->r, 48, 64);
    if (x < 8)
        return rng_between(&g->r, 1, 7);
    if (x < 50)
        return rng_between(&g->r, 8, 16);
    if (x < 78)
        return rng_between(&g->r, 17, 32);
    /* Trackers and ledgers work in words of 64: some cross into the next one. */
    return x < 98 ? rng_between(&g->r, 33, 64) : rng_between(&g->r, 65, 190);
}

static uint32_t draw_regions(struct gen *g)
{
    uint32_t x = rng_below(&g->r, 100), n;

    if (g->o->n_regions)
        n = g->o->n_regions;
    else
        n = x < 32 || g->striped || g->n_pages > 150 ? 1 : x < 68 ? 2 : x < 88 ? 3 : 4;
    return n < g->n_pages / g->unit ? n : g->n_pages / g->unit;
}

/* Some of the addresses of a region are in another order than its pages. */
static void swap_pieces(struct gen *g, struct piece *a, struct piece *b)
{
    struct piece swap = *a;

    if (!rng_percent(&g->r, 40))
        return;
    *a = *b;
    *b = swap;
}

/* What of a region is shown, in one stretch or a few; in pages, or in huge pages. */
static uint32_t cut_pieces(struct gen *g, uint32_t region, uint32_t n, struct piece *pieces)
{
    uint32_t first = 0, count = 1;

    if (g->m->regions[region].virtio_mem_pages) {
        pieces[0] = (struct piece){region, 0, n};
        return 1;
    }
    if (n > 2 && rng_percent(&g->r, 12)) {
        first = rng_below(&g->r, 2);
        n -= first + 1; /* the last page has no address */
    }
    if (n > 1 && rng_percent(&g->r, 22))
        count = n > 2 && g->m->n_regions <= FEW_REGIONS && rng_percent(&g->r, 30) ? 3 : 2;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rest = count - 1 - i, size = rest ? rng_between(&g->r, 1, n - rest) : n;

        pieces[i] = (struct piece){region, first, size};
        first += size;
        n -= size;
    }
    if (count > 1)
        swap_pieces(g, &pieces[0], &pieces[count - 1]);
    return count;
}

static uint32_t cut_region(struct gen *g, uint32_t region, struct piece *pieces)
{
    const struct region_decl *r = &g->m->regions[region];
    uint32_t unit = r->huge_pages ? r->huge_pages : 1;
    uint32_t n = cut_pieces(g, region, r->n_pages / unit, pieces);

    /* What has no private side may have two addresses. */
    if (!r->guest_memfd && g->m->n_regions <= FEW_REGIONS &&
        r->n_pages <= SHOWN_TWICE_PAGES_MAX && rng_percent(&g->r, 20))
        pieces[n++] = (struct piece){region, 0, r->n_pages / unit};
    for (uint32_t i = 0; i < n; i++) {
        pieces[i].first *= unit;
        pieces[i].n *= unit;
    }
    return n;
}

static void shuffle(struct rng *r, struct piece *pieces, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(r, i);
        struct piece swap = pieces[i - 1];

        pieces[i - 1] = pieces[j];
        pieces[j] = swap;
    }
}

/* Mostly low addresses, which are easy to read; sometimes right below the end. */
static uint64_t draw_base(struct gen *g, uint32_t n_pieces)
{
    uint64_t end = PROGRAM_GPA_END / g->page_size;
    uint64_t twice = (uint64_t)FEW_REGIONS * SHOWN_TWICE_PAGES_MAX;
    uint64_t room = end - g->n_pages - twice - (uint64_t)n_pieces * GAP_MAX;
    uint32_t x = rng_below(&g->r, 100);

    assert(room < end);
    if (x < 25)
        return 0;
    if (x < 90)
        return rng_below(&g->r, 64);
    return x < 96 ? rng_below(&g->r, (uint32_t)room) : room;
}

static void place_sections(struct gen *g, const struct piece *pieces, uint32_t n)
{
    uint64_t at = draw_base(g, n);
    uint32_t gap_percent = rng_percent(&g->r, 50) ? 0 : 50;

    for (uint32_t i = 0; i < n; i++) {
        struct section_decl *s = &g->m->sections[i];

        s->region = pieces[i].region;
        s->first_page = pieces[i].first;
        s->n_pages = pieces[i].n;
        s->gpa_page = at;
        at += s->n_pages;
        if (gap_percent && rng_percent(&g->r, gap_percent))
            at += rng_percent(&g->r, 80) ? rng_between(&g->r, 1, 4) : GAP_MAX;
    }
    g->m->n_sections = n;
}

/* They need not come in the order of their addresses. */
static void swap_sections(struct gen *g)
{
    uint32_t i = rng_below(&g->r, g->m->n_sections), j = rng_below(&g->r, g->m->n_sections);
    struct section_decl s = g->m->sections[i];

    g->m->sections[i] = g->m->sections[j];
    g->m->sections[j] = s;
}

static void note_sections(struct gen *g)
{
    for (uint32_t i = 0; i < g->m->n_sections; i++) {
        const struct region_decl *r = &g->m->regions[g->m->sections[i].region];

        if (r->guest_memfd)
            g->ram[g->n_ram++] = (uint8_t)i;
        if (r->kind != REGION_MMIO)
            g->data[g->n_data++] = (uint8_t)i;
    }
}

static void draw_sections(struct gen *g)
{
    struct piece pieces[PROGRAM_SECTIONS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->m->n_regions; i++)
        n += cut_region(g, i, pieces + n);
    assert(n >= g->m->n_regions && n <= PROGRAM_SECTIONS_MAX);
    if (rng_percent(&g->r, 30))
        shuffle(&g->r, pieces, n);
    place_sections(g, pieces, n);
    if (rng_percent(&g->r, 25))
        swap_sections(g);
    note_sections(g);
    assert(g->n_ram > 0 && g->n_data >= g->n_ram);
}

/* Mostly none to speak of; else about what is needed. */
static uint32_t draw_entry_limit(struct gen *g, bool listen_all)
{
    bool run = g->m->axis[AXIS_mapping] == MAPPING_RUN;

    if (g->o->entry_limit)
        return g->o->entry_limit;
    if (!rng_percent(&g->r, gen_has(g, FEATURE_HOTPLUG) ? 25 : listen_all ? 10 : 16))
        return PROGRAM_ENTRIES_DEFAULT;
    if (run)
        return rng_between(&g->r, 1, 6);
    if (rng_percent(&g->r, 60))
        return rng_between(&g->r, 1, g->n_pages < 14 ? g->n_pages : 14);
    return g->n_pages - rng_below(&g->r, g->n_pages < 4 ? g->n_pages : 4) + 1;
}

static void draw_io(struct gen *g)
{
    uint32_t x = rng_below(&g->r, 100);

    g->m->n_containers = g->o->n_containers != UINT32_MAX ? g->o->n_containers
                         : x < 8                          ? 0
                         : x < 60                         ? 1
                         : x < 90                         ? 2
                                                          : 3;
    for (uint32_t i = 0; i < g->m->n_containers; i++) {
        uint32_t y = rng_below(&g->r, 100);
        uint32_t devices = y < 70 ? 1 : y < 94 || g->m->n_containers > 2 ? 2 : 3;

        g->m->containers[i].listen_all = rng_percent(&g->r, 70);
        g->m->containers[i].entry_limit = draw_entry_limit(g, g->m->containers[i].listen_all);
        while (devices--)
            g->m->devices[g->m->n_devices++].container = i;
    }
    if (rng_percent(&g->r, 5))
        g->m->memlock_pages = rng_between(&g->r, 1, g->n_pages + 4);
}

static bool draw_feature(struct gen *g, uint32_t feature, uint32_t percent)
{
    if (feature == FEATURE_PINS && g->m->axis[AXIS_mode] != MODE_INPLACE)
        return false;
    return g->o->feature[feature] >= 0 ? g->o->feature[feature] : rng_percent(&g->r, percent);
}

/* Few at a time: what a program has it has much of. */
static void draw_features(struct gen *g)
{
    for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
        if (draw_feature(g, i, g->striped ? 0 : gen_feature_percent[i]))
            g->features |= UINT32_C(1) << i;
    }
    /* Without guest_memfd all guards can be taken. */
    if (gen_has(g, FEATURE_GUARDS) && gen_feature_percent[FEATURE_HOTPLUG] &&
        g->o->feature[FEATURE_HOTPLUG] < 0 && rng_percent(&g->r, 45))
        g->features |= UINT32_C(1) << FEATURE_HOTPLUG;
    g->hugetlb =
        g->o->share == SHARE_HUGETLB || (g->o->share < 0 && gen_has(g, FEATURE_HUGETLB));
}

void gen_machine(struct gen *g)
{
    gen_axes(g);
    g->page_size = machine_page_size(g->m);
    g->striped = rng_below(&g->r, 1000) < STRIPED_PERMILLE;
    draw_features(g);
    gen_unit(g);
    g->n_pages = draw_pages(g);
    g->n_pages += (g->unit - g->n_pages % g->unit) % g->unit;
    g->m->n_vcpus = g->o->n_vcpus ? g->o->n_vcpus : rng_between(&g->r, 1, 4);
    gen_regions(g, draw_regions(g));
    draw_sections(g);
    draw_io(g);
    assert(machine_n_pages(g->m) == g->n_pages);
}
