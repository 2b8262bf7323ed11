/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "program/rng.h"
#include "run/sweep_item.h"

/* From in front of the item's op to the end, with the faults that are chosen so far. */
static void whole_run(struct sweep_work *w)
{
    const struct sweep_outcome *out = w->out;

    runner_go_back(w->runner, &w->before[0]);
    w->hits.n = 0;
    for (uint32_t op = w->item->op; op < w->runner->program->n_ops; op++) {
        (void)work_arm(w, 0, op); /* if there is no room, it will not have fired */
        work_op(w, op);
        if (w->runner->broken)
            return;
        if (out->n_faults > 0 && out->faults[out->n_faults - 1].op == op &&
            !runner_look(w->runner))
            return;
    }
    work_end(w);
}

/* One of the faults of hits [from, to), each as likely as the other. Returns its hit, or `to`
 * if there is none; *n: how many there are. */
static uint32_t draw(const struct sweep_work *w, struct rng *dice, uint32_t from, uint32_t to,
                     struct op *fault, uint32_t *n)
{
    const struct fault_choice *choice = &w->options->choice;
    uint32_t at = from, which;

    *n = 0;
    for (uint32_t i = from; i < to; i++)
        *n += hit_faults(&w->hits.list[i], choice);
    if (*n == 0)
        return to;
    which = rng_below(dice, *n);
    while (which >= hit_faults(&w->hits.list[at], choice))
        which -= hit_faults(&w->hits.list[at++], choice);
    (void)hit_fault(&w->hits.list[at], choice, which, fault);
    assert(at < to);
    return at;
}

/* The first fault in the item's op, each other one after it. */
static void one_sample(struct sweep_work *w, struct rng *dice)
{
    struct sweep_outcome *out = w->out;
    uint32_t from = 0, n = 0;

    out->n_faults = 0;
    whole_run(w);
    while (!w->runner->broken && out->n_faults < w->item->depth) {
        uint32_t to = w->hits.n, hit;
        struct op fault;

        while (out->n_faults == 0 && to > 0 && w->hits.list[to - 1].op != w->item->op)
            to--;
        hit = draw(w, dice, from, to, &fault, &n);
        if (hit == to)
            return;
        out->faults[out->n_faults++] = (struct sweep_fault){w->hits.list[hit].op, fault};
        out->counts.runs[out->n_faults] += out->n_faults == w->item->depth;
        whole_run(w);
        if (!w->runner->broken && (hit >= w->hits.n || !w->hits.list[hit].injected)) {
            out->counts.not_fired++;
            return;
        }
        from = hit + 1;
    }
    out->counts.sampled_away += n - 1;
}

void work_sample(struct sweep_work *w)
{
    struct rng dice = rng_make(w->item->seed, w->item->op);

    work_mark(w, &w->before[0]);
    for (uint32_t i = 0; i < w->options->samples && work_goes_on(w); i++)
        one_sample(w, &dice);
    if (!w->runner->broken)
        w->out->n_faults = 0;
}
