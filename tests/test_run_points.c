/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups of points: one name, one fault, whatever the machine's calls are called. */
#include "tests/run_holds.h"

#include "run/points.h"
#include "sim/points.h"

#define TWO_SHARES(second)                                                                     \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine failure=rollback\n"                                                               \
    "region ram0 pages=2 share=memfd\n"                                                        \
    "region ram1 pages=2 share=" second "\n"                                                   \
    "section ram0[0..2) at 16\n"                                                               \
    "section ram1[0..2) at 18\n"                                                               \
    "convert gpa[16..20) shared\n"

static uint32_t name_of(const char *name)
{
    for (uint32_t i = 0; points_name(i); i++)
        if (strcmp(points_name(i), name) == 0)
            return i;
    fail_msg("no %s", name);
    return 0;
}

static void names_end(void **state)
{
    uint32_t n = 0;

    (void)state;
    while (points_name(n)) {
        assert_non_null(points_help(n));
        n++;
    }
    assert_int_equal(n, POINT_COUNT + POINT_GROUPS);
    assert_null(points_help(n));
}

/* Every member of a group can be counted and, for some errno, be made to fail. */
static void groups_are_whole(void **state)
{
    (void)state;
    for (uint32_t name = POINT_COUNT; points_name(name); name++) {
        uint64_t points = points_of(name);
        uint32_t errnos = 0;

        assert_true(points != 0 && points >> POINT_COUNT == 0);
        while (points_errno(name, errnos, false)) {
            for (uint32_t i = 0; i < errnos; i++) /* each once */
                assert_int_not_equal(points_errno(name, i, false),
                                     points_errno(name, errnos, false));
            errnos++;
        }
        assert_true(errnos > 0);
        assert_int_equal(points_errno(name, errnos + 1, false), 0);
    }
}

static void a_group_counts_as_the_sum(void **state)
{
    (void)state;
    holds(TWO_SHARES("anon") "  expect calls attributes/set=1 kvm/set_attributes=1\n"
                             "convert gpa[16..20) private\n"
                             "  expect calls shared/drop=2 memfd/punch=1 mm/madvise=1\n",
          0);
    run_on(&subject_core,
           TWO_SHARES("anon") "convert gpa[16..20) private\n  expect calls shared/drop=1\n");
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
}

/* The errno decides where: only anonymous memory can say EAGAIN. */
static void a_fault_is_armed_where_the_errno_is_known(void **state)
{
    (void)state;
    holds(TWO_SHARES("anon") "fault shared/drop EAGAIN nth=1 late\n"
                             "convert gpa[16..20) private\n",
          1);
    holds(TWO_SHARES("anon") "write gpa[16] value=1\nwrite gpa[18] value=2\n"
                             "fault shared/drop EIO from=1\n"
                             "convert gpa[16..20) private\n"
                             "  expect backed shared ram0[0] unbacked shared ram1[0]\n",
          1);
}

static uint64_t armed(const char *machine, const char *name, int error)
{
    struct program p;
    uint64_t points;

    must_parse(machine, &p);
    points = points_armed(name_of(name), error, false, &p.machine);
    program_free(&p);
    return points;
}

static void a_machine_has_its_own_calls(void **state)
{
    const uint64_t punch = UINT64_C(1) << POINT_MEMFD_PUNCH;
    const uint64_t madvise = UINT64_C(1) << POINT_MM_MADVISE;

    (void)state;
    assert_int_equal(armed(TWO_SHARES("memfd"), "shared/drop", EIO), punch);
    assert_int_equal(armed(TWO_SHARES("memfd"), "shared/drop", EAGAIN), 0);
    assert_int_equal(armed(TWO_SHARES("anon"), "shared/drop", EAGAIN), madvise);
    assert_int_equal(armed(TWO_SHARES("memfd"), "mm/madvise", EAGAIN), 0);
    assert_int_equal(armed(TWO_SHARES("memfd"), "dma/map", ENOMEM), UINT64_C(1)
                                                                        << POINT_VFIO_MAP);
}

/* A program may name it, for other machines; here nothing could ever fail so. */
static void a_fault_that_cannot_exist_is_bad_input(void **state)
{
    struct program p;
    uint32_t op = 0;

    (void)state;
    run_on(&subject_core, TWO_SHARES("memfd") "query ram0[0]\nfault shared/drop EAGAIN\n");
    assert_int_equal(result.verdict, VERDICT_INPUT);
    assert_string_equal(result.rule, "no-such-fault");
    must_parse(TWO_SHARES("memfd") "query ram0[0]\nfault shared/drop EAGAIN\n", &p);
    assert_false(points_faults_exist(&p, &op));
    assert_int_equal(op, 2);
    program_set_share(&p, SHARE_ANON);
    assert_true(points_faults_exist(&p, &op));
    program_free(&p);
}

static void conditions_choose_the_checks(void **state)
{
    (void)state;
    holds(TWO_SHARES("memfd") "  expect order=unmap-first result=EIO shared ram0[0..2)\n"
                              "  expect failure=rollback|stop order=attribute-first result=0\n",
          0);
    run_on(&subject_core, TWO_SHARES("memfd") "  expect failure=rollback result=EIO\n");
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.line, 8);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/points/" name, fn, NULL, NULL, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("names-end", names_end),
        TEST("groups-are-whole", groups_are_whole),
        TEST("a-group-counts-as-the-sum", a_group_counts_as_the_sum),
        TEST("a-fault-is-armed-where-known", a_fault_is_armed_where_the_errno_is_known),
        TEST("a-machine-has-its-own-calls", a_machine_has_its_own_calls),
        TEST("a-fault-that-cannot-exist", a_fault_that_cannot_exist_is_bad_input),
        TEST("conditions-choose-the-checks", conditions_choose_the_checks),
    };

    return cmocka_run_group_tests_name("run/points", tests, setup, teardown);
}
