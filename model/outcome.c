/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came of an op: which of the allowed outcomes it claims to be, whether it may be that
 * one, whether the world looks like it; then the abstract state follows.
 */
#include "model/state.h"

/* Debt is what is still there on the other side: remembered as long as it is there. */
static void settle_debt(struct model *o, uint32_t slot)
{
    const struct view_page *now = &o->slots[slot].seen;
    uint32_t home = o->info[slot].home;
    bool is_private = page_is_private(o, home);
    uint32_t other = is_private ? now->shared_frame : now->private_frame;

    if (other && is_private && (o->info[slot].kind & SLOT_HUGE))
        return; /* debt only where a reset left it */
    if (other)
        o->state[home] |= PAGE_DEBT;
    else
        o->state[home] &= (uint8_t)~PAGE_DEBT;
}

/* Pages that changed although they did not change sides: only a first touch, or old debt
 * that went. */
static bool judge_pages_kept(struct model *o, struct violation *v)
{
    for (uint32_t i = 0; i < o->n_changes; i++) {
        const struct page_change *c = &o->changes[i];

        if (!o->plan.goes_on && plan_changes(o, c->slot))
            continue;
        if (plan_plugs(o, c->slot)) /* judged by adopt_plug */
            continue;
        if (!rule_i3_page(o, c->slot, v) || !rule_s6_frames(o, c, v) ||
            !rule_i4_page(o, c->slot, false, v))
            return false;
        settle_debt(o, c->slot);
    }
    return true;
}

static bool judge_mappings(const struct model *o, struct violation *v)
{
    for (uint32_t i = 0; i < o->n_map_changes; i++) {
        const struct map_change *c = &o->map_changes[i];

        if (!rules_i1_i2(o, c->container, c->slot, v))
            return false;
    }
    return rule_i2_counts(o, v);
}

/* An op that succeeded without changing what is mapped, private or open. */
static bool judge_quiet(struct model *o, struct violation *v)
{
    return judge_pages_kept(o, v) && judge_mappings(o, v) && rule_s5_open(o, v);
}

/* Stretches of pages that one drop can have been for, and how many of them left something. */
struct left_behind {
    bool in_stretch; /* the page before may belong to the same drop */
    bool counted;    /* and its stretch has left something */
    uint32_t n;
};

static void count_left(const struct model *o, uint32_t slot, bool dropped,
                       struct left_behind *l)
{
    const struct view_page *now = &o->slots[slot].seen;
    bool keeps = o->plan.to_private && (o->info[slot].kind & SLOT_HUGE);
    bool left = o->plan.to_private ? now->shared_frame && !keeps : now->private_frame != 0;

    if (!dropped) {
        *l = (struct left_behind){.n = l->n};
        return;
    }
    if (!l->in_stretch)
        l->counted = false;
    l->in_stretch = true;
    l->n += left && !l->counted;
    l->counted |= left;
}

static bool convert_page(struct model *o, uint32_t slot, bool debt_allowed,
                         struct left_behind *l, struct violation *v)
{
    bool flipped = page_is_private(o, o->info[slot].home) != o->plan.to_private;
    /* A drop that failed earlier may be tried again together with its neighbours; where it left
     * no frame nobody can see which page it was. */
    bool owed = o->drop_failed;

    if (flipped) {
        state_flip(o, slot);
        o->pages_changed++;
    }
    if (!rule_i3_page(o, slot, v) || !rule_i4_converted(o, slot, flipped, debt_allowed, v))
        return false;
    count_left(o, slot, flipped || owed, l);
    settle_debt(o, slot);
    return true;
}

static bool adopt_convert(struct model *o, uint32_t failed_drops, struct violation *v)
{
    const struct plan *p = &o->plan;
    struct left_behind l = {.n = 0};

    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t from = s->gpa_page > p->lo ? s->gpa_page : p->lo;
        uint64_t to = s->gpa_page + s->n_pages < p->hi ? s->gpa_page + s->n_pages : p->hi;

        l.in_stretch = false;
        if (!(o->info[s->home].kind & SLOT_GMEM))
            continue;
        for (uint64_t page = from; page < to; page++)
            if (!convert_page(o, s->home + (uint32_t)(page - s->gpa_page), failed_drops > 0, &l,
                              v))
                return false;
    }
    return rule_i4_left(o, l.n, failed_drops, v);
}

/* The region is away, or here again as it was declared. */
static bool adopt_region(struct model *o, struct violation *v)
{
    if (o->plan.kind == OP_REMOVE)
        state_remove(o, o->op.region);
    for (uint32_t i = 0; i < o->n_slots; i++)
        if (plan_renews(o, i) && (!rule_i3_page(o, i, v) || !rule_i4_renewed(o, i, false, v)))
            return false;
    return true;
}

