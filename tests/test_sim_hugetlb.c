/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hugetlb memfds: pages come and go by the huge page (docs/mock-kernel.md). */
#include "sim_fixture.h"

enum { HUGE = 4, PAGES = 16 }; /* pages a huge page; pages of the file */

static struct fx fx;
static int fd;
static uint64_t hva;

static unsigned huge_flags(unsigned log2_size)
{
    return MFD_CLOEXEC | MFD_HUGETLB | log2_size << MFD_HUGE_SHIFT;
}

static unsigned page_log2(unsigned pages)
{
    return (unsigned)__builtin_ctz(PS) + (unsigned)__builtin_ctz(pages);
}

static int setup(void **state)
{
    (void)state;
    fx_machine(&fx);
    fd = host_memfd_create(&fx.h, "ram", huge_flags(page_log2(HUGE)));
    assert_true(fd >= 0);
    assert_int_equal(host_ftruncate(&fx.h, fd, PAGES * PS), 0);
    hva = fx_map(&fx, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    return 0;
}

static void touch(uint64_t page)
{
    uint32_t frame = 0;

    assert_int_equal(mm_fault(fx.w, hva + page * PS, true, &frame), 0);
}

static void write_page(uint64_t page, uint64_t token)
{
    uint32_t frame = 0;

    assert_int_equal(mm_fault(fx.w, hva + page * PS, true, &frame), 0);
    frame_at(&fx.w->frames, frame)->content = token;
}

static uint64_t read_page(uint64_t page)
{
    uint32_t frame = 0;

    assert_int_equal(mm_fault(fx.w, hva + page * PS, false, &frame), 0);
    return frame_at(&fx.w->frames, frame)->content;
}

/* The deliberate error: without MFD_HUGETLB pages come alone. */
static void test_ordinary_pages_come_alone(void **state)
{
    (void)state;
    fd = host_memfd_create(&fx.h, "ram", MFD_CLOEXEC);
    assert_int_equal(host_ftruncate(&fx.h, fd, PAGES * PS), 0);
    hva = fx_map(&fx, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    touch(HUGE + 1);
    assert_int_equal(fx_backed(&fx, fd, PAGES), 1);
}

static void test_create(void **state)
{
    (void)state;
    assert_rule("2 MiB", host_memfd_create(&fx.h, "ram", huge_flags(21)) >= 0, 1);
    assert_rule("1 GiB", host_memfd_create(&fx.h, "ram", huge_flags(30)) >= 0, 1);
    assert_rule("the default", host_memfd_create(&fx.h, "ram", huge_flags(0)) >= 0, 1);
    assert_rule("the page is no huge page",
                host_memfd_create(&fx.h, "ram", huge_flags(page_log2(1))), -ENODEV);
    assert_rule("no such size", host_memfd_create(&fx.h, "ram", huge_flags(31)), -ENODEV);
    assert_rule("a size without MFD_HUGETLB",
                host_memfd_create(&fx.h, "ram", 21u << MFD_HUGE_SHIFT), -EINVAL);
    assert_rule("unknown flag", host_memfd_create(&fx.h, "ram", huge_flags(21) | 1u << 20),
                -EINVAL);
}

static void test_default_is_2m(void **state)
{
    (void)state;
    int big = host_memfd_create(&fx.h, "ram", huge_flags(0));

    assert_rule("2 MiB is whole", host_ftruncate(&fx.h, big, 2 << 20), 0);
    assert_rule("1 MiB is not", host_ftruncate(&fx.h, big, 1 << 20), -EINVAL);
}

static void test_touch_brings_neighbours(void **state)
{
    (void)state;
    fx_forget(&fx);
    touch(HUGE + 1);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
    for (uint64_t page = HUGE; page < 2 * HUGE; page++)
        assert_int_not_equal(fx_frame(&fx, fd, page), 0);
    uint32_t frame = fx_frame(&fx, fd, HUGE);
    touch(HUGE);
    assert_int_equal(fx_frame(&fx, fd, HUGE), frame);
}

/* What a slot shows of it is in the journal, neighbours too. */
static void test_journal(void **state)
{
    struct kvm_userspace_memory_region2 m = {.slot = 1,
                                             .guest_phys_addr = FX_GPA + FX_PAGES * PS,
                                             .memory_size = PAGES * PS,
                                             .userspace_addr = hva};

    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_SET_USER_MEMORY_REGION2, &m), 0);
    fx_forget(&fx);
    touch(2);
    for (uint64_t page = 0; page < PAGES; page++)
        assert_int_equal(fx_noted(&fx, FX_GPA_PAGE + FX_PAGES + page), page < HUGE);
}

