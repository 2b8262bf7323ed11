/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run/explore.h"
#include "run/hash.h"
#include "run/hits.h"
#include "run/judge.h"

enum { SAMPLE_ONE_IN = 16, CANON_BYTES_MAX = 30000 };

struct work {
    struct explore *e;
    struct runner *r;
    struct explore_state *state;
    uint32_t index;
    bool comparing; /* nothing is added */
    struct runner_mark here;
    struct hits hits;
    struct explore_step at;
    /* What is found out. */
    uint32_t transitions;
    uint64_t successors;
    uint64_t best_sample; /* the smallest of the draws so far */
    /* Of the op at hand: distinct successors. */
    uint64_t *of_op;
    uint32_t n_of_op, capacity;
};

static void harness(struct work *w, const char *what)
{
    judge_break_plain(w->r, VERDICT_HARNESS, "harness", what);
}

/* ---- one state ---- */

static bool key_of(struct work *w, struct explore_key *key)
{
    uint64_t words[CANON_BYTES_MAX / sizeof(uint64_t)];
    size_t seen = model_canon(w->r->model, words, sizeof(words)), size = seen;
    XXH128_hash_t hash;

    if (seen < sizeof(words))
        size += w->r->subject->canon(w->r->state, words + seen / sizeof(uint64_t),
                                     sizeof(words) - seen);
    if (size > sizeof(words)) {
        harness(w, "the machine is too large to explore");
        return false;
    }
    hash = XXH3_128bits(words, size);
    *key = (struct explore_key){hash.low64, hash.high64};
    return true;
}

/* The op with its faults. False: broken, or a fault does not exist here. */
static bool do_step(struct work *w, const struct explore_step *step)
{
    w->state->at = *step;
    for (uint32_t i = 0; i < step->n_faults; i++) {
        const struct explore_fault *f = &step->faults[i];
        const struct op fault = {.kind = OP_FAULT,
                                 .point = f->point,
                                 .error = f->error,
                                 .late = f->late,
                                 .when = FAULT_NTH,
                                 .value = f->nth};

        if (runner_arm(w->r, &fault))
            return false;
    }
    runner_op(w->r, step->op);
    if (w->hits.full)
        harness(w, "no memory for the hits");
    return !w->r->broken;
}

/* From the start to a state, by its parents' steps. */
static bool walk_to(struct work *w, uint32_t index)
{
    const struct explore_state *states = w->e->table.states;
    uint32_t depth = 0, *path;
    bool good = true;

    for (uint32_t i = index; i != 0; i = states[i].parent)
        depth++;
    path = malloc((depth + 1) * sizeof(*path));
    if (!path) {
        harness(w, "no memory for a path");
        return false;
    }
    for (uint32_t i = index, d = depth; i != 0; i = states[i].parent)
        path[--d] = i;
    for (uint32_t d = 0; d < depth && good; d++)
        good = do_step(w, &states[path[d]].step);
    free(path);
    w->hits.n = 0;
    return good && !w->r->broken;
}

/* The same steps lead to the same state, or something is not deterministic. */
static bool is_at(struct work *w, const struct explore_key *expected)
{
    struct explore_key key;

    if (!key_of(w, &key))
        return false;
    if (key.low == expected->low && key.high == expected->high)
        return true;
    judge_break_plain(w->r, VERDICT_NONDETERMINISM, "explore",
                      "the same steps did not lead to the same state again");
    return false;
}

/* ---- what comes next ---- */

/* Adds to the set; false: it was there. */
static bool is_new_for_op(struct work *w, const struct explore_key *key)
{
    for (uint32_t i = 0; i < w->n_of_op; i++)
        if (w->of_op[i] == key->low)
            return false;
    if (w->n_of_op == w->capacity) {
        uint32_t capacity = w->capacity ? w->capacity * 2 : 64;
        uint64_t *grown = realloc(w->of_op, capacity * sizeof(*grown));

        if (!grown) {
            harness(w, "no memory for successors");
            return false;
        }
        w->of_op = grown;
        w->capacity = capacity;
    }
    w->of_op[w->n_of_op++] = key->low;
    return true;
}

/* Of some states, one way to another one that was known is compared in the end. */
static void maybe_sample(struct work *w, const struct explore_key *key)
{
    const uint64_t words[] = {w->index, w->transitions};
    uint64_t draw = hash_words(key->low, words, 2);

    if (w->state->key.low % SAMPLE_ONE_IN || key->low == w->state->key.low ||
        (w->state->has_sample && draw >= w->best_sample))
        return;
    w->best_sample = draw;
    w->state->has_sample = true;
    w->state->sample = w->at;
    w->state->sample_key = *key;
}

static void note_successor(struct work *w)
{
    uint64_t order = (uint64_t)w->index << 32 | w->transitions++;
    struct explore_key key;

    if (!key_of(w, &key))
        return;
    if (is_new_for_op(w, &key))
        w->successors += hash_words(w->at.op, (const uint64_t[]){key.low, key.high}, 2);
    if (w->comparing)
        return;
    switch (table_add(&w->e->table, &key, w->index, order, &w->at, w->e->level_begin)) {
    case TABLE_KNOWN:
        maybe_sample(w, &key);
        break;
    case TABLE_NEW:
    case TABLE_FULL: /* the supervisor sees that there are too many */
        break;
    }
}

