/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Linux 7.3 changed in KVM and guest_memfd: behaviour.md 7.1 to 7.6, nested.md 2, the
 * column "7.3". Each row is asked of 6.12 as well where its answer differs. */
#include "sim_fixture.h"

#define MMAP        GUEST_MEMFD_FLAG_MMAP
#define INIT_SHARED GUEST_MEMFD_FLAG_INIT_SHARED

enum { M64 = 64 << 20 };

static struct fx fx;

static void make(enum sim_kernel kernel, unsigned long type)
{
    struct sim_config config = {.page_size = PS, .memlock_pages = UINT64_MAX, .kernel = kernel};

    fx_world_of(&fx, &config);
    fx_make_vm(&fx, type);
}

static int cap(int fd, unsigned long number)
{
    return host_ioctl(&fx.h, fd, KVM_CHECK_EXTENSION, (void *)number);
}

static int mmap_of(int fd, uint64_t pages, int flags, uint64_t *hva)
{
    return host_mmap(&fx.h, 0, pages * PS, PROT_READ | PROT_WRITE, flags, fd, 0, hva);
}

static int touch(uint64_t address)
{
    uint32_t frame;

    return mm_fault(fx.w, address, true, &frame);
}

static int region(uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t pages, int fd,
                  uint64_t offset)
{
    return fx_region(&fx, slot, flags, gpa, pages * PS, fd, offset);
}

static void test_capabilities(void **state)
{
    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_SW_PROTECTED_VM);
    assert_rule("system FLAGS", cap(fx.kvm, KVM_CAP_GUEST_MEMFD_FLAGS), MMAP | INIT_SHARED);
    assert_rule("type 1 FLAGS", cap(fx.vm, KVM_CAP_GUEST_MEMFD_FLAGS), MMAP);
    assert_rule("type 1 GUEST_MEMFD", cap(fx.vm, KVM_CAP_GUEST_MEMFD), 1);
    assert_rule("type 1 ATTRIBUTES", cap(fx.vm, KVM_CAP_MEMORY_ATTRIBUTES), 8);
    assert_rule("not merged", cap(fx.vm, KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES), 0);
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    assert_rule("type 0 FLAGS", cap(fx.vm, KVM_CAP_GUEST_MEMFD_FLAGS), MMAP | INIT_SHARED);
    assert_rule("type 0 GUEST_MEMFD", cap(fx.vm, KVM_CAP_GUEST_MEMFD), 1);
    assert_rule("type 0 ATTRIBUTES", cap(fx.vm, KVM_CAP_MEMORY_ATTRIBUTES), 0);
    make(SIM_KERNEL_6_12, KVM_X86_DEFAULT_VM);
    assert_rule("6.12 FLAGS", cap(fx.kvm, KVM_CAP_GUEST_MEMFD_FLAGS), 0);
    assert_rule("6.12 type 0", cap(fx.vm, KVM_CAP_GUEST_MEMFD), 0);
}

/* 9.3: each flag bit is accepted exactly if the capability has it. */
static void test_creation_flags(void **state)
{
    static const unsigned long types[] = {KVM_X86_DEFAULT_VM, KVM_X86_SW_PROTECTED_VM};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        make(i % 2 ? SIM_KERNEL_7_3 : SIM_KERNEL_6_12, types[i / 2]);
        uint64_t can = (uint64_t)cap(fx.vm, KVM_CAP_GUEST_MEMFD_FLAGS);
        for (unsigned bit = 0; bit < 64; bit++) {
            int fd = fx_gmem_flags(&fx, 1, 1ull << bit);
            assert_rule("flag", fd >= 0, can >> bit & 1);
            assert_rule("flag", fd >= 0 ? 0 : fd, can >> bit & 1 ? 0 : -EINVAL);
        }
        assert_rule("flags before size", fx_gmem_flags(&fx, 0, 4), -EINVAL);
    }
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    assert_true(fx_gmem_flags(&fx, 1, INIT_SHARED) >= 0); /* without MMAP is fine */
}

