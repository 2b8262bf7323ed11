/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One iommufd with an IOAS, anonymous memory, and no device. */
#ifndef TESTS_IOMMUFD_ALONE_FIXTURE_H
#define TESTS_IOMMUFD_ALONE_FIXTURE_H

#include "iommufd_fixture.h"

static struct fixture fx;
static int fd;
static uint32_t ioas;
static uint64_t ram; /* 16 MiB */

#define RAM_SIZE (16 * MiB)
#define IOVA     (1 * MiB)

static inline int start(enum sim_kernel kernel)
{
    io_world(&fx, kernel, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    fd = io_open(&fx);
    assert_true(fd >= 0);
    return io_alloc(&fx, fd, &ioas);
}

static inline int setup(void **state)
{
    (void)state;
    return start(SIM_KERNEL_6_12);
}

/* Closing the context frees every object and mapping. */
static inline int teardown(void **state)
{
    (void)state;
    return host_close(&fx.h, fd) || fx_totals(&fx).pins || fx_counts(&fx).open;
}

static inline int64_t map(uint64_t iova, uint64_t size)
{
    return io_map(&fx, fd, ioas, iova, ram, size);
}

static inline int64_t unmap(uint64_t iova, uint64_t size)
{
    return io_unmap(&fx, fd, ioas, iova, size);
}

#endif
