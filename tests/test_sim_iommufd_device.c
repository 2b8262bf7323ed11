/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices in an iommufd, in the mock kernel: bind, attach, what happens to the mappings then,
 * DMA (behaviour.md 6.2, 6.8, 9.2).
 */
#include "iommufd_device_fixture.h"

/* ---- bind ---- */
static void test_bind_bad_fds(void **state)
{
    int other = io_cdev(&fx, 1), null = host_open(&fx.h, "/dev/null", O_RDWR);
    struct vfio_device_bind_iommufd b = {.argsz = 4, .iommufd = fd};
    (void)state;
    assert_int_equal(io_bind(&fx, other, -1), -EINVAL);
    assert_int_equal(io_bind(&fx, other, 99), -EBADF);
    assert_int_equal(io_bind(&fx, other, null), -EBADFD);
    assert_int_equal(host_ioctl(&fx.h, other, VFIO_DEVICE_BIND_IOMMUFD, &b), -EINVAL);
    b.argsz = sizeof(b);
    b.flags = 1;
    assert_int_equal(host_ioctl(&fx.h, other, VFIO_DEVICE_BIND_IOMMUFD, &b), -EINVAL);
    assert_int_equal(io_bind(&fx, other, fd), 0);
    assert_int_equal(host_close(&fx.h, other), 0);
}

static void test_bind_through_two_opens(void **state)
{
    int again = io_cdev(&fx, 0);
    (void)state;
    assert_int_equal(io_bind(&fx, again, fd), -EINVAL);
    assert_int_equal(host_close(&fx.h, again), 0);
    assert_int_equal(attach(), 0);
}

/* A device is opened through its group or as itself, not both. */
static void test_group_and_device_exclude(void **state)
{
    int other = io_cdev(&fx, 1), group = fx_group_path(&fx, 1);
    (void)state;
    assert_int_equal(fx_group_path(&fx, 0), -EBUSY);
    assert_int_equal(io_bind(&fx, other, fd), -EBUSY);
    assert_int_equal(host_close(&fx.h, group), 0);
    assert_int_equal(io_bind(&fx, other, fd), 0);
    assert_int_equal(host_close(&fx.h, other), 0);
}

static void test_unbound_refuses(void **state)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    int other = io_cdev(&fx, 1);
    char byte;
    uint64_t address;
    (void)state;
    assert_int_equal(host_ioctl(&fx.h, other, VFIO_DEVICE_GET_INFO, &info), -EINVAL);
    assert_int_equal(io_attach(&fx, other, ioas), -EINVAL);
    assert_int_equal(io_detach(&fx, other), -EINVAL);
    assert_int_equal(host_read(&fx.h, other, &byte, 1), -EINVAL);
    assert_int_equal(host_mmap(&fx.h, 0, PS, PROT_READ, MAP_SHARED, other, 0, &address),
                     -EINVAL);
}

/* ---- attach ---- */
static void test_attach_bad_ids(void **state)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = 8, .pt_id = ioas};
    (void)state;
    assert_int_equal(io_attach(&fx, device, 99), -ENOENT);
    assert_int_equal(io_attach(&fx, device, 1), -EINVAL); /* the device itself */
    assert_int_equal(host_ioctl(&fx.h, device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), -EINVAL);
}

static void test_attach_to_page_table(void **state)
{
    int other = io_cdev(&fx, 1);
    uint32_t pt = ioas, again;
    (void)state;
    assert_int_equal(io_attach_pt(&fx, device, &pt), 0);
    assert_int_not_equal(pt, ioas);
    again = pt;
    assert_int_equal(io_bind(&fx, other, fd), 0);
    assert_int_equal(io_attach_pt(&fx, other, &again), 0);
    assert_int_equal(again, pt);
    assert_int_equal(host_close(&fx.h, other), 0);
}

static void test_attach_pins(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, 4 * PS), 0);
    assert_int_equal(pins(), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(pins(), 4);
    assert_true(fx_mapping(&fx, IOVA).head);
    assert_false(fx_mapping(&fx, IOVA + 3 * PS).head);
    assert_int_equal(fx_mapping(&fx, IOVA).access, OBSERVE_DMA_READ | OBSERVE_DMA_WRITE);
    assert_int_equal(io_detach(&fx, device), 0);
    assert_int_equal(pins(), 0);
    assert_int_equal(fx_mapping(&fx, IOVA).frame, 0);
    assert_int_equal(fx_counts(&fx).entries, 1);
}

