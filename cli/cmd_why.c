/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "program/text.h"
#include "run/history.h"

static const char help[] =
    "usage: gmemcheck why FILE --page PAGE [--set AXIS=VALUE...]\n\n"
    "Runs one scenario file and shows everything that touched one page: each op and host call\n"
    "that named it or changed its attribute, tracker, sides, content or mappings, with what "
    "was\n"
    "there before and after.\n\n"
    "  --page PAGE       ram0:3 or ram0[3]; by guest physical address gpa@0x13000 or gpa[19]\n"
    "  --set AXIS=VALUE  run it with another value of an axis; see gmemcheck config\n";

enum { OPTION_PAGE = 256, OPTION_SET, OPTION_HELP };

static const struct option options[] = {{"page", 1, NULL, OPTION_PAGE},
                                        {"set", 1, NULL, OPTION_SET},
                                        {"help", 0, NULL, OPTION_HELP},
                                        {NULL, 0, NULL, 0}};

static bool take_option(struct cli_scenario *s, const char **page, int option, char **argv)
{
    if (option == OPTION_PAGE)
        *page = optarg;
    else if (option == OPTION_SET)
        return cli_scenario_set(s, optarg);
    else
        cli_bad_option("why", argv, option);
    return option == OPTION_PAGE;
}

static bool parse(struct cli_scenario *s, uint32_t *page, int argc, char **argv, int *code)
{
    const char *name = NULL;
    struct text_error error;
    int option;

    *code = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        }
        if (!take_option(s, &name, option, argv))
            return false;
    }
    if (!name) {
        cli_usage_error("why", "no --page given");
        return false;
    }
    if (!cli_scenario_load(s, argc, argv))
        return false;
    if (text_page(name, &s->program, page, &error) == 0)
        return true;
    cli_usage_error("why", "--page: %s", error.why);
    return false;
}

int cmd_why(int argc, char **argv)
{
    struct cli_scenario s;
    struct run_result result;
    uint32_t page = 0;
    int code;

    cli_scenario_init(&s, "why");
    if (parse(&s, &page, argc, argv, &code)) {
        code = cli_scenario_run(&s, &result);
        if (cli_scenario_has_story(&result))
            history_story(stdout, &s.program, &subject_core, &result, page);
    }
    cli_scenario_free(&s);
    return cli_scenario_code(code);
}
