/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/explore.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/interrupt.h"

enum { CHECKPOINT_SECONDS = 60 };

int explore_init(struct explore *e, const struct program *alphabet,
                 const struct explore_options *options)
{
    struct explore_state *start;
    int error;

    assert(alphabet->n_expects == 0 && options->faults <= EXPLORE_FAULTS_MAX);
    memset(e, 0, sizeof(*e));
    e->options = *options;
    e->alphabet = alphabet;
    if (alphabet->n_ops > UINT16_MAX)
        return -E2BIG;
    error = table_init(&e->table, options->states_max);
    if (error)
        return error;
    /* Its key is known when it has been built. */
    start = &e->table.states[0];
    *start = (struct explore_state){.parent = 0};
    table_restore(&e->table, 1);
    e->level_end = 1;
    return 0;
}

void explore_free(struct explore *e)
{
    table_free(&e->table);
    free(e->samples);
    memset(e, 0, sizeof(*e));
}

uint64_t explore_transitions(const struct explore *e)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < e->level_end; i++)
        n += e->table.states[i].transitions;
    return n;
}

/* ---- the pool's side ---- */

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    const struct explore *e = ctx;

    (void)item;
    if (p->n_ops == e->alphabet->n_ops || program_copy(p, e->alphabet) == 0)
        return 0;
    result->verdict = VERDICT_HARNESS;
    result->page = MODEL_NO_PAGE;
    snprintf(result->rule, sizeof(result->rule), "harness");
    snprintf(result->detail, sizeof(result->detail), "no memory for the alphabet");
    return -ENOMEM;
}

/* Items are short: none is given up. */
static void expand_item(void *ctx, uint64_t item, struct runner *r, const struct program *p,
                        const _Atomic bool *stop, struct run_result *result)
{
    (void)stop;
    explore_expand(ctx, item, r, p, result);
}

static void compare_item(void *ctx, uint64_t item, struct runner *r, const struct program *p,
                         const _Atomic bool *stop, struct run_result *result)
{
    struct explore *e = ctx;

    (void)stop;
    explore_compare(e, e->samples[item], r, p, result);
}

static void show_progress(void *ctx, double seconds)
{
    const struct explore *e = ctx;
    uint64_t done = 0, transitions = explore_transitions(e),
             all = e->level_end - e->level_begin;
    double left;

    for (uint64_t i = e->level_begin; i < e->level_end; i++)
        done += e->table.states[i].expanded;
    left = done ? seconds * (double)(all - done) / (double)done : 0;
    seconds += e->seconds;
    fprintf(stderr,
            "\r%6.1f s  level %u: %llu of %llu, %.0f s left  %llu states  %llu transitions  "
            "%.0f/s  ",
            seconds, e->level, (unsigned long long)done, (unsigned long long)all, left,
            (unsigned long long)table_count(&e->table), (unsigned long long)transitions,
            (double)transitions / seconds);
    fflush(stderr);
}

static int run_pool(struct explore *e, uint64_t first, uint64_t n,
                    void (*run)(void *, uint64_t, struct runner *, const struct program *,
                                const _Atomic bool *, struct run_result *),
                    struct pool_totals *totals)
{
    const struct pool_source source = {.ctx = e,
                                       .first = first,
                                       .n_items = n,
                                       .load = load,
                                       .run = run,
                                       .show_progress = show_progress,
                                       .stop_at_first = true};
    const struct pool_options pool = {.jobs =
                                          n < e->options.jobs ? (uint32_t)n : e->options.jobs,
                                      .subject = e->options.subject,
                                      .progress = e->options.progress};
    int error = pool_run(&source, &pool, NULL, totals);

    if (!error) {
        e->seconds += totals->seconds;
        e->interrupted |= totals->interrupted;
    }
    if (!error && totals->n_findings > 0) {
        e->found = true;
        e->result = totals->findings[0].result;
        e->found_state = totals->findings[0].item;
    }
    return error;
}

/* ---- the levels ---- */

/* One that cannot be written is no reason to lose what is under way. */
static void checkpoint(struct explore *e, bool now)
{
    if (!e->options.checkpoint || (!now && e->seconds < e->seconds_saved + CHECKPOINT_SECONDS))
        return;
    e->seconds_saved = e->seconds;
    e->save_error = explore_save(e, e->options.checkpoint);
}

/* False: this was the last one, or it did not come to its end. */
static bool next_level(struct explore *e, int *error)
{
    struct pool_totals totals;
    uint64_t end = e->level_end;

    *error = run_pool(e, e->level_begin, end - e->level_begin, expand_item, &totals);
    if (*error || e->found || e->interrupted)
        return false;
    e->full = table_count(&e->table) >= e->table.capacity;
    if (e->full)
        return false;
    *error = table_sort(&e->table, end, table_count(&e->table));
    if (*error || table_count(&e->table) == end)
        return false;
    e->level_begin = end;
    e->level_end = table_count(&e->table);
    e->level++;
    checkpoint(e, false);
    return true;
}

static int compare_samples(struct explore *e)
{
    struct pool_totals totals;
    int error;

    e->samples = malloc(e->level_end * sizeof(*e->samples));
    if (!e->samples)
        return -ENOMEM;
    for (uint64_t i = 0; i < e->level_end; i++)
        if (e->table.states[i].has_sample)
            e->samples[e->n_samples++] = i;
    error = e->n_samples ? run_pool(e, 0, e->n_samples, compare_item, &totals) : 0;
    if (e->found) {
        e->in_sample = true;
        e->found_state = e->samples[e->found_state];
    }
    return error;
}

int explore_run(struct explore *e)
{
    int error = 0;

    while (next_level(e, &error))
        ;
    if (!error && !e->found && !e->interrupted && !e->full)
        error = compare_samples(e);
    if (e->interrupted)
        checkpoint(e, true);
    if (explore_exit_code(e) == 0 && !error && e->options.checkpoint)
        unlink(e->options.checkpoint); /* nothing is left to go on with */
    return error;
}

/* ---- what was found ---- */

static int add_step(const struct explore *e, const struct explore_step *step, struct program *p)
{
    int error = 0;

    for (uint32_t i = 0; i < step->n_faults && !error; i++)
        error = program_add_op(p, &(struct op){.kind = OP_FAULT,
                                               .when = FAULT_NTH,
                                               .point = step->faults[i].point,
                                               .error = step->faults[i].error,
                                               .late = step->faults[i].late,
                                               .value = step->faults[i].nth});
    if (!error && step->op < e->alphabet->n_ops)
        error = program_add_op(p, &e->alphabet->ops[step->op]);
    return error;
}

static int add_path(const struct explore *e, uint64_t index, struct program *p)
{
    int error;

    if (index == 0)
        return 0;
    error = add_path(e, e->table.states[index].parent, p);
    return error ? error : add_step(e, &e->table.states[index].step, p);
}

int explore_reproducer(const struct explore *e, struct program *p, struct run_result *r)
{
    const struct explore_state *s = &e->table.states[e->found_state];
    int error;

    assert(e->found);
    program_clear(p);
    p->machine = e->alphabet->machine;
    p->seed = e->alphabet->seed;
    error = add_path(e, e->found_state, p);
    if (!error && e->in_sample)
        error = add_step(e, &s->sample, p);
    if (!error)
        error = add_step(e, &s->at, p);
    *r = e->result;
    r->line = 0;
    r->op = s->at.op < e->alphabet->n_ops ? p->n_ops - 1 : p->n_ops;
    return error;
}
