/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/explore_table.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "run/pool.h"

enum { LOCKS = 1024 };

struct explore_shared {
    _Atomic uint64_t n;
    atomic_flag locks[LOCKS]; /* by key: who adds or changes a state with such a key */
};

static uint64_t slots_for(uint64_t capacity)
{
    uint64_t n = 64;

    while (n < capacity * 2)
        n *= 2;
    return n;
}

uint64_t table_bytes(uint64_t capacity)
{
    return capacity * sizeof(struct explore_state) + slots_for(capacity) * sizeof(uint32_t);
}

int table_init(struct explore_table *t, uint64_t capacity)
{
    assert(capacity > 0 && capacity < UINT32_MAX / 4);
    *t = (struct explore_table){.capacity = capacity, .n_slots = slots_for(capacity)};
    t->shared = pool_shared_alloc(sizeof(*t->shared));
    t->states = pool_shared_alloc(capacity * sizeof(*t->states));
    t->slots = pool_shared_alloc(t->n_slots * sizeof(*t->slots));
    if (t->shared && t->states && t->slots)
        return 0;
    table_free(t);
    return -ENOMEM;
}

void table_free(struct explore_table *t)
{
    if (t->shared)
        pool_shared_free(t->shared, sizeof(*t->shared));
    if (t->states)
        pool_shared_free(t->states, t->capacity * sizeof(*t->states));
    if (t->slots)
        pool_shared_free(t->slots, t->n_slots * sizeof(*t->slots));
    *t = (struct explore_table){0};
}

uint64_t table_count(const struct explore_table *t)
{
    uint64_t n = atomic_load(&t->shared->n);

    return n < t->capacity ? n : t->capacity;
}

static bool key_is(const struct explore_state *s, const struct explore_key *key)
{
    return s->key.low == key->low && s->key.high == key->high;
}

/* Its slot, or the free one where it would go. */
static uint64_t find_slot(const struct explore_table *t, const struct explore_key *key)
{
    uint64_t at = key->low & (t->n_slots - 1);
    uint32_t number;

    while ((number = atomic_load_explicit(&t->slots[at], memory_order_acquire)) != 0 &&
           !key_is(&t->states[number - 1], key))
        at = (at + 1) & (t->n_slots - 1);
    return at;
}

uint64_t table_find(const struct explore_table *t, const struct explore_key *key)
{
    uint32_t number = atomic_load(&t->slots[find_slot(t, key)]);

    return number ? number - 1 : UINT64_MAX;
}

/* Others may take free slots meanwhile, for other keys. */
static void publish(struct explore_table *t, uint32_t number)
{
    uint64_t at;
    uint32_t free;

    do {
        at = find_slot(t, &t->states[number - 1].key);
        free = 0;
    } while (!atomic_compare_exchange_strong(&t->slots[at], &free, number));
}

static enum table_answer add_locked(struct explore_table *t, const struct explore_key *key,
                                    uint32_t parent, uint64_t order,
                                    const struct explore_step *step, uint64_t level_begin)
{
    uint64_t index = table_find(t, key);
    bool known = index != UINT64_MAX;
    struct explore_state *s;

    if (known && (index < level_begin || t->states[index].order < order))
        return TABLE_KNOWN;
    if (!known) {
        index = atomic_fetch_add(&t->shared->n, 1);
        if (index >= t->capacity)
            return TABLE_FULL;
    }
    s = &t->states[index];
    s->key = *key;
    s->parent = parent;
    s->order = order;
    s->step = *step;
    if (!known)
        publish(t, (uint32_t)index + 1);
    return known ? TABLE_KNOWN : TABLE_NEW;
}

enum table_answer table_add(struct explore_table *t, const struct explore_key *key,
                            uint32_t parent, uint64_t order, const struct explore_step *step,
                            uint64_t level_begin)
{
    atomic_flag *lock = &t->shared->locks[key->high % LOCKS];
    uint64_t index = table_find(t, key);
    enum table_answer answer;

    if (index < level_begin)
        return TABLE_KNOWN; /* nobody changes those: most are */
    while (atomic_flag_test_and_set_explicit(lock, memory_order_acquire))
        sched_yield();
    answer = add_locked(t, key, parent, order, step, level_begin);
    atomic_flag_clear_explicit(lock, memory_order_release);
    return answer;
}

static int by_order(const void *a, const void *b)
{
    const struct explore_state *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

int table_sort(struct explore_table *t, uint64_t begin, uint64_t end)
{
    uint64_t n = end - begin;
    struct explore_state *sorted = malloc(n * sizeof(*sorted) + 1);
    uint64_t *slots = malloc(n * sizeof(*slots) + 1);

    assert(begin <= end && end <= t->capacity);
    if (sorted && slots) {
        memcpy(sorted, &t->states[begin], n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_order);
        for (uint64_t i = 0; i < n; i++) /* while the slots still lead to the old places */
            slots[i] = find_slot(t, &sorted[i].key);
        memcpy(&t->states[begin], sorted, n * sizeof(*sorted));
        for (uint64_t i = 0; i < n; i++)
            atomic_store(&t->slots[slots[i]], (uint32_t)(begin + i + 1));
    }
    n = sorted && slots;
    free(sorted);
    free(slots);
    return n ? 0 : -ENOMEM;
}

void table_restore(struct explore_table *t, uint64_t n)
{
    assert(n <= t->capacity);
    for (uint64_t i = 0; i < t->n_slots; i++)
        atomic_store_explicit(&t->slots[i], 0, memory_order_relaxed);
    for (uint64_t i = 0; i < n; i++)
        publish(t, (uint32_t)i + 1);
    atomic_store(&t->shared->n, n);
}
