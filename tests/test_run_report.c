/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run leaves behind: the saved program, the last line, the exit code. */
#include "tests/run_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/report.h"
#include "tests/program_same.h"

static char folder[64], path[PATH_MAX];
static struct program program;
static struct run_result result;
static FILE *out;

static int save(const char *dir)
{
    return report_save(dir, &result, &program, "violation-12-34", "program 34 of seed 12", path,
                       sizeof(path));
}

static char *file_text(const char *name)
{
    FILE *f = fopen(name, "re");
    char *text;

    assert_non_null(f);
    text = all_of(f);
    fclose(f);
    return text;
}

/* ---- deliberate error ---- */
static void another_program_is_not_the_same(void **state)
{
    struct program other;

    (void)state;
    must_parse(MACHINE "attach d0\nconvert ram0[1..4) shared\n", &other);
    forget_lines(&other);
    forget_lines(&program);
    assert_false(same_program(&program, &other));
    program_free(&other);
}

static void the_saved_file_is_the_program(void **state)
{
    struct program back;
    char *text;

    (void)state;
    assert_int_equal(save(folder), 0);
    text = file_text(path);
    must_parse(text, &back);
    forget_lines(&back);
    forget_lines(&program);
    assert_true(same_program(&program, &back));
    program_free(&back);
    free(text);
}

static void the_header_says_what_happened(void **state)
{
    char *text;

    (void)state;
    assert_int_equal(save(folder), 0);
    text = file_text(path);
    assert_non_null(strstr(text, "# violation: I3 tracker\n# page 3 is said to be shared\n"));
    assert_non_null(strstr(text, "# at op 1: convert ram0[1..5) shared"));
    assert_non_null(strstr(text, "# program 34 of seed 12\n"));
    assert_non_null(strstr(path, "/violation-12-34.scn"));
    free(text);
}

/* A detail of several lines must not end the comment. */
static void the_header_stays_a_comment(void **state)
{
    struct program back;
    char *text;

    (void)state;
    snprintf(result.detail, sizeof(result.detail), "one\nconvert ram0[0] shared\nthree");
    assert_int_equal(save(folder), 0);
    text = file_text(path);
    must_parse(text, &back);
    assert_int_equal(back.n_ops, program.n_ops);
    program_free(&back);
    free(text);
}

static void a_full_disk_leaves_no_file(void **state)
{
    struct rlimit old, none = {0};
    int error;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    error = save(folder);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(error, -EFBIG);
    assert_non_null(strstr(path, "File too large"));
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
}

