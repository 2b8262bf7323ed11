/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/run_tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { CAPACITY_FIRST = 32 };

/* One to one, so two runs never have the same priority. */
static uint64_t priority(uint64_t first)
{
    first = (first ^ first >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    first = (first ^ first >> 27) * UINT64_C(0x94d049bb133111eb);
    return first ^ first >> 31;
}

static void give_back(struct run_tree *t, uint32_t i)
{
    assert(i > 0 && i < t->used && t->n > 0);
    t->nodes[i] = (struct run_node){.left = t->free};
    t->free = i;
    t->n--;
}

static uint32_t take(struct run_tree *t)
{
    uint32_t i = t->free;

    assert(run_tree_n_free(t) > 0); /* else nobody has made room for it */
    t->n++;
    if (i)
        t->free = t->nodes[i].left;
    else
        i = t->used++;
    assert(i > 0 && i < t->capacity);
    return i;
}

int run_tree_grow(struct run_tree *t, const struct host *host, uint64_t n_free)
{
    uint64_t want = 1 + (uint64_t)t->n + n_free; /* number 0 is none */
    uint64_t more = 2 * (uint64_t)t->capacity;

    if (want <= t->capacity)
        return 0;
    more = more > want ? more : want;
    more = more > CAPACITY_FIRST ? more : CAPACITY_FIRST;
    struct run_node *bigger =
        more <= UINT32_MAX ? host_alloc(host, more * sizeof *bigger) : NULL;
    if (!bigger)
        return -ENOMEM;
    if (t->capacity)
        memcpy(bigger, t->nodes, t->used * sizeof *bigger);
    host_free(host, t->nodes);
    t->nodes = bigger;
    t->used = t->used ? t->used : 1;
    t->capacity = (uint32_t)more;
    return 0;
}

void run_tree_clear(struct run_tree *t)
{
    t->root = t->free = t->n = 0;
    t->used = t->capacity ? 1 : 0;
}

void run_tree_destroy(struct run_tree *t, const struct host *host)
{
    host_free(host, t->nodes);
    *t = (struct run_tree){.nodes = NULL};
}

uint32_t run_tree_find(const struct run_tree *t, uint64_t page)
{
    uint32_t i = t->root, best = 0;

    while (i) {
        const struct run_node *run = &t->nodes[i];

        if (run->end <= page) {
            i = run->right;
            continue;
        }
        best = i;
        if (run->first <= page)
            break;
        i = run->left;
    }
    return best;
}

/* The new node takes the place of the first one below it in priority, whose tree it gets, cut
 * in two. */
uint32_t run_tree_insert(struct run_tree *t, uint64_t first, uint64_t end, uint32_t tag)
{
    struct run_node *all = t->nodes;
    uint64_t mine = priority(first);
    uint32_t i = take(t), *link = &t->root, rest;

    assert(first < end);
    while (*link && priority(all[*link].first) > mine)
        link = first < all[*link].first ? &all[*link].left : &all[*link].right;
    rest = *link;
    *link = i;
    all[i] = (struct run_node){.first = first, .end = end, .tag = tag};
    uint32_t *left = &all[i].left, *right = &all[i].right;
    while (rest) {
        uint32_t **side = all[rest].first < first ? &left : &right;

        **side = rest;
        *side = side == &left ? &all[rest].right : &all[rest].left;
        rest = **side;
    }
    *left = *right = 0;
    return i;
}

/* Its two subtrees become one. */
void run_tree_remove(struct run_tree *t, uint32_t i)
{
    struct run_node *all = t->nodes;
    uint32_t *link = &t->root, left = all[i].left, right = all[i].right;

    while (*link != i)
        link = all[i].first < all[*link].first ? &all[*link].left : &all[*link].right;
    while (left && right) {
        if (priority(all[left].first) > priority(all[right].first)) {
            *link = left;
            link = &all[left].right;
            left = *link;
        } else {
            *link = right;
            link = &all[right].left;
            right = *link;
        }
    }
    *link = left ? left : right;
    give_back(t, i);
}
