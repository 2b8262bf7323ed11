/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In-place conversion: behaviour.md 3.7 and 7.10; catalogue A8, F2. */
#include "tests/inplace_fixture.h"

/* The deliberate error: a state that is not as it should be must be seen. */
static void test_wrong_state_is_seen(void **state)
{
    (void)state;
    become(2, 4, false);
    shared[3] = false;
    assert_non_null(inplace_broken(&ip, shared));
    shared[3] = true;
    shared[7] = true;
    assert_non_null(inplace_broken(&ip, shared));
}

/* A8: unmap, then the attribute; the attribute, then map. Nothing is dropped. */
static void test_order(void **state)
{
    (void)state;
    become(0, 3, false);
    assert_string_equal(ip.trace, "AMMM");
    life_forget(&ip);
    become(0, 3, true);
    assert_string_equal(ip.trace, "UA");
    life_forget(&ip);
    become(0, 3, true);
    assert_string_equal(ip.trace, "");
}

static void test_content_is_kept(void **state)
{
    uint64_t token = 0;

    (void)state;
    life_write(&ip, 5, 55);
    uint32_t frame = life_page(&ip, 5).private_frame;
    become(0, 16, false);
    assert_int_equal(life_page(&ip, 5).shared_frame, frame);
    assert_int_equal(life_read(&ip, 5), 55);
    assert_int_equal(sim_dma_read(ip.w, 0, 5 * LIFE_PAGE, &token), 0);
    assert_int_equal(token, 55);
    assert_int_equal(sim_dma_write(ip.w, 0, 6 * LIFE_PAGE, 66), 0);
    become(0, 16, true);
    assert_int_equal(life_read(&ip, 5), 55);
    assert_int_equal(life_read(&ip, 6), 66);
    assert_int_equal(life_page(&ip, 5).private_frame, frame);
    assert_int_equal(sim_dma_read(ip.w, 0, 5 * LIFE_PAGE, &token), -EFAULT);
}

/* Only what changes, run by run; the attribute in one call a block. */
static void test_mixed(void **state)
{
    (void)state;
    for (uint64_t page = 1; page < 16; page += 3)
        become(page, 1, false);
    life_forget(&ip);
    become(0, 16, true);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 1);
    for (uint64_t page = 1; page < 16; page += 3)
        become(page, 1, false);
    life_forget(&ip);
    become(0, 16, false);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 1);
    assert_int_equal(ip.calls[POINT_VFIO_UNMAP], 0);
}

static void test_several_blocks(void **state)
{
    (void)state;
    become(12, 8, false);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 2);
    become(66, 3, false); /* GPA is not offset */
    become(13, 6, true);
    assert_int_equal(life_convert(&ip, 30, 12, true), -EINVAL);
    assert_int_equal(life_convert(&ip, 40, 1, false), -EINVAL);
    assert_null(inplace_broken(&ip, shared));
}

/* Memory without guest_memfd is mapped whole, as ever. */
static void test_plain_region(void **state)
{
    (void)state;
    for (uint64_t page = 40; page < 44; page++)
        assert_int_not_equal(life_mapped(&ip, 0, page), 0);
}

/* F2 and 9.7: a page that somebody uses. Twice asked, all is as it was, and where it hangs. */
static void test_pinned(void **state)
{
    (void)state;
    become(2, 8, false);
    life_write(&ip, 6, 66);
    uint32_t frame = life_page(&ip, 6).shared_frame;
    assert_int_equal(sim_pin(ip.w, 6 * LIFE_PAGE, 2), 0);
    life_forget(&ip);
    assert_int_equal(life_convert(&ip, 2, 8, true), -EAGAIN);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 2);
    assert_true(blocked_at(0, 6));
    assert_null(inplace_broken(&ip, shared));
    become(2, 4, true);
    assert_true(nothing_blocked());
    assert_int_equal(life_convert(&ip, 7, 1, true), -EAGAIN);
    assert_true(blocked_at(0, 7));
    assert_int_equal(sim_unpin(ip.w, 6 * LIFE_PAGE, 2), 0);
    become(2, 8, true);
    assert_true(nothing_blocked());
    assert_int_equal(life_read(&ip, 6), 66);
    assert_int_equal(life_page(&ip, 6).private_frame, frame);
}

/* The answer is about requests for pages: what asks for none leaves it, and so does a call that
 * a stopped VM refuses. */
