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
    t->nodes[i] = (struct run_node){.child = {t->free}};
    t->free = i;
    t->n--;
}

static uint32_t take(struct run_tree *t)
{
    uint32_t i = t->free;

    assert(run_tree_n_free(t) > 0); /* else nobody has made room for it */
    t->n++;
    if (i)
        t->free = t->nodes[i].child[0];
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
    t->memo = (struct run_memo){0};
    t->used = t->capacity ? 1 : 0;
}

void run_tree_destroy(struct run_tree *t, const struct host *host)
{
    host_free(host, t->nodes);
    *t = (struct run_tree){.nodes = NULL};
}

/* Most questions are about where the last one was. No branch depends on the way down: which
 * way it goes is anybody's guess. */
uint32_t run_tree_find(const struct run_tree *t, uint64_t page)
{
    const struct run_node *all = t->nodes;
    struct run_memo m = {.to = UINT64_MAX};

    if (page >= t->memo.from && page < t->memo.to)
        return t->memo.run;
    for (uint32_t i = t->root; i;) {
        bool before = all[i].end <= page;

        m.from = before ? all[i].end : m.from;
        m.to = before ? m.to : all[i].end;
        m.run = before ? m.run : i;
        i = all[i].child[before];
    }
    ((struct run_tree *)t)->memo = m;
    return m.run;
}

/* Node `now`, or nothing, hangs where `was` did. */
static void replace(struct run_tree *t, uint32_t was, uint32_t now)
{
    struct run_node *all = t->nodes;
    uint32_t parent = all[was].parent;

    if (parent)
        all[parent].child[all[parent].child[1] == was] = now;
    else
        t->root = now;
    if (now)
        all[now].parent = parent;
}

/* A node and its parent change places; what was between them stays there. */
static void rotate_up(struct run_tree *t, uint32_t i)
{
    struct run_node *all = t->nodes;
    uint32_t parent = all[i].parent;
    bool right = all[parent].child[1] == i;
    uint32_t between = all[i].child[!right];

    assert(parent);
    replace(t, parent, i);
    all[parent].child[right] = between;
    if (between)
        all[between].parent = parent;
    all[i].child[!right] = parent;
    all[parent].parent = i;
}

/* The first, or the last, of a node and all below it. */
static uint32_t outermost(const struct run_tree *t, uint32_t i, bool right)
{
    while (t->nodes[i].child[right])
        i = t->nodes[i].child[right];
    return i;
}

/* The run behind this one, 0: none. */
static uint32_t successor(const struct run_tree *t, uint32_t i)
{
    const struct run_node *all = t->nodes;

    if (all[i].child[1])
        return outermost(t, all[i].child[1], false);
    while (all[i].parent && all[all[i].parent].child[1] == i)
        i = all[i].parent;
    return all[i].parent;
}

/* As a leaf in front of the run behind it, or behind all, and up from there. */
uint32_t run_tree_insert(struct run_tree *t, uint64_t first, uint64_t end, uint32_t tag)
{
    uint32_t next = run_tree_find(t, first), i = take(t), parent = next, side = 0;
    struct run_node *all = t->nodes;
    uint64_t mine = priority(first);

    assert(first < end && (!next || all[next].first >= end));
    if (t->root && (!next || all[next].child[0])) {
        parent = outermost(t, next ? all[next].child[0] : t->root, true);
        side = 1;
    }
    all[i] = (struct run_node){.first = first, .end = end, .parent = parent, .tag = tag};
    if (parent)
        all[parent].child[side] = i;
    else
        t->root = i;
    while (all[i].parent && priority(all[all[i].parent].first) < mine)
        rotate_up(t, i);
    t->memo = (struct run_memo){first, end, i};
    return i;
}

/* Down to where nothing hangs below it. */
void run_tree_remove(struct run_tree *t, uint32_t i)
{
    struct run_node *all = t->nodes;
    uint32_t next = successor(t, i);

    while (all[i].child[0] || all[i].child[1]) {
        uint32_t left = all[i].child[0], right = all[i].child[1];
        bool up = !left || (right && priority(all[right].first) > priority(all[left].first));

        rotate_up(t, all[i].child[up]);
    }
    replace(t, i, 0);
    if (t->memo.run == i) /* what is remembered of another run stays right */
        t->memo = (struct run_memo){t->memo.from, next ? all[next].end : UINT64_MAX, next};
    give_back(t, i);
}

void run_tree_set_end(struct run_tree *t, uint32_t i, uint64_t end)
{
    assert(i && end > t->nodes[i].first);
    t->nodes[i].end = end;
    t->memo = (struct run_memo){0};
}
