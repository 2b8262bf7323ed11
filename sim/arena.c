/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks lie one after another, each behind a header, so that the arena can be walked. A freed
 * block goes to the list of its size class. Memory beyond `used` is zero, always; memory on a
 * free list is zeroed when it is handed out again.
 */
#include "sim/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sim/sim.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif
#ifndef ARENA_ASAN
#define ARENA_ASAN 0
#endif

#if ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define NO_ASAN        __attribute__((no_sanitize_address))
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define NO_ASAN
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum {
    UNIT = 16,
    SMALL_UNITS = 32, /* up to here every number of units is a class of its own */
    N_CLASSES = 128,
    BLOCK_LIVE = 0x6c697665,
    BLOCK_FREE = 0x66726565,
};

#define ARENA_MAGIC   0x676d656d61726e61ull
#define POISON_AHEAD  ((size_t)1 << 20) /* so much of the unused rest is poisoned */
#define RESET_BY_HAND ((size_t)1 << 20) /* beyond this the kernel takes pages back */

/* In front of every block. The block's first word links it while it is free. */
struct block {
    uint64_t size;  /* asked for */
    uint32_t units; /* room, without this header */
    uint32_t state;
};

struct sim_arena {
    _Alignas(UNIT) uint64_t magic;
    size_t used;
    size_t poisoned; /* from `used` to here */
    void *free_list[N_CLASSES];
};

_Static_assert(sizeof(struct block) == UNIT, "blocks stay aligned");
_Static_assert(sizeof(struct sim_arena) % UNIT == 0, "blocks stay aligned");

/* Classes beyond the small ones: four to a doubling. */
static unsigned class_of(uint32_t *units)
{
    unsigned shift, top;

    assert(*units > 0);
    if (*units <= SMALL_UNITS)
        return *units - 1;
    top = 31 - (unsigned)__builtin_clz(*units - 1);
    shift = top - 2;
    *units = (((*units - 1) >> shift) + 1) << shift;
    return SMALL_UNITS + (top - 5) * 4 + ((*units - 1) >> shift) - 4;
}

static struct block *block_of(void *memory)
{
    assert(((uintptr_t)memory & (UNIT - 1)) == 0);
    return (struct block *)((char *)memory - sizeof(struct block));
}

static char *arena_end(const struct sim_arena *a)
{
    return (char *)(uintptr_t)SIM_ARENA_BASE + a->used;
}

/* Poisons what is beyond `used`, but only so far: the shadow of all of it would cost real
 * memory. */
static void poison_rest(struct sim_arena *a)
{
    size_t want = a->used + POISON_AHEAD;

    if (!ARENA_ASAN || a->poisoned >= a->used + POISON_AHEAD / 2)
        return;
    if (want > SIM_ARENA_SIZE)
        want = SIM_ARENA_SIZE;
    POISON(arena_end(a), want - a->used);
    a->poisoned = want;
}

void arena_reset(struct sim_arena *a)
{
    size_t old_used = a->used, used = old_used;

    assert((uintptr_t)a == SIM_ARENA_BASE);
    assert(used >= sizeof(*a) && used <= SIM_ARENA_SIZE);
    UNPOISON(a, used);
    if (used > RESET_BY_HAND) {
        size_t from = RESET_BY_HAND;
        /* The kernel gives back zeroes; a failure would only be slow, not wrong. */
        if (madvise((char *)a + from, used - from, MADV_DONTNEED) != 0)
            from = used;
        used = from;
    }
    memset(a, 0, used);
    a->magic = ARENA_MAGIC;
    a->used = sizeof(*a);
    POISON(arena_end(a), old_used - a->used);
    poison_rest(a);
}

static NO_ASAN struct block *block_new(struct sim_arena *a, uint32_t units)
{
    struct block *b = (struct block *)arena_end(a);
    size_t bytes = sizeof(*b) + (size_t)units * UNIT;

    assert(a->magic == ARENA_MAGIC);
    if (bytes > SIM_ARENA_SIZE - a->used)
        return NULL;
    b->units = units;
    a->used += bytes;
    poison_rest(a);
    return b;
}

