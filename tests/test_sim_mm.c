/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process: files, mappings, anonymous memory, memfd, and the pages behind them. */
#include "sim_fixture.h"

#include <sys/resource.h>

static struct fx fx;
static const int rw = PROT_READ | PROT_WRITE;
static const int anon = MAP_PRIVATE | MAP_ANONYMOUS;

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    return 0;
}

static int map(uint64_t size, int flags, int fd, int64_t offset)
{
    uint64_t out = 0;
    return host_mmap(&fx.h, 0, size, rw, flags, fd, offset, &out);
}

/* Faults a page in; its frame's serial or the error. */
static int64_t touch(uint64_t address, bool write)
{
    uint32_t frame = 0;
    int error = mm_fault(fx.w, address, write, &frame);
    return error ? error : (int64_t)frame_at(&fx.w->frames, frame)->serial;
}

static int memfd(uint64_t pages)
{
    int fd = host_memfd_create(&fx.h, "ram", 0);
    assert_true(fd >= 0);
    assert_int_equal(host_ftruncate(&fx.h, fd, (int64_t)(pages * PS)), 0);
    return fd;
}

/* The deliberate error: a page that was dropped is not the page that it was. */
static void test_identity_is_seen(void **state)
{
    (void)state;
    int64_t before = touch(fx.hva, true);
    assert_true(before > 0);
    assert_int_equal(touch(fx.hva, true), before);
    assert_int_equal(host_madvise(&fx.h, fx.hva, PS, MADV_DONTNEED), 0);
    assert_true(touch(fx.hva, true) > before);
}

static void test_mmap_errors(void **state)
{
    (void)state;
    int null = host_open(&fx.h, "/dev/null", O_RDWR);
    assert_rule("offset not a page", map(PS, anon, -1, 1), -EINVAL);
    assert_rule("bad fd", map(PS, MAP_SHARED, 99, 0), -EBADF);
    assert_rule("length 0", map(0, anon, -1, 0), -EINVAL);
    assert_rule("too long", map(UINT64_MAX - PS, anon, -1, 0), -ENOMEM);
    assert_rule("too long for what is left", map(1ull << 47, anon, -1, 0), -ENOMEM);
    assert_rule("neither shared nor private", map(PS, MAP_ANONYMOUS, -1, 0), -EINVAL);
    assert_rule("a file that has no mmap", map(PS, MAP_SHARED, null, 0), -ENODEV);
    assert_rule("guest_memfd (nested.md 2)", map(PS, MAP_SHARED, fx.gmem, 0), -ENODEV);
    assert_rule("guest_memfd private", map(PS, MAP_PRIVATE, fx.gmem, 0), -ENODEV);
    assert_rule("run page is one", map(2 * PS, MAP_SHARED, fx.vcpu, 0), -EINVAL);
}

static void test_mmap_order(void **state)
{
    (void)state;
    assert_rule("offset before fd", map(PS, MAP_SHARED, 99, 1), -EINVAL);
    assert_rule("fd before length", map(0, MAP_SHARED, 99, 0), -EBADF);
    assert_rule("length before sharing", map(UINT64_MAX, MAP_ANONYMOUS, -1, 0), -ENOMEM);
    assert_rule("sharing before file", map(PS, 0, fx.gmem, 0), -EINVAL);
}

static void test_addresses_are_not_reused(void **state)
{
    (void)state;
    uint64_t first = fx_anon(&fx, 2), second = fx_anon(&fx, 2);
    assert_true(second > first + 2 * PS); /* with a gap */
    assert_int_equal(touch(first + 2 * PS, false), -EFAULT);
    assert_int_equal(host_munmap(&fx.h, second, 2 * PS), 0);
    assert_true(fx_anon(&fx, 2) > second);
}

static void test_protection(void **state)
{
    (void)state;
    uint64_t ro = fx_map(&fx, 1, PROT_READ, anon, -1), no = fx_map(&fx, 1, PROT_NONE, anon, -1);
    assert_int_equal(touch(ro, true), -EFAULT);
    assert_true(touch(ro, false) > 0);
    assert_int_equal(touch(no, false), -EFAULT);
    assert_int_equal(touch(0, false), -EFAULT);
    assert_int_equal(touch(fx.hva + PS - 1, false), touch(fx.hva, false));
}