static void test_second_device_pins_nothing(void **state)
{
    int other = io_cdev(&fx, 1);
    (void)state;
    assert_int_equal(map(IOVA, 0, 4 * PS), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(io_bind(&fx, other, fd), 0);
    assert_int_equal(io_attach(&fx, other, ioas), 0);
    assert_int_equal(pins(), 4);
    assert_int_equal(io_detach(&fx, device), 0);
    assert_int_equal(pins(), 4);
    assert_int_equal(host_close(&fx.h, other), 0);
    assert_int_equal(pins(), 0);
}

/* What cannot be pinned shows at last; then nothing is. */
static void test_attach_efault(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, PS), 0);
    assert_int_equal(map(2 * IOVA, RAM_SIZE - PS, 2 * PS), 0);
    assert_int_equal(map(3 * IOVA, 0, PS), 0);
    assert_int_equal(attach(), -EFAULT);
    assert_int_equal(pins(), 0);
    assert_int_equal(fx_counts(&fx).entries, 3);
    assert_int_equal(io_unmap(&fx, fd, ioas, 2 * IOVA, 2 * PS), 2 * PS);
    assert_int_equal(attach(), 0);
    assert_int_equal(pins(), 2);
}

static void test_attach_over_limit(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, 3 * PS), 0);
    assert_int_equal(map(2 * IOVA, 4 * PS, 2 * PS), 0);
    assert_int_equal(attach(), -ENOMEM);
    assert_int_equal(fx_totals(&fx).locked_pages, 0);
    assert_int_equal(io_unmap(&fx, fd, ioas, IOVA, 3 * PS), 3 * PS);
    assert_int_equal(attach(), 0);
    assert_int_equal(fx_totals(&fx).locked_pages, 2);
}

static void test_attach_where_iovas_do_not_fit(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, 100), 0);
    assert_int_equal(attach(), -EADDRINUSE);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), 100);
    assert_int_equal(map(1ull << 50, 0, PS), 0);
    assert_int_equal(attach(), -EADDRINUSE);
    assert_int_equal(io_unmap_all(&fx, fd, ioas), PS);
    assert_int_equal(attach(), 0);
}

static void test_allowed_and_reserved(void **state)
{
    struct iommu_iova_range in = {MSI, MSI + PS}, out = {IOVA, 2 * IOVA};
    (void)state;
    assert_int_equal(io_allow(&fx, fd, ioas, &in, 1), 0);
    assert_int_equal(attach(), -EADDRINUSE);
    assert_int_equal(io_allow(&fx, fd, ioas, &out, 1), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(io_allow(&fx, fd, ioas, &in, 1), -EADDRINUSE);
}

static void test_ranges_follow_devices(void **state)
{
    struct iommu_iova_range r[2];
    uint64_t alignment;
    uint32_t n = 2;
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(io_ranges(&fx, fd, ioas, r, &n, &alignment), 0);
    assert_int_equal(n, 2);
    assert_int_equal(r[0].last, MSI - 1);
    assert_int_equal(alignment, PS);
    assert_int_equal(io_detach(&fx, device), 0);
    assert_int_equal(io_ranges(&fx, fd, ioas, r, &n, &alignment), 0);
    assert_int_equal(n, 1);
    assert_int_equal(alignment, 1);
}

/* Attached already: it changes over, or stays where it was. */
static void test_attach_elsewhere(void **state)
{
    uint32_t second;
    uint64_t token;
    (void)state;
    assert_int_equal(io_alloc(&fx, fd, &second), 0);
    assert_int_equal(io_map(&fx, fd, second, MSI, ram, PS), 0);
    assert_int_equal(map(IOVA, 0, PS), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(io_attach(&fx, device, second), -EADDRINUSE);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), 0);
    assert_int_equal(io_unmap_all(&fx, fd, second), PS);
    assert_int_equal(io_attach(&fx, device, second), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), -EFAULT);
    assert_int_equal(pins(), 0);
    assert_int_equal(io_destroy(&fx, fd, ioas), 0);
}

static void test_destroy_in_use(void **state)
{
    uint32_t pt = ioas;
    (void)state;
    assert_int_equal(io_attach_pt(&fx, device, &pt), 0);
    assert_int_equal(io_destroy(&fx, fd, ioas), -EBUSY);
    assert_int_equal(io_destroy(&fx, fd, pt), -EBUSY);
    assert_int_equal(io_destroy(&fx, fd, 1), -EBUSY);
    assert_int_equal(io_detach(&fx, device), 0);
    assert_int_equal(io_destroy(&fx, fd, pt), -ENOENT);
    assert_int_equal(io_destroy(&fx, fd, ioas), 0);
}

