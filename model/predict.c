/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision table (behaviour.md 3.1 as amended by design.md section 4; core/vmm.h for the
 * other calls), from the program and the abstract state alone: is the op refused, what may it
 * change, would its target fit?
 */
#include <stddef.h>
#include <string.h>

#include "model/state.h"

/* What a range of guest physical pages consists of. */
struct mix {
    uint64_t gmem; /* pages */
    bool plain;    /* some RAM or ROM that cannot be private */
};

static struct mix range_mix(const struct model *o, uint64_t lo, uint64_t hi)
{
    struct mix mix = {0};

    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t from = s->gpa_page > lo ? s->gpa_page : lo;
        uint64_t to = s->gpa_page + s->n_pages < hi ? s->gpa_page + s->n_pages : hi;
        uint32_t kind = o->info[s->home].kind;

        if (from >= to || (kind & SLOT_ABSENT))
            continue;
        if (kind & SLOT_GMEM)
            mix.gmem += to - from;
        else if (!(kind & SLOT_MMIO))
            mix.plain = true;
    }
    return mix;
}

/* A guest access exits only when the attribute is not what the access wants. */
static bool attribute_is(const struct model *o, uint64_t gpa_page, bool is_private)
{
    uint32_t slot = layout_slot_at(o, gpa_page);

    return (slot != MODEL_NO_PAGE && page_is_private(o, o->info[slot].home)) == is_private;
}

/* The one guest page that the op is about, where there is one. */
static void plan_page_at(const struct model *o, uint64_t gpa_page, struct plan *p)
{
    p->slot = layout_slot_at(o, gpa_page);
    if (p->slot != MODEL_NO_PAGE) {
        p->home_lo = o->info[p->slot].home;
        p->home_hi = p->home_lo + 1;
    }
}

static void plan_convert(const struct model *o, const struct op *op, struct plan *p)
{
    uint64_t mask = (1ULL << o->page_shift) - 1, gpa = layout_op_gpa(o, op);
    struct mix mix;

    p->to_private = op->to_private;
    if (((gpa | op->size) & mask) || op->size == 0 || gpa + op->size < gpa) {
        p->refused = EINVAL;
        /* The kernel answers such a hypercall itself: nobody is asked. */
        p->free_result = op->via == VIA_HYPERCALL;
        return;
    }
    p->container = CONTAINER_ANY;
    p->lo = gpa >> o->page_shift;
    p->hi = p->lo + (op->size >> o->page_shift);
    if (op->via == VIA_FAULT && attribute_is(o, p->lo, p->to_private)) {
        p->goes_on = true;
        plan_page_at(o, p->lo, p);
        return;
    }
    mix = range_mix(o, p->lo, p->hi);
    if (p->to_private ? mix.gmem != p->hi - p->lo : mix.plain)
        p->refused = EINVAL;
}

static void plan_one_page(const struct model *o, const struct op *op, struct plan *p)
{
    uint64_t gpa = layout_op_gpa(o, op);

    p->slot = MODEL_NO_PAGE;
    if (gpa == NO_GPA && op->region != OP_NO_REGION) {
        p->free_result = true; /* it has no address to be reached at */
        return;
    }
    plan_page_at(o, gpa >> o->page_shift, p);
    /* Nothing is promised to a guest that touches unplugged memory; a device cannot. */
    if (p->slot != MODEL_NO_PAGE && page_is_unplugged(o, p->home_lo))
        p->free_result = op->kind == OP_READ || op->kind == OP_WRITE;
}

static void plan_device(const struct model *o, const struct op *op, struct plan *p)
{
    bool attach = op->kind == OP_ATTACH;
    uint32_t c = o->m->devices[op->unit].container;

    assert(op->unit < o->m->n_devices && c < o->m->n_containers);
    if (o->attached[op->unit] == attach) {
        p->refused = attach ? EEXIST : ENOENT;
        return;
    }
    p->refused = attach ? guard_refuses(o, GUARD_UNCOORDINATED_DISABLE) : 0;
    if (p->refused)
        return;
    /* Only the first and the last device of a container change what is mapped. */
    if (o->containers[c].n_devices == (attach ? 0 : 1)) {
        p->container = c;
        p->home_hi = o->n_pages;
    }
}

