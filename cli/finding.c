/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "program/text.h"
#include "run/report.h"
#include "run/vocabulary.h"

/* A result that cannot be saved is not lost: it goes to the terminal. */
static void save(const struct run_result *r, const struct program *p, uint64_t seed,
                 uint64_t item, const char *dir, const char *reproduce)
{
    char path[1200];

    if (report_save(dir, r, p, seed, item, path, sizeof(path)) == 0) {
        printf("saved:     %s\n", path);
        printf("reproduce: %s replay %s\n", cli_program(), path);
        return;
    }
    fprintf(stderr, "gmemcheck: %s\n", path);
    printf("reproduce: %s\nthe program, to save by hand:\n", reproduce);
    text_print(stdout, p, &run_vocabulary, NULL);
}

void cli_show_finding(const struct run_result *r, const struct program *p, uint64_t seed,
                      uint64_t item, const char *results_dir, const char *reproduce)
{
    printf("\n");
    report_finding(stdout, r, p);
    if (!p)
        return;
    printf("trace (* marks what touched the page):\n");
    report_trace(stdout, r, p, &subject_core);
    if (results_dir)
        save(r, p, seed, item, results_dir, reproduce);
    else
        printf("reproduce: %s\n", reproduce);
}
