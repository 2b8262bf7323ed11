/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a world, its snapshots, and what a caller may set on it. */
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRY_LIMIT_DEFAULT = 65535 };

/* First address for mappings: far from anything real, below the arena. */
#define FIRST_ADDRESS 0x100000000000ull

struct sim_world *sim_world_new(struct sim_arena *arena, const struct sim_config *config)
{
    struct sim_world *w;

    assert(config->page_size >= sizeof(struct kvm_run));
    assert(!(config->page_size & (config->page_size - 1)));
    assert(config->n_groups <= SIM_CONTAINERS_MAX);
    arena_reset(arena);
    w = arena_alloc(arena, sizeof(*w));
    assert(w); /* it is empty */
    w->arena = arena;
    w->config = *config;
    w->page_shift = (uint32_t)__builtin_ctz(config->page_size);
    w->entry_limit = ENTRY_LIMIT_DEFAULT;
    w->fault_rng = config->fault_seed;
    w->mm.next_address = FIRST_ADDRESS;
    w->mm.generation = 1;
    return w;
}

void *sim_world_memory(struct sim_world *w, size_t size)
{
    assert(w->arena);
    return arena_alloc(w->arena, size);
}

void sim_world_on_call(struct sim_world *w, sim_call_fn *fn, void *ctx)
{
    assert(w->arena);
    w->on_call = fn;
    w->on_call_ctx = ctx;
}

void sim_watch_hits(struct sim_world *w, bool on)
{
    assert(w->arena);
    w->watch_hits = on;
}

void sim_set_entry_limit(struct sim_world *w, uint32_t limit)
{
    assert(w->arena);
    w->entry_limit = limit;
}

void sim_name_next_container(struct sim_world *w, uint32_t number)
{
    assert(number < SIM_CONTAINERS_MAX);
    w->next_container_number = number;
}

void sim_lane(struct sim_world *w, uint32_t lane)
{
    struct lane_state *mine, *next;

    assert(lane < SIM_LANES_MAX && !w->early_error && !w->late_error);
    if (lane == w->lane)
        return;
    mine = &w->lanes[w->lane];
    next = &w->lanes[lane];
    *mine = (struct lane_state){w->op_failed, w->entry_limit, w->next_container_number};
    w->op_failed = next->op_failed;
    w->entry_limit = next->entry_limit;
    w->next_container_number = next->next_container_number;
    w->lane = lane;
}

int sim_snapshot_take(struct sim_world *w, struct sim_snapshot *s)
{
    size_t used = arena_used(w->arena);

    assert(s->size <= s->capacity);
    if (used > s->capacity) {
        void *bytes = realloc(s->bytes, used);
        if (!bytes)
            return -ENOMEM;
        s->bytes = bytes;
        s->capacity = used;
    }
    arena_lift_poison(w->arena, used);
    memcpy(s->bytes, w->arena, used);
    arena_restored(w->arena, used);
    s->size = used;
    return 0;
}

void sim_snapshot_restore(struct sim_world *w, const struct sim_snapshot *s)
{
    struct sim_arena *a = w->arena;
    size_t old_used = arena_used(a);

    assert(s->bytes && s->size > 0);
    arena_lift_poison(a, s->size);
    memcpy(a, s->bytes, s->size);
    arena_restored(a, old_used);
    assert(w->arena == a);
}

void sim_snapshot_free(struct sim_snapshot *s)
{
    assert(s->size <= s->capacity);
    free(s->bytes);
    *s = (struct sim_snapshot){0};
}
