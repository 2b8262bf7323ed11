/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program says about other machines than its own: lists of values, conditions. */
#include "tests/program_for_tests.h"

#define AFTER_MACHINE                                                                          \
    "region ram0 pages=8 share=memfd\n"                                                        \
    "region ram1 pages=2\n"                                                                    \
    "region mmio2 pages=1\n"                                                                   \
    "region ram3 pages=2 share=memfd|anon\n"                                                   \
    "section ram0[0..8) at 16\n"                                                               \
    "container c0\n"                                                                           \
    "convert ram0[0..4) shared\n"

static int setup(void **state)
{
    struct program *p = calloc(2, sizeof(*p));

    assert_non_null(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct program *p = *state;

    program_free(&p[0]);
    program_free(&p[1]);
    free(p);
    return 0;
}

static void parse_with(struct program *p, const char *machine, const char *rest)
{
    char text[2048];

    (void)snprintf(text, sizeof(text), "gmemcheck-scenario 1\n%s\n" AFTER_MACHINE "%s", machine,
                   rest);
    must_parse(text, p);
}

static const char *refusal(const char *machine, const char *rest)
{
    static struct text_error error;
    struct program p;
    char text[2048];

    program_init(&p);
    (void)snprintf(text, sizeof(text), "gmemcheck-scenario 1\n%s\n" AFTER_MACHINE "%s", machine,
                   rest);
    assert_int_not_equal(text_parse(text, strlen(text), &test_vocabulary, &p, &error), 0);
    program_free(&p);
    return error.why;
}

#define REFUSED(machine, rest, part)                                                           \
    do {                                                                                       \
        if (!strstr(refusal(machine, rest), part))                                             \
            fail_msg("expected '%s', got '%s'", part, refusal(machine, rest));                 \
    } while (0)

/* An axis that is not named may be anything; one that is named is that, or one of the list. */
static void test_machine_lists(void **state)
{
    struct program *p = *state;
    const struct machine *m = &p->machine;

    parse_with(p, "machine failure=stop", "");
    assert_int_equal(m->axis[AXIS_order], ORDER_ATTRIBUTE_FIRST);
    assert_int_equal(m->also[AXIS_order], 1 << ORDER_UNMAP_FIRST);
    assert_int_equal(m->axis[AXIS_failure], FAILURE_STOP);
    assert_int_equal(m->also[AXIS_failure], 0);
    parse_with(p, "machine order=unmap-first|attribute-first failure=rollback", "");
    assert_int_equal(m->axis[AXIS_order], ORDER_UNMAP_FIRST);
    assert_int_equal(m->also[AXIS_order], 1 << ORDER_ATTRIBUTE_FIRST);
    REFUSED("machine order=unmap-first|unmap-first", "", "order=unmap-first is given twice");
    REFUSED("machine order=unmap-first|", "", "unknown axis value order=");
    REFUSED("machine order=|unmap-first", "", "unknown axis value order=");
}

static void test_share_lists(void **state)
{
    struct program *p = *state;
    const struct region_decl *r = p->machine.regions;

    parse_with(p, "machine", "");
    assert_int_equal(r[0].also_share, 0);
    assert_int_equal(r[1].also_share, 1 << SHARE_MEMFD);
    assert_int_equal(r[2].also_share, 0);
    assert_int_equal(r[3].share, SHARE_MEMFD);
    assert_int_equal(r[3].also_share, 1 << SHARE_ANON);
    REFUSED("machine\nregion ram0 pages=1 share=anon|anon", "", "share=anon is given twice");
    REFUSED("machine\nregion ram0 pages=1 share=anon|paper", "",
            "expected anon, memfd or hugetlb");
    REFUSED("machine\nregion ram0 pages=2 huge_pages=2 share=hugetlb|anon", "",
            "so it stands alone");
    REFUSED("machine\nregion ram0 pages=2 huge_pages=2 share=memfd|hugetlb", "",
            "so it stands alone");
    REFUSED("machine\nregion mmio0 pages=1 share=anon|memfd", "", "so no share=");
}

static void test_conditions(void **state)
{
    struct program *p = *state;
    struct machine m;

    parse_with(p, "machine",
               "  expect order=unmap-first failure=stop|rollback result=0 status=0\n"
               "  expect result=0\n");
    m = p->machine;
    assert_int_equal(p->n_expects, 3);
    assert_int_equal(p->expects[0].only[AXIS_order], 1 << ORDER_UNMAP_FIRST);
    assert_int_equal(p->expects[1].only[AXIS_failure], 3);
    assert_int_equal(p->expects[2].only[AXIS_order], 0);
    assert_false(expect_applies(&m, &p->expects[0]));
    assert_true(expect_applies(&m, &p->expects[2]));
    m.axis[AXIS_order] = ORDER_UNMAP_FIRST;
    assert_true(expect_applies(&m, &p->expects[0]));
    assert_true(expect_applies(&m, &p->expects[1]));
    REFUSED("machine", "expect order=unmap-first order=unmap-first result=0\n",
            "'order' is given twice");
    REFUSED("machine", "expect order=unmap-first\n", "expected a check");
    REFUSED("machine", "expect order=sideways result=0\n", "unknown axis value order=sideways");
    REFUSED("machine", "expect result=0 order=unmap-first\n", "unknown expectation");
}

static void test_round_trip(void **state)
{
    struct program *p = *state;
    size_t size = 0;
    char *text;

    parse_with(&p[0], "machine order=unmap-first|attribute-first failure=stop",
               "  expect order=attribute-first failure=stop|rollback result=0 shared ram0[0]\n"
               "fault shared/drop EIO\n");
    text = printed(&p[0], NULL, &size);
    assert_non_null(strstr(text, " order=unmap-first|attribute-first failure=stop "));
    assert_non_null(strstr(text, "ram1 pages=2 share=anon|memfd "));
    assert_non_null(strstr(text, "ram3 pages=2 share=memfd|anon "));
    assert_non_null(
        strstr(text, "expect order=attribute-first failure=rollback|stop result=0\n"));
    assert_non_null(strstr(text, "fault shared/drop EIO"));
    must_parse(text, &p[1]);
    forget_lines(&p[0]);
    forget_lines(&p[1]);
    assert_true(same_program(&p[0], &p[1]));
    p[1].machine.also[AXIS_order] = 0; /* the comparer sees it */
    assert_false(same_program(&p[0], &p[1]));
    free(text);
}

static void test_fixing(void **state)
{
    struct program *p = *state;

    parse_with(p, "machine", "  expect result=0 shared ram0[0]\n");
    program_set_axis(p, AXIS_order, ORDER_UNMAP_FIRST);
    assert_int_equal(p->machine.axis[AXIS_order], ORDER_UNMAP_FIRST);
    assert_int_equal(p->machine.also[AXIS_order], 0);
    assert_int_equal(p->machine.also[AXIS_failure], 2);
    program_set_share(p, SHARE_MEMFD);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(p->machine.regions[i].share, i == 2 ? SHARE_ANON : SHARE_MEMFD);
        assert_int_equal(p->machine.regions[i].also_share, 0);
    }
    assert_int_equal(program_validate(p, NULL, 0, NULL), 0);
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/axes/" name, f, setup, teardown, NULL                                         \
    }
    const struct CMUnitTest tests[] = {
        T("machine-lists", test_machine_lists),
        T("share-lists", test_share_lists),
        T("conditions", test_conditions),
        T("round-trip", test_round_trip),
        T("fixing", test_fixing),
    };

    return cmocka_run_group_tests_name("program/axes", tests, NULL, NULL);
}
