/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain machine that checked ops are measured on: 64 pages, one vCPU (in a program of one
 * lane more of them only add to set-up), one container with its devices, no feature; programs
 * of 16 ops.
 */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include "run/campaign.h"

/* Every axis at its first value but order and failure, which are drawn; layouts are, too. */
static inline void plain_campaign(struct campaign *c)
{
    *c = (struct campaign){.seed = 1};
    generate_defaults(&c->options);
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (i != AXIS_order && i != AXIS_failure)
            c->options.axis[i] = 0;
    for (uint32_t i = 0; i < FEATURE_COUNT; i++)
        c->options.feature[i] = 0;
    c->options.n_pages = 64;
    c->options.n_ops = 16;
    c->options.n_containers = 1;
    c->options.n_vcpus = 1;
    c->options.conversions = 35;
    c->options.faults = 0;
}

#endif
