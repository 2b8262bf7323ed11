/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO's own ioctls on an iommufd, in the mock kernel: a group that is put into it, version 1
 * and version 2, what is cut and what is not (behaviour.md 6.7, 9.2).
 */
#include "iommufd_fixture.h"

static struct fixture fx;
static uint64_t ram;

#define RAM_SIZE (16 * MiB)
#define IOVA     (1 * MiB)

/* A group in an iommufd that takes a container's place; its device is not open yet. */
static int start(void)
{
    io_world(&fx, SIM_KERNEL_6_12, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    fx.container = io_open(&fx);
    fx.group = fx_group_path(&fx, 0);
    return fx_set_container(&fx, fx.group, fx.container);
}

static int open_device(void)
{
    return fx.device = fx_device_fd(&fx, fx.group, 0);
}

static int setup(void **state)
{
    (void)state;
    return start();
}

static int setup_version(unsigned long version)
{
    int r = start();
    r = r ? r : fx_set_iommu(&fx, version);
    return r ? r : open_device() < 0;
}

static int setup_v1(void **state)
{
    (void)state;
    return setup_version(VFIO_TYPE1_IOMMU);
}

static int setup_v2(void **state)
{
    (void)state;
    return setup_version(VFIO_TYPE1v2_IOMMU);
}

/* An iommufd of nobody's. */
static int setup_bare(void **state)
{
    (void)state;
    io_world(&fx, SIM_KERNEL_6_12, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    fx.container = io_open(&fx);
    return fx.container < 0;
}

static int teardown(void **state)
{
    (void)state;
    if (fx.device >= 0)
        host_close(&fx.h, fx.device);
    if (fx.group >= 0)
        host_close(&fx.h, fx.group);
    host_close(&fx.h, fx.container);
    struct observe_totals t = fx_totals(&fx);
    return t.pins || t.fds || fx_counts(&fx).open ? -1 : 0;
}

/* What the kernel wrote back, whatever it returned. */
static int unmap_size(uint64_t iova, uint64_t size, uint32_t flags, uint64_t *out)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};
    int r = host_ioctl(&fx.h, fx.container, VFIO_IOMMU_UNMAP_DMA, &u);
    *out = u.size;
    return r;
}

/* ---- groups ---- */
static void test_group_brings_an_ioas(void **state)
{
    uint32_t id = 0;
    (void)state;
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_GET, &id), 0);
    assert_int_equal(id, 1);
    assert_true(fx_counts(&fx).open);
    assert_int_equal(fx_set_container(&fx, fx.group, fx.container), -EINVAL);
}

static void test_group_status(void **state)
{
    struct vfio_group_status s = {.argsz = sizeof(s)};
    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_GET_STATUS, &s), 0);
    assert_int_equal(s.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EINVAL);
}

/* The device attaches when its fd is asked for; what cannot be pinned refuses it then. */
static void test_device_fd_pins(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 2 * PS, RW), 0);
    assert_int_equal(fx_map(&fx, 2 * IOVA, ram + RAM_SIZE, PS, RW), 0);
    assert_int_equal(fx_totals(&fx).pins, 0);
    assert_int_equal(open_device(), -EFAULT);
    assert_int_equal(fx_totals(&fx).pins, 0);
    assert_int_equal(fx_unmap(&fx, 2 * IOVA, PS), PS);
    assert_true(open_device() >= 0);
    assert_int_equal(fx_totals(&fx).pins, 2);
}

/* Closed in any order, the last one takes everything along. */
static void test_device_keeps_all(void **state)
{
    uint64_t token;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(host_close(&fx.h, fx.container), 0);
    assert_int_equal(host_close(&fx.h, fx.group), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), 0);
    assert_int_equal(fx_group_path(&fx, 0), -EBUSY);
    assert_int_equal(host_close(&fx.h, fx.device), 0);
    assert_false(fx_counts(&fx).open);
    fx.group = fx_group_path(&fx, 0);
    fx.device = -1;
    fx.container = io_open(&fx);
    assert_true(fx.group >= 0);
}

