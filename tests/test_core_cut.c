/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * split=cut on the mock kernel: a part of an iommufd's mapping goes, and whatever happens its
 * rest is never away, not for a moment. By VFIO's unmap up to Linux 7.3, by an ioctl of its own
 * as proposed; on each kind of container.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/vmm.h"
#include "sim/world.h"

#define PS ((uint64_t)1 << 12)

enum { N_PAGES = 16, GPA_PAGE = 16 };

struct rig {
    struct sim_world *w;
    const struct observe *o;
    struct vmm *vmm;
    uint64_t must_stay; /* pages that are mapped after every call, as bits */
    uint64_t went;      /* those that were not */
    unsigned calls[POINT_COUNT];
    unsigned failed; /* calls */
};

static struct rig rig;

static const enum vmm_iommu kinds[] = {VMM_IOMMU_IOMMUFD, VMM_IOMMU_COMPAT, VMM_IOMMU_COMPATV1};
static const enum sim_kernel kernels[] = {SIM_KERNEL_6_12, SIM_KERNEL_7_3, SIM_KERNEL_PROPOSED};
#define N_KINDS   (sizeof kinds / sizeof kinds[0])
#define N_KERNELS (sizeof kernels / sizeof kernels[0])

/* Pages of the region that the device reaches, or those of them that begin a mapping. */
static uint64_t mapped(bool heads)
{
    uint64_t bits = 0;

    for (uint64_t i = 0; i < N_PAGES; i++) {
        struct observe_mapping m;

        rig.o->mapping(rig.o->ctx, 0, GPA_PAGE + i, &m);
        bits |= (uint64_t)(m.frame && (!heads || m.head)) << i;
    }
    return bits;
}

static void watch(void *ctx, const struct sim_call *call)
{
    (void)ctx;
    rig.calls[call->point]++;
    rig.failed += call->failed;
    rig.went |= rig.must_stay & ~mapped(false);
}

static void build(enum vmm_iommu iommu, enum sim_kernel kernel)
{
    const struct sim_config sim = {
        .page_size = PS, .kernel = kernel, .memlock_pages = UINT64_MAX, .n_groups = 1};
    const struct vmm_config config = {
        .page_size = PS, .n_vcpus = 1, .mapping = VMM_MAPPING_RUN, .split = VMM_SPLIT_CUT};
    const struct vmm_region_config ram = {
        .share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = N_PAGES * PS};
    const struct sync one_lane = {.ops = NULL};
    uint32_t index;

    memset(&rig, 0, sizeof rig);
    rig.w = sim_world_new(sim_arena_get(), &sim);
    rig.o = sim_observe(rig.w);
    struct host host = sim_host(rig.w);
    assert_int_equal(vmm_create(&host, &one_lane, &config, &rig.vmm), 0);
    assert_int_equal(vmm_region_add(rig.vmm, &ram, &index), 0);
    assert_int_equal(vmm_section_add(rig.vmm, 0, 0, N_PAGES * PS, GPA_PAGE * PS), 0);
    assert_int_equal(vmm_container_add(rig.vmm, iommu, true, &index), 0);
    sim_world_on_call(rig.w, watch, NULL);
}

static void tear_down(void)
{
    struct observe_totals t;

    sim_fault_disarm_all(rig.w);
    rig.must_stay = 0;
    assert_int_equal(vmm_destroy(rig.vmm), 0);
    rig.o->totals(rig.o->ctx, &t);
    assert_int_equal(t.fds, 0);
    assert_int_equal(t.pins, 0);
    assert_int_equal(t.allocations, 0);
    assert_int_equal(rig.went, 0);
}

static uint64_t bits(uint64_t first, uint64_t n)
{
    return ((UINT64_C(1) << n) - 1) << first;
}

static int convert(uint64_t first, uint64_t n, bool to_private)
{
    sim_op_begin(rig.w);
    memset(rig.calls, 0, sizeof rig.calls);
    return vmm_convert(rig.vmm, (GPA_PAGE + first) * PS, n * PS, to_private);
}

/* Nothing outside goes meanwhile, and nothing is mapped. */
static void take_out(uint64_t first, uint64_t n)
{
    uint64_t before = mapped(false);

    rig.must_stay = before & ~bits(first, n);
    assert_int_equal(convert(first, n, true), 0);
    assert_int_equal(rig.went, 0);
    assert_int_equal(mapped(false), before & ~bits(first, n));
    assert_int_equal(rig.calls[POINT_VFIO_MAP] + rig.calls[POINT_IOMMUFD_MAP], 0);
    rig.must_stay = 0;
}

typedef void each_fn(enum vmm_iommu iommu, enum sim_kernel kernel);

static void on_each(each_fn *fn)
{
    for (size_t i = 0; i < N_KINDS; i++)
        for (size_t k = 0; k < N_KERNELS; k++) {
            build(kinds[i], kernels[k]);
            fn(kinds[i], kernels[k]);
            tear_down();
        }
}

static void deliberate_error(void **state)
{
    (void)state;
    build(VMM_IOMMU_IOMMUFD, SIM_KERNEL_6_12);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    assert_int_equal(convert(0, 4, false), 0);
    rig.must_stay = bits(0, 4);
    assert_int_equal(convert(1, 1, true), 0);
    assert_int_equal(rig.went, bits(1, 1)); /* the watch sees what went */
    rig.went = 0;
    tear_down();
}

