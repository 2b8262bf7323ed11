/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd in the mock kernel without a device: framing, objects, what can be mapped where, and
 * the cases of the kernel's own selftests (behaviour.md 6, 9.2). The answers of a real kernel
 * are in test_answers.c; here is what it was not asked.
 */
#include "iommufd_alone_fixture.h"

/* ---- framing ---- */
static void test_short_struct(void **state)
{
    struct iommu_ioas_unmap u = {sizeof(u) - 8, ioas, IOVA, PS};
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_UNMAP, &u), -EINVAL);
    assert_int_equal(unmap(IOVA, PS), PS);
}

static void test_longer_struct_with_zeros(void **state)
{
    struct {
        struct iommu_ioas_unmap u;
        uint64_t more;
    } u = {{sizeof(u), ioas, IOVA, PS}, 0};
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_UNMAP, &u), 0);
}

static void test_longer_struct_with_more(void **state)
{
    struct {
        struct iommu_ioas_unmap u;
        uint64_t more;
    } u = {{sizeof(u), ioas, IOVA, PS}, 1};
    (void)state;
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_UNMAP, &u), -E2BIG);
}

static void test_no_struct(void **state)
{
    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_MAP, NULL), -EFAULT);
}

static void test_unknown_ioctl(void **state)
{
    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fd, _IO(IOMMUFD_TYPE, 0xf0), NULL), -ENOTTY);
}

static void test_reserved_fields(void **state)
{
    struct iommu_ioas_map m = {.size = sizeof(m), .flags = IO_RW, .ioas_id = ioas};
    struct iommu_ioas_alloc a = {.size = sizeof(a), .flags = 1};
    struct iommu_option o = {.size = sizeof(o), .option_id = 9};
    (void)state;
    m.__reserved = 1;
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_MAP, &m), -EOPNOTSUPP);
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_IOAS_ALLOC, &a), -EOPNOTSUPP);
    assert_int_equal(host_ioctl(&fx.h, fd, IOMMU_OPTION, &o), -EOPNOTSUPP);
}

/* ---- objects ---- */
static void test_lowest_free_id(void **state)
{
    uint32_t second, third, again;
    (void)state;
    assert_int_equal(ioas, 1);
    assert_int_equal(io_alloc(&fx, fd, &second), 0);
    assert_int_equal(io_alloc(&fx, fd, &third), 0);
    assert_int_equal(third, 3);
    assert_int_equal(io_destroy(&fx, fd, second), 0);
    assert_int_equal(io_alloc(&fx, fd, &again), 0);
    assert_int_equal(again, second);
}

static void test_contexts_are_apart(void **state)
{
    int other = io_open(&fx);
    (void)state;
    assert_int_equal(io_map(&fx, other, ioas, IOVA, ram, PS), -ENOENT);
    assert_int_equal(host_close(&fx.h, other), 0);
}

/* Each IOAS is a container of observe's, by the number that was named for it. */
static void test_ioas_has_a_number(void **state)
{
    struct observe_container c;
    uint32_t second;
    (void)state;
    sim_name_next_container(fx.w, 5);
    assert_int_equal(io_alloc(&fx, fd, &second), 0);
    fx.o->container(fx.o->ctx, 5, &c);
    assert_true(c.open);
    assert_int_equal(io_destroy(&fx, fd, second), 0);
    fx.o->container(fx.o->ctx, 5, &c);
    assert_false(c.open);
}

/* ---- mapping ---- */
static void test_nothing_is_pinned(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 4 * PS), 0);
    assert_int_equal(fx_totals(&fx).pins, 0);
    assert_int_equal(fx_totals(&fx).frames, 0);
    assert_int_equal(fx_mapping(&fx, IOVA).frame, 0);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

static void test_map_overflows(void **state)
{
    uint64_t iova = UINT64_MAX;
    (void)state;
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, PS, IO_FIXED | IO_RW), -EOVERFLOW);
    iova = IOVA;
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, UINT64_MAX, IO_FIXED | IO_RW),
                     -EOVERFLOW);
    assert_int_equal(io_map(&fx, fd, ioas, IOVA, UINT64_MAX - PS + 1, 2 * PS), -EOVERFLOW);
}

/* Each breaks two rules. */
static void test_map_order_of_checks(void **state)
{
    uint64_t iova = UINT64_MAX;
    (void)state;
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, PS, 1 << 9), -EOPNOTSUPP);
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, PS, 0), -EOVERFLOW);
    iova = IOVA;
    assert_int_equal(io_map_flags(&fx, fd, 99, &iova, ram, PS, 0), -EINVAL);
    assert_int_equal(io_map(&fx, fd, 99, IOVA, ram, 0), -ENOENT);
    assert_int_equal(map(IOVA, PS), 0);
    assert_int_equal(map(IOVA, 0), -EINVAL);
    assert_int_equal(io_map(&fx, fd, ioas, -PS, ram, 2 * PS), -EOVERFLOW);
}

/* Overlap at either side, in the middle, around. */
static void test_map_over_existing(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 2 * PS), 0);
    assert_int_equal(map(IOVA, PS), -EEXIST);
    assert_int_equal(map(IOVA + PS, PS), -EEXIST);
    assert_int_equal(map(IOVA - PS, 2 * PS), -EEXIST);
    assert_int_equal(map(IOVA - PS, 4 * PS), -EEXIST);
    assert_int_equal(map(IOVA + 2 * PS, PS), 0);
}

