/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios over all configurations: which there are, what is told of those that fail. */
#include "tests/run_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "run/matrix.h"

#define REST                                                                                   \
    "section ram0[0..8) at 16\n"                                                               \
    "container c0 listen=all\n"                                                                \
    "device d0 in c0\n"                                                                        \
    "attach d0\n"

/* All axes fixed but order and failure: the tests below do not change when an axis grows. */
#define FIXED                                                                                  \
    "mode=discard tracker=bitmap iommu=type1 mapping=page split=remap kernel=6.12 "            \
    "page_size=4k"
#define MACHINE_OF(axes, share)                                                                \
    "gmemcheck-scenario 1\nmachine " axes " " FIXED "\nregion ram0 pages=8" share "\n" REST

static char path[64], why[300];
static struct file_list list;
static struct matrix matrix;

static void plan(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(file_list_add(&list, path, why, sizeof(why)), 0);
    assert_int_equal(matrix_init(&matrix, &list), 0);
}

/* Is there exactly one item with these values? */
static bool has_item(uint8_t order, uint8_t failure, uint8_t share)
{
    uint32_t n = 0;

    for (uint64_t i = 0; i < matrix.n_items; i++)
        n += matrix.items[i].axis[AXIS_order] == order &&
             matrix.items[i].axis[AXIS_failure] == failure && matrix.items[i].share == share;
    return n == 1;
}

static void what_is_not_named_takes_all_values(void **state)
{
    (void)state;
    plan(MACHINE_OF("", ""));
    assert_int_equal(matrix.n_items, 8);
    assert_int_equal(matrix.files[0].left_out, 0);
    for (uint8_t i = 0; i < 4; i++) {
        assert_true(has_item(i & 1, i >> 1, MATRIX_OWN_SHARE));
        assert_true(has_item(i & 1, i >> 1, SHARE_MEMFD));
    }
}

static void what_is_named_is_fixed(void **state)
{
    (void)state;
    plan(MACHINE_OF("order=unmap-first failure=stop", " share=anon"));
    assert_int_equal(matrix.n_items, 1);
    assert_true(has_item(ORDER_UNMAP_FIRST, FAILURE_STOP, MATRIX_OWN_SHARE));
}

static void a_list_is_taken_whole(void **state)
{
    (void)state;
    plan(MACHINE_OF("order=unmap-first|attribute-first failure=stop", " share=memfd|anon"));
    assert_int_equal(matrix.n_items, 4);
    assert_true(has_item(ORDER_UNMAP_FIRST, FAILURE_STOP, MATRIX_OWN_SHARE));
    assert_true(has_item(ORDER_ATTRIBUTE_FIRST, FAILURE_STOP, SHARE_ANON));
}

/* With --set mode=inplace the kernel is one that can; that the file's own cannot is no matter.
 * A file that says mode=discard is about other machines. */
static void what_is_set_picks_what_goes_with_it(void **state)
{
    struct generate_options fixed;

    (void)state;
    generate_defaults(&fixed);
    fixed.axis[AXIS_mode] = MODE_INPLACE;
    list.fixed = &fixed;
    list.others_vary = true;
    plan("gmemcheck-scenario 1\nmachine order=attribute-first failure=stop tracker=bitmap "
         "iommu=type1 mapping=page split=remap page_size=4k\nregion ram0 pages=8\n" REST);
    assert_int_equal(matrix.n_items, 1);
    assert_int_equal(matrix.items[0].axis[AXIS_mode], MODE_INPLACE);
    assert_int_equal(matrix.items[0].axis[AXIS_kernel], KERNEL_PROPOSED);
    matrix_free(&matrix);
    file_list_free(&list);
    file_list_init(&list);
    list.fixed = &fixed;
    list.others_vary = true;
    plan(MACHINE_OF("order=attribute-first failure=stop", ""));
    assert_int_equal(matrix.n_items, 0);
    assert_int_equal(matrix.files[0].left_out, 2); /* anon, memfd */
}

/* A region that says what it is made of holds share= for all: --set share= could not say the
 * others apart. */
static void one_share_that_is_said_fixes_all(void **state)
{
    (void)state;
    plan(MACHINE_OF("order=unmap-first failure=stop", "\nregion ram1 pages=1 share=anon"));
    assert_int_equal(matrix.n_items, 1);
}

static void a_fault_that_cannot_exist_leaves_a_machine_out(void **state)
{
    (void)state;
    plan(MACHINE_OF("order=unmap-first", "") "fault shared/drop EAGAIN\n");
    assert_int_equal(matrix.n_items, 2);
    assert_int_equal(matrix.files[0].left_out, 2);
    assert_true(has_item(ORDER_UNMAP_FIRST, FAILURE_STOP, MATRIX_OWN_SHARE)); /* anon */
}

/* It must not vanish silently: its own machine is run, and says why. */
static void a_scenario_for_no_machine_has_one_item(void **state)
{
    (void)state;
    plan(MACHINE_OF("order=unmap-first", " share=memfd") "fault shared/drop EAGAIN\n");
    assert_int_equal(matrix.n_items, 1);
    assert_int_equal(matrix.files[0].n, 1);
    assert_int_equal(matrix.files[0].left_out, 2);
}

