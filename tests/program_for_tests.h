/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of program/ share: reading and printing text in memory, comparing programs. */
#ifndef TESTS_PROGRAM_FOR_TESTS_H
#define TESTS_PROGRAM_FOR_TESTS_H

/* cmocka wants these before it, in this order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "program/generate.h"
#include "program/rng.h"
#include "tests/program_same.h"
#include "tests/vocabulary_for_tests.h"

#define HEAD                                                                                   \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine vcpus=2\n"                                                                        \
    "region ram0 pages=8 share=memfd\n"                                                        \
    "section ram0[0..8) at 16\n"                                                               \
    "container c0 listen=manual\n"                                                             \
    "device d0 in c0\n"
enum { HEAD_LINES = 6 };

/* malloc'ed; the caller frees. */
static inline char *printed(const struct program *p, const char *header, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    assert_non_null(out);
    assert_int_equal(text_print(out, p, &test_vocabulary, header), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static inline int parse(const char *text, struct program *p, struct text_error *error)
{
    return text_parse(text, strlen(text), &test_vocabulary, p, error);
}

/* Parses what must parse. */
static inline void must_parse(const char *text, struct program *p)
{
    struct text_error error;

    if (parse(text, p, &error))
        fail_msg("line %u: %s", error.line, error.why);
}

#endif
