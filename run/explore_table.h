/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states that were met, in memory that all workers share. In the end nothing depends on who
 * met a state first: of several ways of one level the first in order holds.
 */
#ifndef RUN_EXPLORE_TABLE_H
#define RUN_EXPLORE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "program/op.h"

enum { EXPLORE_FAULTS_MAX = 2 };

/* One op, with the faults that are armed in front of it. */
struct explore_step {
    uint16_t op; /* of the alphabet */
    uint8_t n_faults;
    struct explore_fault {
        uint8_t point, late;
        uint16_t error;
        uint32_t nth;
    } faults[EXPLORE_FAULTS_MAX];
};

struct explore_key {
    uint64_t low, high;
};

struct explore_state {
    struct explore_key key;
    uint64_t order; /* of the step among all of its level */
    uint32_t parent;
    struct explore_step step;
    /* Once it is expanded: */
    bool expanded, has_sample;
    uint32_t transitions;
    uint64_t successors;        /* a hash of the set of them */
    struct explore_step sample; /* leads to a state that was known, sample_key */
    struct explore_key sample_key;
    struct explore_step at; /* what is tried now */
};

struct explore_table {
    struct explore_shared *shared;
    struct explore_state *states; /* [0] is the start, its own parent */
    _Atomic uint32_t *slots;      /* open addressing, number of a state + 1 */
    uint64_t capacity, n_slots;
};

enum table_answer { TABLE_NEW, TABLE_KNOWN, TABLE_FULL };

/* Memory for so many states. */
uint64_t table_bytes(uint64_t capacity);
/* 0 or -ENOMEM. Memory is reserved, not yet used. */
int table_init(struct explore_table *t, uint64_t capacity);
void table_free(struct explore_table *t);
uint64_t table_count(const struct explore_table *t);

/* Any worker, at any time. States before level_begin are as they are; one of this level is
 * given the step if that is earlier in order. */
enum table_answer table_add(struct explore_table *t, const struct explore_key *key,
                            uint32_t parent, uint64_t order, const struct explore_step *step,
                            uint64_t level_begin);
/* UINT64_MAX: not there. */
uint64_t table_find(const struct explore_table *t, const struct explore_key *key);

/* No worker runs: states [begin, end) are put in order. 0 or -ENOMEM. */
int table_sort(struct explore_table *t, uint64_t begin, uint64_t end);

/* No worker runs: the table is of the first n of t->states. */
void table_restore(struct explore_table *t, uint64_t n);

#endif
