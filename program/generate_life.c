/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ops on whole regions and on the machine: memory that comes and goes, resets, migrations,
 * pins and guards of others. Hints of what the state is make most of them succeed. */
#include <assert.h>

#include "program/generate_internal.h"

static struct op region_op(const struct gen *g, uint8_t kind, uint32_t region)
{
    return (struct op){.kind = kind,
                       .region = (uint8_t)region,
                       .size = (uint64_t)g->m->regions[region].n_pages * g->page_size};
}

static void add_pages_op(struct gen *g, uint8_t kind, const struct gen_part *part)
{
    struct op op = {.kind = kind, .region = part->region};

    op.start = (uint64_t)part->first * g->page_size;
    op.size = (uint64_t)part->n * g->page_size;
    gen_add(g, &op);
}

/* ---- virtio-mem ---- */

static uint32_t virtio_region(struct gen *g)
{
    uint32_t region = rng_below(&g->r, g->m->n_regions);

    while (!g->m->regions[region].virtio_mem_pages)
        region = (region + 1) % g->m->n_regions;
    return region;
}

/* The bit of a block in g->plugged; where there are many, of some blocks. */
static uint64_t block_bit(const struct region_decl *r, uint32_t block)
{
    uint32_t shift = 0;

    while (r->n_pages / r->virtio_mem_pages >> shift > 63)
        shift++;
    return UINT64_C(1) << (block >> shift);
}

static bool is_plugged(const struct gen *g, uint32_t region, uint32_t block)
{
    return g->plugged[region] & block_bit(&g->m->regions[region], block);
}

/* Blocks that are in the other state, one or a run of them. */
static void draw_blocks(struct gen *g, uint32_t region, bool plugged, uint32_t *first,
                        uint32_t *n)
{
    const struct region_decl *r = &g->m->regions[region];
    uint32_t blocks = r->n_pages / r->virtio_mem_pages, most;

    *first = rng_below(&g->r, blocks);
    for (uint32_t i = 0; i < blocks && is_plugged(g, region, *first) != plugged; i++)
        *first = (*first + 1) % blocks;
    if (rng_percent(&g->r, 30)) /* from the first of the run */
        while (*first && is_plugged(g, region, *first - 1) == plugged)
            --*first;
    most = rng_percent(&g->r, 35) ? blocks : rng_between(&g->r, 1, 3);
    *n = 1;
    while (*n < most && *first + *n < blocks && is_plugged(g, region, *first + *n) == plugged)
        ++*n;
}

/* Not whole blocks, or some that are plugged and some that are not: to be refused. */
static void draw_odd_blocks(struct gen *g, uint32_t region, struct gen_part *part)
{
    const struct region_decl *r = &g->m->regions[region];
    uint32_t block = rng_percent(&g->r, 50) ? 1 : r->virtio_mem_pages;
    uint32_t n = r->n_pages / block, first = rng_below(&g->r, n);

    part->first = first * block;
    part->n = rng_between(&g->r, 1, n - first) * block;
}

static void add_plug(struct gen *g, bool plug)
{
    uint32_t region = virtio_region(g), first = 0, n = 0;
    const struct region_decl *r = &g->m->regions[region];
    struct gen_part part = {.region = (uint8_t)region};

    if (!plug && !g->plugged[region] && rng_percent(&g->r, 92))
        plug = true; /* nothing is */
    if (rng_percent(&g->r, 13)) {
        draw_odd_blocks(g, region, &part);
        add_pages_op(g, plug ? OP_PLUG : OP_UNPLUG, &part);
        return;
    }
    draw_blocks(g, region, !plug, &first, &n);
    for (uint32_t i = first; i < first + n; i++) {
        if (plug)
            g->plugged[region] |= block_bit(r, i);
        else
            g->plugged[region] &= ~block_bit(r, i);
    }
    part.first = first * r->virtio_mem_pages;
    part.n = n * r->virtio_mem_pages;
    add_pages_op(g, plug ? OP_PLUG : OP_UNPLUG, &part);
    if (!plug)
        gen_now_private(g, &part);
}

