/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/campaign.h"

#include <stdio.h>

#include "program/rng.h"
#include "run/vocabulary.h"

enum { PURPOSE_PROGRAM = 0x9406 };

uint64_t campaign_program_seed(uint64_t seed, uint64_t item)
{
    struct rng r = rng_make(seed ^ (item * UINT64_C(0x9e3779b97f4a7c15)), PURPOSE_PROGRAM);

    return rng_next(&r);
}

int campaign_program(const struct campaign *c, uint64_t item, struct program *p)
{
    return generate(p, campaign_program_seed(c->seed, item), &c->options, &run_vocabulary);
}

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    int error = campaign_program(ctx, item, p);

    if (error) {
        result->verdict = VERDICT_HARNESS;
        result->page = MODEL_NO_PAGE;
        snprintf(result->rule, sizeof(result->rule), "harness");
        snprintf(result->detail, sizeof(result->detail), "no memory for the program");
    }
    return error;
}

struct pool_source campaign_source(struct campaign *c, uint64_t first, uint64_t n_items)
{
    return (struct pool_source){
        .ctx = c, .first = first, .n_items = n_items, .load = load, .stop_at_first = true};
}
