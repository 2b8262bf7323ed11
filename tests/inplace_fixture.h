/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core in place on the mock kernel. By GPA page:
 *   0..16 ram0  16..32 ram1  40..44 ram2 (no guest_memfd)  64..72 ram3[4..12)
 * Container 0 listens to all (group 0), container 1 to ram0[3..9) (group 1).
 */
#ifndef TESTS_INPLACE_FIXTURE_H
#define TESTS_INPLACE_FIXTURE_H

#include "tests/life_world.h"

enum { IP_GPA_PAGES = 72 };

static const struct {
    struct vmm_region_config config; /* pages */
    uint64_t offset, size, gpa;
} inplace_regions[] = {
    {{.guest_memfd = true, .size = 16}, 0, 16, 0},
    {{.share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = 16}, 0, 16, 16},
    {{.share = VMM_SHARE_MEMFD, .size = 4}, 0, 4, 40},
    {{.guest_memfd = true, .size = 16}, 4, 8, 64},
};
enum { IP_REGIONS = sizeof inplace_regions / sizeof inplace_regions[0] };

static inline void inplace_world(struct life *ip, enum sim_kernel kernel, bool attributes)
{
    struct sim_config config = {.page_size = LIFE_PAGE,
                                .kernel = kernel,
                                .gmem_attributes = attributes,
                                .memlock_pages = UINT64_MAX,
                                .n_groups = 2,
                                .fault_seed = 1};

    life_new_world(ip, &config);
}

static inline int inplace_create(struct life *ip, const struct vmm_config *config)
{
    struct host host = sim_host(ip->w);
    const struct sync no_sync = {NULL, NULL};
    int rc = vmm_create(&host, &no_sync, config, &ip->vmm);

    if (rc)
        ip->vmm = NULL;
    return rc;
}

static inline void inplace_regions_add(struct life *ip)
{
    uint32_t index;

    for (int i = 0; i < IP_REGIONS; i++) {
        struct vmm_region_config region = inplace_regions[i].config;

        region.size *= LIFE_PAGE;
        assert_int_equal(vmm_region_add(ip->vmm, &region, &index), 0);
        assert_int_equal(vmm_section_add(ip->vmm, index, inplace_regions[i].offset * LIFE_PAGE,
                                         inplace_regions[i].size * LIFE_PAGE,
                                         inplace_regions[i].gpa * LIFE_PAGE),
                         0);
    }
}

/* With both devices plugged in. */
static inline void inplace_start(struct life *ip, const struct vmm_config *config)
{
    uint32_t index;

    inplace_world(ip, SIM_KERNEL_PROPOSED, true);
    assert_int_equal(inplace_create(ip, config), 0);
    inplace_regions_add(ip);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(vmm_container_add(ip->vmm, VMM_IOMMU_TYPE1, i == 0, &index), 0);
        assert_int_equal(life_attach(ip, i, i), 0);
    }
    assert_int_equal(vmm_listen(ip->vmm, 1, 0, 3 * LIFE_PAGE, 6 * LIFE_PAGE), 0);
    life_forget(ip);
}

static inline bool inplace_hears(uint32_t container, uint32_t region, uint64_t page)
{
    return container == 0 || (region == 0 && page >= 3 && page < 9);
}

/* What is known of one guest_memfd page: tracker, attribute, mappings; the first thing that
 * does not fit, or NULL. */
static inline const char *inplace_page_broken(const struct life *ip, uint32_t r, uint64_t p,
                                              bool shared)
{
    uint64_t gpa = inplace_regions[r].gpa + p, offset = inplace_regions[r].offset + p, bit;
    struct observe_page page = life_page(ip, gpa);

    vmm_populated_bits(ip->vmm, r, offset, 1, &bit);
    if (bit != shared)
        return "tracker";
    if (page.is_private == shared)
        return "attribute";
    if (shared ? page.private_frame : page.shared_frame)
        return "a frame on the side that is not live";
    for (uint32_t c = 0; c < 2; c++) {
        uint32_t mapped = life_mapped(ip, c, gpa);

        if ((mapped != 0) != (shared && inplace_hears(c, r, offset)))
            return "mapped is not shared";
        if (mapped && mapped != page.shared_frame)
            return "mapped elsewhere";
    }
    return NULL;
}

/* Everything at rest; `shared` by GPA page. */
static inline const char *inplace_broken(const struct life *ip, const bool *shared)
{
    struct observe_totals totals;
    uint64_t mapped = 0;

    for (uint32_t r = 0; r < IP_REGIONS; r++)
        for (uint64_t p = 0; p < inplace_regions[r].size; p++) {
            const char *broken = NULL;

            if (inplace_regions[r].config.guest_memfd)
                broken = inplace_page_broken(ip, r, p, shared[inplace_regions[r].gpa + p]);
            if (broken)
                return broken;
            for (uint32_t c = 0; c < 2; c++)
                mapped += life_mapped(ip, c, inplace_regions[r].gpa + p) != 0;
        }
    ip->observe->totals(ip->observe->ctx, &totals);
    return totals.pins < mapped ? "pins" : NULL;
}

static const struct vmm_config plain = {
    .page_size = LIFE_PAGE, .n_vcpus = 1, .mode = VMM_MODE_INPLACE};

/* What most tests use. */
static struct life ip;
static bool shared[IP_GPA_PAGES]; /* what must be */

static inline int setup(void **state)
{
    (void)state;
    memset(shared, 0, sizeof shared);
    inplace_start(&ip, &plain);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    life_end(&ip);
    return 0;
}

static inline void set_shared(uint64_t first, uint64_t n, bool value)
{
    for (uint64_t i = first; i < first + n; i++)
        shared[i] = value;
}

/* Converts, and that must have worked. */
static inline void become(uint64_t first, uint64_t n, bool to_private)
{
    assert_int_equal(life_convert(&ip, first, n, to_private), 0);
    set_shared(first, n, !to_private);
    assert_null(inplace_broken(&ip, shared));
}

static inline bool blocked_at(uint32_t region, uint64_t page)
{
    uint32_t r;
    uint64_t offset;

    return vmm_blocked(ip.vmm, &r, &offset) && r == region && offset == page * LIFE_PAGE;
}

static inline bool nothing_blocked(void)
{
    uint32_t r;
    uint64_t offset;

    return !vmm_blocked(ip.vmm, &r, &offset);
}

#endif
