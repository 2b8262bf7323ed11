/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checked ops a second on one core: random programs of 16 ops in 64-page worlds, set-up,
 * checks after every host call and tear-down included; and how two worker processes compare
 * with one. The machine is the plain one (bench/plain.h).
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/plain.h"

enum { ROUNDS = 5, PROGRAMS = 100000 };

static bool measure(struct campaign *c, uint32_t jobs, struct pool_totals *t)
{
    struct pool_source source = campaign_source(c, 0, PROGRAMS);
    const struct pool_options options = {.jobs = jobs, .subject = &subject_core};

    if (pool_run(&source, &options, NULL, t) || t->n_findings > 0) {
        fprintf(stderr, "bench_ops: a program failed; run gmemcheck run first\n");
        return false;
    }
    return true;
}

static bool print_rate(const char *name, bool faults, double goal)
{
    double rates[ROUNDS];
    struct campaign c;
    struct pool_totals t;

    plain_campaign(&c);
    c.options.faults = faults;
    for (int i = 0; i < ROUNDS; i++) {
        if (!measure(&c, 1, &t))
            return false;
        rates[i] = (double)t.ops / t.seconds;
    }
    double rate = bench_median(rates, ROUNDS);

    printf("%-24s %10.0f ops/s, goal %.0f; %.0f host calls/s  (%.1f%% conversions, %.1f pages "
           "each, %.1f host calls an op, %llu faults)\n",
           name, rate, goal, rate * (double)t.host_calls / (double)t.ops,
           100.0 * (double)t.conversions / (double)t.ops,
           t.conversions ? (double)t.pages_changed / (double)t.conversions : 0.0,
           (double)t.host_calls / (double)t.ops, (unsigned long long)t.faults);
    return true;
}

static bool print_scaling(void)
{
    double ratios[ROUNDS];
    struct campaign c;
    struct pool_totals one, two;

    plain_campaign(&c);
    for (int i = 0; i < ROUNDS; i++) {
        if (!measure(&c, 1, &one) || !measure(&c, 2, &two))
            return false;
        ratios[i] = one.seconds / two.seconds;
    }
    printf("%-24s %10.2f times one job (median of %d pairs)\n", "two jobs",
           bench_median(ratios, ROUNDS), ROUNDS);
    return true;
}

int main(void)
{
    return print_rate("checked ops, no faults", false, 1000000) &&
                   print_rate("checked ops, faults", true, 500000) && print_scaling()
               ? 0
               : 1;
}
