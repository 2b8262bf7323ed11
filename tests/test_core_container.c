/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kind of container of the core, on the mock kernel: what a device sees, and what each
 * answer of map and unmap means. ENOENT is the one that lies: iommufd says it for "nothing
 * there" and for "I would have to cut" (D2, D3, D5).
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

enum { N_PAGES = 16, GPA_PAGE = 16, FIRST = GPA_PAGE };

struct rig {
    struct sim_world *w;
    struct host host;
    const struct observe *o;
    struct host_ops ops; /* the mock's, but for what a test puts before it */
    struct vmm *vmm;
    uint32_t fds; /* before any device */
    /* Of the next unmap of iommufd's only this many bytes are done, and EBUSY is said. */
    uint64_t unmap_half;
};

static struct rig rig;

static const enum vmm_iommu kinds[] = {VMM_IOMMU_TYPE1, VMM_IOMMU_TYPE1V1, VMM_IOMMU_IOMMUFD,
                                       VMM_IOMMU_COMPAT, VMM_IOMMU_COMPATV1};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static int half_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    const struct host real = sim_host(ctx);
    struct iommu_ioas_unmap *u = arg;

    if (request != IOMMU_IOAS_UNMAP || !rig.unmap_half)
        return real.ops->ioctl(ctx, caller, fd, request, arg);
    u->length = rig.unmap_half;
    rig.unmap_half = 0;
    int rc = real.ops->ioctl(ctx, caller, fd, request, arg);
    return rc ? rc : -EBUSY;
}

static uint32_t open_fds(void)
{
    struct observe_totals t;

    rig.o->totals(rig.o->ctx, &t);
    return t.fds;
}

/* One guest_memfd region of 16 pages, all private, one container that listens to all. */
static void build(enum vmm_iommu iommu)
{
    const struct sim_config sim = {.page_size = PS, .memlock_pages = UINT64_MAX, .n_groups = 2};
    const struct vmm_config config = {.page_size = PS, .n_vcpus = 1};
    const struct vmm_region_config ram = {
        .share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = N_PAGES * PS};
    const struct sync one_lane = {.ops = NULL};
    uint32_t index;

    memset(&rig, 0, sizeof rig);
    rig.w = sim_world_new(sim_arena_get(), &sim);
    rig.o = sim_observe(rig.w);
    rig.host = sim_host(rig.w);
    rig.ops = *rig.host.ops;
    rig.ops.ioctl = half_ioctl;
    rig.host.ops = &rig.ops;
    assert_int_equal(vmm_create(&rig.host, &one_lane, &config, &rig.vmm), 0);
    assert_int_equal(vmm_region_add(rig.vmm, &ram, &index), 0);
    assert_int_equal(vmm_section_add(rig.vmm, 0, 0, N_PAGES * PS, GPA_PAGE * PS), 0);
    assert_int_equal(vmm_container_add(rig.vmm, iommu, true, &index), 0);
    rig.fds = open_fds();
}

static void tear_down(void)
{
    struct observe_totals t;

    assert_int_equal(vmm_destroy(rig.vmm), 0);
    rig.o->totals(rig.o->ctx, &t);
    assert_int_equal(t.fds, 0);
    assert_int_equal(t.pins, 0);
    assert_int_equal(t.allocations, 0);
}

static int convert(uint64_t first, uint64_t n, bool to_private)
{
    return vmm_convert(rig.vmm, (GPA_PAGE + first) * PS, n * PS, to_private);
}

/* Pages of the region that the device reaches, as bits. */
static uint64_t mapped(void)
{
    uint64_t bits = 0;

    for (uint64_t i = 0; i < N_PAGES; i++) {
        struct observe_mapping m;

        rig.o->mapping(rig.o->ctx, 0, GPA_PAGE + i, &m);
        bits |= (uint64_t)(m.frame != 0) << i;
    }
    return bits;
}

static uint64_t shared(void)
{
    uint64_t bits = 0;

    vmm_populated_bits(rig.vmm, 0, 0, N_PAGES, &bits);
    return bits;
}

