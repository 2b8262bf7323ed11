/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about one scenario file: its arguments, its program, its verdict. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/explain.h"
#include "run/files.h"
#include "run/interrupt.h"

void cli_bad_scenario(const char *command, const char *path, uint32_t line, const char *why)
{
    char number[16] = "";

    if (line > 0)
        snprintf(number, sizeof(number), ":%u", line);
    fprintf(stderr, "gmemcheck %s: %s%s: %s\n", command, path, number, why);
}

void cli_scenario_init(struct cli_scenario *s, const char *command)
{
    memset(s, 0, sizeof(*s));
    s->command = command;
    generate_defaults(&s->fixed);
    program_init(&s->program);
}

bool cli_scenario_set(struct cli_scenario *s, const char *text)
{
    return cli_set_axis(s->command, &s->fixed, text) &&
           cli_remember_set(s->command, s->sets, sizeof(s->sets), text);
}

void cli_scenario_free(struct cli_scenario *s)
{
    program_free(&s->program);
}

bool cli_scenario_load(struct cli_scenario *s, int argc, char **argv)
{
    struct text_error problem = {0};
    struct file_list files;
    struct stat st;
    char why[4500];
    bool loaded = false;

    if (argc - optind != 1) {
        cli_usage_error(s->command, "takes one scenario file, not %d", argc - optind);
        return false;
    }
    s->path = argv[optind];
    if (stat(s->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        cli_bad_scenario(s->command, s->path, 0, "a folder; it takes one scenario file");
        return false;
    }
    file_list_init(&files);
    files.fixed = &s->fixed;
    if (file_list_add(&files, s->path, why, sizeof(why)))
        fprintf(stderr, "gmemcheck %s: %s\n", s->command, why);
    else if (file_load(&files, 0, &s->program, &problem))
        cli_bad_scenario(s->command, s->path, problem.line, problem.why);
    else
        loaded = true;
    file_list_free(&files);
    return loaded;
}

static int load_copy(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    const struct cli_scenario *s = ctx;

    (void)item, (void)result;
    return program_copy(p, &s->program);
}

int cli_scenario_run(const struct cli_scenario *s, struct run_result *result)
{
    struct pool_source source = {.ctx = (void *)s, .n_items = 1, .load = load_copy};
    const struct pool_options pool = {.jobs = 1,
                                      .recheck_percent = 100,
                                      .subject = &subject_core,
                                      .progress = isatty(STDERR_FILENO)};
    struct run_result *results = pool_results_alloc(1);
    struct pool_totals totals;
    int code, error = results ? pool_run(&source, &pool, results, &totals) : -ENOMEM;

    *result = (struct run_result){.verdict = VERDICT_NOT_RUN};
    if (error) {
        fprintf(stderr, "gmemcheck %s: cannot start workers: %s\n", s->command,
                strerror(-error));
        code = EXIT_INTERNAL;
    } else {
        *result = results[0];
        code = pool_exit_code(&totals);
        if (code == EXIT_INTERRUPTED)
            fprintf(stderr, "gmemcheck %s: interrupted\n", s->command);
        if (result->verdict == VERDICT_INPUT)
            cli_bad_scenario(s->command, s->path, result->line, result->detail);
    }
    pool_results_free(results, 1);
    return code;
}

bool cli_scenario_has_story(const struct run_result *result)
{
    if (result->verdict == VERDICT_OK)
        return interrupt_count() == 0;
    return result->verdict != VERDICT_INPUT && result->verdict != VERDICT_NOT_RUN;
}

int cli_scenario_code(int code)
{
    return code == EXIT_GOOD && interrupt_count() ? EXIT_INTERRUPTED : code;
}

uint32_t cli_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
        return EXPLAIN_WIDTH;
    if (size.ws_col < EXPLAIN_WIDTH_MIN)
        return EXPLAIN_WIDTH_MIN;
    return size.ws_col < EXPLAIN_WIDTH_MAX ? size.ws_col : EXPLAIN_WIDTH_MAX;
}
