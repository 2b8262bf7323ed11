/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core on the mock kernel, for tests of what comes and goes. By GPA page:
 *   0..16 ram0 (anon)  16..32 ram1 (hugetlb, 4 pages a huge page)  32..40 ram2 (plain memfd)
 *   40..44 rom3  44..48 mmio4  64..72 ram5[4..12) (memfd)
 * Container 0 listens to all (group 0, group 2), container 1 by hand (group 1).
 */
#ifndef TESTS_LIFE_FIXTURE_H
#define TESTS_LIFE_FIXTURE_H

#include "tests/life_world.h"

enum { LIFE_HUGE = 4, LIFE_GPA_PAGES = 80 };

static const struct {
    struct vmm_region_config config; /* pages */
    uint64_t offset, size, gpa;
} life_regions[] = {
    {{VMM_REGION_RAM, VMM_SHARE_ANON, true, 16, 0, 0, 0}, 0, 16, 0},
    {{VMM_REGION_RAM, VMM_SHARE_HUGETLB, true, 16, LIFE_HUGE, 0, 0}, 0, 16, 16},
    {{VMM_REGION_RAM, VMM_SHARE_MEMFD, false, 8, 0, 0, 0}, 0, 8, 32},
    {{VMM_REGION_ROM, VMM_SHARE_ANON, false, 4, 0, 0, 0}, 0, 4, 40},
    {{VMM_REGION_MMIO, VMM_SHARE_ANON, false, 4, 0, 0, 0}, 0, 4, 44},
    {{VMM_REGION_RAM, VMM_SHARE_MEMFD, true, 16, 0, 0, 0}, 4, 8, 64},
};
enum { LIFE_REGIONS = sizeof life_regions / sizeof life_regions[0] };

/* What sweeps run on. */
static const struct {
    enum vmm_tracker tracker;
    enum vmm_iommu iommu;
} life_machines[] = {{VMM_TRACKER_BITMAP, VMM_IOMMU_TYPE1},
                     {VMM_TRACKER_EXTENTS, VMM_IOMMU_TYPE1V1},
                     {VMM_TRACKER_BITMAP, VMM_IOMMU_IOMMUFD},
                     {VMM_TRACKER_EXTENTS, VMM_IOMMU_COMPAT}};
enum { LIFE_MACHINES = sizeof life_machines / sizeof life_machines[0] };

static inline int life_build(struct life *l, bool sections)
{
    struct host host = sim_host(l->w);
    const struct sync no_sync = {NULL, NULL};
    struct vmm_config config = {.page_size = LIFE_PAGE,
                                .n_vcpus = 1,
                                .order = l->order,
                                .failure = l->failure,
                                .tracker = l->tracker};
    uint32_t index;
    int rc = vmm_create(&host, &no_sync, &config, &l->vmm);

    if (rc) {
        l->vmm = NULL;
        return rc;
    }
    for (int i = 0; i < LIFE_REGIONS && !rc; i++) {
        struct vmm_region_config region = life_regions[i].config;

        region.size *= LIFE_PAGE;
        region.huge_page_size *= LIFE_PAGE;
        rc = vmm_region_add(l->vmm, &region, &index);
        if (!rc && sections)
            rc = vmm_section_add(l->vmm, index, life_regions[i].offset * LIFE_PAGE,
                                 life_regions[i].size * LIFE_PAGE,
                                 life_regions[i].gpa * LIFE_PAGE);
    }
    if (!rc)
        rc = vmm_container_add(l->vmm, l->iommu, true, &index);
    if (!rc)
        rc = vmm_container_add(l->vmm, l->iommu, false, &index);
    return rc;
}

static inline void life_world(struct life *l)
{
    struct sim_config config = {
        .page_size = LIFE_PAGE, .memlock_pages = UINT64_MAX, .n_groups = 3, .fault_seed = 1};

    life_new_world(l, &config);
}

static inline void life_start(struct life *l)
{
    life_world(l);
    assert_int_equal(life_build(l, true), 0);
    life_forget(l);
}

/* Both containers open, the second one listening to ram0[2..8) by hand; ram0[4..12) and three
 * pages of ram5 shared; content on page 5, which is shared, and on page 0, which is not. */
static inline int life_prepare(struct life *l)
{
    int rc = life_attach(l, 0, 0);

    if (!rc)
        rc = life_attach(l, 1, 1);
    if (!rc)
        rc = vmm_listen(l->vmm, 1, 0, 2 * LIFE_PAGE, 6 * LIFE_PAGE);
    if (!rc)
        rc = life_convert(l, 4, 8, false);
    if (!rc)
        rc = life_convert(l, 66, 3, false);
    if (!rc) {
        life_write(l, 5, 55);
        life_write(l, 0, 50);
    }
    return rc;
}

/* What holds of container 0 at rest, for each page with an address: mapped is shared, mapped on
 * the shared frame, tracker and attribute agree; nothing of a region that is away. The first
 * thing that does not, or NULL. */
static inline const char *life_broken(const struct life *l, bool attached, uint32_t absent)
{
    for (uint32_t r = 0; r < LIFE_REGIONS; r++)
        for (uint64_t p = 0; p < life_regions[r].size; p++) {
            struct observe_page page = life_page(l, life_regions[r].gpa + p);
            uint32_t mapped = life_mapped(l, 0, life_regions[r].gpa + p);
            bool shared = life_tracker(l, r, life_regions[r].offset + p);

            if (absent >> r & 1) {
                if (page.is_private || page.shared_frame || page.private_frame || mapped ||
                    shared)
                    return "something of a region that is away";
                continue;
            }
            if (life_regions[r].config.kind == VMM_REGION_MMIO) {
                if (mapped)
                    return "MMIO is mapped";
                continue;
            }
            if (shared == page.is_private)
                return "tracker and attribute differ";
            if ((mapped != 0) != (attached && shared))
                return "mapped is not shared";
            if (mapped && mapped != page.shared_frame)
                return "mapped on another frame";
        }
    return NULL;
}

