/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/files.h"
#include "run/report.h"

static const char help[] =
    "usage: gmemcheck replay PATH... [OPTION...]\n\n"
    "Runs scenario files; of a folder, every .scn in it. Each must hold all its expectations\n"
    "and every rule.\n\n"
    "  --set AXIS=VALUE  run them with another value of an axis; see gmemcheck config\n"
    "  --jobs N          worker processes (default 1)\n"
    "  --trace           print the story of every program\n"
    "  --json            the last line as a JSON object\n";

struct arguments {
    struct generate_options fixed;
    struct file_list files;
    uint64_t jobs;
    bool trace, json;
};

enum { OPTION_SET = 256, OPTION_JOBS, OPTION_TRACE, OPTION_JSON, OPTION_HELP };

static const struct option options[] = {
    {"set", 1, NULL, OPTION_SET},     {"jobs", 1, NULL, OPTION_JOBS},
    {"trace", 0, NULL, OPTION_TRACE}, {"json", 0, NULL, OPTION_JSON},
    {"help", 0, NULL, OPTION_HELP},   {NULL, 0, NULL, 0}};

/* Only axes make sense for a program that is already there. */
static bool take_set(struct arguments *a, const char *text)
{
    struct generate_options before = a->fixed, other;
    char why[256];

    if (generate_set(&a->fixed, text, why, sizeof(why))) {
        cli_usage_error("replay", "--set %s: %s", text, why);
        return false;
    }
    other = a->fixed;
    memcpy(other.axis, before.axis, sizeof(other.axis));
    if (memcmp(&other, &before, sizeof(other)) == 0)
        return true;
    cli_usage_error("replay", "--set %s: only the axes of a machine can be changed", text);
    return false;
}

static bool take_option(struct arguments *a, int option)
{
    switch (option) {
    case OPTION_SET:
        return take_set(a, optarg);
    case OPTION_JOBS:
        return cli_number("replay", "--jobs", optarg, 1, POOL_JOBS_MAX, &a->jobs);
    case OPTION_TRACE:
        return a->trace = true;
    case OPTION_JSON:
        return a->json = true;
    default:
        cli_usage_error("replay", "bad option");
        return false;
    }
}

static bool take_paths(struct arguments *a, int argc, char **argv)
{
    char why[1200];

    if (optind == argc) {
        cli_usage_error("replay", "no file or folder given");
        return false;
    }
    for (int i = optind; i < argc; i++)
        if (file_list_add(&a->files, argv[i], why, sizeof(why))) {
            fprintf(stderr, "gmemcheck replay: %s\n", why);
            return false;
        }
    a->files.fixed = &a->fixed;
    return true;
}

static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    memset(a, 0, sizeof(*a));
    a->jobs = 1;
    file_list_init(&a->files);
    generate_defaults(&a->fixed);
    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (!take_option(a, option))
            return false;
    }
    return take_paths(a, argc, argv);
}

static void show_file(const struct arguments *a, uint32_t i, const struct run_result *r)
{
    char reproduce[1400], why[256];
    struct program p;

    program_init(&p);
    if (r->verdict == VERDICT_INPUT) {
        fprintf(stderr, "gmemcheck replay: %s\n", r->detail);
    } else if (file_load(&a->files, i, &p, why, sizeof(why)) == 0) {
        snprintf(reproduce, sizeof(reproduce), "%s replay %s", cli_program(),
                 a->files.paths[i]);
        cli_show_finding(r, &p, 0, i, NULL, reproduce);
    }
    program_free(&p);
}

static void trace_file(const struct arguments *a, uint32_t i)
{
    struct run_result nothing = {.page = MODEL_NO_PAGE};
    char why[256];
    struct program p;

    program_init(&p);
    if (file_load(&a->files, i, &p, why, sizeof(why)) == 0)
        report_trace(stdout, &nothing, &p, &subject_core);
    program_free(&p);
}

static void show_all(const struct arguments *a, const struct run_result *results)
{
    for (uint32_t i = 0; i < a->files.n; i++) {
        const struct run_result *r = &results[i];

        printf("%-9s %s\n", verdict_name(r->verdict), a->files.paths[i]);
        if (r->verdict != VERDICT_OK)
            show_file(a, i, r);
        else if (a->trace)
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
    int code = EXIT_INTERNAL;

    if (!results || pool_run(&source, &pool, results, &totals)) {
        fprintf(stderr, "gmemcheck replay: cannot start workers\n");
    } else {
        show_all(a, results);
        code = report_summary(stdout, &totals, 0, a->json) ? EXIT_INTERNAL
                                                           : pool_exit_code(&totals);
    }
    pool_results_free(results, a->files.n);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    struct arguments a;
    int code;

    if (parse(&a, argc, argv, &code))
        code = replay(&a);
    file_list_free(&a.files);
    return code;
}
