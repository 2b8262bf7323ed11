/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The regions of a random machine: how large, of what kind, and what holds them. */
#include <assert.h>

#include "program/generate_internal.h"

enum { UNIT_MAX = 8 };

/* Sizes are multiples of this many pages, so that huge pages and blocks fit. */
void gen_unit(struct gen *g)
{
    bool hugetlb = g->o->share == SHARE_HUGETLB;

    g->unit = 1;
    if (!gen_has(g, FEATURE_VIRTIO_MEM) && !g->hugetlb)
        return;
    g->unit = 1u << rng_below(&g->r, 4);
    if (g->hugetlb && g->unit == 1)
        g->unit = 2;
    assert(g->unit <= UNIT_MAX);
    while (g->o->n_pages % g->unit && !hugetlb)
        g->unit /= 2;
    if (g->o->n_pages && hugetlb)
        g->unit = 2;
    if (g->unit == 1)
        g->hugetlb = false;
}

static uint8_t draw_share(struct gen *g, struct region_decl *r)
{
    bool huge = g->hugetlb && (g->o->share == SHARE_HUGETLB || rng_percent(&g->r, 65));
    uint32_t sum = gen_share_weight[SHARE_ANON] + gen_share_weight[SHARE_MEMFD];

    if (huge && !(r->guest_memfd && g->m->axis[AXIS_mode] == MODE_INPLACE)) {
        r->huge_pages = rng_percent(&g->r, 60) ? g->unit : 2;
        return SHARE_HUGETLB;
    }
    if (g->o->share >= 0 && g->o->share < SHARE_HUGETLB)
        return (uint8_t)g->o->share;
    return (uint8_t)gen_weighted(&g->r, gen_share_weight, sum);
}

/* A region that conversions run into: MMIO, ROM, or RAM without a private side. */
static void draw_odd_region(struct gen *g, struct region_decl *r)
{
    uint32_t x = rng_below(&g->r, 100);

    r->kind = x < 40 ? REGION_MMIO : x < 65 ? REGION_ROM : REGION_RAM;
    if (r->kind != REGION_MMIO)
        r->share = draw_share(g, r);
}

/* Blocks of 1 to 8 pages, of which the guest may plug all, some or none. */
static void make_virtio_mem(struct gen *g, struct region_decl *r)
{
    uint32_t block = 1u << rng_below(&g->r, 4), x = rng_below(&g->r, 100);

    while (r->n_pages % block)
        block /= 2;
    if (block < r->huge_pages)
        block = r->huge_pages;
    r->virtio_mem_pages = block;
    r->requested_pages = x < 60 ? r->n_pages : block * rng_below(&g->r, r->n_pages / block + 1);
}

/* One of those that convert at least, and the last of them more often than not. */
static void draw_virtio_mem(struct gen *g, uint32_t n)
{
    uint32_t sure = rng_below(&g->r, n);

    for (uint32_t i = 0; i < n; i++) {
        if (i == sure || rng_percent(&g->r, 45))
            make_virtio_mem(g, &g->m->regions[i]);
    }
}

/* Region 0 is always RAM with a private side. `rest` counts units. */
static void draw_sizes(struct gen *g, uint32_t n, uint32_t odd)
{
    uint32_t rest = g->n_pages / g->unit;
    bool even = rng_percent(&g->r, 40);

    for (uint32_t i = n; i-- > 0;) {
        struct region_decl *r = &g->m->regions[i];
        uint32_t most = rest - i, few = most < 4 / g->unit ? most : 4 / g->unit, units;

        if (i == 0)
            units = rest;
        else if (i >= n - odd)
            units = rng_between(&g->r, 1, few ? few : 1);
        else
            units = even ? rest / (i + 1) : rng_between(&g->r, 1, most);
        assert(units > 0 && units <= most);
        r->n_pages = units * g->unit;
        rest -= units;
    }
}

void gen_regions(struct gen *g, uint32_t n)
{
    uint32_t odd = n > 1 && rng_percent(&g->r, 35) ? 1 : 0;

    if (odd && n > 2 && rng_percent(&g->r, 35))
        odd = 2;
    g->m->n_regions = n;
    draw_sizes(g, n, odd);
    for (uint32_t i = n; i-- > 0;) {
        struct region_decl *r = &g->m->regions[i];

        if (i >= n - odd) {
            draw_odd_region(g, r);
            continue;
        }
        r->guest_memfd = 1;
        r->share = draw_share(g, r);
    }
    if (gen_has(g, FEATURE_VIRTIO_MEM))
        draw_virtio_mem(g, n - odd);
}
