/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of program_validate share: a good program, of which one field is changed. */
#ifndef TESTS_PROGRAM_VALIDATE_H
#define TESTS_PROGRAM_VALIDATE_H

#include "tests/program_for_tests.h"

#include <errno.h>

/* Three regions: RAM at 16 (page 7 has no address), MMIO right behind, ROM; a bare container.
 */
static const char base[] = "gmemcheck-scenario 1\n"
                           "machine vcpus=2\n"
                           "region ram0 pages=8 share=memfd\n"
                           "region mmio1 pages=2\n"
                           "region rom2 pages=2\n"
                           "region ram3 pages=2 guest_memfd=no\n"
                           "section ram0[0..7) at 16\n"
                           "section mmio1[0..2) at 24\n"
                           "section rom2[0..2) at 26\n"
                           "section ram3[0..2) at 40\n"
                           "container c0 listen=manual\n"
                           "device d0 in c0\n"
                           "attach d0\n"
                           "convert ram0[0..4) shared\n"
                           "expect result=0 shared ram0[0..4) entries c0=4 running\n"
                           "write ram0[1] value=3\n"
                           "dma-read d0 ram0[1]\n"
                           "expect data=3\n"
                           "listen c0 ram0[0..4)\n"
                           "query ram0[0..4)\n"
                           "expect populated=1\n"
                           "fault vfio/map ENOMEM\n";

enum { AT_ATTACH, AT_CONVERT, AT_WRITE, AT_DMA_READ, AT_LISTEN, AT_QUERY, AT_FAULT };
enum { SAYS_RESULT, SAYS_SHARED, SAYS_ENTRIES, SAYS_RUNNING, SAYS_DATA, SAYS_POPULATED };

static inline int setup(void **state)
{
    struct program *p = malloc(sizeof(*p));

    assert_non_null(p);
    program_init(p);
    must_parse(base, p);
    forget_lines(p);
    memset(p->machine.also, 0, sizeof(p->machine.also));
    p->ops[AT_WRITE].line = 77;
    *state = p;
    return 0;
}

static inline int teardown(void **state)
{
    program_free(*state);
    free(*state);
    return 0;
}

static inline void assert_valid(const struct program *p)
{
    char why[200] = "";
    uint32_t line = 99;

    if (program_validate(p, why, sizeof(why), &line))
        fail_msg("%s", why);
    assert_int_equal(line, 0);
}

/* Refused, with `part` in the reason. */
static inline void assert_refused(const struct program *p, const char *part)
{
    char why[200] = "";
    uint32_t line;

    assert_int_equal(program_validate(p, why, sizeof(why), &line), -EINVAL);
    if (!strstr(why, part))
        fail_msg("expected '%s' in '%s'", part, why);
    assert_int_equal(program_validate(p, NULL, 0, NULL), -EINVAL);
}

/* Sets a field, expects the complaint, sets it back. */
#define BREAK(field, value, part)                                                              \
    do {                                                                                       \
        __typeof__(field) was = (field);                                                       \
                                                                                               \
        (field) = (value);                                                                     \
        assert_refused(p, part);                                                               \
        (field) = was;                                                                         \
        assert_valid(p);                                                                       \
    } while (0)
#define ALLOW(field, value)                                                                    \
    do {                                                                                       \
        __typeof__(field) was = (field);                                                       \
                                                                                               \
        (field) = (value);                                                                     \
        assert_valid(p);                                                                       \
        (field) = was;                                                                         \
    } while (0)

#endif
