/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exists: faults, ops, config. */
#include <stdio.h>

#include "cli/cli.h"
#include "program/text.h"
#include "run/vocabulary.h"

static void print_errnos(uint32_t point, bool late)
{
    for (uint32_t i = 0; run_vocabulary.point_errno(point, i, late) != 0; i++)
        printf(" %s", text_errno(run_vocabulary.point_errno(point, i, late)));
}

int cmd_faults(int argc, char **argv)
{
    int code;

    if (!cli_no_arguments(argc, argv,
                          "usage: gmemcheck faults\n\nEvery host call: the errnos a fault can "
                          "make it return before it did anything,\nafter `late` those that it "
                          "can return although it did, and what it is.\nThe last ones "
                          "are groups: each machine has its own of their calls.\n",
                          &code))
        return code;
    for (uint32_t i = 0; i < run_vocabulary.n_names; i++) {
        printf("%-22s", run_vocabulary.point_name(i));
        print_errnos(i, false);
        if (run_vocabulary.point_errno(i, 0, true) != 0) {
            printf(" late");
            print_errnos(i, true);
        }
        printf("%s%s\n", run_vocabulary.point_is_fault(i) ? "  # " : " # no fault; ",
               run_vocabulary.point_help(i));
    }
    return EXIT_GOOD;
}

int cmd_ops(int argc, char **argv)
{
    int code;

    if (!cli_no_arguments(argc, argv,
                          "usage: gmemcheck ops\n\nEvery operation that a scenario can "
                          "contain; docs/scenario-format.md has the rest.\n",
                          &code))
        return code;
    for (uint32_t i = 0; i < OP_KIND_COUNT; i++)
        printf("%-10s %s\n", op_kind_name(i), op_kind_help(i));
    return EXIT_GOOD;
}

int cmd_config(int argc, char **argv)
{
    const char *key, *values, *what;
    int code;

    if (!cli_no_arguments(argc, argv,
                          "usage: gmemcheck config\n\nEvery key of --set, its values, and "
                          "what it is.\n",
                          &code))
        return code;
    for (uint32_t i = 0; (key = generate_key(i, &values, &what)) != NULL; i++)
        printf("%-11s %-28s %s\n", key, values, what);
    return EXIT_GOOD;
}
