/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In-place machines, and what comes and goes in them: kernels, regions, virtio-mem, resets. */
#include "tests/inplace_fixture.h"

static void test_kernel_cannot(void **state)
{
    (void)state;
    life_end(&ip);
    for (int kernel = SIM_KERNEL_6_12; kernel <= SIM_KERNEL_PROPOSED; kernel++) {
        struct observe_totals t;

        inplace_world(&ip, kernel, false);
        assert_int_equal(inplace_create(&ip, &plain), -EOPNOTSUPP);
        ip.observe->totals(ip.observe->ctx, &t);
        assert_int_equal(t.fds + t.allocations, 0);
    }
    inplace_world(&ip, SIM_KERNEL_PROPOSED, true);
    assert_int_equal(inplace_create(&ip, &(struct vmm_config){.page_size = LIFE_PAGE}),
                     -EOPNOTSUPP);
    setup(NULL);
}

/* There are no huge pages in a guest_memfd; other memory may have them. */
static void test_hugetlb(void **state)
{
    struct vmm_region_config region = {.share = VMM_SHARE_HUGETLB,
                                       .guest_memfd = true,
                                       .size = 8 * LIFE_PAGE,
                                       .huge_page_size = 4 * LIFE_PAGE};
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_region_add(ip.vmm, &region, &index), -EINVAL);
    region.guest_memfd = false;
    assert_int_equal(vmm_region_add(ip.vmm, &region, &index), 0);
}

/* A block of virtio-mem that is in use does not go; one that goes is punched once. */
static void test_virtio_mem(void **state)
{
    struct vmm_region_config region = {.guest_memfd = true,
                                       .size = 8 * LIFE_PAGE,
                                       .virtio_mem_block = 2 * LIFE_PAGE,
                                       .requested_size = 8 * LIFE_PAGE};
    uint16_t response;
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_device_detach(ip.vmm, 0), 0);
    assert_int_equal(vmm_device_detach(ip.vmm, 1), 0);
    assert_int_equal(vmm_region_add(ip.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(ip.vmm, index, 0, region.size, 80 * LIFE_PAGE), 0);
    sim_name_next_container(ip.w, 0);
    assert_int_equal(vmm_device_attach(ip.vmm, 0, 0), 0);
    assert_int_equal(vmm_plug(ip.vmm, index, 0, region.size, &response), 0);
    assert_int_equal(life_convert(&ip, 80, 8, false), 0);
    assert_int_equal(sim_pin(ip.w, 83 * LIFE_PAGE, 1), 0);
    life_forget(&ip);
    assert_int_equal(vmm_unplug(ip.vmm, index, 0, region.size, &response), -EAGAIN);
    assert_int_equal(response, VMM_RESPONSE_BUSY);
    assert_true(blocked_at(index, 3));
    assert_int_not_equal(life_mapped(&ip, 0, 80), 0);
    assert_int_equal(life_mapped(&ip, 0, 83), life_page(&ip, 83).shared_frame);
    assert_int_equal(ip.calls[POINT_GMEM_PUNCH], 0);
    sim_unpin_all(ip.w);
    assert_int_equal(vmm_unplug(ip.vmm, index, 0, region.size, &response), 0);
    assert_true(nothing_blocked());
    assert_int_equal(ip.calls[POINT_GMEM_PUNCH], 1);
    for (uint64_t page = 80; page < 88; page++) {
        struct observe_page p = life_page(&ip, page);

        assert_true(p.is_private && !p.private_frame && !life_mapped(&ip, 0, page));
    }
}

/* A new file, mapped anew; whoever uses pages of the old one keeps them. */
static void test_reset(void **state)
{
    (void)state;
    become(2, 8, false);
    life_write(&ip, 4, 44);
    assert_int_equal(sim_pin(ip.w, 4 * LIFE_PAGE, 1), 0);
    life_arm(&ip, POINT_KVM_SET_REGION, 3, ENOMEM, false);
    life_forget(&ip);
    assert_int_equal(vmm_reset(ip.vmm), -ENOMEM);
    assert_null(inplace_broken(&ip, shared));
    assert_int_equal(life_read(&ip, 4), 44);
    assert_int_equal(vmm_reset(ip.vmm), 0);
    set_shared(0, IP_GPA_PAGES, false);
    assert_null(inplace_broken(&ip, shared));
    assert_int_equal(life_read(&ip, 4), 0);
    become(4, 1, false);
    become(4, 1, true);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 2);
}

