/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of one page, as a whole text. */
#include "tests/explain_fixture.h"

#include <unistd.h>

#include "run/crash.h"
#include "run/history.h"

static struct program program;

static char *history_of(const struct subject *s, const struct run_result *r, const char *name)
{
    FILE *out = tmpfile();
    struct text_error error;
    uint32_t page = 0;
    char *text;

    assert_non_null(out);
    if (text_page(name, &program, &page, &error))
        fail_msg("%s: %s", name, error.why);
    history_story(out, &program, s, r, page);
    text = all_of(out);
    fclose(out);
    return text;
}

static char *history(const char *scenario, const struct subject *s, const char *page)
{
    struct run_result r;

    program_free(&program);
    load_scenario(scenario, &program);
    r = outcome_of(&program, s);
    return history_of(s, &r, page);
}

static void golden(const char *scenario, const char *page, const char *name,
                   const struct subject *s)
{
    char *text = history(scenario, s, page);

    assert_golden(name, text);
    free(text);
}

/* ---- deliberate error: another page, or another core, has another history ---- */
static void another_page_has_another_history(void **state)
{
    struct subject forgetful = forgetful_core();
    char *page = history("missed-unmap", &subject_core, "ram0:9");
    char *other = history("missed-unmap", &subject_core, "ram0:10");
    char *wrong = history("missed-unmap", &forgetful, "ram0:9");

    (void)state;
    assert_int_not_equal(line_that_differs(page, other), 0);
    assert_int_not_equal(line_that_differs(page, wrong), 0);
    free(page);
    free(other);
    free(wrong);
}

static void a_page_that_was_not_unmapped(void **state)
{
    struct subject forgetful = forgetful_core();

    (void)state;
    golden("missed-unmap", "ram0:9", "why-missed-unmap", &forgetful);
}

static void a_page_in_two_containers(void **state)
{
    (void)state;
    golden("undo", "gpa[17]", "why-undo", &subject_core);
}

static void a_page_that_is_shown_twice(void **state)
{
    (void)state;
    golden("kinds", "gpa@0x21008", "why-shown-twice", &subject_core);
}

static void a_page_of_virtio_mem(void **state)
{
    (void)state;
    golden("kinds", "ram0:0", "why-virtio-mem", &subject_core);
}

static void a_page_in_use_in_place(void **state)
{
    (void)state;
    golden("in-use", "ram0[2]", "why-in-use", &subject_core);
}

static void nothing_touched_it(void **state)
{
    char *text = history("missed-unmap", &subject_core, "ram0[0]");

    (void)state;
    assert_string_equal(text,
                        "ram0[0], at address 0x0\n"
                        "at the start: attribute private; tracker private; shared side none; "
                        "private side none; c0 maps nothing\n"
                        "tear-down\n"
                        "     vfio/unmap ram0[0..16)\n"
                        "nothing broke\n");
    free(text);
}

static int run_exits(void *state, uint32_t vcpu)
{
    (void)state, (void)vcpu;
    _exit(0);
}

static void a_crash_has_the_history_up_to_it(void **state)
{
    struct run_result r = {.verdict = VERDICT_CRASH, .op = 1, .page = MODEL_NO_PAGE};
    struct subject s = subject_core;
    char *text;

    (void)state;
    must_parse(MACHINE "write ram0[1] value=3\nconvert ram0[1] shared\n", &program);
    s.run_vcpu = run_exits;
    text = history_of(&s, &r, "ram0:1");
    assert_non_null(strstr(text, "private side none -> frame 1, data 3\n"));
    assert_non_null(strstr(text, "(the run ended here, and its process with it)\n"));
    free(text);
}

static int build_fails(const struct host *host, const struct sync *sync,
                       const struct machine *m, void **state)
{
    (void)host, (void)sync, (void)m, (void)state;
    return -ENOMEM;
}

static void a_machine_that_does_not_come_up(void **state)
{
    struct subject s = subject_core;
    struct run_result r;
    char *text;

    (void)state;
    must_parse(MACHINE "attach d0\n", &program);
    s.build = build_fails;
    r = outcome_of(&program, &s);
    text = history_of(&s, &r, "ram0:1");
    assert_string_equal(text, " !!  build: the machine could not be built\n");
    free(text);
}

static void a_long_history_is_cut_in_the_middle(void **state)
{
    char text[60000], *out;
    size_t used;
    struct run_result r;

    (void)state;
    used = (size_t)snprintf(text, sizeof(text), "%sattach d0\n", MACHINE);
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "write ram0[3] value=%d\n",
                                 i + 1);
    assert_true(used < sizeof(text));
    must_parse(text, &program);
    r = outcome_of(&program, &subject_core);
    out = history_of(&subject_core, &r, "ram0:3");
    assert_non_null(strstr(out, "private side none -> frame 1, data 1\n"));
    assert_non_null(strstr(out, "private side frame 1, data 999 -> frame 1, data 1000\n"));
    assert_null(strstr(out, "data 500 -> "));
    assert_non_null(strstr(out, " lines are left out)\n"));
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
        "run/history/" name, fn, setup, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-page-has-another-history", another_page_has_another_history),
        TEST("a-page-that-was-not-unmapped", a_page_that_was_not_unmapped),
        TEST("a-page-in-two-containers", a_page_in_two_containers),
        TEST("a-page-that-is-shown-twice", a_page_that_is_shown_twice),
        TEST("a-page-of-virtio-mem", a_page_of_virtio_mem),
        TEST("a-page-in-use-in-place", a_page_in_use_in_place),
        TEST("nothing-touched-it", nothing_touched_it),
        TEST("a-crash-has-the-history-up-to-it", a_crash_has_the_history_up_to_it),
        TEST("a-machine-that-does-not-come-up", a_machine_that_does_not_come_up),
        TEST("a-long-history-is-cut", a_long_history_is_cut_in_the_middle),
    };

    return cmocka_run_group_tests_name("run/history", tests, NULL, NULL);
}
