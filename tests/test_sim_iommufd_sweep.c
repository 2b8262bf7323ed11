/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sequences of the kernel's own iommufd_fail_nth (behaviour.md 9.1) on the mock kernel: at
 * each point the n-th call fails once, with each errno, early and late, until no fault is hit
 * any more. Whatever failed: when all is closed nothing is left, and the same sequence without
 * a fault works.
 */
#include "iommufd_fixture.h"

static struct fixture fx;
static uint64_t ram;
static int ram_fd;

#define RAM_SIZE (2 * MiB)
#define IOVA     (4 * MiB)

enum { HITS_MAX = 1000, MEMLOCK_PAGES = 256 };

/* 0, or the first errno; goes on to the end whatever fails. */
typedef int sequence_fn(void);

static void note(int *first, int64_t r)
{
    if (r < 0 && !*first)
        *first = (int)r;
}

static int basic(void)
{
    struct iommu_iova_range r[2], all = {IOVA, IOVA + RAM_SIZE - 1};
    int fd = io_open(&fx), error = 0;
    uint32_t ioas, n = 2;
    note(&error, io_alloc(&fx, fd, &ioas));
    note(&error, io_ranges(&fx, fd, ioas, r, &n, NULL));
    note(&error, io_allow(&fx, fd, ioas, &all, 1));
    note(&error, io_map(&fx, fd, ioas, IOVA, ram, RAM_SIZE));
    note(&error, io_copy(&fx, fd, ioas, 2 * IOVA, ioas, IOVA, PS));
    note(&error, io_unmap(&fx, fd, ioas, IOVA, RAM_SIZE));
    (void)io_unmap(&fx, fd, ioas, IOVA, RAM_SIZE); /* nothing there */
    (void)host_close(&fx.h, fd);
    return error;
}

/* Maps with a device there; the device goes, and comes again to the mapping. */
static int map_domain_with(bool file, bool two)
{
    int fd = io_open(&fx), device = io_cdev(&fx, 0), other = io_cdev(&fx, 1), error = 0;
    uint32_t ioas;
    note(&error, io_alloc(&fx, fd, &ioas));
    note(&error, io_bind(&fx, device, fd));
    note(&error, io_bind(&fx, other, fd));
    note(&error, io_attach(&fx, device, ioas));
    if (two)
        note(&error, io_attach(&fx, other, ioas));
    note(&error, file ? io_map_file(&fx, fd, ioas, IOVA, ram_fd, 0, 64 * PS)
                      : io_map(&fx, fd, ioas, IOVA, ram, 64 * PS));
    note(&error, io_detach(&fx, device));
    if (two)
        note(&error, io_detach(&fx, other));
    note(&error, io_attach(&fx, device, ioas));
    if (two)
        note(&error, io_attach(&fx, other, ioas));
    (void)host_close(&fx.h, device);
    (void)host_close(&fx.h, other);
    (void)host_close(&fx.h, fd);
    return error;
}

static int map_domain(void)
{
    return map_domain_with(false, false);
}

static int map_file_domain(void)
{
    return map_domain_with(true, false);
}

static int map_two_domains(void)
{
    return map_domain_with(false, true);
}

static int compat_unmap(uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = size};
    return host_ioctl(&fx.h, fx.container, VFIO_IOMMU_UNMAP_DMA, &u);
}

/* A group in an iommufd, version 1, with its cuts. */
static int compat(void)
{
    int group = fx_group_path(&fx, 0), error = 0;
    fx.container = io_open(&fx);
    note(&error, fx_set_container(&fx, group, fx.container));
    note(&error, fx_set_iommu(&fx, VFIO_TYPE1_IOMMU));
    int device = fx_device_fd(&fx, group, 0);
    note(&error, device);
    note(&error, fx_map(&fx, IOVA, ram, 8 * PS, RW));
    note(&error, compat_unmap(IOVA + 2 * PS, PS));
    note(&error, compat_unmap(IOVA, 8 * PS));
    if (device >= 0)
        (void)host_close(&fx.h, device);
    (void)host_close(&fx.h, group);
    (void)host_close(&fx.h, fx.container);
    return error;
}

/* A machine with memory and nothing else; how many files that is. */
static uint32_t new_world(void)
{
    io_world(&fx, SIM_KERNEL_PROPOSED, MEMLOCK_PAGES);
    ram = fx_memfd(&fx, RAM_SIZE, &ram_fd);
    return fx_totals(&fx).fds;
}

static void nothing_is_left(uint32_t fds)
{
    struct observe_totals t = fx_totals(&fx);
    assert_int_equal(t.pins, 0);
    assert_int_equal(t.locked_pages, 0);
    assert_int_equal(t.fds, fds);
    for (uint32_t i = 0; i < SIM_CONTAINERS_MAX; i++) {
        struct observe_container c;
        fx.o->container(fx.o->ctx, i, &c);
        assert_false(c.open);
    }
}

/* How often this fault fires before the sequence has no such call any more. */
static unsigned sweep_fault(sequence_fn *run, struct sim_fault fault)
{
    for (fault.value = 1; fault.value < HITS_MAX; fault.value++) {
        uint32_t fds = new_world();
        assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
        int error = run();
        bool fired = sim_faults_fired(fx.w) != 0;
        nothing_is_left(fds);
        sim_fault_disarm_all(fx.w);
        assert_true(fired || !error);
        assert_int_equal(run(), 0);
        nothing_is_left(fds);
        if (!fired)
            return (unsigned)fault.value - 1;
    }
    fail_msg("%s never ends", sim_point_name(fault.point));
    return 0;
}

static unsigned sweep(sequence_fn *run)
{
    unsigned fired = 0;
    for (unsigned point = 0; point < POINT_COUNT; point++)
        for (int late = 0; late < 2; late++)
            for (unsigned i = 0; sim_point_errno(point, i, late); i++)
                fired += sweep_fault(
                    run, (struct sim_fault){.point = (uint16_t)point,
                                            .error = (uint16_t)sim_point_errno(point, i, late),
                                            .when = SIM_FAULT_NTH,
                                            .late = late != 0});
    return fired;
}

#define SWEEP(name, least)                                                                     \
    static void test_##name(void **state)                                                      \
    {                                                                                          \
        (void)state;                                                                           \
        assert_true(sweep(name) >= (least));                                                   \
    }

/* At least so many faults: that no call is out of reach. */
SWEEP(basic, 15)
SWEEP(map_domain, 25)
SWEEP(map_file_domain, 25)
SWEEP(map_two_domains, 30)
SWEEP(compat, 20)

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/iommufd-sweep/" name, fn, NULL, NULL, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("basic", test_basic),
        CASE("map-domain", test_map_domain),
        CASE("map-file-domain", test_map_file_domain),
        CASE("map-two-domains", test_map_two_domains),
        CASE("compat", test_compat),
    };

    return cmocka_run_group_tests_name("sim/iommufd-sweep", tests, NULL, NULL);
}
