/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this version cannot run is told in one line, and nothing of it is run. A row goes with
 * its entry in run/unbuilt.c. */
#include "tests/run_fixture.h"

#include "run/runner.h"
#include "run/subject.h"

#define REGION "region ram0 pages=8\nsection ram0[0..8) at 0\n"
#define V      "gmemcheck-scenario 1\n"

static const struct {
    const char *text, *why;
    uint32_t op, line;
} rows[] = {
    {V "machine\nregion ram0 pages=8 virtio_mem=2\nsection ram0[0..8) at 0\n",
     "regions with virtio_mem", 0, 0},
    {V "machine\n" REGION "disarm\nmigrate start\n", "migrate", 1, 6},
    {V "machine\n" REGION "disarm\ndirty-sync\n", "dirty-sync", 1, 6},
    {V "machine\n" REGION "disarm\nexpect plugged ram0[0]\n", "plugged", 0, 6},
};

static void told_in_one_line(void **state)
{
    struct run_result result;
    struct runner runner;
    struct program p;
    char why[100];

    (void)state;
    assert_int_equal(runner_init(&runner), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        must_parse(rows[i].text, &p);
        runner_run(&runner, &p, &subject_core, NULL, &result);
        (void)snprintf(why, sizeof(why), "this version cannot run %s yet", rows[i].why);
        assert_int_equal(result.verdict, VERDICT_INPUT);
        assert_string_equal(result.detail, why);
        assert_int_equal(result.op, rows[i].op);
        assert_int_equal(result.line, rows[i].line);
        assert_int_equal(result.ops, 0);
        program_free(&p);
    }
    runner_free(&runner);
}

static void the_rest_is_run(void **state)
{
    struct run_result result;
    struct runner runner;
    struct program p;

    (void)state;
    assert_int_equal(runner_init(&runner), 0);
    must_parse(V "machine\n" REGION "disarm\nexpect private ram0[0]\n", &p);
    runner_run(&runner, &p, &subject_core, NULL, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_equal(result.ops, 1);
    program_free(&p);
    runner_free(&runner);
}

int main(void)
{
#define TEST(name, f)                                                                          \
    {                                                                                          \
        "run/unbuilt/" name, f, NULL, NULL, NULL                                               \
    }
    const struct CMUnitTest tests[] = {
        TEST("told-in-one-line", told_in_one_line),
        TEST("the-rest-is-run", the_rest_is_run),
    };

    return cmocka_run_group_tests_name("run/unbuilt", tests, NULL, NULL);
}
