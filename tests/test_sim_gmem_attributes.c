/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In-place conversion as proposed: behaviour.md 7.10 and 9.7. */
#include "sim_fixture.h"

#define MMAP        GUEST_MEMFD_FLAG_MMAP
#define INIT_SHARED GUEST_MEMFD_FLAG_INIT_SHARED
#define PRIVATE     KVM_MEMORY_ATTRIBUTE_PRIVATE

static struct fx fx;

static void make_world(enum sim_kernel kernel, bool gmem_attributes)
{
    struct sim_config config = {.page_size = PS,
                                .memlock_pages = UINT64_MAX,
                                .kernel = kernel,
                                .gmem_attributes = gmem_attributes};

    fx_world_of(&fx, &config);
    fx_make_vm(&fx, KVM_X86_SW_PROTECTED_VM);
}

/* One slot over one file, which is its memory too; pages start as the flags say. */
static void make_machine(uint64_t flags)
{
    make_world(SIM_KERNEL_PROPOSED, true);
    fx.gmem = fx_gmem_flags(&fx, FX_PAGES, flags);
    assert_true(fx.gmem >= 0);
    assert_int_equal(host_mmap(&fx.h, 0, FX_PAGES * PS, PROT_READ | PROT_WRITE, MAP_SHARED,
                               fx.gmem, 0, &fx.hva),
                     0);
    assert_int_equal(fx_region(&fx, 0, KVM_MEM_GUEST_MEMFD, FX_GPA, FX_PAGES * PS, fx.gmem, 0),
                     0);
    fx_forget(&fx);
}

static int setup(void **state)
{
    (void)state;
    make_machine(MMAP | INIT_SHARED);
    return 0;
}

static int set(struct kvm_memory_attributes2 a)
{
    return host_ioctl(&fx.h, fx.gmem, KVM_SET_MEMORY_ATTRIBUTES2, &a);
}

/* *at: error_offset in pages. */
static int convert(uint64_t page, uint64_t n, bool to_private, uint64_t *at)
{
    struct kvm_memory_attributes2 a = {
        .offset = page * PS, .size = n * PS, .attributes = to_private ? PRIVATE : 0};
    int error = host_ioctl(&fx.h, fx.gmem, KVM_SET_MEMORY_ATTRIBUTES2, &a);

    if (at)
        *at = a.error_offset / PS;
    return error;
}

static unsigned private_pages(void)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < FX_PAGES; i++)
        bits |= (unsigned)kvm_page_is_private(fx.w->vm, FX_GPA_PAGE + i) << i;
    return bits;
}

static int touch(uint64_t page)
{
    uint32_t frame;

    return mm_fault(fx.w, fx.hva + page * PS, true, &frame);
}

/* The deliberate error: a page that was not converted must not look as if it were. */
static void test_conversion_is_seen(void **state)
{
    (void)state;
    assert_int_equal(private_pages(), 0);
    assert_int_equal(convert(3, 2, true, NULL), 0);
    assert_int_equal(private_pages(), 3 << 3);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 3) && fx_noted(&fx, FX_GPA_PAGE + 4));
    assert_false(fx_noted(&fx, FX_GPA_PAGE + 2) || fx_noted(&fx, FX_GPA_PAGE + 5));
}

static void test_capabilities(void **state)
{
    void *vm_attributes = (void *)KVM_CAP_MEMORY_ATTRIBUTES;
    void *gmem_attributes = (void *)KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES;
    void *flags = (void *)KVM_CAP_GUEST_MEMFD_FLAGS;

    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_CHECK_EXTENSION, vm_attributes), 0);
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_CHECK_EXTENSION, gmem_attributes), PRIVATE);
    assert_int_equal(host_ioctl(&fx.h, fx.kvm, KVM_CHECK_EXTENSION, gmem_attributes), PRIVATE);
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_CHECK_EXTENSION, flags), MMAP | INIT_SHARED);
    assert_rule("VM ioctl", fx_attributes(&fx, FX_GPA, PS, PRIVATE), -ENOTTY);
    make_world(SIM_KERNEL_PROPOSED, false);
    fx.gmem = fx_gmem_flags(&fx, 4, MMAP);
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_CHECK_EXTENSION, gmem_attributes), 0);
    assert_rule("VM attributes are on", convert(0, 1, true, NULL), -ENOTTY);
    assert_rule("VM ioctl", fx_attributes(&fx, FX_GPA, PS, PRIVATE), 0);
}

