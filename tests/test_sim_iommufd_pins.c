/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iommufd in the mock kernel: what a device pins, what is charged, files mapped as such
 * (behaviour.md 6.2, 6.4, 6.5). */
#include "iommufd_device_fixture.h"

static int setup_7_3(void **state)
{
    (void)state;
    return start(SIM_KERNEL_7_3, UINT64_MAX);
}

static int setup_proposed(void **state)
{
    (void)state;
    return start(SIM_KERNEL_PROPOSED, UINT64_MAX);
}

/* ---- what is counted ---- */
static void test_copies_count_once(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, 4 * PS), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA + PS, 2 * PS), 0);
    assert_int_equal(pins(), 4);
    assert_int_equal(fx_totals(&fx).locked_pages, 4);
    assert_int_equal(io_unmap(&fx, fd, ioas, IOVA, 4 * PS), 4 * PS);
    assert_int_equal(pins(), 2);
    assert_int_equal(fx_totals(&fx).locked_pages, 2);
    assert_int_equal(io_unmap(&fx, fd, ioas, 2 * IOVA, 2 * PS), 2 * PS);
    assert_int_equal(fx_totals(&fx).locked_pages, 0);
}

/* Two mappings of the same memory are charged twice. */
static void test_two_maps_count_twice(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, 2 * PS), 0);
    assert_int_equal(map(2 * IOVA, 0, 2 * PS), 0);
    assert_int_equal(fx_totals(&fx).locked_pages, 4);
    assert_int_equal(map(3 * IOVA, 0, PS), -ENOMEM);
    assert_int_equal(fx_counts(&fx).entries, 2);
}

/* With CAP_IPC_LOCK nothing is charged at all. */
static void test_privileged_is_not_charged(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, 2 * PS), 0);
    assert_int_equal(pins(), 2);
    assert_int_equal(fx_totals(&fx).locked_pages, 0);
}

/* A failed map leaves neither area nor pin. */
static void test_map_is_atomic(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, RAM_SIZE - 2 * PS, 4 * PS), -EFAULT);
    assert_int_equal(pins(), 0);
    assert_int_equal(io_unmap(&fx, fd, ioas, IOVA, 4 * PS), -ENOENT);
}

static void test_map_where_no_iova_is(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(MSI - PS, 0, 2 * PS), -EINVAL);
    assert_int_equal(map((1ull << 39) - PS, 0, 2 * PS), -EINVAL);
    assert_int_equal(map(MSI - PS, 0, PS), 0);
    assert_int_equal(map(MSI - PS, 0, 2 * PS), -EINVAL); /* before EEXIST */
}

/* Copied from where nothing is pinned to where all is: all of it or nothing. */
static void test_copy_is_atomic(void **state)
{
    uint32_t lazy;
    (void)state;
    assert_int_equal(io_alloc(&fx, fd, &lazy), 0);
    assert_int_equal(io_map(&fx, fd, lazy, IOVA, ram, PS), 0);
    assert_int_equal(io_map(&fx, fd, lazy, IOVA + PS, ram + RAM_SIZE, PS), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, IOVA, lazy, IOVA, 2 * PS), -EFAULT);
    assert_int_equal(pins(), 0);
    assert_int_equal(fx_counts(&fx).mapped_pages, 0);
    assert_int_equal(io_copy(&fx, fd, ioas, IOVA, lazy, IOVA, PS), 0);
}

/* All below 0xfe000000 is taken (by copies: they pin nothing more), so that an automatic IOVA
 * would reach into the interrupt window: it goes behind it. */
static void test_auto_avoids_reserved(void **state)
{
    uint64_t iova = 0;
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(RAM_SIZE, 0, RAM_SIZE), 0);
    for (uint64_t at = 2 * RAM_SIZE; at < 0xfe000000; at += RAM_SIZE)
        assert_int_equal(io_copy(&fx, fd, ioas, at, ioas, RAM_SIZE, RAM_SIZE), 0);
    assert_int_equal(pins(), RAM_SIZE / PS);
    assert_int_equal(io_map_flags(&fx, fd, ioas, &iova, ram, RAM_SIZE, IO_RW), 0);
    assert_true(iova >= MSI + MiB && iova < MSI + MiB + RAM_SIZE);
}

