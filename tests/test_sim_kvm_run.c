/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM_RUN's exits and the guest's own accesses: behaviour.md 7.6, 7.7. */
#include "sim_fixture.h"

static struct fx fx;

enum { STALE = 0x5a5a };

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    return 0;
}

static void enable_hypercall(void)
{
    struct kvm_enable_cap c = {.cap = KVM_CAP_EXIT_HYPERCALL,
                               .args = {1 << KVM_HC_MAP_GPA_RANGE}};
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_ENABLE_CAP, &c), 0);
}

static int run(void)
{
    return host_ioctl(&fx.h, fx.vcpu, KVM_RUN, NULL);
}

static int hypercall(uint64_t gpa, uint64_t n_pages, bool to_private)
{
    sim_guest_request(fx.w, 0, SIM_REQUEST_HYPERCALL, gpa, n_pages, to_private);
    return run();
}

static int access_page(uint64_t gpa, bool as_private)
{
    sim_guest_request(fx.w, 0, SIM_REQUEST_ACCESS, gpa, 1, as_private);
    return run();
}

static void assert_memory_fault(uint64_t gpa, bool as_private)
{
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_MEMORY_FAULT);
    assert_int_equal(fx.run->memory_fault.gpa, gpa);
    assert_int_equal(fx.run->memory_fault.size, PS);
    assert_int_equal(fx.run->memory_fault.flags, as_private ? 8 : 0);
    assert_int_equal(fx.last.error, EFAULT);
    assert_false(fx.last.failed);
}

/* The deliberate error: an exit that never came must not look like one that did. */
static void test_exit_is_seen(void **state)
{
    (void)state;
    fx.run->exit_reason = KVM_EXIT_MEMORY_FAULT;
    assert_int_equal(run(), -EINTR);
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_INTR);
    assert_false(fx.last.failed);
}

static void test_immediate_exit(void **state)
{
    (void)state;
    fx.run->immediate_exit = 1;
    assert_int_equal(hypercall(FX_GPA, 1, true), -EINTR);
    assert_true(sim_guest_request_pending(fx.w, 0));
    assert_false(fx.last.failed);
}

static void test_hypercall_exit(void **state)
{
    (void)state;
    enable_hypercall();
    fx.run->hypercall.ret = STALE;
    assert_int_equal(hypercall(FX_GPA + PS, 3, true), 0);
    assert_false(sim_guest_request_pending(fx.w, 0));
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_HYPERCALL);
    assert_int_equal(fx.run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
    assert_int_equal(fx.run->hypercall.args[0], FX_GPA + PS);
    assert_int_equal(fx.run->hypercall.args[1], 3);
    assert_int_equal(fx.run->hypercall.args[2],
                     KVM_MAP_GPA_RANGE_ENCRYPTED | KVM_MAP_GPA_RANGE_PAGE_SZ_2M);
    assert_int_equal(hypercall(FX_GPA, 1, false), 0);
    assert_int_equal(fx.run->hypercall.args[2], 0);
}

/* Catalogue B8: 6.12 does not preset the result, so what was there is what the guest sees. */
static void test_stale_result(void **state)
{
    (void)state;
    enable_hypercall();
    fx.run->hypercall.ret = STALE;
    assert_int_equal(hypercall(FX_GPA, 1, true), 0);
    assert_int_equal(kvm_guest_status(fx.w, 0), STALE);
    fx.run->hypercall.ret = EAGAIN;
    assert_int_equal(kvm_guest_status(fx.w, 0), EAGAIN);
    assert_int_equal(run(), -EINTR); /* the guest takes it */
    fx.run->hypercall.ret = 0;
    assert_int_equal(kvm_guest_status(fx.w, 0), EAGAIN);
}

static void assert_told(uint64_t status, int got)
{
    assert_int_equal(got, -EINTR);
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_INTR);
    assert_false(fx.last.failed);
    assert_true(kvm_guest_status(fx.w, 0) == status);
}

