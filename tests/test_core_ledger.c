/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger against a plain array of booleans. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/ledger.h"

enum { PAGES = 80 };

static const struct host host = {&host_libc_ops, NULL};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Of each page: in which mapping it lies, by a number of its own, 0: in none. */
struct shadow {
    unsigned mapping[PAGES];
    unsigned n;
};

/* The first difference of a page's mapping, or NULL. */
static const char *compare_mapping(const struct ledger *l, const struct shadow *s,
                                   uint64_t page)
{
    uint64_t first, end, a = page, b = page;

    if (ledger_find(l, page, &first, &end) != (s->mapping[page] != 0))
        return "find";
    if (!s->mapping[page])
        return NULL;
    while (a > 0 && s->mapping[a - 1] == s->mapping[page])
        a--;
    while (b < PAGES && s->mapping[b] == s->mapping[page])
        b++;
    return first != a || end != b ? "bounds" : NULL;
}

/* The first difference, or NULL. */
static const char *compare(const struct ledger *l, const struct shadow *s, uint64_t first,
                           uint64_t end)
{
    uint64_t n = 0, from, to, a = first, b;

    for (uint64_t i = first; i < end; i++)
        n += s->mapping[i] != 0;
    if (ledger_count(l, first, end) != n)
        return "count";
    while (a < end && s->mapping[a])
        a++;
    if (ledger_next_gap(l, first, end, &from, &to) != (a < end))
        return "next_gap finds one";
    for (b = a; b < end && !s->mapping[b];)
        b++;
    if (a < end && (from != a || to != b))
        return "next_gap";
    return compare_mapping(l, s, first);
}

static const char *well_formed(const struct ledger *l)
{
    uint64_t n = 0, mappings = 0;
    struct ledger_run run;

    uint32_t runs = 0;

    for (uint64_t pos = 0; ledger_next(l, pos, &run); pos = run.end) {
        n += run.end - run.first;
        mappings += run.whole ? 1 : run.end - run.first;
        runs++;
        if (run.first >= run.end || (run.whole && run.end - run.first == 1))
            return "empty run, or a whole page";
        if (pos > run.first)
            return "runs are not sorted";
    }
    if (runs != l->tree.n)
        return "lost a run";
    return n == l->n_pages && mappings == l->n_mappings ? NULL : "n_pages or n_mappings";
}

static void shadow_set(struct shadow *s, uint64_t first, uint64_t end, bool add)
{
    s->n++;
    for (uint64_t p = first; p < end; p++)
        s->mapping[p] = add ? s->n : 0;
}

static void deliberate_error(void **state)
{
    struct shadow s = {{0}, 0};
    struct ledger l = {0};

    (void)state;
    assert_int_equal(ledger_reserve(&l, &host, 3), 0);
    ledger_add(&l, 3, 7);
    shadow_set(&s, 3, 6, true);
    assert_string_equal(compare(&l, &s, 0, PAGES), "count");
    s.mapping[6] = 77;
    assert_string_equal(compare_mapping(&l, &s, 3), "bounds");
    l.n_mappings = 4;
    assert_string_equal(well_formed(&l), "n_pages or n_mappings");
    ledger_release(&l, 3);
    ledger_destroy(&l, &host);
}

/* Widens the range to whole mappings. */
static void widen(const struct ledger *l, uint64_t *first, uint64_t *end)
{
    uint64_t a, b;

    if (ledger_find(l, *first, &a, &b))
        *first = a;
    if (ledger_find(l, *end - 1, &a, &b))
        *end = b;
}

/* Adds and removes as a container would; each gets by with one reserved run. */
static void random_against_array(void **state)
{
    struct shadow s = {{0}, 0};
    struct ledger l = {0};
    uint32_t seed = 7, n_cuts = 0;

    (void)state;
    for (unsigned i = 0; i < 40000; i++) {
        uint64_t first = next(&seed) % PAGES;
        uint64_t most = PAGES - first < 9 ? PAGES - first : 9;
        uint64_t end = first + 1 + (next(&seed) % 2 ? 0 : next(&seed) % most);
        uint32_t n = l.tree.n;
        bool add = ledger_count(&l, first, end) == 0, cut = !add && next(&seed) % 4 == 0;

        if (!add && !cut)
            widen(&l, &first, &end);
        assert_int_equal(ledger_reserve(&l, &host, 1), 0);
        if (add) {
            ledger_add(&l, first, end);
        } else if (cut) {
            ledger_cut(&l, first);
            for (end = first + 1; end < PAGES && s.mapping[end] == s.mapping[first];)
                end++;
            add = s.mapping[first] != 0;
            n_cuts += l.n_mappings > 1;
        } else {
            ledger_remove(&l, first, end);
        }
        ledger_release(&l, 1);
        assert_true(l.tree.n <= n + 1);
        shadow_set(&s, first, end, add);
        assert_null(well_formed(&l));
        first = next(&seed) % PAGES;
        assert_null(compare(&l, &s, first, first + 1 + next(&seed) % (PAGES - first)));
    }
    assert_true(n_cuts > 100);
    ledger_destroy(&l, &host);
}