static bool reset_page(struct model *o, uint32_t slot, bool debt_allowed, uint32_t *left,
                       bool *in_stretch, struct violation *v)
{
    uint32_t home = o->info[slot].home;

    if (!page_is_private(o, home))
        state_flip(o, slot);
    o->tokens[0][home] = o->tokens[1][home] = 0;
    if (!rule_i3_page(o, slot, v) || !rule_i4_renewed(o, slot, debt_allowed, v))
        return false;
    if (o->slots[slot].seen.shared_frame && !*in_stretch) {
        *in_stretch = true;
        ++*left;
    }
    o->state[home] &= (uint8_t)~PAGE_DEBT;
    if (o->slots[slot].seen.shared_frame)
        o->state[home] |= PAGE_DEBT;
    return true;
}

static void reset_virtio_mem(struct model *o, uint32_t region)
{
    if (!o->vmem[region].block || region_is_absent(o, region))
        return;
    state_unplug(o, region, o->region_first[region], o->region_first[region + 1]);
    o->vmem[region].usable = o->vmem[region].requested;
}

/* All private and empty. One drop a region may have failed. */
static bool adopt_reset(struct model *o, uint32_t failed_drops, struct violation *v)
{
    uint32_t left = 0;

    for (uint32_t r = 0; r < o->m->n_regions; r++) {
        bool in_stretch = false;

        reset_virtio_mem(o, r);
        for (uint32_t i = o->region_first[r]; i < o->region_first[r + 1]; i++)
            if ((o->info[i].kind & SLOT_PLACED) && plan_renews(o, i) &&
                !reset_page(o, i, failed_drops > 0, &left, &in_stretch, v))
                return false;
    }
    return rule_i4_left(o, left, failed_drops, v);
}

/* Everything that was plugged or unplugged; then the abstract state follows. */
static bool adopt_plug(struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;

    if (p->kind == OP_PLUG) {
        for (uint32_t home = p->home_lo; home < p->home_hi; home++)
            if (!rule_v1_plugged(o, home, v))
                return false;
        state_plug(o, o->op.region, p->home_lo, p->home_hi);
    } else {
        if (!rule_v1_unplugged(o, p->home_lo, p->home_hi, failed_drops(r), v))
            return false;
        state_unplug(o, o->op.region, p->home_lo, p->home_hi);
    }
    for (uint32_t home = p->home_lo; home < p->home_hi; home++)
        if (!rule_i3_page(o, home, v))
            return false;
    o->pages_changed += p->home_hi - p->home_lo;
    return true;
}

/* The usable size grows at once, and shrinks when nothing is plugged any more. */
static void adopt_size(struct model *o)
{
    struct vmem_state *s = &o->vmem[o->op.region];

    assert(s->block);
    if (o->plan.kind == OP_RESIZE)
        s->requested = (uint32_t)o->op.value;
    if (o->plan.kind == OP_UNPLUG_ALL || s->requested > s->usable)
        s->usable = s->requested;
}

static bool adopt_migration(struct model *o, const struct op_result *r, struct violation *v)
{
    if (o->plan.kind == OP_DIRTY_SYNC) {
        if (!rule_m1_dirty(o, r, v))
            return false;
        migration_synced(o);
    } else if (o->op.value) {
        migration_start(o);
    } else {
        migration_stop(o);
    }
    return true;
}

static void adopt_device(struct model *o)
{
    uint32_t device = o->op.unit, c = o->m->devices[device].container;
    bool attach = o->op.kind == OP_ATTACH;

    assert(o->attached[device] != attach);
    o->attached[device] = attach;
    if (attach && o->containers[c].n_devices++ == 0)
        state_open(o, c);
    if (!attach && --o->containers[c].n_devices == 0)
        state_close(o, c);
}

/* Outcome 2 or 3a: the target. */
static bool judge_done(struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;

    o->outcome = MODEL_DONE;
    switch (p->kind) {
    case OP_CONVERT:
        if (!p->goes_on && (!rule_pin_converted(o, v) ||
                            !adopt_convert(o, failed_drops(r), v) || !rule_o9_idle(o, r, v)))
            return false;
        break;
    case OP_ATTACH:
    case OP_DETACH:
        adopt_device(o);
        break;
    case OP_UNLISTEN:
        state_unlisten(o, p->container, p->home_lo, p->home_hi);
        break;
    case OP_PLUG:
    case OP_UNPLUG:
    case OP_UNPLUG_ALL:
        if (!adopt_plug(o, r, v))
            return false;
        adopt_size(o);
        break;
    case OP_RESIZE:
        adopt_size(o);
        break;
    case OP_MIGRATE:
    case OP_DIRTY_SYNC:
        if (!adopt_migration(o, r, v))
            return false;
        break;
    case OP_REMOVE:
    case OP_ADD:
        if (!adopt_region(o, v))
            return false;
        break;
    case OP_RESET:
        if (!adopt_reset(o, failed_drops(r), v))
            return false;
        break;
    case OP_GUARD:
        adopt_guard(o);
        break;
    case OP_SOURCE_ADD:
        state_hold(o, o->op.region, p->home_lo, p->home_hi);
        break;
    case OP_SOURCE_REMOVE:
        state_let_go(o, o->op.region);
        break;
    default:
        assert(p->kind == OP_LISTEN && p->candidate);
        break;
    }
    return judge_quiet(o, v) && (!o->runs || rule_o11_partition(o, v)) &&
           rule_i7_status(o, r, v) && rule_v2_response(o, r, v);
}

