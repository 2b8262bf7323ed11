/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/files.h"
#include "run/interrupt.h"
#include "run/matrix.h"
#include "run/report.h"

static const char help[] =
    "usage: gmemcheck replay PATH... [OPTION...]\n\n"
    "Runs scenario files; of a folder, every .scn in it. Each must hold all its expectations\n"
    "and every rule.\n\n"
    "  --set AXIS=VALUE  run them with another value of an axis; see gmemcheck config\n"
    "  --matrix          each over every configuration that it makes sense for: the axes that\n"
    "                    its machine line does not fix, and share=, in all combinations\n"
    "  --jobs N          worker processes (default 1)\n"
    "  --trace           print the story of every program\n"
    "  --json            the last line as a JSON object\n";

struct arguments {
    struct generate_options fixed;
    struct file_list files;
    uint64_t jobs;
    char sets[1024]; /* as given, for the command that reproduces */
    bool trace, json, matrix;
};

enum { OPTION_SET = 256, OPTION_JOBS, OPTION_MATRIX, OPTION_TRACE, OPTION_JSON, OPTION_HELP };

static const struct option options[] = {{"set", 1, NULL, OPTION_SET},
                                        {"jobs", 1, NULL, OPTION_JOBS},
                                        {"matrix", 0, NULL, OPTION_MATRIX},
                                        {"trace", 0, NULL, OPTION_TRACE},
                                        {"json", 0, NULL, OPTION_JSON},
                                        {"help", 0, NULL, OPTION_HELP},
                                        {NULL, 0, NULL, 0}};

static bool take_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case OPTION_SET:
        return cli_set_axis("replay", &a->fixed, optarg) &&
               cli_remember_set("replay", a->sets, sizeof(a->sets), optarg);
    case OPTION_JOBS:
        return cli_number("replay", "--jobs", optarg, 1, POOL_JOBS_MAX, &a->jobs);
    case OPTION_MATRIX:
        return a->matrix = true;
    case OPTION_TRACE:
        return a->trace = true;
    case OPTION_JSON:
        return a->json = true;
    default:
        cli_bad_option("replay", argv, option);
        return false;
    }
}

static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    memset(a, 0, sizeof(*a));
    a->jobs = 1;
    file_list_init(&a->files);
    generate_defaults(&a->fixed);
    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (!take_option(a, option, argv))
            return false;
    }
    if (a->matrix && (a->trace || a->json)) {
        cli_usage_error("replay", "--matrix prints its table only: no --%s with it",
                        a->trace ? "trace" : "json");
        return false;
    }
    a->files.fixed = &a->fixed;
    return cli_take_paths("replay", &a->files, argc, argv);
}

static void show_file(const struct arguments *a, uint32_t i, const struct run_result *r)
{
    const char *path = a->files.paths[i];
    struct text_error problem;
    struct program p;

    if (r->verdict == VERDICT_INPUT) {
        cli_bad_scenario("replay", path, r->line, r->detail);
        return;
    }
    program_init(&p);
    if (file_load(&a->files, i, &p, &problem) == 0) {
        cli_show_story(r, &p);
        cli_say_how(path, a->sets);
    } else { /* changed or removed meanwhile */
        report_finding(stdout, r, NULL);
    }
    program_free(&p);
}

static void trace_file(const struct arguments *a, uint32_t i)
{
    struct run_result nothing = {.page = MODEL_NO_PAGE};
    struct text_error problem;
    struct program p;

    program_init(&p);
    if (file_load(&a->files, i, &p, &problem) == 0)
        report_trace(stdout, &nothing, &p, &subject_core);
    program_free(&p);
}

/* The verdict, and what --set has made of the file's machine. */
static void show_verdict(const struct arguments *a, uint32_t i, const struct run_result *r)
{
    char words[256];

    file_overrides(&a->files, i, words, sizeof(words));
    printf("%-9s %s%s%s%s\n", verdict_name(r->verdict), a->files.paths[i],
           words[0] ? " (--set " : "", words, words[0] ? ")" : "");
    if (words[0] && r->verdict == VERDICT_VIOLATION && strcmp(r->rule, "E1 expectation") == 0)
        printf("note:      what the file expects is about the machines of its machine line\n");
    fflush(stdout); /* what follows may be on stderr */
}

static void show_all(const struct arguments *a, const struct run_result *results)
{
    for (uint32_t i = 0; i < a->files.n; i++) {
        const struct run_result *r = &results[i];

        show_verdict(a, i, r);
        if (r->verdict != VERDICT_OK && r->verdict != VERDICT_NOT_RUN)
            show_file(a, i, r);
        else if (a->trace && r->verdict == VERDICT_OK && interrupt_count() == 0)
            trace_file(a, i);
    }
}

static int replay(struct arguments *a)
{
    struct pool_source source = file_source(&a->files);
    const struct pool_options pool = {
        .jobs = (uint32_t)a->jobs, .recheck_percent = 100, .subject = &subject_core};
    struct run_result *results = pool_results_alloc(a->files.n);
    struct pool_totals totals;
    int code = EXIT_INTERNAL, error = results ? 0 : -ENOMEM;

    if (!error)
        error = pool_run(&source, &pool, results, &totals);
    if (error) {
        fprintf(stderr, "gmemcheck replay: cannot start workers: %s\n", strerror(-error));
    } else {
        show_all(a, results);
        code = pool_exit_code(&totals);
        error = report_summary(stdout, &totals, 0, a->json);
        if (error && code == EXIT_GOOD)
            code = EXIT_INTERNAL;
    }
    pool_results_free(results, a->files.n);
    return code;
}

static int replay_matrix(struct arguments *a)
{
    const struct pool_options pool = {.jobs = (uint32_t)a->jobs,
                                      .recheck_percent = 2,
                                      .subject = &subject_core,
                                      .progress = isatty(STDERR_FILENO)};
    struct run_result *results = NULL;
    struct pool_totals totals;
    struct pool_source source;
    struct matrix matrix;
    int code = EXIT_INTERNAL, error;

    a->files.others_vary = true;
    error = matrix_init(&matrix, &a->files);
    if (error) {
        fprintf(stderr, "gmemcheck replay: %s\n", strerror(-error));
        return code;
    }
    if (matrix.n_items == 0) {
        cli_usage_error("replay", "the machine lines of all files rule out%s", a->sets);
        matrix_free(&matrix);
        return EXIT_USAGE;
    }
    source = matrix_source(&matrix);
    results = pool_results_alloc(matrix.n_items);
    error = results ? pool_run(&source, &pool, results, &totals) : -ENOMEM;
    if (error) {
        fprintf(stderr, "gmemcheck replay: cannot start workers: %s\n", strerror(-error));
    } else {
        code = pool_exit_code(&totals);
        error = matrix_report(stdout, &matrix, results, cli_program(), a->sets);
        if (error && code == EXIT_GOOD)
            code = EXIT_INTERNAL;
    }
    pool_results_free(results, matrix.n_items);
    matrix_free(&matrix);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    struct arguments a;
    int code;

    if (parse(&a, argc, argv, &code))
        code = a.matrix ? replay_matrix(&a) : replay(&a);
    file_list_free(&a.files);
    return code;
}
