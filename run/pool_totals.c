/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums, findings and exit codes: what all workers together amount to. */
#include <assert.h>
#include <string.h>

#include "run/pool_shared.h"

int verdict_exit_code(enum verdict v)
{
    switch (v) {
    case VERDICT_OK:
    case VERDICT_NOT_RUN:
        return 0;
    case VERDICT_INPUT:
        return 2;
    case VERDICT_NONDETERMINISM:
    case VERDICT_HARNESS:
        return 3;
    default:
        return 1;
    }
}

/* An internal error outweighs a violation, a violation bad input. */
int pool_exit_code(const struct pool_totals *t)
{
    static const int weight[] = {[0] = 0, [1] = 2, [2] = 1, [3] = 3};
    int worst = 0;

    for (uint32_t v = 0; v < VERDICT_COUNT; v++) {
        int code = t->n_verdicts[v] ? verdict_exit_code(v) : 0;

        if (weight[code] > weight[worst])
            worst = code;
    }
    return worst == 0 && t->interrupted ? 130 : worst;
}

static void lower_limit(struct pool_shared *shared, uint64_t limit)
{
    uint64_t now = atomic_load(&shared->limit);

    while (limit < now && !atomic_compare_exchange_weak(&shared->limit, &now, limit))
        ;
}

void tally_verdict(struct pool_shared *shared, struct worker_slot *slot, struct tally *tally,
                   const struct pool_source *source, const struct run_result *result)
{
    assert(result->verdict < VERDICT_COUNT && result->verdict != VERDICT_NOT_RUN);
    tally->n_verdicts[result->verdict]++;
    if (result->verdict == VERDICT_OK)
        return;
    if (tally->n_findings < POOL_FINDINGS_MAX)
        slot->findings[tally->n_findings] =
            (struct finding){.item = tally->next, .result = *result};
    tally->n_findings++;
    if (source->stop_at_first)
        lower_limit(shared, tally->next + 1);
}

void pool_sum(struct pool_shared *shared, uint32_t jobs, struct pool_totals *t)
{
    t->programs = t->ops = t->host_calls = t->faults = t->hash = 0;
    t->conversions = t->pages_changed = t->rechecked = 0;
    t->n_findings = 0;
    memset(t->n_verdicts, 0, sizeof(t->n_verdicts));
    for (uint32_t i = 0; i < jobs; i++) {
        const struct tally *one = tally_now(&shared->slots[i]);

        t->programs += one->programs;
        t->ops += one->ops;
        t->host_calls += one->host_calls;
        t->faults += one->faults;
        t->conversions += one->conversions;
        t->pages_changed += one->pages_changed;
        t->rechecked += one->rechecked;
        t->hash += one->hash;
        t->n_findings += one->n_findings;
        for (uint32_t v = 0; v < VERDICT_COUNT; v++)
            t->n_verdicts[v] += one->n_verdicts[v];
    }
}

/* Keeps the first ones by item. */
static uint32_t insert(struct finding *kept, uint32_t n, const struct finding *f)
{
    uint32_t at = n;

    while (at > 0 && kept[at - 1].item > f->item) {
        if (at < POOL_FINDINGS_MAX)
            kept[at] = kept[at - 1];
        at--;
    }
    if (at < POOL_FINDINGS_MAX)
        kept[at] = *f;
    return n < POOL_FINDINGS_MAX ? n + 1 : n;
}

void pool_collect(struct pool_shared *shared, uint32_t jobs, struct pool_totals *t)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < jobs; i++) {
        const struct worker_slot *slot = &shared->slots[i];
        uint32_t n = tally_now(slot)->n_findings;

        for (uint32_t j = 0; j < n && j < POOL_FINDINGS_MAX; j++)
            kept = insert(t->findings, kept, &slot->findings[j]);
    }
    assert(kept == (t->n_findings < POOL_FINDINGS_MAX ? t->n_findings : POOL_FINDINGS_MAX));
}
