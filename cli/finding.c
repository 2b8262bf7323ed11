/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "program/text.h"
#include "run/interrupt.h"
#include "run/report.h"
#include "run/save.h"
#include "run/shrink_report.h"
#include "run/vocabulary.h"

void cli_print_program(const struct program *p, const char *header)
{
    save_print_fn *print = header ? text_print_brief : text_print;

    printf("the program, to save by hand:\n");
    print(stdout, p, &run_vocabulary, header);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    fprintf(stderr, "gmemcheck: the program, as standard output cannot be written:\n");
    print(stderr, p, &run_vocabulary, header);
}

void cli_show_story(const struct run_result *r, const struct program *p)
{
    printf("\n");
    report_finding(stdout, r, p);
    printf("trace (* marks what touched the page):\n");
    report_trace(stdout, r, p, &subject_core);
}

void cli_say_how(const char *path, const char *sets)
{
    printf("reproduce: %s replay %s%s\n", cli_program(), path, sets);
    printf("explain:   %s explain %s%s\n", cli_program(), path, sets);
}

/* "x-shrunk.scn" beside "x.scn". */
static bool name_beside(char *out, size_t size, const char *path)
{
    int stem = (int)(strlen(path) - strlen(".scn"));

    return snprintf(out, size, "%.*s-shrunk.scn", stem, path) < (int)size;
}

/* Beside the original; false and a message when that is not possible. */
static bool save_shrunk(const struct cli_found *f, const struct shrink_result *s,
                        const char *original, char *path, size_t path_size)
{
    char header[SHRINK_HEADER_TEXT];
    struct shrink_origin origin;
    int error;

    shrink_origin_of(&origin, f->program, f->origin, f->command);
    shrink_header(header, sizeof(header), s, &origin);
    error = name_beside(path, path_size, original)
                ? save_program(path, &s->program, header, text_print_brief)
                : -ENAMETOOLONG;
    if (!error)
        return true;
    fprintf(stderr, "gmemcheck: cannot save the shrunk program as %s: %s\n", path,
            strerror(-error));
    cli_print_program(&s->program, header);
    return false;
}

/* Why there is no shorter program; the finding is as good without. */
static void say_not_shrunk(const struct shrink_result *s, int error)
{
    const char *why = s->result.detail;

    if (error)
        why = strerror(-error);
    else if (s->end == SHRINK_NOT_FAILING)
        why = "it does not fail by itself";
    else if (s->end == SHRINK_UNSTABLE)
        why = "it does not fail the same way each time";
    else if (s->end == SHRINK_INTERRUPTED)
        why = "interrupted";
    printf("shrunk:    not: %s\n", why);
}

/* The story of the shorter program is told, where there is one. */
static void show_shrunk(const struct cli_found *f, const char *original)
{
    const struct shrink_options options = {.subject = &subject_core, .progress = f->progress};
    char path[PATH_MAX];
    struct shrink_result s;
    int error = shrink(f->program, &options, &s);

    if (error || !shrink_has_result(&s)) {
        cli_show_story(f->result, f->program);
        say_not_shrunk(&s, error);
        printf("saved:     %s\n", original);
        cli_say_how(original, "");
    } else {
        cli_show_story(&s.result, &s.program);
        shrink_summary(stdout, &s, f->program);
        printf("saved:     %s, as it was found\n", original);
        if (save_shrunk(f, &s, original, path, sizeof(path))) {
            printf("saved:     %s\n", path);
            original = path;
        }
        cli_say_how(original, "");
    }
    shrink_free(&s);
}

void cli_show_found(const struct cli_found *f)
{
    char path[PATH_MAX];

    /* Saved before anything else: whatever happens to the rest, this is there. */
    if (report_save(f->results_dir, f->result, f->program, f->name, f->origin, path,
                    sizeof(path))) {
        cli_show_story(f->result, f->program);
        printf("reproduce: %s\n", f->command);
        fflush(stdout);
        fprintf(stderr, "gmemcheck: %s\n", path);
        cli_print_program(f->program, NULL);
    } else if (f->shrink && interrupt_count() == 0) {
        show_shrunk(f, path);
    } else {
        cli_show_story(f->result, f->program);
        printf("saved:     %s\n", path);
        cli_say_how(path, "");
    }
}