static void test_the_answer_stays(void **state)
{
    uint16_t response;

    (void)state;
    become(2, 1, false);
    assert_int_equal(sim_pin(ip.w, 2 * LIFE_PAGE, 1), 0);
    assert_int_equal(life_convert(&ip, 2, 1, true), -EAGAIN);
    assert_int_equal(vmm_resize(ip.vmm, 0, 0, &response), -EINVAL);
    assert_true(blocked_at(0, 2));
    assert_int_equal(vmm_plug(ip.vmm, 0, 0, LIFE_PAGE, &response), -EINVAL);
    assert_true(nothing_blocked());
    assert_int_equal(life_convert(&ip, 2, 1, true), -EAGAIN);
    vmm_stop(ip.vmm);
    assert_int_equal(life_convert(&ip, 4, 1, true), -EIO);
    assert_true(blocked_at(0, 2)); /* why it stopped may still be wanted */
}

/* The second block will not: the first is shared again. */
static void test_pinned_in_the_second_block(void **state)
{
    (void)state;
    become(10, 12, false);
    assert_int_equal(sim_pin(ip.w, 18 * LIFE_PAGE, 1), 0);
    life_forget(&ip);
    assert_int_equal(life_convert(&ip, 10, 12, true), -EAGAIN);
    assert_true(blocked_at(1, 2));
    assert_null(inplace_broken(&ip, shared));
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 4); /* 1, twice, 1 back */
}

/* Pages of a mixed range: only what was shared is put back. */
static void test_pinned_in_a_mixed_range(void **state)
{
    (void)state;
    become(16, 16, false);
    become(18, 2, true);
    become(24, 1, true);
    become(4, 1, false);
    become(6, 1, false);
    assert_int_equal(sim_pin(ip.w, 31 * LIFE_PAGE, 1), 0);
    assert_int_equal(life_convert(&ip, 0, 32, true), -EAGAIN);
    assert_true(blocked_at(1, 15));
    assert_null(inplace_broken(&ip, shared));
}

/* KVM_RUN that fails by itself: no page can have been in the way of that. */
static void test_no_request(void **state)
{
    (void)state;
    become(2, 1, false);
    assert_int_equal(sim_pin(ip.w, 2 * LIFE_PAGE, 1), 0);
    assert_int_equal(life_convert(&ip, 2, 1, true), -EAGAIN);
    assert_true(blocked_at(0, 2));
    life_arm(&ip, POINT_KVM_RUN, 1, ENOMEM, false);
    sim_guest_request(ip.w, 0, SIM_REQUEST_HYPERCALL, 2 * LIFE_PAGE, 1, true);
    assert_int_equal(vmm_vcpu_run(ip.vmm, 0), -ENOMEM);
    assert_true(nothing_blocked());
    assert_null(inplace_broken(&ip, shared));
}

/* What was in the way for a moment is gone when it is asked again. */
static void test_a_moment(void **state)
{
    (void)state;
    become(0, 4, false);
    life_arm(&ip, POINT_GMEM_SET_ATTRIBUTES, 1, EAGAIN, false);
    life_forget(&ip);
    become(0, 4, true);
    assert_string_equal(ip.trace, "UUAA"); /* both containers have page 3 */
    assert_true(nothing_blocked());
}

static uint64_t hypercall(uint64_t first, uint64_t n, bool to_private)
{
    sim_guest_request(ip.w, 0, SIM_REQUEST_HYPERCALL, first * LIFE_PAGE, n, to_private);
    (void)vmm_vcpu_run(ip.vmm, 0);
    return ip.observe->guest_status(ip.observe->ctx, 0);
}

static void test_guest_status(void **state)
{
    (void)state;
    assert_int_equal(hypercall(0, 4, false), 0);
    assert_int_equal(sim_pin(ip.w, LIFE_PAGE, 1), 0);
    assert_int_equal(hypercall(0, 4, true), EAGAIN);
    assert_int_equal(hypercall(30, 12, true), EINVAL);
    assert_int_equal(sim_unpin(ip.w, LIFE_PAGE, 1), 0);
    assert_int_equal(hypercall(0, 4, true), 0);
}

/* To shared: mapped is what the kernel calls shared; a map that fails takes it all back. */
static void test_map_fails(void **state)
{
    (void)state;
    become(5, 2, false);
    life_write(&ip, 9, 99);
    life_arm(&ip, POINT_VFIO_MAP, 4, ENOMEM, false);
    life_forget(&ip);
    assert_int_equal(life_convert(&ip, 2, 18, false), -ENOMEM);
    assert_null(inplace_broken(&ip, shared));
    assert_int_equal(life_read(&ip, 9), 99);
    become(2, 18, false);
    assert_int_equal(life_read(&ip, 9), 99);
}

/* The kernel did it and says EFAULT. */
static void test_late_efault(void **state)
{
    (void)state;
    become(10, 12, false);
    for (unsigned nth = 1; nth <= 2; nth++) {
        life_arm(&ip, POINT_GMEM_SET_ATTRIBUTES, nth, EFAULT, true);
        assert_int_equal(life_convert(&ip, 10, 12, true), -EFAULT);
        assert_null(inplace_broken(&ip, shared));
        life_arm(&ip, POINT_GMEM_SET_ATTRIBUTES, nth, EFAULT, true);
        assert_int_equal(life_convert(&ip, 4, 20, false), -EFAULT);
        assert_null(inplace_broken(&ip, shared));
    }
    become(4, 20, false);
    become(4, 20, true);
}