/* ---- cutting under a device ---- */
static void test_cut_keeps_pins(void **state)
{
    uint32_t frame;
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, 8 * PS), 0);
    frame = fx_mapping(&fx, IOVA + 2 * PS).frame;
    assert_int_equal(io_cut(&fx, fd, ioas, IOVA + 2 * PS, PS), 0);
    assert_int_equal(pins(), 8);
    assert_int_equal(fx_mapping(&fx, IOVA + 2 * PS).frame, frame);
    assert_true(fx_mapping(&fx, IOVA + 2 * PS).head);
    assert_true(fx_mapping(&fx, IOVA + 3 * PS).head);
    assert_int_equal(io_unmap(&fx, fd, ioas, IOVA + 2 * PS, PS), PS);
    assert_int_equal(pins(), 7);
    assert_int_equal(fx_mapping(&fx, IOVA + 3 * PS).access,
                     OBSERVE_DMA_READ | OBSERVE_DMA_WRITE);
}

static void test_huge_pages_while_in_use(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, PS), 0);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0), -EINVAL);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), PS);
    assert_int_equal(io_set_option(&fx, fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0), 0);
}

/* ---- files ---- */
static void test_map_file_of_memfd(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, PS, PS), 0);
    assert_int_equal(io_map_file(&fx, fd, ioas, 2 * IOVA, ram_fd, PS, PS), 0);
    assert_int_equal(fx_mapping(&fx, 2 * IOVA).frame, fx_mapping(&fx, IOVA).frame);
}

/* The file stays while it is mapped, closed or not. */
static void test_map_file_keeps_the_file(void **state)
{
    int file;
    uint64_t address = fx_memfd(&fx, PS, &file);
    (void)state;
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, file, 0, PS), 0);
    assert_int_equal(host_munmap(&fx.h, address, PS), 0);
    assert_int_equal(host_close(&fx.h, file), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(pins(), 1);
}

static void test_map_file_errors(void **state)
{
    int null = host_open(&fx.h, "/dev/null", O_RDWR);
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, 99, 0, PS), -EBADF);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, ram_fd, 0, 0), -EINVAL);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, ram_fd, -PS, 2 * PS), -EOVERFLOW);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, ram_fd, RAM_SIZE, PS), -EINVAL);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, ram_fd, 1, PS), -EINVAL);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, null, 0, PS), -EINVAL);
    assert_int_equal(fx_counts(&fx).entries, 0);
}

/* guest_memfd is not memory of a kind that can be pinned as a file. */
static void test_map_file_of_guest_memfd(void **state)
{
    struct kvm_create_guest_memfd create = {.size = PS};
    int kvm = host_open(&fx.h, "/dev/kvm", O_RDWR);
    int vm =
        host_ioctl(&fx.h, kvm, KVM_CREATE_VM, (void *)(unsigned long)KVM_X86_SW_PROTECTED_VM);
    int gmem = host_ioctl(&fx.h, vm, KVM_CREATE_GUEST_MEMFD, &create);
    (void)state;
    assert_true(gmem >= 0);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, gmem, 0, PS), 0);
    assert_int_equal(attach(), -EINVAL);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), PS);
    assert_int_equal(attach(), 0);
    assert_int_equal(io_map_file(&fx, fd, ioas, IOVA, gmem, 0, PS), -EINVAL);
}

#define CASE(name, fn, setup)                                                                  \
    {                                                                                          \
        "sim/iommufd-pins/" name, fn, setup, teardown, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("copies-count-once", test_copies_count_once, setup_limit_4),
        CASE("two-maps-count-twice", test_two_maps_count_twice, setup_limit_4),
        CASE("privileged-is-not-charged", test_privileged_is_not_charged, setup),
        CASE("map-is-atomic", test_map_is_atomic, setup),
        CASE("map-where-no-iova-is", test_map_where_no_iova_is, setup),
        CASE("copy-is-atomic", test_copy_is_atomic, setup),
        CASE("auto-avoids-reserved", test_auto_avoids_reserved, setup),
        CASE("cut-keeps-pins", test_cut_keeps_pins, setup_proposed),
        CASE("huge-pages-while-in-use", test_huge_pages_while_in_use, setup),
        CASE("map-file-of-memfd", test_map_file_of_memfd, setup_7_3),
        CASE("map-file-keeps-the-file", test_map_file_keeps_the_file, setup_7_3),
        CASE("map-file-errors", test_map_file_errors, setup_7_3),
        CASE("map-file-of-guest-memfd", test_map_file_of_guest_memfd, setup_7_3),
    };

    return cmocka_run_group_tests_name("sim/iommufd-pins", tests, NULL, NULL);
}
