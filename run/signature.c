/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/signature.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "run/hash.h"
#include "run/points.h"

void signature_of(struct signature *s, const struct run_result *r, const struct program *p)
{
    *s = (struct signature){.verdict = r->verdict, .op_kind = OP_KIND_UNKNOWN};
    if (r->op == RUN_OP_BUILD)
        s->op_kind = OP_KIND_BUILD;
    else if (r->op != RUN_OP_UNKNOWN)
        s->op_kind = r->op < p->n_ops ? p->ops[r->op].kind : OP_KIND_TEARDOWN;
    memcpy(s->rule, r->rule, sizeof(s->rule));
    /* Where a loop was ended says nothing. */
    if (r->verdict == VERDICT_HANG)
        return;
    memcpy(s->call, r->last_call, sizeof(s->call));
    memcpy(s->caller, r->last_caller, sizeof(s->caller));
}

bool signature_equal(const struct signature *a, const struct signature *b)
{
    return a->verdict == b->verdict && a->op_kind == b->op_kind &&
           strcmp(a->rule, b->rule) == 0 && strcmp(a->call, b->call) == 0 &&
           strcmp(a->caller, b->caller) == 0;
}

static const char *kind_text(uint32_t kind)
{
    if (kind < OP_KIND_COUNT)
        return op_kind_name(kind);
    if (kind == OP_KIND_BUILD)
        return "the start";
    return kind == OP_KIND_TEARDOWN ? "tear-down" : "an op that is not known";
}

void signature_text(char *buf, size_t size, const struct signature *s)
{
    int used = snprintf(buf, size, "%s at %s", s->rule, kind_text(s->op_kind));

    assert(used >= 0);
    if (s->call[0] && (size_t)used < size)
        snprintf(buf + used, size - (size_t)used, ", after %s made by %s", s->call, s->caller);
}

/* One op without its numbers. */
static void op_shape(char *buf, size_t size, const struct op *op)
{
    const char *what = "";

    if (op->kind == OP_CONVERT)
        what = op->to_private ? " private" : " shared";
    else if (op->kind == OP_FAULT)
        what = points_name(op->point);
    else if (op->kind == OP_MIGRATE)
        what = op->value ? " start" : " stop";
    else if (op->kind == OP_GUARD)
        what = op->value ? " on" : " off";
    snprintf(buf, size, "%s%s%s%s%s", op_kind_name(op->kind), op->kind == OP_FAULT ? " " : "",
             what, op->late ? " late" : "", op->in_undo ? " in-undo" : "");
}

void signature_shape(char *buf, size_t size, const struct program *p)
{
    size_t used = 0;

    snprintf(buf, size, "no op");
    for (uint32_t i = 0; i < p->n_ops && used + 1 < size; i++) {
        char one[64];
        int n;

        op_shape(one, sizeof(one), &p->ops[i]);
        n = snprintf(buf + used, size - used, "%s%s", i ? ", " : "", one);
        used = (size_t)n < size - used ? used + (size_t)n : size - 1;
    }
}

uint32_t signature_bucket(const struct signature *s, const struct program *p)
{
    char text[SIGNATURE_TEXT];
    uint64_t hash;

    signature_text(text, sizeof(text), s);
    hash = XXH3_64bits(text, strlen(text));
    for (uint32_t i = 0; i < p->n_ops; i++) {
        op_shape(text, sizeof(text), &p->ops[i]);
        hash = XXH3_64bits_withSeed(text, strlen(text), hash);
    }
    return (uint32_t)hash;
}
