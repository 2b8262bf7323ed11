/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that outlive the process that wrote them. */
#include "tests/run_fixture.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/child.h"
#include "run/lines.h"

static struct lines *lines;

/* Everything that is kept; the caller frees. */
static char *kept(void)
{
    FILE *out = tmpfile();
    char *text;

    assert_non_null(out);
    lines_print(lines, out, "; see there");
    text = all_of(out);
    fclose(out);
    return text;
}

static void assert_kept(const char *expected)
{
    char *text = kept();

    assert_string_equal(text, expected);
    free(text);
}

static void write_lines(const char *text)
{
    FILE *f = lines_stream(lines);

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* ---- deliberate error ---- */
static void a_missing_line_is_missed(void **state)
{
    char *text;

    (void)state;
    write_lines("a\nc\n");
    text = kept();
    assert_string_not_equal(text, "a\nb\nc\n");
    free(text);
}

static void few_lines_are_all_kept(void **state)
{
    (void)state;
    assert_kept("");
    write_lines("a\n\nb b\nc\nd\n");
    assert_int_equal(lines_count(lines), 5);
    assert_kept("a\n\nb b\nc\nd\n");
}

static void the_middle_of_many_is_left_out(void **state)
{
    (void)state;
    write_lines("1\n2\n3\n4\n5\n6\n");
    assert_kept("1\n2\n... (1 lines are left out; see there)\n4\n5\n6\n");
    write_lines("7\n8\n9\n10\n");
    assert_int_equal(lines_count(lines), 10);
    assert_kept("1\n2\n... (5 lines are left out; see there)\n8\n9\n10\n");
}

static void a_long_line_is_cut(void **state)
{
    char text[400], *out;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 300, "\nb\n", 4);
    write_lines(text);
    out = kept();
    assert_int_equal(strcspn(out, "\n"), LINES_WIDTH_MAX);
    assert_string_equal(out + LINES_WIDTH_MAX, "\nb\n");
    free(out);
}

static int writes_and_exits(void *ctx)
{
    FILE *f = lines_stream(lines);

    (void)ctx;
    fprintf(f, "one\ntwo\nhal");
    _exit(0);
}

static void whole_lines_outlive_a_process(void **state)
{
    (void)state;
    assert_int_equal(child_do(writes_and_exits, NULL), CHILD_DIED);
    assert_kept("one\ntwo\n");
}

/* ---- run/child.h ---- */
static int returns(void *ctx)
{
    return *(int *)ctx;
}

static void what_the_work_returned_comes_back(void **state)
{
    int code = 300;

    (void)state;
    assert_int_equal(child_do(returns, &code), 300);
    code = 0;
    assert_int_equal(child_do(returns, &code), 0);
}

static int setup(void **state)
{
    (void)state;
    lines = lines_new(2, 3);
    return lines ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lines_free(lines);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/lines/" name, fn, setup, teardown, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-missing-line-is-missed", a_missing_line_is_missed),
        TEST("few-lines-are-all-kept", few_lines_are_all_kept),
        TEST("the-middle-of-many-is-left-out", the_middle_of_many_is_left_out),
        TEST("a-long-line-is-cut", a_long_line_is_cut),
        TEST("whole-lines-outlive-a-process", whole_lines_outlive_a_process),
        TEST("what-the-work-returned-comes-back", what_the_work_returned_comes_back),
    };

    return cmocka_run_group_tests_name("run/lines", tests, NULL, NULL);
}
