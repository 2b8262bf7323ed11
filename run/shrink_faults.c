/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault may be armed long before it fires, and fire by chance: then what is taken out between
 * lets it fire elsewhere. One run tells where each fired; it goes directly before that op, and
 * waits for the hit that it was.
 */
#include <assert.h>
#include <string.h>

#include "run/shrink_internal.h"

enum { FIRED_MAX = 256 };

struct fired {
    uint32_t op, fault; /* indexes of ops */
    uint16_t hit;
};

struct recorder {
    struct watch watch;
    uint32_t n;
    struct fired fired[FIRED_MAX];
};

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct recorder *rec = (struct recorder *)w;

    if (event != WATCH_CALL || !call->injected || r->probing || rec->n == FIRED_MAX)
        return;
    rec->fired[rec->n++] = (struct fired){r->result->op, call->fault, call->hit};
}

/* A sticky fault is armed once. */
static bool fired_before(const struct recorder *rec, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (rec->fired[j].fault == rec->fired[i].fault)
            return true;
    return false;
}

/* The faults that fire in op `index` of the best. */
static bool add_faults(struct shrinker *s, const struct recorder *rec, uint32_t index)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rec->n; i++) {
        const struct fired *f = &rec->fired[i];
        struct op fault = s->best.ops[f->fault];

        assert(fault.kind == OP_FAULT);
        if (f->op != index || (fault.when == FAULT_STICKY && fired_before(rec, i)))
            continue;
        fault.when = fault.when == FAULT_STICKY ? FAULT_STICKY : FAULT_NTH;
        fault.value = f->hit;
        if (n++ == SIM_FAULTS_MAX || program_add_op(&s->work, &fault))
            return false;
    }
    return true;
}

static bool add_op(struct shrinker *s, uint32_t index, uint32_t *next_expect)
{
    const struct program *from = &s->best;

    if (program_add_op(&s->work, &from->ops[index]))
        return false;
    for (; *next_expect < from->n_expects && from->expects[*next_expect].op == index;
         ++*next_expect) {
        struct expect e = from->expects[*next_expect];

        e.op = s->work.n_ops - 1;
        if (program_add_expect(&s->work, &e))
            return false;
    }
    return true;
}

/* Where they stand already? */
static bool nothing_moved(const struct program *a, const struct program *b)
{
    return a->n_ops == b->n_ops &&
           (a->n_ops == 0 || memcmp(a->ops, b->ops, a->n_ops * sizeof(*a->ops)) == 0);
}

bool shrink_place_faults(struct shrinker *s)
{
    struct recorder rec = {.watch.see = see};
    struct run_result result;
    uint32_t next_expect = 0;
    bool good = true;

    if (s->forks || !shrink_begin(s))
        return false;
    runner_run(&s->runner, &s->best, s->options->subject, &rec.watch, &result);
    s->work.n_ops = s->work.n_expects = 0;
    for (uint32_t i = 0; i < s->best.n_ops && good; i++) {
        if (s->best.ops[i].kind == OP_FAULT) {
            while (next_expect < s->best.n_expects && s->best.expects[next_expect].op == i)
                next_expect++;
            continue;
        }
        good = add_faults(s, &rec, i) && add_op(s, i, &next_expect);
    }
    return good && rec.n < FIRED_MAX && !nothing_moved(&s->work, &s->best) && shrink_try_any(s);
}
