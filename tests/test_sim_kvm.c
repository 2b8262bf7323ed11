/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMs, capabilities, memory slots and attributes: behaviour.md 7.4, 7.5, nested.md 2. */
#include "sim_fixture.h"

static struct fx fx;

enum { M64 = 64 << 20, SLOT_IDS = 32764 };

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    return 0;
}

static int gm(uint32_t slot, uint64_t gpa, uint64_t size, int fd, uint64_t offset)
{
    return fx_region(&fx, slot, KVM_MEM_GUEST_MEMFD, gpa, size, fd, offset);
}

static int at_hva(uint64_t hva, uint32_t slot, uint64_t gpa, uint64_t size)
{
    uint64_t was = fx.hva;
    fx.hva = hva;
    int result = fx_region(&fx, slot, 0, gpa, size, 0, 0);
    fx.hva = was;
    return result;
}

static bool is_private(uint64_t page)
{
    return kvm_page_is_private(fx.w->vm, page);
}

/* The deliberate error: a page whose attribute was not set must not look as if it were. */
static void test_attribute_is_seen(void **state)
{
    (void)state;
    assert_false(is_private(FX_GPA_PAGE + 1));
    assert_int_equal(fx_convert(&fx, 1, 1, true), 0);
    assert_true(is_private(FX_GPA_PAGE + 1));
    assert_false(is_private(FX_GPA_PAGE) || is_private(FX_GPA_PAGE + 2));
}

static int cap(int fd, unsigned long number)
{
    return host_ioctl(&fx.h, fd, KVM_CHECK_EXTENSION, (void *)number);
}

/* The N lines "sys cap" and "vm type" of tests/data/linux-6.12.117.answers. */
static void test_capabilities(void **state)
{
    (void)state;
    int plain = host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)KVM_X86_DEFAULT_VM);
    assert_int_equal(host_ioctl(&fx.h, fx.kvm, KVM_GET_API_VERSION, NULL), 12);
    assert_rule("system ATTRIBUTES", cap(fx.kvm, KVM_CAP_MEMORY_ATTRIBUTES), 8);
    assert_rule("system GUEST_MEMFD", cap(fx.kvm, KVM_CAP_GUEST_MEMFD), 1);
    assert_rule("VM_TYPES", cap(fx.kvm, KVM_CAP_VM_TYPES), 3);
    assert_rule("PRE_FAULT", cap(fx.kvm, KVM_CAP_PRE_FAULT_MEMORY), 1);
    assert_rule("USER_MEMORY2", cap(fx.kvm, KVM_CAP_USER_MEMORY2), 1);
    assert_rule("GUEST_MEMFD_FLAGS", cap(fx.kvm, KVM_CAP_GUEST_MEMFD_FLAGS), 0);
    assert_rule("EXIT_HYPERCALL", cap(fx.kvm, KVM_CAP_EXIT_HYPERCALL), 1 << 12);
    assert_rule("MEMORY_FAULT_INFO", cap(fx.kvm, KVM_CAP_MEMORY_FAULT_INFO), 1);
    assert_rule("NR_MEMSLOTS", cap(fx.kvm, KVM_CAP_NR_MEMSLOTS), SLOT_IDS);
    assert_rule("SYNC_MMU", cap(fx.kvm, KVM_CAP_SYNC_MMU), 1);
    assert_rule("unknown", cap(fx.kvm, 999), 0);
    assert_rule("type 0 ATTRIBUTES", cap(plain, KVM_CAP_MEMORY_ATTRIBUTES), 0);
    assert_rule("type 0 GUEST_MEMFD", cap(plain, KVM_CAP_GUEST_MEMFD), 0);
    assert_rule("type 1 ATTRIBUTES", cap(fx.vm, KVM_CAP_MEMORY_ATTRIBUTES), 8);
    assert_rule("type 1 GUEST_MEMFD", cap(fx.vm, KVM_CAP_GUEST_MEMFD), 1);
}

