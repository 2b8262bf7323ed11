/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver: takes in what is seen, runs the rules at the instants that they are for. */
#include <string.h>

#include "model/state.h"

/* ---- the block ---- */
struct block {
    char *base; /* NULL: only measure */
    size_t used;
};

static void *take(struct block *b, size_t count, size_t size)
{
    size_t at = b->used;

    b->used += (count * size + 15) & ~(size_t)15;
    return b->base ? b->base + at : NULL;
}

/* Hands out the parts of the block. Without a base only the sizes matter. */
static void place(struct block *b, const struct machine *m, struct model *o)
{
    uint32_t n_pages = 0, n_slots = layout_slots(m);

    for (uint32_t i = 0; i < m->n_regions; i++)
        n_pages += m->regions[i].n_pages;
    take(b, 1, sizeof(struct model));
    o->n_pages = n_pages;
    o->n_slots = n_slots;
    o->info = take(b, n_slots, sizeof(*o->info));
    o->slots = take(b, n_slots, sizeof(*o->slots));
    o->state = take(b, n_pages, sizeof(*o->state));
    o->tokens[0] = take(b, n_pages, sizeof(*o->tokens[0]));
    o->tokens[1] = take(b, n_pages, sizeof(*o->tokens[1]));
    if (m->axis[AXIS_mode] == MODE_INPLACE)
        o->pins = take(b, n_pages, sizeof(*o->pins));
    o->changes = take(b, n_slots, sizeof(*o->changes));
    o->dirty = take(b, n_slots, sizeof(*o->dirty));
    o->map_changes = take(b, (size_t)n_slots * m->n_containers, sizeof(*o->map_changes));
    for (uint32_t i = 0; i < m->n_containers; i++) {
        o->containers[i].maps = take(b, n_slots, sizeof(*o->containers[i].maps));
        o->containers[i].listen = take(b, n_pages, sizeof(*o->containers[i].listen));
    }
}

size_t model_size(const struct machine *m)
{
    struct block b = {NULL, 0};
    struct model measure;

    place(&b, m, &measure);
    return b.used;
}

struct model *model_new(void *memory, const struct machine *m)
{
    struct block b = {memory, 0};
    struct model *o = memory;

    assert(((uintptr_t)memory & 15) == 0);
    assert(m->n_regions <= PROGRAM_REGIONS_MAX && m->n_containers <= PROGRAM_CONTAINERS_MAX);
    place(&b, m, o);
    o->m = m;
    o->runs = m->axis[AXIS_mapping] == MAPPING_RUN;
    o->in_place = m->axis[AXIS_mode] == MODE_INPLACE;
    o->page_shift = (uint32_t)__builtin_ctz(layout_page_size(m));
    o->op_serial = 1; /* no mark is set in zeroed memory */
    o->call_serial = 1;
    o->phase = PHASE_BUILDING;
    o->plan.container = CONTAINER_NONE;
    o->plan.kind = OP_KIND_COUNT;
    layout_build(o);
    state_start(o);
    return o;
}

uint32_t model_page_at(const struct model *o, uint64_t gpa_page)
{
    return layout_slot_at(o, gpa_page);
}

uint32_t model_pages_at(const struct model *o, uint64_t gpa_page, uint64_t *n)
{
    return layout_slots_at(o, gpa_page, n);
}

uint64_t model_gpa_page(const struct model *o, uint32_t page)
{
    assert(page < o->n_slots);
    return o->info[page].gpa_page;
}

/* ---- what is seen ---- */
static void mark_dirty(struct model *o, uint32_t slot)
{
    struct slot_state *s = &o->slots[slot];

    o->touched = true;
    if (s->call_mark == o->call_serial)
        return;
    s->call_mark = o->call_serial;
    assert(o->n_dirty < o->n_slots);
    o->dirty[o->n_dirty++] = slot;
}

/* What is done for each page of a row: not worth a call. */
#define PER_PAGE inline __attribute__((always_inline))

/* A frame that was there is another one, or none. */
static bool is_drop(uint32_t old, uint32_t now)
{
    return old && old != now;
}

static __attribute__((noinline)) void
lanes_page_changed(struct model *o, uint32_t page, const struct view_page *old, bool converts)
{
    const struct view_page *now = &o->slots[page].seen;
    bool drops = is_drop(old->shared_frame, now->shared_frame) ||
                 is_drop(old->private_frame, now->private_frame);

    if (o->has_pending)
        return;
    if (drops && !lanes_renew(o, page))
        o->has_pending = !rule_s3_drop(o, page, old, &o->pending);
    if (!o->has_pending && converts && !lanes_change(o, page))
        o->has_pending = !rule_s6_page(o, page, old, &o->pending);
}

