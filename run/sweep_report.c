/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sweep says, and the program that shows what it found. */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "run/report.h"
#include "run/sweep.h"

typedef unsigned long long ull;

/* ---- a finding as a program ---- */

static int add_faults(const struct sweep_finding *f, uint32_t op, struct program *p,
                      uint32_t *n)
{
    int error = 0;

    for (uint32_t i = 0; i < f->n_faults && !error; i++) {
        if (f->faults[i].op != op)
            continue;
        error = program_add_op(p, &f->faults[i].fault);
        ++*n;
    }
    return error;
}

int sweep_reproducer(const struct sweep *s, const struct sweep_finding *f, struct program *p,
                     struct run_result *r)
{
    const struct program *own = &s->programs[f->program].program;
    uint32_t end = f->result.op < own->n_ops ? f->result.op + 1 : own->n_ops, n = 0;
    int error = 0;

    *r = f->result;
    program_clear(p);
    p->machine = own->machine;
    p->seed = own->seed;
    for (uint32_t op = 0; op < end && !error; op++) {
        error = add_faults(f, op, p, &n);
        if (!error)
            error = program_add_op(p, &own->ops[op]);
        if (op == f->result.op)
            r->op = op + n;
    }
    if (f->result.op >= end && f->result.op != RUN_OP_UNKNOWN)
        r->op = p->n_ops;
    r->line = 0; /* of another text */
    return error;
}

void sweep_finding_name(const struct sweep *s, const struct sweep_finding *f, char *buf,
                        size_t size)
{
    const char *path = s->programs[f->program].name, *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
    int length = dot ? (int)(dot - file) : (int)strlen(file);

    snprintf(buf, size, "sweep-%.*s-depth%u-op%u", length < 120 ? length : 120, file, f->depth,
             f->op);
}

/* ---- a line a program ---- */

static const char *program_verdict(const struct sweep *s, uint32_t program)
{
    if (s->programs[program].problem.why[0])
        return verdict_name(VERDICT_INPUT);
    for (uint32_t i = 0; i < s->n_findings; i++)
        if (s->findings[i].program == program)
            return verdict_name(s->findings[i].result.verdict);
    if (!s->programs[program].counts.runs[0])
        return verdict_name(VERDICT_NOT_RUN);
    return s->programs[program].unfinished ? "unfinished" : verdict_name(VERDICT_OK);
}

static void skipped(FILE *out, bool any, uint64_t n, const char *what)
{
    if (any)
        fprintf(out, "; skipped: %llu %s", (ull)n, what);
}

static void report_program(FILE *out, const struct sweep *s, uint32_t i)
{
    const struct sweep_program *one = &s->programs[i];
    const struct sweep_counts *c = &one->counts;

    fprintf(out, "%-9s %s", program_verdict(s, i), one->name);
    if (c->runs[0]) {
        fprintf(out, "  hits=%llu faults=%llu runs=%llu", (ull)c->hits, (ull)c->faults,
                (ull)c->runs[1]);
        for (uint32_t d = 2; d <= s->options.depth && !one->too_long; d++)
            fprintf(out, "+%llu", (ull)c->runs[d]);
        skipped(out, c->before_mark, c->before_mark, "hits before its mark");
        skipped(out, one->too_long, c->faults, "faults are too many for pairs");
        skipped(out, c->not_fired, c->not_fired, "faults that found no hit");
        skipped(out, c->sampled_away, c->sampled_away, "third faults not drawn");
    }
    fputc('\n', out);
}

void sweep_report_programs(FILE *out, const struct sweep *s)
{
    for (uint32_t i = 0; i < s->n_programs; i++)
        report_program(out, s, i);
}

/* ---- the last line ---- */

static struct sweep_counts total(const struct sweep *s)
{
    struct sweep_counts t = {0};

    for (uint32_t i = 0; i < s->n_programs; i++)
        sweep_add_counts(&t, &s->programs[i].counts);
    return t;
}

static int summary_json(FILE *out, const struct sweep *s, const struct sweep_counts *t,
                        uint64_t runs, double rate)
{
    char hash[17];
    json_t *object;
    int error;

    snprintf(hash, sizeof(hash), "%016llx", (ull)s->totals.hash);
    object =
        json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:f, s:f, s:s, s:i}", "verdict",
                  report_verdict(&s->totals), "scenarios", (int)s->n_programs, "depth",
                  (int)s->options.depth, "hits", (json_int_t)t->hits, "faults",
                  (json_int_t)t->faults, "runs", (json_int_t)runs, "seconds", s->totals.seconds,
                  "runs_per_second", rate, "hash", hash, "findings", (int)s->n_findings);
    if (!object)
        return -ENOMEM;
    error = json_dumpf(object, out, JSON_REAL_PRECISION(9)) ? -EIO : 0;
    json_decref(object);
    fputc('\n', out);
    return error;
}

int sweep_report_summary(FILE *out, const struct sweep *s, bool json)
{
    const struct sweep_counts t = total(s);
    uint64_t runs = sweep_runs(s);
    double rate = s->totals.seconds > 0 ? (double)runs / s->totals.seconds : 0;
    int error = 0;

    if (json)
        error = summary_json(out, s, &t, runs, rate);
    else
        fprintf(out,
                "gmemcheck: %s scenarios=%u depth=%u hits=%llu faults=%llu runs=%llu "
                "seconds=%.2f runs_per_second=%.0f hash=%016llx\n",
                report_verdict(&s->totals), s->n_programs, s->options.depth, (ull)t.hits,
                (ull)t.faults, (ull)runs, s->totals.seconds, rate, (ull)s->totals.hash);
    if (fflush(out))
        return -errno;
    return ferror(out) ? -EIO : error;
}
