/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO containers, groups and devices in the mock kernel: who may do what in which order, and
 * what the last one to leave takes with it.
 */
#include <string.h>

#include "vfio_fixture.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_world(&fx, UINT64_MAX);
    return 0;
}

static int setup_open(void **state)
{
    (void)state;
    fx_world(&fx, UINT64_MAX);
    fx_open(&fx);
    return 0;
}

static int setup_iommu(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, UINT64_MAX);
    return 0;
}

/* No fd, no container, no pin, no charge. */
static bool nothing_left(void)
{
    struct observe_totals t = fx_totals(&fx);
    return t.fds == 0 && !fx_counts(&fx).open && t.pins == 0 && t.locked_pages == 0;
}

static int close_fd(int fd)
{
    return host_close(&fx.h, fd);
}

/* The check that the tests below end with must see an fd that was forgotten. */
static void test_checker_sees_leak(void **state)
{
    (void)state;
    assert_true(nothing_left());
    int fd = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    assert_false(nothing_left());
    assert_int_equal(close_fd(fd), 0);
    assert_true(nothing_left());
}

static void test_api_version(void **state)
{
    (void)state;
    int fd = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_GET_API_VERSION, NULL), VFIO_API_VERSION);
    for (unsigned long i = 0; i < 12; i++)
        assert_int_equal(host_ioctl(&fx.h, fd, VFIO_CHECK_EXTENSION, (void *)i),
                         i == 1 || i == 3 || i == 6 || i == 9);
}

/* nested.md 3: before a group is in, the container can do nothing */
static void test_container_without_group(void **state)
{
    (void)state;
    fx.container = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), -EINVAL);
    assert_int_equal(fx_map(&fx, 0, fx_ram(&fx, PS), PS, RW), -EINVAL);
    assert_int_equal(fx_unmap(&fx, 0, PS), -EINVAL);
    assert_int_equal(fx_avail(&fx), -1);
}

/* Two rules at once: no group in the container, and a type that no driver knows. */
static void test_order_group_before_type(void **state)
{
    (void)state;
    fx.container = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    assert_int_equal(fx_set_iommu(&fx, 77), -EINVAL);
}

static void test_set_iommu(void **state)
{
    (void)state;
    assert_int_equal(fx_set_iommu(&fx, 77), -ENODEV);
    assert_int_equal(fx_set_iommu(&fx, VFIO_UNMAP_ALL), -EINVAL);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), -EINVAL);
}

static void test_unknown_ioctls(void **state)
{
    (void)state;
    const unsigned long unknown = _IO(VFIO_TYPE, VFIO_BASE + 99);
    assert_int_equal(host_ioctl(&fx.h, fx.container, unknown, NULL), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fx.group, unknown, NULL), -ENOTTY);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_IOMMU_MAP_DMA, NULL), -ENOTTY);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.container, unknown, NULL), -ENOTTY);
}

static void test_group_open(void **state)
{
    (void)state;
    int fd = fx_group_path(&fx, 1);
    assert_true(fd >= 0);
    assert_int_equal(fx_group_path(&fx, 1), -EBUSY);
    assert_int_equal(fx_group_path(&fx, 3), -ENOENT);
    assert_int_equal(close_fd(fd), 0);
    fd = fx_group_path(&fx, 1);
    assert_true(fd >= 0);
    assert_int_equal(close_fd(fd), 0);
    assert_true(nothing_left());
}

static void test_group_status(void **state)
{
    (void)state;
    struct vfio_group_status s = {.argsz = sizeof(s)};
    int fd = fx_group_path(&fx, 1);
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_GROUP_GET_STATUS, &s), 0);
    assert_int_equal(s.flags, VFIO_GROUP_FLAGS_VIABLE);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_GET_STATUS, &s), 0);
    assert_int_equal(s.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
    s.argsz = 4;
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_GROUP_GET_STATUS, &s), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_GROUP_GET_STATUS, NULL), -EFAULT);
}

/* Errors in order: EBADF, then EINVAL for a group that is in one, then EBADFD. */
static void test_set_container(void **state)
{
    (void)state;
    int free_group = fx_group_path(&fx, 1), null = host_open(&fx.h, "/dev/null", O_RDWR);
    assert_int_equal(fx_set_container(&fx, free_group, -1), -EBADF);
    assert_int_equal(fx_set_container(&fx, fx.group, -1), -EBADF);
    assert_int_equal(fx_set_container(&fx, free_group, null), -EBADFD);
    assert_int_equal(fx_set_container(&fx, fx.group, null), -EINVAL);
    assert_int_equal(fx_set_container(&fx, fx.group, fx.container), -EINVAL);
    assert_int_equal(fx_set_container(&fx, free_group, fx.container), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_SET_CONTAINER, NULL), -EFAULT);
}