/* A page is seen to be no more what it was. Most changes concern one rule or the other: a frame
 * that comes is neither a drop nor a conversion. */
static PER_PAGE void page_changed(struct model *o, uint32_t page, const struct view_page *old,
                                  bool converts)
{
    struct slot_state *s = &o->slots[page];
    bool drops;

    if (o->phase == PHASE_BUILDING) /* judged as a whole when it is ready */
        return;
    mark_dirty(o, page);
    if (o->phase == PHASE_LANES) {
        lanes_page_changed(o, page, old, converts);
        return;
    }
    if (o->phase != PHASE_OP && o->phase != PHASE_IDLE)
        return;
    if (s->op_mark != o->op_serial) {
        s->op_mark = o->op_serial;
        s->change_index = o->n_changes;
        o->changes[o->n_changes++] = (struct page_change){page, *old};
    }
    drops = is_drop(old->shared_frame, s->seen.shared_frame) ||
            is_drop(old->private_frame, s->seen.private_frame);
    if (!o->has_pending)
        o->has_pending = (drops && !rule_s3_drop(o, page, old, &o->pending)) ||
                         (converts && !rule_s6_page(o, page, old, &o->pending));
}

bool model_see_truth(struct model *o, uint32_t page, uint32_t n, const struct view_truth *now)
{
    bool any = false;

    assert(n <= o->n_slots && page <= o->n_slots - n);
    for (uint32_t i = 0; i < n; i++) {
        struct view_page *seen = &o->slots[page + i].seen, old;
        uint32_t shared = now[i].shared_frame, private = now[i].private_frame;
        bool converts = seen->is_private != now[i].is_private;

        if (seen->shared_frame == shared && seen->private_frame == private && !converts)
            continue;
        old = *seen;
        seen->shared_frame = shared;
        seen->private_frame = private;
        seen->is_private ^= converts;
        page_changed(o, page + i, &old, converts);
        any = true;
    }
    return any;
}

void model_see_bits(struct model *o, uint32_t page, uint64_t changed, uint64_t now,
                    bool plugged)
{
    for (; changed; changed &= changed - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(changed);
        struct view_page *seen = &o->slots[page + bit].seen, old;

        assert(page + bit < o->n_slots);
        old = *seen;
        *(plugged ? &seen->is_plugged : &seen->is_populated) = now >> bit & 1;
        page_changed(o, page + bit, &old, true);
    }
}

/* Keeps the counts that the mappings imply. */
static void count_mapping(struct model *o, struct container_state *c, uint32_t slot,
                          bool mapped)
{
    uint64_t step = mapped ? 1 : -1ULL;

    assert(mapped || c->mapped > 0);
    c->mapped += step;
    if (!o->runs && slot_takes_entry(o, c, slot))
        c->entries += step;
}

/* How the pages of a container are cut into mappings is as much a fact as that they are mapped.
 */
static void see_head(struct model *o, uint32_t container, uint32_t slot,
                     const struct view_mapping *now)
{
    struct container_state *c = &o->containers[container];
    const struct view_mapping *old = &c->maps[slot].seen;

    c->entries += (uint64_t)(now->frame && now->head) - (uint64_t)(old->frame && old->head);
    if (now->frame && !o->has_pending && !lanes_move_listeners(o))
        o->has_pending = !rule_s4_ends(o, container, slot, now, &o->pending);
    o->touched |= now->head != old->head;
}

void model_see_mapping(struct model *o, uint32_t container, uint32_t page,
                       const struct view_mapping *now)
{
    struct container_state *c = &o->containers[container];
    struct map_state *s = &c->maps[page];

    assert(container < o->m->n_containers && page < o->n_slots);
    if (o->runs)
        see_head(o, container, page, now);
    if (s->seen.frame == now->frame && (!now->frame || s->seen.access == now->access)) {
        s->seen.head = now->head; /* the partition is no part of M */
        return;
    }
    mark_dirty(o, page);
    if ((o->phase == PHASE_OP || o->phase == PHASE_IDLE) && s->op_mark != o->op_serial) {
        s->op_mark = o->op_serial;
        o->map_changes[o->n_map_changes++] = (struct map_change){container, page, s->seen};
    }
    if (!o->has_pending && now->frame && !lanes_move_listeners(o))
        o->has_pending = !rule_s4_mapping(o, container, page, now, &o->pending);
    if (!o->has_pending && o->phase == PHASE_LANES && !lanes_map(o, page))
        o->has_pending = !rule_s6_mapping(o, container, page, &o->pending);
    if (!o->has_pending && (o->phase == PHASE_OP || o->phase == PHASE_IDLE))
        o->has_pending = !rule_s6_mapping(o, container, page, &o->pending);
    if ((s->seen.frame != 0) != (now->frame != 0))
        count_mapping(o, c, page, now->frame != 0);
    if (o->migrating)
        migration_mapped(o, page);
    s->seen = *now;
}