/* A range that a listener can have: inside one region, RAM, every page at some address. */
static bool range_is_placed(const struct model *o, uint32_t lo, uint32_t hi)
{
    for (uint32_t i = lo; i < hi; i++)
        if (!slot_mappable(&o->info[i]))
            return false;
    return true;
}

static bool hears_any(const struct container_state *c, uint32_t lo, uint32_t hi)
{
    if (c->listen_all)
        return true;
    for (uint32_t i = lo; i < hi; i++)
        if (c->listen[i])
            return true;
    return false;
}

static void plan_listener(const struct model *o, const struct op *op, struct plan *p)
{
    const struct container_state *c = &o->containers[op->unit];
    uint32_t lo = 0, hi = 0;
    bool valid = layout_range(o, op->region, op->start, op->size, &lo, &hi);

    assert(op->unit < o->m->n_containers);
    if (valid && region_is_absent(o, op->region))
        p->refused = EINVAL;
    else if (op->kind == OP_UNLISTEN)
        p->refused = valid && state_is_listener(o, op->unit, lo, hi) ? 0 : ENOENT;
    else if (!valid || !range_is_placed(o, lo, hi))
        p->refused = EINVAL;
    else if (!c->live)
        p->refused = ENODEV;
    else if (hears_any(c, lo, hi))
        p->refused = EEXIST;
    if (!p->refused) {
        p->container = op->unit;
        p->home_lo = lo;
        p->home_hi = hi;
    }
}

static void plan_query(const struct model *o, const struct op *op, struct plan *p)
{
    if (!layout_range(o, op->region, op->start, op->size, &p->home_lo, &p->home_hi) ||
        region_is_absent(o, op->region))
        p->refused = EINVAL;
}

static void plan_region(const struct model *o, const struct op *op, struct plan *p)
{
    bool absent = region_is_absent(o, op->region);

    if (op->kind == OP_REMOVE && absent)
        p->refused = ENOENT;
    else if (op->kind == OP_ADD && !absent)
        p->refused = EEXIST;
    else if (o->migrating)
        p->refused = EBUSY;
    else if (op->kind == OP_ADD && o->m->regions[op->region].guest_memfd)
        p->refused = guard_refuses(o, GUARD_COORDINATED_REQUIRE);
    if (!p->refused)
        p->container = CONTAINER_ANY;
    p->home_lo = o->region_first[op->region];
    p->home_hi = o->region_first[op->region + 1];
}

static void plan_reset(const struct model *o, struct plan *p)
{
    if (o->migrating)
        p->refused = EBUSY;
    p->container = CONTAINER_ANY;
    p->home_hi = o->n_pages;
}

void plan_op(const struct model *o, const struct op *op, struct plan *p)
{
    memset(p, 0, offsetof(struct plan, cut_head));
    if (o->runs) /* nobody else looks at the cuts */
        memset(p->cut_head, 0, sizeof(*p) - offsetof(struct plan, cut_head));
    p->kind = op->kind;
    p->container = CONTAINER_NONE;
    p->slot = MODEL_NO_PAGE;
    if (o->stopped)
        return;
    switch (op->kind) {
    case OP_CONVERT:
        plan_convert(o, op, p);
        break;
    case OP_READ:
    case OP_WRITE:
    case OP_DMA_READ:
    case OP_DMA_WRITE:
        plan_one_page(o, op, p);
        break;
    case OP_ATTACH:
    case OP_DETACH:
        plan_device(o, op, p);
        break;
    case OP_LISTEN:
    case OP_UNLISTEN:
        plan_listener(o, op, p);
        break;
    case OP_QUERY:
        plan_query(o, op, p);
        break;
    case OP_PIN:
    case OP_UNPIN:
        if (!layout_range(o, op->region, op->start, op->size, &p->home_lo, &p->home_hi))
            p->refused = EINVAL;
        break;
    case OP_REMOVE:
    case OP_ADD:
        plan_region(o, op, p);
        break;
    case OP_RESET:
        plan_reset(o, p);
        break;
    case OP_GUARD:
        plan_guard(o, op, p);
        break;
    case OP_PLUG:
    case OP_UNPLUG:
        plan_plug(o, op, p);
        break;
    case OP_UNPLUG_ALL:
        plan_unplug_all(o, op, p);
        break;
    case OP_RESIZE:
        plan_resize(o, op, p);
        break;
    case OP_MIGRATE:
    case OP_DIRTY_SYNC:
        plan_migrate(o, op, p);
        break;
    case OP_SOURCE_ADD:
    case OP_SOURCE_REMOVE:
        plan_source(o, op, p);
        break;
    default: /* OP_FAULT, OP_DISARM: nothing is asked of the subject */
        break;
    }
    if (o->runs && !p->refused)
        partition_plan(o, p);
}

