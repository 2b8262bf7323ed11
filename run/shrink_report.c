/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/shrink_report.h"

#include <assert.h>
#include <string.h>

#include "run/signature.h"

enum { HEADER_LINES_MAX = 64, SHAPE_TEXT = 400 };

static const char from_mark[] = "shrunk from ", command_mark[] = "found by: ";

static uint32_t count_faults(const struct program *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_ops; i++)
        n += p->ops[i].kind == OP_FAULT;
    return n;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* "26 ops and 3 faults on 64 pages". */
static void size_text(char *buf, size_t size, const struct program *p)
{
    uint32_t faults = count_faults(p), ops = p->n_ops - faults;
    uint32_t pages = machine_n_pages(&p->machine);

    snprintf(buf, size, "%u op%s and %u fault%s on %u page%s", ops, plural(ops), faults,
             plural(faults), pages, plural(pages));
}

void shrink_origin_of(struct shrink_origin *o, const struct program *original,
                      const char *source, const char *command)
{
    char size[80];

    size_text(size, sizeof(size), original);
    snprintf(o->from, sizeof(o->from), "%s%s: %s", from_mark, size, source);
    snprintf(o->command, sizeof(o->command), "%s%s", command_mark, command);
}

/* A comment of the file that begins with this word, without "# ". */
static void find_comment(FILE *f, const char *mark, char *out, size_t size)
{
    char line[SHRINK_ORIGIN_TEXT];

    rewind(f);
    for (int i = 0; i < HEADER_LINES_MAX && fgets(line, sizeof(line), f); i++) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' && line[1] == ' ' && strncmp(line + 2, mark, strlen(mark)) == 0) {
            snprintf(out, size, "%s", line + 2);
            return;
        }
    }
}

void shrink_origin_of_file(struct shrink_origin *o, const struct program *original,
                           const char *path, const char *command)
{
    char source[SHRINK_ORIGIN_TEXT] = "";
    FILE *f = fopen(path, "re");

    if (f)
        find_comment(f, "program ", source, sizeof(source));
    shrink_origin_of(o, original, source[0] ? source : path, command);
    if (!f)
        return;
    find_comment(f, from_mark, o->from, sizeof(o->from));
    find_comment(f, command_mark, o->command, sizeof(o->command));
    fclose(f);
}

void shrink_header(char *buf, size_t size, const struct shrink_result *r,
                   const struct shrink_origin *o)
{
    char signature[SIGNATURE_TEXT], shape[SHAPE_TEXT];

    signature_text(signature, sizeof(signature), &r->signature);
    signature_shape(shape, sizeof(shape), &r->program);
    snprintf(buf, size, "%s: %s\n%s\nbucket %08x: %s\n%s%s\n%s",
             verdict_name(r->signature.verdict), signature, r->result.detail,
             signature_bucket(&r->signature, &r->program), shape, o->from,
             r->end == SHRINK_MINIMAL ? "" : ", not to the end", o->command);
}

void shrink_summary(FILE *out, const struct shrink_result *r, const struct program *original)
{
    static const char *const ends[] = {[SHRINK_BUDGET] = "out of tries or time, not minimal",
                                       [SHRINK_INTERRUPTED] = "interrupted, not minimal"};
    char before[80], after[80];

    size_text(before, sizeof(before), original);
    size_text(after, sizeof(after), &r->program);
    fprintf(out, "shrunk:    from %s to %s, %llu tries and %llu ops in %.2f s; ", before, after,
            (unsigned long long)r->tries, (unsigned long long)r->ops, r->seconds);
    if (r->end == SHRINK_MINIMAL)
        fprintf(out, "minimal: each of %llu single removals was tried\n",
                (unsigned long long)r->removals);
    else
        fprintf(out, "%s\n", ends[r->end]);
}