/* An unknown name before a container without IOMMU. */
static void test_device_fd(void **state)
{
    (void)state;
    assert_int_equal(fx_device_fd(&fx, fx.group, 0), -EINVAL);
    assert_int_equal(fx_device_fd(&fx, fx.group, 1), -ENODEV);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_GET_DEVICE_FD, NULL), -EFAULT);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(fx_device_fd(&fx, fx.group, 1), -ENODEV);
    assert_true(fx_device_fd(&fx, fx.group, 0) >= 0);
    assert_true(fx_device_fd(&fx, fx.group, 0) >= 0); /* more than once is allowed */
}

static void test_device_name(void **state)
{
    (void)state;
    char name[SIM_DEVICE_NAME_SIZE], expected[32];
    for (uint32_t n = 0; n < 30; n++) {
        sim_device_name(n, name);
        snprintf(expected, sizeof(expected), "0000:00:%02x.0", n + 5);
        assert_string_equal(name, expected);
    }
}

static void test_device_info(void **state)
{
    (void)state;
    struct vfio_device_info info = {.argsz = sizeof(info)};
    struct vfio_region_info region = {.argsz = sizeof(region), .index = 9};
    int fd = fx_device_fd(&fx, fx.group, 0);
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(info.num_regions, 9);
    info.argsz = 8;
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_DEVICE_GET_INFO, &info), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_DEVICE_GET_REGION_INFO, &region), -EINVAL);
    region.index = 0;
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_DEVICE_GET_REGION_INFO, &region), 0);
    assert_int_equal(region.size, 1 * MiB);
    region.argsz = 16;
    assert_int_equal(host_ioctl(&fx.h, fd, VFIO_DEVICE_GET_REGION_INFO, &region), -EINVAL);
}

/* BAR 0 only, shared only, and nobody can pin or fault registers. */
static void test_device_mmap(void **state)
{
    (void)state;
    uint64_t address, bar1 = 1ull << 40;
    struct host *h = &fx.h;
    int fd = fx_device_fd(&fx, fx.group, 0);
    assert_int_equal(host_mmap(h, 0, PS, PROT_READ, MAP_PRIVATE, fd, 0, &address), -EINVAL);
    assert_int_equal(host_mmap(h, 0, PS, PROT_READ, MAP_SHARED, fd, (int64_t)bar1, &address),
                     -EINVAL);
    assert_int_equal(host_mmap(h, 0, 2 * MiB, PROT_READ, MAP_SHARED, fd, 0, &address), -EINVAL);
    assert_int_equal(host_mmap(h, 0, MiB, PROT_READ, MAP_SHARED, fd, 0, &address), 0);
    assert_int_equal(fx_map(&fx, 0, address, PS, R_ONLY), -EFAULT);
    assert_int_equal(host_munmap(h, address, MiB), 0);
}

/* GET_INFO: too small an argsz is answered with the size that is needed. */
static void test_info_argsz(void **state)
{
    (void)state;
    struct vfio_iommu_type1_info info = {.argsz = 15};
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_GET_INFO, &info), -EINVAL);
    info = (struct vfio_iommu_type1_info){.argsz = 16, .cap_offset = 0xaa};
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_GET_INFO, &info), 0);
    assert_int_equal(info.cap_offset, 0xaa);
    info = (struct vfio_iommu_type1_info){.argsz = sizeof(info)};
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_GET_INFO, &info), 0);
    assert_int_equal(info.iova_pgsizes, 0x40201000);
    assert_int_equal(info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
    assert_int_equal(info.cap_offset, 0);
    assert_true(info.argsz > sizeof(info));
    unsigned char *room = calloc(1, info.argsz);
    assert_non_null(room);
    memcpy(room, &info, sizeof(info.argsz));
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_GET_INFO, room), 0);
    memcpy(&info, room, sizeof(info));
    assert_int_equal(info.cap_offset, sizeof(info));
    free(room);
}

static void test_unset_container(void **state)
{
    (void)state;
    int device = fx_device_fd(&fx, fx.group, 0), other = fx_group_path(&fx, 1);
    assert_int_equal(host_ioctl(&fx.h, other, VFIO_GROUP_UNSET_CONTAINER, NULL), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EBUSY);
    assert_int_equal(close_fd(device), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EINVAL);
}