/* The context outlives its fd while a device is bound to it. */
static void test_device_keeps_context(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, PS), 0);
    assert_int_equal(attach(), 0);
    assert_int_equal(host_close(&fx.h, fd), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 5), 0);
    assert_int_equal(host_close(&fx.h, device), 0);
    assert_false(fx_counts(&fx).open);
    assert_int_equal(pins(), 0);
}

/* ---- DMA ---- */
static void test_dma_needs_an_address_space(void **state)
{
    uint64_t token;
    (void)state;
    assert_int_equal(sim_dma_read(fx.w, 1, IOVA, &token), -ENODEV);
    assert_int_equal(map(IOVA, 0, PS), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), -EFAULT);
    assert_int_equal(attach(), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 5), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), 0);
    assert_int_equal(token, 5);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA + PS, &token), -EFAULT);
}

static void test_dma_access(void **state)
{
    uint64_t iova = IOVA, token;
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(
        io_map_flags(&fx, fd, ioas, &iova, ram, PS, IO_FIXED | IOMMU_IOAS_MAP_READABLE), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 1), -EFAULT);
}

/* A copy reaches the page that was pinned, not what the address shows now. */
static void test_copy_of_stale_page(void **state)
{
    uint32_t frame;
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(map(IOVA, 0, PS), 0);
    frame = fx_mapping(&fx, IOVA).frame;
    assert_int_equal(fx_punch(&fx, ram_fd, 0, PS), 0);
    assert_int_equal(io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA, PS), 0);
    assert_int_equal(fx_mapping(&fx, 2 * IOVA).frame, frame);
    assert_int_equal(map(3 * IOVA, 0, PS), 0);
    assert_int_not_equal(fx_mapping(&fx, 3 * IOVA).frame, frame);
}

/* ---- the journal sees what attach and detach change ---- */
static bool iova_listed(uint64_t page)
{
    const struct observe_change *c;
    uint32_t n = fx.o->changes(fx.o->ctx, &c);
    for (uint32_t i = 0; i < n && n <= OBSERVE_CHANGES_MAX; i++)
        if (c[i].is_iova && c[i].container == 0 && page - c[i].first < c[i].n_pages)
            return true;
    return n > OBSERVE_CHANGES_MAX;
}

static void test_changes_are_listed(void **state)
{
    (void)state;
    assert_int_equal(map(IOVA, 0, 2 * PS), 0);
    assert_false(iova_listed(IOVA / PS + 1));
    assert_int_equal(attach(), 0);
    assert_true(iova_listed(IOVA / PS + 1));
    assert_int_equal(io_detach(&fx, device), 0);
    assert_true(iova_listed(IOVA / PS + 1));
}

#define CASE(name, fn, setup)                                                                  \
    {                                                                                          \
        "sim/iommufd-device/" name, fn, setup, teardown, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("bind-bad-fds", test_bind_bad_fds, setup),
        CASE("bind-through-two-opens", test_bind_through_two_opens, setup),
        CASE("group-and-device-exclude", test_group_and_device_exclude, setup),
        CASE("unbound-refuses", test_unbound_refuses, setup),
        CASE("attach-bad-ids", test_attach_bad_ids, setup),
        CASE("attach-to-page-table", test_attach_to_page_table, setup),
        CASE("attach-pins", test_attach_pins, setup),
        CASE("second-device-pins-nothing", test_second_device_pins_nothing, setup),
        CASE("attach-efault", test_attach_efault, setup),
        CASE("attach-over-limit", test_attach_over_limit, setup_limit_4),
        CASE("attach-where-iovas-do-not-fit", test_attach_where_iovas_do_not_fit, setup),
        CASE("allowed-and-reserved", test_allowed_and_reserved, setup),
        CASE("ranges-follow-devices", test_ranges_follow_devices, setup),
        CASE("attach-elsewhere", test_attach_elsewhere, setup),
        CASE("destroy-in-use", test_destroy_in_use, setup),
        CASE("device-keeps-context", test_device_keeps_context, setup),
        CASE("dma-needs-an-address-space", test_dma_needs_an_address_space, setup),
        CASE("dma-access", test_dma_access, setup),
        CASE("copy-of-stale-page", test_copy_of_stale_page, setup),
        CASE("changes-are-listed", test_changes_are_listed, setup),
    };

    return cmocka_run_group_tests_name("sim/iommufd-device", tests, NULL, NULL);
}
