/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest_memfd on 6.12: behaviour.md 7.1 and 7.3, nested.md 2. */
#include "sim_fixture.h"

static struct fx fx;

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    return 0;
}

static int create(uint64_t size, uint64_t flags)
{
    struct kvm_create_guest_memfd arg = {.size = size, .flags = flags};
    return host_ioctl(&fx.h, fx.vm, KVM_CREATE_GUEST_MEMFD, &arg);
}

static int falloc(int mode, int64_t offset, int64_t size)
{
    return host_fallocate(&fx.h, fx.gmem, mode, offset, size);
}

/* The deliberate error: the count of pages must see one that is missing. */
static void test_missing_page_is_seen(void **state)
{
    (void)state;
    assert_int_equal(falloc(KEEP, 0, FX_PAGES * PS), 0);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), FX_PAGES);
    assert_int_equal(fx_punch(&fx, fx.gmem, 5, 1), 0);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), FX_PAGES - 1);
    assert_int_equal(fx_frame(&fx, fx.gmem, 5), 0);
}

static void create_rows(unsigned long type)
{
    fx_vm(&fx, type);
    assert_rule("7.1 size 0", create(0, 0), -EINVAL);
    assert_rule("7.1 size not a page", create(PS - 1, 0), -EINVAL);
    assert_rule("7.1 size negative", create(-(uint64_t)PS, 0), -EINVAL);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_rule("7.1 flags: 6.12 has none", create(PS, 1ull << bit), -EINVAL);
    assert_rule("7.1 copy", host_ioctl(&fx.h, fx.vm, KVM_CREATE_GUEST_MEMFD, NULL), -EFAULT);
    assert_true(create(PS, 0) >= 0);
    assert_true(create(1ull << 62, 0) >= 0);
}

static void test_create_errors(void **state)
{
    (void)state;
    create_rows(KVM_X86_SW_PROTECTED_VM);
    create_rows(KVM_X86_DEFAULT_VM); /* 6.12 does not ask what kind of VM it is */
}

/* 7.1, two rules broken at once: flags and size are looked at before an fd is. */
static void test_create_order(void **state)
{
    int last = 0;

    (void)state;
    while (last >= 0)
        last = create(PS, 0);
    assert_rule("7.1 fd table", last, -EMFILE);
    assert_rule("7.1 flags before fd table", create(PS, 1), -EINVAL);
    assert_rule("7.1 size before fd table", create(0, 0), -EINVAL);
}

static void test_not_an_ordinary_file(void **state)
{
    char byte = 0;

    (void)state;
    assert_rule("read", host_read(&fx.h, fx.gmem, &byte, 1), -EINVAL);
    assert_rule("write", fx.h.ops->write(fx.w, __func__, fx.gmem, &byte, 1), -EINVAL);
    assert_rule("pread", fx.h.ops->pread(fx.w, __func__, fx.gmem, &byte, 1, 0), -ESPIPE);
    assert_rule("pwrite", fx.h.ops->pwrite(fx.w, __func__, fx.gmem, &byte, 1, 0), -ESPIPE);
    assert_rule("ftruncate same", host_ftruncate(&fx.h, fx.gmem, FX_PAGES * PS), -EINVAL);
    assert_rule("ftruncate shrink", host_ftruncate(&fx.h, fx.gmem, PS), -EINVAL);
    assert_rule("ftruncate grow", host_ftruncate(&fx.h, fx.gmem, 99 * PS), -EINVAL);
    assert_rule("ioctl", host_ioctl(&fx.h, fx.gmem, KVM_RUN, NULL), -ENOTTY);
}

