/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of gmemcheck: arguments in, exit code out, no logic of their own. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "program/generate.h"
#include "run/pool.h"

enum { EXIT_GOOD = 0, EXIT_VIOLATION = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 3 };

#define GMEMCHECK_VERSION "0.1"

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_faults(int argc, char **argv);
int cmd_ops(int argc, char **argv);
int cmd_config(int argc, char **argv);

/* The program's name as it was called: for commands to copy. */
const char *cli_program(void);

/* "gmemcheck: ..." on stderr; returns EXIT_USAGE. */
int cli_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What getopt_long did not like, after it returned '?' or ':' (optstring ":"); EXIT_USAGE. */
int cli_bad_option(const char *command, char **argv, int option);

/* A number in [low, high] from an option's text; false and a message when it is not. */
bool cli_number(const char *command, const char *option, const char *text, uint64_t low,
                uint64_t high, uint64_t *out);

/* Appends " --set text" to the options that a command to reproduce needs; false and a message
 * when they are too many. */
bool cli_remember_set(const char *command, char *sets, size_t size, const char *text);

/* Commands that take nothing but --help: EXIT_GOOD to go on, else *code. */
bool cli_no_arguments(int argc, char **argv, const char *help, int *code);

/* One finding, whole, and saved where results_dir is not NULL: report, the trace, where
 * the program was saved and how to reproduce it. */
void cli_show_finding(const struct run_result *r, const struct program *p, uint64_t seed,
                      uint64_t item, const char *results_dir, const char *reproduce);

#endif
