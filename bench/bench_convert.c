/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One conversion, core alone: 1,024 random pages of a region from 1 GiB to 16 TiB, each call
 * changes the page's state, both directions, pthread locks taken, every system call answered
 * by a stub; for either tracker. The cost must follow the request, not the region.
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/bench_host.h"
#include "program/rng.h"

enum { PAGES = 1024, PASSES = 4, ROUNDS = 35 }; /* short rounds: nobody is in the way */

/* Distinct pages: each call must change something. */
static void choose_pages(uint64_t *pages, uint64_t n_pages)
{
    struct rng r = rng_make(1, n_pages);

    for (uint32_t i = 0; i < PAGES; i++)
        pages[i] = n_pages / PAGES * i + rng_next(&r) % (n_pages / PAGES);
    for (uint32_t i = PAGES - 1; i > 0; i--) {
        uint32_t j = rng_below(&r, i + 1);
        uint64_t swap = pages[i];

        pages[i] = pages[j];
        pages[j] = swap;
    }
}

/* Nanoseconds a conversion; negative when one failed. */
static double measure(struct vmm *vmm, const uint64_t *pages)
{
    double start = bench_now();

    for (int pass = 0; pass < PASSES; pass++)
        for (uint32_t i = 0; i < PAGES; i++)
            if (vmm_convert(vmm, pages[i] * PAGE_SIZE_4K, PAGE_SIZE_4K, pass % 2 == 1))
                return -1;
    return (bench_now() - start) * 1e9 / (PASSES * PAGES);
}

static double one_size(enum vmm_tracker tracker, uint64_t size)
{
    double rounds[ROUNDS];
    uint64_t pages[PAGES];
    struct bench_host host = {0};
    struct vmm *vmm = bench_vmm(&host, tracker, VMM_MAPPING_PAGE, size);

    if (!vmm)
        return -1;
    choose_pages(pages, size / PAGE_SIZE_4K);
    measure(vmm, pages);
    for (int i = 0; i < ROUNDS; i++) {
        rounds[i] = measure(vmm, pages);
        if (rounds[i] < 0)
            return -1;
    }
    vmm_destroy(vmm);
    return bench_median(rounds, ROUNDS);
}

/* 0: every size could be measured. */
static int all_sizes(enum vmm_tracker tracker, const char *name)
{
    double first = 0;

    for (uint64_t size = UINT64_C(1) << 30; size <= UINT64_C(1) << 44; size <<= 2) {
        double ns = one_size(tracker, size);

        if (ns < 0) {
            fprintf(stderr, "bench_convert: a conversion failed\n");
            return 1;
        }
        first = first > 0 ? first : ns;
        printf("conversion, core alone, %-7s %6llu GiB %5.0f ns (goal under 200)  %.2f times 1 "
               "GiB (1.5)\n",
               name, (unsigned long long)(size >> 30), ns, ns / first);
    }
    return 0;
}

int main(void)
{
    return all_sizes(VMM_TRACKER_BITMAP, "bitmap") | all_sizes(VMM_TRACKER_EXTENTS, "extents");
}
