/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds pages: anonymous memory, a memfd, a guest_memfd. Pages sit in chunks of 64, found
 * by a small hash of the chunk number, so the size of the file costs nothing. A word of bits
 * tells which pages of a chunk are there.
 */
#include "sim/world.h"

enum { CHUNK_SHIFT = 6, CHUNK_PAGES = 1 << CHUNK_SHIFT, BUCKETS_FIRST = 2 };

struct backing_chunk {
    struct backing_chunk *next;
    uint64_t number;
    uint64_t present;
    uint32_t frames[CHUNK_PAGES];
};

static uint32_t bucket_of(const struct backing *b, uint64_t number)
{
    uint64_t hash = number * 0x9e3779b97f4a7c15ull;

    assert(b->n_chunk_buckets && !(b->n_chunk_buckets & (b->n_chunk_buckets - 1)));
    return (uint32_t)((number ^ hash >> 40) & (b->n_chunk_buckets - 1));
}

static struct backing_chunk *chunk_find(const struct backing *b, uint64_t number)
{
    struct backing_chunk *c = b->first_chunk;

    if (c && c->number == number) /* small files have no other */
        return c;
    if (!b->n_chunk_buckets)
        return NULL;
    c = b->chunks[bucket_of(b, number)];
    while (c && c->number != number)
        c = c->next;
    return c;
}

static int buckets_grow(struct sim_world *w, struct backing *b)
{
    uint32_t old_n = b->n_chunk_buckets, n = old_n ? 4 * old_n : BUCKETS_FIRST;
    struct backing_chunk **old = b->chunks;
    struct backing_chunk **table = arena_alloc(w->arena, n * sizeof(struct backing_chunk *));

    assert(n > old_n);
    if (!table)
        return -ENOMEM;
    b->chunks = table;
    b->n_chunk_buckets = n;
    for (uint32_t i = 0; i < old_n; i++) {
        while (old[i]) {
            struct backing_chunk *c = old[i];
            uint32_t bucket = bucket_of(b, c->number);
            old[i] = c->next;
            c->next = table[bucket];
            table[bucket] = c;
        }
    }
    arena_free(w->arena, old);
    return 0;
}

static struct backing_chunk *chunk_get(struct sim_world *w, struct backing *b, uint64_t number)
{
    struct backing_chunk *c = chunk_find(b, number);
    uint32_t bucket;

    if (c)
        return c;
    if (b->n_chunks >= 2 * b->n_chunk_buckets && buckets_grow(w, b) != 0)
        return NULL;
    c = arena_alloc(w->arena, sizeof(*c));
    if (!c)
        return NULL;
    bucket = bucket_of(b, number);
    c->number = number;
    c->next = b->chunks[bucket];
    b->chunks[bucket] = c;
    if (!b->first_chunk)
        b->first_chunk = c;
    b->n_chunks++;
    return c;
}

struct backing *backing_new(struct sim_world *w, enum backing_kind kind, uint64_t n_pages)
{
    struct backing *b = arena_alloc(w->arena, sizeof(*b));

    if (!b)
        return NULL;
    b->kind = (uint8_t)kind;
    b->id = w->next_backing_id++;
    b->refs = 1;
    b->n_pages = n_pages;
    return b;
}

void backing_get(struct backing *b)
{
    assert(b->refs > 0 && b->refs < UINT32_MAX);
    b->refs++;
}

/* Drops the pages of a chunk that the mask names. */
static bool chunk_drop(struct sim_world *w, struct backing_chunk *c, uint64_t mask)
{
    uint64_t left = c->present & mask;

    if (!left)
        return false;
    c->present &= ~mask;
    while (left) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        assert(c->frames[i] != 0);
        frame_disown(w, c->frames[i]);
        c->frames[i] = 0;
        left &= left - 1;
    }
    return true;
}

void backing_put(struct sim_world *w, struct backing *b)
{
    assert(b->refs > 0);
    if (--b->refs)
        return;
    if (b->kind == BACKING_GMEM)
        gmem_release(w, b);
    for (uint32_t i = 0; i < b->n_chunk_buckets; i++) {
        while (b->chunks[i]) {
            struct backing_chunk *c = b->chunks[i];
            chunk_drop(w, c, UINT64_MAX);
            b->chunks[i] = c->next;
            arena_free(w->arena, c);
        }
    }
    page_runs_free(w, &b->private_pages);
    arena_free(w->arena, b->chunks);
    arena_free(w->arena, b);
}

