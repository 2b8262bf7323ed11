/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of run/ share: a small program, and the real core to spoil. */
#ifndef TESTS_RUN_FIXTURE_H
#define TESTS_RUN_FIXTURE_H

/* cmocka wants these before it, in this order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "program/text.h"
#include "run/vocabulary.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define MACHINE                                                                                \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine order=attribute-first failure=rollback\n"                                         \
    "region ram0 pages=8 share=memfd guest_memfd=yes\n"                                        \
    "section ram0[0..8) at 16\n"                                                               \
    "container c0 listen=all\n"                                                                \
    "device d0 in c0\n"

static inline void must_parse(const char *text, struct program *p)
{
    struct text_error error;

    program_init(p);
    if (text_parse(text, strlen(text), &run_vocabulary, p, &error))
        fail_msg("line %u: %s", error.line, error.why);
}

/* What was written into a stream of memory or a temporary file; the caller frees. */
static inline char *all_of(FILE *f)
{
    long size;
    char *text;

    assert_int_equal(fflush(f), 0);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size = ftell(f);
    assert_true(size >= 0);
    text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    rewind(f);
    assert_int_equal(fread(text, 1, (size_t)size, f), (size_t)size);
    return text;
}

#endif