void model_see_stray(struct model *o, uint32_t container, uint64_t iova_page, bool mapped)
{
    assert(container < o->m->n_containers);
    if (!mapped || o->has_pending)
        return;
    o->touched = true;
    o->has_pending = !rule_s4_stray(o, container, iova_page, &o->pending);
}

void model_see_container(struct model *o, uint32_t container, const struct view_container *now)
{
    assert(container < o->m->n_containers);
    o->containers[container].seen = *now;
    o->touched = true;
}

void model_see_totals(struct model *o, const struct view_totals *now)
{
    o->totals = *now;
    o->touched = true;
}

/* ---- after each host call ---- */
static bool is_shared_side(const struct view_page *page, uint32_t frame)
{
    return frame == page->shared_frame && frame != page->private_frame;
}

/* `in_flight`: in the middle of an op, of which the state that it leaves says less. */
static __attribute__((noinline)) bool check_mapping(const struct model *o, uint32_t container,
                                                    uint32_t slot, bool in_flight,
                                                    struct violation *v)
{
    const struct view_page *page = &o->slots[slot].seen;

    if (!page->is_plugged && !batch_has(o, OP_PLUG) &&
        !rule_s7_unplugged(o, container, slot, v))
        return false;
    if (in_flight && page->is_private && !rule_s1_attribute(o, container, slot, v))
        return false;
    if (is_shared_side(page, o->containers[container].maps[slot].seen.frame))
        return true;
    return rule_s1_mapping(o, container, slot, v) && rule_s2_mapping(o, container, slot, v);
}

/* Most mappings show the shared side of a page that is shared and plugged, as they should. */
static bool is_simple(const struct view_page *page, uint32_t frame, bool in_flight)
{
    return is_shared_side(page, frame) && page->is_plugged && !(in_flight && page->is_private);
}

static PER_PAGE bool check_mappings(const struct model *o, uint32_t slot, bool in_flight,
                                    struct violation *v)
{
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        uint32_t frame = o->containers[i].maps[slot].seen.frame;

        if (frame && !is_simple(&o->slots[slot].seen, frame, in_flight) &&
            !check_mapping(o, i, slot, in_flight, v))
            return false;
    }
    return true;
}

bool model_after_call(struct model *o, struct violation *v)
{
    bool lanes_strict =
        o->phase == PHASE_LANES && (o->in_place || o->m->axis[AXIS_order] == ORDER_UNMAP_FIRST);
    bool in_flight = o->phase == PHASE_OP || lanes_strict, ok = !o->has_pending;

    if (!o->touched || o->phase == PHASE_BUILDING)
        return true;
    o->touched = false;
    if (!ok) {
        o->has_pending = false;
        *v = o->pending;
    }
    for (uint32_t i = 0; ok && i < o->n_dirty; i++)
        ok = check_mappings(o, o->dirty[i], in_flight, v);
    o->n_dirty = 0;
    o->call_serial++;
    return ok && (lanes_move_listeners(o) || batch_has(o, OP_PIN) || batch_has(o, OP_UNPIN) ||
                  rule_s5_counts(o, v));
}

bool model_ready(struct model *o, struct violation *v)
{
    assert(o->phase == PHASE_BUILDING);
    if (o->has_pending) {
        *v = o->pending;
        return false;
    }
    if (!rule_x0_start(o, v))
        return false;
    o->phase = PHASE_IDLE;
    o->touched = false;
    o->n_dirty = 0;
    o->call_serial++;
    return true;
}

/* ---- one op ---- */
void model_op_begin(struct model *o, const struct op *op)
{
    assert(o->phase == PHASE_IDLE && op->kind < OP_KIND_COUNT);
    o->phase = PHASE_OP;
    o->op = *op;
    o->op_serial++;
    o->n_changes = 0;
    o->n_map_changes = 0;
    o->pages_changed = 0;
    o->pre_totals = o->totals;
    plan_op(o, op, &o->plan);
    if (o->stopped || o->plan.refused)
        return;
    if (op->kind == OP_ATTACH)
        o->containers[o->m->devices[op->unit].container].live = true;
    if (op->kind == OP_ADD) {
        state_add(o, op->region);
        o->plan.candidate = true;
    }
    if (op->kind == OP_LISTEN) {
        state_listen(o, o->plan.container, o->plan.home_lo, o->plan.home_hi);
        o->plan.candidate = true;
    }
}

