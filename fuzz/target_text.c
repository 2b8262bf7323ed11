/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as scenario text: what can be read can be printed, and read again as the same. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "program/text.h"
#include "run/vocabulary.h"

enum { PRINTED_MAX = 1 << 20 };

static struct program program, again;
static char *printed;

int target_init(void)
{
    program_init(&program);
    program_init(&again);
    printed = malloc(PRINTED_MAX);
    return printed ? 0 : -ENOMEM;
}

/* False: it does not fit, which short texts with large machines may not. */
static bool print(const struct program *p, size_t *size)
{
    FILE *out = fmemopen(printed, PRINTED_MAX, "w");
    bool fits;

    if (!out)
        return false;
    fits = text_print(out, p, &run_vocabulary, NULL) == 0 && fflush(out) == 0;
    *size = (size_t)ftell(out);
    return fclose(out) == 0 && fits && *size < PRINTED_MAX;
}

static bool same(const struct program *a, const struct program *b)
{
    if (a->n_ops != b->n_ops || a->n_expects != b->n_expects || a->seed != b->seed ||
        a->sweep_from != b->sweep_from)
        return false;
    for (uint32_t i = 0; i < a->n_ops; i++)
        a->ops[i].line = b->ops[i].line = 0;
    for (uint32_t i = 0; i < a->n_expects; i++)
        a->expects[i].line = b->expects[i].line = 0;
    return memcmp(&a->machine, &b->machine, sizeof(a->machine)) == 0 &&
           memcmp(a->ops, b->ops, a->n_ops * sizeof(*a->ops)) == 0 &&
           memcmp(a->expects, b->expects, a->n_expects * sizeof(*a->expects)) == 0;
}

bool target_one(const uint8_t *data, size_t size, char *why, size_t why_size)
{
    struct text_error problem = {0};
    size_t n = 0;

    assert(printed);
    if (text_parse((const char *)data, size, &run_vocabulary, &program, &problem))
        return true;
    if (!print(&program, &n))
        return true;
    if (text_parse(printed, n, &run_vocabulary, &again, &problem)) {
        snprintf(why, why_size, "printed line %u: %s", problem.line, problem.why);
        return false;
    }
    if (same(&program, &again))
        return true;
    snprintf(why, why_size, "printed and read again it is another program");
    return false;
}
