/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault points: when they fire, what an early and a late one leaves, what is recorded. */
#include "sim_fixture.h"

static struct fx fx;

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    return 0;
}

static int arm(enum sim_point point, int error, enum sim_fault_when when, uint64_t value)
{
    struct sim_fault f = {
        .point = point, .error = (uint16_t)error, .when = when, .value = value};
    return sim_fault_arm(fx.w, &f);
}

static int arm_late(enum sim_point point, int error)
{
    struct sim_fault f = {.point = point, .error = (uint16_t)error, .value = 1, .late = true};
    return sim_fault_arm(fx.w, &f);
}

/* A call that does nothing much: bit i of the answer is set if call i of n failed. */
static uint64_t failing_calls(unsigned n)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i++)
        if (fx_punch(&fx, fx.gmem, 0, 1) != 0)
            bits |= 1ull << i;
    return bits;
}

/* The deliberate error: without a fault nothing fails, with one it does. */
static void test_injection_is_seen(void **state)
{
    (void)state;
    assert_int_equal(failing_calls(8), 0);
    assert_int_equal(arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 1), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), -EIO);
    assert_int_equal(sim_faults_fired(fx.w), 1);
}

static void test_nth_is_one_shot(void **state)
{
    (void)state;
    assert_int_equal(failing_calls(2), 0); /* hits before arming do not count */
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_NTH, 3), 0);
    assert_int_equal(failing_calls(8), 1 << 2);
    assert_int_equal(fx.w->armed, 0);
}

static void test_sticky(void **state)
{
    (void)state;
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_STICKY, 3), 0);
    assert_int_equal(failing_calls(8), 0xfc);
    sim_fault_disarm_all(fx.w);
    assert_int_equal(failing_calls(8), 0);
}

static uint64_t chance_bits(uint64_t seed)
{
    fx_machine(&fx);
    fx.w->fault_rng = seed;
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_CHANCE, 20000), 0);
    return failing_calls(64);
}

static void test_chance_follows_the_seed(void **state)
{
    (void)state;
    uint64_t bits = chance_bits(7);
    assert_true(bits != 0 && bits != UINT64_MAX);
    assert_true(chance_bits(7) == bits);
    assert_true(chance_bits(8) != bits);
}

static void test_chance_ends(void **state)
{
    (void)state;
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_CHANCE, 0), 0);
    assert_int_equal(failing_calls(64), 0);
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_CHANCE, 65536), 0);
    assert_true(failing_calls(64) == UINT64_MAX);
}

static void test_early_has_no_effect(void **state)
{
    (void)state;
    assert_int_equal(host_fallocate(&fx.h, fx.gmem, KEEP, 0, PS), 0);
    uint32_t frame = fx_frame(&fx, fx.gmem, 0);
    assert_int_equal(arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 1), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), -EIO);
    assert_int_equal(fx_frame(&fx, fx.gmem, 0), frame);
    assert_true(fx.last.injected && !fx.last.late && fx.last.failed);
    assert_int_equal(fx.last.error, EIO);
}

/* "The kernel did it and says no": nested.md, UNMAP_DMA's copy-out. */
static void test_late_has_its_effect(void **state)
{
    (void)state;
    assert_int_equal(arm_late(POINT_KVM_SET_ATTRIBUTES, EFAULT), 0);
    assert_int_equal(fx_convert(&fx, 2, 1, true), -EFAULT);
    assert_true(kvm_page_is_private(fx.w->vm, FX_GPA_PAGE + 2));
    assert_true(fx.last.injected && fx.last.late && fx.last.failed);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 2));
}

static void test_late_close_closes(void **state)
{
    (void)state;
    assert_int_equal(arm_late(POINT_HOST_CLOSE, EIO), 0);
    assert_int_equal(host_close(&fx.h, fx.gmem), -EIO);
    assert_null(fd_get(fx.w, fx.gmem));
}

/* Where there was no effect there is nothing to be late for. */
static void test_late_yields_to_a_real_error(void **state)
{
    (void)state;
    assert_int_equal(arm_late(POINT_KVM_SET_ATTRIBUTES, EFAULT), 0);
    assert_int_equal(fx_attributes(&fx, FX_GPA, 0, 0), -EINVAL);
    assert_false(fx.last.injected);
    assert_int_equal(sim_faults_fired(fx.w), 0);
}

static void test_in_undo_waits_for_a_failure(void **state)
{
    struct sim_fault f = {.point = POINT_GMEM_PUNCH, .error = EIO, .value = 2, .in_undo = true};

    (void)state;
    sim_op_begin(fx.w);
    assert_int_equal(sim_fault_arm(fx.w, &f), 0);
    assert_int_equal(failing_calls(4), 0);
    assert_int_equal(fx_attributes(&fx, FX_GPA, 0, 0), -EINVAL); /* the op's first failure */
    assert_int_equal(failing_calls(4), 1 << 1);
    assert_true(fx.last.in_undo);
    sim_op_begin(fx.w);
    assert_int_equal(failing_calls(1), 0);
    assert_false(fx.last.in_undo);
}

