/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping=run: how pages are put together to mappings of the kernel, and what follows from that
 * for a request before it is done: which mappings it cuts (split=...), and how many entries its
 * target has. A mapping is a head (view_mapping.head) and what follows it.
 */
#include "model/state.h"

uint32_t slot_before(const struct model *o, uint32_t slot)
{
    const struct slot_info *i = &o->info[slot];

    if (i->kind & SLOT_HEAD)
        return MODEL_NO_PAGE;
    if (slot > 0 && o->info[slot - 1].gpa_page == i->gpa_page - 1)
        return slot - 1;
    return layout_slot_at(o, i->gpa_page - 1);
}

/* The page lies inside a mapping that began before it. */
static bool is_inside(const struct container_state *c, uint32_t slot)
{
    return slot != MODEL_NO_PAGE && c->maps[slot].seen.frame && !c->maps[slot].seen.head;
}

/* Pages of the mapping that a boundary in front of `slot` cuts, before and from it. */
static uint32_t pages_before(const struct model *o, const struct container_state *c,
                             uint32_t slot)
{
    uint32_t n = 0;

    while (is_inside(c, slot)) {
        slot = slot_before(o, slot);
        n++;
    }
    return n;
}

static uint32_t pages_from(const struct model *o, const struct container_state *c,
                           uint32_t slot)
{
    uint32_t n = 0;

    while (is_inside(c, slot)) {
        n++;
        slot = layout_slot_at(o, o->info[slot].gpa_page + 1);
    }
    return n;
}

static bool fits(const struct model *o, uint32_t container, uint64_t more)
{
    const struct container_state *c = &o->containers[container];

    return more == 0 || !entries_are_limited(o) ||
           c->entries + more <= o->m->containers[container].entry_limit;
}

/* A request that unmaps: what of the mappings at its two ends lies outside it. */
static void plan_cuts(const struct model *o, struct plan *p)
{
    uint32_t lo = layout_slot_at(o, p->lo), hi = layout_slot_at(o, p->hi);

    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct container_state *c = &o->containers[i];

        p->cut_head[i] = pages_before(o, c, lo);
        p->cut_tail[i] = pages_from(o, c, hi);
        if (p->cut_head[i] == 0 && p->cut_tail[i] == 0)
            continue;
        if (o->m->axis[AXIS_split] == SPLIT_REFUSE)
            p->refused = EOPNOTSUPP;
        /* One mapping becomes two only if both ends cut the same one. */
        if (p->cut_tail[i] && pages_before(o, c, hi) > p->hi - p->lo && !fits(o, i, 1))
            p->too_many_entries = true;
    }
}

enum { NOT_VISIBLE = PAGE_PRIVATE | PAGE_UNPLUGGED | PAGE_HELD };

/* Pages of a section on their way to being mapped: those that are private and become shared,
 * that are shared and become plugged, that are both and nobody holds back any more; or that are
 * mappable already, where a new listener comes. */
struct stretch {
    const struct section *s;
    uint32_t from, to; /* pages of the section */
    uint8_t state_now; /* which of them: PAGE_PRIVATE, PAGE_UNPLUGGED, PAGE_HELD */
    const struct container_state *c; /* NULL: all of them are heard */
};

/* Runs of them: each takes one mapping. */
static uint64_t count_runs(const struct model *o, const struct stretch *t)
{
    bool before = false;
    uint64_t n = 0;

    for (uint32_t i = t->from; i < t->to; i++) {
        uint32_t slot = layout_section_slot(o, t->s, i), home = o->info[slot].home;
        bool now = (o->state[home] & NOT_VISIBLE) == t->state_now &&
                   (!t->c || container_hears(t->c, home));

        n += now && (!before || (t->c && slot_starts(o, t->c, slot)));
        before = now;
    }
    return n;
}