/* What an unmap whose end nobody knows leaves: larger mappings keep their bounds. */
static void doubt_and_trust(void **state)
{
    struct ledger l = {0};
    struct ledger_run run = {0};
    uint64_t first = 0, end = 0;

    (void)state;
    assert_int_equal(ledger_reserve(&l, &host, 9), 0);
    ledger_add(&l, 0, 1);
    ledger_add(&l, 1, 2);
    ledger_add(&l, 2, 3);
    ledger_add(&l, 3, 7);
    ledger_add(&l, 7, 8);
    ledger_add(&l, 8, 12);
    assert_false(ledger_next_doubt(&l, 0, 12, &first, &end));
    ledger_doubt(&l, 1, 8);
    assert_null(well_formed(&l));
    assert_int_equal(l.n_pages, 12);
    assert_int_equal(l.n_mappings, 6);
    assert_true(ledger_next_doubt(&l, 2, 12, &first, &end)); /* from the middle of a run */
    assert_int_equal(first, 2);
    for (uint64_t page = 1; page < 3; page++) {
        assert_true(ledger_next_doubt(&l, 0, 12, &first, &end));
        assert_int_equal(first, page);
        assert_int_equal(end, page + 1);
        ledger_trust(&l, page);
        assert_null(well_formed(&l));
    }
    assert_true(ledger_next(&l, 0, &run));
    assert_int_equal(run.end, 3); /* they join what was never in doubt */
    assert_true(ledger_next_doubt(&l, 0, 12, &first, &end));
    assert_int_equal(first, 3);
    assert_int_equal(end, 7);
    assert_true(ledger_next_doubt(&l, 5, 6, &first, &end)); /* it reaches in */
    assert_false(ledger_next_doubt(&l, 8, 12, &first, &end));
    ledger_trust(&l, 3);
    assert_true(ledger_next_doubt(&l, 0, 12, &first, &end));
    assert_int_equal(first, 7);
    ledger_remove(&l, 7, 8);
    assert_false(ledger_next_doubt(&l, 0, 12, &first, &end));
    ledger_clear(&l);
    assert_int_equal(l.n_mappings, 0);
    ledger_release(&l, 9);
    ledger_destroy(&l, &host);
}

static void reservations_add_up(void **state)
{
    struct ledger l = {0};

    (void)state;
    assert_int_equal(ledger_reserve(&l, &host, 20), 0);
    assert_int_equal(ledger_reserve(&l, &host, 30), 0);
    assert_true(run_tree_n_free(&l.tree) >= 50);
    for (uint64_t i = 0; i < 20; i++)
        ledger_add(&l, 2 * i, 2 * i + 1);
    ledger_release(&l, 20);
    assert_int_equal(ledger_reserve(&l, &host, 20), 0);
    assert_true(run_tree_n_free(&l.tree) >= 50);
    ledger_release(&l, 50);
    ledger_destroy(&l, &host);
}

static void *no_memory(void *ctx, const char *caller, size_t size)
{
    (void)ctx, (void)caller, (void)size;
    return NULL;
}

static void reserve_fails_and_nothing_changed(void **state)
{
    struct host_ops ops = host_libc_ops;
    struct host poor = {&ops, NULL};
    struct ledger l = {0};

    (void)state;
    ops.alloc = no_memory;
    assert_int_equal(ledger_reserve(&l, &host, 1), 0);
    ledger_add(&l, 5, 6);
    assert_int_equal(ledger_reserve(&l, &poor, 1000), -ENOMEM);
    assert_int_equal(l.reserved, 1);
    assert_int_equal(ledger_count(&l, 0, 10), 1);
    ledger_release(&l, 1);
    ledger_destroy(&l, &host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/ledger/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/ledger/random-against-array", random_against_array, NULL, NULL, NULL},
        {"core/ledger/doubt-and-trust", doubt_and_trust, NULL, NULL, NULL},
        {"core/ledger/reservations-add-up", reservations_add_up, NULL, NULL, NULL},
        {"core/ledger/reserve-fails", reserve_fails_and_nothing_changed, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/ledger", tests, NULL, NULL);
}