void model_teardown_begin(struct model *o)
{
    o->phase = PHASE_TEARDOWN;
    o->n_pins = 0; /* the others go first */
}

bool model_after_teardown(struct model *o, struct violation *v)
{
    assert(o->phase == PHASE_TEARDOWN);
    return model_after_call(o, v) && rule_i8_leaks(o, v);
}

/* ---- everything, from scratch ---- */
static bool full_slot(const struct model *o, uint32_t slot, struct violation *v)
{
    if (!check_mappings(o, slot, false, v))
        return false;
    for (uint32_t i = 0; i < o->m->n_containers; i++) {
        const struct view_mapping *map = &o->containers[i].maps[slot].seen;

        if (!map->frame && !slot_wanted(o, &o->containers[i], slot))
            continue;
        if (map->frame && !rule_s4_mapping(o, i, slot, map, v))
            return false;
        if (!o->stopped && !rules_i1_i2(o, i, slot, v))
            return false;
    }
    return o->stopped || (rule_i3_page(o, slot, v) && rule_i4_page(o, slot, false, v));
}

bool model_full_check(struct model *o, struct violation *v)
{
    assert(o->phase == PHASE_IDLE);
    o->op_serial++; /* what an op changed is no excuse here */
    o->n_changes = 0;
    o->n_map_changes = 0;
    if (!rule_x1_recount(o, v) || !rule_s5_counts(o, v))
        return false;
    for (uint32_t slot = 0; slot < o->n_slots; slot++)
        if ((!slot_is_plain_private(o, slot) || slot_is_mapped(o, slot)) &&
            !full_slot(o, slot, v))
            return false;
    return o->stopped || rule_s5_open(o, v);
}

/* ---- answers ---- */
enum model_outcome model_outcome(const struct model *o)
{
    return o->outcome;
}

bool model_retry_must_succeed(const struct model *o, const struct op *op)
{
    struct need need;
    struct plan p;

    const uint32_t kinds = 1U << OP_CONVERT | 1U << OP_ATTACH | 1U << OP_DETACH |
                           1U << OP_LISTEN | 1U << OP_UNLISTEN | 1U << OP_REMOVE |
                           1U << OP_ADD | 1U << OP_RESET | 1U << OP_PLUG | 1U << OP_UNPLUG |
                           1U << OP_UNPLUG_ALL | 1U << OP_MIGRATE | 1U << OP_SOURCE_ADD |
                           1U << OP_SOURCE_REMOVE;

    if (o->stopped || !(kinds >> op->kind & 1))
        return false;
    plan_op(o, op, &p);
    if (p.refused || p.free_result)
        return false;
    need = plan_need(o, &p);
    return !need.too_many_entries && !need.too_much_locked && need.in_use == MODEL_NO_PAGE;
}

uint32_t model_pages_changed(const struct model *o)
{
    return o->pages_changed;
}

const uint32_t *model_changed(const struct model *o, uint32_t *n)
{
    assert(o->n_dirty <= o->n_slots);
    *n = o->n_dirty;
    return o->dirty;
}

const struct view_page *model_page(const struct model *o, uint32_t page)
{
    assert(page < o->n_slots);
    return &o->slots[page].seen;
}

const struct view_mapping *model_mapping(const struct model *o, uint32_t container,
                                         uint32_t page)
{
    assert(container < o->m->n_containers && page < o->n_slots);
    return &o->containers[container].maps[page].seen;
}

const char *model_rule_name(uint32_t i)
{
    const char *const names[] = {
        rule_s1,  rule_s2,     rule_s3,   rule_s4,    rule_s5,  rule_s6,           rule_i1,
        rule_i2,  rule_i3,     rule_i4,   rule_i7,    rule_i8,  rule_o1,           rule_o2,
        rule_o3,  rule_o4,     rule_o5,   rule_o6,    rule_o7,  rule_o10,          rule_o9,
        rule_o11, rule_o12,    rule_data, rule_query, rule_pin, rule_blocked_name, rule_x0,
        rule_x1,  rule_expect, rule_s7,   rule_v1,    rule_v2,  rule_m1,           rule_guards,
    };

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}