static void test_mmap_rows(void **state)
{
    uint64_t hva;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int plain = fx_gmem(&fx, 4), mappable = fx_gmem_flags(&fx, 4, MMAP);
    assert_rule("no flag, shared", mmap_of(plain, 4, MAP_SHARED, &hva), -ENODEV);
    assert_rule("no flag, private", mmap_of(plain, 4, MAP_PRIVATE, &hva), -ENODEV);
    assert_rule("private", mmap_of(mappable, 4, MAP_PRIVATE, &hva), -EINVAL);
    assert_rule("shared", mmap_of(mappable, 4, MAP_SHARED, &hva), 0);
    assert_rule("without INIT_SHARED: SIGBUS", touch(hva), -EFAULT);
    assert_int_equal(fx_backed(&fx, mappable, 4), 0);
}

/* 9.3: whole file, punch of the first page, past the end. */
static void test_memory_of_the_file(void **state)
{
    uint64_t hva;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int fd = fx_gmem_flags(&fx, 4, MMAP | INIT_SHARED);
    assert_int_equal(mmap_of(fd, 6, MAP_SHARED, &hva), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_rule("touch", touch(hva + i * PS), 0);
    assert_rule("past the end: SIGBUS", touch(hva + 4 * PS), -EFAULT);
    uint32_t first = fx_frame(&fx, fd, 0), second = fx_frame(&fx, fd, 1);
    assert_true(first && second && first != second);
    assert_int_equal(fx_punch(&fx, fd, 0, 1), 0);
    assert_int_equal(fx_frame_at(&fx, hva), 0);
    assert_rule("touch again", touch(hva), 0);
    assert_true(fx_frame(&fx, fd, 0) > second);
    assert_int_equal(fx_frame_at(&fx, hva + PS), second);
}

/* A private-memory VM: the file can be mapped, every access is SIGBUS, whatever the attribute.
 */
static void test_private_memory_vm(void **state)
{
    uint64_t hva;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_SW_PROTECTED_VM);
    int fd = fx_gmem_flags(&fx, 4, MMAP);
    assert_rule("INIT_SHARED", fx_gmem_flags(&fx, 4, MMAP | INIT_SHARED), -EINVAL);
    assert_int_equal(mmap_of(fd, 4, MAP_SHARED, &hva), 0);
    fx.hva = hva;
    assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), 0);
    assert_int_equal(fx_attributes(&fx, FX_GPA, PS, 0), 0);
    assert_rule("shared page", touch(hva), -EFAULT);
    assert_int_equal(fx_attributes(&fx, FX_GPA, PS, KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
    assert_rule("private page", touch(hva), -EFAULT);
    /* Both kinds of guest access reach the file. */
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 7), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + PS, 8), 0);
    assert_int_equal(fx_backed(&fx, fd, 4), 2);
}

/* nested.md 2, "7.3 only": what the host writes the guest sees, through one page. */
static void test_host_and_guest_share(void **state)
{
    uint64_t hva, token = 0;
    uint32_t frame;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int fd = fx_gmem_flags(&fx, 4, MMAP | INIT_SHARED);
    assert_int_equal(mmap_of(fd, 4, MAP_SHARED, &hva), 0);
    fx.hva = hva;
    assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), 0);
    assert_int_equal(mm_fault(fx.w, hva + PS, true, &frame), 0);
    frame_at(&fx.w->frames, frame)->content = 77;
    assert_int_equal(sim_guest_read(fx.w, FX_GPA + PS, &token), 0);
    assert_int_equal(token, 77);

    struct observe_page page[2];
    sim_observe(fx.w)->pages(fx.w, FX_GPA_PAGE, 2, page);
    assert_int_equal(page[1].shared_frame, fx_frame(&fx, fd, 1));
    assert_int_equal(page[1].private_frame, 0);
    assert_int_equal(page[0].shared_frame, 0);
}

/* Also as the memory of a slot that knows nothing of guest_memfd. */
static void test_ordinary_memory_of_a_slot(void **state)
{
    uint64_t hva;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int fd = fx_gmem_flags(&fx, 4, MMAP | INIT_SHARED);
    assert_int_equal(mmap_of(fd, 4, MAP_SHARED, &hva), 0);
    fx.hva = hva;
    assert_int_equal(region(0, 0, FX_GPA, 4, 0, 0), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + 2 * PS, 5), 0);
    assert_int_equal(fx_backed(&fx, fd, 4), 1);
    fx_forget(&fx);
    assert_int_equal(fx_punch(&fx, fd, 2, 1), 0);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 2));
}

