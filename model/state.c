/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The abstract state: who is private or unplugged, who listens to what, and how much would be
 * mapped if every promise were kept. Nothing here looks at what was seen.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/state.h"

bool violate(const struct model *o, struct violation *v, const char *rule, uint32_t slot,
             uint32_t container, const char *format, ...)
{
    va_list args;

    assert(slot == MODEL_NO_PAGE || slot < o->n_slots);
    v->rule = rule;
    v->page = slot == MODEL_NO_PAGE ? MODEL_NO_PAGE : o->info[slot].home;
    v->container = container;
    va_start(args, format);
    vsnprintf(v->detail, sizeof(v->detail), format, args);
    va_end(args);
    return false;
}

const char *errno_name(int error)
{
    const char *name = error > 0 ? strerrorname_np(error) : NULL;

    return error == 0 ? "success" : name ? name : "an unknown error";
}

static void start_virtio_mem(struct model *o, uint32_t region)
{
    const struct region_decl *d = &o->m->regions[region];

    o->vmem[region] =
        (struct vmem_state){d->virtio_mem_pages, d->requested_pages, d->requested_pages, 0};
    for (uint32_t i = 0; d->virtio_mem_pages && i < d->n_pages; i++)
        o->state[o->region_first[region] + i] |= PAGE_UNPLUGGED;
}

/* All of it is private that can be, all virtio-mem unplugged. */
static void start_region(struct model *o, uint32_t region)
{
    uint32_t lo = o->region_first[region], hi = o->region_first[region + 1];

    memset(o->state + lo, o->info[lo].kind & SLOT_GMEM ? PAGE_PRIVATE : 0, hi - lo);
    start_virtio_mem(o, region);
}

static void see_plugged(struct model *o, uint32_t lo, uint32_t hi, bool plugged)
{
    for (uint32_t i = lo; i < hi; i++)
        o->slots[i].seen.is_plugged = plugged;
}

void state_start(struct model *o)
{
    for (uint32_t r = 0; r < o->m->n_regions; r++) {
        start_region(o, r);
        see_plugged(o, o->region_first[r], o->region_first[r + 1], !o->vmem[r].block);
    }
    see_plugged(o, o->n_pages, o->n_slots, true);
    for (uint32_t i = 0; i < o->n_sections; i++)
        if (!(o->info[o->sections[i].home].kind & (SLOT_GMEM | SLOT_MMIO)))
            o->visible_slots += o->sections[i].n_pages;
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        o->containers[i].listen_all = o->m->containers[i].listen_all;
}

/* What is shared and wanted, after one page of guest_memfd got another state. */
static void count_page(struct model *o, uint32_t home, bool was_visible)
{
    bool is_visible = page_is_visible(o, home);

    if (was_visible == is_visible)
        return;
    o->visible_slots += is_visible ? 1 : -1ULL;
    o->visible_gmem += is_visible ? 1 : -1ULL;
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        struct container_state *c = &o->containers[i];

        if (container_hears(c, home)) {
            c->wanted += is_visible ? 1 : -1ULL;
            c->wanted_units += is_visible ? 1 : -1ULL;
        }
    }
}

/* A guest_memfd page gets another state; whatever was on either side is gone, but for hugetlb's
 * shared side of a page that changes sides; in place such a page takes its content along. */
static void set_state(struct model *o, uint32_t home, uint8_t state)
{
    bool was_visible = page_is_visible(o, home);

    assert((o->info[home].kind & (SLOT_GMEM | SLOT_PLACED)) == (SLOT_GMEM | SLOT_PLACED));
    if ((!o->in_place && !(o->info[home].kind & SLOT_HUGE)) ||
        ((o->state[home] ^ state) & PAGE_UNPLUGGED))
        o->tokens[0][home] = 0;
    o->state[home] = state;
    o->tokens[1][home] = 0;
    count_page(o, home, was_visible);
}

static void set_held(struct model *o, uint32_t lo, uint32_t hi, bool held)
{
    for (uint32_t home = lo; home < hi; home++) {
        bool was_visible = page_is_visible(o, home);

        o->state[home] &= (uint8_t)~PAGE_HELD;
        if (held)
            o->state[home] |= PAGE_HELD;
        if (slot_mappable(&o->info[home]))
            count_page(o, home, was_visible);
    }
}