const uint32_t *backing_frames(const struct backing *b, uint64_t page, uint64_t *n)
{
    const struct backing_chunk *c = chunk_find(b, page >> CHUNK_SHIFT);
    uint64_t in_chunk = CHUNK_PAGES - (page & (CHUNK_PAGES - 1));

    assert(b->refs > 0 && *n > 0);
    if (*n > in_chunk)
        *n = in_chunk;
    return c ? &c->frames[page & (CHUNK_PAGES - 1)] : NULL;
}

uint32_t backing_frame(const struct backing *b, uint64_t page)
{
    const struct backing_chunk *c = chunk_find(b, page >> CHUNK_SHIFT);

    assert(b->refs > 0);
    return c ? c->frames[page & (CHUNK_PAGES - 1)] : 0;
}

/* A hole is filled; 0: no memory. */
static uint32_t fill(struct sim_world *w, struct backing *b, uint64_t page)
{
    unsigned i = (unsigned)(page & (CHUNK_PAGES - 1));
    struct backing_chunk *c;

    assert(b->refs > 0 && page < b->n_pages);
    c = chunk_get(w, b, page >> CHUNK_SHIFT);
    if (!c)
        return 0;
    if (c->frames[i])
        return c->frames[i];
    c->frames[i] = frame_new(w);
    if (!c->frames[i])
        return 0;
    c->present |= 1ull << i;
    return c->frames[i];
}

/* The whole huge page that a page lies in, or nothing of it. */
static uint32_t fill_huge(struct sim_world *w, struct backing *b, uint64_t page)
{
    uint64_t first = page - page % b->huge_pages;

    assert(b->n_pages % b->huge_pages == 0);
    for (uint64_t i = 0; i < b->huge_pages; i++)
        if (!fill(w, b, first + i)) {
            backing_punch(w, b, first, b->huge_pages);
            return 0;
        }
    journal_backing(w, b, first, b->huge_pages);
    return backing_frame(b, page);
}

uint32_t backing_fault(struct sim_world *w, struct backing *b, uint64_t page)
{
    uint32_t frame = backing_frame(b, page);

    assert(page < b->n_pages);
    if (frame)
        return frame;
    if (b->huge_pages)
        return fill_huge(w, b, page);
    frame = fill(w, b, page);
    if (frame)
        journal_backing(w, b, page, 1);
    return frame;
}

/* The pages of [first, end) that chunk `number` has, as bits. */
static uint64_t chunk_mask(uint64_t number, uint64_t first, uint64_t end)
{
    uint64_t base = number << CHUNK_SHIFT, mask = UINT64_MAX;

    assert(first < end);
    if (end <= base || first >= base + CHUNK_PAGES)
        return 0;
    if (first > base)
        mask <<= first - base;
    if (end - base < CHUNK_PAGES)
        mask &= (1ull << (end - base)) - 1;
    return mask;
}

void backing_punch(struct sim_world *w, struct backing *b, uint64_t first, uint64_t n)
{
    uint64_t end = n > UINT64_MAX - first ? UINT64_MAX : first + n;
    uint64_t c_first = first >> CHUNK_SHIFT, c_last = (end - 1) >> CHUNK_SHIFT;
    bool dropped = false;

    assert(b->refs > 0 && (!b->huge_pages || (first | n) % b->huge_pages == 0));
    if (!n || !b->n_chunks)
        return;
    if (c_last - c_first < b->n_chunks) {
        for (uint64_t number = c_first; number <= c_last; number++) {
            struct backing_chunk *c = chunk_find(b, number);
            if (c)
                dropped |= chunk_drop(w, c, chunk_mask(number, first, end));
        }
    } else {
        for (uint32_t i = 0; i < b->n_chunk_buckets; i++)
            for (struct backing_chunk *c = b->chunks[i]; c; c = c->next)
                dropped |= chunk_drop(w, c, chunk_mask(c->number, first, end));
    }
    if (dropped)
        journal_backing(w, b, first, end - first);
}