static void test_munmap_splits(void **state)
{
    (void)state;
    uint64_t hva = fx_anon(&fx, 8);
    uint32_t vmas = fx.w->mm.n, frames = fx.w->frames.live;
    int64_t head = touch(hva, true), hole = touch(hva + 3 * PS, true);
    int64_t tail = touch(hva + 7 * PS, true);
    assert_int_equal(fx.w->frames.live, frames + 3);
    assert_int_equal(host_munmap(&fx.h, hva + 2 * PS, 2 * PS), 0);
    assert_int_equal(fx.w->mm.n, vmas + 1);
    assert_int_equal(fx.w->frames.live, frames + 2); /* freed at once */
    assert_int_equal(touch(hva + 3 * PS, true), -EFAULT);
    assert_int_equal(touch(hva, true), head);
    assert_int_equal(touch(hva + 7 * PS, true), tail);
    assert_int_not_equal(head, hole);
    assert_int_equal(host_munmap(&fx.h, hva, 8 * PS), 0); /* holes are fine */
    assert_int_equal(fx.w->mm.n, vmas - 1);
    assert_int_equal(fx.w->frames.live, frames);
}

static void test_munmap_errors(void **state)
{
    (void)state;
    assert_rule("address not a page", host_munmap(&fx.h, fx.hva + 1, PS), -EINVAL);
    assert_rule("length 0", host_munmap(&fx.h, fx.hva, 0), -EINVAL);
    assert_rule("beyond user space", host_munmap(&fx.h, fx.hva, UINT64_MAX), -EINVAL);
    assert_rule("nothing there", host_munmap(&fx.h, PS, PS), 0);
    assert_rule("rounds up", host_munmap(&fx.h, fx.hva, 1), 0);
    assert_int_equal(touch(fx.hva, false), -EFAULT);
    assert_true(touch(fx.hva + PS, false) > 0);
}

static void test_map_fixed(void **state)
{
    uint64_t out = 0, at = fx.hva + PS;

    (void)state;
    int64_t before = touch(at, true);
    assert_int_equal(host_mmap(&fx.h, at, PS, rw, anon | MAP_FIXED, -1, 0, &out), 0);
    assert_int_equal(out, at);
    assert_true(touch(at, true) > before);
    assert_rule("address not a page",
                host_mmap(&fx.h, at + 1, PS, rw, anon | MAP_FIXED, -1, 0, &out), -EINVAL);
    assert_rule("beyond user space",
                host_mmap(&fx.h, 1ull << 50, PS, rw, anon | MAP_FIXED, -1, 0, &out), -ENOMEM);
}

static void test_madvise_errors(void **state)
{
    (void)state;
    uint64_t other = fx_anon(&fx, 2);
    assert_rule("unknown advice", host_madvise(&fx.h, fx.hva, PS, 1234), -EINVAL);
    assert_rule("address not a page", host_madvise(&fx.h, fx.hva + 1, PS, MADV_DONTNEED),
                -EINVAL);
    assert_rule("wrap", host_madvise(&fx.h, fx.hva, UINT64_MAX, MADV_DONTNEED), -EINVAL);
    assert_rule("length 0", host_madvise(&fx.h, fx.hva, 0, MADV_DONTNEED), 0);
    assert_rule("nothing there", host_madvise(&fx.h, PS, PS, MADV_DONTNEED), -ENOMEM);
    assert_rule("REMOVE of private", host_madvise(&fx.h, fx.hva, PS, MADV_REMOVE), -EINVAL);
    int64_t before = touch(other, true);
    assert_rule("a hole: the rest is done",
                host_madvise(&fx.h, fx.hva, other + PS - fx.hva, MADV_DONTNEED), -ENOMEM);
    assert_true(touch(other, true) > before);
}