static void add_unplug_all(struct gen *g)
{
    uint32_t region = virtio_region(g);
    struct op op = region_op(g, OP_UNPLUG_ALL, region);

    gen_add(g, &op);
    g->plugged[region] = 0;
    gen_now_private(g, &(struct gen_part){(uint8_t)region, 0, g->m->regions[region].n_pages});
}

static void add_resize(struct gen *g)
{
    uint32_t region = virtio_region(g), x = rng_below(&g->r, 100);
    const struct region_decl *r = &g->m->regions[region];
    uint32_t block = r->virtio_mem_pages;
    struct op op = region_op(g, OP_RESIZE, region);

    if (x < 30)
        op.value = r->n_pages;
    else if (x < 90)
        op.value = (uint64_t)block * rng_below(&g->r, r->n_pages / block + 1);
    else /* no whole blocks, or more than there are */
        op.value = rng_below(&g->r, r->n_pages + 2 * block);
    gen_add(g, &op);
}

/* ---- regions, reset ---- */

static void forget_region(struct gen *g, uint32_t region)
{
    uint32_t kept = 0;

    g->plugged[region] = 0;
    g->held &= ~(UINT32_C(1) << region);
    gen_now_private(g, &(struct gen_part){(uint8_t)region, 0, g->m->regions[region].n_pages});
    for (uint32_t i = 0; i < g->n_listeners; i++) {
        if (g->listeners[i].region != region)
            g->listeners[kept++] = g->listeners[i];
    }
    g->n_listeners = kept;
}

/* Is a guest_memfd there? */
static bool any_private_side(const struct gen *g)
{
    for (uint32_t i = 0; i < g->m->n_regions; i++) {
        if (g->m->regions[i].guest_memfd && !(g->removed >> i & 1))
            return true;
    }
    return false;
}

/* One that is there: mostly with a private side; the others are mapped as they come back. */
static uint32_t region_to_remove(struct gen *g)
{
    uint32_t region = rng_below(&g->r, g->m->n_regions);
    bool plain = rng_percent(&g->r, 30);

    for (uint32_t i = 0; i < g->m->n_regions && rng_percent(&g->r, 92); i++) {
        const struct region_decl *r = &g->m->regions[region];

        if (!(g->removed >> region & 1) &&
            (plain ? !r->guest_memfd && r->kind != REGION_MMIO : r->guest_memfd))
            break;
        region = (region + 1) % g->m->n_regions;
    }
    return region;
}

static void add_remove(struct gen *g)
{
    uint32_t region = region_to_remove(g);
    struct op op;

    op = region_op(g, OP_REMOVE, region);
    gen_add(g, &op);
    g->removed |= UINT32_C(1) << region;
    forget_region(g, region);
    if (g->left > g->faults && g->faults && rng_percent(&g->r, 35)) {
        g->fault_kind = OP_ADD;
        gen_fault(g);
    } else if (gen_has(g, FEATURE_GUARDS) && !any_private_side(g) && rng_percent(&g->r, 70))
        g->next_kind = OP_GUARD; /* now nobody is in the way of it */
    else if (rng_percent(&g->r, 40))
        g->next_kind = OP_ADD;
}

/* Is a fault armed for the op that comes now? */
static bool after_fault(const struct gen *g)
{
    return g->p->n_ops > 0 && g->p->ops[g->p->n_ops - 1].kind == OP_FAULT;
}

static void add_add(struct gen *g)
{
    uint32_t region = rng_below(&g->r, g->m->n_regions);
    bool fails = after_fault(g) && rng_percent(&g->r, 60);
    struct op op;

    if (!g->removed && rng_percent(&g->r, 90)) {
        add_remove(g);
        return;
    }
    for (uint32_t i = 0; i < g->m->n_regions && rng_percent(&g->r, 95); i++) {
        if (g->removed >> region & 1)
            break;
        region = (region + 1) % g->m->n_regions;
    }
    op = region_op(g, OP_ADD, region);
    gen_add(g, &op);
    if (!fails)
        g->removed &= ~(UINT32_C(1) << region);
    else if (gen_has(g, FEATURE_GUARDS) && !any_private_side(g) && rng_percent(&g->r, 70))
        g->next_kind = OP_GUARD; /* what it took it must have given back */
}