/* behaviour.md 7.3 row by row. */
static void test_fallocate_rows(void **state)
{
    const int64_t size = FX_PAGES * PS;

    (void)state;
    assert_rule("offset < 0", falloc(PUNCH, -PS, PS), -EINVAL);
    assert_rule("length 0", falloc(PUNCH, 0, 0), -EINVAL);
    assert_rule("mode 0: no KEEP", falloc(0, 0, PS), -EOPNOTSUPP);
    assert_rule("PUNCH without KEEP", falloc(FALLOC_FL_PUNCH_HOLE, 0, PS), -EOPNOTSUPP);
    assert_rule("COLLAPSE", falloc(FALLOC_FL_COLLAPSE_RANGE, 0, PS), -EOPNOTSUPP);
    assert_rule("ZERO_RANGE", falloc(FALLOC_FL_ZERO_RANGE, 0, PS), -EOPNOTSUPP);
    assert_rule("ZERO|KEEP", falloc(FALLOC_FL_ZERO_RANGE | KEEP, 0, PS), -EOPNOTSUPP);
    assert_rule("end overflows", falloc(PUNCH, INT64_MAX - PS + 1, PS), -EFBIG);
    assert_rule("punch: offset", falloc(PUNCH, 1, PS), -EINVAL);
    assert_rule("punch: length", falloc(PUNCH, 0, 100), -EINVAL);
    assert_rule("punch: both", falloc(PUNCH, 512, 512), -EINVAL);
    assert_rule("allocate: offset", falloc(KEEP, 1, PS), -EINVAL);
    assert_rule("allocate: length", falloc(KEEP, 0, 100), -EINVAL);
    assert_rule("allocate beyond the end", falloc(KEEP, size, PS), -EINVAL);
    assert_rule("allocate across the end", falloc(KEEP, size - PS, 2 * PS), -EINVAL);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), 0);
    assert_rule("allocate", falloc(KEEP, 0, 4 * PS), 0);
    assert_rule("allocate again", falloc(KEEP, 0, 4 * PS), 0);
    assert_rule("punch of a hole", falloc(PUNCH, 8 * PS, PS), 0);
    assert_rule("punch beyond the end", falloc(PUNCH, size, PS), 0);
    assert_rule("punch across the end", falloc(PUNCH, size - PS, 2 * PS), 0);
    assert_int_equal(fx_backed(&fx, fx.gmem, FX_PAGES), 4);
}

/* Calls that break two rules at once: the first rule answers. */
static void test_fallocate_order(void **state)
{
    (void)state;
    assert_rule("sign before mode", falloc(0, -1, PS), -EINVAL);
    assert_rule("VFS mode before end", falloc(FALLOC_FL_PUNCH_HOLE, INT64_MAX, PS),
                -EOPNOTSUPP);
    assert_rule("end before own mode", falloc(0, INT64_MAX, PS), -EFBIG);
    assert_rule("end before alignment", falloc(PUNCH, INT64_MAX, PS), -EFBIG);
    assert_rule("mode before alignment", falloc(0, 1, PS), -EOPNOTSUPP);
    assert_rule("ZERO before alignment", falloc(FALLOC_FL_ZERO_RANGE, 1, 1), -EOPNOTSUPP);
    assert_rule("flags before size", create(0, 1), -EINVAL);
}

static void test_huge_is_cheap(void **state)
{
    (void)state;
    size_t used = arena_used(fx.w->arena);
    int fd = create(1ull << 62, 0);
    assert_rule("last page", host_fallocate(&fx.h, fd, KEEP, (int64_t)((1ull << 62) - PS), PS),
                0);
    assert_rule("all of it", host_fallocate(&fx.h, fd, KEEP, 0, (int64_t)(1ull << 62)),
                -ENOMEM);
    assert_rule("punch all", host_fallocate(&fx.h, fd, PUNCH, 0, (int64_t)(1ull << 62)), 0);
    assert_int_equal(fx_backed(&fx, fd, 64), 0);
    assert_int_equal(fx_frame(&fx, fd, (1ull << 50) - 1), 0);
    assert_true(arena_used(fx.w->arena) - used < 8 << 10);
}

