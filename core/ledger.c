/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ledger.h"

#include <assert.h>

/* Tags of a run. Without WHOLE each of its pages is a mapping. */
enum { WHOLE = 1, DOUBTFUL = 2 };

int ledger_reserve(struct ledger *l, const struct host *host, uint32_t more)
{
    int rc = run_tree_grow(&l->tree, host, l->reserved + more);

    if (rc)
        return rc;
    l->reserved += more;
    assert(l->reserved <= run_tree_n_free(&l->tree));
    return 0;
}

void ledger_release(struct ledger *l, uint32_t less)
{
    assert(l->reserved >= less);
    l->reserved -= less;
}

static uint32_t find(const struct ledger *l, uint64_t page)
{
    return run_tree_find(&l->tree, page);
}

static uint64_t mappings_of(const struct run_node *run)
{
    return run->tag & WHOLE ? 1 : run->end - run->first;
}

/* A run of single pages that nobody doubts. */
static bool takes_pages(const struct ledger *l, uint32_t i)
{
    return i && l->tree.nodes[i].tag == 0;
}

/* A mapping of one page joins such a run beside it; a larger one is a run of its own. */
void ledger_add(struct ledger *l, uint64_t first, uint64_t end)
{
    struct run_tree *t = &l->tree;
    uint32_t left = find(l, first ? first - 1 : 0), next = left;
    bool single = end - first == 1;

    if (left && t->nodes[left].end <= first)
        next = find(l, first);
    else
        left = 0;
    assert(first < end && (!next || t->nodes[next].first >= end));
    l->n_pages += end - first;
    l->n_mappings++;
    if (single && takes_pages(l, next) && t->nodes[next].first == end) {
        end = t->nodes[next].end;
        run_tree_remove(t, next);
    }
    if (single && takes_pages(l, left))
        run_tree_set_end(t, left, end);
    else
        run_tree_insert(t, first, end, single ? 0 : WHOLE);
}

/* A mapping of one page that comes of it is a single page like any other. */
void ledger_cut(struct ledger *l, uint64_t page)
{
    uint32_t i = find(l, page);
    struct run_node *head = &l->tree.nodes[i], tail;

    if (i == 0 || head->first >= page)
        return;
    tail = *head;
    l->n_mappings -= mappings_of(head);
    tail.first = page;
    run_tree_set_end(&l->tree, i, page);
    head->tag &= head->end - head->first > 1 ? ~0u : ~(unsigned)WHOLE;
    tail.tag &= tail.end - tail.first > 1 ? ~0u : ~(unsigned)WHOLE;
    l->n_mappings += mappings_of(head) + mappings_of(&tail);
    run_tree_insert(&l->tree, tail.first, tail.end, tail.tag);
}

/* A run that reaches into the range loses what lies in it: single pages. */
static void shorten(struct ledger *l, uint32_t i, uint64_t first, uint64_t end)
{
    struct run_node run = l->tree.nodes[i];
    uint64_t less = (run.end < end ? run.end : end) - (run.first > first ? run.first : first);

    assert(!(run.tag & WHOLE) && (run.first < first || run.end > end));
    l->n_pages -= less;
    l->n_mappings -= less;
    if (run.first < first)
        run_tree_set_end(&l->tree, i, first);
    else
        run_tree_remove(&l->tree, i);
    if (run.end > end)
        run_tree_insert(&l->tree, end, run.end, run.tag);
}

void ledger_remove(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i;

    assert(first < end);
    while ((i = find(l, first)) && l->tree.nodes[i].first < end) {
        const struct run_node *run = &l->tree.nodes[i];

        if (run->first < first || run->end > end) {
            shorten(l, i, first, end);
            continue;
        }
        l->n_pages -= run->end - run->first;
        l->n_mappings -= mappings_of(run);
        run_tree_remove(&l->tree, i);
    }
}

void ledger_doubt(struct ledger *l, uint64_t first, uint64_t end)
{
    uint32_t i;

    assert(first < end);
    ledger_cut(l, first);
    ledger_cut(l, end);
    for (; (i = find(l, first)) && l->tree.nodes[i].first < end; first = l->tree.nodes[i].end)
        l->tree.nodes[i].tag |= DOUBTFUL;
}

void ledger_trust(struct ledger *l, uint64_t first)
{
    struct run_node *run = &l->tree.nodes[find(l, first)];

    assert(run->first == first && (run->tag & DOUBTFUL));
    if (run->tag & WHOLE) {
        run->tag &= ~(unsigned)DOUBTFUL;
        return;
    }
    ledger_remove(l, first, first + 1);
    ledger_add(l, first, first + 1);
}

bool ledger_next_doubt(const struct ledger *l, uint64_t first, uint64_t end,
                       uint64_t *mapping_first, uint64_t *mapping_end)
{
    struct ledger_run run;

    assert(first < end);
    while (first < end && ledger_next(l, first, &run) && run.first < end) {
        if (run.doubtful)
            return ledger_find(l, run.first > first ? run.first : first, mapping_first,
                               mapping_end);
        first = run.end;
    }
    return false;
}

uint64_t ledger_count(const struct ledger *l, uint64_t first, uint64_t end)
{
    uint64_t n = 0, pos = first;
    uint32_t i;

    assert(first < end);
    for (; (i = find(l, pos)) && l->tree.nodes[i].first < end; pos = l->tree.nodes[i].end) {
        const struct run_node *run = &l->tree.nodes[i];

        n += (run->end < end ? run->end : end) - (run->first > first ? run->first : first);
        if (run->end >= end)
            break;
    }
    return n;
}

bool ledger_find(const struct ledger *l, uint64_t page, uint64_t *mapping_first,
                 uint64_t *mapping_end)
{
    uint32_t i = find(l, page);
    const struct run_node *run = &l->tree.nodes[i];

    if (i == 0 || run->first > page)
        return false;
    *mapping_first = run->tag & WHOLE ? run->first : page;
    *mapping_end = run->tag & WHOLE ? run->end : page + 1;
    return true;
}

bool ledger_next_gap(const struct ledger *l, uint64_t first, uint64_t end, uint64_t *gap_first,
                     uint64_t *gap_end)
{
    uint32_t i;

    assert(first < end);
    while ((i = find(l, first)) && l->tree.nodes[i].first <= first && first < end)
        first = l->tree.nodes[i].end;
    if (first >= end)
        return false;
    *gap_first = first;
    *gap_end = i && l->tree.nodes[i].first < end ? l->tree.nodes[i].first : end;
    return true;
}

bool ledger_next(const struct ledger *l, uint64_t page, struct ledger_run *run)
{
    uint32_t i = find(l, page);

    if (i == 0)
        return false;
    const struct run_node *node = &l->tree.nodes[i];
    *run = (struct ledger_run){node->first, node->end, node->tag & WHOLE, node->tag & DOUBTFUL};
    return true;
}

void ledger_clear(struct ledger *l)
{
    run_tree_clear(&l->tree);
    l->n_pages = 0;
    l->n_mappings = 0;
}

void ledger_destroy(struct ledger *l, const struct host *host)
{
    assert(l->reserved == 0);
    run_tree_destroy(&l->tree, host);
}
