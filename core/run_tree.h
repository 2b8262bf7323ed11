/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of pages, disjoint, ordered by first page: a treap. A node's priority is a hash of its
 * first page, so the shape of the tree depends on its content alone and not on how it came
 * about. Whether runs that touch are one run, and what a tag says, is its owner's business.
 *
 * Nodes live in one array, numbered from 1 (0: none); it grows in run_tree_grow only, so that
 * inserting never fails. All walks are loops: a guest that picks its pages by their hash gets a
 * deep tree and a slow one, and that is all it gets.
 */
#ifndef CORE_RUN_TREE_H
#define CORE_RUN_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/host.h"

struct run_node {
    uint64_t first, end;       /* [first, end); changed by the functions below only */
    uint32_t child[2], parent; /* numbers of nodes, 0: none */
    uint32_t tag;
};

/* Of the pages [from, to) the run is the first that ends after them. Questions write it, so
 * they want the owner's lock like everything else. */
struct run_memo {
    uint64_t from, to;
    uint32_t run;
};

struct run_tree {
    struct run_node *nodes; /* nodes[0] is no run: first and end 0 */
    struct run_memo memo;   /* the last search */
    uint32_t root, free;
    uint32_t n;    /* runs */
    uint32_t used; /* nodes that ever held one have lower numbers */
    uint32_t capacity;
};

/* At least n_free nodes are free afterwards. 0 or -ENOMEM. */
int run_tree_grow(struct run_tree *t, const struct host *host, uint64_t n_free);
/* Every node is free; the memory stays. */
void run_tree_clear(struct run_tree *t);
void run_tree_destroy(struct run_tree *t, const struct host *host);

/* The first run that ends after this page, 0: none. */
uint32_t run_tree_find(const struct run_tree *t, uint64_t page);
/* The run that begins at `first` must not be there yet; a node must be free. Its number. */
uint32_t run_tree_insert(struct run_tree *t, uint64_t first, uint64_t end, uint32_t tag);
void run_tree_remove(struct run_tree *t, uint32_t i);
/* No other run may begin before the new end. */
void run_tree_set_end(struct run_tree *t, uint32_t i, uint64_t end);

/* Runs that can be inserted. */
static inline uint32_t run_tree_n_free(const struct run_tree *t)
{
    return t->capacity ? t->capacity - 1 - t->n : 0;
}

#endif