static void test_two_fds_of_a_device(void **state)
{
    int again = fx_device_fd(&fx, fx.group, 0);
    (void)state;
    assert_true(again >= 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(host_close(&fx.h, again), 0);
    assert_int_equal(fx_totals(&fx).pins, 1);
}

/* ---- without an IOAS ---- */
static void test_no_ioas(void **state)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
    uint32_t id = 0;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, 1 << 7), -EINVAL); /* before the IOAS */
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -ENODEV);
    assert_int_equal(fx_unmap_flags(&fx, IOVA, PS, 1 << 7), -EINVAL);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), -ENODEV);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), -ENODEV);
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_GET_INFO, &info), -ENODEV);
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
}

/* Any IOAS can be made the one that is meant, and be it no longer. */
static void test_choose_ioas(void **state)
{
    uint32_t id;
    (void)state;
    assert_int_equal(io_alloc(&fx, fx.container, &id), 0);
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_SET, &id), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(io_unmap(&fx, fx.container, id, IOVA, PS), PS);
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_CLEAR, &id), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -ENODEV);
    id = 99;
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_SET, &id), -ENOENT);
    assert_int_equal(io_vfio_ioas(&fx, fx.container, 9, &id), -EOPNOTSUPP);
}

static void test_destroyed_ioas_is_forgotten(void **state)
{
    uint32_t id;
    (void)state;
    assert_int_equal(io_alloc(&fx, fx.container, &id), 0);
    assert_int_equal(io_vfio_ioas(&fx, fx.container, IOMMU_VFIO_IOAS_SET, &id), 0);
    assert_int_equal(io_destroy(&fx, fx.container, id), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -ENODEV);
}

/* ---- questions ---- */
static void test_extensions(void **state)
{
    static const int answers[] = {0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0};
    (void)state;
    for (unsigned long i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_CHECK_EXTENSION, (void *)i),
                         answers[i]);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1_NESTING_IOMMU), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fx.container, _IO(VFIO_TYPE, VFIO_BASE + 17), NULL),
                     -ENOTTY);
}

static void test_no_entry_limit(void **state)
{
    (void)state;
    assert_int_equal(fx_avail(&fx), UINT32_MAX);
    sim_set_entry_limit(fx.w, 1);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(fx_map(&fx, IOVA + i * PS, ram, PS, RW), 0);
    assert_int_equal(fx_avail(&fx), UINT32_MAX);
}

/* ---- mapping ---- */
static void test_map_arguments(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, VFIO_DMA_MAP_FLAG_VADDR), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, 0), 0); /* reaches nothing, is there */
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, -PS, ram, 2 * PS, RW), -EOVERFLOW);
    assert_int_equal(fx_map(&fx, 0xfee00000, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, 2 * IOVA, ram + RAM_SIZE, PS, RW), -EFAULT);
}

/* ---- unmapping ---- */
static void test_unmap_nothing(void **state)
{
    uint64_t out;
    (void)state;
    assert_int_equal(fx_unmap(&fx, IOVA, PS), 0);
    assert_int_equal(fx_unmap_flags(&fx, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
    assert_int_equal(fx_unmap(&fx, IOVA, 0), -EINVAL);
    assert_int_equal(unmap_size(-PS, 2 * PS, 0, &out), -EOVERFLOW);
    assert_int_equal(out, 0); /* what was unmapped, whatever the errno */
}

static void test_unmap_flags(void **state)
{
    (void)state;
    assert_int_equal(fx_unmap_flags(&fx, IOVA, PS, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP),
                     -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, IOVA, 0, VFIO_DMA_UNMAP_FLAG_ALL), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, 0, PS, VFIO_DMA_UNMAP_FLAG_ALL), -EINVAL);
}

static void test_v2_does_not_cut(void **state)
{
    uint64_t out;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 2 * MiB, RW), 0);
    for (uint64_t i = 0; i < 2 * MiB; i += MiB / 8)
        assert_int_equal(unmap_size(IOVA + i, MiB / 8, 0, &out), -ENOENT);
    assert_int_equal(fx_counts(&fx).mapped_pages, 2 * MiB / PS);
}

