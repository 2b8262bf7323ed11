/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do two programs say the same? */
#ifndef TESTS_PROGRAM_SAME_H
#define TESTS_PROGRAM_SAME_H

#include <string.h>

#include "program/op.h"

/* Lines are where a text was, not what it says. */
static inline void forget_lines(struct program *p)
{
    for (uint32_t i = 0; i < p->n_ops; i++)
        p->ops[i].line = 0;
    for (uint32_t i = 0; i < p->n_expects; i++)
        p->expects[i].line = 0;
}

static inline bool same_program(const struct program *a, const struct program *b)
{
    if (a->n_ops != b->n_ops || a->n_expects != b->n_expects || a->seed != b->seed ||
        a->sweep_from != b->sweep_from ||
        memcmp(&a->machine, &b->machine, sizeof(a->machine)) != 0)
        return false;
    if (a->n_ops && memcmp(a->ops, b->ops, a->n_ops * sizeof(*a->ops)) != 0)
        return false;
    return !a->n_expects ||
           memcmp(a->expects, b->expects, a->n_expects * sizeof(*a->expects)) == 0;
}

#endif