static void test_create_vm_types(void **state)
{
    (void)state;
    for (unsigned long type = 2; type < 8; type++)
        assert_rule("types 0 and 1 only",
                    host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)type), -EINVAL);
    assert_true(host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)0) >= 0);
    assert_int_equal(fx.w->n_changes, OBSERVE_CHANGES_MAX + 1); /* it is the machine now */
}

static void test_unknown_requests(void **state)
{
    (void)state;
    assert_rule("/dev/kvm", host_ioctl(&fx.h, fx.kvm, KVM_RUN, NULL), -EINVAL);
    assert_rule("VM", host_ioctl(&fx.h, fx.vm, KVM_RUN, NULL), -ENOTTY);
    assert_rule("vCPU", host_ioctl(&fx.h, fx.vcpu, KVM_CREATE_VM, NULL), -EINVAL);
    assert_rule("version's argument", host_ioctl(&fx.h, fx.kvm, KVM_GET_API_VERSION, (void *)1),
                -EINVAL);
    assert_rule("mmap size's argument",
                host_ioctl(&fx.h, fx.kvm, KVM_GET_VCPU_MMAP_SIZE, (void *)1), -EINVAL);
    assert_rule("KVM_RUN's argument", host_ioctl(&fx.h, fx.vcpu, KVM_RUN, (void *)1), -EINVAL);
    assert_int_equal(host_ioctl(&fx.h, fx.kvm, KVM_GET_VCPU_MMAP_SIZE, NULL), PS);
}

static void test_copy_in(void **state)
{
    const unsigned long requests[] = {KVM_SET_USER_MEMORY_REGION, KVM_SET_USER_MEMORY_REGION2,
                                      KVM_SET_MEMORY_ATTRIBUTES, KVM_CREATE_GUEST_MEMFD,
                                      KVM_ENABLE_CAP};
    (void)state;
    for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        assert_rule("no struct", host_ioctl(&fx.h, fx.vm, requests[i], NULL), -EFAULT);
}

static void test_enable_cap(void **state)
{
    struct kvm_enable_cap c = {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1 << 12}};

    (void)state;
    assert_rule("MAP_GPA_RANGE", host_ioctl(&fx.h, fx.vm, KVM_ENABLE_CAP, &c), 0);
    c.args[0] = 1 << 11;
    assert_rule("another hypercall", host_ioctl(&fx.h, fx.vm, KVM_ENABLE_CAP, &c), -EINVAL);
    c.args[0] = 0;
    c.flags = 1;
    assert_rule("flags", host_ioctl(&fx.h, fx.vm, KVM_ENABLE_CAP, &c), -EINVAL);
    c = (struct kvm_enable_cap){.cap = KVM_CAP_GUEST_MEMFD};
    assert_rule("another capability", host_ioctl(&fx.h, fx.vm, KVM_ENABLE_CAP, &c), -EINVAL);
}

static void test_vcpus(void **state)
{
    (void)state;
    assert_rule("number in use", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, NULL), -EEXIST);
    assert_int_equal(host_close(&fx.h, fx.vcpu), 0);
    assert_rule("closed, but the VM has it", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, NULL),
                -EEXIST);
    assert_int_equal(fx.run->exit_reason, 0); /* the mapping still holds the page */
    for (unsigned long id = 1; id < SIM_VCPUS_MAX; id++)
        assert_true(host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, (void *)id) >= 0);
    assert_rule("too many", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, (void *)8), -EINVAL);
    assert_rule("in use before too many", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, (void *)7),
                -EEXIST);
}