/* The size is written although the unmap failed: what was unmapped before it did. */
static void test_size_of_half_an_unmap(void **state)
{
    uint64_t out;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 2 * PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + 2 * PS, ram, 2 * PS, RW), 0);
    assert_int_equal(unmap_size(IOVA, 3 * PS, 0, &out), -ENOENT);
    assert_int_equal(out, 2 * PS);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

static void test_v1_cuts(void **state)
{
    static const unsigned order[8] = {5, 0, 7, 2, 6, 1, 4, 3};
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 8 * PS, RW), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(fx_unmap(&fx, IOVA + order[i] * PS, PS), PS);
        assert_int_equal(fx_mapping(&fx, IOVA + order[i] * PS).frame, 0);
        assert_int_equal(fx_totals(&fx).pins, 7 - i);
    }
}

/* Huge pages off make version 2 cut as well. */
static void test_v2_cuts_without_huge_pages(void **state)
{
    (void)state;
    assert_int_equal(io_set_option(&fx, fx.container, IOMMU_OPTION_HUGE_PAGES, 1, 0), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, 8 * PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, IOVA + 3 * PS, PS), PS);
    assert_int_equal(fx_counts(&fx).entries, 2);
    assert_true(fx_mapping(&fx, IOVA + 4 * PS).head);
    /* A native unmap takes whole areas only, as before. */
    assert_int_equal(io_unmap(&fx, fx.container, 1, IOVA, PS), -ENOENT);
    assert_int_equal(io_unmap(&fx, fx.container, 1, IOVA, 8 * PS), 7 * PS);
}

/* What could not be cut: nothing is unmapped, no size is written. */
static void test_cut_not_aligned(void **state)
{
    uint64_t out;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 8 * PS, RW), 0);
    assert_int_equal(unmap_size(IOVA + 8, PS, 0, &out), -EINVAL);
    assert_int_equal(out, PS);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

/* An end that was cut stays cut when the start cannot be. */
static void test_cut_of_one_end_stays(void **state)
{
    uint64_t out;
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 8 * PS, RW), 0);
    assert_int_equal(unmap_size(IOVA + 8, 2 * PS - 8, 0, &out), -EINVAL);
    assert_int_equal(fx_counts(&fx).entries, 2);
    assert_int_equal(fx_counts(&fx).mapped_pages, 8);
}

static void test_v1_too_late(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1_IOMMU), -EINVAL);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1_IOMMU), 0);
}

#define CASE(name, fn, setup)                                                                  \
    {                                                                                          \
        "sim/compat/" name, fn, setup, teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("group-brings-an-ioas", test_group_brings_an_ioas, setup),
        CASE("group-status", test_group_status, setup),
        CASE("device-fd-pins", test_device_fd_pins, setup),
        CASE("device-keeps-all", test_device_keeps_all, setup_v2),
        CASE("two-fds-of-a-device", test_two_fds_of_a_device, setup_v2),
        CASE("no-ioas", test_no_ioas, setup_bare),
        CASE("choose-ioas", test_choose_ioas, setup_bare),
        CASE("destroyed-ioas-is-forgotten", test_destroyed_ioas_is_forgotten, setup_bare),
        CASE("extensions", test_extensions, setup),
        CASE("no-entry-limit", test_no_entry_limit, setup_v2),
        CASE("map-arguments", test_map_arguments, setup_v2),
        CASE("unmap-nothing", test_unmap_nothing, setup_v2),
        CASE("unmap-flags", test_unmap_flags, setup_v2),
        CASE("v2-does-not-cut", test_v2_does_not_cut, setup_v2),
        CASE("size-of-half-an-unmap", test_size_of_half_an_unmap, setup_v2),
        CASE("v1-cuts", test_v1_cuts, setup_v1),
        CASE("v2-cuts-without-huge-pages", test_v2_cuts_without_huge_pages, setup_v2),
        CASE("cut-not-aligned", test_cut_not_aligned, setup_v1),
        CASE("cut-of-one-end-stays", test_cut_of_one_end_stays, setup_v1),
        CASE("v1-too-late", test_v1_too_late, setup_v2),
    };

    return cmocka_run_group_tests_name("sim/compat", tests, NULL, NULL);
}
