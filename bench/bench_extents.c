/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracker=extents beside tracker=bitmap, core alone on a host that answers at once: 1 TiB with
 * 1,000 shared runs and doublings of that (time of a conversion, of a query, of the start of a
 * replay, memory of the region); a counting listener on 64 GiB that are all shared, and on 64
 * GiB in 1,000 runs with more and more sources; and a container on a few runs, with
 * mapping=run.
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/bench_host.h"
#include "core/internal.h"
#include "program/rng.h"

enum { CALLS = 512, ROUNDS = 35, DOUBLINGS = 6 };

static const uint64_t TIB = UINT64_C(1) << 40;
static const uint64_t REGISTERED = UINT64_C(64) << 30;

/* From one run to the next, in bytes; quarters of it are whole pages. */
static uint64_t stride_of(uint64_t size, uint64_t n_runs)
{
    return size / n_runs & ~(UINT64_C(4) * PAGE_SIZE_4K - 1);
}

/* Runs of half a stride, from its first quarter on. */
static int share_runs(struct vmm *vmm, uint64_t n, uint64_t size)
{
    uint64_t stride = stride_of(size, n);

    for (uint64_t i = 0; i < n; i++)
        if (vmm_convert(vmm, i * stride + stride / 4, stride / 2, false))
            return -1;
    return 0;
}

struct times {
    double convert, query, replay; /* nanoseconds */
};

/* One page in the middle of a random gap, there and back again. */
static int convert_calls(struct vmm *vmm, uint64_t n_runs, struct rng *r)
{
    uint64_t stride = stride_of(TIB, n_runs);

    for (int i = 0; i < CALLS / 2; i++) {
        uint64_t at = rng_next(r) % n_runs * stride + 2 * (uint64_t)PAGE_SIZE_4K;

        if (vmm_convert(vmm, at, PAGE_SIZE_4K, false) ||
            vmm_convert(vmm, at, PAGE_SIZE_4K, true))
            return -1;
    }
    return 0;
}

/* Is a whole run shared? It is. */
static int query_calls(struct vmm *vmm, uint64_t n_runs, struct rng *r)
{
    uint64_t stride = stride_of(TIB, n_runs);

    for (int i = 0; i < CALLS; i++)
        if (vmm_is_populated(vmm, 0, rng_next(r) % n_runs * stride + stride / 4, stride / 2) !=
            1)
            return -1;
    return 0;
}

/* The first run of a replay that begins in a random gap. */
static int replay_calls(struct vmm *vmm, uint64_t n_runs, struct rng *r)
{
    struct discard_manager *m = &address_space_region(vmm, 0)->manager;
    uint64_t stride = stride_of(TIB, n_runs) / PAGE_SIZE_4K, first, end;

    for (int i = 0; i < CALLS; i++) {
        uint64_t at = rng_next(r) % (n_runs - 1) * stride + stride * 3 / 4;

        if (!discard_manager_next_run(m, at, m->n_pages, true, &first, &end))
            return -1;
    }
    return 0;
}

typedef int calls_fn(struct vmm *vmm, uint64_t n_runs, struct rng *r);

static double measure(calls_fn *calls, struct vmm *vmm, uint64_t n_runs)
{
    struct rng r = rng_make(1, n_runs);
    double rounds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        double start = bench_now();

        if (calls(vmm, n_runs, &r))
            return -1;
        rounds[i] = (bench_now() - start) * 1e9 / CALLS;
    }
    return bench_median(rounds, ROUNDS);
}

static struct times measure_all(struct vmm *vmm, uint64_t n_runs)
{
    return (struct times){measure(convert_calls, vmm, n_runs),
                          measure(query_calls, vmm, n_runs),
                          measure(replay_calls, vmm, n_runs)};
}

static int bad(const struct times *t)
{
    return t->convert < 0 || t->query < 0 || t->replay < 0;
}

