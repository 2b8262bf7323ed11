/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracker against a plain array of booleans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/page_map.h"

enum { PAGES_MAX = 300 };

struct shadow {
    uint64_t n;
    bool value[PAGES_MAX];
};

static const struct host host = {&host_libc_ops, NULL};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static bool shadow_next_run(const struct shadow *s, uint64_t first, uint64_t end, bool value,
                            uint64_t *run_first, uint64_t *run_end)
{
    while (first < end && s->value[first] != value)
        first++;
    *run_first = first;
    while (first < end && s->value[first] == value)
        first++;
    *run_end = first;
    return *run_first < *run_end;
}

/* The first difference between the two over one range, or NULL. */
static const char *compare_range(const struct page_map *map, const struct shadow *s,
                                 uint64_t first, uint64_t end, bool value)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    bool have = page_map_next_run(map, first, end, value, &a, &b);

    if (have != shadow_next_run(s, first, end, value, &c, &d))
        return "next_run";
    if (have && (a != c || b != d))
        return "next_run bounds";
    if (page_map_any(map, first, end, value) != have)
        return "any";
    if (page_map_all(map, first, end, value) != (have && c == first && d == end))
        return "all";
    return NULL;
}

static const char *compare(const struct page_map *map, const struct shadow *s)
{
    uint64_t set = 0;

    for (uint64_t i = 0; i < s->n; i++) {
        set += s->value[i];
        if (page_map_get(map, i) != s->value[i])
            return "get";
        if ((page_map_word(map, i - i % 64) >> (i % 64) & 1) != s->value[i])
            return "word";
    }
    return set == map->n_set ? NULL : "n_set";
}

static void shadow_set(struct shadow *s, uint64_t first, uint64_t end, bool value)
{
    for (uint64_t i = first; i < end; i++)
        s->value[i] = value;
}

static void deliberate_error(void **state)
{
    struct shadow s = {.n = 100};
    struct page_map map;

    (void)state;
    assert_int_equal(page_map_init_bitmap(&map, &host, s.n), 0);
    page_map_set(&map, 3, 70, true);
    shadow_set(&s, 3, 69, true);
    assert_non_null(compare(&map, &s));
    assert_string_equal(compare_range(&map, &s, 60, 80, true), "next_run bounds");
    assert_string_equal(compare_range(&map, &s, 69, 80, true), "next_run");
    page_map_destroy(&map, &host);
}

static void random_against_array(void **state)
{
    static const uint64_t sizes[] = {1, 2, 63, 64, 65, 127, 128, 129, 192, PAGES_MAX};

    (void)state;
    for (unsigned k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct shadow s = {.n = sizes[k]};
        struct page_map map;
        uint32_t seed = k + 1;

        assert_int_equal(page_map_init_bitmap(&map, &host, s.n), 0);
        for (unsigned i = 0; i < 2000; i++) {
            uint64_t first = next(&seed) % s.n;
            uint64_t end = first + 1 + next(&seed) % (s.n - first);
            bool value = next(&seed) & 1;

            assert_null(compare_range(&map, &s, first, end, value));
            if (i % 2)
                end = first + 1;
            page_map_set(&map, first, end, value);
            shadow_set(&s, first, end, value);
            assert_null(compare(&map, &s));
        }
        page_map_destroy(&map, &host);
    }
}

/* A query must not look outside its range: B11's cost, and the far end may be huge. */
static void all_runs_of_a_pattern(void **state)
{
    struct page_map map;
    uint64_t first, end, pos = 0, n = 0;

    (void)state;
    assert_int_equal(page_map_init_bitmap(&map, &host, PAGES_MAX), 0);
    for (uint64_t i = 0; i < PAGES_MAX; i += 10)
        page_map_set(&map, i, i + 3, true);
    while (pos < 205 && page_map_next_run(&map, pos, 205, true, &first, &end)) {
        assert_int_equal(first, n * 10);
        assert_int_equal(end, n * 10 + 3);
        pos = end;
        n++;
    }
    assert_int_equal(n, 21);
    page_map_destroy(&map, &host);
}

static void one_tebibyte(void **state)
{
    uint64_t n = UINT64_C(1) << 28, first, end;
    struct page_map map;

    (void)state;
    assert_int_equal(page_map_init_bitmap(&map, &host, n), 0);
    page_map_set(&map, n - 1, n, true);
    assert_true(page_map_get(&map, n - 1));
    assert_true(page_map_next_run(&map, n - 200, n, true, &first, &end));
    assert_int_equal(first, n - 1);
    assert_int_equal(end, n);
    page_map_destroy(&map, &host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/page-map/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/page-map/random-against-array", random_against_array, NULL, NULL, NULL},
        {"core/page-map/all-runs-of-a-pattern", all_runs_of_a_pattern, NULL, NULL, NULL},
        {"core/page-map/one-tebibyte", one_tebibyte, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/page-map", tests, NULL, NULL);
}
