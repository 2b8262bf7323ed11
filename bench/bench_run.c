/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mapping=run saves and what it costs, the core alone on a host that answers at once:
 * calls and time for 2 MiB to shared and back, for a page in the middle of 2 MiB (its mapping
 * is cut), for a device that comes to k shared runs; and how a conversion's cost grows with the
 * number of mappings that the container has.
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/bench_host.h"
#include "program/rng.h"

enum { ROUNDS = 7, PASSES = 400, HUGE_PAGES = 512 };

static const char *const mapping_names[] = {
    [VMM_MAPPING_PAGE] = "page", [VMM_MAPPING_RUN] = "run"};

struct bed {
    struct bench_host host;
    struct vmm *vmm;
};

static void must(int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_run: %s returned %d\n", what, rc);
    exit(1);
}

static void bed_make(struct bed *b, enum vmm_mapping mapping, uint64_t n_pages, bool attached)
{
    const struct host host = {.ops = &stub_ops, .ctx = &b->host};
    const struct sync sync = {.ops = &sync_pthread_ops};
    const struct vmm_config config = {
        .page_size = PAGE_SIZE_4K, .n_vcpus = 1, .mapping = mapping};
    const struct vmm_region_config region = {.kind = VMM_REGION_RAM,
                                             .share = VMM_SHARE_MEMFD,
                                             .guest_memfd = true,
                                             .size = n_pages * PAGE_SIZE_4K};
    uint32_t index;

    *b = (struct bed){.vmm = NULL};
    must(vmm_create(&host, &sync, &config, &b->vmm), "create");
    must(vmm_region_add(b->vmm, &region, &index), "region");
    must(vmm_section_add(b->vmm, 0, 0, region.size, 0), "section");
    must(vmm_container_add(b->vmm, VMM_IOMMU_TYPE1, true, &index), "container");
    if (attached)
        must(vmm_device_attach(b->vmm, 0, 0), "attach");
}

static void bed_free(struct bed *b)
{
    (void)vmm_destroy(b->vmm); /* its unmaps find less than the ledger says */
}

static void convert(struct bed *b, uint64_t page, uint64_t n, bool to_private)
{
    must(vmm_convert(b->vmm, page * PAGE_SIZE_4K, n * PAGE_SIZE_4K, to_private), "convert");
}

static double median_of(double (*round)(struct bed *b), struct bed *b)
{
    double rounds[ROUNDS];

    round(b);
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = round(b);
    return bench_median(rounds, ROUNDS);
}

/* Nanoseconds a conversion. */
static double round_huge(struct bed *b)
{
    double start = bench_now();

    for (int i = 0; i < PASSES; i++)
        convert(b, 0, HUGE_PAGES, i % 2 == 1);
    return (bench_now() - start) * 1e9 / PASSES;
}

static void print_huge(enum vmm_mapping mapping, double *first)
{
    struct bed b;

    bed_make(&b, mapping, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    convert(&b, 0, HUGE_PAGES, true);
    unsigned long long maps = b.host.maps, unmaps = b.host.unmaps;
    double ns = median_of(round_huge, &b);
    *first = *first > 0 ? *first : ns;
    printf(
        "2 MiB to shared and back, mapping=%-4s  %4llu map calls, %2llu unmap calls, %8.0f ns "
        "a conversion, %.3f times page\n",
        mapping_names[mapping], maps, unmaps, ns, ns / *first);
    bed_free(&b);
}

/* Pages in the middle of 2 MiB each; whole again afterwards. */
static double round_cut(struct bed *b)
{
    double spent = 0;

    for (int i = 0; i < PASSES; i++) {
        double start = bench_now();

        convert(b, HUGE_PAGES / 2, 1, true);
        spent += bench_now() - start;
        convert(b, 0, HUGE_PAGES, true);
        convert(b, 0, HUGE_PAGES, false);
    }
    return spent * 1e9 / PASSES;
}

static void print_cut(enum vmm_mapping mapping, double *first)
{
    struct bed b;

    bed_make(&b, mapping, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    struct bench_host before = b.host;
    convert(&b, HUGE_PAGES / 2, 1, true);
    unsigned long long maps = b.host.maps - before.maps, unmaps = b.host.unmaps - before.unmaps;
    convert(&b, 0, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    double ns = median_of(round_cut, &b);
    *first = *first > 0 ? *first : ns;
    printf(
        "a page out of 2 MiB, %-20s  %4llu map calls, %2llu unmap calls, %8.0f ns, %.2f times "
        "page\n",
        mapping == VMM_MAPPING_RUN ? "run, split=remap" : "mapping=page", maps, unmaps, ns,
        ns / *first);
    bed_free(&b);
}

static void print_attach(uint64_t n_runs)
{
    enum { STRIDE = 64, RUN = 16 };
    struct bed b;

    bed_make(&b, VMM_MAPPING_RUN, n_runs * STRIDE, false);
    for (uint64_t i = 0; i < n_runs; i++)
        convert(&b, i * STRIDE, RUN, false);
    double start = bench_now();
    must(vmm_device_attach(b.vmm, 0, 0), "attach");
    double ns = (bench_now() - start) * 1e9;
    printf("attach to %7llu runs of 16 pages        %7llu map calls, %6.0f ns a run\n",
           (unsigned long long)n_runs, (unsigned long long)b.host.maps, ns / (double)n_runs);
    bed_free(&b);
}

/* Random pages, each a mapping of its own among n others. */
static double one_among(uint64_t n_mappings)
{
    struct rng r = rng_make(1, n_mappings);
    struct bed b;

    bed_make(&b, VMM_MAPPING_RUN, n_mappings * 4, false);
    for (uint64_t i = 0; i < n_mappings; i++)
        convert(&b, i * 4, 2, false);
    must(vmm_device_attach(b.vmm, 0, 0), "attach");
    double start = bench_now();
    for (int i = 0; i < PASSES; i++) {
        uint64_t at = rng_next(&r) % n_mappings * 4;

        convert(&b, at, 2, true);
        convert(&b, at, 2, false);
    }
    double ns = (bench_now() - start) * 1e9 / (2 * PASSES);
    bed_free(&b);
    return ns;
}

int main(void)
{
    double huge = 0, cut = 0, among = 0;

    for (int i = 0; i < 2; i++)
        print_huge((enum vmm_mapping)i, &huge);
    for (int i = 0; i < 2; i++)
        print_cut((enum vmm_mapping)i, &cut);
    for (uint64_t n = 10; n <= 100000; n *= 10)
        print_attach(n);
    for (uint64_t n = 1 << 10; n <= 1 << 20; n <<= 2) {
        double ns = one_among(n);

        among = among > 0 ? among : ns;
        printf(
            "a run among %8llu mappings             %8.0f ns a conversion, %.2f times 1024\n",
            (unsigned long long)n, ns, ns / among);
    }
    return 0;
}
