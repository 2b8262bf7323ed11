/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iommufd in the mock kernel without a device: unmap, copy, options, cut, faults (behaviour.md
 * 6.3 to 6.5, 9.2). */
#include "iommufd_alone_fixture.h"

static int setup_proposed(void **state)
{
    (void)state;
    return start(SIM_KERNEL_PROPOSED);
}

/* ---- unmapping ---- */
static void test_unmap_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(unmap(IOVA, 10 * PS), -ENOENT);
}

static void test_unmap_halves(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 2 * PS), 0);
    assert_int_equal(unmap(IOVA, PS), -ENOENT);
    assert_int_equal(unmap(IOVA + PS, PS), -ENOENT);
    assert_int_equal(unmap(IOVA, 2 * PS), 2 * PS);
}

/* Four areas of 8 pages, 16 apart. */
static void map_four(void)
{
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(map(IOVA + 16 * i * PS, 8 * PS), 0);
}

static void test_unmap_cut_at_start(void **state)
{
    (void)state;
    map_four();
    assert_int_equal(unmap(IOVA + 4 * PS, 60 * PS), -ENOENT);
    assert_int_equal(fx_counts(&fx).entries, 4);
}

/* Not atomic: what came before the cut is gone, and nobody is told how much. */
static void test_unmap_cut_at_end(void **state)
{
    (void)state;
    map_four();
    assert_int_equal(unmap(IOVA, 52 * PS), -ENOENT);
    assert_int_equal(fx_counts(&fx).entries, 1);
    assert_int_equal(unmap(IOVA + 48 * PS, 8 * PS), 8 * PS);
}

static void test_unmap_all_four(void **state)
{
    (void)state;
    map_four();
    assert_int_equal(unmap(IOVA - 16 * PS, 96 * PS), 32 * PS);
}

/* "All" reaches an area that no range of two halves could take (D14). */
static void test_unmap_all_takes_the_middle(void **state)
{
    uint64_t half = 1ull << 63;
    (void)state;
    assert_int_equal(map(half - PS, 2 * PS), 0);
    assert_int_equal(unmap(0, half), -ENOENT);
    assert_int_equal(unmap(half, half), -ENOENT);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), 2 * PS);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), 0);
}

/* The last byte can be mapped and unmapped too (D14). */
static void test_unmap_last_page(void **state)
{
    (void)state;
    assert_int_equal(map(-PS, PS), 0);
    assert_int_equal(unmap(-PS, PS), PS);
}

static void test_unmap_overflows(void **state)
{
    (void)state;
    assert_int_equal(unmap(UINT64_MAX, PS), -EOVERFLOW);
    assert_int_equal(unmap(1, UINT64_MAX), -EOVERFLOW);
    assert_int_equal(io_unmap(&fx, fd, 99, UINT64_MAX, 0), -ENOENT);
}

/* ---- copies ---- */
static void test_copy_needs_no_gap(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(map(IOVA + PS, PS), 0);
    assert_int_equal(map(IOVA + 3 * PS, PS), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA, 2 * PS), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 3 * IOVA, ioas, IOVA, 4 * PS), -ENOENT);
    assert_int_equal(fx_counts(&fx).entries, 5);
}

static void test_copy_of_read_only(void **state)
{
    uint64_t iova = IOVA;
    (void)state;
    assert_int_equal(
        io_map_flags(&fx, fd, ioas, &iova, ram, PS, IO_FIXED | IOMMU_IOAS_MAP_READABLE), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA, PS), -EPERM);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

static void test_copy_bad_arguments(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA, 0), -EINVAL);
    assert_int_equal(io_copy(&fx, fd, ioas, UINT64_MAX, ioas, IOVA, PS), -EOVERFLOW);
    assert_int_equal(io_copy(&fx, fd, ioas, 0, ioas, UINT64_MAX - 1, PS), -EOVERFLOW);
    assert_int_equal(io_copy(&fx, fd, 99, 2 * IOVA, ioas, IOVA, PS), -ENOENT);
}

/* ---- options ---- */
static void test_huge_pages_option(void **state)
{
    (void)state;
    assert_int_equal(io_get_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas), 1);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 2), -EINVAL);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, 99, 0), -ENOENT);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0), 0);
    assert_int_equal(io_get_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas), 0);
    assert_int_equal(map(IOVA + 1, PS), -EINVAL);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 1), 0);
    assert_int_equal(map(IOVA + 1, PS), 0);
}

static void test_huge_pages_off_wants_alignment(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 100), 0);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0), -EADDRINUSE);
    assert_int_equal(io_get_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas), 1);
}

static void test_rlimit_mode_option(void **state)
{
    (void)state;
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1), -EBUSY);
    assert_int_equal(io_destroy(&fx, fd, ioas), 0);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2), -EINVAL);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_RLIMIT_MODE, 1, 1), -EOPNOTSUPP);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1), 0);
    assert_int_equal(io_get_option(&fx, fd, IOMMU_OPTION_RLIMIT_MODE, 0), 1);
}

/* ---- cutting (proposed) ---- */
static void test_cut_is_proposed_only(void **state)
{
    (void)state;
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA, PS), -ENOTTY);
}

