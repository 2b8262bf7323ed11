/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of complaints share: a text, the line that is wrong, and all that is said. */
#ifndef TESTS_PROGRAM_COMPLAINTS_H
#define TESTS_PROGRAM_COMPLAINTS_H

#include "tests/program_for_tests.h"

#include <errno.h>

struct bad {
    const char *text;
    uint32_t line;
    const char *why; /* all of it */
};

static inline void assert_complaint(const struct bad *b)
{
    struct program p;
    struct text_error error = {0};
    int result;

    program_init(&p);
    result = parse(b->text, &p, &error);
    if (result != -EINVAL || error.line != b->line || strcmp(error.why, b->why) != 0)
        fail_msg("of:\n%s\nexpected line %u: %s\ngot %d, line %u: %s", b->text, b->line, b->why,
                 result, error.line, error.why);
    assert_int_equal(p.n_ops, 0);
    program_free(&p);
}

static inline void assert_complaints(const struct bad *bad, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_complaint(&bad[i]);
}

#define ASSERT_COMPLAINTS(bad) assert_complaints(bad, sizeof(bad) / sizeof(bad[0]))
/* One line after the head; NEXT is its number. */
#define OP(line) HEAD line "\n"
#define V        "gmemcheck-scenario 1\n"
#define M        V "machine\n"
#define R        M "region ram0 pages=8\n"
enum { NEXT = HEAD_LINES + 1 };

#define VIRTIO                                                                                 \
    M "region ram0 pages=8 virtio_mem=2\nregion ram1 pages=4\nregion mmio2 pages=1\n"          \
      "section ram0[0..8) at 0\n"
enum { VIRTIO_LINE = 7 };

#endif
