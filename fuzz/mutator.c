/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AFL++'s custom mutator, for AFL_CUSTOM_MUTATOR_LIBRARY: a few changes at once of a program,
 * and trimming by whole records. AFL++ looks the functions up by name.
 */
#include <stdlib.h>

#include "fuzz/mutate.h"

enum { CHANGES_MAX = 5 };

struct mutator {
    struct rng rng;
    struct input in, other;
    /* Trimming: what is left, and the record to try next, from the last one on. */
    struct input kept;
    uint32_t steps, left;
};

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(void *data);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size);
int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t size);
size_t afl_custom_trim(void *data, uint8_t **out);
int32_t afl_custom_post_trim(void *data, uint8_t success);

void *afl_custom_init(void *afl, unsigned int seed)
{
    struct mutator *m = calloc(1, sizeof(*m));

    (void)afl;
    if (m)
        m->rng = rng_make(seed, RNG_PROGRAM);
    return m;
}

void afl_custom_deinit(void *data)
{
    free(data);
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size)
{
    struct mutator *m = data;

    input_set(&m->in, buf, size);
    input_set(&m->other, add, add ? add_size : 0);
    for (uint32_t n = rng_between(&m->rng, 1, CHANGES_MAX); n > 0; n--)
        mutate(&m->in, &m->rng, (enum mutation)rng_below(&m->rng, MUTATE_COUNT), &m->other);
    *out = m->in.data;
    return m->in.n < max_size ? m->in.n : max_size;
}

int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t size)
{
    struct mutator *m = data;

    input_set(&m->kept, buf, size);
    m->steps = m->left = size > TARGET_BYTES_MAX ? 0 : input_records(&m->kept);
    return (int32_t)m->steps;
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
    struct mutator *m = data;

    m->in = m->kept;
    if (m->left)
        input_drop(&m->in, m->left - 1);
    *out = m->in.data;
    return m->in.n;
}

int32_t afl_custom_post_trim(void *data, uint8_t success)
{
    struct mutator *m = data;

    if (success)
        m->kept = m->in;
    if (m->left)
        m->left--;
    return (int32_t)(m->steps - m->left);
}