/* ---- slots: behaviour.md 7.5 ---- */
static void test_region_rows(void **state)
{
    const uint64_t gpa = M64, size = 2 * PS;

    (void)state;
    assert_rule("unknown flag", fx_region(&fx, 1, 1 << 7, gpa, size, 0, 0), -EINVAL);
    assert_rule(
        "gmem with LOG_DIRTY",
        fx_region(&fx, 1, KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES, gpa, size, fx.gmem, 0),
        -EINVAL);
    assert_rule(
        "gmem with READONLY",
        fx_region(&fx, 1, KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY, gpa, size, fx.gmem, 0),
        -EINVAL);
    assert_rule("size", gm(1, gpa, size + 1, fx.gmem, 0), -EINVAL);
    assert_rule("gpa", gm(1, gpa + 1, size, fx.gmem, 0), -EINVAL);
    assert_rule("hva", at_hva(fx.hva + 1, 1, gpa, size), -EINVAL);
    assert_rule("hva not legal", at_hva(1ull << 47, 1, gpa, size), -EINVAL);
    assert_rule("hva wraps", at_hva(-(uint64_t)PS, 1, gpa, size), -EINVAL);
    assert_rule("gmem offset", gm(1, gpa, size, fx.gmem, 1), -EINVAL);
    assert_rule("gmem wrap", gm(1, gpa, size, fx.gmem, -(uint64_t)PS), -EINVAL);
    assert_rule("slot number", fx_region(&fx, SLOT_IDS, 0, gpa, size, 0, 0), -EINVAL);
    assert_rule("one address space", fx_region(&fx, 1 << 16, 0, gpa, size, 0, 0), -EINVAL);
    assert_rule("gpa wrap", fx_region(&fx, 1, 0, -(uint64_t)PS, size, 0, 0), -EINVAL);
    assert_rule("too many pages", at_hva(0, 1, gpa, (1ull << 31) * PS), -EINVAL);
    assert_rule("above 2^52", fx_region(&fx, 1, 0, 1ull << 52, size, 0, 0), -EINVAL);
    assert_rule("delete nothing", fx_region(&fx, 1, 0, gpa, 0, 0, 0), -EINVAL);
    assert_int_equal(fx.w->vm->n_slots, 1);
    assert_rule("hva need not be mapped", at_hva(PS, 1, gpa, size), 0);
    assert_rule("last number", fx_region(&fx, SLOT_IDS - 1, 0, gpa + M64, size, 0, 0), 0);
}

static void test_binding_rows(void **state)
{
    const uint64_t gpa = M64, size = 4 * PS;

    (void)state;
    int null = host_open(&fx.h, "/dev/null", 0), memfd = host_memfd_create(&fx.h, "m", 0);
    int mine = fx_gmem(&fx, 8), vm = fx.vm;
    fx.vm = host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)1);
    int other = fx_gmem(&fx, 8);
    fx.vm = vm;
    assert_rule("fd -1", gm(1, gpa, size, -1, 0), -EBADF);
    assert_rule("fd closed", gm(1, gpa, size, 99, 0), -EBADF);
    assert_rule("/dev/null", gm(1, gpa, size, null, 0), -EINVAL);
    assert_rule("a memfd", gm(1, gpa, size, memfd, 0), -EINVAL);
    assert_rule("the KVM fd", gm(1, gpa, size, fx.kvm, 0), -EINVAL);
    assert_rule("the VM fd", gm(1, gpa, size, fx.vm, 0), -EINVAL);
    assert_rule("another VM's", gm(1, gpa, size, other, 0), -EINVAL);
    assert_rule("beyond its end", gm(1, gpa, size, mine, 5 * PS), -EINVAL);
    assert_rule("near 2^63", gm(1, gpa, size, mine, INT64_MAX & -(uint64_t)PS), -EINVAL);
    assert_rule("first half", gm(1, gpa, size, mine, 0), 0);
    assert_rule("bound already (6.12)", gm(2, gpa + M64, size, mine, 0), -EINVAL);
    assert_rule("overlap at its back", gm(2, gpa + M64, size, mine, 2 * PS), -EINVAL);
    assert_rule("second half", gm(2, gpa + M64, size, mine, 4 * PS), 0);
    assert_rule("deleted, so free again", fx_region(&fx, 1, 0, 0, 0, 0, 0), 0);
    assert_rule("overlap at its front", gm(1, gpa, size, mine, PS), -EINVAL);
    assert_rule("bound again", gm(1, gpa, size, mine, 0), 0);
}

