/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "program/writer.h"
#include "run/matrix.h"

enum { FAILURES_SHOWN = 4 };

void matrix_words(struct matrix *m, uint64_t item, char *buf, size_t size)
{
    const struct matrix_item *i = &m->items[item];
    struct text_error problem;
    struct program own;
    size_t used = 0;

    assert(item < m->n_items && size > 0);
    buf[0] = '\0';
    program_init(&own);
    if (file_load(m->list, i->file, &own, &problem) == 0) {
        for (uint32_t a = 0; a < AXIS_COUNT && used < size; a++)
            if (i->axis[a] != own.machine.axis[a])
                used +=
                    (size_t)snprintf(buf + used, size - used, " --set %s=%s",
                                     program_axis_name(a), program_axis_value(a, i->axis[a]));
        if (i->share != MATRIX_OWN_SHARE && used < size)
            snprintf(buf + used, size - used, " --set share=%s", share_names[i->share]);
    }
    program_free(&own);
}

static void report_failure(FILE *out, struct matrix *m, uint64_t item,
                           const struct run_result *r, const char *program, const char *sets)
{
    const char *path = m->list->paths[m->items[item].file];
    char words[512];

    matrix_words(m, item, words, sizeof(words));
    fprintf(out, "    %s: ", verdict_name(r->verdict));
    if (strcmp(r->rule, verdict_name(r->verdict)) != 0)
        fprintf(out, "%s: ", r->rule);
    fprintf(out, "%s", r->detail);
    if (r->line)
        fprintf(out, " (line %u)", r->line);
    fprintf(out, "\n      %s replay %s%s%s\n", program, path, sets, words);
}

static bool has_failed(const struct run_result *r)
{
    return r->verdict != VERDICT_OK && r->verdict != VERDICT_NOT_RUN;
}

static uint64_t report_file(FILE *out, struct matrix *m, uint32_t file,
                            const struct run_result *results, const char *program,
                            const char *sets)
{
    const struct matrix_file *f = &m->files[file];
    uint64_t n_ok = 0, n_failed = 0, n_shown = 0;

    for (uint64_t i = f->first; i < f->first + f->n; i++) {
        n_ok += results[i].verdict == VERDICT_OK;
        n_failed += has_failed(&results[i]);
    }
    fprintf(out, "%6llu %7llu %9llu  %s\n", (unsigned long long)n_ok,
            (unsigned long long)n_failed, (unsigned long long)f->left_out,
            m->list->paths[file]);
    for (uint64_t i = f->first; i < f->first + f->n && n_shown < FAILURES_SHOWN; i++)
        if (has_failed(&results[i])) {
            report_failure(out, m, i, &results[i], program, sets);
            n_shown++;
        }
    if (n_failed > n_shown)
        fprintf(out, "    ... and %llu more\n", (unsigned long long)(n_failed - n_shown));
    return n_ok;
}

int matrix_report(FILE *out, struct matrix *m, const struct run_result *results,
                  const char *program, const char *sets)
{
    uint64_t n_ok = 0;

    errno = 0;
    fprintf(out, "%6s %7s %9s  %s\n", "ok", "failed", "left out", "scenario");
    for (uint32_t i = 0; i < m->list->n; i++)
        n_ok += report_file(out, m, i, results, program, sets);
    fprintf(out, "%llu of %llu scenario-configurations ok\n", (unsigned long long)n_ok,
            (unsigned long long)m->n_items);
    if (fflush(out) || ferror(out))
        return errno ? -errno : -EIO;
    return 0;
}
