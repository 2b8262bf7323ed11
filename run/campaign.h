/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The random campaign: program number i of a seed, as a source for the pool. */
#ifndef RUN_CAMPAIGN_H
#define RUN_CAMPAIGN_H

#include "program/generate.h"
#include "run/pool.h"

struct campaign {
    uint64_t seed;
    struct generate_options options;
};

/* The seed of program number `item`. */
uint64_t campaign_program_seed(uint64_t seed, uint64_t item);

/* Makes program number `item`. 0 or -ENOMEM. */
int campaign_program(const struct campaign *c, uint64_t item, struct program *p);

struct pool_source campaign_source(struct campaign *c, uint64_t first, uint64_t n_items);

#endif
