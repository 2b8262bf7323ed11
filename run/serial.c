/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/serial.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/feed.h"
#include "run/hash.h"
#include "run/judge.h"

enum {
    CANON_WORDS = 1 << 13,
    ORDERS_MAX = 1 << 14, /* ops done one after the other before the search gives up */
};

struct search {
    struct lanes *l;
    struct runner *r;
    uint64_t done; /* bit per op of the batch */
    uint32_t steps, depth, deepest;
    uint64_t canon; /* what the subject kept at the end of the batch */
    void *model, *tracker, *plugged;
    size_t model_size, words_size;
    char why[120]; /* what stopped the order that came furthest */
    bool found;
    bool broke; /* an order broke a rule, and this was the first one */
    struct run_result first;
};

static uint64_t canon_of(struct runner *r)
{
    static uint64_t words[CANON_WORDS];
    size_t size = r->subject->canon(r->state, words, sizeof(words));

    return XXH3_64bits(words, size < sizeof(words) ? size : sizeof(words));
}

static uint64_t model_canon_of(struct runner *r)
{
    static uint64_t words[CANON_WORDS];
    size_t size = model_canon(r->model, words, sizeof(words));

    return XXH3_64bits(words, size < sizeof(words) ? size : sizeof(words));
}

/* May it come next? All of its lane before it are done, and all that had returned before it
 * began. */
static bool may_be_next(const struct search *s, uint32_t i)
{
    const struct lane_op *o = &s->l->ops[i];

    if (s->done >> i & 1)
        return false;
    for (uint32_t k = 0; k < s->l->n_ops; k++)
        if (!(s->done >> k & 1) && k != i && s->l->ops[k].ended < o->began)
            return false;
    return true;
}

static bool same_result(const struct op_result *a, const struct op_result *b)
{
    return a->error == b->error && a->undelivered == b->undelivered &&
           a->has_status == b->has_status && a->guest_status == b->guest_status &&
           a->data == b->data && a->response == b->response;
}

static void note(struct search *s, const struct lane_op *o, const char *what)
{
    if (s->depth < s->deepest)
        return;
    s->deepest = s->depth;
    snprintf(s->why, sizeof(s->why), "%s", what);
    (void)o;
}

/* Does the op alone, from here, with everything judged; true: as it was in the batch. */
static bool do_alone(struct search *s, const struct lane_op *o)
{
    struct runner *r = s->r;
    char what[120];

    sim_lane(r->world, s->l->ids[o->lane]);
    judge_op(r, o->op);
    sim_lane(r->world, 0);
    if (r->broken) {
        if (!s->broke)
            s->first = *r->result;
        s->broke = true;
        snprintf(what, sizeof(what), "op %u breaks %s", o->index, r->result->rule);
        note(s, o, what);
        r->broken = false;
        return false;
    }
    if (same_result(&r->now->op_result, &o->result))
        return true;
    snprintf(what, sizeof(what), "op %u would return %d, it returned %d", o->index,
             r->now->op_result.error, o->result.error);
    note(s, o, what);
    return false;
}

/* The end of a serial order: is it where the batch ended? Then the batch's world is back, with
 * this order's model. */
static bool is_the_end(struct search *s)
{
    struct runner *r = s->r;
    struct lanes *l = s->l;
    struct violation v;
    uint64_t known = model_canon_of(r);

    if (canon_of(r) != s->canon) {
        note(s, NULL, "the subject would end in another state");
        return false;
    }
    memcpy(s->model, r->model, s->model_size);
    memcpy(s->tracker, r->tracker, s->words_size);
    memcpy(s->plugged, r->plugged, s->words_size);
    sim_snapshot_restore(r->world, &l->end);
    model_adopt(r->model, s->model);
    memcpy(r->tracker, s->tracker, s->words_size);
    memcpy(r->plugged, s->plugged, s->words_size);
    feed_again(r);
    if (model_adopted(r->model, &v) && model_canon_of(r) == known)
        return true;
    note(s, NULL, "the machine would end in another state");
    return false;
}

static void search_from(struct search *s, const struct sim_snapshot *here)
{
    struct sim_snapshot next = {.bytes = NULL};

    for (uint32_t i = 0; i < s->l->n_ops && !s->found && s->steps < ORDERS_MAX; i++) {
        if (!may_be_next(s, i))
            continue;
        sim_snapshot_restore(s->r->world, here);
        s->steps++;
        s->depth++;
        s->done |= 1ULL << i;
        if (do_alone(s, &s->l->ops[i])) {
            if (s->depth == s->l->n_ops)
                s->found = is_the_end(s);
            else if (sim_snapshot_take(s->r->world, &next) == 0)
                search_from(s, &next);
        }
        s->done &= ~(1ULL << i);
        s->depth--;
    }
    sim_snapshot_free(&next);
}

static void verdict(struct search *s)
{
    struct runner *r = s->r;
    char detail[200];

    if (s->steps >= ORDERS_MAX) {
        judge_break_plain(r, VERDICT_HARNESS, "harness",
                          "the batch has too many serial orders to try");
        return;
    }
    if (s->broke && s->deepest < 2) { /* whatever comes first breaks a rule by itself */
        *r->result = s->first;
        r->broken = true;
        return;
    }
    snprintf(detail, sizeof(detail), "no serial order of the batch ends like this: %.120s",
             s->why);
    judge_break_plain(r, VERDICT_VIOLATION, "O13 serial-order", detail);
}

static bool make_room(struct search *s)
{
    struct runner *r = s->r;

    s->model_size = model_size(&r->program->machine);
    s->words_size = (r->region_word[r->program->machine.n_regions] + 1) * sizeof(*r->tracker);
    s->model = malloc(s->model_size + 2 * s->words_size);
    s->tracker = (char *)s->model + s->model_size;
    s->plugged = (char *)s->tracker + s->words_size;
    return s->model && sim_snapshot_take(r->world, &s->l->end) == 0;
}

bool serial_explains(struct lanes *l)
{
    struct runner *r = l->r;
    struct search s = {.l = l, .r = r};
    struct run_result result = *r->result;
    struct watch *watch = r->watch;
    uint64_t hash = r->hash, calls_left = r->calls_left;

    if (!make_room(&s)) {
        judge_break_plain(r, VERDICT_HARNESS, "harness", "no memory for a snapshot");
    } else {
        s.canon = canon_of(r);
        r->watch = NULL;
        r->probing = true;
        search_from(&s, &l->start);
        r->watch = watch;
        r->probing = false;
        r->calls_left = calls_left;
        r->hash = hash;
        *r->result = result;
        if (!s.found)
            verdict(&s);
    }
    free(s.model);
    return !r->broken;
}