static void test_gpa_overlap(void **state)
{
    (void)state;
    int mine = fx_gmem(&fx, 64);
    assert_rule("same", gm(1, FX_GPA, PS, mine, 0), -EEXIST);
    assert_rule("front", gm(1, FX_GPA - PS, 2 * PS, mine, 0), -EEXIST);
    assert_rule("back", gm(1, FX_GPA + (FX_PAGES - 1) * PS, 2 * PS, mine, 0), -EEXIST);
    assert_rule("around", gm(1, FX_GPA - PS, (FX_PAGES + 2) * PS, mine, 0), -EEXIST);
    assert_rule("touching below", gm(1, FX_GPA - PS, PS, mine, 0), 0);
    assert_rule("touching above", gm(2, FX_GPA + FX_PAGES * PS, PS, mine, PS), 0);
}

/* Calls that break two rules at once, where the errnos differ. */
static void test_region_order(void **state)
{
    (void)state;
    int mine = fx_gmem(&fx, 4);
    assert_rule("alignment before fd", gm(1, M64 + 1, PS, -1, 0), -EINVAL);
    assert_rule("offset before fd", gm(1, M64, PS, -1, 1), -EINVAL);
    assert_rule("gpa wrap before fd", gm(1, -(uint64_t)PS, 2 * PS, -1, 0), -EINVAL);
    assert_rule("alignment before overlap", gm(1, FX_GPA + 1, PS, mine, 0), -EINVAL);
    assert_rule("unchangeable before overlap", gm(0, FX_GPA, 2 * PS, mine, 0), -EINVAL);
    assert_rule("unchangeable before fd", gm(0, M64, PS, -1, 0), -EINVAL);
    assert_rule("overlap before fd", gm(1, FX_GPA, PS, -1, 0), -EEXIST);
    assert_rule("overlap before kind of fd", gm(1, FX_GPA, PS, fx.vm, 0), -EEXIST);
    assert_rule("overlap before end of file", gm(1, FX_GPA, PS, mine, 64 * PS), -EEXIST);
    assert_rule("overlap before bound range", gm(1, FX_GPA, PS, fx.gmem, 0), -EEXIST);
    assert_rule("fd before gpa limit", gm(1, 1ull << 52, PS, -1, 0), -EBADF);
}

static void test_gmem_slot_never_changes(void **state)
{
    (void)state;
    assert_rule("same again", gm(0, FX_GPA, FX_PAGES * PS, fx.gmem, 0), -EINVAL);
    assert_rule("move", gm(0, M64, FX_PAGES * PS, fx.gmem, 0), -EINVAL);
    assert_rule("flags 0", fx_region(&fx, 0, 0, FX_GPA, FX_PAGES * PS, 0, 0), -EINVAL);
    fx_forget(&fx);
    assert_rule("delete, flag kept", gm(0, FX_GPA, 0, fx.gmem, 0), 0);
    assert_true(fx_noted(&fx, FX_GPA_PAGE));
    assert_rule("delete again", gm(0, FX_GPA, 0, fx.gmem, 0), -EINVAL);
    assert_rule("re-create", gm(0, FX_GPA, FX_PAGES * PS, fx.gmem, 0), 0);
}

static void test_plain_slot_changes(void **state)
{
    const uint32_t ro = KVM_MEM_READONLY, log = KVM_MEM_LOG_DIRTY_PAGES;

    (void)state;
    assert_rule("create", fx_region(&fx, 1, 0, M64, 2 * PS, 0, 0), 0);
    assert_rule("same again", fx_region(&fx, 1, 0, M64, 2 * PS, 0, 0), 0);
    assert_rule("flags", fx_region(&fx, 1, log, M64, 2 * PS, 0, 0), 0);
    assert_rule("move", fx_region(&fx, 1, log, 2 * M64, 2 * PS, 0, 0), 0);
    assert_rule("move onto itself", fx_region(&fx, 1, 0, 2 * M64 + PS, 2 * PS, 0, 0), 0);
    assert_rule("move onto another", fx_region(&fx, 1, 0, FX_GPA, 2 * PS, 0, 0), -EEXIST);
    assert_rule("size", fx_region(&fx, 1, 0, 2 * M64, PS, 0, 0), -EINVAL);
    assert_rule("READONLY", fx_region(&fx, 1, ro, 2 * M64 + PS, 2 * PS, 0, 0), -EINVAL);
    assert_rule("hva", at_hva(fx.hva + PS, 1, 2 * M64 + PS, 2 * PS), -EINVAL);
    assert_rule("becomes gmem", gm(1, 2 * M64 + PS, 2 * PS, fx.gmem, 0), -EINVAL);
    assert_null(kvm_slot_at(fx.w->vm, M64 / PS));
    assert_int_equal(kvm_slot_at(fx.w->vm, 2 * M64 / PS + 2)->id, 1);
}