static void test_hypercall_not_enabled(void **state)
{
    (void)state;
    assert_told(-(uint64_t)KVM_ENOSYS, hypercall(FX_GPA, 1, true));
    assert_told(-(uint64_t)KVM_ENOSYS, hypercall(FX_GPA + 1, 0, true)); /* asked first */
}

static void test_hypercall_refused_by_kernel(void **state)
{
    (void)state;
    enable_hypercall();
    assert_told(-(uint64_t)EINVAL, hypercall(FX_GPA + 1, 1, true));
    assert_told(-(uint64_t)EINVAL, hypercall(FX_GPA, 0, true));
    assert_told(-(uint64_t)EINVAL, hypercall(FX_GPA, UINT64_MAX, true));
    assert_int_equal(hypercall(-(uint64_t)PS, 1, true), 0); /* only page numbers may not wrap */
}

static void test_access_differs(void **state)
{
    (void)state;
    assert_int_equal(access_page(FX_GPA + PS + 5, true), -EFAULT);
    assert_memory_fault(FX_GPA + PS, true);
    assert_int_equal(fx_convert(&fx, 1, 1, true), 0);
    assert_int_equal(access_page(FX_GPA + PS, false), -EFAULT);
    assert_memory_fault(FX_GPA + PS, false);
    assert_int_equal(fx.w->frames.live, 0);
}

static void test_access_served(void **state)
{
    (void)state;
    assert_int_equal(access_page(FX_GPA, false), -EINTR);
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_INTR);
    assert_true(fx_frame_at(&fx, fx.hva) > 0);
    assert_int_equal(fx_convert(&fx, 1, 1, true), 0);
    fx_forget(&fx);
    assert_int_equal(access_page(FX_GPA + PS, true), -EINTR);
    assert_true(fx_frame(&fx, fx.gmem, 1) > 0);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 1));
    assert_int_equal(fx_frame_at(&fx, fx.hva + PS), 0);
}

static void test_private_without_backing(void **state)
{
    const uint64_t none = 64 << 20, plain = 65 << 20, p = KVM_MEMORY_ATTRIBUTE_PRIVATE;

    (void)state;
    assert_int_equal(fx_region(&fx, 1, 0, plain, PS, 0, 0), 0);
    assert_int_equal(fx_attributes(&fx, none, 2 << 20, p), 0);
    assert_int_equal(access_page(none, true), -EFAULT);
    assert_memory_fault(none, true); /* no slot */
    assert_int_equal(access_page(plain, true), -EFAULT);
    assert_memory_fault(plain, true); /* slot without guest_memfd */
    assert_int_equal(fx_convert(&fx, 0, 1, true), 0);
    assert_int_equal(host_close(&fx.h, fx.gmem), 0);
    assert_int_equal(access_page(FX_GPA, true), -EFAULT);
    assert_memory_fault(FX_GPA, true); /* its fd is closed */
}

static void test_shared_without_backing(void **state)
{
    (void)state;
    assert_int_equal(access_page(64 << 20, false), 0);
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_MMIO);
    assert_int_equal(host_munmap(&fx.h, fx.hva, PS), 0);
    assert_int_equal(access_page(FX_GPA, false), -EFAULT);
    assert_int_equal(fx.run->exit_reason, 0); /* measured: no memory fault exit */
    assert_true(fx.last.failed);
}

static void test_default_vm_only_shares(void **state)
{
    uint64_t run_page = 0;

    (void)state;
    fx_vm(&fx, KVM_X86_DEFAULT_VM);
    fx.hva = fx_anon(&fx, 2);
    assert_int_equal(fx_region(&fx, 0, 0, FX_GPA, 2 * PS, 0, 0), 0);
    fx.vcpu = host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, NULL);
    assert_int_equal(host_mmap(&fx.h, 0, PS, PROT_READ, MAP_SHARED, fx.vcpu, 0, &run_page), 0);
    fx.run = (struct kvm_run *)(uintptr_t)run_page;
    assert_int_equal(access_page(FX_GPA, true), -EINTR);
    assert_int_equal(fx.run->exit_reason, KVM_EXIT_INTR);
    assert_true(fx_frame_at(&fx, fx.hva) > 0);
}