static void arm(unsigned point, int error, bool late, uint64_t hit)
{
    const struct sim_fault f = {.point = (uint16_t)point,
                                .error = (uint16_t)error,
                                .when = SIM_FAULT_NTH,
                                .late = late,
                                .value = hit};

    assert_int_equal(sim_fault_arm(rig.w, &f), 0);
}

static unsigned unmap_point(enum vmm_iommu iommu)
{
    return iommu == VMM_IOMMU_IOMMUFD ? POINT_IOMMUFD_UNMAP : POINT_VFIO_UNMAP;
}

static unsigned map_point(enum vmm_iommu iommu)
{
    return iommu == VMM_IOMMU_IOMMUFD ? POINT_IOMMUFD_MAP : POINT_VFIO_MAP;
}

/* A machine of each kind with pages 0..4 shared and a device. */
static void each_kind(void (*check)(enum vmm_iommu iommu))
{
    for (size_t i = 0; i < N_KINDS; i++) {
        build(kinds[i]);
        assert_int_equal(convert(0, 4, false), 0);
        assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
        assert_int_equal(mapped(), 0xf);
        check(kinds[i]);
        tear_down();
    }
}

/* ---- the plain way ---- */
static void check_lifecycle(enum vmm_iommu iommu)
{
    struct observe_container c;

    (void)iommu;
    assert_int_equal(convert(2, 4, false), 0);
    assert_int_equal(mapped(), 0x3f);
    assert_int_equal(convert(1, 2, true), 0);
    assert_int_equal(mapped(), 0x39);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 1), 0);
    assert_int_equal(vmm_device_detach(rig.vmm, 0), 0);
    assert_int_equal(mapped(), 0x39);
    assert_int_equal(sim_dma_write(rig.w, 1, FIRST * PS, 7), 0);
    assert_int_equal(vmm_device_detach(rig.vmm, 1), 0);
    rig.o->container(rig.o->ctx, 0, &c);
    assert_false(c.open);
    assert_int_equal(open_fds(), rig.fds);
}

static void lifecycle(void **state)
{
    (void)state;
    each_kind(check_lifecycle);
}

static void bad_kind(void **state)
{
    uint32_t index;

    (void)state;
    build(VMM_IOMMU_TYPE1);
    assert_int_equal(vmm_container_add(rig.vmm, (enum vmm_iommu)N_KINDS, true, &index),
                     -EINVAL);
    tear_down();
}

/* What is refused while a device is attached leaves neither file nor mapping. */
static void attach_fails(void **state)
{
    static const unsigned points[] = {POINT_IOMMUFD_IOAS_ALLOC, POINT_IOMMUFD_BIND,
                                      POINT_IOMMUFD_ATTACH, POINT_IOMMUFD_MAP};

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        build(VMM_IOMMU_IOMMUFD);
        assert_int_equal(convert(0, 4, false), 0);
        arm(points[i], ENOMEM, false, 1);
        assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), -ENOMEM);
        assert_int_equal(open_fds(), rig.fds);
        sim_name_next_container(rig.w, 0); /* the first try took the number */
        assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
        assert_int_equal(mapped(), 0xf);
        tear_down();
    }
}

/* ---- an unmap that fails ---- */
static void check_unmap_error(enum vmm_iommu iommu)
{
    int error = iommu == VMM_IOMMU_IOMMUFD ? EBUSY : EINVAL;

    arm(unmap_point(iommu), error, false, 1);
    assert_int_equal(convert(1, 2, true), -error);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(shared(), 0xf);
    assert_int_equal(convert(1, 2, true), 0);
    assert_int_equal(mapped(), 0x9);
}

/* D8: to private can fail. */
static void unmap_error(void **state)
{
    (void)state;
    each_kind(check_unmap_error);
}