static void a_bad_file_has_one_item_that_says_why(void **state)
{
    struct text_error problem;
    struct program p;

    (void)state;
    plan("gmemcheck-scenario 1\nmachine\nnonsense\n");
    assert_int_equal(matrix.n_items, 1);
    program_init(&p);
    assert_int_not_equal(matrix_load(&matrix, 0, &p, &problem), 0);
    assert_int_equal(problem.line, 3);
    program_free(&p);
}

static void an_item_is_its_program(void **state)
{
    struct text_error problem;
    struct program p;

    (void)state;
    plan(MACHINE_OF("", "") "query ram0[3..5)\n  expect populated=0\n");
    program_init(&p);
    for (uint64_t i = 0; i < matrix.n_items; i++) {
        assert_int_equal(matrix_load(&matrix, i, &p, &problem), 0);
        assert_memory_equal(p.machine.axis, matrix.items[i].axis, AXIS_COUNT);
        assert_int_equal(p.machine.regions[0].share,
                         matrix.items[i].share == MATRIX_OWN_SHARE ? SHARE_ANON : SHARE_MEMFD);
        assert_int_equal(p.n_ops, 2);
        assert_int_equal(p.n_expects, 1);
        assert_int_equal(program_validate(&p, why, sizeof(why), NULL), 0);
    }
    program_free(&p);
}

static void words_are_what_differs(void **state)
{
    bool seen = false;
    char words[200];

    (void)state;
    plan(MACHINE_OF("", ""));
    for (uint64_t i = 0; i < matrix.n_items; i++) {
        const struct matrix_item *item = &matrix.items[i];

        matrix_words(&matrix, i, words, sizeof(words));
        if (item->axis[AXIS_order] == ORDER_UNMAP_FIRST &&
            item->axis[AXIS_failure] == FAILURE_STOP && item->share == SHARE_MEMFD) {
            assert_string_equal(
                words, " --set order=unmap-first --set failure=stop --set share=memfd");
            seen = true;
        }
    }
    matrix_words(&matrix, 0, words, sizeof(words));
    assert_string_equal(words, "");
    assert_true(seen);
}

static char *report(const struct run_result *results)
{
    FILE *f = tmpfile();
    char *text;

    assert_non_null(f);
    assert_int_equal(matrix_report(f, &matrix, results, "gmemcheck", " --set x=y"), 0);
    text = all_of(f);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void a_failure_is_told_with_its_command(void **state)
{
    struct run_result *results;
    char expected[300], *text;

    (void)state;
    plan(MACHINE_OF("", ""));
    results = calloc(matrix.n_items, sizeof(*results));
    assert_non_null(results);
    results[0].verdict = VERDICT_NOT_RUN;
    for (int i = 1; i < 7; i++)
        results[i] = (struct run_result){
            .verdict = VERDICT_VIOLATION, .line = 9, .rule = "S9 rule", .detail = "what"};
    text = report(results);
    snprintf(expected, sizeof(expected), "\n     1       6         0  %s\n", path);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof(expected),
             "    violation: S9 rule: what (line 9)\n"
             "      gmemcheck replay %s --set x=y --set order=unmap-first\n",
             path);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "    ... and 2 more\n"));
    assert_non_null(strstr(text, "\n1 of 8 scenario-configurations ok\n"));
    assert_string_equal(text + strlen(text) - 4, " ok\n");
    free(text);
    free(results);
}

static void the_pool_runs_it(void **state)
{
    const struct pool_options options = {
        .jobs = 2, .recheck_percent = 100, .subject = &subject_core};
    struct run_result *results;
    struct pool_source source;
    struct pool_totals totals;

    (void)state;
    plan(MACHINE_OF("", "") "query ram0[0]\n  expect order=unmap-first populated=1\n");
    source = matrix_source(&matrix);
    results = pool_results_alloc(matrix.n_items);
    assert_non_null(results);
    assert_int_equal(pool_run(&source, &options, results, &totals), 0);
    for (uint64_t i = 0; i < matrix.n_items; i++)
        assert_int_equal(results[i].verdict,
                         matrix.items[i].axis[AXIS_order] == ORDER_UNMAP_FIRST
                             ? VERDICT_VIOLATION
                             : VERDICT_OK);
    pool_results_free(results, matrix.n_items);
}

static int setup(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/gmemcheck-matrix-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    file_list_init(&list);
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    matrix_free(&matrix);
    file_list_free(&list);
    return unlink(path);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/matrix/" name, fn, setup, teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("what-is-not-named-takes-all-values", what_is_not_named_takes_all_values),
        TEST("what-is-named-is-fixed", what_is_named_is_fixed),
        TEST("a-list-is-taken-whole", a_list_is_taken_whole),
        TEST("what-is-set-picks-what-goes-with-it", what_is_set_picks_what_goes_with_it),
        TEST("one-share-that-is-said-fixes-all", one_share_that_is_said_fixes_all),
        TEST("a-fault-that-cannot-exist", a_fault_that_cannot_exist_leaves_a_machine_out),
        TEST("a-scenario-for-no-machine", a_scenario_for_no_machine_has_one_item),
        TEST("a-bad-file", a_bad_file_has_one_item_that_says_why),
        TEST("an-item-is-its-program", an_item_is_its_program),
        TEST("words-are-what-differs", words_are_what_differs),
        TEST("a-failure-is-told-with-its-command", a_failure_is_told_with_its_command),
        TEST("the-pool-runs-it", the_pool_runs_it),
    };

    return cmocka_run_group_tests_name("run/matrix", tests, NULL, NULL);
}