/* 7.10, row by row; the first rule that is broken answers. */
static void test_rows(void **state)
{
    const uint64_t end = FX_PAGES * PS;

    (void)state;
    assert_rule("no struct", host_ioctl(&fx.h, fx.gmem, KVM_SET_MEMORY_ATTRIBUTES2, NULL),
                -EFAULT);
    assert_rule("another request", host_ioctl(&fx.h, fx.gmem, KVM_RUN, NULL), -ENOTTY);
    assert_rule("flags", set((struct kvm_memory_attributes2){.size = PS, .flags = 1}), -EINVAL);
    assert_rule("error_offset",
                set((struct kvm_memory_attributes2){.size = PS, .error_offset = PS}), -EINVAL);
    for (unsigned i = 0; i < 11; i++) {
        struct kvm_memory_attributes2 a = {.size = PS};

        a.reserved[i] = 1;
        assert_rule("reserved", set(a), -EINVAL);
    }
    for (unsigned bit = 0; bit < 64; bit++)
        assert_rule("attribute",
                    set((struct kvm_memory_attributes2){.size = PS, .attributes = 1ull << bit}),
                    bit == 3 ? 0 : -EINVAL);
    assert_rule("size 0", convert(0, 0, true, NULL), -EINVAL);
    assert_rule("wrap",
                set((struct kvm_memory_attributes2){.offset = PS, .size = 0 - (uint64_t)PS}),
                -EINVAL);
    assert_rule("offset", set((struct kvm_memory_attributes2){.offset = 1, .size = PS}),
                -EINVAL);
    assert_rule("size", set((struct kvm_memory_attributes2){.size = 100}), -EINVAL);
    assert_rule("beyond the end",
                set((struct kvm_memory_attributes2){.offset = end, .size = PS}), -EINVAL);
    assert_rule("across the end",
                set((struct kvm_memory_attributes2){.offset = end - PS, .size = 2 * PS}),
                -EINVAL);
    assert_rule("the last page",
                set((struct kvm_memory_attributes2){.offset = end - PS, .size = PS}), 0);
}

/* 9.7 init private, init shared; only 64-bit sizes have room for absurd files. */
static void test_initial_state(void **state)
{
    (void)state;
    assert_int_equal(private_pages(), 0);
    assert_rule("shared: host", touch(0), 0);
    make_machine(MMAP);
    assert_int_equal(private_pages(), (1 << FX_PAGES) - 1);
    assert_rule("private: host", touch(0), -EFAULT);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), 0);
    assert_true(fx_gmem_flags(&fx, 1ull << 40, MMAP) >= 0);
}

/* One page, one frame: number and content stay over conversions, both ways. */
static void test_frame_is_kept(void **state)
{
    struct observe_page page;
    uint64_t token = 0;

    (void)state;
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + 2 * PS, 42), 0);
    uint32_t frame = fx_frame(&fx, fx.gmem, 2);
    assert_int_equal(fx_frame_at(&fx, fx.hva + 2 * PS), frame);
    for (unsigned i = 0; i < 4; i++) {
        bool is_private = i % 2 == 0;

        assert_int_equal(convert(1, 3, is_private, NULL), 0);
        assert_int_equal(sim_guest_read(fx.w, FX_GPA + 2 * PS, &token), 0);
        assert_int_equal(token, 42);
        assert_int_equal(touch(2), is_private ? -EFAULT : 0);
        sim_observe(fx.w)->pages(fx.w, FX_GPA_PAGE + 2, 1, &page);
        assert_int_equal(page.is_private, is_private);
        assert_int_equal(page.private_frame, is_private ? frame : 0);
        assert_int_equal(page.shared_frame, is_private ? 0 : frame);
    }
}

/* 9.7: conversion before allocation, a range that is partly there, neighbours. */
static void test_before_allocation(void **state)
{
    (void)state;
    assert_int_equal(touch(2), 0);
    assert_int_equal(touch(5), 0);
    assert_int_equal(convert(0, 8, true, NULL), 0);
    assert_int_equal(private_pages(), 0xff);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), 2);
    assert_int_equal(convert(3, 1, false, NULL), 0);
    assert_int_equal(private_pages(), 0xf7);
    assert_rule("neighbour", touch(2), -EFAULT);
    assert_rule("converted", touch(3), 0);
}

