/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program as text, as bytes. */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "run/bytes_file.h"
#include "run/save.h"
#include "run/vocabulary.h"

/* Options that both have: -o; false and the exit code when there is nothing to do. */
static bool take_options(int argc, char **argv, const char *help, const char **out, int *code)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {0}};
    int option;

    *out = NULL;
    while ((option = getopt_long(argc, argv, ":o:", options, NULL)) >= 0) {
        if (option == 'o') {
            *out = optarg;
        } else if (option == 'h') {
            fputs(help, stdout);
            *code = EXIT_GOOD;
            return false;
        } else {
            *code = cli_bad_option(argv[0], argv, option);
            return false;
        }
    }
    return true;
}

int cmd_decode(int argc, char **argv)
{
    struct program p;
    char why[4500];
    const char *out;
    int code = EXIT_GOOD, error;

    if (!take_options(argc, argv,
                      "usage: gmemcheck decode FILE [-o OUT.scn]\n\nThe program that these "
                      "bytes are (any bytes are one), as a scenario.\n",
                      &out, &code))
        return code;
    if (argc - optind != 1)
        return cli_usage_error("decode", "takes one file, not %d", argc - optind);
    program_init(&p);
    if (bytes_file_load(argv[optind], &p, why, sizeof(why))) {
        fprintf(stderr, "gmemcheck decode: %s\n", why);
        code = EXIT_USAGE;
    } else if (!out) {
        (void)text_print(stdout, &p, &run_vocabulary, NULL); /* main looks at stdout */
    } else if ((error = save_program(out, &p, NULL, text_print)) != 0) {
        fprintf(stderr, "gmemcheck decode: %s: %s\n", out, strerror(-error));
        code = EXIT_USAGE;
    }
    program_free(&p);
    return code;
}

int cmd_encode(int argc, char **argv)
{
    struct cli_scenario s;
    char why[4500];
    const char *out;
    int code = EXIT_GOOD;

    if (!take_options(argc, argv,
                      "usage: gmemcheck encode FILE.scn -o OUT\n\nA scenario as bytes, for "
                      "fuzzers; `gmemcheck decode` gives it back.\n",
                      &out, &code))
        return code;
    if (!out)
        return cli_usage_error("encode", "needs -o OUT");
    cli_scenario_init(&s, "encode");
    if (!cli_scenario_load(&s, argc, argv)) {
        code = EXIT_USAGE;
    } else if (bytes_file_save(out, &s.program, why, sizeof(why))) {
        fprintf(stderr, "gmemcheck encode: %s\n", why);
        code = EXIT_USAGE;
    }
    cli_scenario_free(&s);
    return code;
}
