/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices doing DMA in the mock kernel: they reach the frame that was pinned, whatever became
 * of the address (behaviour.md 5.5, nested.md 3 "Real DMA").
 */
#include "vfio_fixture.h"

static struct fixture fx;
static uint64_t ram; /* 8 pages of a memfd */
static int ram_fd;

#define IOVA (1 * MiB)

static int setup(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, UINT64_MAX);
    ram = fx_memfd(&fx, 8 * PS, &ram_fd);
    fx.device = fx_device_fd(&fx, fx.group, 0);
    assert_true(fx.device >= 0);
    return 0;
}

static uint64_t dma_read(uint64_t iova)
{
    uint64_t token = 0xdead;
    assert_int_equal(sim_dma_read(fx.w, 0, iova, &token), 0);
    return token;
}

/* What a CPU would see at an address now. */
static uint64_t cpu_read(uint64_t address)
{
    uint32_t frame = 0;
    assert_int_equal(mm_fault(fx.w, address, false, &frame), 0);
    return frame_at(&fx.w->frames, frame)->content;
}

/* behaviour.md 5.5: the deliberate bug of this whole project, seen by the mock */
static void test_punched_page_keeps_old_frame(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x11), 0);
    assert_int_equal(cpu_read(ram), 0x11);
    uint32_t old = fx_mapping(&fx, IOVA).frame;
    assert_int_equal(fx_punch(&fx, ram_fd, 0, PS), 0);
    assert_int_equal(fx_mapping(&fx, IOVA).frame, old);
    assert_int_equal(cpu_read(ram), 0);
    assert_int_equal(dma_read(IOVA), 0x11);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x22), 0);
    assert_int_equal(cpu_read(ram), 0);
    assert_int_equal(dma_read(IOVA), 0x22);
}

/* Unmap and map again reaches the new page, and the old one is gone. */
static void test_remap_repairs(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x11), 0);
    uint32_t old = fx_mapping(&fx, IOVA).frame, frames = fx_totals(&fx).frames;
    assert_int_equal(fx_punch(&fx, ram_fd, 0, PS), 0);
    assert_int_equal(fx_totals(&fx).frames, frames);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_totals(&fx).frames, frames - 1);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_not_equal(fx_mapping(&fx, IOVA).frame, old);
    assert_int_equal(dma_read(IOVA), 0);
}

static void test_anonymous_dontneed(void **state)
{
    (void)state;
    uint64_t anon = fx_ram(&fx, PS);
    assert_int_equal(fx_map(&fx, IOVA, anon, PS, RW), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x33), 0);
    assert_int_equal(host_madvise(&fx.h, anon, PS, MADV_DONTNEED), 0);
    assert_int_equal(cpu_read(anon), 0);
    assert_int_equal(dma_read(IOVA), 0x33);
}

/* The process may even unmap the memory: pins do not care. */
static void test_munmap_keeps_frame(void **state)
{
    (void)state;
    uint64_t anon = fx_ram(&fx, PS);
    assert_int_equal(fx_map(&fx, IOVA, anon, PS, RW), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x44), 0);
    assert_int_equal(host_munmap(&fx.h, anon, PS), 0);
    assert_int_equal(dma_read(IOVA), 0x44);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_totals(&fx).frames, 0);
}

/* nested.md 3: device write after UNMAP: RAM unchanged, a fault is reported */
static void test_unmapped(void **state)
{
    (void)state;
    uint64_t token;
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), -EFAULT);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x55), -EFAULT);
    assert_int_equal(cpu_read(ram), 0);
}

static void test_access_rights(void **state)
{
    (void)state;
    uint64_t token;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, VFIO_DMA_MAP_FLAG_READ), 0);
    assert_int_equal(fx_map(&fx, IOVA + PS, ram, PS, VFIO_DMA_MAP_FLAG_WRITE), 0);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 0x66), -EFAULT);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA + PS, &token), -EFAULT);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA + PS, 0x66), 0);
    assert_int_equal(dma_read(IOVA), 0x66);
}

/* Each page of one large mapping is its own frame. */
static void test_pages_of_a_run(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 8 * PS, RW), 0);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(sim_dma_write(fx.w, 0, IOVA + i * PS + 8 * i, 100 + i), 0);
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(dma_read(IOVA + i * PS), 100 + i);
        assert_int_equal(cpu_read(ram + i * PS), 100 + i);
    }
    uint64_t token;
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA + 8 * PS, &token), -EFAULT);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA - 1, &token), -EFAULT);
}

static void test_device_closed(void **state)
{
    (void)state;
    uint64_t token;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(sim_dma_read(fx.w, 1, IOVA, &token), -ENODEV);
    assert_int_equal(sim_dma_read(fx.w, 3, IOVA, &token), -ENODEV);
    assert_int_equal(sim_dma_read(fx.w, UINT32_MAX, IOVA, &token), -ENODEV);
    assert_int_equal(host_close(&fx.h, fx.device), 0);
    assert_int_equal(sim_dma_read(fx.w, 0, IOVA, &token), -ENODEV);
    assert_int_equal(sim_dma_write(fx.w, 0, IOVA, 1), -ENODEV);
}

/* Two groups in one container share its mappings; another container has its own. */
static void test_containers_are_apart(void **state)
{
    (void)state;
    uint64_t token;
    int one = fx_group_path(&fx, 1), two = fx_group_path(&fx, 2);
    int second = host_open(&fx.h, "/dev/vfio/vfio", O_RDWR);
    assert_int_equal(fx_set_container(&fx, one, fx.container), 0);
    assert_int_equal(fx_set_container(&fx, two, second), 0);
    assert_int_equal(
        host_ioctl(&fx.h, second, VFIO_SET_IOMMU, (void *)(unsigned long)VFIO_TYPE1v2_IOMMU),
        0);
    assert_true(fx_device_fd(&fx, one, 1) >= 0 && fx_device_fd(&fx, two, 2) >= 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(sim_dma_write(fx.w, 1, IOVA, 0x77), 0);
    assert_int_equal(dma_read(IOVA), 0x77);
    assert_int_equal(sim_dma_read(fx.w, 2, IOVA, &token), -EFAULT);
}

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/dma/" name, fn, setup, NULL, NULL                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("punched-page-keeps-old-frame", test_punched_page_keeps_old_frame),
        CASE("remap-repairs", test_remap_repairs),
        CASE("anonymous-dontneed", test_anonymous_dontneed),
        CASE("munmap-keeps-frame", test_munmap_keeps_frame),
        CASE("unmapped", test_unmapped),
        CASE("access-rights", test_access_rights),
        CASE("pages-of-a-run", test_pages_of_a_run),
        CASE("device-closed", test_device_closed),
        CASE("containers-are-apart", test_containers_are_apart),
    };
    return cmocka_run_group_tests_name("sim/dma", tests, NULL, NULL);
}