static void add_reset(struct gen *g)
{
    struct op op = {.kind = OP_RESET};

    gen_add(g, &op);
    for (uint32_t i = 0; i < g->m->n_regions; i++) {
        g->plugged[i] = 0;
        gen_now_private(g, &(struct gen_part){(uint8_t)i, 0, g->m->regions[i].n_pages});
    }
}

/* ---- others on the host ---- */

static struct gen_part draw_pin(struct gen *g)
{
    uint8_t section = g->ram[rng_below(&g->r, g->n_ram)];
    const struct section_decl *s;
    struct gen_part part = {0};
    uint32_t most;

    if (g->last.n && g->last.section != GEN_NO_SECTION && rng_percent(&g->r, 70) &&
        g->m->regions[g->m->sections[g->last.section].region].guest_memfd)
        section = g->last.section;
    s = &g->m->sections[section];
    part.region = (uint8_t)s->region;
    part.first = rng_below(&g->r, s->n_pages);
    if (section == g->last.section && g->last.n)
        part.first = (uint32_t)(g->last.page - s->gpa_page) + rng_below(&g->r, g->last.n);
    if (part.first >= s->n_pages)
        part.first = s->n_pages - 1;
    most = s->n_pages - part.first;
    part.n = rng_percent(&g->r, 65) ? 1 : rng_between(&g->r, 1, most < 4 ? most : 4);
    g->last = (struct gen_range){s->gpa_page + part.first, part.n, section};
    part.first += s->first_page;
    return part;
}

static void add_pin(struct gen *g)
{
    struct gen_part part = draw_pin(g);

    add_pages_op(g, OP_PIN, &part);
    if (g->n_pins < GEN_PINS_MAX)
        g->pins[g->n_pins++] = part;
    g->around_next = g->convert_next = rng_percent(&g->r, 70);
}

static void add_unpin(struct gen *g)
{
    struct gen_part part;
    uint32_t i;

    if (g->n_pins && rng_percent(&g->r, 94)) {
        i = rng_below(&g->r, g->n_pins);
        part = g->pins[i];
        g->pins[i] = g->pins[--g->n_pins];
    } else {
        part = draw_pin(g);
    }
    add_pages_op(g, OP_UNPIN, &part);
    g->convert_next = rng_percent(&g->r, 40); /* now it may succeed */
}

/* A section of memory that can be private, and that is there: mostly of the last conversion,
 * and one where somebody holds pages back, or nobody does. */
static uint8_t draw_held_section(struct gen *g, bool held)
{
    uint8_t at = (uint8_t)rng_below(&g->r, g->n_ram), section = g->ram[at];

    if (g->last.n && g->last.section != GEN_NO_SECTION && rng_percent(&g->r, 60) &&
        g->m->regions[g->m->sections[g->last.section].region].guest_memfd)
        section = g->last.section;
    for (uint32_t i = 0; i < g->n_ram && rng_percent(&g->r, 92); i++) {
        uint32_t region = g->m->sections[section].region;

        if ((g->held >> region & 1) == held && !(g->removed >> region & 1))
            break;
        at = (uint8_t)((at + 1) % g->n_ram);
        section = g->ram[at];
    }
    return section;
}

