/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One machine on the stub host, by GPA page:
 *   0..64 ram0 (anon)  64..128 ram1 (memfd)  128..136 hole  136..144 rom2  144..152 mmio3
 *   152..160 ram4 (no guest_memfd)  160..168 hole  168..176 ram5[4..12) (memfd)
 * Container 0 listens to all, with group 0 when `attached`; container 1 by hand.
 */
#ifndef TESTS_CORE_FIXTURE_H
#define TESTS_CORE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/stub_host.h"

struct fixture {
    struct stub stub;
    struct vmm *vmm;
    enum vmm_order order;
    enum vmm_failure failure;
    enum vmm_mapping mapping;
    enum vmm_split split;
    enum vmm_tracker tracker;
};

static const struct {
    struct vmm_region_config config;
    uint64_t offset, size, gpa; /* pages */
} fixture_regions[] = {
    {{.guest_memfd = true, .size = 64}, 0, 64, 0},
    {{.share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = 64}, 0, 64, 64},
    {{.kind = VMM_REGION_ROM, .size = 8}, 0, 8, 136},
    {{.kind = VMM_REGION_MMIO, .size = 8}, 0, 8, 144},
    {{.size = 8}, 0, 8, 152},
    {{.share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = 16}, 4, 8, 168},
};
enum { FIXTURE_REGIONS = sizeof fixture_regions / sizeof fixture_regions[0] };

static inline int fixture_build(struct fixture *f, const struct sync *sync)
{
    struct host host = stub_host(&f->stub);
    struct vmm_config config = {.page_size = STUB_PAGE,
                                .n_vcpus = 1,
                                .order = f->order,
                                .failure = f->failure,
                                .mapping = f->mapping,
                                .split = f->split,
                                .tracker = f->tracker};
    uint32_t index;
    int rc = vmm_create(&host, sync, &config, &f->vmm);

    if (rc) {
        f->vmm = NULL;
        return rc;
    }
    for (int i = 0; i < FIXTURE_REGIONS && !rc; i++) {
        struct vmm_region_config region = fixture_regions[i].config;

        region.size *= STUB_PAGE;
        rc = vmm_region_add(f->vmm, &region, &index);
        if (!rc)
            rc = vmm_section_add(f->vmm, index, fixture_regions[i].offset * STUB_PAGE,
                                 fixture_regions[i].size * STUB_PAGE,
                                 fixture_regions[i].gpa * STUB_PAGE);
    }
    if (!rc)
        rc = vmm_container_add(f->vmm, VMM_IOMMU_TYPE1, true, &index);
    if (!rc)
        rc = vmm_container_add(f->vmm, VMM_IOMMU_TYPE1, false, &index);
    return rc;
}

static inline int convert(struct fixture *f, uint64_t first, uint64_t n, bool to_private)
{
    return vmm_convert(f->vmm, first * STUB_PAGE, n * STUB_PAGE, to_private);
}

static inline bool tracker_shared(struct fixture *f, uint32_t region, uint64_t page)
{
    uint64_t bits;

    vmm_populated_bits(f->vmm, region, page, 1, &bits);
    return bits;
}

/* What must hold at rest (I1, I2, I3): the first thing that does not, or NULL. */
static inline const char *fixture_broken(struct fixture *f, bool attached)
{
    if (f->stub.violations)
        return f->stub.violation;
    for (int i = 0; i < FIXTURE_REGIONS; i++)
        for (uint64_t p = 0; p < fixture_regions[i].size; p++) {
            uint64_t gpa_page = fixture_regions[i].gpa + p;
            bool shared = tracker_shared(f, (uint32_t)i, fixture_regions[i].offset + p);

            if (shared == f->stub.is_private[gpa_page] &&
                fixture_regions[i].config.kind != VMM_REGION_MMIO)
                return "I3 tracker and attribute differ";
            if (stub_mapped(&f->stub, gpa_page) != (shared && attached))
                return "I1, I2 mapped is not shared";
        }
    return NULL;
}

/* Nothing is left of a machine. */
static inline const char *fixture_left(const struct fixture *f)
{
    if (stub_open_fds(&f->stub))
        return "file descriptors left";
    if (f->stub.n_vmas)
        return "memory mappings left";
    if (f->stub.n_blocks)
        return "memory left";
    return f->stub.n_maps ? "DMA mappings left" : NULL;
}

#endif
