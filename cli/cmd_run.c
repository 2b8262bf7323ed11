/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/campaign.h"
#include "run/interrupt.h"
#include "run/report.h"

static const char help[] =
    "usage: gmemcheck run [OPTION...]\n\n"
    "Random programs from one seed, until --programs or --time is used up or one fails.\n\n"
    "  --seed N             the campaign's seed (default 1)\n"
    "  --programs N         how many programs (default 10000 without --time)\n"
    "  --first N            number of the first program (default 0)\n"
    "  --time S             for so many seconds\n"
    "  --jobs N             worker processes (default 1)\n"
    "  --set KEY=VALUE      fix one thing that is drawn else; see gmemcheck config\n"
    "  --results DIR        where failing programs are saved (default results)\n"
    "  --no-shrink          leave the failing program as it was found\n"
    "  --check-determinism  run every program twice and compare (default: 5 in 100)\n"
    "  --trace              print the story of every program (one job)\n"
    "  --json               the last line as a JSON object\n";

struct arguments {
    struct campaign campaign;
    uint64_t first, programs, jobs;
    double seconds;
    const char *results;
    char sets[1024]; /* as given, for the command that reproduces */
    bool recheck_all, trace, json, no_shrink;
};

enum {
    OPTION_SEED = 256,
    OPTION_PROGRAMS,
    OPTION_FIRST,
    OPTION_TIME,
    OPTION_JOBS,
    OPTION_SET,
    OPTION_RESULTS,
    OPTION_NO_SHRINK,
    OPTION_RECHECK,
    OPTION_TRACE,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option options[] = {{"seed", 1, NULL, OPTION_SEED},
                                        {"programs", 1, NULL, OPTION_PROGRAMS},
                                        {"first", 1, NULL, OPTION_FIRST},
                                        {"time", 1, NULL, OPTION_TIME},
                                        {"jobs", 1, NULL, OPTION_JOBS},
                                        {"set", 1, NULL, OPTION_SET},
                                        {"results", 1, NULL, OPTION_RESULTS},
                                        {"check-determinism", 0, NULL, OPTION_RECHECK},
                                        {"trace", 0, NULL, OPTION_TRACE},
                                        {"json", 0, NULL, OPTION_JSON},
                                        {"help", 0, NULL, OPTION_HELP},
                                        {"no-shrink", 0, NULL, OPTION_NO_SHRINK},
                                        {NULL, 0, NULL, 0}};

static bool take_set(struct arguments *a, const char *text)
{
    char why[256];

    if (generate_set(&a->campaign.options, text, why, sizeof(why))) {
        cli_usage_error("run", "--set %s: %s", text, why);
        return false;
    }
    return cli_remember_set("run", a->sets, sizeof(a->sets), text);
}

static bool take_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case OPTION_SEED:
        return cli_number("run", "--seed", optarg, 0, INT64_MAX, &a->campaign.seed);
    case OPTION_PROGRAMS:
        return cli_number("run", "--programs", optarg, 1, INT64_MAX, &a->programs);
    case OPTION_FIRST:
        return cli_number("run", "--first", optarg, 0, INT64_MAX / 2, &a->first);
    case OPTION_TIME:
        return cli_seconds("run", optarg, &a->seconds);
    case OPTION_JOBS:
        return cli_number("run", "--jobs", optarg, 1, POOL_JOBS_MAX, &a->jobs);
    case OPTION_SET:
        return take_set(a, optarg);
    case OPTION_RESULTS:
        a->results = optarg;
        return true;
    case OPTION_NO_SHRINK:
        return a->no_shrink = true;
    case OPTION_RECHECK:
        return a->recheck_all = true;
    case OPTION_TRACE:
        return a->trace = true;
    case OPTION_JSON:
        return a->json = true;
    default:
        cli_bad_option("run", argv, option);
        return false;
    }
}

/* True to go on, else *code is the exit code. */
static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    *a = (struct arguments){.jobs = 1, .results = "results", .campaign = {.seed = 1}};
    generate_defaults(&a->campaign.options);
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
    if (optind < argc) {
        cli_usage_error("run", "unexpected argument '%s'", argv[optind]);
        return false;
    }
    if (a->programs == 0)
        a->programs = a->seconds > 0 ? UINT64_MAX : 10000;
    if (a->trace)
        a->jobs = 1;
    return true;
}

/* --trace: what was run with one job, again, each program in a child of its own. */
static void trace_programs(const struct arguments *a, uint64_t n)
{
    struct program p;

    program_init(&p);
    for (uint64_t i = a->first; i < a->first + n && interrupt_count() == 0; i++) {
        struct run_result nothing = {.page = MODEL_NO_PAGE};

        if (campaign_program(&a->campaign, i, &p))
            break;
        printf("program %llu\n", (unsigned long long)i);
        report_trace(stdout, &nothing, &p, &subject_core);
    }
    program_free(&p);
}

static void show_first_finding(const struct arguments *a, const struct pool_totals *t)
{
    const struct finding *first = &t->findings[0];
    char command[1400], name[64], origin[64];
    struct program p;
    const struct cli_found found = {.result = &first->result,
                                    .program = &p,
                                    .name = name,
                                    .origin = origin,
                                    .results_dir = a->results,
                                    .command = command,
                                    .shrink = !a->no_shrink,
                                    .progress = isatty(STDERR_FILENO)};

    program_init(&p);
    snprintf(command, sizeof(command), "%s run --seed %llu --first %llu --programs 1%s",
             cli_program(), (unsigned long long)a->campaign.seed,
             (unsigned long long)first->item, a->sets);
    snprintf(name, sizeof(name), "violation-%llu-%llu", (unsigned long long)a->campaign.seed,
             (unsigned long long)first->item);
    snprintf(origin, sizeof(origin), "program %llu of seed %llu",
             (unsigned long long)first->item, (unsigned long long)a->campaign.seed);
    if (campaign_program(&a->campaign, first->item, &p) == 0)
        cli_show_found(&found);
    program_free(&p);
}

int cmd_run(int argc, char **argv)
{
    struct arguments a;
    struct pool_totals totals;
    struct pool_source source;
    int code, error;

    if (!parse(&a, argc, argv, &code))
        return code;
    source = campaign_source(&a.campaign, a.first, a.programs);
    const struct pool_options pool = {.jobs = (uint32_t)a.jobs,
                                      .seconds = a.seconds,
                                      .recheck_percent = a.recheck_all ? 100 : 5,
                                      .seed = a.campaign.seed,
                                      .subject = &subject_core,
                                      .progress = isatty(STDERR_FILENO)};
    error = pool_run(&source, &pool, NULL, &totals);
    if (error) {
        fprintf(stderr, "gmemcheck run: cannot start workers: %s\n", strerror(-error));
        return EXIT_INTERNAL;
    }
    if (a.trace)
        trace_programs(&a, totals.programs);
    if (totals.n_findings > 0)
        show_first_finding(&a, &totals);
    code = pool_exit_code(&totals);
    error = report_summary(stdout, &totals, a.campaign.seed, a.json);
    return error && code == EXIT_GOOD ? EXIT_INTERNAL : code;
}