static void test_cut_then_unmap_the_part(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 8 * PS), 0);
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA + 2 * PS, 3 * PS), 0);
    assert_int_equal(fx_counts(&fx).entries, 3);
    assert_int_equal(unmap(IOVA + 2 * PS, 3 * PS), 3 * PS);
    assert_int_equal(unmap(IOVA, 2 * PS), 2 * PS);
    assert_int_equal(unmap(IOVA + 5 * PS, 3 * PS), 3 * PS);
}

static void test_cut_where_nothing_reaches_across(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 2 * PS), 0);
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA, 2 * PS), 0);
    assert_int_equal(io_cut(&fx, fd, ioas, 8 * IOVA, PS), 0);
    assert_int_equal(io_cut(&fx, fd, ioas, 0, PS), 0);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

static void test_cut_bad_arguments(void **state)
{
    struct iommu_ioas_cut c = {.size = sizeof(c), .ioas_id = ioas, .iova = IOVA, .length = PS};
    (void)state;
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA, 0), -EINVAL);
    assert_int_equal(io_cut(&fx, fd, ioas, -PS, 2 * PS), -EOVERFLOW);
    assert_int_equal(io_cut(&fx, fd, 99, IOVA, PS), -ENOENT);
    c.flags = 1;
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_CUT, &c), -EOPNOTSUPP);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0), 0);
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA + 1, PS), -EINVAL);
}

/* ---- faults: what a late EFAULT leaves ---- */
static void arm(unsigned point, int error, bool late)
{
    struct sim_fault f = {.point = (uint16_t)point,
                          .error = (uint16_t)error,
                          .when = SIM_FAULT_NTH,
                          .late = late,
                          .value = 1};
    assert_int_equal(sim_fault_arm(fx.w, &f), 0);
}

static void test_late_efault_of_map(void **state)
{
    (void)state;
    arm(POINT_IOMMUFD_MAP, EFAULT, true);
    assert_int_equal(map(IOVA, PS), -EFAULT);
    assert_int_equal(map(IOVA, PS), -EEXIST);
}

static void test_late_efault_of_unmap(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    arm(POINT_IOMMUFD_UNMAP, EFAULT, true);
    assert_int_equal(unmap(IOVA, PS), -EFAULT);
    assert_int_equal(unmap(IOVA, PS), -ENOENT);
}

/* Somebody else is at the area (D8). */
static void test_busy_unmap(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    arm(POINT_IOMMUFD_UNMAP, EBUSY, false);
    assert_int_equal(unmap(IOVA, PS), -EBUSY);
    assert_int_equal(unmap(IOVA, PS), PS);
}

/* ... and it is the last one of the range: the first ones are gone by then. */
static void test_busy_at_the_end(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(map(IOVA + i * PS, PS), 0);
    arm(POINT_IOMMUFD_UNMAP, EBUSY, false);
    assert_int_equal(unmap(IOVA, 3 * PS), -EBUSY);
    assert_int_equal(unmap(IOVA, 2 * PS), -ENOENT);
    assert_int_equal(unmap(IOVA, 3 * PS), PS);
}

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/iommufd/" name, fn, setup, teardown, NULL                                         \
    }
#define CASE_PROPOSED(name, fn)                                                                \
    {                                                                                          \
        "sim/iommufd/" name, fn, setup_proposed, teardown, NULL                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("unmap-nothing", test_unmap_nothing),
        CASE("unmap-halves", test_unmap_halves),
        CASE("unmap-cut-at-start", test_unmap_cut_at_start),
        CASE("unmap-cut-at-end", test_unmap_cut_at_end),
        CASE("unmap-all-four", test_unmap_all_four),
        CASE("unmap-all-takes-the-middle", test_unmap_all_takes_the_middle),
        CASE("unmap-last-page", test_unmap_last_page),
        CASE("unmap-overflows", test_unmap_overflows),
        CASE("copy-needs-no-gap", test_copy_needs_no_gap),
        CASE("copy-of-read-only", test_copy_of_read_only),
        CASE("copy-bad-arguments", test_copy_bad_arguments),
        CASE("huge-pages-option", test_huge_pages_option),
        CASE("huge-pages-off-wants-alignment", test_huge_pages_off_wants_alignment),
        CASE("rlimit-mode-option", test_rlimit_mode_option),
        CASE("cut-is-proposed-only", test_cut_is_proposed_only),
        CASE_PROPOSED("cut-then-unmap-the-part", test_cut_then_unmap_the_part),
        CASE_PROPOSED("cut-where-nothing-reaches-across",
                      test_cut_where_nothing_reaches_across),
        CASE_PROPOSED("cut-bad-arguments", test_cut_bad_arguments),
        CASE("late-efault-of-map", test_late_efault_of_map),
        CASE("late-efault-of-unmap", test_late_efault_of_unmap),
        CASE("busy-unmap", test_busy_unmap),
        CASE("busy-at-the-end", test_busy_at_the_end),
    };

    return cmocka_run_group_tests_name("sim/iommufd-unmap", tests, NULL, NULL);
}