static void test_no_entry_limit(void **state)
{
    (void)state;
    sim_set_entry_limit(fx.w, 1);
    for (uint64_t i = 0; i < 64; i++)
        assert_int_equal(map(IOVA + i * PS, PS), 0);
    assert_int_equal(fx_counts(&fx).entries, 64);
}

/* ---- automatic IOVAs ---- */
static uint64_t map_auto(uint64_t vaddr, uint64_t size)
{
    uint64_t iova = 0;
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, vaddr, size, IO_RW), 0);
    return iova;
}

/* As the memory lies, up to the length: huge pages stay possible. Never 0. */
static void test_auto_keeps_alignment(void **state)
{
    uint64_t lowest = ram & -ram, aligned = lowest < 16 * PS ? lowest : 16 * PS;
    (void)state;
    assert_int_equal(map_auto(ram, 16 * PS) % aligned, 0);
    assert_int_equal(map_auto(ram + PS, 16 * PS) % PS, 0);
    assert_true(map_auto(ram + PS, PS) >= PS);
}

static void test_auto_keeps_page_offset(void **state)
{
    (void)state;
    assert_int_equal(map_auto(ram + 8, 8) % PS, 8);
}

static void test_auto_finds_gap(void **state)
{
    (void)state;
    assert_int_equal(map(PS, PS), 0);
    assert_int_equal(map(3 * PS, 5 * PS), 0);
    assert_int_equal(map_auto(ram + PS, PS), 2 * PS);
    assert_int_equal(map_auto(ram + PS, PS), 8 * PS);
}

static void test_auto_no_room(void **state)
{
    struct iommu_iova_range range = {IOVA, IOVA + 4 * PS - 1};
    uint64_t iova = 0;
    (void)state;
    assert_int_equal(io_allow(&fx, fd, ioas, &range, 1), 0);
    assert_int_equal(map_auto(ram + PS, PS), IOVA);
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, 4 * PS, IO_RW), -ENOSPC);
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, UINT64_MAX - 1, IO_RW),
                     -EOVERFLOW);
}

static void test_allow_bad_lists(void **state)
{
    struct iommu_iova_range empty = {IOVA, IOVA}, twice[2] = {{0, 9}, {9, 20}};
    (void)state;
    assert_int_equal(io_allow(&fx, fd, ioas, &empty, 1), -EINVAL);
    assert_int_equal(io_allow(&fx, fd, ioas, twice, 2), -EINVAL);
    assert_int_equal(io_allow(&fx, fd, ioas, NULL, 1), -EFAULT);
    assert_int_equal(io_allow(&fx, fd, 99, NULL, 0), -ENOENT);
}

/* A bad list leaves the old one. */
static void test_allow_is_atomic(void **state)
{
    struct iommu_iova_range good[2] = {{2 * IOVA, 3 * IOVA}, {IOVA, IOVA + 2 * PS - 1}};
    struct iommu_iova_range bad[2] = {{8 * IOVA, 9 * IOVA}, {4, 3}};
    (void)state;
    assert_int_equal(io_allow(&fx, fd, ioas, good, 2), 0);
    assert_int_equal(io_allow(&fx, fd, ioas, bad, 2), -EINVAL);
    assert_int_equal(map_auto(ram + PS, PS), IOVA);
    assert_int_equal(map_auto(ram, 4 * PS), 2 * IOVA);
}

/* ---- IOVA ranges ---- */
static void test_ranges_too_small(void **state)
{
    struct iommu_iova_range r = {7, 7};
    uint64_t alignment;
    uint32_t n = 0;
    (void)state;
    assert_int_equal(io_ranges(&fx, fd, ioas, &r, &n, &alignment), -EMSGSIZE);
    assert_int_equal(n, 1);
    assert_int_equal(alignment, 1);
    assert_int_equal(r.start, 7);
    assert_int_equal(io_ranges(&fx, fd, ioas, &r, &n, NULL), 0);
    assert_int_equal(r.last, UINT64_MAX);
}

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/iommufd/" name, fn, setup, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("short-struct", test_short_struct),
        CASE("longer-struct-with-zeros", test_longer_struct_with_zeros),
        CASE("longer-struct-with-more", test_longer_struct_with_more),
        CASE("no-struct", test_no_struct),
        CASE("unknown-ioctl", test_unknown_ioctl),
        CASE("reserved-fields", test_reserved_fields),
        CASE("lowest-free-id", test_lowest_free_id),
        CASE("contexts-are-apart", test_contexts_are_apart),
        CASE("ioas-has-a-number", test_ioas_has_a_number),
        CASE("nothing-is-pinned", test_nothing_is_pinned),
        CASE("map-overflows", test_map_overflows),
        CASE("map-order-of-checks", test_map_order_of_checks),
        CASE("map-over-existing", test_map_over_existing),
        CASE("no-entry-limit", test_no_entry_limit),
        CASE("auto-keeps-alignment", test_auto_keeps_alignment),
        CASE("auto-keeps-page-offset", test_auto_keeps_page_offset),
        CASE("auto-finds-gap", test_auto_finds_gap),
        CASE("auto-no-room", test_auto_no_room),
        CASE("allow-bad-lists", test_allow_bad_lists),
        CASE("allow-is-atomic", test_allow_is_atomic),
        CASE("ranges-too-small", test_ranges_too_small),
    };

    return cmocka_run_group_tests_name("sim/iommufd", tests, NULL, NULL);
}
