/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers: the same on every machine, compiler and optimisation level. One stream a
 * purpose; streams are split by rng_make(seed, purpose), so what the test does never depends
 * on what must not change it. SplitMix64 (public domain algorithm by S. Vigna).
 */
#ifndef PROGRAM_RNG_H
#define PROGRAM_RNG_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* What a stream is for. Never renumber: seeds in reports would mean other programs. */
enum rng_purpose { RNG_PROGRAM = 1, RNG_LANES };

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct rng rng_make(uint64_t seed, uint64_t purpose)
{
    struct rng r = {.state = seed};
    uint64_t mixed = rng_next(&r);

    r.state = mixed ^ (purpose * UINT64_C(0xd1342543de82ef95));
    return r;
}

/* Uniform in [0, n). n > 0. The bias is below n / 2^32. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    assert(n > 0);
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* Uniform in [low, high], both included. */
static inline uint32_t rng_between(struct rng *r, uint32_t low, uint32_t high)
{
    assert(low <= high);
    return low + rng_below(r, high - low + 1);
}

static inline bool rng_percent(struct rng *r, uint32_t percent)
{
    return rng_below(r, 100) < percent;
}

#endif