static bool plan_converts(const struct model *o, uint32_t slot)
{
    const struct plan *p = &o->plan;
    const struct slot_info *i = &o->info[slot];

    return p->kind == OP_CONVERT && (i->kind & (SLOT_GMEM | SLOT_ABSENT)) == SLOT_GMEM &&
           i->gpa_page >= p->lo && i->gpa_page < p->hi;
}

bool plan_plugs(const struct model *o, uint32_t slot)
{
    const struct plan *p = &o->plan;

    return (p->kind == OP_PLUG || p->kind == OP_UNPLUG || p->kind == OP_UNPLUG_ALL) &&
           o->info[slot].home >= p->home_lo && o->info[slot].home < p->home_hi;
}

bool plan_renews(const struct model *o, uint32_t slot)
{
    const struct plan *p = &o->plan;
    uint32_t home = o->info[slot].home;

    if (p->refused)
        return false;
    if (p->kind == OP_RESET)
        return (o->info[slot].kind & (SLOT_GMEM | SLOT_ABSENT)) == SLOT_GMEM;
    return (p->kind == OP_REMOVE || p->kind == OP_ADD) && home >= p->home_lo &&
           home < p->home_hi;
}

bool plan_changes(const struct model *o, uint32_t slot)
{
    return plan_converts(o, slot) || plan_renews(o, slot) ||
           (o->plan.kind != OP_PLUG && plan_plugs(o, slot));
}

bool plan_maps(const struct model *o, uint32_t container, uint32_t slot)
{
    const struct plan *p = &o->plan;

    if (p->kind == OP_CONVERT)
        return plan_converts(o, slot) || (o->runs && partition_remaps(o, container, slot));
    if (plan_plugs(o, slot) || (o->runs && partition_remaps(o, container, slot)))
        return true;
    if (p->container == CONTAINER_ANY && !plan_is_source(p))
        return plan_renews(o, slot);
    return (p->container == container || p->container == CONTAINER_ANY) &&
           o->info[slot].home >= p->home_lo && o->info[slot].home < p->home_hi;
}

bool plan_touches(const struct model *o, uint32_t slot)
{
    const struct plan *p = &o->plan;
    uint32_t home = o->info[slot].home;

    switch (p->kind) {
    case OP_CONVERT: /* an access that does not exit touches its page */
        return plan_converts(o, slot) ||
               (p->goes_on && home >= p->home_lo && home < p->home_hi);
    case OP_READ:
    case OP_WRITE:
    case OP_PIN:
        return home >= p->home_lo && home < p->home_hi;
    case OP_PLUG:
        return plan_plugs(o, slot);
    case OP_ATTACH:
    case OP_LISTEN: /* a page is touched through one address and seen at all of them */
        return home >= p->home_lo && home < p->home_hi && p->container < CONTAINER_ANY &&
               container_hears(&o->containers[p->container], home);
    case OP_SOURCE_REMOVE: /* mapping a page touches it */
        return home >= p->home_lo && home < p->home_hi;
    case OP_ADD: /* memory that is mapped at once */
        return plan_renews(o, slot) && !(o->info[slot].kind & SLOT_GMEM);
    default:
        return false;
    }
}