/* Only the pages that are named go. */
static void test_dontneed(void **state)
{
    (void)state;
    int64_t serial[4];
    for (unsigned i = 0; i < 4; i++)
        serial[i] = touch(fx.hva + i * PS, true);
    fx_forget(&fx);
    assert_int_equal(host_madvise(&fx.h, fx.hva + PS, 2 * PS, MADV_DONTNEED), 0);
    assert_int_equal(fx_frame_at(&fx, fx.hva), serial[0]);
    assert_int_equal(fx_frame_at(&fx, fx.hva + PS), 0);
    assert_int_equal(fx_frame_at(&fx, fx.hva + 2 * PS), 0);
    assert_int_equal(fx_frame_at(&fx, fx.hva + 3 * PS), serial[3]);
    assert_true(fx_noted(&fx, FX_GPA_PAGE + 1) && fx_noted(&fx, FX_GPA_PAGE + 2));
    assert_false(fx_noted(&fx, FX_GPA_PAGE) || fx_noted(&fx, FX_GPA_PAGE + 3));
}

static void test_memfd_is_shared(void **state)
{
    (void)state;
    int fd = memfd(4);
    uint64_t a = fx_map(&fx, 4, rw, MAP_SHARED, fd), b = fx_map(&fx, 4, rw, MAP_SHARED, fd);
    int64_t serial = touch(a + PS, true);
    assert_int_equal(touch(b + PS, false), serial);
    assert_rule("DONTNEED drops nothing of a file",
                host_madvise(&fx.h, a, 4 * PS, MADV_DONTNEED), 0);
    assert_int_equal(touch(b + PS, false), serial);
    assert_int_equal(host_close(&fx.h, fd), 0); /* the mappings hold it */
    assert_int_equal(touch(a + PS, false), serial);
    assert_rule("REMOVE punches", host_madvise(&fx.h, a + PS, PS, MADV_REMOVE), 0);
    assert_int_equal(fx_frame_at(&fx, b + PS), 0);
    uint64_t ro = fx_map(&fx, 1, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1);
    assert_rule("REMOVE needs write", host_madvise(&fx.h, ro, PS, MADV_REMOVE), -EACCES);
}

static void test_memfd_offset_and_end(void **state)
{
    uint64_t a = 0;

    (void)state;
    int fd = memfd(4);
    assert_int_equal(host_mmap(&fx.h, 0, 4 * PS, rw, MAP_SHARED, fd, 2 * PS, &a), 0);
    int64_t serial = touch(a, true);
    assert_int_equal(fx_frame(&fx, fd, 2), serial);
    assert_rule("beyond the end: SIGBUS", touch(a + 2 * PS, true), -EFAULT);
    assert_int_equal(host_ftruncate(&fx.h, fd, 2 * PS), 0);
    assert_int_equal(fx_frame(&fx, fd, 2), 0);
    assert_int_equal(touch(a, true), -EFAULT);
    assert_int_equal(host_ftruncate(&fx.h, fd, 2 * PS + 1), 0); /* a part is a page */
    assert_true(touch(a, true) > 0);
}

static int fallocate_memfd(int fd, int mode, int64_t offset, int64_t size)
{
    return host_fallocate(&fx.h, fd, mode, offset, size);
}

