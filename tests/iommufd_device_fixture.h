/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One iommufd with an IOAS, memory in a memfd, and a device that is bound and not yet attached.
 */
#ifndef TESTS_IOMMUFD_DEVICE_FIXTURE_H
#define TESTS_IOMMUFD_DEVICE_FIXTURE_H

#include "iommufd_fixture.h"

static struct fixture fx;
static int fd, device;
static uint32_t ioas;
static uint64_t ram;
static int ram_fd;

#define RAM_SIZE (16 * MiB)
#define IOVA     (1 * MiB)
#define MSI      0xfee00000ull

static inline int start(enum sim_kernel kernel, uint64_t memlock_pages)
{
    io_world(&fx, kernel, memlock_pages);
    ram = fx_memfd(&fx, RAM_SIZE, &ram_fd);
    fd = io_open(&fx);
    device = io_cdev(&fx, 0);
    assert_true(fd >= 0 && device >= 0);
    assert_int_equal(io_bind(&fx, device, fd), 0);
    return io_alloc(&fx, fd, &ioas);
}

static inline int setup(void **state)
{
    (void)state;
    return start(SIM_KERNEL_6_12, UINT64_MAX);
}

static inline int setup_limit_4(void **state)
{
    (void)state;
    return start(SIM_KERNEL_6_12, 4);
}

/* Nothing is pinned or charged once device and context are closed. */
static inline int teardown(void **state)
{
    (void)state;
    host_close(&fx.h, device);
    host_close(&fx.h, fd);
    struct observe_totals t = fx_totals(&fx);
    return t.pins || t.locked_pages || fx_counts(&fx).open ? -1 : 0;
}

static inline int64_t map(uint64_t iova, uint64_t offset, uint64_t size)
{
    return io_map(&fx, fd, ioas, iova, ram + offset, size);
}

static inline int attach(void)
{
    return io_attach(&fx, device, ioas);
}

static inline uint64_t pins(void)
{
    return fx_totals(&fx).pins;
}

#endif
