/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story of a failure, as a whole text. */
#include "tests/explain_fixture.h"

#include <signal.h>
#include <unistd.h>

#include "run/crash.h"
#include "run/explain.h"

static struct program program;

/* The story of `program` with that subject; the caller frees. */
static char *story_of(const struct subject *s, const struct run_result *r, uint32_t width)
{
    FILE *out = tmpfile();
    char *text;

    assert_non_null(out);
    explain_story(out, &program, s, r, width);
    text = all_of(out);
    fclose(out);
    return text;
}

static char *story(const char *scenario, const struct subject *s, uint32_t width)
{
    struct run_result result;

    load_scenario(scenario, &program);
    result = outcome_of(&program, s);
    return story_of(s, &result, width);
}

static void golden(const char *scenario, const struct subject *s)
{
    char *text = story(scenario, s, EXPLAIN_WIDTH);

    assert_golden(scenario, text);
    free(text);
}

/* ---- deliberate error: another state is another picture ---- */
static void another_core_is_another_picture(void **state)
{
    struct subject forgetful = forgetful_core();
    char *right = story("missed-unmap", &subject_core, EXPLAIN_WIDTH), *wrong, *file;

    (void)state;
    program_free(&program);
    wrong = story("missed-unmap", &forgetful, EXPLAIN_WIDTH);
    file = data_text("missed-unmap", ".golden");
    assert_int_equal(line_that_differs(wrong, wrong), 0);
    assert_int_equal(line_that_differs(right, wrong), 1);
    assert_int_equal(line_that_differs(right, file), 1);
    assert_non_null(strstr(right, "vfio/unmap ram0[9] "));
    assert_null(strstr(wrong, "vfio/unmap ram0[9] "));
    free(right);
    free(wrong);
    free(file);
}

/* One cell that is not as it was drawn. */
static void another_cell_is_noticed(void **state)
{
    char *file = data_text("undo", ".golden"), *other = data_text("undo", ".golden"), *cell;

    (void)state;
    cell = strstr(other, "Ss 1/- >1,-");
    assert_non_null(cell);
    cell[1] = 'p';
    assert_true(line_that_differs(file, other) > 1);
    free(file);
    free(other);
}

static void a_page_that_was_not_unmapped(void **state)
{
    struct subject forgetful = forgetful_core();

    (void)state;
    golden("missed-unmap", &forgetful);
}

static void an_undo_in_two_containers(void **state)
{
    (void)state;
    golden("undo", &subject_core);
}

static void pages_of_all_kinds(void **state)
{
    (void)state;
    golden("kinds", &subject_core);
}

static void a_page_in_use_in_place(void **state)
{
    (void)state;
    golden("in-use", &subject_core);
}

static void more_pages_than_there_is_room_for(void **state)
{
    (void)state;
    golden("many-pages", &subject_core);
}

/* ---- ends of other kinds ---- */
static struct run_result crash_at(uint32_t op)
{
    struct run_result r = {.verdict = VERDICT_CRASH, .op = op, .page = MODEL_NO_PAGE};

    snprintf(r.rule, sizeof(r.rule), "crash");
    snprintf(r.detail, sizeof(r.detail), "the process ended");
    return r;
}

static int convert_exits(void *state, uint32_t vcpu)
{
    (void)state, (void)vcpu;
    _exit(0);
}

static void a_crash_has_the_story_up_to_it(void **state)
{
    struct subject s = subject_core;
    struct run_result r = crash_at(2);
    char *text;

    (void)state;
    must_parse(MACHINE "write ram0[1] value=3\nattach d0\nconvert ram0[1..5) shared\n",
               &program);
    s.run_vcpu = convert_exits;
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "crash: crash\n"));
    assert_non_null(strstr(text, "rule:  no signal inside the subject"));
    assert_non_null(strstr(text, "   -> success                   Pp -/1 >-\n"));
    assert_non_null(strstr(text, "op 2    convert ram0[1..5) shared"));
    assert_non_null(strstr(text, "(the run ended here, and its process with it)\n"));
    free(text);
}

static int run_dies(void *state, uint32_t vcpu)
{
    (void)state, (void)vcpu;
    if (SANITIZED)
        signal(SIGSEGV, SIG_DFL); /* the test's own way with signals is not for a child */
    raise(SIGSEGV);
    return 0;
}