/* behaviour.md 7.3, first three rows: the VFS asks these of every file. */
static void test_vfs_fallocate(void **state)
{
    (void)state;
    int fd = memfd(4), null = host_open(&fx.h, "/dev/null", O_RDWR);
    assert_rule("bad fd", fallocate_memfd(99, PUNCH, 0, PS), -EBADF);
    assert_rule("offset < 0", fallocate_memfd(fd, PUNCH, -1, PS), -EINVAL);
    assert_rule("length 0", fallocate_memfd(fd, PUNCH, 0, 0), -EINVAL);
    assert_rule("length < 0", fallocate_memfd(fd, PUNCH, 0, -1), -EINVAL);
    assert_rule("unknown mode", fallocate_memfd(fd, 0x800, 0, PS), -EOPNOTSUPP);
    assert_rule("PUNCH without KEEP", fallocate_memfd(fd, FALLOC_FL_PUNCH_HOLE, 0, PS),
                -EOPNOTSUPP);
    assert_rule("contradictory", fallocate_memfd(fd, PUNCH | FALLOC_FL_ZERO_RANGE, 0, PS),
                -EOPNOTSUPP);
    assert_rule("COLLAPSE with KEEP",
                fallocate_memfd(fd, KEEP | FALLOC_FL_COLLAPSE_RANGE, 0, PS), -EOPNOTSUPP);
    assert_rule("end overflows", fallocate_memfd(fd, PUNCH, INT64_MAX, PS), -EFBIG);
    assert_rule("not memfd's", fallocate_memfd(fd, FALLOC_FL_ZERO_RANGE, 0, PS), -EOPNOTSUPP);
    assert_rule("not a file", fallocate_memfd(null, PUNCH, 0, PS), -ENODEV);
    assert_rule("order: sign before mode", fallocate_memfd(fd, 0x800, -1, PS), -EINVAL);
    assert_rule("order: mode before end", fallocate_memfd(fd, 0x800, INT64_MAX, PS),
                -EOPNOTSUPP);
    assert_rule("order: mode before kind", fallocate_memfd(null, 0x800, 0, PS), -EOPNOTSUPP);
    assert_rule("order: kind before end", fallocate_memfd(null, PUNCH, INT64_MAX, PS), -ENODEV);
}

static void test_memfd_fallocate(void **state)
{
    (void)state;
    int fd = memfd(8);
    assert_rule("allocate", fallocate_memfd(fd, 0, 0, 8 * PS), 0);
    assert_int_equal(fx_backed(&fx, fd, 8), 8);
    assert_rule("punch", fallocate_memfd(fd, PUNCH, PS, 2 * PS), 0);
    assert_int_equal(fx_backed(&fx, fd, 8), 6);
    assert_rule("punch again", fallocate_memfd(fd, PUNCH, PS, 2 * PS), 0);
    assert_rule("unaligned: whole pages inside", fallocate_memfd(fd, PUNCH, 3 * PS + 1, 2 * PS),
                0);
    assert_int_equal(fx_backed(&fx, fd, 8), 5);
    assert_rule("less than a page", fallocate_memfd(fd, PUNCH, 5 * PS, 100), 0);
    assert_int_equal(fx_backed(&fx, fd, 8), 5);
    assert_rule("punch beyond the end", fallocate_memfd(fd, PUNCH, 100 * PS, PS), 0);
    assert_rule("no room", fallocate_memfd(fd, 0, 0, INT64_MAX / 2), -ENOSPC);
    assert_rule("grows", fallocate_memfd(fd, 0, 9 * PS, PS), 0);
    uint64_t hva = fx_map(&fx, 12, rw, MAP_SHARED, fd);
    assert_true(touch(hva + 9 * PS, true) > 0);
    assert_rule("KEEP does not grow", fallocate_memfd(fd, KEEP, 10 * PS, PS), 0);
    assert_int_equal(touch(hva + 10 * PS, true), -EFAULT);
}

static void test_file_errors(void **state)
{
    uint64_t soft = 0;
    char byte = 1;

    (void)state;
    assert_rule("no such file", host_open(&fx.h, "/etc/passwd", O_RDONLY), -ENOENT);
    assert_rule("no such group", host_open(&fx.h, "/dev/vfio/7", O_RDWR), -ENOENT);
    assert_rule("not a number", host_open(&fx.h, "/dev/vfio/1x", O_RDWR), -ENOENT);
    assert_rule("no number", host_open(&fx.h, "/dev/vfio/", O_RDWR), -ENOENT);
    assert_rule("close of nothing", host_close(&fx.h, 99), -EBADF);
    assert_rule("close of -1", host_close(&fx.h, -1), -EBADF);
    assert_rule("ioctl of nothing", host_ioctl(&fx.h, 99, 0, NULL), -EBADF);
    assert_rule("ioctl of a memfd", host_ioctl(&fx.h, memfd(1), 0, NULL), -ENOTTY);
    assert_rule("read of nothing", host_read(&fx.h, 99, &byte, 1), -EBADF);
    assert_rule("write to nothing", fx.h.ops->write(fx.w, __func__, 99, &byte, 1), -EBADF);
    assert_rule("write to a memfd", fx.h.ops->write(fx.w, __func__, memfd(1), &byte, 1),
                -EINVAL);
    assert_rule("ftruncate of nothing", host_ftruncate(&fx.h, 99, 0), -EBADF);
    assert_rule("ftruncate below 0", host_ftruncate(&fx.h, 99, -1), -EINVAL);
    assert_rule("memfd flags", host_memfd_create(&fx.h, "x", 0x8000), -EINVAL);
    assert_rule("memfd name", host_memfd_create(&fx.h, NULL, 0), -EFAULT);
    assert_rule("rlimit", host_getrlimit(&fx.h, 99, &soft), -EINVAL);
    int null = host_open(&fx.h, "/dev/null", O_RDWR);
    assert_rule("/dev/null is empty", host_read(&fx.h, null, &byte, 1), 0);
}

