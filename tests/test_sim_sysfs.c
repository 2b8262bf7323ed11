/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device comes to VFIO: driver_override and drivers_probe. */
#include "vfio_fixture.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_world(&fx, UINT64_MAX);
    sim_take_driver(fx.w, 1);
    return 0;
}

static int open_close(const char *path, int flags)
{
    int fd = host_open(&fx.h, path, flags);

    return fd < 0 ? fd : host_close(&fx.h, fd);
}

/* Group and character device are there, or not, together. */
static bool has_vfio(unsigned group)
{
    char path[32];
    int rc, other;

    snprintf(path, sizeof(path), "/dev/vfio/%u", group);
    rc = open_close(path, O_RDWR);
    snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%u", group);
    other = open_close(path, O_RDWR);
    assert_true(rc == other && (rc == 0 || rc == -ENOENT));
    return rc == 0;
}

static void test_without_driver(void **state)
{
    (void)state;
    assert_true(has_vfio(0));
    assert_false(has_vfio(1));
}

static void test_probe(void **state)
{
    (void)state;
    assert_int_equal(fx_probe(&fx, 1), 12); /* no driver of its own wants it */
    assert_false(has_vfio(1));
    assert_int_equal(fx_override(&fx, 1, "vfio-pci\n"), 9);
    assert_false(has_vfio(1)); /* nobody has looked yet */
    assert_int_equal(fx_probe(&fx, 1), 12);
    assert_true(has_vfio(1));
}

static void test_other_driver(void **state)
{
    (void)state;
    assert_int_equal(fx_override(&fx, 1, "vfio-pci"), 8);
    assert_int_equal(fx_override(&fx, 1, "edu"), 3);
    assert_int_equal(fx_probe(&fx, 1), 12);
    assert_false(has_vfio(1));
    assert_int_equal(fx_override(&fx, 0, "edu"), 3);
    assert_int_equal(fx_probe(&fx, 0), 12);
    assert_true(has_vfio(0)); /* it has one already */
}

static void test_no_such_device(void **state)
{
    static const char probe[] = "/sys/bus/pci/drivers_probe";

    (void)state;
    assert_int_equal(fx_override(&fx, 1, "vfio-pci"), 8);
    assert_int_equal(fx_echo(&fx, "0000:00:06.0\n", probe), 13);
    assert_true(has_vfio(1));
    assert_int_equal(fx_echo(&fx, "0000:00:1f.2", probe), -ENODEV);
    assert_int_equal(fx_echo(&fx, "0000:00:06", probe), -ENODEV);
    assert_int_equal(fx_echo(&fx, "\n", probe), -ENODEV);
    assert_int_equal(fx_echo(&fx, "", probe), 0);               /* nobody is asked */
    assert_int_equal(fx_override(&fx, 3, "vfio-pci"), -ENOENT); /* there are three */
}

static void test_paths(void **state)
{
    static char long_name[PS];
    int fd;

    (void)state;
    assert_int_equal(open_close("/sys/bus/pci/drivers_probe", O_RDONLY), -EACCES);
    assert_int_equal(open_close("/sys/bus/pci/drivers_probe", O_RDWR), -EACCES);
    assert_int_equal(open_close("/sys/bus/pci", O_WRONLY), -ENOENT);
    assert_int_equal(open_close("/sys/bus/pci/devices/0000:00:05.0", O_WRONLY), -ENOENT);
    assert_int_equal(open_close("/sys/bus/pci/devices/0000:00:05.0/driver", O_WRONLY), -ENOENT);
    fd = host_open(&fx.h, "/sys/bus/pci/drivers_probe", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(fx.h.ops->write(fx.h.ctx, __func__, fd, long_name, PS), -ENODEV);
    assert_int_equal(fx.h.ops->pwrite(fx.h.ctx, __func__, fd, "0000:00:05.0", 12, 0), 12);
    assert_int_equal(fx.h.ops->read(fx.h.ctx, __func__, fd, long_name, 1), -EINVAL);
    assert_int_equal(host_close(&fx.h, fd), 0);
    memset(long_name, 'v', PS - 1);
    assert_int_equal(fx_override(&fx, 1, long_name), -EINVAL);
    long_name[PS - 2] = 0;
    assert_int_equal(fx_override(&fx, 1, long_name), PS - 2);
}

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/sysfs/" name, fn, setup, NULL, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("without-driver", test_without_driver),
        CASE("probe", test_probe),
        CASE("other-driver", test_other_driver),
        CASE("no-such-device", test_no_such_device),
        CASE("paths", test_paths),
    };
    return cmocka_run_group_tests_name("sim/sysfs", tests, NULL, NULL);
}