static int64_t binding_answer(enum sim_kernel kernel, uint64_t gpa, uint64_t offset,
                              uint64_t pages)
{
    make(kernel, KVM_X86_SW_PROTECTED_VM);
    int fd = fx_gmem(&fx, 8);
    fx.hva = M64;
    assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 2 * PS), 0);
    return region(1, KVM_MEM_GUEST_MEMFD, gpa, pages, fd, offset);
}

/* 9.4 and catalogue F7: file ranges that are bound already. 6.12 says EINVAL. */
static void test_bound_twice(void **state)
{
    (void)state;
    for (int kernel = SIM_KERNEL_6_12; kernel <= SIM_KERNEL_PROPOSED; kernel++) {
        int taken = kernel == SIM_KERNEL_6_12 ? -EINVAL : -EEXIST;

        assert_rule("same", binding_answer(kernel, M64, 2 * PS, 4), taken);
        assert_rule("front", binding_answer(kernel, M64, PS, 2), taken);
        assert_rule("back", binding_answer(kernel, M64, 5 * PS, 2), taken);
        assert_rule("below", binding_answer(kernel, M64, 0, 2), 0);
        assert_rule("above", binding_answer(kernel, M64, 6 * PS, 2), 0);
        assert_rule("beyond the file first", binding_answer(kernel, M64, 5 * PS, 4), -EINVAL);
        assert_rule("GPA overlap first", binding_answer(kernel, FX_GPA, 2 * PS, 4), -EEXIST);
    }
}

/* Catalogue F7: no offset, however large, passes for a small one. */
static void test_offset_overflow(void **state)
{
    static const uint64_t offsets[] = {INT64_MAX - PS + 1, (uint64_t)INT64_MAX + 1,
                                       0 - (uint64_t)PS, 0 - (uint64_t)4 * PS};

    (void)state;
    for (int kernel = SIM_KERNEL_6_12; kernel <= SIM_KERNEL_PROPOSED; kernel++) {
        make(kernel, KVM_X86_SW_PROTECTED_VM);
        int fd = fx_gmem(&fx, 8);
        for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
            for (uint64_t pages = 1; pages <= 8; pages++)
                assert_rule("F7", region(1, KVM_MEM_GUEST_MEMFD, M64, pages, fd, offsets[i]),
                            -EINVAL);
        }
        assert_null(kvm_slot_at(fx.w->vm, M64 / PS));
    }
}

/* Catalogue F6: whichever of slot and file goes first, nothing of the binding is left. */
static void test_bind_unbind_lifetime(void **state)
{
    uint64_t token;

    (void)state;
    for (unsigned slot_first = 0; slot_first < 2; slot_first++) {
        make(SIM_KERNEL_7_3, KVM_X86_SW_PROTECTED_VM);
        int fd = fx_gmem(&fx, 4), again;

        assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), 0);
        assert_int_equal(fx_attributes(&fx, FX_GPA, PS, KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
        assert_int_equal(sim_guest_write(fx.w, FX_GPA, 3), 0);
        if (slot_first)
            assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 0, fd, 0), 0);
        assert_int_equal(host_close(&fx.h, fd), 0);
        assert_int_equal(fx.w->frames.live, 0);
        if (!slot_first) {
            assert_rule("closed", sim_guest_read(fx.w, FX_GPA, &token), -EFAULT);
            assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 0, fd, 0), 0);
        }
        again = fx_gmem(&fx, 4);
        assert_rule("bound anew", region(1, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, again, 0), 0);
        assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
        assert_int_equal(token, 0);
        assert_int_equal(host_close(&fx.h, again), 0);
        assert_int_equal(host_close(&fx.h, fx.vm), 0);
        assert_null(fx.w->vm);
        assert_int_equal(fx.w->frames.live, 0);
    }
}