static void test_memlock_limit(void **state)
{
    uint64_t soft = 0;

    (void)state;
    assert_int_equal(host_getrlimit(&fx.h, RLIMIT_MEMLOCK, &soft), 0);
    assert_true(soft == UINT64_MAX);
    fx.w->config.memlock_pages = 3;
    assert_int_equal(host_getrlimit(&fx.h, RLIMIT_MEMLOCK, &soft), 0);
    assert_int_equal(soft, 3 * PS);
}

static void test_lowest_fd(void **state)
{
    int fd = 0, n = 0;

    (void)state;
    uint32_t open = fx.w->n_fds;
    assert_int_equal(host_close(&fx.h, fx.gmem), 0);
    assert_int_equal(host_open(&fx.h, "/dev/null", 0), fx.gmem);
    while ((fd = host_open(&fx.h, "/dev/null", 0)) >= 0)
        n++;
    assert_int_equal(fd, -EMFILE);
    assert_int_equal((uint32_t)n + open, SIM_FDS_MAX - SIM_FD_FIRST);
    assert_rule("memfd", host_memfd_create(&fx.h, "x", 0), -EMFILE);
    assert_rule("guest_memfd", fx_gmem(&fx, 1), -EMFILE);
    assert_rule("VM, before its type", host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)7),
                -EMFILE);
    assert_rule("vCPU, after its number", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, 0),
                -EEXIST);
    assert_rule("vCPU", host_ioctl(&fx.h, fx.vm, KVM_CREATE_VCPU, (void *)1), -EMFILE);
}

/* behaviour.md 5.5: a pin keeps a dropped page alive, with what is in it. */
static void test_pinned_page_outlives_punch(void **state)
{
    uint32_t frame = 0;

    (void)state;
    assert_int_equal(mm_fault(fx.w, fx.hva, true, &frame), 0);
    uint32_t serial = frame_at(&fx.w->frames, frame)->serial, live = fx.w->frames.live;
    frame_at(&fx.w->frames, frame)->content = 77;
    frame_pin(fx.w, frame);
    assert_int_equal(host_madvise(&fx.h, fx.hva, PS, MADV_DONTNEED), 0);
    assert_int_equal(fx_frame_at(&fx, fx.hva), 0);
    assert_int_equal(frame_at(&fx.w->frames, frame)->content, 77);
    assert_int_equal(frame_at(&fx.w->frames, frame)->serial, serial);
    assert_true(touch(fx.hva, true) > serial);
    assert_int_equal(fx.w->frames.live, live + 1);
    frame_unpin(fx.w, frame);
    assert_int_equal(fx.w->frames.live, live);
    assert_int_equal(fx.w->frames.pins, 0);
}

/* The table's places are used again, the names never. */
static void test_serials_are_never_reused(void **state)
{
    int64_t last = 0;

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        int64_t serial = touch(fx.hva + i % 3 * PS, true);
        assert_true(serial > last);
        last = serial;
        assert_int_equal(host_madvise(&fx.h, fx.hva, 3 * PS, MADV_DONTNEED), 0);
    }
    assert_true(fx.w->frames.n < 64);
}