void state_hold(struct model *o, uint32_t region, uint32_t lo, uint32_t hi)
{
    assert(o->held[region].hi == 0 && lo < hi);
    o->held[region] = (struct held_state){lo, hi};
    set_held(o, lo, hi, true);
}

void state_let_go(struct model *o, uint32_t region)
{
    assert(o->held[region].hi);
    set_held(o, o->held[region].lo, o->held[region].hi, false);
    o->held[region] = (struct held_state){0, 0};
}

void state_flip(struct model *o, uint32_t slot)
{
    uint32_t home = o->info[slot].home;

    set_state(o, home, o->state[home] ^ PAGE_PRIVATE);
    if (o->migrating)
        o->state[home] |= PAGE_DIRTY;
}

void state_plug(struct model *o, uint32_t region, uint32_t lo, uint32_t hi)
{
    assert(o->vmem[region].block && !o->migrating);
    for (uint32_t home = lo; home < hi; home++) {
        assert(page_is_unplugged(o, home));
        set_state(o, home, o->state[home] & (PAGE_PRIVATE | PAGE_HELD));
    }
    o->vmem[region].plugged += hi - lo;
}

void state_unplug(struct model *o, uint32_t region, uint32_t lo, uint32_t hi)
{
    assert(o->vmem[region].block && (lo == hi || !o->migrating));
    for (uint32_t home = lo; home < hi; home++) {
        o->vmem[region].plugged -= !page_is_unplugged(o, home);
        set_state(o, home, PAGE_PRIVATE | PAGE_UNPLUGGED | (o->state[home] & PAGE_HELD));
    }
}

/* What the region's slots and sections add to what is shared and wanted comes or goes. */
static void count_region(struct model *o, uint32_t region, bool comes)
{
    uint32_t lo = o->region_first[region], hi = o->region_first[region + 1];
    uint64_t slots, units, gmem = 0, sign = comes ? 1 : -1ULL;
    bool plain = !(o->info[lo].kind & (SLOT_GMEM | SLOT_MMIO));

    state_count(o, lo, hi, &slots, &units);
    if (o->info[lo].kind & SLOT_GMEM)
        gmem = slots;
    o->visible_slots += sign * slots;
    o->visible_gmem += sign * gmem;
    for (uint32_t i = 0; i < o->n_sections && plain; i++)
        if (o->sections[i].region == region)
            o->plain_sections += (uint32_t)sign;
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        struct container_state *c = &o->containers[i];

        if (!c->n_devices || !c->listen_all)
            continue;
        c->wanted += sign * slots;
        c->wanted_units += sign * units;
    }
}

/* Listeners on a part of a region go with it. */
static void forget_listeners(struct model *o, uint32_t lo, uint32_t hi)
{
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        for (uint32_t from = lo, to; from < hi; from = to) {
            const uint8_t *listen = o->containers[i].listen;

            to = from + 1;
            if (!(listen[from] & LISTEN_HEAD))
                continue;
            while (to < hi && listen[to] == LISTEN_IN)
                to++;
            state_unlisten(o, i, from, to);
        }
}

void state_remove(struct model *o, uint32_t region)
{
    uint32_t lo = o->region_first[region], hi = o->region_first[region + 1];

    assert(!region_is_absent(o, region));
    forget_listeners(o, lo, hi);
    count_region(o, region, false);
    for (uint32_t i = 0; i < o->n_slots; i++)
        if (o->info[i].home >= lo && o->info[i].home < hi)
            o->info[i].kind |= SLOT_ABSENT;
    for (uint32_t i = lo; i < hi; i++)
        o->state[i] = 0;
    o->held[region] = (struct held_state){0, 0};
}