/* Sanitizers end the process; else it is the runner who ends the story. */
static void a_signal_is_marked(void **state)
{
    struct subject s = subject_core;
    struct run_result r = crash_at(1);
    char *text;

    (void)state;
    must_parse(MACHINE "write ram0[1] value=3\nconvert ram0[1..5) shared\n", &program);
    s.run_vcpu = run_dies;
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    if (SANITIZED)
        assert_non_null(strstr(text, "(the run ended here"));
    else
        assert_non_null(strstr(text, " ! crash                        Pp -/1 >-\n"));
    free(text);
}

static struct host held;

static int build_held(const struct host *host, const struct sync *sync, const struct machine *m,
                      void **state)
{
    held = *host;
    return subject_core.build(host, sync, m, state);
}

static int run_hangs(void *state, uint32_t vcpu)
{
    char c;

    (void)state, (void)vcpu;
    for (;;)
        (void)held.ops->read(held.ctx, "run_hangs", -1, &c, 1);
    return 0;
}

static void a_hang_is_cut(void **state)
{
    struct subject s = subject_core;
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "write ram0[1] value=3\nconvert ram0[1..5) shared\n", &program);
    s.run_vcpu = run_hangs;
    s.build = build_held;
    r = outcome_of(&program, &s);
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "hang: hang\n"));
    assert_non_null(strstr(text, " lines are left out"));
    assert_non_null(strstr(text, " ! hang "));
    assert_true(strlen(text) < 100 * 1000);
    free(text);
}

static int destroy_nothing(void *state)
{
    (void)state;
    return 0;
}

static void a_leak_is_of_no_page(void **state)
{
    struct subject s = subject_core;
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "attach d0\nconvert ram0[1..3) shared\n", &program);
    s.destroy = destroy_nothing;
    r = outcome_of(&program, &s);
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "page:  none in particular\n"));
    assert_null(strstr(text, "when the rule broke\n  attribute"));
    assert_non_null(strstr(text, "\ntear-down\n ! I8 leak"));
    assert_null(strstr(text, "* marks what touched the page"));
    free(text);
}

static void all_populated(const void *state, uint32_t region, uint64_t first, uint64_t n,
                          uint64_t *bits)
{
    (void)state, (void)region, (void)first;
    for (uint64_t i = 0; i < n; i++)
        bits[i / 64] |= UINT64_C(1) << i % 64;
}

static void a_wrong_start_is_of_no_op(void **state)
{
    struct subject s = subject_core;
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "query ram0[1..3)\n", &program);
    s.populated_bits = all_populated;
    r = outcome_of(&program, &s);
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "op:    none: the machine was just being built\n"));
    assert_non_null(strstr(text, "   at the start                Ps -/- >-\n"
                                 " ! I3 attribute-or-tracker    !Ps -/- >-\n"));
    assert_null(strstr(text, "op 0"));
    free(text);
}

static void a_program_that_does_nothing_has_no_picture(void **state)
{
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "query ram0[0]\n", &program);
    r = outcome_of(&program, &subject_core);
    text = story_of(&subject_core, &r, EXPLAIN_WIDTH);
    assert_ptr_equal(strstr(text, "ok: nothing broke in 1 ops and "), text);
    assert_non_null(strstr(text, "\npicture: no page changed\n"));
    assert_non_null(
        strstr(text, "\nop 0    query ram0[0]\n          -> success, not populated\n"));
    free(text);
}

static void a_page_without_address(void **state)
{
    struct run_result r;
    char *text;

    (void)state;
    must_parse(
        "gmemcheck-scenario 1\nmachine\nregion ram0 pages=4\nsection ram0[0..2) at 0\n"
        "container c0\ndevice d0 in c0\nconvert ram0[0] shared\n  expect shared ram0[3]\n",
        &program);
    r = outcome_of(&program, &subject_core);
    text = story_of(&subject_core, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "  ram0[0]   .. !ram0[3]\n"));
    assert_non_null(strstr(text, "  0x0           none\n"));
    free(text);
}

/* A device writes what the guest then reads: the op is not good in itself, nor on a copy. */
static void a_try_again_that_is_good_is_left_out(void **state)
{
    char *text = story("undo", &subject_core, EXPLAIN_WIDTH);

    (void)state;
    assert_null(strstr(text, "again without faults"));
    free(text);
}

static int no_convert(void *state, uint32_t vcpu)
{
    (void)state, (void)vcpu;
    return -ENOMEM;
}

static int calls; /* of run_vcpu */

static int fails_again(void *state, uint32_t vcpu)
{
    return ++calls > 1 ? no_convert(state, vcpu) : subject_core.run_vcpu(state, vcpu);
}

