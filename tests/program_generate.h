/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the generator share: options that must be good, programs that must be. */
#ifndef TESTS_PROGRAM_GENERATE_H
#define TESTS_PROGRAM_GENERATE_H

#include "tests/program_for_tests.h"

static inline void must_set(struct generate_options *o, const char *assignment)
{
    char why[200] = "";

    if (generate_set(o, assignment, why, sizeof(why)))
        fail_msg("%s: %s", assignment, why);
}

/* Generates a program, which is valid. */
static inline void must_generate(const struct generate_options *o, struct program *p,
                                 uint64_t seed)
{
    char why[200] = "";
    uint32_t line;

    assert_int_equal(generate(p, seed, o, &test_vocabulary), 0);
    if (program_validate(p, why, sizeof(why), &line))
        fail_msg("seed %lu: %s", (unsigned long)seed, why);
}

#endif
