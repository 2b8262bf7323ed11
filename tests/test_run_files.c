/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario files as a source: which, in which order, and what is wrong with them. */
#include "tests/run_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/files.h"

static const char good[] = MACHINE "attach d0\nquery ram0[0..8)\n";

static char folder[64], why[500];
static struct file_list list;
static struct program program;
static struct text_error problem;

static const char *in_folder(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int add(const char *name)
{
    return file_list_add(&list, name ? in_folder(name) : folder, why, sizeof(why));
}

static int load(uint32_t index)
{
    return file_load(&list, index, &program, &problem);
}

/* ---- deliberate error ---- */
static void a_wrong_line_is_named(void **state)
{
    (void)state;
    write_file("a.scn", MACHINE "attach d0\nconvrt ram0[0] shared\n");
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(load(0), -EINVAL);
    assert_int_equal(problem.line, 8);
    assert_non_null(strstr(problem.why, "convrt"));
}

static void a_good_file_is_loaded(void **state)
{
    (void)state;
    write_file("a.scn", good);
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(load(0), 0);
    assert_int_equal(program.n_ops, 2);
    assert_int_equal(program.ops[1].line, 8);
}

static void a_folder_is_sorted_others_as_given(void **state)
{
    static const char *const expected[] = {"z.scn",  "A.scn", "b10.scn",
                                           "b2.scn", "z.scn", "A.scn"};

    (void)state;
    write_file("z.scn", good);
    write_file("b2.scn", good);
    write_file("A.scn", good);
    write_file("b10.scn", good);
    write_file("README", "no scenario");
    write_file(".scn", "nor this: it has no name");
    assert_int_equal(add("z.scn"), 0);
    assert_int_equal(add(NULL), 0);
    assert_int_equal(add("A.scn"), 0);
    assert_int_equal(list.n, 6);
    for (uint32_t i = 0; i < list.n; i++)
        assert_string_equal(list.paths[i], in_folder(expected[i]));
}

static void many_files_grow_the_list(void **state)
{
    (void)state;
    write_file("a.scn", good);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(add("a.scn"), 0);
    assert_int_equal(list.n, 100);
    assert_int_equal(load(99), 0);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(add("nope.scn"), -ENOENT);
    assert_non_null(strstr(why, "/nope.scn: No such file or directory"));
    assert_int_equal(add(NULL), -ENOENT);
    assert_non_null(strstr(why, "no .scn file in this folder"));
    write_file("a.scn", good);
    assert_int_equal(add("a.scn/b.scn"), -ENOTDIR);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(add("pipe"), -ENOTSUP);
    assert_non_null(strstr(why, "/pipe: neither a file nor a folder"));
    assert_int_equal(file_list_add(&list, "/dev/zero", why, sizeof(why)), -ENOTSUP);
    assert_int_equal(list.n, 0);
}

/* A folder may hold anything by the name of .scn; nobody waits for a pipe's writer. */
static void a_pipe_in_a_folder_is_no_hang(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_folder("pipe.scn"), 0600), 0);
    assert_int_equal(mkdir(in_folder("sub.scn"), 0700), 0);
    assert_int_equal(add(NULL), 0);
    assert_int_equal(list.n, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(load(i), -ENOTSUP);
        assert_int_equal(problem.line, 0);
        assert_string_equal(problem.why, "neither a file nor a folder");
    }
}

static void a_file_that_is_gone(void **state)
{
    (void)state;
    write_file("a.scn", good);
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(unlink(in_folder("a.scn")), 0);
    assert_int_equal(load(0), -ENOENT);
    assert_int_equal(problem.line, 0);
}

static void an_empty_file_has_no_version(void **state)
{
    (void)state;
    write_file("a.scn", "");
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(load(0), -EINVAL);
    assert_int_equal(problem.line, 1);
}

