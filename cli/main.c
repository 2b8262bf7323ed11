/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gmemcheck: a testbed for private/shared memory conversion with assigned devices. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"run", "random programs, each judged after every host call", cmd_run},
    {"replay", "scenario files and folders", cmd_replay},
    {"shrink", "the least of a scenario that still fails the same way", cmd_shrink},
    {"explain", "one scenario: what broke, a picture of the pages, the story", cmd_explain},
    {"why", "one page of a scenario: everything that touched it", cmd_why},
    {"sweep", "scenarios again and again, each host call failing once", cmd_sweep},
    {"explore", "every state of a small machine", cmd_explore},
    {"decode", "bytes of a fuzzer, as a scenario", cmd_decode},
    {"encode", "a scenario, as bytes for a fuzzer", cmd_encode},
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

int cli_bad_option(const char *command, char **argv, int option)
{
    const char *word = argv[optind - 1];

    if (option == ':')
        return cli_usage_error(command, "option '%s' needs a value", word);
    if (strchr(word, '=') && optopt != 0)
        return cli_usage_error(command, "option '%s' takes no value", word);
    return cli_usage_error(command, "unknown option '%s'", word);
}

bool cli_number(const char *command, const char *option, const char *text, uint64_t low,
                uint64_t high, uint64_t *out)
{
    char *end = NULL;
    bool digits = text[0] >= '0' && text[0] <= '9';
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

    errno = 0;
    *out = digits ? strtoull(text, &end, hex ? 16 : 10) : 0;
    if (digits && errno == 0 && *end == '\0' && *out >= low && *out <= high)
        return true;
    cli_usage_error(command, "%s takes a number from %llu to %llu, not '%s'", option,
                    (unsigned long long)low, (unsigned long long)high, text);
    return false;
}

bool cli_seconds(const char *command, const char *text, double *out)
{
    char *end = NULL;

    *out = strtod(text, &end);
    if (text[0] != ' ' && end != text && *end == '\0' && *out > 0 && *out < 1e9)
        return true;
    cli_usage_error(command, "--time takes a number of seconds above 0, not '%s'", text);
    return false;
}

bool cli_set_axis(const char *command, struct generate_options *fixed, const char *text)
{
    struct generate_options before = *fixed, other;
    char why[256];

    if (generate_set(fixed, text, why, sizeof(why))) {
        cli_usage_error(command, "--set %s: %s", text, why);
        return false;
    }
    other = *fixed;
    memcpy(other.axis, before.axis, sizeof(other.axis));
    other.share = before.share;
    if (memcmp(&other, &before, sizeof(other)) == 0)
        return true;
    cli_usage_error(command, "--set %s: only the axes of a machine can be changed", text);
    return false;
}

bool cli_remember_set(const char *command, char *sets, size_t size, const char *text)
{
    size_t used = strlen(sets);
    int length = snprintf(sets + used, size - used, " --set %s", text);

    if (length < (int)(size - used))
        return true;
    cli_usage_error(command, "--set %s: too many of them", text);
    return false;
}

bool cli_take_paths(const char *command, struct file_list *files, int argc, char **argv)
{
    char why[PATH_MAX + 200];

    if (optind == argc) {
        cli_usage_error(command, "no file or folder given");
        return false;
    }
    for (int i = optind; i < argc; i++)
        if (file_list_add(files, argv[i], why, sizeof(why))) {
            fprintf(stderr, "gmemcheck %s: %s\n", command, why);
            return false;
        }
    return true;
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
    bool failed = ferror(stdout);

    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return code;
    fprintf(stderr, "gmemcheck: cannot write standard output%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return code == EXIT_GOOD ? EXIT_INTERNAL : code;
}

/* A closed standard stream stays unusable: else a results file would get its number, and the
 * report would be written into it. */
static bool occupy_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!occupy_standard_fds())
        return EXIT_INTERNAL;
    /* Writing past a file size limit or to nobody is an error to report, not one to die of. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    opterr = 0;
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
