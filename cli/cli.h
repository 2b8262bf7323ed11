/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of gmemcheck: arguments in, exit code out, no logic of their own. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "program/generate.h"
#include "run/files.h"
#include "run/pool.h"

enum {
    EXIT_GOOD = 0,
    EXIT_VIOLATION = 1,
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 3,
    EXIT_INTERRUPTED = 130
};

#define GMEMCHECK_VERSION "0.1"

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_shrink(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_encode(int argc, char **argv);
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

/* A number of seconds above 0 for --time; false and a message when it is not. */
bool cli_seconds(const char *command, const char *text, double *out);

/* --set of a command that has its program already: only axes can be changed. False and a
 * message when the text does not. */
bool cli_set_axis(const char *command, struct generate_options *fixed, const char *text);

/* Appends " --set text" to the options that a command to reproduce needs; false and a message
 * when they are too many. */
bool cli_remember_set(const char *command, char *sets, size_t size, const char *text);

/* "gmemcheck replay: x.scn:3: ...", line 0: none. */
void cli_bad_scenario(const char *command, const char *path, uint32_t line, const char *why);

/* The one scenario of a command that is about one. */
struct cli_scenario {
    const char *command, *path;
    struct generate_options fixed; /* --set */
    char sets[1024];
    struct program program;
};

/* To be freed, whatever comes of it. */
void cli_scenario_init(struct cli_scenario *s, const char *command);
void cli_scenario_free(struct cli_scenario *s);
/* Its option --set; false and a message. */
bool cli_scenario_set(struct cli_scenario *s, const char *text);
/* The only argument that is left, and its program; false and a message when there is none. */
bool cli_scenario_load(struct cli_scenario *s, int argc, char **argv);
/* Runs it, as replay does: the exit code and *result; a message where it could not be run. */
int cli_scenario_run(const struct cli_scenario *s, struct run_result *result);
/* Did it run to its end, which nobody cut short, or to a failure? */
bool cli_scenario_has_story(const struct run_result *result);
/* The exit code after its story: nobody may take one that was cut short for a whole one. */
int cli_scenario_code(int code);

/* Columns of the terminal on stdout; as many as text has where there is none. */
uint32_t cli_width(void);

/* All arguments that are left, as scenario files and folders; false and a message when there is
 * none, or a bad one. */
bool cli_take_paths(const char *command, struct file_list *files, int argc, char **argv);

/* Commands that take nothing but --help: EXIT_GOOD to go on, else *code. */
bool cli_no_arguments(int argc, char **argv, const char *help, int *code);

/* Report and trace of a failure. */
void cli_show_story(const struct run_result *r, const struct program *p);

/* The commands that reproduce and explain it; `sets`: as cli_remember_set made them, or "". */
void cli_say_how(const char *path, const char *sets);

/* A program that cannot be saved is not lost: it goes to the terminal. With a header: brief. */
void cli_print_program(const struct program *p, const char *header);

/* What a campaign or a sweep found. */
struct cli_found {
    const struct run_result *result;
    const struct program *program;
    const char *name;   /* of the file to save it in, without .scn */
    const char *origin; /* a line: which program it was */
    const char *results_dir;
    const char *command; /* that makes it again */
    bool shrink, progress;
};

/* Saves it, shrinks it, saves that beside it, tells its story and how to reproduce it. */
void cli_show_found(const struct cli_found *f);

#endif
