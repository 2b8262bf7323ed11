/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO type1 in the mock kernel: what UNMAP_DMA removes, refuses and reports (behaviour.md 5.3,
 * nested.md 3).
 */
#include "vfio_fixture.h"

static struct fixture fx;
static uint64_t ram; /* 16 MiB */

#define RAM_SIZE (16 * MiB)
#define IOVA     (1 * MiB)

static int setup(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    return 0;
}

static int setup_v1(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1_IOMMU, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return fx_counts_agree(&fx) ? 0 : -1;
}

/* A mapping that a wrong unmap left must be seen, or no test here proves anything. */
static void test_checker_sees_leftover(void **state)
{
    (void)state;
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_false(fx_nothing_mapped(&fx));
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_true(fx_nothing_mapped(&fx));
}

/* behaviour.md 5.3: argsz, flags, alignment, size, wrap */
static void test_unmap_arguments(void **state)
{
    (void)state;
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u) - 1, .size = PS};
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_UNMAP_DMA, &u), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, IOVA, PS, 1 << 7), -EINVAL);
    assert_int_equal(fx_unmap(&fx, IOVA, 0), -EINVAL);
    assert_int_equal(fx_unmap(&fx, IOVA, 100), -EINVAL);
    assert_int_equal(fx_unmap(&fx, IOVA + 1, PS), -EINVAL);
    assert_int_equal(fx_unmap(&fx, -PS, 2 * PS), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 0, -PS), 0);
}

/* behaviour.md 5.3: a bitmap needs tracking, and excludes ALL */
static void test_unmap_dirty_bitmap(void **state)
{
    (void)state;
    const uint32_t dirty = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    assert_int_equal(fx_unmap_flags(&fx, IOVA, PS, dirty), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, 0, 0, dirty | VFIO_DMA_UNMAP_FLAG_ALL), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, IOVA, PS, VFIO_DMA_UNMAP_FLAG_VADDR), -EINVAL);
}

/* behaviour.md 5.3: nothing there is success with size 0 */
static void test_unmap_nothing(void **state)
{
    (void)state;
    assert_int_equal(fx_unmap(&fx, IOVA, PS), 0);
    assert_int_equal(fx_unmap_flags(&fx, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
}

/* behaviour.md 5.3, v2: either end inside a mapping is EINVAL and nothing goes */
static void test_unmap_bisect(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 2 * MiB, ram, 2 * MiB, RW), 0);
    assert_int_equal(fx_map(&fx, 4 * MiB, ram, PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, 2 * MiB, PS), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 3 * MiB, PS), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 4 * MiB - PS, PS), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 1 * MiB, 2 * MiB), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 3 * MiB, 2 * MiB), -EINVAL);
    assert_int_equal(fx_counts(&fx).entries, 2);
    assert_int_equal(fx_unmap(&fx, 0, 8 * MiB), 2 * MiB + PS);
}

/* A range that removes a whole mapping and cuts the next takes neither. */
static void test_unmap_bisect_is_atomic(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + PS, ram, 2 * PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, IOVA, 2 * PS), -EINVAL);
    assert_int_equal(fx_counts(&fx).mapped_pages, 3);
}

/* behaviour.md 5.3: holes are fine, the size is what really went */
static void test_unmap_over_holes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(fx_map(&fx, IOVA + i * PS, ram + i * PS, PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, IOVA + 100 * PS, PS), PS);
    assert_int_equal(fx_mapping(&fx, IOVA + 100 * PS).frame, 0);
    assert_int_not_equal(fx_mapping(&fx, IOVA + 101 * PS).frame, 0);
    assert_int_equal(fx_unmap(&fx, IOVA, 512 * PS), 511 * PS);
    assert_true(fx_nothing_mapped(&fx));
}

/* behaviour.md 5.3: ALL takes no range */
static void test_unmap_all(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, 4 * GiB, ram, 2 * PS, RW), 0);
    assert_int_equal(fx_unmap_flags(&fx, 0, PS, VFIO_DMA_UNMAP_FLAG_ALL), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, PS, 0, VFIO_DMA_UNMAP_FLAG_ALL), -EINVAL);
    assert_int_equal(fx_unmap_flags(&fx, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 3 * PS);
    assert_true(fx_nothing_mapped(&fx));
}

/* behaviour.md 5.3, v1: a first byte takes the whole mapping, a middle takes nothing */
static void test_v1_unmap(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 2 * MiB, ram, 2 * MiB, RW), 0);
    assert_int_equal(fx_map(&fx, 4 * MiB, ram, PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, 3 * MiB, PS), 0);
    assert_int_equal(fx_unmap(&fx, 3 * MiB, 2 * MiB), 0);
    assert_int_equal(fx_counts(&fx).entries, 2);
    assert_int_equal(fx_unmap(&fx, 2 * MiB, PS), 2 * MiB);
    assert_int_equal(fx_unmap(&fx, 4 * MiB, PS), PS);
}

/* What 7.3 answers otherwise (behaviour.md 5.1, 5.3): a wrap has its own errno, and of a map it
 * comes before access and alignment. */
static int setup_7_3(void **state)
{
    struct sim_config config = {
        .page_size = PS, .kernel = SIM_KERNEL_7_3, .memlock_pages = UINT64_MAX, .n_groups = 3};
    (void)state;
    fx.w = sim_world_new(sim_arena_get(), &config);
    fx.h = sim_host(fx.w);
    fx.o = sim_observe(fx.w);
    fx_open(&fx);
    ram = fx_ram(&fx, RAM_SIZE);
    return fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU);
}

static void test_7_3_wraps(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, -PS, ram, 2 * PS, RW), -EOVERFLOW);
    assert_int_equal(fx_map(&fx, 0, -PS, 2 * PS, RW), -EOVERFLOW);
    assert_int_equal(fx_map(&fx, -PS + 1, ram, 2 * PS, 0), -EOVERFLOW);
    assert_int_equal(fx_map(&fx, -PS, ram, 2 * PS, 1 << 7), -EINVAL);
    assert_int_equal(fx_map(&fx, 0, ram, 0, RW), -EINVAL);
    assert_int_equal(fx_unmap(&fx, -PS, 2 * PS), -EOVERFLOW);
    assert_int_equal(fx_unmap(&fx, -PS + 1, 2 * PS), -EINVAL);
}

/* The last page does not wrap: refused only because no IOMMU here reaches it (D14). */
static void test_last_page(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, -PS, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_unmap(&fx, -PS, PS), 0);
}

#define CASE(name, fn, prepare)                                                                \
    {                                                                                          \
        "sim/type1/" name, fn, prepare, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("unmap-checker-sees-leftover", test_checker_sees_leftover, setup),
        CASE("unmap-arguments", test_unmap_arguments, setup),
        CASE("unmap-dirty-bitmap", test_unmap_dirty_bitmap, setup),
        CASE("unmap-nothing", test_unmap_nothing, setup),
        CASE("unmap-bisect", test_unmap_bisect, setup),
        CASE("unmap-bisect-is-atomic", test_unmap_bisect_is_atomic, setup),
        CASE("unmap-over-holes", test_unmap_over_holes, setup),
        CASE("unmap-all", test_unmap_all, setup),
        CASE("v1-unmap", test_v1_unmap, setup_v1),
        CASE("7-3-wraps", test_7_3_wraps, setup_7_3),
        CASE("last-page", test_last_page, setup),
    };
    return cmocka_run_group_tests_name("sim/type1-unmap", tests, NULL, NULL);
}
