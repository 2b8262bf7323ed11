/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and the program that they give. */
#ifndef TESTS_PROGRAM_DRAWN_H
#define TESTS_PROGRAM_DRAWN_H

#include "tests/program_generate.h"

struct drawn {
    struct generate_options o;
    struct program p;
};

static inline int setup(void **state)
{
    struct drawn *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    generate_defaults(&t->o);
    program_init(&t->p);
    *state = t;
    return 0;
}

static inline int teardown(void **state)
{
    struct drawn *t = *state;

    program_free(&t->p);
    free(t);
    return 0;
}

#endif
