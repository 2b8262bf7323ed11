/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>

#include "cli/cli.h"
#include "program/text.h"
#include "run/report.h"
#include "run/vocabulary.h"

/* A program that cannot be saved is not lost: it goes to the terminal. */
static void print_program(const struct program *p)
{
    printf("the program, to save by hand:\n");
    text_print(stdout, p, &run_vocabulary, NULL);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    fprintf(stderr, "gmemcheck: the program, as standard output cannot be written:\n");
    text_print(stderr, p, &run_vocabulary, NULL);
}

void cli_show_finding(const struct run_result *r, const struct program *p, uint64_t seed,
                      uint64_t item, const char *results_dir, const char *reproduce)
{
    char path[PATH_MAX];
    bool saved = false;

    /* Saved before anything else: whatever happens to the report, this is there. */
    if (results_dir)
        saved = report_save(results_dir, r, p, seed, item, path, sizeof(path)) == 0;
    printf("\n");
    report_finding(stdout, r, p);
    printf("trace (* marks what touched the page):\n");
    report_trace(stdout, r, p, &subject_core);
    if (saved) {
        printf("saved:     %s\n", path);
        printf("reproduce: %s replay %s\n", cli_program(), path);
        return;
    }
    printf("reproduce: %s\n", reproduce);
    if (!results_dir)
        return;
    fflush(stdout);
    fprintf(stderr, "gmemcheck: %s\n", path);
    print_program(p);
}