/* The next touch gives a new zero page; the attribute stays what it was. */
static void test_punch_replaces_page(void **state)
{
    uint64_t token = 1;

    (void)state;
    assert_int_equal(fx_convert(&fx, 3, 1, true), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA + 3 * PS, 99), 0);
    uint32_t serial = fx_frame(&fx, fx.gmem, 3);
    fx_forget(&fx);
    assert_int_equal(fx_punch(&fx, fx.gmem, 3, 1), 0);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 3));
    assert_true(kvm_page_is_private(fx.w->vm, FX_GPA_PAGE + 3));
    assert_int_equal(sim_guest_read(fx.w, FX_GPA + 3 * PS, &token), 0);
    assert_int_equal(token, 0);
    assert_true(fx_frame(&fx, fx.gmem, 3) > serial);
}

/* Attributes neither allocate nor free: the private page is still there after "shared". */
static void test_attributes_leave_pages(void **state)
{
    uint64_t token = 0;

    (void)state;
    assert_int_equal(fx_convert(&fx, 0, 1, true), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 55667788), 0);
    uint32_t serial = fx_frame(&fx, fx.gmem, 0);
    assert_int_equal(fx_convert(&fx, 0, 1, false), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 11223344), 0);
    assert_int_equal(fx_frame(&fx, fx.gmem, 0), serial);
    assert_int_equal(fx_convert(&fx, 0, 1, true), 0);
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), 0);
    assert_int_equal(token, 55667788);
}

/* behaviour.md 9.5, last line: the file outlives the VM's fds, and holds the VM. */
static void test_works_after_vm_is_closed(void **state)
{
    (void)state;
    assert_int_equal(host_close(&fx.h, fx.vcpu), 0);
    assert_int_equal(host_munmap(&fx.h, (uintptr_t)fx.run, PS), 0);
    assert_int_equal(host_close(&fx.h, fx.vm), 0);
    assert_non_null(fx.w->vm);
    assert_int_equal(falloc(KEEP, 0, PS), 0);
    assert_int_equal(falloc(PUNCH, 0, PS), 0);
    fx_forget(&fx);
    assert_int_equal(host_close(&fx.h, fx.gmem), 0);
    assert_null(fx.w->vm);
    assert_true(fx_noted(&fx, FX_GPA_PAGE));
    assert_int_equal(fx.w->frames.live, 0);
}

static void test_close_unbinds(void **state)
{
    uint64_t token = 0;

    (void)state;
    assert_int_equal(fx_convert(&fx, 0, FX_PAGES, true), 0);
    assert_int_equal(sim_guest_write(fx.w, FX_GPA, 1), 0);
    uint32_t live = fx.w->frames.live;
    fx_forget(&fx);
    assert_int_equal(host_close(&fx.h, fx.gmem), 0);
    assert_int_equal(fx.w->frames.live, live - 1);
    assert_true(fx_noted(&fx, FX_GPA_PAGE) && fx_noted(&fx, FX_GPA_PAGE + FX_PAGES - 1));
    assert_int_equal(sim_guest_read(fx.w, FX_GPA, &token), -EFAULT);
    assert_rule("delete after close", fx_region(&fx, 0, KVM_MEM_GUEST_MEMFD, 0, 0, 0, 0), 0);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/gmem/" name, fn, setup, NULL, NULL                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("missing-page-is-seen", test_missing_page_is_seen),
        TEST("create-errors", test_create_errors),
        TEST("create-order", test_create_order),
        TEST("not-an-ordinary-file", test_not_an_ordinary_file),
        TEST("fallocate-rows", test_fallocate_rows),
        TEST("fallocate-order", test_fallocate_order),
        TEST("huge-is-cheap", test_huge_is_cheap),
        TEST("punch-replaces-page", test_punch_replaces_page),
        TEST("attributes-leave-pages", test_attributes_leave_pages),
        TEST("works-after-vm-is-closed", test_works_after_vm_is_closed),
        TEST("close-unbinds", test_close_unbinds),
    };
    return cmocka_run_group_tests_name("sim/gmem", tests, NULL, NULL);
}