/* Each call that makes a region's memory fails in turn; nothing is left of it. */
static void test_region_fails(void **state)
{
    static const struct {
        unsigned point;
        int error;
    } calls[] = {
        {POINT_GMEM_CREATE, EMFILE}, {POINT_MM_MMAP, ENOMEM}, {POINT_CORE_ALLOC, ENOMEM}};
    struct vmm_region_config region = {.guest_memfd = true, .size = 200 * LIFE_PAGE};
    struct observe_totals before, after;
    uint32_t index;

    (void)state;
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (unsigned nth = 1;; nth++) {
            ip.observe->totals(ip.observe->ctx, &before);
            life_forget(&ip);
            life_arm(&ip, calls[i].point, nth, calls[i].error, false);
            int rc = vmm_region_add(ip.vmm, &region, &index);
            sim_fault_disarm_all(ip.w);
            if (rc == 0)
                break;
            assert_int_equal(rc, -calls[i].error);
            ip.observe->totals(ip.observe->ctx, &after);
            assert_int_equal(after.fds, before.fds);
            assert_int_equal(after.vmas, before.vmas);
            assert_int_equal(after.allocations, before.allocations);
        }
}

/* ... and those that a reset makes before it touches anything. */
static void test_reset_fails(void **state)
{
    static const struct {
        unsigned point;
        int error;
    } calls[] = {{POINT_GMEM_CREATE, ENOMEM},
                 {POINT_MM_MMAP, ENOMEM},
                 {POINT_KVM_SET_REGION, ENOMEM},
                 {POINT_VFIO_UNMAP, EINVAL}};

    (void)state;
    become(2, 8, false);
    become(20, 2, false);
    life_write(&ip, 4, 44);
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (unsigned nth = 1; nth <= 3; nth++) {
            life_forget(&ip);
            life_arm(&ip, calls[i].point, nth, calls[i].error, false);
            assert_int_equal(vmm_reset(ip.vmm), -calls[i].error);
            assert_null(inplace_broken(&ip, shared));
            assert_int_equal(life_read(&ip, 4), 44);
        }
}

static void test_hot_remove(void **state)
{
    (void)state;
    become(2, 8, false);
    become(20, 2, false);
    assert_int_equal(sim_pin(ip.w, 4 * LIFE_PAGE, 1), 0);
    life_arm(&ip, POINT_KVM_SET_REGION, 1, ENOMEM, false);
    assert_int_equal(vmm_region_remove(ip.vmm, 0), -ENOMEM);
    assert_null(inplace_broken(&ip, shared));
    life_forget(&ip);
    assert_int_equal(vmm_region_remove(ip.vmm, 0), 0);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 0);
    for (uint64_t page = 0; page < 16; page++) {
        assert_int_equal(life_mapped(&ip, 0, page), 0);
        assert_int_equal(life_page(&ip, page).shared_frame, 0);
    }
    assert_int_equal(vmm_region_readd(ip.vmm, 0), 0);
    assert_int_equal(vmm_listen(ip.vmm, 1, 0, 3 * LIFE_PAGE, 6 * LIFE_PAGE), 0);
    set_shared(0, 16, false);
    assert_null(inplace_broken(&ip, shared));
    become(0, 16, false);
    become(4, 1, true);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/inplace-life/" name, fn, setup, teardown, NULL                                   \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("kernel-cannot", test_kernel_cannot),
        TEST("hugetlb", test_hugetlb),
        TEST("virtio-mem", test_virtio_mem),
        TEST("region-fails", test_region_fails),
        TEST("reset", test_reset),
        TEST("reset-fails", test_reset_fails),
        TEST("hot-remove", test_hot_remove),
    };
    return cmocka_run_group_tests_name("core/inplace-life", tests, NULL, NULL);
}