/* Forgets what model_op_begin had assumed of an op that then failed. */
static void forget_target(struct model *o)
{
    const struct plan *p = &o->plan;

    if (p->candidate && p->kind == OP_ADD)
        state_remove(o, o->op.region);
    else if (p->candidate)
        state_unlisten(o, p->container, p->home_lo, p->home_hi);
    if (p->kind == OP_ATTACH && !p->refused) {
        struct container_state *c = &o->containers[o->m->devices[o->op.unit].container];

        c->live = c->n_devices != 0;
    }
}

/* Outcome 1, 3b or 4: the old state. */
static bool judge_undone(struct model *o, const struct op_result *r, struct violation *v)
{
    bool refused = o->plan.refused && (r->error == o->plan.refused || r->error == 0);
    bool ok;

    o->outcome = refused ? MODEL_REJECTED : MODEL_UNDONE;
    ok = rule_o5_old_state(o, r, v) && rule_s5_open(o, v);
    forget_target(o);
    for (uint32_t i = 0; i < o->n_changes; i++)
        settle_debt(o, o->changes[i].slot);
    return ok && rule_i7_status(o, r, v) && rule_v2_response(o, r, v);
}

static bool judge_request(struct model *o, const struct op_result *r, struct violation *v)
{
    if (r->undelivered)
        return rule_undelivered(o, r, v) && judge_undone(o, r, v);
    if (o->plan.refused)
        return rule_o1_refused(o, r, v) && judge_undone(o, r, v);
    if (r->error == 0)
        return judge_done(o, r, v);
    return rule_failed(o, r, v) && rule_o10_must_stop(o, r, v) && judge_undone(o, r, v);
}

static bool judge_stopped(struct model *o, const struct op_result *r, struct violation *v)
{
    o->outcome = MODEL_STOPPED;
    if (!rule_o7_may_stop(o, r, v))
        return false;
    o->stopped = true;
    return rule_i7_status(o, r, v) && rule_v2_response(o, r, v);
}

static bool judge(struct model *o, const struct op_result *r, struct violation *v)
{
    if (o->stopped) {
        o->outcome = MODEL_STOPPED;
        return rule_o6_after_stop(o, r, v) && rule_v2_response(o, r, v);
    }
    if (!rule_blocked(o, r, v))
        return false;
    if (r->stopped)
        return judge_stopped(o, r, v);
    o->outcome = r->error ? MODEL_REJECTED : MODEL_DONE;
    switch (o->op.kind) {
    case OP_READ:
    case OP_WRITE:
    case OP_DMA_READ:
    case OP_DMA_WRITE:
        return rule_data_op(o, r, v) && judge_quiet(o, v);
    case OP_QUERY:
        return rule_query_op(o, r, v) && judge_quiet(o, v);
    case OP_PIN:
    case OP_UNPIN:
        return rule_pin_op(o, r, v) && judge_quiet(o, v);
    case OP_FAULT:
    case OP_DISARM:
        return judge_quiet(o, v);
    default:
        return judge_request(o, r, v) && rule_guards_op(o, r, v);
    }
}

bool model_op_end(struct model *o, const struct op_result *r, struct violation *v)
{
    bool ok;

    assert(o->phase == PHASE_OP);
    ok = model_after_call(o, v) && judge(o, r, v);
    o->drop_failed |= failed_drops(r) > 0; /* of the ops to come */
    if (o->migrating && r->n_failed)
        migration_failed(o);
    if (!ok && o->plan.kind == OP_ATTACH && !o->plan.refused) { /* whatever came of it */
        struct container_state *c = &o->containers[o->m->devices[o->op.unit].container];

        c->live = c->n_devices != 0;
    }
    o->phase = PHASE_IDLE;
    o->plan.kind = OP_KIND_COUNT; /* between ops nothing may change */
    o->plan.container = CONTAINER_NONE;
    return ok;
}