NO_ASAN void *arena_alloc(struct sim_arena *a, size_t size)
{
    uint32_t units;
    unsigned class;
    struct block *b;
    void *memory;

    assert(a->magic == ARENA_MAGIC);
    if (SIM_ARENA_SIZE - a->used < size)
        return NULL;
    units = (uint32_t)((size + UNIT - 1) / UNIT + (size == 0));
    class = class_of(&units);
    assert(class < N_CLASSES);
    memory = a->free_list[class];
    if (memory) {
        b = block_of(memory);
        assert(b->state == BLOCK_FREE && b->units == units);
        a->free_list[class] = *(void **)memory;
        memset(memory, 0, (size_t)units * UNIT);
    } else {
        b = block_new(a, units);
        if (!b)
            return NULL;
        memory = b + 1;
    }
    b->size = size;
    b->state = BLOCK_LIVE;
    UNPOISON(memory, size);
    return memory;
}

NO_ASAN void arena_free(struct sim_arena *a, void *memory)
{
    struct block *b;
    uint32_t units;

    assert(a->magic == ARENA_MAGIC);
    if (!memory)
        return;
    b = block_of(memory);
    assert((char *)b > (char *)a && (char *)memory < arena_end(a));
    assert(b->state == BLOCK_LIVE);
    b->state = BLOCK_FREE;
    if (ARENA_ASAN) {
        POISON(memory, b->size);
        return;
    }
    units = b->units;
    *(void **)memory = a->free_list[class_of(&units)];
    a->free_list[class_of(&units)] = memory;
}

size_t arena_used(const struct sim_arena *a)
{
    assert(a->magic == ARENA_MAGIC);
    return a->used;
}

void arena_lift_poison(struct sim_arena *a, size_t size)
{
    assert((uintptr_t)a == SIM_ARENA_BASE);
    assert(size <= SIM_ARENA_SIZE);
    UNPOISON(a, size > a->used ? size : a->used);
}

/* Makes the poison say what the headers say. */
static NO_ASAN void poison_by_headers(struct sim_arena *a)
{
    char *at = (char *)(a + 1), *end = arena_end(a);

    POISON(at, (size_t)(end - at));
    while (at < end) {
        struct block *b = (struct block *)at;
        assert(b->state == BLOCK_LIVE || b->state == BLOCK_FREE);
        if (b->state == BLOCK_LIVE)
            UNPOISON(b + 1, b->size);
        at = (char *)(b + 1) + (size_t)b->units * UNIT;
    }
    assert(at == end);
    a->poisoned = 0;
    poison_rest(a);
}

void arena_restored(struct sim_arena *a, size_t old_used)
{
    assert(a->magic == ARENA_MAGIC);
    assert(a->used <= SIM_ARENA_SIZE && old_used <= SIM_ARENA_SIZE);
    if (old_used > a->used) {
        UNPOISON(arena_end(a), old_used - a->used);
        memset(arena_end(a), 0, old_used - a->used);
    }
    if (ARENA_ASAN)
        poison_by_headers(a);
}

/* Whether the mapping that is there already is ours: read through the kernel, since it may not
 * be readable. */
static bool arena_is_there(void)
{
    uint64_t magic = 0;
    struct iovec to = {&magic, sizeof(magic)};
    struct iovec from = {(void *)(uintptr_t)SIM_ARENA_BASE, sizeof(magic)};

    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)sizeof(magic))
        return false;
    return magic == ARENA_MAGIC;
}

struct sim_arena *sim_arena_get(void)
{
    struct sim_arena *a = (struct sim_arena *)(uintptr_t)SIM_ARENA_BASE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *p = mmap(a, SIM_ARENA_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (p == MAP_FAILED)
        return errno == EEXIST && arena_is_there() ? a : NULL;
    if (p != a) { /* a kernel that does not know MAP_FIXED_NOREPLACE */
        munmap(p, SIM_ARENA_SIZE);
        return NULL;
    }
    a->magic = ARENA_MAGIC;
    a->used = sizeof(*a);
    arena_reset(a);
    return a;
}