/* What is converted next goes around the pages that are held back. */
static void add_source_add(struct gen *g)
{
    uint8_t section = draw_held_section(g, false);
    const struct section_decl *s = &g->m->sections[section];
    struct gen_part part = {.region = (uint8_t)s->region};

    gen_pages(g, s, &part.first, &part.n);
    if (rng_percent(&g->r, 10)) { /* the whole block, wherever it is */
        part.first = 0;
        part.n = g->m->regions[s->region].n_pages;
    }
    add_pages_op(g, OP_SOURCE_ADD, &part);
    g->held |= UINT32_C(1) << s->region;
    g->convert_next = rng_percent(&g->r, 50);
    if (part.first < s->first_page || part.n > s->n_pages)
        return;
    g->last = (struct gen_range){s->gpa_page + (part.first - s->first_page), part.n, section};
    g->around_next = g->convert_next && rng_percent(&g->r, 40);
}

static void add_source_remove(struct gen *g)
{
    uint8_t section = draw_held_section(g, true);
    uint32_t region = g->m->sections[section].region;
    struct op op = region_op(g, OP_SOURCE_REMOVE, region);

    if (!g->held && rng_percent(&g->r, 90)) {
        add_source_add(g);
        return;
    }
    gen_add(g, &op);
    g->held &= ~(UINT32_C(1) << region);
}

static void add_guard(struct gen *g)
{
    struct op op = {.kind = OP_GUARD, .unit = (uint8_t)rng_below(&g->r, GUARD_KIND_COUNT)};
    uint32_t all = (UINT32_C(1) << g->m->n_devices) - 1;

    for (uint32_t i = 0; i < GUARD_KIND_COUNT && rng_percent(&g->r, 50); i++) {
        if (g->guards[op.unit])
            break;
        op.unit = (uint8_t)((op.unit + 1) % GUARD_KIND_COUNT);
    }
    if (g->removed && !any_private_side(g) && rng_percent(&g->r, 70))
        op.unit = GUARD_DISABLE;
    op.value = g->guards[op.unit] ? rng_percent(&g->r, 30) : rng_percent(&g->r, 94);
    gen_add(g, &op);
    if (op.value)
        g->guards[op.unit]++;
    else if (g->guards[op.unit])
        g->guards[op.unit]--;
    if (g->m->n_devices && g->attached != all && rng_percent(&g->r, 40))
        g->next_kind = OP_ATTACH;
}

static void add_migrate(struct gen *g)
{
    struct op op = {.kind = OP_MIGRATE};

    op.value = rng_percent(&g->r, 94) ? !g->migrating : g->migrating;
    gen_add(g, &op);
    g->migrating = op.value;
}

static void add_dirty_sync(struct gen *g)
{
    struct op op = {.kind = OP_DIRTY_SYNC};

    if (!g->migrating && rng_percent(&g->r, 92))
        add_migrate(g);
    else
        gen_add(g, &op);
}

bool gen_life_op(struct gen *g, uint8_t kind)
{
    switch (kind) {
    case OP_PLUG:
    case OP_UNPLUG:
        add_plug(g, kind == OP_PLUG);
        return true;
    case OP_UNPLUG_ALL:
        add_unplug_all(g);
        return true;
    case OP_RESIZE:
        add_resize(g);
        return true;
    case OP_REMOVE:
        add_remove(g);
        return true;
    case OP_ADD:
        add_add(g);
        return true;
    case OP_RESET:
        add_reset(g);
        return true;
    case OP_PIN:
        add_pin(g);
        return true;
    case OP_UNPIN:
        add_unpin(g);
        return true;
    case OP_GUARD:
        add_guard(g);
        return true;
    case OP_SOURCE_ADD:
        add_source_add(g);
        return true;
    case OP_SOURCE_REMOVE:
        add_source_remove(g);
        return true;
    case OP_MIGRATE:
        add_migrate(g);
        return true;
    case OP_DIRTY_SYNC:
        add_dirty_sync(g);
        return true;
    default:
        return false;
    }
}

/* What the program is about is there from the start, mostly. */
void gen_life_start(struct gen *g)
{
    if (gen_has(g, FEATURE_VIRTIO_MEM) && g->left > g->faults && rng_percent(&g->r, 80))
        add_plug(g, true);
    if (gen_has(g, FEATURE_MIGRATION) && g->left > g->faults && rng_percent(&g->r, 40))
        add_migrate(g);
}
