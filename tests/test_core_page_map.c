/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trackers against a plain array of booleans. Each test reserves what a change may need
 * and no more, so that a tracker that takes more than it says stops the test.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/page_map.h"

static enum vmm_tracker tracker;

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

/* With a reservation for one run more, as every change of one run may need. */
static void map_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    assert_int_equal(page_map_reserve(map, &host, 1), 0);
    page_map_set(map, first, end, value);
    page_map_release(map);
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
    assert_int_equal(page_map_init(&map, &host, tracker, s.n), 0);
    map_set(&map, 3, 70, true);
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

        assert_int_equal(page_map_init(&map, &host, tracker, s.n), 0);
        for (unsigned i = 0; i < 2000; i++) {
            uint64_t first = next(&seed) % s.n;
            uint64_t end = first + 1 + next(&seed) % (s.n - first);
            bool value = next(&seed) & 1;

            assert_null(compare_range(&map, &s, first, end, value));
            if (i % 2)
                end = first + 1;
            map_set(&map, first, end, value);
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
    assert_int_equal(page_map_init(&map, &host, tracker, PAGES_MAX), 0);
    for (uint64_t i = 0; i < PAGES_MAX; i += 10)
        map_set(&map, i, i + 3, true);
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
    assert_int_equal(page_map_init(&map, &host, tracker, n), 0);
    map_set(&map, n - 1, n, true);
    assert_true(page_map_get(&map, n - 1));
    assert_true(page_map_next_run(&map, n - 200, n, true, &first, &end));
    assert_int_equal(first, n - 1);
    assert_int_equal(end, n);
    page_map_destroy(&map, &host);
}

/* A tracker that reserves once, for a whole request: n runs more at most, of any shape. */
static void one_reservation_for_a_request(void **state)
{
    struct shadow s = {.n = PAGES_MAX};
    struct page_map map;

    (void)state;
    assert_int_equal(page_map_init(&map, &host, tracker, s.n), 0);
    for (uint64_t n = 1; n <= 100; n++) {
        assert_int_equal(page_map_reserve(&map, &host, n), 0);
        for (uint64_t i = 0; i < n; i++) {
            page_map_set(&map, i * 3, i * 3 + 1, true);
            shadow_set(&s, i * 3, i * 3 + 1, true);
        }
        assert_null(compare(&map, &s));
        assert_int_equal(page_map_runs(&map, 0, s.n, true), n);
        page_map_set(&map, 0, s.n, false);
        shadow_set(&s, 0, s.n, false);
        page_map_release(&map);
        assert_null(compare(&map, &s));
    }
    page_map_destroy(&map, &host);
}

/* Both trackers, the same changes and questions. */
static void trackers_agree(void **state)
{
    struct page_map bitmap, extents;
    uint32_t seed = 7;

    (void)state;
    assert_int_equal(page_map_init_bitmap(&bitmap, &host, PAGES_MAX), 0);
    assert_int_equal(page_map_init_extents(&extents, &host, PAGES_MAX), 0);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t first = next(&seed) % PAGES_MAX, a = 0, b = 0, c = 0, d = 0;
        uint64_t left = PAGES_MAX - first;
        uint64_t end =
            first + 1 + next(&seed) % (next(&seed) % 4 ? (left < 9 ? left : 9) : left);
        bool value = next(&seed) & 1;

        map_set(&bitmap, first, end, value);
        map_set(&extents, first, end, value);
        assert_int_equal(bitmap.n_set, extents.n_set);
        for (uint64_t page = 0; page < PAGES_MAX; page += 64)
            assert_int_equal(page_map_word(&bitmap, page), page_map_word(&extents, page));
        first = next(&seed) % PAGES_MAX;
        value = next(&seed) & 1;
        assert_int_equal(page_map_next_run(&bitmap, first, PAGES_MAX, value, &a, &b),
                         page_map_next_run(&extents, first, PAGES_MAX, value, &c, &d));
        assert_int_equal(a, c);
        assert_int_equal(b, d);
    }
    page_map_destroy(&bitmap, &host);
    page_map_destroy(&extents, &host);
}

static bool same_shape(const struct page_map *x, uint32_t i, const struct page_map *y,
                       uint32_t j)
{
    const struct run_node *e = &x->tree.nodes[i], *f = &y->tree.nodes[j];

    if (!i || !j)
        return i == j;
    return e->first == f->first && e->end == f->end &&
           same_shape(x, e->child[0], y, f->child[0]) &&
           same_shape(x, e->child[1], y, f->child[1]);
}

static unsigned depth(const struct page_map *map, uint32_t i)
{
    unsigned left, right;

    if (!i)
        return 0;
    left = depth(map, map->tree.nodes[i].child[0]);
    right = depth(map, map->tree.nodes[i].child[1]);
    return 1 + (left > right ? left : right);
}

/* Ascending, descending, or in pieces that were whole before: one tree. */
static void content_decides_the_shape(void **state)
{
    enum { RUNS = 1000 };
    struct page_map up, down, carved;

    (void)state;
    assert_int_equal(page_map_init_extents(&up, &host, 2 * RUNS), 0);
    assert_int_equal(page_map_init_extents(&down, &host, 2 * RUNS), 0);
    assert_int_equal(page_map_init_extents(&carved, &host, 2 * RUNS), 0);
    map_set(&carved, 0, 2 * RUNS, true);
    for (uint64_t i = 0; i < RUNS; i++) {
        uint64_t k = RUNS - 1 - i;

        map_set(&up, 2 * i, 2 * i + 1, true);
        map_set(&down, 2 * k, 2 * k + 1, true);
        map_set(&carved, 2 * k + 1, 2 * k + 2, false);
        assert_int_equal(same_shape(&up, up.tree.root, &down, down.tree.root), i == RUNS - 1);
    }
    assert_true(same_shape(&up, up.tree.root, &carved, carved.tree.root));
    assert_in_range(depth(&up, up.tree.root), 10, 40); /* 10 would be perfect */
    page_map_destroy(&up, &host);
    page_map_destroy(&down, &host);
    page_map_destroy(&carved, &host);
}

