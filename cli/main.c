/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gmemcheck: a testbed for private/shared memory conversion with assigned devices. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"run", "random programs, each judged after every host call", cmd_run},
    {"replay", "scenario files and folders", cmd_replay},
    {"faults", "every host call and the faults it can be given", cmd_faults},
    {"ops", "every operation that a scenario can contain", cmd_ops},
    {"config", "every key of --set and its values", cmd_config},
};

static const char *program_name = "gmemcheck";

const char *cli_program(void)
{
    return program_name;
}

int cli_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "gmemcheck%s%s: ", command ? " " : "", command ? command : "");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (see gmemcheck %s%s--help)\n", command ? command : "",
            command ? " " : "");
    return EXIT_USAGE;
}

bool cli_number(const char *command, const char *option, const char *text, uint64_t low,
                uint64_t high, uint64_t *out)
{
    char *end = NULL;
    bool digits = text[0] >= '0' && text[0] <= '9';

    errno = 0;
    *out = digits ? strtoull(text, &end, 0) : 0;
    if (digits && errno == 0 && *end == '\0' && *out >= low && *out <= high)
        return true;
    cli_usage_error(command, "%s takes a number from %llu to %llu, not '%s'", option,
                    (unsigned long long)low, (unsigned long long)high, text);
    return false;
}

bool cli_no_arguments(int argc, char **argv, const char *help, int *code)
{
    if (argc == 1)
        return true;
    if (strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        *code = EXIT_GOOD;
    } else {
        *code = cli_usage_error(argv[0], "takes no argument, but got '%s'", argv[1]);
    }
    return false;
}

static void print_help(void)
{
    printf("gmemcheck " GMEMCHECK_VERSION ": drives a confidential VM's memory state manager "
           "over a mock KVM,\nguest_memfd and VFIO kernel, and checks after every host call "
           "that the IOVA mappings\nequal the shared pages.\n\n"
           "usage: gmemcheck COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].help);
    printf("\n  gmemcheck COMMAND --help   the options of one command\n"
           "  gmemcheck --version\n\n"
           "exit codes: 0 all good, 1 a violation was found, 2 bad usage or input,\n"
           "3 internal error, 130 interrupted\n");
}

/* A full disk or a closed pipe at the very end must not look like success. */
static int close_stdout(int code)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "gmemcheck: cannot write standard output: %s\n", strerror(errno));
        return code == EXIT_GOOD ? EXIT_INTERNAL : code;
    }
    return code;
}

int main(int argc, char **argv)
{
    /* Writing past a file size limit is an error to report, not a reason to die. */
    signal(SIGXFSZ, SIG_IGN);
    program_name = argv[0] ? argv[0] : program_name;
    if (argc < 2)
        return cli_usage_error(NULL, "no command given");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return close_stdout(EXIT_GOOD);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("gmemcheck " GMEMCHECK_VERSION);
        return close_stdout(EXIT_GOOD);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return close_stdout(commands[i].run(argc - 1, argv + 1));
    return cli_usage_error(NULL, "unknown command '%s'", argv[1]);
}
