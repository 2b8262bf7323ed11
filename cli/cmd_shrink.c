/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/save.h"
#include "run/shrink_report.h"
#include "run/vocabulary.h"

static const char help[] =
    "usage: gmemcheck shrink FILE [-o OUT] [OPTION...]\n\n"
    "The least of a failing scenario that still fails the same way: rule, kind of op, last "
    "host\n"
    "call and its caller. Without -o it goes to standard output.\n\n"
    "  -o, --output OUT  where to save it, whole or not at all\n"
    "  --set AXIS=VALUE  begin with another value of an axis; see gmemcheck config\n"
    "  --tries N         programs to run at most (default 200000)\n"
    "  --time S          for so many seconds at most (default 60)\n\n"
    "exit codes: 0 shrunk, 2 bad usage or input, or FILE does not fail, 3 FILE does not fail\n"
    "the same way each time, or OUT cannot be written (then the program goes to standard\n"
    "output), 130 interrupted: the best so far is kept\n";

struct arguments {
    struct cli_scenario scenario;
    const char *output; /* NULL: standard output */
    struct shrink_options shrink;
};

enum { OPTION_TRIES = 256, OPTION_TIME, OPTION_SET, OPTION_HELP };

static const struct option options[] = {
    {"output", 1, NULL, 'o'},       {"tries", 1, NULL, OPTION_TRIES},
    {"time", 1, NULL, OPTION_TIME}, {"set", 1, NULL, OPTION_SET},
    {"help", 0, NULL, OPTION_HELP}, {NULL, 0, NULL, 0}};

static bool take_option(struct arguments *a, int option, char **argv)
{
    switch (option) {
    case 'o':
        a->output = optarg;
        return true;
    case OPTION_TRIES:
        return cli_number("shrink", "--tries", optarg, 1, INT64_MAX, &a->shrink.tries);
    case OPTION_TIME:
        return cli_seconds("shrink", optarg, &a->shrink.seconds);
    case OPTION_SET:
        return cli_scenario_set(&a->scenario, optarg);
    default:
        cli_bad_option("shrink", argv, option);
        return false;
    }
}

static bool parse(struct arguments *a, int argc, char **argv, int *code)
{
    int option;

    a->shrink.subject = &subject_core;
    a->shrink.progress = isatty(STDERR_FILENO);
    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, ":o:", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (!take_option(a, option, argv))
            return false;
    }
    return cli_scenario_load(&a->scenario, argc, argv);
}

/* Nothing to save: says why. */
static int no_result(const char *path, const struct shrink_result *r)
{
    const char *why = r->result.detail;

    if (r->end == SHRINK_NOT_FAILING && r->result.verdict == VERDICT_OK)
        why = "it holds every rule: there is nothing to shrink";
    else if (r->end == SHRINK_UNSTABLE)
        why = "it does not fail the same way each time";
    else if (r->end == SHRINK_INTERRUPTED)
        why = "interrupted before anything was known";
    fprintf(stderr, "gmemcheck shrink: %s: %s\n", path, why);
    if (r->end == SHRINK_INTERRUPTED)
        return EXIT_INTERRUPTED;
    return r->end == SHRINK_NOT_FAILING ? EXIT_USAGE : EXIT_INTERNAL;
}

static int save(const struct arguments *a, const struct shrink_result *r, const char *header)
{
    int error = save_program(a->output, &r->program, header, text_print_brief);

    if (!error) {
        printf("saved:     %s\n", a->output);
        cli_say_how(a->output, "");
        return EXIT_GOOD;
    }
    fflush(stdout);
    fprintf(stderr, "gmemcheck shrink: cannot save %s: %s\n", a->output, strerror(-error));
    cli_print_program(&r->program, header);
    return EXIT_INTERNAL;
}

static int show(const struct arguments *a, const struct shrink_result *r)
{
    const struct cli_scenario *scenario = &a->scenario;
    char header[SHRINK_HEADER_TEXT], command[PATH_MAX + 1300];
    struct shrink_origin origin;
    int code = EXIT_GOOD;

    snprintf(command, sizeof(command), "%.150s shrink %s%s", cli_program(), scenario->path,
             scenario->sets);
    shrink_origin_of_file(&origin, &scenario->program, scenario->path, command);
    shrink_header(header, sizeof(header), r, &origin);
    if (a->output) {
        cli_show_story(&r->result, &r->program);
        shrink_summary(stdout, r, &scenario->program);
        code = save(a, r, header);
    } else {
        text_print_brief(stdout, &r->program, &run_vocabulary, header);
        shrink_summary(stderr, r, &scenario->program);
    }
    return r->end == SHRINK_INTERRUPTED && code == EXIT_GOOD ? EXIT_INTERRUPTED : code;
}

static int shrink_scenario(struct arguments *a)
{
    struct shrink_result r;
    int error = shrink(&a->scenario.program, &a->shrink, &r), code;

    if (error) {
        fprintf(stderr, "gmemcheck shrink: cannot start a process: %s\n", strerror(-error));
        code = EXIT_INTERNAL;
    } else if (shrink_has_result(&r)) {
        code = show(a, &r);
    } else {
        code = no_result(a->scenario.path, &r);
    }
    shrink_free(&r);
    return code;
}

int cmd_shrink(int argc, char **argv)
{
    struct arguments a = {.output = NULL};
    int code;

    cli_scenario_init(&a.scenario, "shrink");
    if (parse(&a, argc, argv, &code))
        code = shrink_scenario(&a);
    cli_scenario_free(&a.scenario);
    return code;
}
