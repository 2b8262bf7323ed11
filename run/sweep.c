/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which items there are, a depth after the other, and what became of them. */
#include "run/sweep.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run/hash.h"
#include "run/points.h"
#include "run/sweep_item.h"

/* One depth of the sweep. */
struct phase {
    struct sweep *sweep;
    uint32_t depth;
    struct sweep_item *items;
    uint64_t n_items;
    struct sweep_outcome *outcomes; /* shared with the workers */
    struct run_result *results;
    double seconds_before;
    uint64_t runs_before;
};

void sweep_init(struct sweep *s, const struct sweep_options *options)
{
    assert(options->depth >= 1 && options->depth <= SWEEP_DEPTH_MAX);
    memset(s, 0, sizeof(*s));
    s->options = *options;
}

void sweep_free(struct sweep *s)
{
    for (uint32_t i = 0; i < s->n_programs; i++) {
        program_free(&s->programs[i].program);
        free(s->programs[i].name);
    }
    free(s->programs);
    free(s->findings);
    memset(s, 0, sizeof(*s));
}

int sweep_add(struct sweep *s, const char *name, const struct program *p,
              const struct text_error *problem)
{
    struct sweep_program *grown =
        realloc(s->programs, (s->n_programs + 1) * sizeof(*s->programs));
    struct sweep_program *one;
    uint32_t op;

    assert(!p != !problem);
    if (!grown)
        return -ENOMEM;
    s->programs = grown;
    one = &s->programs[s->n_programs];
    memset(one, 0, sizeof(*one));
    one->name = strdup(name);
    if (!one->name)
        return -ENOMEM;
    s->n_programs++;
    if (problem)
        one->problem = *problem;
    else if (!points_faults_exist(p, &op))
        one->problem =
            (struct text_error){p->ops[op].line, "no call of this machine can fail so"};
    one->found = one->problem.why[0] != 0; /* nothing more is to be found in it */
    s->totals.n_verdicts[VERDICT_INPUT] += one->found;
    if (one->found)
        return 0;
    program_init(&one->program);
    if (program_copy(&one->program, p))
        return -ENOMEM;
    one->program.n_expects = 0;
    return 0;
}

/* ---- items ---- */

static void add_item(struct phase *ph, uint32_t program, uint32_t op, bool first)
{
    const struct sweep_program *one = &ph->sweep->programs[program];
    const char *slash = strrchr(one->name, '/'), *name = slash ? slash + 1 : one->name;

    ph->items[ph->n_items++] =
        (struct sweep_item){.program = program,
                            .op = op,
                            .depth = ph->depth,
                            .first = first,
                            .seed = ph->sweep->options.seed ^ XXH3_64bits(name, strlen(name))};
}

/* One an op; at depth 1 one at least. */
static void plan_program(struct phase *ph, uint32_t i)
{
    const struct program *p = &ph->sweep->programs[i].program;
    uint32_t from = p->sweep_from < p->n_ops ? p->sweep_from : p->n_ops;

    for (uint32_t op = from; op < p->n_ops; op++)
        add_item(ph, i, op, op == from);
    if (from == p->n_ops && ph->depth == 1)
        add_item(ph, i, from, true);
}

static int plan(struct phase *ph)
{
    struct sweep *s = ph->sweep;
    uint64_t most = 0;

    for (uint32_t i = 0; i < s->n_programs; i++)
        most += s->programs[i].program.n_ops + 1;
    ph->items = calloc(most + 1, sizeof(*ph->items));
    if (!ph->items)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->n_programs; i++) {
        struct sweep_program *one = &s->programs[i];

        one->too_long =
            ph->depth > 1 && s->options.short_one && one->counts.faults > s->options.short_one;
        if (!one->found && !one->too_long)
            plan_program(ph, i);
    }
    assert(ph->n_items <= most);
    return 0;
}

/* ---- in a worker ---- */

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    struct phase *ph = ctx;
    int error = program_copy(p, &ph->sweep->programs[ph->items[item].program].program);

    if (error) {
        result->verdict = VERDICT_HARNESS;
        result->page = MODEL_NO_PAGE;
        snprintf(result->rule, sizeof(result->rule), "harness");
        snprintf(result->detail, sizeof(result->detail), "no memory for the program");
    }
    return error;
}

static void run_item(void *ctx, uint64_t item, struct runner *r, const struct program *p,
                     const _Atomic bool *stop, struct run_result *result)
{
    struct phase *ph = ctx;

    memset(&ph->outcomes[item], 0, sizeof(ph->outcomes[item])); /* a worker before this one */
    sweep_item_run(&ph->items[item], &ph->sweep->options, r, p, stop, &ph->outcomes[item],
                   result);
}

/* ---- what came of it ---- */

static uint64_t runs_of(const struct sweep_counts *c)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i <= SWEEP_DEPTH_MAX; i++)
        n += c->runs[i];
    return n;
}

uint64_t sweep_runs(const struct sweep *s)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n_programs; i++)
        n += runs_of(&s->programs[i].counts);
    return n;
}