static void test_truncate(void **state)
{
    (void)state;
    touch(0);
    touch(PAGES - 1);
    assert_rule("not a huge page", host_ftruncate(&fx.h, fd, PS), -EINVAL);
    assert_rule("not a page", host_ftruncate(&fx.h, fd, HUGE * PS + 1), -EINVAL);
    assert_rule("a huge page less", host_ftruncate(&fx.h, fd, (PAGES - HUGE) * PS), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
    assert_int_not_equal(fx_frame(&fx, fd, 0), 0);
}

static int map(uint64_t addr, uint64_t size, int flags, int64_t offset, uint64_t *out)
{
    return host_mmap(&fx.h, addr, size, PROT_READ | PROT_WRITE, flags, fd, offset, out);
}

static void test_mmap(void **state)
{
    uint64_t out = 0;

    (void)state;
    assert_rule("aligned", (long long)(hva % (HUGE * PS)), 0);
    assert_rule("offset", map(0, HUGE * PS, MAP_SHARED, PS, &out), -EINVAL);
    assert_rule("fixed, misaligned", map(hva + PS, HUGE * PS, MAP_SHARED | MAP_FIXED, 0, &out),
                -EINVAL);
    assert_rule("private", map(0, HUGE * PS, MAP_PRIVATE, 0, &out), -ENODEV);
    assert_rule("the length is rounded up", map(0, PS, MAP_SHARED, 0, &out), 0);
    assert_non_null(mm_find(fx.w, out + (HUGE - 1) * PS));
    assert_null(mm_find(fx.w, out + HUGE * PS));
    assert_rule("the file grows", map(0, HUGE * PS, MAP_SHARED, PAGES * PS, &out), 0);
    uint32_t frame = 0;
    assert_int_equal(mm_fault(fx.w, out, true, &frame), 0);
}

static void test_munmap(void **state)
{
    (void)state;
    assert_rule("a part of a huge page", host_munmap(&fx.h, hva, PS), -EINVAL);
    assert_rule("to the middle of one", host_munmap(&fx.h, hva, (HUGE + 1) * PS), -EINVAL);
    assert_rule("from the middle of one",
                host_munmap(&fx.h, hva + PS, (2 * HUGE - 1) * (uint64_t)PS), -EINVAL);
    assert_non_null(mm_find(fx.w, hva + PS));
    assert_rule("a huge page", host_munmap(&fx.h, hva + HUGE * PS, HUGE * PS), 0);
    assert_null(mm_find(fx.w, hva + HUGE * PS));
    assert_non_null(mm_find(fx.w, hva + 2 * HUGE * PS));
}

/* Only whole huge pages are freed; what is left over at the ends becomes zeros and stays. */
static void test_punch(void **state)
{
    (void)state;
    for (uint64_t page = 0; page < PAGES; page++)
        write_page(page, 100 + page);
    uint32_t frame = fx_frame(&fx, fd, 2);
    assert_int_equal(fx_punch(&fx, fd, 2, 7), 0); /* [2, 9): parts of 0 and 2, all of 1 */
    for (uint64_t page = 0; page < PAGES; page++)
        assert_int_equal(fx_frame(&fx, fd, page) == 0, page >= 4 && page < 8);
    assert_int_equal(fx_frame(&fx, fd, 2), frame);
    for (uint64_t page = 0; page < PAGES; page++)
        assert_int_equal(read_page(page), page >= 2 && page < 9 ? 0 : 100 + page);
}

static void test_punch_inside(void **state)
{
    (void)state;
    write_page(1, 7);
    write_page(2, 8);
    assert_int_equal(fx_punch(&fx, fd, 1, 1), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
    assert_int_equal(read_page(1), 0);
    assert_int_equal(read_page(2), 8);
    assert_rule("a hole stays one", fx_punch(&fx, fd, HUGE, 1), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
}

static void test_madvise(void **state)
{
    (void)state;
    write_page(0, 7);
    write_page(HUGE, 8);
    assert_rule("DONTNEED from the middle",
                host_madvise(&fx.h, hva + PS, HUGE * PS, MADV_DONTNEED), -EINVAL);
    assert_rule("DONTNEED", host_madvise(&fx.h, hva, HUGE * PS, MADV_DONTNEED), 0);
    assert_int_equal(read_page(0), 7); /* the file keeps it */
    assert_rule("REMOVE", host_madvise(&fx.h, hva, (HUGE + 1) * PS, MADV_REMOVE), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
    assert_int_equal(read_page(HUGE), 0);
}

static void test_allocate(void **state)
{
    (void)state;
    assert_int_equal(host_fallocate(&fx.h, fd, KEEP, PS, PS), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES), HUGE);
    assert_int_equal(host_fallocate(&fx.h, fd, 0, PAGES * PS, PS), 0);
    assert_int_equal(fx_backed(&fx, fd, PAGES + HUGE), 2 * HUGE);
}

/* A pinned page outlives the punch of its huge page. */
static void test_pin(void **state)
{
    uint32_t frame = 0, live = fx.w->frames.live;

    (void)state;
    assert_int_equal(mm_fault(fx.w, hva + PS, true, &frame), 0);
    frame_at(&fx.w->frames, frame)->content = 9;
    frame_pin(fx.w, frame);
    assert_int_equal(fx.w->frames.live, live + HUGE);
    assert_int_equal(fx_punch(&fx, fd, 0, HUGE), 0);
    assert_int_equal(fx.w->frames.live, live + 1);
    assert_int_equal(frame_at(&fx.w->frames, frame)->content, 9);
    frame_unpin(fx.w, frame);
    assert_int_equal(fx.w->frames.live, live);
}

static void test_2m(void **state)
{
    uint64_t pages = (2 << 20) / PS;

    (void)state;
    fd = host_memfd_create(&fx.h, "ram", huge_flags(21));
    assert_int_equal(host_ftruncate(&fx.h, fd, 4 << 20), 0);
    hva = fx_map(&fx, 2 * pages, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    touch(pages + 3);
    assert_int_equal(fx_frame(&fx, fd, pages - 1), 0);
    assert_int_equal(fx_backed(&fx, fd, 2 * pages), pages);
    assert_int_equal(fx_punch(&fx, fd, pages + 1, pages - 1), 0);
    assert_int_equal(fx_backed(&fx, fd, 2 * pages), pages);
    assert_int_equal(fx_punch(&fx, fd, 0, 2 * pages), 0);
    assert_int_equal(fx_backed(&fx, fd, 2 * pages), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"sim/hugetlb/deliberate-error", test_ordinary_pages_come_alone, setup, NULL, NULL},
        {"sim/hugetlb/create", test_create, setup, NULL, NULL},
        {"sim/hugetlb/default-size", test_default_is_2m, setup, NULL, NULL},
        {"sim/hugetlb/touch", test_touch_brings_neighbours, setup, NULL, NULL},
        {"sim/hugetlb/journal", test_journal, setup, NULL, NULL},
        {"sim/hugetlb/truncate", test_truncate, setup, NULL, NULL},
        {"sim/hugetlb/mmap", test_mmap, setup, NULL, NULL},
        {"sim/hugetlb/munmap", test_munmap, setup, NULL, NULL},
        {"sim/hugetlb/punch", test_punch, setup, NULL, NULL},
        {"sim/hugetlb/punch-inside", test_punch_inside, setup, NULL, NULL},
        {"sim/hugetlb/madvise", test_madvise, setup, NULL, NULL},
        {"sim/hugetlb/allocate", test_allocate, setup, NULL, NULL},
        {"sim/hugetlb/pin", test_pin, setup, NULL, NULL},
        {"sim/hugetlb/2m", test_2m, setup, NULL, NULL},
    };

    return cmocka_run_group_tests_name("sim/hugetlb", tests, NULL, NULL);
}