/* A mapping keeps the file, and what is bound to it. */
static void test_mapping_keeps_the_file(void **state)
{
    uint64_t token = 0;

    (void)state;
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int fd = fx_gmem_flags(&fx, 4, MMAP | INIT_SHARED);
    assert_int_equal(mmap_of(fd, 4, MAP_SHARED, &fx.hva), 0);
    assert_int_equal(region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 9), 0);
    assert_int_equal(host_close(&fx.h, fd), 0);
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
    assert_int_equal(token, 9);
    assert_int_equal(host_close(&fx.h, fx.vm), 0); /* the file keeps the VM */
    assert_non_null(fx.w->vm);
    assert_int_equal(host_munmap(&fx.h, fx.hva, 2 * PS), 0);
    assert_non_null(fx.w->vm);
    assert_int_equal(host_munmap(&fx.h, fx.hva + 2 * PS, 2 * PS), 0);
    assert_null(fx.w->vm);
    assert_int_equal(fx.w->frames.live, 0);
}

/* guest_memfd slots on every kind of VM; the file of another VM still not. */
static void test_default_vm_binds(void **state)
{
    (void)state;
    make(SIM_KERNEL_6_12, KVM_X86_DEFAULT_VM);
    assert_rule("6.12", region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fx_gmem(&fx, 4), 0), -EINVAL);
    make(SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM);
    int fd = fx_gmem(&fx, 4);
    assert_rule("7.3", region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), 0);
    assert_rule("DIRTY_LOG",
                region(1, KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES, M64, 4, fd, 0),
                -EINVAL);
    assert_rule("PRIVATE", fx_attributes(&fx, FX_GPA, PS, KVM_MEMORY_ATTRIBUTE_PRIVATE),
                -EINVAL);
    fx.vm = host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)KVM_X86_DEFAULT_VM);
    assert_rule("another VM's", region(0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4, fd, 0), -EINVAL);
}

/* ENOMEM, armed for good: which calls have memory to run out of? 7.4. */
static void test_attributes_out_of_memory(void **state)
{
    struct sim_fault fault = {.point = POINT_KVM_SET_ATTRIBUTES,
                              .error = ENOMEM,
                              .when = SIM_FAULT_STICKY,
                              .value = 1};

    (void)state;
    for (int kernel = SIM_KERNEL_6_12; kernel <= SIM_KERNEL_PROPOSED; kernel++) {
        int mixed = kernel == SIM_KERNEL_6_12 ? -ENOMEM : 0;

        make(kernel, KVM_X86_SW_PROTECTED_VM);
        assert_int_equal(fx_convert(&fx, 0, 4, true), 0);
        assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
        assert_rule("to private", fx_convert(&fx, 4, 1, true), -ENOMEM);
        assert_rule("all private, to shared", fx_convert(&fx, 1, 2, false), 0);
        assert_rule("mixed, to shared", fx_convert(&fx, 0, 4, false), mixed);
        assert_int_equal(kvm_page_is_private(fx.w->vm, FX_GPA_PAGE), mixed != 0);
        assert_rule("all shared, to shared", fx_convert(&fx, 8, 1, false), mixed);
        assert_true(sim_faults_fired(fx.w) >= 1);
    }
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/kvm-7.3/" name, fn, NULL, NULL, NULL                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("capabilities", test_capabilities),
        TEST("creation-flags", test_creation_flags),
        TEST("mmap-rows", test_mmap_rows),
        TEST("memory-of-the-file", test_memory_of_the_file),
        TEST("private-memory-vm", test_private_memory_vm),
        TEST("host-and-guest-share", test_host_and_guest_share),
        TEST("ordinary-memory-of-a-slot", test_ordinary_memory_of_a_slot),
        TEST("bound-twice", test_bound_twice),
        TEST("offset-overflow", test_offset_overflow),
        TEST("bind-unbind-lifetime", test_bind_unbind_lifetime),
        TEST("mapping-keeps-the-file", test_mapping_keeps_the_file),
        TEST("default-vm-binds", test_default_vm_binds),
        TEST("attributes-out-of-memory", test_attributes_out_of_memory),
    };
    return cmocka_run_group_tests_name("sim/kvm-7.3", tests, NULL, NULL);
}