/* Memory that a region with its runs takes, and the times. */
static int with_runs(enum vmm_tracker tracker, uint64_t n_runs, uint64_t *bytes,
                     struct times *t)
{
    struct bench_host host = {0};
    struct vmm *vmm = bench_vmm(&host, tracker, VMM_MAPPING_PAGE, TIB);
    int rc = vmm ? share_runs(vmm, n_runs, TIB) : -1;

    if (!rc) {
        *bytes = host.bytes;
        *t = measure_all(vmm, n_runs);
        rc = bad(t);
    }
    if (vmm)
        vmm_destroy(vmm);
    return rc;
}

static int against_bitmap(void)
{
    uint64_t bitmap, extents;
    struct times b, e;

    if (with_runs(VMM_TRACKER_BITMAP, 1000, &bitmap, &b) ||
        with_runs(VMM_TRACKER_EXTENTS, 1000, &extents, &e))
        return 1;
    printf("1 TiB, 1000 runs, memory         extents %6llu KiB, bitmap %6llu KiB, %.2f %% "
           "(goal under 1 %%)\n",
           (unsigned long long)extents >> 10, (unsigned long long)bitmap >> 10,
           100.0 * (double)extents / (double)bitmap);
    printf("1 TiB, 1000 runs, conversion     extents %6.0f ns,  bitmap %6.0f ns\n", e.convert,
           b.convert);
    printf("1 TiB, 1000 runs, query of a run extents %6.0f ns,  bitmap %6.0f ns\n", e.query,
           b.query);
    printf("1 TiB, 1000 runs, replay start   extents %6.0f ns,  bitmap %6.0f ns\n", e.replay,
           b.replay);
    return 0;
}

/* Cost that is O(log runs) grows by about the same for every doubling. */
static int doublings(void)
{
    uint64_t bytes;
    struct times t;

    for (uint64_t i = 0, n = 1000; i <= DOUBLINGS; i++, n *= 2) {
        if (with_runs(VMM_TRACKER_EXTENTS, n, &bytes, &t))
            return 1;
        printf("extents, 1 TiB, %6llu runs       conversion %4.0f ns, query %4.0f ns, replay "
               "start %4.0f ns, %5llu KiB\n",
               (unsigned long long)n, t.convert, t.query, t.replay,
               (unsigned long long)bytes >> 10);
    }
    return 0;
}

struct counter {
    struct discard_listener base;
    uint64_t runs, pages;
};

static int count(struct discard_listener *l, enum discard_event e, uint64_t first, uint64_t end)
{
    struct counter *c = (struct counter *)(void *)l;

    if (e == DISCARD_POPULATE) {
        c->runs++;
        c->pages += end - first;
    }
    return 0;
}

/* A listener that does nothing, on memory that is all shared. */
static int counting_listener(enum vmm_tracker tracker, const char *name)
{
    struct bench_host host = {0};
    struct vmm *vmm = bench_vmm(&host, tracker, VMM_MAPPING_PAGE, REGISTERED);
    struct counter c = {{.event = count, .end = REGISTERED / PAGE_SIZE_4K}, 0, 0};
    double rounds[ROUNDS];
    int rc = vmm ? vmm_convert(vmm, 0, REGISTERED, false) : -1, undo_error;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        struct discard_manager *m = &address_space_region(vmm, 0)->manager;
        double start = bench_now();

        c.runs = c.pages = 0;
        rc = discard_manager_register(m, &c.base, &undo_error);
        rounds[i] = (bench_now() - start) * 1e6;
        if (rc)
            break;
        (void)discard_manager_withdraw(m, &c.base);
        discard_manager_forget(m, &c.base);
        rc = c.runs != 1 || c.pages != REGISTERED / PAGE_SIZE_4K;
    }
    if (!rc)
        printf("64 GiB shared, counting listener %-7s %6.2f us (goal: microseconds)\n", name,
               bench_median(rounds, ROUNDS));
    if (vmm)
        vmm_destroy(vmm);
    return rc;
}

/* ---- more sources: what a listener costs follows the runs, not the sources ---- */

enum { SOURCES_MAX = 8 };

struct map_source {
    struct discard_source base;
    struct page_map map;
};