/* Requests wait at the vCPU that they are meant for. */
static void test_two_vcpus(void **state)
{
    (void)state;
    enable_hypercall();
    int second = host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, (void *)5);
    sim_guest_request(fx.w, 5, SIM_REQUEST_HYPERCALL, FX_GPA, 1, true);
    assert_true(sim_guest_request_pending(fx.w, 5));
    assert_false(sim_guest_request_pending(fx.w, 0));
    assert_int_equal(run(), -EINTR);
    assert_int_equal(host_ioctl(&fx.h, second, KVM_RUN, NULL), 0);
    assert_int_equal(fx.last.arg[2], 5);
    assert_false(sim_guest_request_pending(fx.w, 5));
    sim_guest_request(fx.w, 3, SIM_REQUEST_HYPERCALL, FX_GPA, 1, true);
    assert_false(sim_guest_request_pending(fx.w, 3)); /* no such vCPU */
}

/* ---- what the guest reads and writes (nested.md 2, "conversion semantics") ---- */
static void test_guest_sides_are_independent(void **state)
{
    uint64_t token = 1;

    (void)state;
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + 8, 11), 0);
    assert_int_equal(fx_convert(&fx, 0, 1, true), 0);
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
    assert_int_equal(token, 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 22), 0);
    assert_int_equal(fx_convert(&fx, 0, 1, false), 0);
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
    assert_int_equal(token, 11);
}

static void test_guest_errors(void **state)
{
    const uint64_t rom = 64 << 20;
    uint64_t token = 0;

    (void)state;
    assert_int_equal(fx_region(&fx, 1, KVM_MEM_READONLY, rom, PS, 0, 0), 0);
    assert_rule("read-only slot", sim_guest_write(fx.w, rom, 1), -EACCES);
    assert_rule("read of it", sim_guest_read(fx.w, rom, &token), 0);
    assert_rule("no slot", sim_guest_read(fx.w, 2 * rom, &token), -EFAULT);
    assert_int_equal(fx_attributes(&fx, rom, PS, KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
    assert_rule("private, no guest_memfd", sim_guest_write(fx.w, rom, 1), -EFAULT);
    assert_int_equal(host_munmap(&fx.h, fx.hva, PS), 0);
    assert_rule("nothing mapped", sim_guest_write(fx.w, FX_GPA, 1), -EFAULT);
}

/* Two guest addresses of one page of RAM see the same bytes. */
static void test_guest_alias(void **state)
{
    const uint64_t alias = 64 << 20;
    uint64_t token = 0;

    (void)state;
    assert_int_equal(fx_region(&fx, 1, 0, alias, 2 * PS, 0, 0), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + PS, 42), 0);
    assert_int_equal(sim_guest_read(fx.w, alias + PS, &token), 0);
    assert_int_equal(token, 42);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/kvm_run/" name, fn, setup, NULL, NULL                                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("exit-is-seen", test_exit_is_seen),
        TEST("immediate-exit", test_immediate_exit),
        TEST("hypercall-exit", test_hypercall_exit),
        TEST("stale-result", test_stale_result),
        TEST("hypercall-not-enabled", test_hypercall_not_enabled),
        TEST("hypercall-refused-by-kernel", test_hypercall_refused_by_kernel),
        TEST("access-differs", test_access_differs),
        TEST("access-served", test_access_served),
        TEST("private-without-backing", test_private_without_backing),
        TEST("shared-without-backing", test_shared_without_backing),
        TEST("default-vm-only-shares", test_default_vm_only_shares),
        TEST("two-vcpus", test_two_vcpus),
        TEST("guest-sides-are-independent", test_guest_sides_are_independent),
        TEST("guest-errors", test_guest_errors),
        TEST("guest-alias", test_guest_alias),
    };
    return cmocka_run_group_tests_name("sim/kvm_run", tests, NULL, NULL);
}
