/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fewer lines. First an op together with the faults that are armed for it: halves of the
 * program, quarters, ... one; then single ops, faults and expectations; then, in short
 * programs, any two lines: what one op did the other may have undone.
 */
#include <assert.h>
#include <stdlib.h>

#include "program/edit.h"
#include "run/shrink_internal.h"

enum { PAIRS_MAX = 40 }; /* ops of a program that is short */

/* ends[i]: index after the i-th group, an op and the faults in front of it. Returns how many.
 */
static uint32_t find_groups(const struct program *p, uint32_t *ends)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind != OP_FAULT || i + 1 == p->n_ops)
            ends[n++] = i + 1;
    return n;
}

static bool without_groups(struct shrinker *s, const uint32_t *ends, uint32_t first, uint32_t n)
{
    uint32_t start = first ? ends[first - 1] : 0;
    struct program *p = shrink_begin(s);

    if (!p)
        return false;
    program_drop_ops(p, start, ends[first + n - 1] - start);
    return shrink_try_faults(s);
}

/* From the end: the ops that made the state are first. */
static bool drop_chunks(struct shrinker *s, uint32_t *ends, uint32_t chunk)
{
    uint32_t n = find_groups(&s->best, ends), end = n;
    bool any = false;

    while (end > 0 && !shrink_over(s)) {
        uint32_t size = chunk < end ? chunk : end;

        if (without_groups(s, ends, end - size, size)) {
            any = true;
            n = find_groups(&s->best, ends);
            end = end - size < n ? end - size : n;
        } else {
            end -= size;
        }
    }
    return any;
}

static bool drop_groups(struct shrinker *s)
{
    uint32_t *ends = malloc((s->best.n_ops + 1) * sizeof(*ends));
    bool any = false;

    for (uint32_t chunk = ends ? s->best.n_ops / 2 : 0; chunk > 0; chunk /= 2)
        any |= drop_chunks(s, ends, chunk);
    free(ends);
    return any;
}

static bool without_two(struct shrinker *s, uint32_t one, uint32_t other)
{
    struct program *p = shrink_begin(s);

    assert(one < other && other < s->best.n_ops);
    if (!p)
        return false;
    program_drop_ops(p, other, 1);
    program_drop_ops(p, one, 1);
    return shrink_try_faults(s);
}

static bool drop_pairs(struct shrinker *s)
{
    bool any = false;

    if (s->best.n_ops > PAIRS_MAX)
        return false;
    for (uint32_t i = s->best.n_ops; i-- > 0;)
        for (uint32_t j = s->best.n_ops; j-- > i + 1;)
            if (j < s->best.n_ops && without_two(s, i, j))
                any = true;
    return any;
}

static bool without_op(struct shrinker *s, uint32_t index)
{
    struct program *p = shrink_begin(s);

    if (!p)
        return false;
    program_drop_ops(p, index, 1);
    return shrink_try_faults(s);
}

static bool drop_singles(struct shrinker *s)
{
    bool any = false;

    for (uint32_t i = s->best.n_ops; i-- > 0;)
        any |= i < s->best.n_ops && without_op(s, i);
    return any;
}

static bool without_expects(struct shrinker *s, uint32_t first, uint32_t n)
{
    struct program *p = shrink_begin(s);

    if (!p)
        return false;
    while (n-- > 0)
        program_drop_expect(p, first + n);
    return shrink_try(s);
}

/* A program that breaks a rule needs none at all. */
static bool drop_expects(struct shrinker *s)
{
    bool any = s->best.n_expects > 1 && without_expects(s, 0, s->best.n_expects);

    for (uint32_t i = s->best.n_expects; i-- > 0;)
        any |= i < s->best.n_expects && without_expects(s, i, 1);
    return any;
}

bool shrink_ops(struct shrinker *s)
{
    bool any = drop_expects(s);

    any |= drop_groups(s);
    any |= drop_singles(s);
    any |= drop_pairs(s);
    return any;
}