bool plan_touches_huge(const struct model *o, uint32_t slot)
{
    bool to_shared = o->plan.kind == OP_CONVERT && !o->plan.to_private;
    uint32_t lo, hi;

    if (!(o->info[slot].kind & SLOT_HUGE))
        return false;
    layout_huge_page(o, o->info[slot].home, &lo, &hi);
    for (uint32_t i = lo; i < hi; i++)
        if ((to_shared || !page_is_private(o, i)) && plan_touches(o, i))
            return true;
    return false;
}

/* Pages that the conversion would make shared, counted for each container that hears it. */
static void count_populated(const struct model *o, const struct plan *p, uint64_t *more)
{
    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t from = s->gpa_page > p->lo ? s->gpa_page : p->lo;
        uint64_t to = s->gpa_page + s->n_pages < p->hi ? s->gpa_page + s->n_pages : p->hi;

        if (!(o->info[s->home].kind & SLOT_GMEM))
            continue;
        for (uint64_t page = from; page < to; page++) {
            uint32_t home = s->home + (uint32_t)(page - s->gpa_page);

            if (!page_is_private(o, home) || (o->state[home] & (PAGE_UNPLUGGED | PAGE_HELD)))
                continue;
            for (uint32_t c = 0; c < o->m->n_containers; c++)
                more[c] += container_hears(&o->containers[c], home);
        }
    }
}

uint64_t plan_plain_sections(const struct model *o, const struct plan *p, uint64_t *pages)
{
    uint64_t n = 0;

    *pages = 0;
    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];

        if (s->home < p->home_lo || s->home >= p->home_hi ||
            (o->info[s->home].kind & (SLOT_GMEM | SLOT_MMIO)))
            continue;
        *pages += s->n_pages;
        n++;
    }
    return n;
}

struct need plan_need(const struct model *o, const struct plan *p)
{
    uint64_t pages[PROGRAM_CONTAINERS_MAX] = {0}, entries[PROGRAM_CONTAINERS_MAX] = {0};
    uint64_t total = 0, more = 0;
    struct need need = {.too_many_entries = p->too_many_entries, .in_use = MODEL_NO_PAGE};

    assert(!p->refused);
    if (o->n_pins && plan_makes_private(p))
        need.in_use = pin_in_the_way(o, p->lo, p->hi);
    if (p->kind == OP_CONVERT && !p->to_private && !p->goes_on) {
        count_populated(o, p, pages);
        count_populated(o, p, entries);
    } else if (p->kind == OP_ATTACH && p->container < CONTAINER_ANY &&
               o->containers[p->container].listen_all) {
        pages[p->container] = o->visible_slots;
        entries[p->container] = o->visible_gmem + o->plain_sections;
    } else if (p->kind == OP_ADD) {
        for (uint32_t i = 0; i < o->m->n_containers; i++)
            if (o->containers[i].live && o->containers[i].listen_all)
                entries[i] = plan_plain_sections(o, p, &pages[i]);
    } else if (p->kind == OP_PLUG) {
        plan_count_plugged(o, p, pages);
        plan_count_plugged(o, p, entries);
    } else if (p->kind == OP_SOURCE_REMOVE) {
        plan_count_held(o, p, pages);
        plan_count_held(o, p, entries);
    } else if (p->kind == OP_LISTEN) {
        state_count(o, p->home_lo, p->home_hi, &pages[p->container], &entries[p->container]);
    }
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];
        bool is_counted = p->candidate && (i == p->container || p->kind == OP_ADD);
        uint64_t counted = is_counted ? entries[i] : 0;

        if (!o->runs && entries[i] && entries_are_limited(o) &&
            c->wanted_units - counted + entries[i] > o->m->containers[i].entry_limit)
            need.too_many_entries = true;
        more += pages[i];
        total += c->wanted - (is_counted ? pages[i] : 0);
    }
    if (more && o->m->memlock_pages && total + more > o->m->memlock_pages)
        need.too_much_locked = true;
    return need;
}
