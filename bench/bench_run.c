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

struct kind {
    const char *name;
    enum vmm_iommu iommu;
    enum vmm_mapping mapping;
    enum vmm_split split;
    bool knows_cut;
};

static const struct kind kinds[] = {
    {"page", VMM_IOMMU_TYPE1, VMM_MAPPING_PAGE, VMM_SPLIT_REMAP, false},
    {"run, remap", VMM_IOMMU_TYPE1, VMM_MAPPING_RUN, VMM_SPLIT_REMAP, false},
    {"run, cut by unmap", VMM_IOMMU_IOMMUFD, VMM_MAPPING_RUN, VMM_SPLIT_CUT, false},
    {"run, cut by ioctl", VMM_IOMMU_IOMMUFD, VMM_MAPPING_RUN, VMM_SPLIT_CUT, true},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], KIND_RUN = 1 };

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

static void bed_make(struct bed *b, const struct kind *kind, uint64_t n_pages, bool attached)
{
    const struct host host = {.ops = &stub_ops, .ctx = &b->host};
    const struct sync sync = {.ops = &sync_pthread_ops};
    const struct vmm_config config = {.page_size = PAGE_SIZE_4K,
                                      .n_vcpus = 1,
                                      .mapping = kind->mapping,
                                      .split = kind->split};
    const struct vmm_region_config region = {.kind = VMM_REGION_RAM,
                                             .share = VMM_SHARE_MEMFD,
                                             .guest_memfd = true,
                                             .size = n_pages * PAGE_SIZE_4K};
    uint32_t index;

    *b = (struct bed){.host = {.knows_cut = kind->knows_cut}};
    must(vmm_create(&host, &sync, &config, &b->vmm), "create");
    must(vmm_region_add(b->vmm, &region, &index), "region");
    must(vmm_section_add(b->vmm, 0, 0, region.size, 0), "section");
    must(vmm_container_add(b->vmm, kind->iommu, true, &index), "container");
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

static void print_huge(const struct kind *kind, double *first)
{
    struct bed b;

    bed_make(&b, kind, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    convert(&b, 0, HUGE_PAGES, true);
    unsigned long long maps = b.host.maps, unmaps = b.host.unmaps;
    double ns = median_of(round_huge, &b);
    *first = *first > 0 ? *first : ns;
    printf("2 MiB to shared and back  %-17s  %3llu map %llu unmap       %7.0f ns, %.3f times "
           "page\n",
           kind->name, maps, unmaps, ns, ns / *first);
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

static void print_cut(const struct kind *kind, double *first)
{
    struct bed b;

    bed_make(&b, kind, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    struct bench_host before = b.host;
    convert(&b, HUGE_PAGES / 2, 1, true);
    struct bench_host after = b.host;
    convert(&b, 0, HUGE_PAGES, true);
    convert(&b, 0, HUGE_PAGES, false);
    double ns = median_of(round_cut, &b);
    *first = *first > 0 ? *first : ns;
    printf(
        "a page out of 2 MiB       %-17s  %3llu map %llu unmap %llu cut %7.0f ns, %.2f times "
        "page\n",
        kind->name, (unsigned long long)(after.maps - before.maps),
        (unsigned long long)(after.unmaps - before.unmaps),
        (unsigned long long)(after.cuts - before.cuts), ns, ns / *first);
    bed_free(&b);
}

static void print_attach(uint64_t n_runs)
{
    enum { STRIDE = 64, RUN = 16 };
    struct bed b;

    bed_make(&b, &kinds[KIND_RUN], n_runs * STRIDE, false);
    for (uint64_t i = 0; i < n_runs; i++)
        convert(&b, i * STRIDE, RUN, false);
    double start = bench_now();
    must(vmm_device_attach(b.vmm, 0, 0), "attach");
    double ns = (bench_now() - start) * 1e9;
    printf("attach to %8llu runs of 16 pages          %8llu map calls %7.0f ns a run\n",
           (unsigned long long)n_runs, (unsigned long long)b.host.maps, ns / (double)n_runs);
    bed_free(&b);
}

/* Random runs, each a mapping of its own among n others. */
static double round_among(struct bed *b, struct rng *r, uint64_t n_mappings)
{
    double start = bench_now();

    for (int i = 0; i < PASSES; i++) {
        uint64_t at = rng_next(r) % n_mappings * 4;

        convert(b, at, 2, true);
        convert(b, at, 2, false);
    }
    return (bench_now() - start) * 1e9 / (2 * PASSES);
}

static double one_among(uint64_t n_mappings)
{
    struct rng r = rng_make(1, n_mappings);
    double rounds[ROUNDS];
    struct bed b;

    bed_make(&b, &kinds[KIND_RUN], n_mappings * 4, false);
    for (uint64_t i = 0; i < n_mappings; i++)
        convert(&b, i * 4, 2, false);
    must(vmm_device_attach(b.vmm, 0, 0), "attach");
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = round_among(&b, &r, n_mappings);
    bed_free(&b);
    return bench_median(rounds, ROUNDS);
}

int main(void)
{
    double huge = 0, cut = 0, among = 0;

    for (int i = 0; i < KINDS; i++)
        print_huge(&kinds[i], &huge);
    for (int i = 0; i < KINDS; i++)
        print_cut(&kinds[i], &cut);
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
