/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bitmap tracker. Works a word at a time, and never looks outside the range that it was
 * asked about: the cost of a conversion follows the request, not the size of the memory.
 */
#include <assert.h>
#include <errno.h>

#include "core/page_map.h"

enum { WORD_BITS = 64 };

static bool bitmap_get(const struct page_map *map, uint64_t page)
{
    assert(page < map->n_pages);
    return map->words[page / WORD_BITS] >> (page % WORD_BITS) & 1;
}

/* The bits of the word that starts at page `base` that lie in [first, end). */
static uint64_t bits_inside(uint64_t base, uint64_t first, uint64_t end)
{
    uint64_t bits = ~UINT64_C(0);

    assert(first < base + WORD_BITS && end > base);
    if (first > base)
        bits &= ~UINT64_C(0) << (first - base);
    if (end - base < WORD_BITS)
        bits &= ~(~UINT64_C(0) << (end - base));
    return bits;
}

static void bitmap_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    assert(first < end && end <= map->n_pages);
    for (uint64_t base = first - first % WORD_BITS; base < end; base += WORD_BITS) {
        uint64_t *word = &map->words[base / WORD_BITS];
        uint64_t bits = bits_inside(base, first, end);
        uint64_t was = *word;

        *word = value ? was | bits : was & ~bits;
        if (value)
            map->n_set += (uint64_t)__builtin_popcountll(bits & ~was);
        else
            map->n_set -= (uint64_t)__builtin_popcountll(bits & was);
    }
    assert(map->n_set <= map->n_pages);
}

/* The first page of [first, end) with this value, or `end`. */
static uint64_t find(const struct page_map *map, uint64_t first, uint64_t end, bool value)
{
    uint64_t flip = value ? 0 : ~UINT64_C(0);
    uint64_t i = first / WORD_BITS;
    uint64_t bits = (map->words[i] ^ flip) & ~UINT64_C(0) << (first % WORD_BITS);

    while (!bits) {
        if (++i * WORD_BITS >= end)
            return end;
        bits = map->words[i] ^ flip;
    }
    uint64_t page = i * WORD_BITS + (uint64_t)__builtin_ctzll(bits);
    return page < end ? page : end;
}

static bool bitmap_next_run(const struct page_map *map, uint64_t first, uint64_t end,
                            bool value, uint64_t *run_first, uint64_t *run_end)
{
    assert(first < end && end <= map->n_pages);
    if (value && map->n_set == 0)
        return false;
    uint64_t start = find(map, first, end, value);
    if (start == end)
        return false;
    *run_first = start;
    *run_end = start + 1 < end ? find(map, start + 1, end, !value) : end;
    assert(*run_first < *run_end);
    return true;
}

static uint64_t bitmap_word(const struct page_map *map, uint64_t page)
{
    assert(page % WORD_BITS == 0);
    return page < map->n_pages ? map->words[page / WORD_BITS] : 0;
}

static void bitmap_destroy(struct page_map *map, const struct host *host)
{
    if (map->words != map->words_inside)
        host_free(host, map->words);
}

static const struct page_map_ops bitmap_ops = {
    .get = bitmap_get,
    .set = bitmap_set,
    .next_run = bitmap_next_run,
    .word = bitmap_word,
    .destroy = bitmap_destroy,
};

int page_map_init_bitmap(struct page_map *map, const struct host *host, uint64_t n_pages)
{
    uint64_t n_words = n_pages / WORD_BITS + (n_pages % WORD_BITS != 0);

    assert(n_pages > 0);
    *map = (struct page_map){.ops = &bitmap_ops, .n_pages = n_pages};
    map->words = map->words_inside;
    if (n_words > PAGE_MAP_WORDS_INSIDE)
        map->words = host_alloc(host, n_words * sizeof map->words[0]);
    return map->words ? 0 : -ENOMEM;
}
