/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world arena: what is handed out, what comes back, and snapshots. */
#include "sim_fixture.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

static struct sim_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = sim_arena_get();
    if (!arena)
        return -1;
    arena_reset(arena);
    return 0;
}

static void read_freed(char *block)
{
    arena_free(arena, block);
    _exit(((volatile char *)block)[7] ? 0 : 0);
}

static void read_beyond(char *block)
{
    _exit(((volatile char *)block)[40] ? 0 : 0);
}

static void read_unused(char *block)
{
    _exit(((volatile char *)block)[8192] ? 0 : 0);
}

/* True if the deed ends a child of ours. */
static bool is_caught(void (*deed)(char *))
{
    char *block = arena_alloc(arena, 40);
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        deed(block);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* The deliberate error: in an AddressSanitizer build it must be caught; elsewhere the same
 * block comes back. */
static void test_use_after_free(void **state)
{
    (void)state;
    assert_int_equal(is_caught(read_freed), HAS_ASAN);
    void *first = arena_alloc(arena, 100);
    arena_free(arena, first);
    assert_int_equal(arena_alloc(arena, 100) == first, !HAS_ASAN);
}

static void test_overrun(void **state)
{
    (void)state;
    if (!HAS_ASAN)
        skip();
    assert_true(is_caught(read_beyond));
    assert_true(is_caught(read_unused));
}

static void test_same_arena(void **state)
{
    (void)state;
    assert_ptr_equal(sim_arena_get(), arena);
    assert_int_equal((uintptr_t)arena, SIM_ARENA_BASE);
}

static void test_zeroed_and_aligned(void **state)
{
    static const char zeroes[3000];
    (void)state;
    for (size_t size = 0; size < sizeof(zeroes); size += 37) {
        char *block = arena_alloc(arena, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_memory_equal(block, zeroes, size);
        memset(block, 0xa5, size);
        if (size % 3 == 0)
            arena_free(arena, block);
    }
}

/* Every block keeps its bytes while others come and go. */
static void test_blocks_do_not_overlap(void **state)
{
    enum { N = 64 };
    unsigned char *block[N] = {0};
    size_t size[N] = {0};
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 4000; round++) {
        unsigned i = (seed = seed * 1664525u + 1013904223u) >> 26;
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(block[i][k], i);
        arena_free(arena, block[i]);
        size[i] = (seed >> 8) % 2500;
        block[i] = arena_alloc(arena, size[i]);
        assert_non_null(block[i]);
        memset(block[i], (int)i, size[i]);
    }
}

static void test_full(void **state)
{
    (void)state;
    size_t used = arena_used(arena);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIM_ARENA_SIZE));
    assert_int_equal(arena_used(arena), used);
    assert_non_null(arena_alloc(arena, 1));
    arena_free(arena, NULL);
}

static void test_reset(void **state)
{
    (void)state;
    size_t empty = arena_used(arena);
    char *first = arena_alloc(arena, 64);
    memset(first, 1, 64);
    char *big = arena_alloc(arena, 5 << 20); /* more than is zeroed by hand */
    memset(big, 1, 5 << 20);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), empty);
    assert_ptr_equal(arena_alloc(arena, 64), first);
    assert_int_equal(first[63], 0);
    assert_ptr_equal(arena_alloc(arena, 5 << 20), big);
    for (size_t i = 0; i < 5 << 20; i += 511)
        assert_int_equal(big[i], 0);
}

/* Pointers, contents and free blocks are as they were; what came later reads as zero. */
static void test_snapshot(void **state)
{
    struct sim_snapshot s = {0};
    struct fx fx;

    (void)state;
    fx_world(&fx, 1);
    char **kept = sim_world_memory(fx.w, sizeof(*kept));
    *kept = sim_world_memory(fx.w, 32);
    memset(*kept, 5, 32);
    assert_int_equal(sim_snapshot_take(fx.w, &s), 0);
    size_t used = arena_used(fx.w->arena);
    arena_free(fx.w->arena, *kept);
    char *later = sim_world_memory(fx.w, 3 << 20);
    memset(later, 9, 3 << 20);
    *kept = NULL;
    sim_snapshot_restore(fx.w, &s);
    assert_int_equal(arena_used(fx.w->arena), used);
    assert_int_equal((*kept)[31], 5);
    assert_ptr_equal(sim_world_memory(fx.w, 3 << 20), later);
    assert_int_equal(later[0] | later[2 << 20], 0);
    arena_free(fx.w->arena, *kept); /* live again, so this may be done again */
    sim_snapshot_free(&s);
    assert_null(s.bytes);
}

static void read_kept(char *block)
{
    struct sim_snapshot s = {0};
    struct fx fx;

    (void)block;
    fx_world(&fx, 1);
    char *freed = sim_world_memory(fx.w, 32);
    arena_free(fx.w->arena, freed);
    if (sim_snapshot_take(fx.w, &s) != 0)
        _exit(0);
    sim_snapshot_restore(fx.w, &s);
    read_beyond(freed - 40);
}

static void test_snapshot_keeps_poison(void **state)
{
    (void)state;
    if (!HAS_ASAN)
        skip();
    assert_true(is_caught(read_kept));
}

/* A whole 64-page machine is small, so that making and copying worlds is cheap. */
static void test_world_is_small(void **state)
{
    struct fx fx;

    (void)state;
    fx_machine(&fx);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(fx_convert(&fx, i % FX_PAGES, 1, i & 1), 0);
        assert_int_equal(sim_guest_write(fx.w, FX_GPA + i % FX_PAGES * PS, i), 0);
    }
    assert_true(arena_used(fx.w->arena) < 64 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"sim/arena/use-after-free", test_use_after_free, setup, NULL, NULL},
        {"sim/arena/overrun", test_overrun, setup, NULL, NULL},
        {"sim/arena/same-arena", test_same_arena, setup, NULL, NULL},
        {"sim/arena/zeroed-and-aligned", test_zeroed_and_aligned, setup, NULL, NULL},
        {"sim/arena/no-overlap", test_blocks_do_not_overlap, setup, NULL, NULL},
        {"sim/arena/full", test_full, setup, NULL, NULL},
        {"sim/arena/reset", test_reset, setup, NULL, NULL},
        {"sim/arena/snapshot", test_snapshot, setup, NULL, NULL},
        {"sim/arena/snapshot-keeps-poison", test_snapshot_keeps_poison, setup, NULL, NULL},
        {"sim/arena/world-is-small", test_world_is_small, setup, NULL, NULL},
    };
    return cmocka_run_group_tests_name("sim/arena", tests, NULL, NULL);
}