/* A sparse file of a size: the bound holds before anything is read. */
static void sized(const char *name, off_t size)
{
    int fd;

    write_file(name, good);
    fd = open(in_folder(name), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static void a_file_may_have_64_mib(void **state)
{
    (void)state;
    sized("a.scn", (off_t)TEXT_FILE_MAX + 1);
    sized("b.scn", (off_t)1 << 40);
    sized("c.scn", TEXT_FILE_MAX);
    assert_int_equal(add(NULL), 0);
    assert_int_equal(load(0), -EFBIG);
    assert_non_null(strstr(problem.why, "64 MiB"));
    assert_int_equal(load(1), -EFBIG);
    assert_int_equal(load(2), -EINVAL); /* it is read, and is no text */
    assert_int_equal(problem.line, 9);
}

static void fixed_axes_override_the_file(void **state)
{
    struct generate_options fixed;

    (void)state;
    generate_defaults(&fixed);
    assert_int_equal(generate_set(&fixed, "order=unmap-first", why, sizeof(why)), 0);
    write_file("a.scn", good);
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(load(0), 0);
    assert_int_equal(program.machine.axis[AXIS_order], ORDER_ATTRIBUTE_FIRST);
    list.fixed = &fixed;
    assert_int_equal(load(0), 0);
    assert_int_equal(program.machine.axis[AXIS_order], ORDER_UNMAP_FIRST);
    assert_int_equal(program.machine.axis[AXIS_failure], FAILURE_ROLLBACK);
}

static void what_is_overridden_is_said(void **state)
{
    struct generate_options fixed;
    char words[200];

    (void)state;
    generate_defaults(&fixed);
    write_file("a.scn", good); /* says nothing: every machine is its own */
    write_file("b.scn", "gmemcheck-scenario 1\nmachine iommu=type1|compat failure=stop\n"
                        "region ram0 pages=1\nsection ram0[0] at 0\n");
    assert_int_equal(add("a.scn"), 0);
    assert_int_equal(add("b.scn"), 0);
    file_overrides(&list, 1, words, sizeof(words));
    assert_string_equal(words, "");
    list.fixed = &fixed;
    assert_int_equal(generate_set(&fixed, "iommu=compat", why, sizeof(why)), 0);
    file_overrides(&list, 1, words, sizeof(words));
    assert_string_equal(words, "");
    assert_int_equal(generate_set(&fixed, "iommu=iommufd", why, sizeof(why)), 0);
    file_overrides(&list, 0, words, sizeof(words));
    assert_string_equal(words, "");
    file_overrides(&list, 1, words, sizeof(words));
    assert_string_equal(words, "iommu=iommufd, where the machine line says iommu=type1|compat");
    assert_int_equal(generate_set(&fixed, "failure=rollback", why, sizeof(why)), 0);
    file_overrides(&list, 1, words, sizeof(words));
    assert_string_equal(words, "failure=rollback, where the machine line says failure=stop; "
                               "iommu=iommufd, where the machine line says iommu=type1|compat");
    fixed.share = SHARE_MEMFD;
    assert_int_equal(load(1), 0);
}

static void fixed_axes_at_odds_with_the_file_are_told(void **state)
{
    struct generate_options fixed;

    (void)state;
    generate_defaults(&fixed);
    assert_int_equal(generate_set(&fixed, "mode=inplace", why, sizeof(why)), 0);
    write_file("a.scn", good);
    assert_int_equal(add("a.scn"), 0);
    list.fixed = &fixed;
    assert_int_equal(load(0), -EINVAL);
    assert_string_equal(problem.why, "mode=inplace needs kernel=proposed");
}

static void bad_input_is_a_result_with_its_line(void **state)
{
    struct pool_source source;
    struct run_result result = {0};

    (void)state;
    write_file("a.scn", "gmemcheck-scenario 1\nmachine colour=red\n");
    assert_int_equal(add("a.scn"), 0);
    source = file_source(&list);
    assert_int_equal(source.n_items, 1);
    assert_false(source.stop_at_first);
    assert_true(source.load(source.ctx, 0, &program, &result) < 0);
    assert_int_equal(result.verdict, VERDICT_INPUT);
    assert_int_equal(result.line, 2);
    assert_int_equal(result.page, MODEL_NO_PAGE);
    assert_non_null(strstr(result.detail, "colour"));
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test-run-files-XXXXXX");
    file_list_init(&list);
    program_init(&program);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    file_list_free(&list);
    program_free(&program);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/files/" name, fn, setup, teardown, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-wrong-line-is-named", a_wrong_line_is_named),
        TEST("a-good-file-is-loaded", a_good_file_is_loaded),
        TEST("a-folder-is-sorted-others-as-given", a_folder_is_sorted_others_as_given),
        TEST("many-files-grow-the-list", many_files_grow_the_list),
        TEST("what-is-no-file-is-refused", what_is_no_file_is_refused),
        TEST("a-pipe-in-a-folder-is-no-hang", a_pipe_in_a_folder_is_no_hang),
        TEST("a-file-that-is-gone", a_file_that_is_gone),
        TEST("an-empty-file-has-no-version", an_empty_file_has_no_version),
        TEST("a-file-may-have-64-mib", a_file_may_have_64_mib),
        TEST("fixed-axes-override-the-file", fixed_axes_override_the_file),
        TEST("what-is-overridden-is-said", what_is_overridden_is_said),
        TEST("fixed-axes-at-odds-are-told", fixed_axes_at_odds_with_the_file_are_told),
        TEST("bad-input-is-a-result-with-its-line", bad_input_is_a_result_with_its_line),
    };

    return cmocka_run_group_tests_name("run/files", tests, NULL, NULL);
}