void state_add(struct model *o, uint32_t region)
{
    uint32_t lo = o->region_first[region], hi = o->region_first[region + 1];

    assert(region_is_absent(o, region));
    for (uint32_t i = 0; i < o->n_slots; i++)
        if (o->info[i].home >= lo && o->info[i].home < hi)
            o->info[i].kind &= ~(uint32_t)SLOT_ABSENT;
    for (uint32_t i = lo; i < hi; i++)
        o->tokens[0][i] = o->tokens[1][i] = 0;
    start_region(o, region);
    count_region(o, region, true);
}

void state_open(struct model *o, uint32_t container)
{
    struct container_state *c = &o->containers[container];

    assert(c->wanted == 0 && c->wanted_units == 0);
    c->live = true;
    if (c->listen_all) {
        c->wanted = o->visible_slots;
        c->wanted_units = o->visible_gmem + o->plain_sections;
    }
}

void state_close(struct model *o, uint32_t container)
{
    struct container_state *c = &o->containers[container];

    assert(c->n_devices == 0);
    c->live = false;
    c->wanted = 0;
    c->wanted_units = 0;
    if (c->listen_hi > c->listen_lo)
        memset(c->listen + c->listen_lo, 0, c->listen_hi - c->listen_lo);
    c->listen_lo = c->listen_hi = 0;
}

/* One section's part of a listener on [lo, hi). */
static void count_section(const struct model *o, const struct section *s, uint32_t lo,
                          uint32_t hi, uint64_t *slots, uint64_t *entries)
{
    uint32_t from = s->home > lo ? s->home : lo;
    uint32_t to = s->home + s->n_pages < hi ? s->home + s->n_pages : hi;
    uint32_t kind = o->info[s->home].kind;
    uint64_t visible = 0;

    if (from >= to || (kind & (SLOT_MMIO | SLOT_ABSENT)))
        return;
    if (!(kind & SLOT_GMEM)) {
        *slots += to - from;
        *entries += 1;
        return;
    }
    for (uint32_t home = from; home < to; home++)
        visible += page_is_visible(o, home);
    *slots += visible;
    *entries += visible;
}

void state_count(const struct model *o, uint32_t lo, uint32_t hi, uint64_t *slots,
                 uint64_t *entries)
{
    assert(lo <= hi && hi <= o->n_pages);
    *slots = 0;
    *entries = 0;
    for (uint32_t i = 0; i < o->n_sections; i++)
        count_section(o, &o->sections[i], lo, hi, slots, entries);
}

void state_listen(struct model *o, uint32_t container, uint32_t lo, uint32_t hi)
{
    struct container_state *c = &o->containers[container];
    uint64_t slots, entries;

    assert(!c->listen_all && c->live && lo < hi && hi <= o->n_pages);
    state_count(o, lo, hi, &slots, &entries);
    c->wanted += slots;
    c->wanted_units += entries;
    memset(c->listen + lo, LISTEN_IN, hi - lo);
    c->listen[lo] |= LISTEN_HEAD;
    if (c->listen_hi == c->listen_lo) {
        c->listen_lo = lo;
        c->listen_hi = hi;
    }
    c->listen_lo = lo < c->listen_lo ? lo : c->listen_lo;
    c->listen_hi = hi > c->listen_hi ? hi : c->listen_hi;
}

void state_unlisten(struct model *o, uint32_t container, uint32_t lo, uint32_t hi)
{
    struct container_state *c = &o->containers[container];
    uint64_t slots, entries;

    assert(state_is_listener(o, container, lo, hi));
    state_count(o, lo, hi, &slots, &entries);
    assert(c->wanted >= slots && c->wanted_units >= entries);
    c->wanted -= slots;
    c->wanted_units -= entries;
    memset(c->listen + lo, 0, hi - lo);
}

bool state_is_listener(const struct model *o, uint32_t container, uint32_t lo, uint32_t hi)
{
    const struct container_state *c = &o->containers[container];

    assert(lo < hi && hi <= o->n_pages);
    if (c->listen_all || !c->live || !(c->listen[lo] & LISTEN_HEAD))
        return false;
    for (uint32_t i = lo + 1; i < hi; i++)
        if (c->listen[i] != LISTEN_IN)
            return false;
    return hi == o->n_pages || c->listen[hi] != LISTEN_IN;
}
