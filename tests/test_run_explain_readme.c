/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What README.md shows of `gmemcheck explain` is what it prints. */
#include "tests/explain_fixture.h"

#include "run/crash.h"
#include "run/explain.h"

#define D3 "scenarios/D3-enoent-treated-as-success.scn"

static char *story_of_d3(void)
{
    struct subject forgetful = forgetful_core();
    char *text = file_text(D3);
    FILE *out = tmpfile();
    struct run_result r;
    struct program p;

    assert_non_null(out);
    must_parse(text, &p);
    free(text);
    r = outcome_of(&p, &forgetful);
    explain_story(out, &p, &forgetful, &r, EXPLAIN_WIDTH);
    text = all_of(out);
    fclose(out);
    program_free(&p);
    return text;
}

/* NULL, or the first line of the indented text at `example` that is not in the story, or not
 * after the one before it. "..." stands for any lines. */
static const char *line_not_in(const char *story_text, const char *example)
{
    static char line[200];

    while (strncmp(example, "    ", 4) == 0 || *example == '\n') {
        size_t n = strcspn(example, "\n");
        const char *at = story_text;

        snprintf(line, sizeof(line), "%.*s\n", (int)(n > 4 ? n - 4 : 0), example + (n ? 4 : 0));
        while (at && strcmp(line, "...\n") != 0 && strcmp(line, "\n") != 0 &&
               strncmp(at, line, strlen(line)) != 0)
            at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
        if (!at)
            return line;
        story_text = at;
        example += n + (example[n] == '\n');
    }
    return NULL;
}

static void an_example_that_is_not_so_is_noticed(void **state)
{
    (void)state;
    assert_null(line_not_in("a\nb\nc\n", "    a\n    ...\n    c\n"));
    assert_string_equal(line_not_in("a\nb\nc\n", "    a\n    x\n"), "x\n");
    assert_string_equal(line_not_in("a\nb\nc\n", "    c\n    b\n"), "b\n");
    assert_string_equal(line_not_in("a b\n", "    a\n"), "a\n");
}

static void the_readme_shows_what_is_printed(void **state)
{
    char *readme = file_text("README.md"), *text = story_of_d3();
    const char *example = strstr(readme, "    violation: ");
    const char *wrong;

    (void)state;
    assert_non_null(example);
    wrong = line_not_in(text, example);
    if (wrong)
        fail_msg("README.md shows what explain does not print: %s", wrong);
    free(readme);
    free(text);
}

static int setup(void **state)
{
    (void)state;
    return crash_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"run/explain-readme/an-example-that-is-not-so", an_example_that_is_not_so_is_noticed,
         NULL, NULL, NULL},
        {"run/explain-readme/the-readme-shows-it", the_readme_shows_what_is_printed, NULL, NULL,
         NULL},
    };

    return cmocka_run_group_tests_name("run/explain-readme", tests, setup, NULL);
}
