/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages as people name them. */
#include "tests/run_fixture.h"

#include <errno.h>

#define TWO_REGIONS                                                                            \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine page_size=4k\n"                                                                   \
    "region ram0 pages=8\n"                                                                    \
    "region rom1 pages=2\n"                                                                    \
    "section ram0[2..8) at 16\n"                                                               \
    "section rom1[0..2) at 64\n"                                                               \
    "container c0\n"                                                                           \
    "device d0 in c0\n"

static struct program program;

static uint32_t page_of(const char *name)
{
    struct text_error error;
    uint32_t page = UINT32_MAX;

    if (text_page(name, &program, &page, &error))
        fail_msg("%s: %s", name, error.why);
    return page;
}

static void assert_refused(const char *name, const char *why)
{
    struct text_error error;
    uint32_t page;

    assert_int_equal(text_page(name, &program, &page, &error), -EINVAL);
    if (!strstr(error.why, why))
        fail_msg("%s: '%s', not '%s'", name, error.why, why);
}

static void another_page_is_another_number(void **state)
{
    (void)state;
    assert_int_not_equal(page_of("ram0:3"), page_of("ram0:4"));
}

static void spellings_of_one_page(void **state)
{
    static const char *const names[] = {"ram0:3",    "ram0[3]",         "ram0[3..4)",
                                        "gpa[17]",   "gpa:17",          "gpa@0x11000",
                                        "gpa@69632", "ram0@0x3000",     "gpa@0x11fff",
                                        "ram0:0x3",  "gpa@0x11000+0x1", "ram0@0x3000+4096"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(page_of(names[i]), 3);
}

static void pages_of_the_second_region(void **state)
{
    (void)state;
    assert_int_equal(page_of("rom1:0"), 8);
    assert_int_equal(page_of("rom1[1]"), 9);
    assert_int_equal(page_of("gpa[65]"), 9);
}

static void a_page_without_address(void **state)
{
    (void)state;
    assert_int_equal(page_of("ram0:0"), 0);
}

static void what_is_no_page(void **state)
{
    (void)state;
    assert_refused("", "expected a range");
    assert_refused("ram0", "expected a range");
    assert_refused("ram0:", "expected a range");
    assert_refused("ram0:x", "expected a number");
    assert_refused("ram0:-1", "expected a number");
    assert_refused("ram2:0", "unknown region 'ram2'; this machine has 2 regions");
    assert_refused("ram1:0", "unknown region 'ram1'; region 1 is rom1");
    assert_refused("hello:0", "expected a region");
    assert_refused("c0[1]", "expected a region");
    assert_refused("gpa[99999999999999999999]", "too large");
    assert_refused("gpa@99999999999999999999", "too large");
    assert_refused("ram0:0:0", "expected a number");
}

static void pages_outside(void **state)
{
    (void)state;
    assert_refused("ram0:8", "ram0 has 8 pages");
    assert_refused("rom1:4294967296", "rom1 has 2 pages");
    assert_refused("ram0@0x8000", "ram0 has 8 pages, there is no page 8");
    assert_refused("gpa[22]", "no section shows the guest physical address 0x16000");
    assert_refused("gpa@0xf000", "no section shows");
    assert_refused("gpa@0xffffffffffffffff", "no section shows");
}

static void more_than_one_page(void **state)
{
    (void)state;
    assert_refused("ram0[3..5)", "one page, not a range of 2");
    assert_refused("gpa[16..19)", "one page, not a range of 3");
    assert_refused("ram0[3..3)", "empty");
}

static void a_long_name_is_no_harm(void **state)
{
    char name[5000];

    (void)state;
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_refused(name, "expected");
    name[0] = ':';
    assert_refused(name, "expected");
    memcpy(name, "ram0@", 5);
    assert_refused(name, "expected");
}

static int setup(void **state)
{
    (void)state;
    must_parse(TWO_REGIONS, &program);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_free(&program);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "program/page/" name, fn, setup, teardown, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-page-is-another-number", another_page_is_another_number),
        TEST("spellings-of-one-page", spellings_of_one_page),
        TEST("pages-of-the-second-region", pages_of_the_second_region),
        TEST("a-page-without-address", a_page_without_address),
        TEST("what-is-no-page", what_is_no_page),
        TEST("pages-outside", pages_outside),
        TEST("more-than-one-page", more_than_one_page),
        TEST("a-long-name-is-no-harm", a_long_name_is_no_harm),
    };

    return cmocka_run_group_tests_name("program/page", tests, NULL, NULL);
}