/* All faults at a point count its hits; the one armed first wins. */
static void test_two_at_one_point(void **state)
{
    (void)state;
    assert_int_equal(arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 2), 0);
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_STICKY, 2), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), -EIO);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), -EINTR);
}

/* One fault with one count, though it waits at several points. */
static void test_hits_of_all_its_points_count(void **state)
{
    struct sim_fault f = {.point = POINT_GMEM_PUNCH, .error = EINTR, .value = 2};

    (void)state;
    f.more = UINT64_C(1) << POINT_MEMFD_ALLOCATE | UINT64_C(1) << POINT_GMEM_ALLOCATE;
    assert_int_equal(sim_fault_arm(fx.w, &f), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), 0);
    assert_int_equal(host_fallocate(&fx.h, fx.gmem, KEEP, 0, PS), -EINTR);
    assert_int_equal(host_fallocate(&fx.h, fx.gmem, KEEP, 0, PS), 0); /* once */
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, 1), 0);
    f.more |= UINT64_C(1) << POINT_MM_MADVISE; /* it knows no EINTR */
    assert_int_equal(sim_fault_arm(fx.w, &f), -EINVAL);
}

static void test_other_points_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(arm(POINT_MM_MADVISE, EAGAIN, SIM_FAULT_STICKY, 1), 0);
    assert_int_equal(failing_calls(8), 0);
    assert_int_equal(host_madvise(&fx.h, fx.hva, PS, MADV_DONTNEED), -EAGAIN);
}

static void test_arm_refuses(void **state)
{
    (void)state;
    assert_rule("no such errno", arm(POINT_GMEM_PUNCH, ENOMEM, SIM_FAULT_NTH, 1), -EINVAL);
    assert_rule("no early one", arm(POINT_HOST_CLOSE, EIO, SIM_FAULT_NTH, 1), -EINVAL);
    assert_rule("no late one", arm_late(POINT_GMEM_PUNCH, EIO), -EINVAL);
    assert_rule("no such point", arm(POINT_COUNT, EIO, SIM_FAULT_NTH, 1), -EINVAL);
    assert_rule("no hit 0", arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 0), -EINVAL);
    assert_rule("no such profile", arm(POINT_GMEM_PUNCH, EIO, 3, 1), -EINVAL);
    assert_rule("errno 0", arm(POINT_GMEM_PUNCH, 0, SIM_FAULT_NTH, 1), -EINVAL);
    assert_int_equal(fx.w->armed, 0);
    for (unsigned i = 0; i < SIM_FAULTS_MAX; i++)
        assert_int_equal(arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 100), 0);
    assert_rule("too many", arm(POINT_GMEM_PUNCH, EIO, SIM_FAULT_NTH, 1), -ENOSPC);
}

/* Every errno of every point can be armed, early and late, and every name is its own. */
static void test_registry(void **state)
{
    unsigned armed = 0;
    int error;

    (void)state;
    for (unsigned p = 0; p < POINT_COUNT; p++) {
        for (unsigned q = 0; q < p; q++)
            assert_string_not_equal(sim_point_name(p), sim_point_name(q));
        assert_true(strlen(sim_point_help(p)) > 5);
        for (int late = 0; late < 2; late++)
            for (unsigned i = 0; (error = sim_point_errno(p, i, late)); i++, armed++) {
                sim_fault_disarm_all(fx.w);
                assert_int_equal(late ? arm_late(p, error) : arm(p, error, SIM_FAULT_NTH, 1),
                                 0);
            }
    }
    assert_true(armed > 40);
    assert_null(sim_point_name(POINT_COUNT));
    assert_null(sim_point_help(POINT_COUNT));
    assert_int_equal(sim_point_errno(POINT_COUNT, 0, 0), 0);
    assert_int_equal(sim_point_errno(POINT_GMEM_PUNCH, 99, 0), 0);
}

static void test_alloc(void **state)
{
    unsigned calls = fx.n_calls;
    uint32_t live = fx.w->n_allocations;

    (void)state;
    assert_int_equal(arm(POINT_CORE_ALLOC, ENOMEM, SIM_FAULT_NTH, 2), 0);
    void *memory = host_alloc(&fx.h, 100);
    assert_non_null(memory);
    assert_null(host_alloc(&fx.h, 100));
    assert_int_equal(fx.w->n_allocations, live + 1);
    assert_true(fx.w->op_failed);
    host_free(&fx.h, memory);
    host_free(&fx.h, NULL);
    assert_int_equal(fx.w->n_allocations, live);
    assert_int_equal(fx.n_calls, calls + 1); /* on_call is told of the one that failed */
    assert_int_equal(fx.last.point, POINT_CORE_ALLOC);
    assert_int_equal(fx.last.error, ENOMEM);
    assert_true(fx.last.failed && fx.last.injected);
}

