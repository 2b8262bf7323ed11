/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of runs against a plain list, by node number: removed and resized without a search
 * before, so that what the last search remembers is about something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/run_tree.h"

enum { PAGES = 200, RUNS_MAX = 64 };

static const struct host host = {&host_libc_ops, NULL};

static struct {
    uint64_t first, end;
    uint32_t node;
} list[RUNS_MAX];
static uint32_t n_list, seed;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* Index of the first run that ends after the page, n_list: none. */
static uint32_t find(uint64_t page)
{
    uint32_t best = n_list;

    for (uint32_t i = 0; i < n_list; i++)
        if (list[i].end > page && (best == n_list || list[i].first < list[best].first))
            best = i;
    return best;
}

static const char *wrong(const struct run_tree *t, uint64_t page)
{
    uint32_t i = find(page), node = run_tree_find(t, page);

    if (t->n != n_list)
        return "n";
    if (i == n_list)
        return node ? "a run too many" : NULL;
    if (node != list[i].node)
        return "another run";
    return t->nodes[node].first == list[i].first && t->nodes[node].end == list[i].end &&
                   t->nodes[node].tag == (uint32_t)list[i].first
               ? NULL
               : "content";
}

static void insert(struct run_tree *t)
{
    uint64_t first = draw(PAGES), end = first + 1 + draw(4);
    uint32_t next = find(first);

    if (n_list == RUNS_MAX || (next < n_list && list[next].first < end))
        return;
    list[n_list].first = first;
    list[n_list].end = end;
    list[n_list++].node = run_tree_insert(t, first, end, (uint32_t)first);
}

static void take_out(struct run_tree *t)
{
    uint32_t i = draw(n_list);

    run_tree_remove(t, list[i].node);
    list[i] = list[--n_list];
}

/* Up to the run behind it. */
static void resize(struct run_tree *t)
{
    uint32_t i = draw(n_list), next = find(list[i].end);
    uint64_t limit = next < n_list ? list[next].first : PAGES + 10;

    list[i].end = list[i].first + 1 + draw((uint32_t)(limit - list[i].first));
    run_tree_set_end(t, list[i].node, list[i].end);
}

static void random_against_list(void **state)
{
    struct run_tree t = {.nodes = NULL};

    (void)state;
    seed = 1;
    n_list = 0;
    assert_int_equal(run_tree_grow(&t, &host, RUNS_MAX), 0);
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t x = draw(5);

        if (x < 2)
            insert(&t);
        else if (n_list && x == 2)
            take_out(&t);
        else if (n_list && x == 3)
            resize(&t);
        assert_null(wrong(&t, draw(PAGES + 20)));
        assert_null(wrong(&t, draw(PAGES + 20)));
    }
    run_tree_clear(&t);
    n_list = 0;
    assert_null(wrong(&t, 0));
    run_tree_destroy(&t, &host);
}

static void deliberate_error(void **state)
{
    struct run_tree t = {.nodes = NULL};

    (void)state;
    n_list = 0;
    assert_int_equal(run_tree_grow(&t, &host, 2), 0);
    list[n_list].first = 3;
    list[n_list].end = 5;
    list[n_list++].node = run_tree_insert(&t, 3, 5, 3);
    assert_null(wrong(&t, 0));
    run_tree_set_end(&t, list[0].node, 6);
    assert_string_equal(wrong(&t, 0), "content");
    run_tree_remove(&t, list[0].node);
    assert_string_equal(wrong(&t, 0), "n");
    run_tree_destroy(&t, &host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/run-tree/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/run-tree/random-against-list", random_against_list, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/run-tree", tests, NULL, NULL);
}
