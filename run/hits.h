/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of a run at which a fault could have fired, in order, and the faults that each of
 * them can take. The hit that a fault counts is not always the call: some errnos are impossible
 * for some calls (sim_call.cannot).
 */
#ifndef RUN_HITS_H
#define RUN_HITS_H

#include "run/runner.h"
#include "run/watch.h"

struct hit {
    uint32_t op;
    uint32_t nth;       /* of its point in this op: what a fault armed in front of it counts */
    uint32_t nth_picky; /* the same for a fault with the errno that some calls cannot give */
    uint16_t picky;     /* that errno, 0: none so far */
    uint16_t cannot;    /* an errno that it cannot give */
    uint8_t point;
    bool injected; /* a fault fired already */
    bool failed;   /* whoever made it: there is no effect to be late for */
};

struct hits {
    struct watch watch; /* first: the runner is given this */
    bool full;          /* no memory for more */
    uint32_t n, capacity;
    struct hit *list;
    /* Of the op at hand. */
    uint32_t op, n_calls[POINT_COUNT], n_cannot[POINT_COUNT];
    uint16_t picky[POINT_COUNT];
};

void hits_init(struct hits *h);
void hits_free(struct hits *h);

/* Which faults a sweep makes. */
struct fault_choice {
    bool early, late, sticky;
};

/* The i-th fault that the hit can take, as an op in front of the hit's. False: past the end. */
bool hit_fault(const struct hit *h, const struct fault_choice *choice, uint32_t i,
               struct op *fault);
uint32_t hit_faults(const struct hit *h, const struct fault_choice *choice);

#endif
