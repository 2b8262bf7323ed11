/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of truths: it answers what is, it changes nothing, and changes() never misses a
 * page that changed.
 */
#include <string.h>

#include "vfio_fixture.h"

static struct fixture fx;
static uint64_t ram; /* slot 0: GPA_PAGES pages at GPA_FIRST, shared side in a memfd */
static int ram_fd, gmem_fd, vm_fd;

enum { GPA_FIRST = 16, GPA_PAGES = 32, IOVA_PAGES = 64 };

struct truth {
    struct observe_page pages[GPA_FIRST + GPA_PAGES];
    struct observe_mapping mappings[IOVA_PAGES];
};

static int set_slot(uint64_t size)
{
    struct kvm_userspace_memory_region2 r = {
        .flags = KVM_MEM_GUEST_MEMFD,
        .guest_phys_addr = GPA_FIRST * PS,
        .memory_size = size,
        .userspace_addr = ram,
        .guest_memfd = (uint32_t)gmem_fd,
    };
    return host_ioctl(&fx.h, vm_fd, KVM_SET_USER_MEMORY_REGION2, &r);
}

static int set_private(uint64_t first, uint64_t n, bool is_private)
{
    struct kvm_memory_attributes a = {.address = first * PS, .size = n * PS};
    a.attributes = is_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
    return host_ioctl(&fx.h, vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static void drain(void)
{
    const struct observe_change *c;
    fx.o->changes(fx.o->ctx, &c);
}

static int setup(void **state)
{
    (void)state;
    struct kvm_create_guest_memfd g = {.size = GPA_PAGES * PS};
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, UINT64_MAX);
    ram = fx_memfd(&fx, GPA_PAGES * PS, &ram_fd);
    int kvm = host_open(&fx.h, "/dev/kvm", O_RDWR);
    vm_fd =
        host_ioctl(&fx.h, kvm, KVM_CREATE_VM, (void *)(unsigned long)KVM_X86_SW_PROTECTED_VM);
    gmem_fd = host_ioctl(&fx.h, vm_fd, KVM_CREATE_GUEST_MEMFD, &g);
    assert_true(vm_fd >= 0 && gmem_fd >= 0);
    assert_int_equal(set_slot(GPA_PAGES * PS), 0);
    drain();
    return 0;
}

static void take_truth(struct truth *t)
{
    for (uint64_t i = 0; i < GPA_FIRST + GPA_PAGES; i++)
        fx.o->pages(fx.o->ctx, i, 1, &t->pages[i]);
    for (uint64_t i = 0; i < IOVA_PAGES; i++)
        fx.o->mapping(fx.o->ctx, 0, i, &t->mappings[i]);
}

static bool listed(const struct observe_change *c, uint32_t n, uint8_t is_iova, uint64_t page)
{
    for (uint32_t i = 0; i < n; i++)
        if (c[i].is_iova == is_iova && c[i].container == 0 && page >= c[i].first &&
            page - c[i].first < c[i].n_pages)
            return true;
    return false;
}

static bool pages_equal(const struct observe_page *a, const struct observe_page *b)
{
    return a->is_private == b->is_private && a->shared_frame == b->shared_frame &&
           a->private_frame == b->private_frame;
}

/* Drains the journal and looks whether each page that differs from `before` is in it. */
static bool changes_cover(const struct truth *before)
{
    const struct observe_change *c;
    struct truth now;
    uint32_t n = fx.o->changes(fx.o->ctx, &c);
    if (n > OBSERVE_CHANGES_MAX)
        return true;
    take_truth(&now);
    for (uint64_t i = 0; i < GPA_FIRST + GPA_PAGES; i++)
        if (!pages_equal(&now.pages[i], &before->pages[i]) && !listed(c, n, 0, i))
            return false;
    for (uint64_t i = 0; i < IOVA_PAGES; i++)
        if ((now.mappings[i].frame != before->mappings[i].frame ||
             now.mappings[i].access != before->mappings[i].access) &&
            !listed(c, n, 1, i))
            return false;
    return true;
}

static struct truth before;

/* A change that the journal does not list must be seen by the check. */
static void test_checker_sees_missed_change(void **state)
{
    (void)state;
    take_truth(&before);
    assert_int_equal(set_private(20, 2, true), 0);
    drain();
    assert_false(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(fx_map(&fx, 0, ram, PS, RW), 0);
    drain();
    assert_false(changes_cover(&before));
}

static void test_changes_of_mappings(void **state)
{
    (void)state;
    take_truth(&before);
    assert_int_equal(fx_map(&fx, 3 * PS, ram, 2 * PS, RW), 0);
    assert_true(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(fx_map(&fx, 8 * PS, ram + PS, PS, R_ONLY), 0);
    assert_int_equal(fx_unmap(&fx, 0, 16 * PS), 3 * PS);
    assert_true(changes_cover(&before));
    assert_int_equal(fx_map(&fx, 3 * PS, ram, 2 * PS, RW), 0);
    drain();
    take_truth(&before);
    assert_int_equal(host_close(&fx.h, fx.group), 0);
    assert_true(changes_cover(&before));
}

static void test_changes_of_guest_pages(void **state)
{
    (void)state;
    take_truth(&before);
    assert_int_equal(set_private(GPA_FIRST + 2, 5, true), 0);
    assert_true(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(sim_guest_write(fx.w, (GPA_FIRST + 3) * PS, 7), 0);
    assert_int_equal(sim_guest_write(fx.w, (GPA_FIRST + 9) * PS, 8), 0);
    assert_true(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(fx_punch(&fx, ram_fd, 0, GPA_PAGES * PS), 0);
    assert_true(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(fx_punch(&fx, gmem_fd, 3 * PS, PS), 0);
    assert_true(changes_cover(&before));
    take_truth(&before);
    assert_int_equal(set_slot(0), 0);
    assert_true(changes_cover(&before));
}

/* Neighbours come out as one. */
static void test_changes_merged(void **state)
{
    (void)state;
    const struct observe_change *c;
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(fx_map(&fx, (8 + i) * PS, ram, PS, RW), 0);
    uint32_t n = fx.o->changes(fx.o->ctx, &c), iova_runs = 0;
    assert_true(n <= 4);
    for (uint32_t i = 0; i < n; i++) {
        if (!c[i].is_iova)
            continue;
        iova_runs++;
        assert_int_equal(c[i].first, 8);
        assert_int_equal(c[i].n_pages, 4);
    }
    assert_int_equal(iova_runs, 1);
    assert_int_equal(fx.o->changes(fx.o->ctx, &c), 0);
}

/* Too many: more than the most, and then forgotten. */
static void test_changes_overflow(void **state)
{
    (void)state;
    const struct observe_change *c;
    for (uint64_t i = 0; i < OBSERVE_CHANGES_MAX + 4; i++)
        assert_int_equal(fx_map(&fx, i * 2 * PS, ram, PS, RW), 0);
    assert_int_equal(fx.o->changes(fx.o->ctx, &c), OBSERVE_CHANGES_MAX + 1);
    assert_int_equal(fx.o->changes(fx.o->ctx, &c), 0);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(fx_unmap(&fx, i * 4 * PS, PS), PS);
    assert_int_equal(fx.o->changes(fx.o->ctx, &c), 4);
    assert_int_equal(fx.o->changes(fx.o->ctx, &c), 0);
}

static void test_page(void **state)
{
    (void)state;
    struct observe_page p;
    fx.o->pages(fx.o->ctx, GPA_FIRST, 1, &p);
    assert_true(!p.is_private && !p.shared_frame && !p.private_frame);
    assert_int_equal(sim_guest_write(fx.w, GPA_FIRST * PS, 11), 0);
    assert_int_equal(set_private(GPA_FIRST, 1, true), 0);
    assert_int_equal(sim_guest_write(fx.w, GPA_FIRST * PS, 22), 0);
    fx.o->pages(fx.o->ctx, GPA_FIRST, 1, &p);
    assert_true(p.is_private && p.shared_frame && p.private_frame);
    assert_int_equal(fx.o->content(fx.o->ctx, p.shared_frame), 11);
    assert_int_equal(fx.o->content(fx.o->ctx, p.private_frame), 22);
    fx.o->pages(fx.o->ctx, GPA_FIRST - 1, 1, &p);
    assert_true(!p.is_private && !p.shared_frame && !p.private_frame);
    fx.o->pages(fx.o->ctx, UINT64_MAX, 1, &p);
    assert_true(!p.is_private && !p.shared_frame && !p.private_frame);
}

/* The attribute needs no slot (behaviour.md 7.4). */
static void test_page_without_slot(void **state)
{
    (void)state;
    struct observe_page p;
    assert_int_equal(set_private(1000, 1, true), 0);
    fx.o->pages(fx.o->ctx, 1000, 1, &p);
    assert_true(p.is_private && !p.shared_frame && !p.private_frame);
}

/* What a device reaches and what the CPU reaches have one name while they are one page. */
static void test_frames_have_one_name(void **state)
{
    (void)state;
    struct observe_page p;
    assert_int_equal(fx_map(&fx, 0, ram + 5 * PS, PS, RW), 0);
    fx.o->pages(fx.o->ctx, GPA_FIRST + 5, 1, &p);
    assert_int_equal(p.shared_frame, fx_mapping(&fx, 0).frame);
    assert_int_equal(fx_punch(&fx, ram_fd, 5 * PS, PS), 0);
    fx.o->pages(fx.o->ctx, GPA_FIRST + 5, 1, &p);
    assert_int_equal(p.shared_frame, 0);
    assert_int_equal(sim_guest_write(fx.w, (GPA_FIRST + 5) * PS, 1), 0);
    fx.o->pages(fx.o->ctx, GPA_FIRST + 5, 1, &p);
    assert_int_not_equal(p.shared_frame, fx_mapping(&fx, 0).frame);
}

/* A serial names one page for ever, though its slot is used again. */
static void test_serials_not_reused(void **state)
{
    (void)state;
    struct observe_page p;
    uint32_t last = 0;
    for (uint64_t i = 1; i < 20; i++) {
        assert_int_equal(sim_guest_write(fx.w, GPA_FIRST * PS, i), 0);
        fx.o->pages(fx.o->ctx, GPA_FIRST, 1, &p);
        assert_true(p.shared_frame > last);
        last = p.shared_frame;
        assert_int_equal(fx.o->content(fx.o->ctx, last), i);
        assert_int_equal(fx_punch(&fx, ram_fd, 0, PS), 0);
    }
}

static void test_next_mapped(void **state)
{
    (void)state;
    uint64_t page = 0;
    assert_false(fx.o->next_mapped(fx.o->ctx, 0, &page));
    assert_false(fx.o->next_mapped(fx.o->ctx, 7, &page));
    assert_int_equal(fx_map(&fx, 4 * PS, ram, 3 * PS, RW), 0);
    assert_true(fx.o->next_mapped(fx.o->ctx, 0, &page));
    assert_int_equal(page, 4);
    page = 5;
    assert_true(fx.o->next_mapped(fx.o->ctx, 0, &page));
    assert_int_equal(page, 5);
    page = 7;
    assert_false(fx.o->next_mapped(fx.o->ctx, 0, &page));
    page = UINT64_MAX;
    assert_false(fx.o->next_mapped(fx.o->ctx, 0, &page));
}

static void test_totals(void **state)
{
    (void)state;
    struct observe_totals t = fx_totals(&fx);
    int fd = host_open(&fx.h, "/dev/null", O_RDWR);
    fx_ram(&fx, PS);
    void *memory = host_alloc(&fx.h, 100);
    assert_int_equal(fx_map(&fx, 0, ram, 2 * PS, RW), 0);
    struct observe_totals u = fx_totals(&fx);
    assert_int_equal(u.fds, t.fds + 1);
    assert_int_equal(u.vmas, t.vmas + 1);
    assert_int_equal(u.allocations, t.allocations + 1);
    assert_int_equal(u.frames, t.frames + 2);
    assert_int_equal(u.pins, t.pins + 2);
    assert_int_equal(u.locked_pages, t.locked_pages + 2);
    assert_true(u.memlock_pages == UINT64_MAX);
    host_free(&fx.h, memory);
    assert_int_equal(host_close(&fx.h, fd), 0);
}

/* Looking twice gives the same: nothing was faulted in, nothing moved. */
static void test_observing_changes_nothing(void **state)
{
    (void)state;
    struct truth again;
    assert_int_equal(fx_map(&fx, 0, ram, 4 * PS, RW), 0);
    take_truth(&before);
    struct observe_totals t = fx_totals(&fx);
    take_truth(&again);
    for (uint64_t i = 0; i < GPA_FIRST + GPA_PAGES; i++)
        assert_true(pages_equal(&before.pages[i], &again.pages[i]));
    struct observe_totals u = fx_totals(&fx);
    assert_int_equal(t.frames, u.frames);
    assert_int_equal(t.pins, u.pins);
}

#define CASE(name, fn)                                                                         \
    {                                                                                          \
        "sim/observe/" name, fn, setup, NULL, NULL                                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("checker-sees-missed-change", test_checker_sees_missed_change),
        CASE("changes-of-mappings", test_changes_of_mappings),
        CASE("changes-of-guest-pages", test_changes_of_guest_pages),
        CASE("changes-merged", test_changes_merged),
        CASE("changes-overflow", test_changes_overflow),
        CASE("page", test_page),
        CASE("page-without-slot", test_page_without_slot),
        CASE("frames-have-one-name", test_frames_have_one_name),
        CASE("serials-not-reused", test_serials_not_reused),
        CASE("next-mapped", test_next_mapped),
        CASE("totals", test_totals),
        CASE("observing-changes-nothing", test_observing_changes_nothing),
    };
    return cmocka_run_group_tests_name("sim/observe", tests, NULL, NULL);
}