static void test_old_region_ioctl(void **state)
{
    struct kvm_userspace_memory_region m = {
        .slot = 1, .guest_phys_addr = M64, .memory_size = PS, .userspace_addr = fx.hva};

    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_SET_USER_MEMORY_REGION, &m), 0);
    m.slot = 2;
    m.flags = KVM_MEM_GUEST_MEMFD;
    assert_rule("guest_memfd flag", host_ioctl(&fx.h, fx.vm, KVM_SET_USER_MEMORY_REGION, &m),
                -EINVAL);
    m.flags = 0;
    assert_rule("overlap", host_ioctl(&fx.h, fx.vm, KVM_SET_USER_MEMORY_REGION, &m), -EEXIST);
}

static void test_default_vm_has_no_private_memory(void **state)
{
    (void)state;
    fx_vm(&fx, KVM_X86_DEFAULT_VM);
    fx.hva = fx_anon(&fx, 4);
    fx.gmem = fx_gmem(&fx, 4);
    assert_true(fx.gmem >= 0);
    assert_rule("binding (6.12)", gm(1, M64, PS, fx.gmem, 0), -EINVAL);
    assert_rule("to private", fx_attributes(&fx, M64, PS, 8), -EINVAL);
    assert_rule("to shared", fx_attributes(&fx, M64, PS, 0), 0);
    assert_rule("second address space", fx_region(&fx, 1 << 16, 0, M64, PS, 0, 0), 0);
    assert_rule("overlap is per address space", fx_region(&fx, 0, 0, M64, PS, 0, 0), 0);
    assert_rule("third", fx_region(&fx, 2 << 16, 0, M64, PS, 0, 0), -EINVAL);
}

/* ---- attributes: behaviour.md 7.4 ---- */
static void test_attribute_rows(void **state)
{
    const uint64_t p = KVM_MEMORY_ATTRIBUTE_PRIVATE, last = -(uint64_t)PS;
    struct kvm_memory_attributes a = {.address = M64, .size = PS, .flags = 1};

    (void)state;
    assert_rule("flags", host_ioctl(&fx.h, fx.vm, KVM_SET_MEMORY_ATTRIBUTES, &a), -EINVAL);
    assert_rule("READ", fx_attributes(&fx, M64, PS, 1), -EINVAL);
    assert_rule("PRIVATE and more", fx_attributes(&fx, M64, PS, p | 1), -EINVAL);
    assert_rule("1 << 4", fx_attributes(&fx, M64, PS, 1 << 4), -EINVAL);
    assert_rule("size 0", fx_attributes(&fx, M64, 0, p), -EINVAL);
    assert_rule("wrap", fx_attributes(&fx, last, 2 * PS, p), -EINVAL);
    assert_rule("end is 2^64", fx_attributes(&fx, last, PS, p), -EINVAL);
    assert_rule("address", fx_attributes(&fx, M64 + 1, PS, p), -EINVAL);
    assert_rule("size", fx_attributes(&fx, M64, 100, p), -EINVAL);
    assert_int_equal(fx.w->vm->private_pages.n, 0);
    assert_int_equal(fx.w->n_changes, 0);
    assert_rule("no slot there", fx_attributes(&fx, M64, PS, p), 0);
    assert_rule("again", fx_attributes(&fx, M64, PS, p), 0);
    assert_rule("2^51", fx_attributes(&fx, 1ull << 51, PS, p), 0);
    assert_rule("2^60", fx_attributes(&fx, 1ull << 60, PS, p), 0);
    assert_rule("4G", fx_attributes(&fx, 0, 4ull << 30, p), 0);
    assert_int_equal(fx.w->vm->private_pages.n, 3);
    assert_rule("4G shared", fx_attributes(&fx, 0, 4ull << 30, 0), 0);
    assert_int_equal(fx.w->vm->private_pages.n, 2);
}