static void a_try_again_that_breaks_is_shown(void **state)
{
    struct subject s = subject_core;
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "attach d0\nfault vfio/map ENOMEM nth=2\nconvert ram0[1..3) shared\n",
               &program);
    s.run_vcpu = fails_again;
    calls = 0;
    r = outcome_of(&program, &s);
    calls = 0;
    text = story_of(&s, &r, EXPLAIN_WIDTH);
    assert_non_null(strstr(text, "   again without faults, on a copy:\n"));
    assert_non_null(strstr(text, "          (again without faults, on a copy:)\n"));
    free(text);
}

/* ---- how large it becomes ---- */
/* Lines of the picture; *widest is the longest of them. */
static uint32_t picture_lines(const char *text, size_t *widest)
{
    const char *at = strstr(text, "\npage "), *end = strstr(text, "\nS|P attribute");
    uint32_t n = 0;

    assert_true(at && end && at < end);
    *widest = 0;
    for (at++; at < end; at += strcspn(at, "\n") + 1, n++)
        if (strncmp(at, "op ", 3) != 0 && strcspn(at, "\n") > *widest)
            *widest = strcspn(at, "\n");
    return n;
}

static uint32_t columns_at(uint32_t width)
{
    char *text = story("many-pages", &subject_core, width);
    const char *at = strstr(text, "\npage ") + 1;
    const char *end = at + strcspn(at, "\n");
    uint32_t n = 0;
    size_t widest;

    picture_lines(text, &widest);
    assert_true(widest <= width);
    while ((at = strstr(at, "ram0[")) != NULL && at < end)
        n++, at++;
    assert_non_null(strstr(text, "!ram0[32]"));
    program_free(&program);
    program_init(&program);
    free(text);
    return n;
}

static void the_picture_fits(void **state)
{
    (void)state;
    assert_int_equal(columns_at(EXPLAIN_WIDTH_MIN), 1);
    assert_int_equal(columns_at(EXPLAIN_WIDTH), 4);
    assert_true(columns_at(150) > 4);
    assert_int_equal(columns_at(EXPLAIN_WIDTH_MAX), 13);
}

static void a_long_program_is_cut_in_the_middle(void **state)
{
    char text[40000];
    size_t used, widest;
    struct run_result r;
    char *out;

    (void)state;
    used = (size_t)snprintf(text, sizeof(text), "%sattach d0\n", MACHINE);
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "convert ram0[3] %s\n",
                                 i % 2 ? "private" : "shared");
    assert_true(used < sizeof(text));
    must_parse(text, &program);
    r = outcome_of(&program, &subject_core);
    out = story_of(&subject_core, &r, EXPLAIN_WIDTH);
    assert_true(picture_lines(out, &widest) < 100);
    assert_non_null(strstr(out, "op 1 convert ram0[3] shared"));
    assert_non_null(strstr(out, "op 1000 convert ram0[3] private"));
    assert_null(strstr(out, "op 500 convert ram0[3]"));
    assert_true(strlen(out) < 30 * 1000);
    free(out);
}

static int setup(void **state)
{
    (void)state;
    program_init(&program);
    return crash_init();
}

static int teardown(void **state)
{
    (void)state;
    program_free(&program);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/explain/" name, fn, setup, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-core-is-another-picture", another_core_is_another_picture),
        TEST("another-cell-is-noticed", another_cell_is_noticed),
        TEST("a-page-that-was-not-unmapped", a_page_that_was_not_unmapped),
        TEST("an-undo-in-two-containers", an_undo_in_two_containers),
        TEST("pages-of-all-kinds", pages_of_all_kinds),
        TEST("a-page-in-use-in-place", a_page_in_use_in_place),
        TEST("more-pages-than-there-is-room-for", more_pages_than_there_is_room_for),
        TEST("a-crash-has-the-story-up-to-it", a_crash_has_the_story_up_to_it),
        TEST("a-signal-is-marked", a_signal_is_marked),
        TEST("a-hang-is-cut", a_hang_is_cut),
        TEST("a-leak-is-of-no-page", a_leak_is_of_no_page),
        TEST("a-wrong-start-is-of-no-op", a_wrong_start_is_of_no_op),
        TEST("nothing-has-no-picture", a_program_that_does_nothing_has_no_picture),
        TEST("a-page-without-address", a_page_without_address),
        TEST("a-try-again-that-is-good", a_try_again_that_is_good_is_left_out),
        TEST("a-try-again-that-breaks", a_try_again_that_breaks_is_shown),
        TEST("the-picture-fits", the_picture_fits),
        TEST("a-long-program-is-cut", a_long_program_is_cut_in_the_middle),
    };

    return cmocka_run_group_tests_name("run/explain", tests, NULL, NULL);
}
