/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/sweep_item.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "run/hash.h"
#include "run/judge.h"

/* ---- steps ---- */

static void no_memory(struct sweep_work *w)
{
    judge_break_plain(w->runner, VERDICT_HARNESS, "harness", "no memory for the sweep");
}

void work_mark(struct sweep_work *w, struct runner_mark *mark)
{
    if (runner_mark(w->runner, mark))
        no_memory(w);
}

void work_op(struct sweep_work *w, uint32_t op)
{
    runner_op(w->runner, op);
    if (w->hits.full)
        no_memory(w);
}

bool work_arm(struct sweep_work *w, uint32_t first, uint32_t op)
{
    for (uint32_t i = first; i < w->out->n_faults; i++)
        if (w->out->faults[i].op == op && runner_arm(w->runner, &w->out->faults[i].fault))
            return false;
    return true;
}

static void add_hash(struct sweep_work *w)
{
    w->hash += hash_words(w->out->n_faults, &w->runner->hash, 1);
}

void work_end(struct sweep_work *w)
{
    runner_end(w->runner);
    add_hash(w);
}

bool work_goes_on(struct sweep_work *w)
{
    if (!w->runner->broken && atomic_load_explicit(w->stop, memory_order_relaxed))
        judge_break_plain(w->runner, VERDICT_NOT_RUN, "interrupted", "");
    return !w->runner->broken;
}

/* ---- the walk ---- */

static void go_on(struct sweep_work *w, uint32_t op, uint32_t left, uint32_t level);

/* One fault more, at hit number `at`, whose op's hits begin at `base`: from in front of the op,
 * with those from number `first` on, which belong to this op as well. */
static void one_fault(struct sweep_work *w, uint32_t level, uint32_t first, uint32_t base,
                      uint32_t at, const struct op *fault, uint32_t left);

/* Every fault of hits number `from` on. */
static void all_faults(struct sweep_work *w, uint32_t level, uint32_t first, uint32_t base,
                       uint32_t from, uint32_t left)
{
    uint32_t end = w->hits.n;
    struct op fault;

    for (uint32_t at = from; at < end; at++)
        for (uint32_t i = 0;
             work_goes_on(w) && hit_fault(&w->hits.list[at], &w->options->choice, i, &fault);
             i++)
            one_fault(w, level, first, base, at, &fault, left);
}

static void one_fault(struct sweep_work *w, uint32_t level, uint32_t first, uint32_t base,
                      uint32_t at, const struct op *fault, uint32_t left)
{
    struct sweep_outcome *out = w->out;
    uint32_t n = out->n_faults, mine = w->hits.n, hit = mine + (at - base);
    uint32_t op = w->hits.list[at].op;
    uint64_t *runs = left == 1 ? &out->counts.runs[n + 1] : NULL;

    assert(n < SWEEP_DEPTH_MAX && left > 0);
    runner_go_back(w->runner, &w->before[level]);
    out->faults[n] = (struct sweep_fault){op, *fault};
    out->n_faults = n + 1;
    if (work_arm(w, first, op)) {
        if (runs)
            ++*runs;
        work_op(w, op);
        if (w->runner->broken)
            return;
    }
    if (hit >= w->hits.n || !w->hits.list[hit].injected) {
        out->counts.not_fired++;
        if (runs)
            --*runs;
    } else if (runner_look(w->runner)) {
        uint32_t end = w->hits.n;

        add_hash(w);
        go_on(w, op + 1, left - 1, level + 1);
        if (!w->runner->broken && left > 1) {
            w->hits.n = end;
            all_faults(w, level, first, mine, hit + 1, left - 1);
        }
    }
    if (w->runner->broken)
        return;
    w->hits.n = mine;
    out->n_faults = n;
}

static uint64_t count_hits(const struct sweep_work *w, uint32_t from, uint64_t *faults)
{
    uint64_t n = 0;

    for (uint32_t i = from; i < w->hits.n; i++) {
        uint32_t more = hit_faults(&w->hits.list[i], &w->options->choice);

        n += more > 0;
        *faults += more;
    }
    return n;
}

/* One op: clean, then with every fault, and what may come after it. Behind it all is clean. */
static void sweep_op(struct sweep_work *w, uint32_t op, uint32_t left, uint32_t level)
{
    uint32_t base = w->hits.n;

    assert(level < SWEEP_DEPTH_MAX);
    work_mark(w, &w->before[level]);
    if (!w->runner->broken)
        work_op(w, op);
    if (!w->runner->broken && w->hits.n > base)
        work_mark(w, &w->after[level]);
    if (w->runner->broken || w->hits.n == base)
        return;
    if (w->item->depth == 1)
        w->out->counts.hits += count_hits(w, base, &w->out->counts.faults);
    all_faults(w, level, w->out->n_faults, base, base, left);
    if (w->runner->broken)
        return;
    runner_go_back(w->runner, &w->after[level]);
    w->hits.n = base;
}

/* To the end of the program, with so many faults to go. */
static void go_on(struct sweep_work *w, uint32_t op, uint32_t left, uint32_t level)
{
    uint32_t base = w->hits.n;

    for (; !w->runner->broken && op < w->runner->program->n_ops; op++) {
        if (left > 0)
            sweep_op(w, op, left, level);
        else
            work_op(w, op);
        w->hits.n = base;
    }
    if (!w->runner->broken)
        work_end(w);
}

/* ---- an item ---- */

static void clean_run(struct sweep_work *w)
{
    w->out->counts.runs[0]++;
    work_mark(w, &w->before[0]);
    if (!w->runner->broken)
        go_on(w, w->item->op, 0, 0);
    if (!w->runner->broken)
        runner_go_back(w->runner, &w->before[0]);
}

static void steps(struct runner *r, void *ctx)
{
    struct sweep_work *w = ctx;
    bool first = w->item->first && w->item->depth == 1;
    uint64_t ignored = 0;

    if (!runner_build(r))
        return;
    sim_watch_hits(r->world, true);
    for (uint32_t op = 0; op < w->item->op && !r->broken; op++)
        work_op(w, op);
    if (first)
        w->out->counts.before_mark = count_hits(w, 0, &ignored);
    w->hits.n = 0;
    if (first && !r->broken)
        clean_run(w);
    if (!r->broken && w->item->op < r->program->n_ops) {
        if (w->item->depth == SWEEP_DEPTH_MAX)
            work_sample(w);
        else
            sweep_op(w, w->item->op, w->item->depth, 0);
    }
    r->hash = w->hash;
}

void sweep_item_run(const struct sweep_item *item, const struct sweep_options *options,
                    struct runner *r, const struct program *p, const _Atomic bool *stop,
                    struct sweep_outcome *out, struct run_result *result)
{
    struct sweep_work w = {
        .item = item, .options = options, .out = out, .stop = stop, .runner = r};

    assert(item->depth >= 1 && item->depth <= SWEEP_DEPTH_MAX && p->n_expects == 0);
    hits_init(&w.hits);
    runner_steps(r, p, options->subject, &w.hits.watch, result, steps, &w);
    for (uint32_t i = 0; i < SWEEP_DEPTH_MAX; i++) {
        runner_mark_free(&w.before[i]);
        runner_mark_free(&w.after[i]);
    }
    hits_free(&w.hits);
}