static bool map_next(const struct discard_source *source, uint64_t first, uint64_t end,
                     uint64_t *run_first, uint64_t *run_end)
{
    const struct map_source *s = (const struct map_source *)(const void *)source;

    return page_map_next_run(&s->map, first, end, true, run_first, run_end);
}

/* The first source has the runs; each other one holds back a page between them all. */
static int make_source(struct map_source *s, const struct host *host, uint64_t i, uint64_t n)
{
    uint64_t stride = n / 1000;

    *s = (struct map_source){.base = {.next_populated = map_next, .granularity = 1}};
    if (page_map_init_extents(&s->map, host, n) || page_map_reserve(&s->map, host, 1001))
        return -1;
    page_map_set(&s->map, 0, n, true);
    for (uint64_t run = 0; run < 1000; run++)
        page_map_set(&s->map, run * stride + i, run * stride + (i ? i + 1 : stride / 2), false);
    page_map_release(&s->map);
    return 0;
}

static double register_time(struct discard_manager *m, struct counter *c)
{
    double rounds[ROUNDS];
    int undo_error;

    for (int i = 0; i < ROUNDS; i++) {
        double start = bench_now();

        c->runs = 0;
        if (discard_manager_register(m, &c->base, &undo_error) || c->runs != 1000)
            return -1;
        rounds[i] = (bench_now() - start) * 1e6;
        (void)discard_manager_withdraw(m, &c->base);
        discard_manager_forget(m, &c->base);
    }
    return bench_median(rounds, ROUNDS);
}

static int more_sources(void)
{
    const uint64_t n = REGISTERED / PAGE_SIZE_4K;
    struct bench_host bench_host = {0};
    const struct host host = {.ops = &stub_ops, .ctx = &bench_host};
    struct counter c = {{.event = count, .end = n}, 0, 0};
    struct map_source sources[SOURCES_MAX];
    struct discard_manager m;
    int rc = 0, undo_error, made = 0;

    discard_manager_init(&m, &host, VMM_TRACKER_EXTENTS, n);
    for (; made < SOURCES_MAX && !rc; made++) {
        rc = make_source(&sources[made], &host, (uint64_t)made, n);
        if (!rc)
            rc = discard_manager_add_source(&m, &sources[made].base, &undo_error);
        double us = rc ? -1 : register_time(&m, &c);
        rc = us < 0;
        if (!rc && ((made + 1) & made) == 0)
            printf(
                "64 GiB, 1000 runs, %d source%s       a counting listener comes in %6.2f us\n",
                made + 1, made ? "s" : " ", us);
    }
    (void)discard_manager_destroy(&m);
    while (made--)
        page_map_destroy(&sources[made].map, &host);
    return rc;
}

/* A container's first device: one map call a run. */
static int container(uint64_t n_runs)
{
    struct bench_host host = {0};
    struct vmm *vmm = bench_vmm(&host, VMM_TRACKER_EXTENTS, VMM_MAPPING_RUN, REGISTERED);
    int rc = vmm ? 0 : -1;
    double start;

    if (!rc)
        rc = n_runs == 1 ? vmm_convert(vmm, 0, REGISTERED, false)
                         : share_runs(vmm, n_runs, REGISTERED);
    start = bench_now();
    if (!rc)
        rc = vmm_device_attach(vmm, 0, 0);
    if (!rc)
        printf(
            "64 GiB in %4llu shared runs       a device comes in %4llu map calls (goal one a "
            "run), %6.2f us\n",
            (unsigned long long)n_runs, (unsigned long long)host.maps,
            (bench_now() - start) * 1e6);
    if (vmm)
        vmm_destroy(vmm);
    return rc || host.maps != n_runs;
}

int main(void)
{
    if (against_bitmap() || doublings() || counting_listener(VMM_TRACKER_BITMAP, "bitmap") ||
        counting_listener(VMM_TRACKER_EXTENTS, "extents") || more_sources() || container(1) ||
        container(1000)) {
        fprintf(stderr, "bench_extents: a call failed, or did something else than it should\n");
        return 1;
    }
    return 0;
}
