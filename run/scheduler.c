/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/scheduler.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/rng.h"

/* PCT wants to know about how long a run is: where it may change its mind. */
enum { PCT_LENGTH = 96 };

static const char rule_l1[] = "L1 deadlock";
static const char rule_l3[] = "L3 lock-order";

void scheduler_init(struct scheduler *s, enum strategy strategy, uint8_t depth, uint64_t seed)
{
    assert(depth <= SCHEDULER_DEPTH_MAX);
    memset(s, 0, sizeof(*s));
    s->strategy = (uint8_t)strategy;
    s->depth = depth;
    s->random = rng_make(seed, RNG_LANES);
    fiber_init_thread(&s->thread);
}

void scheduler_free(struct scheduler *s)
{
    free(s->taken);
    s->taken = NULL;
    s->n_taken = s->cap_taken = 0;
}

void scheduler_follow(struct scheduler *s, const struct choice_run *list, uint32_t n)
{
    s->strategy = STRATEGY_LIST;
    s->list = list;
    s->n_list = n;
}

void scheduler_begin(struct scheduler *s)
{
    s->n_lanes = s->current = 0;
    s->n_taken = s->at = s->used = 0;
    s->decisions = 0;
    s->stopping = false;
    s->rule = NULL;
    for (uint32_t i = 0; s->strategy == STRATEGY_PCT && i < SCHEDULER_DEPTH_MAX; i++)
        s->change_at[i] = i + 1 < s->depth ? 1 + rng_below(&s->random, PCT_LENGTH) : UINT64_MAX;
}

void scheduler_add(struct scheduler *s, const char *name, void *stack, void (*run)(void *arg),
                   void *arg)
{
    struct lane *l = &s->lanes[s->n_lanes];

    assert(s->n_lanes < SCHEDULER_LANES_MAX && s->current == s->n_lanes);
    l->name = name;
    l->waits_for = NULL;
    l->n_held = 0;
    /* Above all that a change of mind gives. */
    l->priority = SCHEDULER_DEPTH_MAX + (rng_next(&s->random) >> 1);
    fiber_init(&l->fiber, stack, FIBER_STACK_SIZE, &s->thread, run, arg);
    s->current = ++s->n_lanes;
}

static bool can_run(const struct scheduler *s, uint32_t lane)
{
    return lane < s->n_lanes && !s->lanes[lane].fiber.done && !s->lanes[lane].waits_for;
}

/* The lane that runs, where it can; or the first one that can; n_lanes: none can. */
static uint32_t stay(const struct scheduler *s)
{
    uint32_t lane = 0;

    if (can_run(s, s->current))
        return s->current;
    while (lane < s->n_lanes && !can_run(s, lane))
        lane++;
    return lane;
}

static uint32_t choose_listed(struct scheduler *s)
{
    uint32_t lane;

    while (s->at < s->n_list && s->used >= s->list[s->at].times) {
        s->at++;
        s->used = 0;
    }
    if (s->at == s->n_list)
        return stay(s);
    s->used++;
    lane = s->list[s->at].lane;
    return can_run(s, lane) ? lane : stay(s);
}

static uint32_t choose_random(struct scheduler *s)
{
    uint32_t able[SCHEDULER_LANES_MAX], n = 0;

    for (uint32_t i = 0; i < s->n_lanes; i++)
        if (can_run(s, i))
            able[n++] = i;
    return n ? able[n == 1 ? 0 : rng_below(&s->random, n)] : s->n_lanes;
}

static uint32_t choose_pct(struct scheduler *s)
{
    uint32_t best = s->n_lanes;

    for (uint32_t i = 0; i + 1 < s->depth; i++)
        if (s->change_at[i] == s->decisions && s->current < s->n_lanes)
            s->lanes[s->current].priority = i;
    for (uint32_t i = 0; i < s->n_lanes; i++)
        if (can_run(s, i) &&
            (best == s->n_lanes || s->lanes[i].priority > s->lanes[best].priority))
            best = i;
    return best;
}

static void record(struct scheduler *s, uint32_t lane)
{
    if (s->n_taken && s->taken[s->n_taken - 1].lane == lane) {
        s->taken[s->n_taken - 1].times++;
        return;
    }
    if (s->n_taken == s->cap_taken) {
        uint32_t more = s->cap_taken ? 2 * s->cap_taken : 64;
        void *bigger = realloc(s->taken, more * sizeof(*s->taken));

        if (!bigger) {
            s->out_of_memory = true;
            return;
        }
        s->taken = bigger;
        s->cap_taken = more;
    }
    s->taken[s->n_taken++] = (struct choice_run){(uint8_t)lane, 1};
}

/* One decision; n_lanes: nobody can go on. */
static uint32_t decide(struct scheduler *s)
{
    uint32_t lane;

    s->decisions++;
    switch (s->strategy) {
    case STRATEGY_RANDOM:
        lane = choose_random(s);
        break;
    case STRATEGY_PCT:
        lane = choose_pct(s);
        break;
    default:
        lane = choose_listed(s);
    }
    if (lane < s->n_lanes)
        record(s, lane);
    return lane;
}

/* From the lane that runs to the one chosen, or to the thread. */
static void go(struct scheduler *s, uint32_t to)
{
    uint32_t self = s->current;
    struct fiber *from = &s->lanes[self].fiber;

    if (to == self)
        return;
    assert(fiber_guard_holds(from));
    s->current = to;
    fiber_switch(from, to < s->n_lanes ? &s->lanes[to].fiber : &s->thread);
    assert(s->current == self);
    if (s->resumed)
        s->resumed(s->ctx, self);
}