/* The old file stays whole when the new one cannot be written. */
static void a_failed_save_keeps_the_old_file(void **state)
{
    struct rlimit old, none = {0};
    char name[PATH_MAX], *before, *after;

    (void)state;
    assert_int_equal(save(folder), 0);
    memcpy(name, path, sizeof(name));
    before = file_text(name);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_not_equal(save(folder), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    after = file_text(name);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void the_folder_is_made(void **state)
{
    char below[PATH_MAX];

    (void)state;
    snprintf(below, sizeof(below), "%s/results", folder);
    assert_int_equal(save(below), 0);
    assert_int_equal(access(path, R_OK), 0);
    snprintf(below, sizeof(below), "%s/no/such", folder);
    assert_int_equal(save(below), -ENOENT);
}

static void a_long_path_is_not_cut(void **state)
{
    static char dir[2 * PATH_MAX];

    (void)state;
    memset(dir, '/', PATH_MAX - 10); /* the root folder, in many letters */
    assert_int_equal(save(dir), -ENAMETOOLONG);
    assert_non_null(strstr(path, "File name too long"));
    assert_true(strlen(path) < 300);
    assert_int_equal(report_save(folder, &result, &program, "violation-12-34", "", path,
                                 strlen(folder) + 10),
                     -ENAMETOOLONG);
}

/* ---- the last line ---- */
static struct pool_totals sample(void)
{
    struct pool_totals t = {.programs = 1000,
                            .ops = 16000,
                            .host_calls = 99000,
                            .faults = 77,
                            .hash = 0x00ab000000000001,
                            .seconds = 2.0};

    t.n_verdicts[VERDICT_OK] = 1000;
    return t;
}

static void the_summary_line(void **state)
{
    struct pool_totals t = sample();
    char *text;

    (void)state;
    assert_int_equal(report_summary(out, &t, 5, false), 0);
    text = all_of(out);
    assert_string_equal(text, "gmemcheck: ok seed=5 programs=1000 ops=16000 host_calls=99000 "
                              "faults=77 seconds=2.00 ops_per_second=8000 "
                              "hash=00ab000000000001\n");
    free(text);
}

static void json_says_the_same(void **state)
{
    struct pool_totals t = sample();
    json_t *o;
    char *text;

    (void)state;
    t.n_verdicts[VERDICT_VIOLATION] = t.n_findings = 1;
    assert_int_equal(report_summary(out, &t, 5, true), 0);
    text = all_of(out);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "verdict")), "violation");
    assert_string_equal(json_string_value(json_object_get(o, "hash")), "00ab000000000001");
    assert_int_equal(json_integer_value(json_object_get(o, "seed")), 5);
    assert_int_equal(json_integer_value(json_object_get(o, "programs")), 1000);
    assert_int_equal(json_integer_value(json_object_get(o, "ops")), 16000);
    assert_int_equal(json_integer_value(json_object_get(o, "host_calls")), 99000);
    assert_int_equal(json_integer_value(json_object_get(o, "faults")), 77);
    assert_true(json_number_value(json_object_get(o, "seconds")) == 2.0);
    assert_true(json_number_value(json_object_get(o, "ops_per_second")) == 8000.0);
    json_decref(o);
    free(text);
}

static void nothing_done_is_no_division(void **state)
{
    struct pool_totals t = {0};
    char *text;

    (void)state;
    assert_int_equal(report_summary(out, &t, 0, true), 0);
    text = all_of(out);
    assert_non_null(strstr(text, "\"ops_per_second\": 0.0"));
    free(text);
}

static void a_stream_that_is_full_is_told(void **state)
{
    struct pool_totals t = sample();
    FILE *full = fopen("/dev/full", "we");

    (void)state;
    assert_non_null(full);
    assert_int_equal(report_summary(full, &t, 0, false), -ENOSPC);
    fclose(full);
}

/* Exit codes: the README's table. */
static void exit_code_table(void **state)
{
    static const int expected[VERDICT_COUNT] = {
        [VERDICT_OK] = 0,    [VERDICT_VIOLATION] = 1,      [VERDICT_CRASH] = 1,
        [VERDICT_HANG] = 1,  [VERDICT_NONDETERMINISM] = 3, [VERDICT_HARNESS] = 3,
        [VERDICT_INPUT] = 2, [VERDICT_NOT_RUN] = 0};

    (void)state;
    for (uint32_t v = 0; v < VERDICT_COUNT; v++) {
        struct pool_totals t = {0};

        t.n_verdicts[v] = 1;
        assert_int_equal(verdict_exit_code(v), expected[v]);
        assert_int_equal(pool_exit_code(&t), expected[v]);
    }
}

static void exit_codes_outweigh(void **state)
{
    struct pool_totals t = {.interrupted = true};

    (void)state;
    assert_int_equal(pool_exit_code(&t), 130);
    t.n_verdicts[VERDICT_INPUT] = 20;
    assert_int_equal(pool_exit_code(&t), 2);
    t.n_verdicts[VERDICT_CRASH] = 1;
    assert_int_equal(pool_exit_code(&t), 1);
    t.n_verdicts[VERDICT_HARNESS] = 1;
    assert_int_equal(pool_exit_code(&t), 3);
}

/* ---- the story ---- */
static int attach_crashes(void *state, uint32_t container, uint32_t device)
{
    (void)state, (void)container, (void)device;
    _exit(9);
}