/* 9.7: a punch keeps the state, whichever it is. */
static void test_punch_keeps_state(void **state)
{
    uint64_t token = 1;

    (void)state;
    assert_int_equal(convert(0, 4, true, NULL), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 6), 0);
    assert_int_equal(fx_punch(&fx, fx.gmem, 0, FX_PAGES), 0);
    assert_int_equal(private_pages(), 0xf);
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
    assert_int_equal(token, 0);
}

/* 9.7 elevated reference count, and catalogue F2: nothing changed, and where it hangs. */
static void test_pinned_page_refuses(void **state)
{
    uint64_t at, token = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sim_guest_write(fx.w, FX_GPA + i * PS, 10 + i), 0);
    assert_int_equal(sim_pin(fx.w, FX_GPA + 2 * PS, 1), 0);
    fx_forget(&fx);
    assert_rule("all", convert(0, 4, true, &at), -EAGAIN);
    assert_int_equal(at, 2);
    assert_int_equal(private_pages(), 0);
    assert_int_equal(fx.w->n_changes, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_rule("page-wise", convert(i, 1, true, &at), i == 2 ? -EAGAIN : 0);
    assert_int_equal(private_pages(), 0xb);
    assert_rule("to shared never asks", convert(0, 4, false, &at), 0);
    assert_int_equal(sim_unpin(fx.w, FX_GPA + 2 * PS, 1), 0);
    assert_rule("after unpin", convert(0, 4, true, &at), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sim_guest_read(fx.w, FX_GPA + i * PS, &token), 0);
        assert_int_equal(token, 10 + i);
    }
}

/* The offset counts from the start of the file, and names the first of several. */
static void test_error_offset(void **state)
{
    uint64_t at;

    (void)state;
    assert_int_equal(sim_pin(fx.w, FX_GPA + 9 * PS, 3), 0);
    assert_rule("", convert(4, 12, true, &at), -EAGAIN);
    assert_int_equal(at, 9);
    assert_rule("", convert(11, 1, true, &at), -EAGAIN);
    assert_int_equal(at, 11);
    assert_rule("none in the way", convert(12, 4, true, &at), 0);
    assert_rule("in that state already", convert(12, 4, true, &at), 0);
    /* An orphan's references are nobody's business. */
    assert_int_equal(fx_punch(&fx, fx.gmem, 9, 3), 0);
    assert_rule("punched", convert(4, 8, true, &at), 0);
    sim_unpin_all(fx.w);
    assert_int_equal(fx.w->frames.pins, 0);
    assert_int_equal(fx.w->frames.live, 0);
}

static void test_pin_rows(void **state)
{
    (void)state;
    assert_rule("nowhere", sim_pin(fx.w, FX_GPA - PS, 1), -EFAULT);
    assert_rule("over the end", sim_pin(fx.w, FX_GPA + (FX_PAGES - 1) * PS, 2), -EFAULT);
    assert_int_equal(convert(4, 1, true, NULL), 0);
    assert_rule("private", sim_pin(fx.w, FX_GPA + 3 * PS, 2), -EFAULT);
    assert_int_equal(fx.w->frames.pins, 0);
    assert_rule("pin", sim_pin(fx.w, FX_GPA + PS, 2), 0);
    assert_rule("again", sim_pin(fx.w, FX_GPA + 2 * PS, 2), -EEXIST);
    assert_rule("below", sim_pin(fx.w, FX_GPA, 1), 0);
    assert_rule("never pinned", sim_unpin(fx.w, FX_GPA + 2 * PS, 2), -ENOENT);
    assert_int_equal(fx.w->frames.pins, 3);
    assert_rule("unpin", sim_unpin(fx.w, FX_GPA + PS, 1), 0);
    assert_rule("twice", sim_unpin(fx.w, FX_GPA + PS, 1), -ENOENT);
    assert_rule("others stay", sim_unpin(fx.w, FX_GPA + 2 * PS, 1), 0);
    assert_rule("others stay", sim_unpin(fx.w, FX_GPA, 1), 0);
    assert_int_equal(fx.w->frames.pins, 0);
    assert_rule("many", sim_pin(fx.w, FX_GPA + 5 * PS, FX_PAGES - 5), 0);
    sim_unpin_all(fx.w);
    assert_int_equal(fx.w->frames.pins, 0);
}

