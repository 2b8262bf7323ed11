/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/hits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct hits *h)
{
    uint32_t capacity = h->capacity ? h->capacity * 2 : 256;
    struct hit *grown = realloc(h->list, capacity * sizeof(*grown));

    if (!grown)
        return false;
    h->list = grown;
    h->capacity = capacity;
    return true;
}

static void op_begins(struct hits *h, uint32_t op)
{
    h->op = op;
    memset(h->n_calls, 0, sizeof(h->n_calls));
    memset(h->n_cannot, 0, sizeof(h->n_cannot));
}

static void note(struct hits *h, const struct sim_call *call)
{
    uint32_t point = call->point;

    assert(point < POINT_COUNT);
    if (h->n == h->capacity && !grow(h)) {
        h->full = true;
        return;
    }
    assert(!call->cannot || !h->picky[point] || h->picky[point] == call->cannot);
    if (call->cannot) {
        h->picky[point] = call->cannot;
        h->n_cannot[point]++;
    }
    h->n_calls[point]++;
    h->list[h->n++] = (struct hit){.op = h->op,
                                   .nth = h->n_calls[point],
                                   .nth_picky = h->n_calls[point] - h->n_cannot[point],
                                   .picky = h->picky[point],
                                   .cannot = call->cannot,
                                   .point = (uint8_t)point,
                                   .injected = call->injected,
                                   .failed = call->error != 0};
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct hits *h = (struct hits *)w;

    if (event == WATCH_OP)
        op_begins(h, r->result->op);
    if (event == WATCH_CALL && r->phase == PHASE_OPS && !r->probing &&
        (sim_point_errno(call->point, 0, false) || sim_point_errno(call->point, 0, true)))
        note(h, call);
}

void hits_init(struct hits *h)
{
    memset(h, 0, sizeof(*h));
    h->watch.see = see;
}

void hits_free(struct hits *h)
{
    free(h->list);
    hits_init(h);
}

static bool takes(const struct hit *h, int error, bool late)
{
    return late ? !h->failed : error != h->cannot;
}

bool hit_fault(const struct hit *h, const struct fault_choice *choice, uint32_t i,
               struct op *fault)
{
    int error;

    for (int late = !choice->early; !h->injected && late <= choice->late; late++)
        for (uint32_t k = 0; (error = sim_point_errno(h->point, k, late)) != 0; k++) {
            if (!takes(h, error, late) || i-- > 0)
                continue;
            *fault = (struct op){.kind = OP_FAULT,
                                 .point = h->point,
                                 .error = (uint16_t)error,
                                 .when = choice->sticky ? FAULT_STICKY : FAULT_NTH,
                                 .late = (uint8_t)late,
                                 .value = !late && error == h->picky ? h->nth_picky : h->nth};
            return true;
        }
    return false;
}

uint32_t hit_faults(const struct hit *h, const struct fault_choice *choice)
{
    struct op ignored;
    uint32_t n = 0;

    while (hit_fault(h, choice, n, &ignored))
        n++;
    return n;
}