/* Already in that state: nothing changed, so nothing is noted. */
static void test_attribute_again_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(fx_convert(&fx, 2, 3, true), 0);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 2) && fx_noted(&fx, FX_GPA_PAGE + 4));
    fx_forget(&fx);
    assert_int_equal(fx_convert(&fx, 3, 1, true), 0);
    assert_int_equal(fx_convert(&fx, 8, 2, false), 0);
    assert_int_equal(fx.w->n_changes, 0);
}

/* Runs against one bit a page; and the runs stay disjoint, apart and sorted. */
static void test_runs_against_bits(void **state)
{
    enum { N = 48 };
    uint64_t seed = 12345;
    bool bits[N] = {false};

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        unsigned first = (unsigned)(seed >> 40) % N, n = (unsigned)(seed >> 50) % 9 + 1;
        bool to_private = seed >> 63;
        if (first + n > N)
            n = N - first;
        assert_int_equal(fx_attributes(&fx, (uint64_t)first * PS, (uint64_t)n * PS,
                                       to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0),
                         0);
        memset(bits + first, to_private, n);
        for (unsigned page = 0; page < N; page++)
            assert_int_equal(is_private(page), bits[page]);
        const struct sim_vm *vm = fx.w->vm;
        for (uint32_t i = 0; i < vm->private_pages.n; i++) {
            assert_true(page_runs_at(&vm->private_pages, i)->first <
                        page_runs_at(&vm->private_pages, i)->end);
            assert_true(!i || page_runs_at(&vm->private_pages, i - 1)->end <
                                  page_runs_at(&vm->private_pages, i)->first);
        }
    }
}

static void test_teardown_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 1), 0);
    assert_int_equal(fx_convert(&fx, 1, 1, true), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + PS, 1), 0);
    assert_int_equal(host_close(&fx.h, fx.vm), 0);
    assert_int_equal(host_close(&fx.h, fx.gmem), 0);
    assert_int_equal(host_close(&fx.h, fx.vcpu), 0);
    assert_non_null(fx.w->vm);
    assert_int_equal(host_munmap(&fx.h, (uintptr_t)fx.run, PS), 0);
    assert_null(fx.w->vm);
    assert_int_equal(host_munmap(&fx.h, fx.hva, FX_PAGES * PS), 0);
    assert_int_equal(host_close(&fx.h, fx.kvm), 0);
    assert_int_equal(fx.w->frames.live | fx.w->mm.n | fx.w->n_fds, 0);
    assert_null(fx.w->vcpus[0].vm);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/kvm/" name, fn, setup, NULL, NULL                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("attribute-is-seen", test_attribute_is_seen),
        TEST("capabilities", test_capabilities),
        TEST("create-vm-types", test_create_vm_types),
        TEST("unknown-requests", test_unknown_requests),
        TEST("copy-in", test_copy_in),
        TEST("enable-cap", test_enable_cap),
        TEST("vcpus", test_vcpus),
        TEST("region-rows", test_region_rows),
        TEST("binding-rows", test_binding_rows),
        TEST("gpa-overlap", test_gpa_overlap),
        TEST("region-order", test_region_order),
        TEST("gmem-slot-never-changes", test_gmem_slot_never_changes),
        TEST("plain-slot-changes", test_plain_slot_changes),
        TEST("old-region-ioctl", test_old_region_ioctl),
        TEST("default-vm-has-no-private-memory", test_default_vm_has_no_private_memory),
        TEST("attribute-rows", test_attribute_rows),
        TEST("attribute-again-changes-nothing", test_attribute_again_changes_nothing),
        TEST("runs-against-bits", test_runs_against_bits),
        TEST("teardown-leaves-nothing", test_teardown_leaves_nothing),
    };
    return cmocka_run_group_tests_name("sim/kvm", tests, NULL, NULL);
}