/* `at` is done from `here`; false: broken. */
static bool try_step(struct work *w)
{
    runner_go_back(w->r, &w->here);
    return do_step(w, &w->at) || !w->r->broken;
}

/* One fault more, at hit number `at`, whose run's hits begin at `base`. */
static void one_fault(struct work *w, uint32_t base, uint32_t at, const struct op *fault,
                      uint32_t left);

static void all_faults(struct work *w, uint32_t base, uint32_t from, uint32_t left)
{
    static const struct fault_choice choice = {.early = true, .late = true};
    uint32_t end = w->hits.n;
    struct op fault;

    for (uint32_t at = from; at < end; at++)
        for (uint32_t i = 0; !w->r->broken && hit_fault(&w->hits.list[at], &choice, i, &fault);
             i++)
            one_fault(w, base, at, &fault, left);
}

static void one_fault(struct work *w, uint32_t base, uint32_t at, const struct op *fault,
                      uint32_t left)
{
    uint32_t mine = w->hits.n, hit = mine + (at - base);

    assert(left > 0 && w->at.n_faults < EXPLORE_FAULTS_MAX);
    w->at.faults[w->at.n_faults++] = (struct explore_fault){
        (uint8_t)fault->point, fault->late, fault->error, (uint32_t)fault->value};
    if (!try_step(w))
        return;
    if (hit < w->hits.n && w->hits.list[hit].injected) {
        note_successor(w);
        if (left > 1)
            all_faults(w, mine, hit + 1, left - 1);
    }
    w->hits.n = mine;
    w->at.n_faults--;
}

static void expand_op(struct work *w, uint32_t op)
{
    w->at = (struct explore_step){.op = (uint16_t)op};
    w->n_of_op = 0;
    w->hits.n = 0;
    if (!try_step(w))
        return;
    note_successor(w);
    if (w->e->options.faults > 0 && !w->r->broken)
        all_faults(w, 0, 0, w->e->options.faults);
}

static void expand_all(struct work *w)
{
    if (runner_mark(w->r, &w->here))
        harness(w, "no memory for a mark");
    else
        runner_look(w->r);
    for (uint32_t op = 0; op < w->r->program->n_ops && !w->r->broken; op++)
        expand_op(w, op);
}

/* ---- an item ---- */

static void start(struct work *w)
{
    w->r->no_probe = true; /* each op is done again, without faults, wherever it led */
    if (runner_build(w->r))
        sim_watch_hits(w->r->world, true);
}

/* Nobody else is at work while the start is expanded. */
static bool name_start(struct work *w)
{
    if (!key_of(w, &w->state->key))
        return false;
    table_restore(&w->e->table, 1);
    return true;
}

static void expand_steps(struct runner *r, void *ctx)
{
    struct work *w = ctx;

    start(w);
    if (r->broken || !walk_to(w, w->index))
        return;
    if (!(w->index == 0 ? name_start(w) : is_at(w, &w->state->key)))
        return;
    expand_all(w);
    if (r->broken)
        return;
    runner_go_back(r, &w->here);
    w->state->at = (struct explore_step){.op = (uint16_t)r->program->n_ops};
    runner_end(r);
}

static void compare_steps(struct runner *r, void *ctx)
{
    struct work *w = ctx;
    uint64_t same = table_find(&w->e->table, &w->state->sample_key);

    assert(same != UINT64_MAX && w->e->table.states[same].expanded);
    start(w);
    if (r->broken || !walk_to(w, w->index) || !do_step(w, &w->state->sample) ||
        !is_at(w, &w->state->sample_key))
        return;
    expand_all(w);
    if (!r->broken && w->successors != w->e->table.states[same].successors)
        judge_break_plain(r, VERDICT_HARNESS, "explore-merge",
                          "two ways to what looks like one state go on differently");
}

static void run_steps(struct work *w, void (*steps)(struct runner *r, void *ctx),
                      const struct program *p, struct run_result *result)
{
    hits_init(&w->hits);
    runner_steps(w->r, p, w->e->options.subject, &w->hits.watch, result, steps, w);
    w->r->no_probe = false;
    hits_free(&w->hits);
    runner_mark_free(&w->here);
    free(w->of_op);
}

void explore_expand(struct explore *e, uint64_t index, struct runner *r,
                    const struct program *p, struct run_result *result)
{
    struct explore_state *s = &e->table.states[index];
    struct work w = {.e = e, .r = r, .state = s, .index = (uint32_t)index};

    memset(result, 0, sizeof(*result));
    if (s->expanded) /* before it was interrupted */
        return;
    s->has_sample = false;
    run_steps(&w, expand_steps, p, result);
    s->transitions = w.transitions;
    s->successors = w.successors;
    s->expanded = result->verdict == VERDICT_OK;
}

void explore_compare(struct explore *e, uint64_t index, struct runner *r,
                     const struct program *p, struct run_result *result)
{
    struct work w = {.e = e,
                     .r = r,
                     .state = &e->table.states[index],
                     .index = (uint32_t)index,
                     .comparing = true};

    run_steps(&w, compare_steps, p, result);
}