void scheduler_point(struct scheduler *s)
{
    if (scheduler_in_lane(s))
        go(s, decide(s));
}

_Noreturn void scheduler_stop(struct scheduler *s)
{
    assert(scheduler_in_lane(s));
    s->stopping = true;
    go(s, s->n_lanes);
    abort(); /* nobody comes back to a lane that was stopped */
}

static const char *lock_name(const struct core_lock *l, char name[32])
{
    static const char *const ranks[] = {
        [LOCK_MACHINE] = "the machine", [LOCK_BLOCK] = "block", [LOCK_CONTAINER] = "container"};

    assert(l->rank >= LOCK_MACHINE && l->rank <= LOCK_CONTAINER);
    if (l->rank == LOCK_MACHINE)
        snprintf(name, 32, "%s", ranks[l->rank]);
    else
        snprintf(name, 32, "%s %u", ranks[l->rank], l->index);
    return name;
}

/* Who holds the lock that the lane waits for, and where it was taken. */
static const char *holder_of(const struct scheduler *s, const struct core_lock *lock,
                             const char **taken_in)
{
    for (uint32_t i = 0; i < s->n_lanes; i++)
        for (uint32_t k = 0; k < s->lanes[i].n_held; k++)
            if (s->lanes[i].held[k].lock == lock) {
                *taken_in = s->lanes[i].held[k].taken_in;
                return s->lanes[i].name;
            }
    *taken_in = "?";
    return "nobody";
}

static void report_deadlock(struct scheduler *s)
{
    size_t used = 0;

    s->rule = rule_l1;
    s->detail[0] = '\0';
    for (uint32_t i = 0; i < s->n_lanes && used < sizeof(s->detail); i++) {
        const struct lane *l = &s->lanes[i];
        const char *taken_in, *holder;
        char name[32];

        if (l->fiber.done || !l->waits_for)
            continue;
        holder = holder_of(s, l->waits_for, &taken_in);
        used += (size_t)snprintf(s->detail + used, sizeof(s->detail) - used,
                                 "%s%s in %s wants %s, held by %s since %s", used ? "; " : "",
                                 l->name, l->waits_in, lock_name(l->waits_for, name), holder,
                                 taken_in);
    }
}

bool scheduler_run(struct scheduler *s)
{
    bool all_done = true;

    assert(s->n_lanes > 0 && s->current == s->n_lanes);
    for (;;) {
        uint32_t lane = s->stopping ? s->n_lanes : decide(s);

        if (lane == s->n_lanes)
            break;
        s->current = lane;
        fiber_switch(&s->thread, &s->lanes[lane].fiber);
        s->current = s->n_lanes;
    }
    for (uint32_t i = 0; i < s->n_lanes; i++)
        all_done &= s->lanes[i].fiber.done;
    if (!all_done && !s->stopping)
        report_deadlock(s);
    for (uint32_t i = 0; i < s->n_lanes; i++)
        if (!s->lanes[i].fiber.done)
            fiber_abandon(&s->lanes[i].fiber);
    return all_done && !s->rule;
}

/* ---- locks ---- */
static void check_order(struct scheduler *s, const struct lane *l, const struct core_lock *lock,
                        const char *caller)
{
    for (uint32_t i = 0; i < l->n_held && !s->rule; i++) {
        const struct core_lock *held = l->held[i].lock;
        const char *taken_in = l->held[i].taken_in;
        char wanted_name[32], held_name[32];

        if (held->rank < lock->rank ||
            (held->rank == lock->rank && held->index < lock->index && lock != held))
            continue;
        s->rule = rule_l3;
        snprintf(s->detail, sizeof(s->detail), "%s in %s takes %s while it holds %s, since %s",
                 l->name, caller, lock_name(lock, wanted_name), lock_name(held, held_name),
                 taken_in);
    }
}

static void lane_lock(void *ctx, struct core_lock *lock, const char *caller)
{
    struct scheduler *s = ctx;
    struct lane *l;

    if (!scheduler_in_lane(s))
        return;
    l = &s->lanes[s->current];
    check_order(s, l, lock, caller);
    if (s->rule)
        scheduler_stop(s);
    scheduler_point(s);
    while (lock->held) {
        l->waits_for = lock;
        l->waits_in = caller;
        go(s, decide(s));
        l->waits_for = NULL;
    }
    assert(l->n_held < SCHEDULER_LOCKS_MAX);
    l->held[l->n_held].lock = lock;
    l->held[l->n_held++].taken_in = caller;
}

static void lane_unlock(void *ctx, struct core_lock *lock, const char *caller)
{
    struct scheduler *s = ctx;
    struct lane *l;
    uint32_t i = 0;

    (void)caller;
    if (!scheduler_in_lane(s))
        return;
    l = &s->lanes[s->current];
    while (i < l->n_held && l->held[i].lock != lock)
        i++;
    assert(i < l->n_held); /* whoever took it gives it back */
    l->held[i] = l->held[--l->n_held];
    for (i = 0; i < s->n_lanes; i++)
        if (s->lanes[i].waits_for == lock)
            s->lanes[i].waits_for = NULL;
    scheduler_point(s);
}

static void lane_nothing(void *ctx, struct core_lock *lock)
{
    (void)ctx, (void)lock;
}

const struct sync_ops scheduler_sync_ops = {
    .init = lane_nothing,
    .destroy = lane_nothing,
    .lock = lane_lock,
    .unlock = lane_unlock,
};