/* D3: ENOENT of what the ledger says is there is no success. */
static void enoent_is_an_error(void **state)
{
    (void)state;
    build(VMM_IOMMU_IOMMUFD);
    assert_int_equal(convert(0, 4, false), 0);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    arm(POINT_IOMMUFD_UNMAP, ENOENT, false, 1);
    assert_int_equal(convert(1, 1, true), -ENOENT);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(shared(), 0xf);
    tear_down();
}

/* D5: done, and said to have failed. Asking again finds nothing, whatever that is called. */
static void check_late_unmap(enum vmm_iommu iommu)
{
    arm(unmap_point(iommu), EFAULT, true, 1);
    assert_int_equal(convert(1, 2, true), 0);
    assert_int_equal(mapped(), 0x9);
    assert_int_equal(shared(), 0x9);
}

static void late_unmap(void **state)
{
    (void)state;
    each_kind(check_late_unmap);
}

/* Not done, and then ENOENT although it is there: nothing there is not taken on trust. */
static void enoent_after_efault(void **state)
{
    (void)state;
    build(VMM_IOMMU_IOMMUFD);
    assert_int_equal(convert(0, 4, false), 0);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    arm(POINT_IOMMUFD_UNMAP, EFAULT, false, 1);
    arm(POINT_IOMMUFD_UNMAP, ENOENT, false, 2);
    assert_int_equal(convert(1, 1, true), -EFAULT);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(shared(), 0xf);
    tear_down();
}

/* The first of three mappings is gone when the second turns out to be busy. */
static void half_an_unmap(void **state)
{
    (void)state;
    build(VMM_IOMMU_IOMMUFD);
    assert_int_equal(convert(0, 4, false), 0);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    rig.unmap_half = PS;
    assert_int_equal(convert(1, 3, true), -EBUSY);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(shared(), 0xf);
    assert_int_equal(convert(1, 3, true), 0);
    assert_int_equal(mapped(), 0x1);
    tear_down();
}

/* ---- a map that fails ---- */
static void check_map_error(enum vmm_iommu iommu)
{
    arm(map_point(iommu), ENOMEM, false, 2);
    assert_int_equal(convert(4, 4, false), -ENOMEM);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(shared(), 0xf);
    assert_int_equal(convert(4, 4, false), 0);
}

static void map_error(void **state)
{
    (void)state;
    each_kind(check_map_error);
}

/* Mapped, and said to have failed: it must not stay. */
static void check_late_map(enum vmm_iommu iommu)
{
    arm(map_point(iommu), EFAULT, true, 2);
    assert_int_equal(convert(4, 4, false), -EFAULT);
    assert_int_equal(mapped(), 0xf);
    assert_int_equal(convert(4, 4, false), 0);
    assert_int_equal(mapped(), 0xff);
}

static void late_map(void **state)
{
    (void)state;
    each_kind(check_late_map);
}

/* The same, and the unmap that cleans up says ENOENT although it is there. */
static void enoent_after_late_map(void **state)
{
    (void)state;
    build(VMM_IOMMU_IOMMUFD);
    assert_int_equal(vmm_device_attach(rig.vmm, 0, 0), 0);
    arm(POINT_IOMMUFD_MAP, EFAULT, true, 1);
    arm(POINT_IOMMUFD_UNMAP, ENOENT, false, 1);
    assert_int_equal(convert(4, 1, false), -EFAULT);
    assert_int_equal(mapped(), 0);
    assert_int_equal(convert(4, 1, false), 0);
    tear_down();
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/container/" name, fn, NULL, NULL, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("lifecycle", lifecycle),
        TEST("bad-kind", bad_kind),
        TEST("attach-fails", attach_fails),
        TEST("D8-unmap-error", unmap_error),
        TEST("D3-enoent-is-an-error", enoent_is_an_error),
        TEST("D5-late-unmap", late_unmap),
        TEST("enoent-after-efault", enoent_after_efault),
        TEST("half-an-unmap", half_an_unmap),
        TEST("map-error", map_error),
        TEST("late-map", late_map),
        TEST("enoent-after-late-map", enoent_after_late_map),
    };

    return cmocka_run_group_tests_name("core/container", tests, NULL, NULL);
}
