/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checked ops a second for every combination of the axes that there is: the slowest ones are
 * measured again, longer, and printed beside the plain machine in the same run.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/plain.h"

enum {
    PROGRAMS_FIRST = 300,   /* a combination, to find the slow ones */
    PROGRAMS_AGAIN = 10000, /* for those */
    SLOWEST = 8,
    ROUNDS = 3,
    COMBINATIONS_MAX = 1 << 15,
};

struct combination {
    int8_t axis[AXIS_COUNT];
    double rate; /* checked ops a second */
};

static void prepare(struct campaign *c, const int8_t axis[AXIS_COUNT])
{
    plain_campaign(c);
    memcpy(c->options.axis, axis, sizeof(c->options.axis));
}

/* Ops a second, or 0 where a program failed. */
static double measure(const int8_t axis[AXIS_COUNT], uint64_t programs)
{
    const struct pool_options options = {.jobs = 1, .subject = &subject_core};
    struct campaign c;
    struct pool_totals t;

    prepare(&c, axis);
    struct pool_source source = campaign_source(&c, 0, programs);

    if (pool_run(&source, &options, NULL, &t) || t.n_findings > 0)
        return 0;
    return (double)t.ops / t.seconds;
}

/* Is there a machine with just these axes? */
static bool exists(const int8_t axis[AXIS_COUNT], struct program *p)
{
    struct campaign c;
    char why[200];
    uint32_t line;

    prepare(&c, axis);
    if (campaign_program(&c, 0, p))
        return false;
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (p->machine.axis[i] != axis[i])
            return false; /* the generator knows that they do not go together */
    return program_validate(p, why, sizeof(why), &line) == 0;
}

/* The next combination in the order of an odometer. False: that was the last one. */
static bool next(int8_t axis[AXIS_COUNT])
{
    for (uint32_t i = AXIS_COUNT; i-- > 0;) {
        if ((uint32_t)++axis[i] < program_axis_count(i))
            return true;
        axis[i] = 0;
    }
    return false;
}

static void print_combination(const struct combination *c, double plain)
{
    printf("checked ops, slow axes   %10.0f ops/s, goal 300000; %.2f times the plain machine:",
           c->rate, c->rate / plain);
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (c->axis[i])
            printf(" %s=%s", program_axis_name(i), program_axis_value(i, (uint32_t)c->axis[i]));
    printf("\n");
}

static int slower_first(const void *a, const void *b)
{
    const struct combination *x = a, *y = b;

    return (x->rate > y->rate) - (x->rate < y->rate);
}

/* Measures all that exist; their number, or 0 where a program failed. */
static uint32_t measure_all(struct combination *list)
{
    struct combination c = {.rate = 0};
    struct program p;
    uint32_t n = 0;

    program_init(&p);
    do {
        if (!exists(c.axis, &p))
            continue;
        c.rate = measure(c.axis, PROGRAMS_FIRST);
        if (c.rate == 0 || n == COMBINATIONS_MAX) {
            n = 0;
            break;
        }
        list[n++] = c;
    } while (next(c.axis));
    program_free(&p);
    return n;
}

int main(void)
{
    static struct combination list[COMBINATIONS_MAX];
    const int8_t plain_axis[AXIS_COUNT] = {0};
    double plain[ROUNDS], again[ROUNDS];
    uint32_t n = measure_all(list);

    if (n == 0) {
        fprintf(stderr, "bench_axes: a program failed; run gmemcheck run first\n");
        return 1;
    }
    qsort(list, n, sizeof(list[0]), slower_first);
    uint32_t slow = n < SLOWEST ? n : SLOWEST;
    for (uint32_t i = 0; i < slow; i++) {
        for (int j = 0; j < ROUNDS; j++) {
            plain[j] = measure(plain_axis, PROGRAMS_AGAIN);
            again[j] = measure(list[i].axis, PROGRAMS_AGAIN);
        }
        list[i].rate = bench_median(again, ROUNDS);
        if (list[i].rate == 0 || plain[0] == 0) {
            fprintf(stderr, "bench_axes: a program failed, or it was interrupted\n");
            return 1;
        }
        if (i == 0)
            printf("%u combinations of the axes; plain machine %.0f ops/s\n", n,
                   bench_median(plain, ROUNDS));
        print_combination(&list[i], bench_median(plain, ROUNDS));
    }
    return 0;
}