static void a_crash_leaves_the_story_up_to_it(void **state)
{
    struct subject s = subject_core;
    char *text;

    (void)state;
    s.attach = attach_crashes;
    report_trace(out, &result, &program, &s);
    text = all_of(out);
    assert_non_null(strstr(text, "op 0    attach d0\n"));
    assert_non_null(strstr(text, "(the traced run ended here"));
    free(text);
}

static void the_story_marks_the_page(void **state)
{
    char *text;

    (void)state;
    report_trace(out, &result, &program, &subject_core);
    text = all_of(out);
    assert_non_null(strstr(text, "  *       vfio/map               ram0[3] iova=0x13000"));
    assert_non_null(strstr(text, "          vfio/map               ram0[2] iova=0x12000"));
    assert_non_null(strstr(text, "(this run of the program was good)"));
    free(text);
}

/* Thousands of calls: the first ones, and the one that matters wherever it comes. */
static void a_long_story_is_cut_but_for_the_page(void **state)
{
    char *text;

    (void)state;
    program_free(&program);
    must_parse("gmemcheck-scenario 1\nmachine\nregion ram0 pages=3000\n"
               "section ram0[0..3000) at 0\ncontainer c0\ndevice d0 in c0\nattach d0\n"
               "convert ram0[0..3000) shared\n",
               &program);
    result.page = 2900;
    report_trace(out, &result, &program, &subject_core);
    text = all_of(out);
    assert_non_null(strstr(text, "(and more host calls)\n  *       vfio/map"));
    assert_non_null(strstr(text, "iova=0xb54000"));
    assert_null(strstr(text, "iova=0xb53000"));
    free(text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test-run-report-XXXXXX");
    out = tmpfile();
    must_parse(MACHINE "attach d0\nconvert ram0[1..5) shared\n", &program);
    result = (struct run_result){.verdict = VERDICT_VIOLATION, .op = 1, .page = 3};
    snprintf(result.rule, sizeof(result.rule), "I3 tracker");
    snprintf(result.detail, sizeof(result.detail), "page 3 is said to be shared");
    return mkdtemp(folder) && out ? 0 : -1;
}

static int teardown(void **state)
{
    char name[128];

    (void)state;
    program_free(&program);
    fclose(out);
    for (int i = 0; i < 2; i++) {
        const char *below = i ? "" : "/results";

        snprintf(name, sizeof(name), "%s%s/violation-12-34.scn", folder, below);
        unlink(name);
        snprintf(name, sizeof(name), "%s%s", folder, below);
        rmdir(name);
    }
    return access(folder, F_OK) == 0; /* something was left in it */
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/report/" name, fn, setup, teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-program-is-not-the-same", another_program_is_not_the_same),
        TEST("the-saved-file-is-the-program", the_saved_file_is_the_program),
        TEST("the-header-says-what-happened", the_header_says_what_happened),
        TEST("the-header-stays-a-comment", the_header_stays_a_comment),
        TEST("a-full-disk-leaves-no-file", a_full_disk_leaves_no_file),
        TEST("a-failed-save-keeps-the-old-file", a_failed_save_keeps_the_old_file),
        TEST("the-folder-is-made", the_folder_is_made),
        TEST("a-long-path-is-not-cut", a_long_path_is_not_cut),
        TEST("the-summary-line", the_summary_line),
        TEST("json-says-the-same", json_says_the_same),
        TEST("nothing-done-is-no-division", nothing_done_is_no_division),
        TEST("a-stream-that-is-full-is-told", a_stream_that_is_full_is_told),
        TEST("exit-code-table", exit_code_table),
        TEST("exit-codes-outweigh", exit_codes_outweigh),
        TEST("a-crash-leaves-the-story-up-to-it", a_crash_leaves_the_story_up_to_it),
        TEST("the-story-marks-the-page", the_story_marks_the_page),
        TEST("a-long-story-is-cut", a_long_story_is_cut_but_for_the_page),
    };

    return cmocka_run_group_tests_name("run/report", tests, NULL, NULL);
}