static void show_progress(void *ctx, double seconds)
{
    const struct phase *ph = ctx;
    uint64_t runs = ph->runs_before, done = 0;

    for (uint64_t i = 0; i < ph->n_items; i++) {
        runs += runs_of(&ph->outcomes[i].counts);
        done += ph->results[i].verdict != VERDICT_NOT_RUN;
    }
    seconds += ph->seconds_before;
    fprintf(stderr, "\r%6.1f s  depth %u: %llu of %llu ops  %llu runs  %.0f runs/s  ", seconds,
            ph->depth, (unsigned long long)done, (unsigned long long)ph->n_items,
            (unsigned long long)runs, (double)runs / seconds);
    fflush(stderr);
}

void sweep_add_counts(struct sweep_counts *to, const struct sweep_counts *c)
{
    to->hits += c->hits;
    to->faults += c->faults;
    for (uint32_t i = 0; i <= SWEEP_DEPTH_MAX; i++)
        to->runs[i] += c->runs[i];
    to->not_fired += c->not_fired;
    to->before_mark += c->before_mark;
    to->sampled_away += c->sampled_away;
}

static int add_finding(struct phase *ph, uint64_t item)
{
    struct sweep *s = ph->sweep;
    struct sweep_finding *grown = realloc(s->findings, (s->n_findings + 1) * sizeof(*grown));
    const struct sweep_outcome *out = &ph->outcomes[item];
    struct sweep_finding *f;

    if (!grown)
        return -ENOMEM;
    s->findings = grown;
    f = &s->findings[s->n_findings++];
    *f = (struct sweep_finding){.program = ph->items[item].program,
                                .depth = ph->depth,
                                .op = ph->items[item].op,
                                .result = ph->results[item],
                                .n_faults = out->n_faults};
    memcpy(f->faults, out->faults, sizeof(f->faults));
    s->programs[f->program].found = true;
    return 0;
}

/* The items from there on are nobody's. */
static void left_over(struct phase *ph, uint64_t from)
{
    for (uint64_t i = from; i < ph->n_items; i++)
        ph->sweep->programs[ph->items[i].program].unfinished = true;
}

/* In the order of the items. What other workers did behind the one that ended it all does not
 * count, so that nothing depends on how many there were. */
static int collect(struct phase *ph, const struct pool_totals *t)
{
    struct sweep *s = ph->sweep;
    int error = 0;

    for (uint64_t i = 0; i < ph->n_items && !error; i++) {
        const struct run_result *r = &ph->results[i];
        const uint64_t words[] = {i, ph->depth, r->hash};

        if (r->verdict == VERDICT_NOT_RUN) {
            s->programs[ph->items[i].program].unfinished = true;
            continue;
        }
        s->totals.n_verdicts[r->verdict]++;
        s->totals.hash += hash_words(0, words, 3);
        s->totals.ops += r->ops;
        s->totals.host_calls += r->host_calls;
        sweep_add_counts(&s->programs[ph->items[i].program].counts, &ph->outcomes[i].counts);
        if (r->verdict == VERDICT_OK)
            continue;
        error = add_finding(ph, i);
        if (!s->options.keep_going) {
            left_over(ph, i + 1);
            break;
        }
    }
    s->totals.seconds += t->seconds;
    s->totals.interrupted |= t->interrupted;
    s->totals.workers_restarted += t->workers_restarted;
    return error;
}

static int run_phase(struct phase *ph)
{
    struct sweep *s = ph->sweep;
    const struct pool_source source = {.ctx = ph,
                                       .n_items = ph->n_items,
                                       .load = load,
                                       .run = run_item,
                                       .show_progress = show_progress,
                                       .stop_at_first = !s->options.keep_going};
    const struct pool_options pool = {.jobs = s->options.jobs,
                                      .subject = s->options.subject,
                                      .progress = s->options.progress};
    struct pool_totals totals;
    int error = 0;

    ph->results = pool_results_alloc(ph->n_items);
    ph->outcomes = pool_shared_alloc((ph->n_items + 1) * sizeof(*ph->outcomes));
    if (!ph->results || !ph->outcomes)
        error = -ENOMEM;
    if (!error)
        error = pool_run(&source, &pool, ph->results, &totals);
    if (!error)
        error = collect(ph, &totals);
    pool_results_free(ph->results, ph->n_items);
    pool_shared_free(ph->outcomes, (ph->n_items + 1) * sizeof(*ph->outcomes));
    return error;
}

int sweep_run(struct sweep *s)
{
    int error = 0;

    for (uint32_t depth = 1; depth <= s->options.depth && !error; depth++) {
        struct phase ph = {.sweep = s,
                           .depth = depth,
                           .seconds_before = s->totals.seconds,
                           .runs_before = sweep_runs(s)};

        if (s->totals.interrupted || (s->n_findings > 0 && !s->options.keep_going))
            break;
        error = plan(&ph);
        if (!error && ph.n_items > 0)
            error = run_phase(&ph);
        free(ph.items);
    }
    return error;
}