/* All pages at once, both ways: nobody has to reserve for that. */
static void all_pages_need_no_room(void **state)
{
    struct page_map map;

    (void)state;
    assert_int_equal(page_map_init(&map, &host, tracker, PAGES_MAX), 0);
    page_map_set(&map, 0, PAGES_MAX, true);
    assert_int_equal(map.n_set, PAGES_MAX);
    map_set(&map, 5, 9, false);
    page_map_set(&map, 0, PAGES_MAX, true);
    assert_true(page_map_all(&map, 0, PAGES_MAX, true));
    page_map_set(&map, 0, PAGES_MAX, false);
    assert_int_equal(map.n_set, 0);
    assert_int_equal(page_map_reserve(&map, &host, 1), 0);
    page_map_release(&map);
    page_map_set(&map, 0, PAGES_MAX, true);
    page_map_destroy(&map, &host);
    assert_int_equal(page_map_init(&map, &host, tracker, PAGES_MAX), 0);
    page_map_set(&map, 0, PAGES_MAX, true); /* at once */
    page_map_destroy(&map, &host);
}

/* So many words that a number of bits that is off by one leads to another word. */
static void words(void **state)
{
    enum { PAGES = 64 * 130 + 20 };
    struct page_map map;
    uint32_t seed = 3;

    (void)state;
    assert_int_equal(page_map_init(&map, &host, tracker, PAGES), 0);
    for (int i = 0; i < 300; i++) {
        uint64_t first = next(&seed) % (PAGES - 80);

        map_set(&map, first, first + 1 + next(&seed) % 80, next(&seed) % 3);
    }
    map_set(&map, PAGES - 5, PAGES, true);
    for (uint64_t page = 0; page < PAGES; page += 64)
        for (uint64_t bit = 0; bit < 64; bit++)
            if ((page_map_word(&map, page) >> bit & 1) !=
                (page + bit < PAGES && page_map_get(&map, page + bit)))
                fail_msg("page %llu", (unsigned long long)(page + bit));
    assert_true(page_map_word(&map, PAGES + 64 - PAGES % 64) == 0);
    page_map_destroy(&map, &host);
}

static void *no_alloc(void *ctx, const char *caller, size_t size)
{
    (void)ctx, (void)caller, (void)size;
    return NULL;
}

static void no_free(void *ctx, void *memory)
{
    (void)ctx;
    assert_null(memory);
}

/* Without memory a reservation fails and changes nothing; what is there still works. */
static void no_memory(void **state)
{
    static const struct host_ops none = {.alloc = no_alloc, .free = no_free};
    const struct host poor = {&none, NULL};
    struct page_map map;

    (void)state;
    assert_int_equal(page_map_init(&map, &poor, VMM_TRACKER_BITMAP, 129), -ENOMEM);
    page_map_destroy(&map, &poor);
    assert_int_equal(page_map_init(&map, &poor, VMM_TRACKER_BITMAP, 128), 0);
    page_map_destroy(&map, &poor);
    assert_int_equal(page_map_init(&map, &poor, VMM_TRACKER_EXTENTS, 1), -ENOMEM);
    page_map_destroy(&map, &poor);
    assert_int_equal(page_map_init(&map, &host, VMM_TRACKER_EXTENTS, 129), 0);
    assert_int_equal(page_map_reserve(&map, &host, 1), 0);
    page_map_set(&map, 5, 7, true);
    assert_int_equal(page_map_reserve(&map, &poor, 1000), -ENOMEM);
    assert_int_equal(map.ceiling, 2);
    page_map_release(&map);
    assert_true(page_map_all(&map, 5, 7, true));
    assert_int_equal(map.n_set, 2);
    page_map_destroy(&map, &host);
}

static int with_bitmap(void **state)
{
    (void)state;
    tracker = VMM_TRACKER_BITMAP;
    return 0;
}

static int with_extents(void **state)
{
    (void)state;
    tracker = VMM_TRACKER_EXTENTS;
    return 0;
}

int main(void)
{
#define BOTH(name, fn)                                                                         \
    {"core/page-map/" name "/bitmap", fn, with_bitmap, NULL, NULL},                            \
    {                                                                                          \
        "core/page-map/" name "/extents", fn, with_extents, NULL, NULL                         \
    }
    const struct CMUnitTest tests[] = {
        BOTH("words", words),
        BOTH("deliberate-error", deliberate_error),
        BOTH("random-against-array", random_against_array),
        BOTH("all-runs-of-a-pattern", all_runs_of_a_pattern),
        BOTH("one-tebibyte", one_tebibyte),
        BOTH("all-pages-need-no-room", all_pages_need_no_room),
        BOTH("one-reservation-for-a-request", one_reservation_for_a_request),
        {"core/page-map/trackers-agree", trackers_agree, NULL, NULL, NULL},
        {"core/page-map/content-decides-the-shape", content_decides_the_shape, NULL, NULL,
         NULL},
        {"core/page-map/no-memory", no_memory, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/page-map", tests, NULL, NULL);
}