static void part_goes(enum vmm_iommu iommu, enum sim_kernel kernel)
{
    bool native = iommu == VMM_IOMMU_IOMMUFD;

    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    assert_int_equal(rig.failed, 0); /* that a kernel does not know the ioctl is an answer */
    assert_int_equal(convert(0, N_PAGES, false), 0);
    assert_int_equal(mapped(true), bits(0, 1));
    take_out(5, 2);
    assert_int_equal(mapped(true), bits(0, 1) | bits(7, 1));
    assert_int_equal(rig.calls[POINT_IOMMUFD_CUT], kernel == SIM_KERNEL_PROPOSED);
    assert_int_equal(rig.calls[POINT_IOMMUFD_UNMAP], native && kernel == SIM_KERNEL_PROPOSED);
    take_out(0, 1); /* one end, the other end, from both sides, a whole one */
    take_out(15, 1);
    take_out(3, 6);
    take_out(1, 2);
    assert_int_equal(mapped(false), bits(9, 6));
    assert_int_equal(convert(0, N_PAGES, false), 0);
    assert_int_equal(mapped(true), bits(0, 1) | bits(9, 1) | bits(15, 1));
    take_out(8, 8); /* three of them, two are cut or go */
    assert_int_equal(mapped(false), bits(0, 8));
}

static void a_part_goes(void **state)
{
    (void)state;
    on_each(part_goes);
}

/* The first unmap, or cut, fails; the state is as it was and the same works then. */
static void fail_once(unsigned point, int error, bool late, bool often)
{
    struct sim_fault fault = {.point = (uint16_t)point,
                              .error = (uint16_t)error,
                              .when = often ? SIM_FAULT_STICKY : SIM_FAULT_NTH,
                              .late = late,
                              .value = 1};
    uint64_t before = mapped(false);

    if (sim_fault_arm(rig.w, &fault))
        return; /* no such errno there */
    rig.must_stay = before & ~bits(5, 6);
    int rc = convert(5, 6, true);
    sim_fault_disarm_all(rig.w);
    assert_false(vmm_stopped(rig.vmm));
    assert_int_equal(rig.went, 0);
    if (rc) {
        assert_int_equal(rc, -error);
        assert_int_equal(mapped(false), before);
        take_out(5, 6);
    }
    rig.must_stay = 0;
    assert_int_equal(mapped(false), before & ~bits(5, 6));
    /* Two mappings beside each other again, and another cut through both. */
    assert_int_equal(convert(0, N_PAGES, true), 0);
    assert_int_equal(convert(0, 8, false), 0);
    assert_int_equal(convert(8, 8, false), 0);
}

static void each_step_fails(enum vmm_iommu iommu, enum sim_kernel kernel)
{
    static const unsigned points[] = {POINT_VFIO_UNMAP, POINT_IOMMUFD_UNMAP, POINT_IOMMUFD_CUT,
                                      POINT_KVM_SET_ATTRIBUTES};
    static const int errors[] = {EFAULT, EINVAL, EBUSY, ENOMEM, ENOENT};

    (void)iommu, (void)kernel;
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    assert_int_equal(convert(0, 8, false), 0);
    assert_int_equal(convert(8, 8, false), 0);
    for (size_t p = 0; p < sizeof points / sizeof points[0]; p++)
        for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++)
            for (int how = 0; how < 4; how++)
                if (points[p] != POINT_KVM_SET_ATTRIBUTES || how < 2)
                    fail_once(points[p], errors[e], how & 1, how & 2);
}

static void steps_fail(void **state)
{
    (void)state;
    on_each(each_step_fails);
}

/* What makes an address space ready for it fails: there is no device then, and nothing left. */
static void preparing_fails(enum vmm_iommu iommu, enum sim_kernel kernel)
{
    static const unsigned points[] = {POINT_IOMMUFD_CUT, POINT_IOMMUFD_VFIO_IOAS,
                                      POINT_IOMMUFD_OPTION};
    unsigned failed = 0;

    for (size_t p = 0; p < sizeof points / sizeof points[0]; p++) {
        struct sim_fault fault = {
            .point = (uint16_t)points[p], .error = EFAULT, .when = SIM_FAULT_NTH, .value = 1};
        struct observe_totals before, after;

        rig.o->totals(rig.o->ctx, &before);
        assert_int_equal(sim_fault_arm(rig.w, &fault), 0);
        int rc = vmm_device_attach(rig.vmm, 0, 0);
        sim_fault_disarm_all(rig.w);
        failed += rc != 0;
        if (rc == 0)
            assert_int_equal(vmm_device_detach(rig.vmm, 0), 0);
        else
            assert_int_equal(rc, -EFAULT);
        rig.o->totals(rig.o->ctx, &after);
        assert_int_equal(before.fds, after.fds);
    }
    bool native = iommu == VMM_IOMMU_IOMMUFD;
    assert_int_equal(failed, kernel != SIM_KERNEL_PROPOSED ? 2 : native ? 1 : 2);
}

static void preparations_fail(void **state)
{
    (void)state;
    on_each(preparing_fails);
}

static void type1_cannot(void **state)
{
    uint32_t index;

    (void)state;
    build(VMM_IOMMU_IOMMUFD, SIM_KERNEL_6_12);
    assert_int_equal(vmm_container_add(rig.vmm, VMM_IOMMU_TYPE1, true, &index), -EINVAL);
    assert_int_equal(vmm_container_add(rig.vmm, VMM_IOMMU_TYPE1V1, true, &index), -EINVAL);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/cut/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/cut/part", a_part_goes, NULL, NULL, NULL},
        {"core/cut/fails", steps_fail, NULL, NULL, NULL},
        {"core/cut/preparing-fails", preparations_fail, NULL, NULL, NULL},
        {"core/cut/type1", type1_cannot, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/cut", tests, NULL, NULL);
}