/* What can be seen of a machine, page by page. */
struct life_picture {
    struct observe_page pages[LIFE_GPA_PAGES];
    uint32_t mapped[2][LIFE_GPA_PAGES];
    uint64_t tracker[LIFE_REGIONS];
    uint32_t fds, vmas;
    bool present[LIFE_REGIONS];
};

static inline void life_take_picture(const struct life *l, struct life_picture *p)
{
    struct observe_totals t;

    memset(p, 0, sizeof *p);
    l->observe->pages(l->observe->ctx, 0, LIFE_GPA_PAGES, p->pages);
    for (uint32_t c = 0; c < 2; c++)
        for (uint64_t i = 0; i < LIFE_GPA_PAGES; i++)
            p->mapped[c][i] = life_mapped(l, c, i);
    for (uint32_t r = 0; r < LIFE_REGIONS; r++) {
        vmm_populated_bits(l->vmm, r, 0, life_regions[r].config.size, &p->tracker[r]);
        p->present[r] = l->vmm->address_space.regions[r]->present;
    }
    l->observe->totals(l->observe->ctx, &t);
    p->fds = t.fds;
    p->vmas = t.vmas;
}

typedef int life_fn(struct life *l);

/* Does `op` on what `prepare` builds, with one fault: at every hit of every point, with every
 * errno, before and after the effect. It must work, or leave all as it was and work when it is
 * done again; the VM stops only when two calls failed. Returns how many faults fired. */
static inline uint32_t life_sweep_one(struct life *l, life_fn *prepare, life_fn *op,
                                      const struct sim_fault *fault)
{
    static struct life_picture before, after;
    uint32_t fired;
    int rc;

    assert_int_equal(prepare(l), 0);
    life_take_picture(l, &before);
    life_forget(l);
    assert_int_equal(sim_fault_arm(l->w, fault), 0);
    rc = op(l);
    fired = l->failed;
    sim_fault_disarm_all(l->w);
    assert_true(rc == 0 || fired);
    assert_false(vmm_stopped(l->vmm));
    if (rc) {
        assert_int_equal(rc, -(int)fault->error);
        life_take_picture(l, &after);
        assert_memory_equal(&before, &after, sizeof before);
        assert_int_equal(op(l), 0);
    }
    life_end(l);
    return fired;
}

static inline uint32_t life_sweep(struct life *l, life_fn *prepare, life_fn *op)
{
    uint32_t fired = 0, more;

    for (unsigned point = 0; point < POINT_COUNT; point++)
        for (int late = 0; late < 2; late++)
            for (unsigned e = 0; sim_point_errno(point, e, late); e++) {
                struct sim_fault fault = {.point = (uint16_t)point,
                                          .error = (uint16_t)sim_point_errno(point, e, late),
                                          .when = SIM_FAULT_NTH,
                                          .late = late,
                                          .value = 1};

                while ((more = life_sweep_one(l, prepare, op, &fault))) {
                    fired += more;
                    fault.value++;
                }
            }
    return fired;
}

/* The same with two faults, the second one on every hit of its point in the undo: all as it
 * was, or the VM stops; and in the end nothing is left. False: the first one did not fire. */
static inline bool life_sweep_two(struct life *l, life_fn *prepare, life_fn *op,
                                  const struct sim_fault faults[2], uint32_t *stopped)
{
    static struct life_picture before, after;
    bool fired;
    int rc;

    assert_int_equal(prepare(l), 0);
    life_take_picture(l, &before);
    life_forget(l);
    assert_int_equal(sim_fault_arm(l->w, &faults[0]), 0);
    assert_int_equal(sim_fault_arm(l->w, &faults[1]), 0);
    rc = op(l);
    fired = l->failed;
    sim_fault_disarm_all(l->w);
    if (vmm_stopped(l->vmm)) {
        assert_true(rc < 0);
        ++*stopped;
        (void)vmm_destroy(l->vmm);
        assert_null(life_left(l));
        return fired;
    }
    life_take_picture(l, &after);
    if (rc)
        assert_memory_equal(&before, &after, sizeof before);
    life_end(l);
    return fired;
}

/* Returns how many machines stopped. */
static inline uint32_t life_sweep_undo(struct life *l, life_fn *prepare, life_fn *op)
{
    struct sim_fault faults[2] = {{0}, {.when = SIM_FAULT_STICKY, .in_undo = true, .value = 1}};
    uint32_t stopped = 0;

    for (uint16_t point = 0; point < POINT_COUNT; point++) {
        bool fired = true;

        faults[0].point = point;
        faults[0].error = (uint16_t)sim_point_errno(point, 0, 0);
        for (faults[0].value = 1; faults[0].error && fired; faults[0].value++)
            for (uint16_t second = 0; second < POINT_COUNT && fired; second++) {
                faults[1].point = second;
                faults[1].error = (uint16_t)sim_point_errno(second, 0, 0);
                if (faults[1].error)
                    fired = life_sweep_two(l, prepare, op, faults, &stopped);
            }
    }
    return stopped;
}

#endif