/* Held in any order, by the hundred; each is dropped for itself. */
static void test_many_pins(void **state)
{
    enum { MANY = 256, STEP = 37 /* no factor in common */ };

    (void)state;
    make_world(SIM_KERNEL_PROPOSED, true);
    fx.hva = fx_anon(&fx, MANY);
    assert_int_equal(fx_region(&fx, 0, 0, FX_GPA, MANY * PS, 0, 0), 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(sim_pin(fx.w, FX_GPA + (uint64_t)(i * STEP % MANY) * PS, 1), 0);
    assert_int_equal(fx.w->frames.pins, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t gpa = FX_GPA + (uint64_t)(i * STEP % MANY) * PS;

        assert_true(sim_is_pinned(fx.w, gpa));
        assert_int_equal(sim_unpin(fx.w, gpa, 1), 0);
        assert_false(sim_is_pinned(fx.w, gpa));
    }
    assert_int_equal(fx.w->frames.pins, 0);
}

/* The fault says where, as the kernel would; a late EFAULT comes from copying that out. */
static void test_faults(void **state)
{
    static const int errors[] = {EAGAIN, ENOMEM};
    struct sim_fault fault = {.point = POINT_GMEM_SET_ATTRIBUTES, .value = 1};
    uint64_t at;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fault.error = (uint16_t)errors[i];
        assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
        assert_int_equal(convert(5, 3, true, &at), -errors[i]);
        assert_int_equal(at, 5);
        assert_int_equal(private_pages(), 0);
        assert_rule("retry", convert(5, 3, true, &at), 0);
        assert_int_equal(convert(5, 3, false, &at), 0);
    }
    fault.error = EFAULT;
    fault.late = true;
    assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
    assert_int_equal(convert(5, 3, true, NULL), -EFAULT);
    assert_int_equal(private_pages(), 7 << 5);
}

/* Two slots over one file, one under an offset: the attribute is the file's. */
static void test_slots_and_offsets(void **state)
{
    (void)state;
    make_world(SIM_KERNEL_PROPOSED, true);
    fx.gmem = fx_gmem_flags(&fx, 8, MMAP);
    fx.hva = 64 << 20;
    assert_int_equal(fx_region(&fx, 0, KVM_MEM_GUEST_MEMFD, FX_GPA, 4 * PS, fx.gmem, 4 * PS),
                     0);
    assert_int_equal(
        fx_region(&fx, 1, KVM_MEM_GUEST_MEMFD, FX_GPA + 6 * PS, 4 * PS, fx.gmem, 0), 0);
    assert_int_equal(private_pages(), 0xf | 0xf << 6); /* no file: shared */
    assert_int_equal(convert(3, 2, false, NULL), 0);
    assert_int_equal(private_pages(), 0xe | 0x7 << 6);

    struct observe_page pages[FX_PAGES];
    sim_observe(fx.w)->pages(fx.w, FX_GPA_PAGE, FX_PAGES, pages);
    for (unsigned i = 0; i < FX_PAGES; i++)
        assert_int_equal(pages[i].is_private, private_pages() >> i & 1);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/gmem-attributes/" name, fn, setup, NULL, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("conversion-is-seen", test_conversion_is_seen),
        TEST("capabilities", test_capabilities),
        TEST("rows", test_rows),
        TEST("initial-state", test_initial_state),
        TEST("frame-is-kept", test_frame_is_kept),
        TEST("before-allocation", test_before_allocation),
        TEST("punch-keeps-state", test_punch_keeps_state),
        TEST("pinned-page-refuses", test_pinned_page_refuses),
        TEST("error-offset", test_error_offset),
        TEST("pin-rows", test_pin_rows),
        TEST("many-pins", test_many_pins),
        TEST("faults", test_faults),
        TEST("slots-and-offsets", test_slots_and_offsets),
    };
    return cmocka_run_group_tests_name("sim/gmem-attributes", tests, NULL, NULL);
}
