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

/* The first difference, or NULL. */
static const char *compare(const struct ledger *l, const bool *array, uint64_t first,
                           uint64_t end)
{
    uint64_t n = 0, from, to, a = first, b;
    bool what = array[first];

    for (uint64_t i = first; i < end; i++)
        n += array[i];
    if (ledger_count(l, first, end) != n)
        return "count";
    while (a < end && array[a] == what)
        a++;
    if (!ledger_next_run(l, first, end, what, &from, &to) || from != first || to != a)
        return "next_run of the first kind";
    for (b = a; b < end && array[b] != what;)
        b++;
    if (ledger_next_run(l, first, end, !what, &from, &to) != (a < end))
        return "next_run finds the other kind";
    return a < end && (from != a || to != b) ? "next_run of the other kind" : NULL;
}

static const char *well_formed(const struct ledger *l)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < l->n; i++) {
        n += l->runs[i].end - l->runs[i].first;
        if (l->runs[i].first >= l->runs[i].end)
            return "empty run";
        if (i && l->runs[i - 1].end >= l->runs[i].first)
            return "runs touch or are not sorted";
    }
    return n == l->n_pages ? NULL : "n_pages";
}

static void deliberate_error(void **state)
{
    bool array[PAGES] = {false};
    struct ledger l = {0};

    (void)state;
    assert_int_equal(ledger_reserve(&l, &host, 3), 0);
    ledger_add(&l, 3, 7);
    array[3] = array[4] = array[5] = true;
    assert_string_equal(compare(&l, array, 0, PAGES), "count");
    l.n_pages = 1;
    assert_string_equal(well_formed(&l), "n_pages");
    ledger_release(&l, 3);
    ledger_destroy(&l, &host);
}

/* Adds and removes as a container would; each gets by with one reserved run. */
static void random_against_array(void **state)
{
    bool array[PAGES] = {false};
    struct ledger l = {0};
    uint32_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t first = next(&seed) % PAGES;
        uint64_t end = first + 1 + next(&seed) % (PAGES - first < 9 ? PAGES - first : 9);
        uint32_t n = l.n;
        bool add = ledger_count(&l, first, end) == 0;

        assert_int_equal(ledger_reserve(&l, &host, 1), 0);
        if (add)
            ledger_add(&l, first, end);
        else
            ledger_remove(&l, first, end);
        ledger_release(&l, 1);
        assert_true(l.n <= n + 1);
        for (uint64_t p = first; p < end; p++)
            array[p] = add;
        assert_null(well_formed(&l));
        first = next(&seed) % PAGES;
        assert_null(compare(&l, array, first, first + 1 + next(&seed) % (PAGES - first)));
    }
    ledger_destroy(&l, &host);
}

static void reservations_add_up(void **state)
{
    struct ledger l = {0};

    (void)state;
    assert_int_equal(ledger_reserve(&l, &host, 20), 0);
    assert_int_equal(ledger_reserve(&l, &host, 30), 0);
    assert_true(l.capacity >= 50);
    for (uint64_t i = 0; i < 20; i++)
        ledger_add(&l, 2 * i, 2 * i + 1);
    ledger_release(&l, 20);
    assert_int_equal(ledger_reserve(&l, &host, 20), 0);
    assert_true(l.capacity >= 20 + 50);
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
        {"core/ledger/reservations-add-up", reservations_add_up, NULL, NULL, NULL},
        {"core/ledger/reserve-fails", reserve_fails_and_nothing_changed, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/ledger", tests, NULL, NULL);
}