/* Of what a conversion calls, each call in turn with each errno, early and late; then two that
 * fail: the second one may stop the VM. */
static void sweep(bool to_private, unsigned undo_nth)
{
    static const unsigned points[] = {POINT_GMEM_SET_ATTRIBUTES, POINT_VFIO_MAP,
                                      POINT_VFIO_UNMAP, POINT_CORE_ALLOC};
    unsigned fired = 0;

    for (unsigned i = 0; i < sizeof points / sizeof points[0]; i++)
        for (int late = 0; late < 2; late++)
            for (int e = 0, error; (error = sim_point_errno(points[i], (unsigned)e, late)); e++)
                for (unsigned nth = 1;; nth++) {
                    setup(NULL);
                    become(8, 12, false);
                    become(11, 2, true);
                    life_write(&ip, 9, 9);
                    life_forget(&ip);
                    life_arm(&ip, points[i], nth, error, late);
                    if (undo_nth)
                        life_arm(&ip, points[i], nth + undo_nth, error, late);
                    int rc = life_convert(&ip, 6, 14, to_private);
                    bool hit = ip.failed > 0;
                    if (rc == 0)
                        set_shared(6, 14, !to_private);
                    assert_true(rc == 0 || rc == -error);
                    assert_true(!vmm_stopped(ip.vmm) || ip.failed > 1);
                    if (!vmm_stopped(ip.vmm)) {
                        assert_null(inplace_broken(&ip, shared));
                        assert_int_equal(life_read(&ip, 9), 9);
                        sim_fault_disarm_all(ip.w);
                        become(6, 14, to_private);
                    }
                    fired += ip.failed;
                    life_end(&ip);
                    if (!hit)
                        break;
                }
    assert_true(fired >= 8); /* each errno of attribute and map or unmap, at least */
}

static void test_sweep(void **state)
{
    (void)state;
    life_end(&ip);
    for (unsigned undo_nth = 0; undo_nth < 4; undo_nth++) {
        sweep(true, undo_nth);
        sweep(false, undo_nth);
    }
    setup(NULL);
}

static void test_stop_policy(void **state)
{
    struct vmm_config config = plain;

    (void)state;
    life_end(&ip);
    config.failure = VMM_FAILURE_STOP;
    inplace_start(&ip, &config);
    become(0, 4, false);
    assert_int_equal(sim_pin(ip.w, 2 * LIFE_PAGE, 1), 0);
    assert_int_equal(life_convert(&ip, 0, 4, true), -EAGAIN);
    assert_true(vmm_stopped(ip.vmm) && blocked_at(0, 2));
    assert_int_equal(life_convert(&ip, 0, 4, false), -EIO);
}

/* One mapping a run: a page out of the middle cuts it, and is in nobody's way. */
static void test_mapping_run(void **state)
{
    struct vmm_config config = plain;

    (void)state;
    life_end(&ip);
    config.mapping = VMM_MAPPING_RUN;
    config.tracker = VMM_TRACKER_EXTENTS;
    inplace_start(&ip, &config);
    become(0, 16, false);
    life_forget(&ip);
    become(5, 2, true);
    assert_int_equal(ip.calls[POINT_GMEM_SET_ATTRIBUTES], 1);
    assert_int_equal(sim_pin(ip.w, 9 * LIFE_PAGE, 1), 0);
    assert_int_equal(life_convert(&ip, 8, 3, true), -EAGAIN);
    assert_null(inplace_broken(&ip, shared));
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/inplace/" name, fn, setup, teardown, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("wrong-state-is-seen", test_wrong_state_is_seen),
        TEST("order", test_order),
        TEST("content-is-kept", test_content_is_kept),
        TEST("mixed", test_mixed),
        TEST("several-blocks", test_several_blocks),
        TEST("plain-region", test_plain_region),
        TEST("pinned", test_pinned),
        TEST("the-answer-stays", test_the_answer_stays),
        TEST("pinned-in-the-second-block", test_pinned_in_the_second_block),
        TEST("pinned-in-a-mixed-range", test_pinned_in_a_mixed_range),
        TEST("no-request", test_no_request),
        TEST("a-moment", test_a_moment),
        TEST("guest-status", test_guest_status),
        TEST("map-fails", test_map_fails),
        TEST("late-efault", test_late_efault),
        TEST("sweep", test_sweep),
        TEST("stop-policy", test_stop_policy),
        TEST("mapping-run", test_mapping_run),
    };
    return cmocka_run_group_tests_name("core/inplace", tests, NULL, NULL);
}