static void test_journal_merges_and_overflows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        journal_gpa(fx.w, 1000 + i, 1);
        journal_iova(fx.w, 1, 5000 - i, 1);
    }
    assert_int_equal(fx.w->n_changes, 2);
    assert_int_equal(fx.w->changes[0].first, 1000);
    assert_int_equal(fx.w->changes[0].n_pages, 300);
    assert_int_equal(fx.w->changes[1].first, 4701);
    assert_int_equal(fx.w->changes[1].n_pages, 300);
    for (unsigned i = 0; i < 200; i++)
        journal_gpa(fx.w, 10000 + 2 * i, 1);
    assert_int_equal(fx.w->n_changes, OBSERVE_CHANGES_MAX + 1);
}

/* A slot over two mappings, and one page behind two slots: each guest page is found. */
static void test_journal_finds_every_guest_page(void **state)
{
    (void)state;
    int fd = memfd(4);
    uint64_t out = 0;
    fx.hva = fx_anon(&fx, 4);
    assert_int_equal(
        host_mmap(&fx.h, fx.hva, 2 * PS, rw, MAP_SHARED | MAP_FIXED, fd, 2 * PS, &out), 0);
    assert_int_equal(fx_region(&fx, 1, 0, 0x200 * PS, 4 * PS, 0, 0), 0);
    assert_int_equal(fx_region(&fx, 2, 0, 0x300 * PS, 2 * PS, 0, 0), 0);
    fx_forget(&fx);
    assert_true(touch(fx.hva + PS, true) > 0); /* page 3 of the memfd */
    assert_true(fx_noted(&fx, 0x201) && fx_noted(&fx, 0x301));
    assert_false(fx_noted(&fx, 0x200) || fx_noted(&fx, 0x203));
    fx_forget(&fx);
    assert_true(touch(fx.hva + 3 * PS, true) > 0); /* anonymous */
    assert_true(fx_noted(&fx, 0x203));
    fx_forget(&fx);
    assert_int_equal(host_munmap(&fx.h, fx.hva + PS, PS), 0);
    assert_true(fx_noted(&fx, 0x201) && fx_noted(&fx, 0x301));
}

/* A file of any size costs what is in it, and a punch of it all as well. */
static void test_sparse(void **state)
{
    (void)state;
    size_t used = arena_used(fx.w->arena);
    int fd = memfd(1ull << 50);
    for (uint64_t page = 1; page < 1ull << 50; page <<= 1)
        assert_true(backing_fault(fx.w, fd_get(fx.w, fd)->object, page) > 0);
    assert_true(arena_used(fx.w->arena) - used < 64 << 10);
    assert_int_equal(fx_punch(&fx, fd, 1 << 10, 1ull << 50), 0);
    for (uint64_t page = 1; page < 1ull << 50; page <<= 1)
        assert_int_equal(fx_frame(&fx, fd, page) != 0, page < 1 << 10);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "sim/mm/" name, fn, setup, NULL, NULL                                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("identity-is-seen", test_identity_is_seen),
        TEST("mmap-errors", test_mmap_errors),
        TEST("mmap-order", test_mmap_order),
        TEST("addresses-are-not-reused", test_addresses_are_not_reused),
        TEST("protection", test_protection),
        TEST("munmap-splits", test_munmap_splits),
        TEST("munmap-errors", test_munmap_errors),
        TEST("map-fixed", test_map_fixed),
        TEST("madvise-errors", test_madvise_errors),
        TEST("dontneed", test_dontneed),
        TEST("memfd-is-shared", test_memfd_is_shared),
        TEST("memfd-offset-and-end", test_memfd_offset_and_end),
        TEST("vfs-fallocate", test_vfs_fallocate),
        TEST("memfd-fallocate", test_memfd_fallocate),
        TEST("file-errors", test_file_errors),
        TEST("memlock-limit", test_memlock_limit),
        TEST("lowest-fd", test_lowest_fd),
        TEST("pinned-page-outlives-punch", test_pinned_page_outlives_punch),
        TEST("serials-are-never-reused", test_serials_are_never_reused),
        TEST("journal-merges-and-overflows", test_journal_merges_and_overflows),
        TEST("journal-finds-every-guest-page", test_journal_finds_every_guest_page),
        TEST("sparse", test_sparse),
    };
    return cmocka_run_group_tests_name("sim/mm", tests, NULL, NULL);
}