/* A request on GPA pages [lo, hi), to shared or to plugged. */
static uint64_t runs_to_map(const struct model *o, const struct plan *p,
                            const struct container_state *c)
{
    uint8_t state_now = p->kind == OP_PLUG ? PAGE_UNPLUGGED : PAGE_PRIVATE;
    uint64_t n = 0;

    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t from = s->gpa_page > p->lo ? s->gpa_page : p->lo;
        uint64_t to = s->gpa_page + s->n_pages < p->hi ? s->gpa_page + s->n_pages : p->hi;

        if (from < to && (o->info[s->home].kind & SLOT_GMEM))
            n += count_runs(o, &(struct stretch){s, (uint32_t)(from - s->gpa_page),
                                                 (uint32_t)(to - s->gpa_page), state_now, c});
    }
    return n;
}

/* A new listener on guest pages [lo, hi); or a source that held them back goes, and who hears
 * them is there already. */
static uint64_t runs_to_listen(const struct model *o, uint32_t lo, uint32_t hi,
                               uint8_t state_now, const struct container_state *c)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint32_t from = s->home > lo ? s->home : lo;
        uint32_t to = s->home + s->n_pages < hi ? s->home + s->n_pages : hi;

        if (from < to && !(o->info[s->home].kind & (SLOT_MMIO | SLOT_ABSENT)))
            n +=
                count_runs(o, &(struct stretch){s, from - s->home, to - s->home, state_now, c});
    }
    return n;
}

static void plan_adds(const struct model *o, struct plan *p)
{
    uint64_t pages, n = plan_plain_sections(o, p, &pages);

    for (uint32_t i = 0; i < o->m->n_containers; i++)
        if (o->containers[i].live && o->containers[i].listen_all)
            p->too_many_entries |= !fits(o, i, n);
}

void partition_plan(const struct model *o, struct plan *p)
{
    assert(o->runs && !p->refused);
    switch (p->kind) {
    case OP_CONVERT:
    case OP_PLUG:
    case OP_UNPLUG:
    case OP_UNPLUG_ALL:
        if (p->goes_on || p->container != CONTAINER_ANY)
            return;
        if (plan_makes_private(p))
            plan_cuts(o, p);
        for (uint32_t i = 0; !plan_makes_private(p) && i < o->m->n_containers; i++)
            p->too_many_entries |= !fits(o, i, runs_to_map(o, p, &o->containers[i]));
        break;
    case OP_ATTACH:
        if (p->container < CONTAINER_ANY && o->containers[p->container].listen_all)
            p->too_many_entries =
                !fits(o, p->container, runs_to_listen(o, 0, o->n_pages, 0, NULL));
        break;
    case OP_LISTEN:
        p->too_many_entries =
            !fits(o, p->container, runs_to_listen(o, p->home_lo, p->home_hi, 0, NULL));
        break;
    case OP_SOURCE_ADD:
        plan_cuts(o, p);
        break;
    case OP_SOURCE_REMOVE:
        for (uint32_t i = 0; i < o->m->n_containers; i++)
            p->too_many_entries |= !fits(
                o, i, runs_to_listen(o, p->home_lo, p->home_hi, PAGE_HELD, &o->containers[i]));
        break;
    case OP_ADD: /* a mapping a section of plain memory */
        plan_adds(o, p);
        break;
    default:
        break;
    }
}

bool partition_remaps(const struct model *o, uint32_t container, uint32_t slot)
{
    const struct plan *p = &o->plan;
    const struct slot_info *i = &o->info[slot];

    if (!plan_unmaps(p) || p->refused || o->m->axis[AXIS_split] != SPLIT_REMAP ||
        !(i->kind & SLOT_GMEM) || i->gpa_page == NO_GPA)
        return false;
    if (p->kind == OP_SOURCE_ADD) /* pages of a region may lie anywhere */
        return slot + p->cut_head[container] >= p->home_lo &&
               slot < p->home_hi + p->cut_tail[container];
    return i->gpa_page + p->cut_head[container] >= p->lo &&
           i->gpa_page < p->hi + p->cut_tail[container];
}