/* The last group takes the mappings and the IOMMU with it; the first to leave does not. */
static void test_last_group_unmaps(void **state)
{
    (void)state;
    int other = fx_group_path(&fx, 1);
    uint64_t ram = fx_ram(&fx, 4 * PS);
    assert_int_equal(fx_set_container(&fx, other, fx.container), 0);
    assert_int_equal(fx_map(&fx, 0, ram, 4 * PS, RW), 0);
    assert_int_equal(close_fd(other), 0);
    assert_int_equal(fx_totals(&fx).pins, 4);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(fx_map(&fx, 0, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_set_container(&fx, fx.group, fx.container), 0);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(fx_map(&fx, 0, ram, PS, RW), 0);
}

static void test_close_group_unmaps(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0, fx_ram(&fx, PS), PS, RW), 0);
    assert_int_equal(close_fd(fx.group), 0);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(close_fd(fx.container), 0);
    assert_true(nothing_left());
}

/* A device fd keeps its group open, and so the mappings. */
static void test_device_keeps_group(void **state)
{
    (void)state;
    int device = fx_device_fd(&fx, fx.group, 0);
    assert_int_equal(fx_map(&fx, 0, fx_ram(&fx, PS), PS, RW), 0);
    assert_int_equal(close_fd(fx.group), 0);
    assert_int_equal(fx_totals(&fx).pins, 1);
    assert_int_equal(fx_group_path(&fx, 0), -EBUSY);
    assert_int_equal(close_fd(device), 0);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(close_fd(fx.container), 0);
    assert_true(nothing_left());
}

/* A group keeps its container: closing the container's fd unmaps nothing yet. */
static void test_group_keeps_container(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0, fx_ram(&fx, PS), PS, RW), 0);
    assert_int_equal(close_fd(fx.container), 0);
    assert_true(fx_counts(&fx).open);
    assert_int_equal(fx_totals(&fx).pins, 1);
    assert_int_equal(close_fd(fx.group), 0);
    assert_true(nothing_left());
}

/* Containers are numbered as they are opened, or as the run says. */
static void test_container_numbers(void **state)
{
    (void)state;
    struct observe_container c;
    sim_name_next_container(fx.w, 5);
    int fd = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    fx.o->container(fx.o->ctx, 5, &c);
    assert_true(c.open);
    fx.o->container(fx.o->ctx, 0, &c);
    assert_false(c.open);
    assert_int_equal(close_fd(fd), 0);
    fx.o->container(fx.o->ctx, 5, &c);
    assert_false(c.open);
    fx.o->container(fx.o->ctx, SIM_CONTAINERS_MAX, &c);
    assert_false(c.open);
}

static void test_too_many_containers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIM_CONTAINERS_MAX; i++)
        assert_true(host_open(&fx.h, "/dev/vfio/vfio", O_RDWR) >= 0);
    assert_int_equal(host_open(&fx.h, "/dev/vfio/vfio", O_RDWR), -EMFILE);
}

#define CASE(name, fn, prepare)                                                                \
    {                                                                                          \
        "sim/vfio/" name, fn, prepare, NULL, NULL                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("checker-sees-leak", test_checker_sees_leak, setup),
        CASE("api-version", test_api_version, setup),
        CASE("container-without-group", test_container_without_group, setup),
        CASE("order/group-before-type", test_order_group_before_type, setup),
        CASE("set-iommu", test_set_iommu, setup_open),
        CASE("unknown-ioctls", test_unknown_ioctls, setup_open),
        CASE("group-open", test_group_open, setup),
        CASE("group-status", test_group_status, setup_open),
        CASE("set-container", test_set_container, setup_open),
        CASE("device-fd", test_device_fd, setup_open),
        CASE("device-name", test_device_name, setup),
        CASE("device-info", test_device_info, setup_iommu),
        CASE("device-mmap", test_device_mmap, setup_iommu),
        CASE("info-argsz", test_info_argsz, setup_iommu),
        CASE("unset-container", test_unset_container, setup_iommu),
        CASE("last-group-unmaps", test_last_group_unmaps, setup_iommu),
        CASE("close-group-unmaps", test_close_group_unmaps, setup_iommu),
        CASE("device-keeps-group", test_device_keeps_group, setup_iommu),
        CASE("group-keeps-container", test_group_keeps_container, setup_iommu),
        CASE("container-numbers", test_container_numbers, setup),
        CASE("too-many-containers", test_too_many_containers, setup),
    };
    return cmocka_run_group_tests_name("sim/vfio", tests, NULL, NULL);
}
