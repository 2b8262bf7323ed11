/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "run/explain.h"

static const char help[] =
    "usage: gmemcheck explain FILE [--set AXIS=VALUE...]\n\n"
    "Runs one scenario file and shows how it fails: the rule and what it says, the machine, "
    "the\n"
    "page before and after, a picture (a row a step, a column a page), the trace. One that "
    "does\n"
    "not fail is shown as well.\n\n"
    "  --set AXIS=VALUE  run it with another value of an axis; see gmemcheck config\n";

enum { OPTION_SET = 256, OPTION_HELP };

static const struct option options[] = {
    {"set", 1, NULL, OPTION_SET}, {"help", 0, NULL, OPTION_HELP}, {NULL, 0, NULL, 0}};

static bool parse(struct cli_scenario *s, int argc, char **argv, int *code)
{
    int option;

    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (option != OPTION_SET) {
            cli_bad_option("explain", argv, option);
            return false;
        }
        if (!cli_scenario_set(s, optarg))
            return false;
    }
    return cli_scenario_load(s, argc, argv);
}

int cmd_explain(int argc, char **argv)
{
    struct cli_scenario s;
    struct run_result result;
    int code;

    cli_scenario_init(&s, "explain");
    if (parse(&s, argc, argv, &code)) {
        code = cli_scenario_run(&s, &result);
        if (cli_scenario_has_story(&result)) {
            explain_story(stdout, &s.program, &subject_core, &result, cli_width());
            printf("reproduce: %s replay %s%s\n", cli_program(), s.path, s.sets);
        }
    }
    cli_scenario_free(&s);
    return cli_scenario_code(code);
}