/* Who counts hits sees allocs that went well, and which errno a call could not have got: what
 * is private has the memory that it takes to be shared. */
static void test_hits_are_watched(void **state)
{
    unsigned calls = fx.n_calls;

    (void)state;
    host_free(&fx.h, host_alloc(&fx.h, 100));
    assert_int_equal(fx.n_calls, calls);
    sim_watch_hits(fx.w, true);
    host_free(&fx.h, host_alloc(&fx.h, 100));
    assert_int_equal(fx.n_calls, calls + 1);
    assert_int_equal(fx.last.point, POINT_CORE_ALLOC);
    assert_false(fx.last.failed);
    assert_int_equal(fx_convert(&fx, 0, 1, true), 0);
    assert_int_equal(fx.last.cannot, 0);
    assert_int_equal(fx_convert(&fx, 0, 1, false), 0);
    assert_int_equal(fx.last.point, POINT_KVM_SET_ATTRIBUTES);
    assert_int_equal(fx.last.cannot, ENOMEM);
    sim_watch_hits(fx.w, false);
    host_free(&fx.h, host_alloc(&fx.h, 100));
    assert_int_equal(fx.last.point, POINT_KVM_SET_ATTRIBUTES);
}

static void test_record(void **state)
{
    (void)state;
    assert_int_equal(fx_convert(&fx, 3, 2, true), 0);
    assert_int_equal(fx.last.point, POINT_KVM_SET_ATTRIBUTES);
    assert_int_equal(fx.last.arg[0], FX_GPA + 3 * PS);
    assert_int_equal(fx.last.arg[1], 2 * PS);
    assert_int_equal(fx.last.arg[2], KVM_MEMORY_ATTRIBUTE_PRIVATE);
    assert_string_equal(fx.last.caller, "fx_attributes");
    assert_true(!fx.last.error && !fx.last.failed && !fx.last.injected);
    assert_int_equal(fx_attributes(&fx, FX_GPA, 0, 0), -EINVAL);
    assert_true(fx.last.failed && !fx.last.injected && fx.last.error == EINVAL);
}

/* A signal is no failure; a fault that looks like one is. */
static void test_vcpu_exit_is_no_failure(void **state)
{
    (void)state;
    sim_op_begin(fx.w);
    assert_int_equal(host_ioctl(&fx.h, fx.vcpu, KVM_RUN, NULL), -EINTR);
    assert_false(fx.last.failed || fx.w->op_failed);
    assert_int_equal(arm(POINT_KVM_RUN, EINTR, SIM_FAULT_NTH, 1), 0);
    sim_guest_request(fx.w, 0, SIM_REQUEST_HYPERCALL, FX_GPA, 1, true);
    assert_int_equal(host_ioctl(&fx.h, fx.vcpu, KVM_RUN, NULL), -EINTR);
    assert_true(fx.last.failed && fx.w->op_failed);
    assert_true(sim_guest_request_pending(fx.w, 0));
}

static void test_snapshot_keeps_faults(void **state)
{
    struct sim_snapshot s = {0};

    (void)state;
    assert_int_equal(arm(POINT_GMEM_PUNCH, EINTR, SIM_FAULT_NTH, 3), 0);
    assert_int_equal(sim_snapshot_take(fx.w, &s), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(failing_calls(6), 1 << 2);
        sim_snapshot_restore(fx.w, &s);
    }
    sim_snapshot_free(&s);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/fault/" name, fn, setup, NULL, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("injection-is-seen", test_injection_is_seen),
        TEST("nth-is-one-shot", test_nth_is_one_shot),
        TEST("sticky", test_sticky),
        TEST("chance-follows-the-seed", test_chance_follows_the_seed),
        TEST("chance-ends", test_chance_ends),
        TEST("early-has-no-effect", test_early_has_no_effect),
        TEST("late-has-its-effect", test_late_has_its_effect),
        TEST("late-close-closes", test_late_close_closes),
        TEST("late-yields-to-a-real-error", test_late_yields_to_a_real_error),
        TEST("in-undo-waits-for-a-failure", test_in_undo_waits_for_a_failure),
        TEST("two-at-one-point", test_two_at_one_point),
        TEST("hits-of-all-its-points-count", test_hits_of_all_its_points_count),
        TEST("other-points-are-left-alone", test_other_points_are_left_alone),
        TEST("arm-refuses", test_arm_refuses),
        TEST("registry", test_registry),
        TEST("alloc", test_alloc),
        TEST("hits-are-watched", test_hits_are_watched),
        TEST("record", test_record),
        TEST("vcpu-exit-is-no-failure", test_vcpu_exit_is_no_failure),
        TEST("snapshot-keeps-faults", test_snapshot_keeps_faults),
    };
    return cmocka_run_group_tests_name("sim/fault", tests, NULL, NULL);
}
