/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/report.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/child.h"
#include "run/rule_text.h"
#include "run/save.h"
#include "run/trace.h"
#include "run/vocabulary.h"

const char *report_verdict(const struct pool_totals *t)
{
    switch (pool_exit_code(t)) {
    case 0:
        return "ok";
    case 1:
        return "violation";
    case 2:
        return "bad-input";
    case 130:
        return "interrupted";
    default:
        return "error";
    }
}

static int summary_json(FILE *out, const struct pool_totals *t, uint64_t seed, double rate)
{
    char hash[17];
    json_t *object;
    int error;

    snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)t->hash);
    object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:s, s:i}", "verdict",
                       report_verdict(t), "seed", (json_int_t)seed, "programs",
                       (json_int_t)t->programs, "ops", (json_int_t)t->ops, "host_calls",
                       (json_int_t)t->host_calls, "faults", (json_int_t)t->faults, "seconds",
                       t->seconds, "ops_per_second", rate, "hash", hash, "findings",
                       (int)t->n_findings);
    if (!object)
        return -ENOMEM;
    error = json_dumpf(object, out, JSON_REAL_PRECISION(9)) ? -EIO : 0;
    json_decref(object);
    fputc('\n', out);
    return error;
}

int report_summary(FILE *out, const struct pool_totals *t, uint64_t seed, bool json)
{
    double rate = t->seconds > 0 ? (double)t->ops / t->seconds : 0;
    int error = 0;

    if (json)
        error = summary_json(out, t, seed, rate);
    else
        fprintf(out,
                "gmemcheck: %s seed=%llu programs=%llu ops=%llu host_calls=%llu faults=%llu "
                "seconds=%.2f ops_per_second=%.0f hash=%016llx\n",
                report_verdict(t), (unsigned long long)seed, (unsigned long long)t->programs,
                (unsigned long long)t->ops, (unsigned long long)t->host_calls,
                (unsigned long long)t->faults, t->seconds, rate, (unsigned long long)t->hash);
    if (fflush(out))
        return -errno;
    return ferror(out) ? -EIO : error;
}

static void describe_op(char *buf, size_t size, const struct run_result *r,
                        const struct program *p)
{
    char text[160];

    if (r->op == RUN_OP_UNKNOWN) {
        snprintf(buf, size, "not known: its process is gone");
    } else if (r->op == RUN_OP_BUILD) {
        snprintf(buf, size, "none: the machine was just being built");
    } else if (!p) {
        snprintf(buf, size, "op %u", r->op);
    } else if (r->op < p->n_ops) {
        text_op(text, sizeof(text), p, &p->ops[r->op], &run_vocabulary);
        snprintf(buf, size, "op %u: %s", r->op, text);
    } else {
        snprintf(buf, size, "tear-down, after %u ops", p->n_ops);
    }
}

void report_wrapped(FILE *out, const char *title, uint32_t width, const char *text)
{
    const uint32_t indent = REPORT_INDENT;
    uint32_t used = indent;

    fprintf(out, "%-*s", (int)indent, title);
    while (*text) {
        uint32_t n = (uint32_t)strcspn(text, " ");

        if (used > indent && used + 1 + n > width) {
            fprintf(out, "\n%*s", (int)indent, "");
            used = indent;
        }
        fprintf(out, "%s%.*s", used > indent ? " " : "", (int)n, text);
        used += n + (used > indent);
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void put_rule(FILE *out, const char *name)
{
    const struct rule_text *rule = rule_text(name);

    if (!rule)
        return;
    report_wrapped(out, "  rule:", REPORT_WIDTH, rule->says);
    if (rule->means)
        report_wrapped(out, "  often:", REPORT_WIDTH, rule->means);
}

void report_finding(FILE *out, const struct run_result *r, const struct program *p)
{
    char op[200], page[64] = "none in particular";

    if (r->verdict == VERDICT_INPUT) {
        fprintf(out, "%s\n", r->detail);
        return;
    }
    describe_op(op, sizeof(op), r, p);
    if (p && r->page != MODEL_NO_PAGE)
        page_text(page, sizeof(page), NULL, &p->machine, r->page);
    fprintf(out, "%s: %s\n", verdict_name(r->verdict), r->rule);
    fprintf(out, "  what:  %s\n", r->detail);
    fprintf(out, "  op:    %s\n", op);
    fprintf(out, "  page:  %s\n", page);
    if (r->last_call[0])
        fprintf(out, "  call:  %s, made by %s\n", r->last_call, r->last_caller);
    if (r->line)
        fprintf(out, "  line:  %u\n", r->line);
    put_rule(out, r->rule);
}

struct story {
    FILE *out;
    const struct run_result *result;
    const struct program *program;
    const struct subject *subject;
};

enum { STORY_WRITTEN, STORY_NOT_WRITTEN };

static void tell(const struct story *s, FILE *lines)
{
    struct run_result again;
    struct trace trace;

    trace_init(&trace, lines, s->result->page, false);
    if (child_run(s->program, s->subject, &trace.watch, s->result, &again))
        fprintf(lines, "(no trace: the arena could not be mapped)\n");
    else if (again.verdict == VERDICT_OK)
        fprintf(lines, "(this run of the program was good)\n");
}

static int tell_in_child(void *ctx)
{
    const struct story *s = ctx;
    FILE *lines = fdopen(dup(fileno(s->out)), "w");

    /* Line by line: the story up to a crash is what matters. */
    if (!lines || setvbuf(lines, NULL, _IOLBF, BUFSIZ))
        return STORY_NOT_WRITTEN;
    tell(s, lines);
    return ferror(lines) ? STORY_NOT_WRITTEN : STORY_WRITTEN;
}

void report_trace(FILE *out, const struct run_result *r, const struct program *p,
                  const struct subject *subject)
{
    struct story story = {out, r, p, subject};
    int code = child_do(tell_in_child, &story);

    if (code == STORY_NOT_WRITTEN)
        fprintf(out, "(the trace could not be written)\n");
    else if (code == CHILD_DIED)
        fprintf(out, "(the traced run ended here, and its process with it)\n");
    else if (code == -EINTR)
        fprintf(out, "(interrupted)\n");
    else if (code < 0)
        fprintf(out, "(no trace: %s)\n", strerror(-code));
    fflush(out);
}

static void header_of(char *buf, size_t size, const struct run_result *r,
                      const struct program *p, const char *origin)
{
    char op[200];

    describe_op(op, sizeof(op), r, p);
    snprintf(buf, size, "%s: %s\n%s\nat %s\n%s", verdict_name(r->verdict), r->rule, r->detail,
             op, origin);
}

int report_save(const char *dir, const struct run_result *r, const struct program *p,
                const char *name, const char *origin, char *path, size_t path_size)
{
    char header[1000], file[PATH_MAX];
    int error, length;

    header_of(header, sizeof(header), r, p, origin);
    length = snprintf(file, sizeof(file), "%s/%s.scn", dir, name);
    error = length < (int)sizeof(file) && (size_t)length < path_size ? 0 : -ENAMETOOLONG;
    if (!error && mkdir(dir, 0777) && errno != EEXIST)
        error = -errno;
    if (!error)
        error = save_program(file, p, header, text_print);
    if (error)
        snprintf(path, path_size, "cannot save in %.200s: %s", dir, strerror(-error));
    else
        snprintf(path, path_size, "%s", file);
    return error;
}
