/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO type1 in the mock kernel: each errno of behaviour.md 5 (6.12) and nested.md 3, the order
 * of the checks by calls that break two rules at once, pins and charges.
 */
#include "vfio_fixture.h"

static struct fixture fx;
static uint64_t ram; /* 16 MiB */

#define RAM_SIZE (16 * MiB)
#define IOVA     (1 * MiB)

static int setup(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, UINT64_MAX);
    ram = fx_ram(&fx, RAM_SIZE);
    return 0;
}

/* A limit of 4 pages. */
static int setup_memlock(void **state)
{
    (void)state;
    fx_start(&fx, VFIO_TYPE1v2_IOMMU, 4);
    ram = fx_ram(&fx, RAM_SIZE);
    return 0;
}

/* A limit of 2 entries. */
static int setup_entries(void **state)
{
    (void)state;
    fx_world(&fx, UINT64_MAX);
    sim_set_entry_limit(fx.w, 2);
    fx_open(&fx);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    ram = fx_ram(&fx, RAM_SIZE);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + PS, ram, PS, RW), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return fx_counts_agree(&fx) ? 0 : -1;
}

/* A count that is wrong must be seen, or no test here proves anything. */
static void test_checker_sees_wrong_charge(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_true(fx_counts_agree(&fx));
    fx.w->mm.locked_pages++;
    assert_false(fx_counts_agree(&fx));
    fx.w->mm.locked_pages--;
    fx.w->frames.pins--;
    assert_false(fx_counts_agree(&fx));
    fx.w->frames.pins++;
}

/* behaviour.md 5.1 row 1 */
static void test_map_null(void **state)
{
    (void)state;
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_MAP_DMA, NULL), -EFAULT);
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_UNMAP_DMA, NULL), -EFAULT);
}

/* behaviour.md 5.1 row 2 */
static void test_map_argsz_and_flags(void **state)
{
    (void)state;
    struct vfio_iommu_type1_dma_map m = {sizeof(m) - 1, RW, ram, IOVA, PS};
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_MAP_DMA, &m), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW | 1 << 7), -EINVAL);
    m.argsz = sizeof(m) + 8; /* a later, larger struct is fine */
    assert_int_equal(host_ioctl(&fx.h, fx.container, VFIO_IOMMU_MAP_DMA, &m), 0);
}

/* behaviour.md 5.1 row 6 */
/* A mapping that spans pages has one head. */
static void test_mapping_has_one_head(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 2 * PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + 2 * PS, ram + 2 * PS, PS, RW), 0);
    assert_true(fx_mapping(&fx, IOVA).head);
    assert_false(fx_mapping(&fx, IOVA + PS).head);
    assert_true(fx_mapping(&fx, IOVA + 2 * PS).head);
    assert_false(fx_mapping(&fx, IOVA + 3 * PS).head);
}

static void test_map_access_flags(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, 0), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW | VFIO_DMA_MAP_FLAG_VADDR), -EINVAL);
}

/* behaviour.md 5.1 rows 4 and 7 */
static void test_map_alignment(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 0, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram, 100, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA + 1, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram + 1, PS, RW), -EINVAL);
}

/* behaviour.md 5.1 row 5: EINVAL on 6.12 */
static void test_map_wrap(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, -PS, ram, 2 * PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, -PS, 2 * PS, RW), -EINVAL);
}

/* behaviour.md 5.1 row 8: nothing here ever lost its vaddr */
static void test_map_vaddr_mode(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, VFIO_DMA_MAP_FLAG_VADDR), -ENOENT);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, VFIO_DMA_MAP_FLAG_VADDR), -EINVAL);
}

/* behaviour.md 5.1 row 9: same, front, back, enclosing, inside */
static void test_map_overlap(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 4 * PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, 4 * PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, IOVA - PS, ram, 2 * PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, IOVA + 3 * PS, ram, 2 * PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, IOVA - PS, ram, 6 * PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, IOVA + PS, ram, PS, RW), -EEXIST);
    assert_int_equal(fx_map(&fx, IOVA - PS, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + 4 * PS, ram, PS, RW), 0);
    assert_int_equal(fx_counts(&fx).entries, 3);
}

/* behaviour.md 5.1 row 11: the interrupt window and the end of the aperture (nested.md 3) */
static void test_map_iova_ranges(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0xfee00000, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, 0xfedff000, ram, 2 * PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, 0xfeeff000, ram, 2 * PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, 1ull << 50, ram, PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, (1ull << 39) - PS, ram, 2 * PS, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, 0xfedff000, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, 0xfef00000, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, (1ull << 39) - PS, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, 0, ram, PS, RW), 0);
}

/* behaviour.md 5.1 row 14 */
static void test_map_bad_address(void **state)
{
    (void)state;
    uint64_t hole = fx_ram(&fx, PS);
    uint64_t read_only = fx_mmap(&fx, PS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    assert_int_equal(host_munmap(&fx.h, hole, PS), 0);
    assert_int_equal(fx_map(&fx, IOVA, hole, PS, RW), -EFAULT);
    assert_int_equal(fx_map(&fx, IOVA, read_only, PS, RW), -EFAULT);
    assert_int_equal(fx_map(&fx, IOVA, read_only, PS, R_ONLY), 0);
    assert_int_equal(fx_mapping(&fx, IOVA).access, OBSERVE_DMA_READ);
}

/* behaviour.md 5.1, last paragraph: atomic; pages that were faulted in stay */
static void test_map_hole_is_atomic(void **state)
{
    (void)state;
    assert_int_equal(host_munmap(&fx.h, ram + 2 * PS, PS), 0);
    uint32_t frames = fx_totals(&fx).frames;
    assert_int_equal(fx_map(&fx, IOVA, ram, 4 * PS, RW), -EFAULT);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(fx_totals(&fx).frames, frames + 2);
    assert_int_equal(fx_unmap(&fx, IOVA, 4 * PS), 0);
}

/* A request far larger than memory fails like any other bad address. */
static void test_map_huge(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 4 * GiB, ram + RAM_SIZE - PS, 64 * GiB, RW), -EFAULT);
    assert_true(fx_nothing_mapped(&fx));
}

/* behaviour.md 5.1 row 10, 5.2: one UNMAP gives one back */
static void test_entry_limit(void **state)
{
    (void)state;
    assert_int_equal(fx_avail(&fx), 0);
    assert_int_equal(fx_map(&fx, IOVA + 2 * PS, ram, PS, RW), -ENOSPC);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_avail(&fx), 1);
    assert_int_equal(fx_map(&fx, IOVA + 2 * PS, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -ENOSPC);
}

/* nested.md 3: an open container keeps the limit that SET_IOMMU saw */
static void test_entry_limit_sampled(void **state)
{
    (void)state;
    sim_set_entry_limit(fx.w, 100);
    assert_int_equal(fx_avail(&fx), 0);
    assert_int_equal(fx_counts(&fx).entry_limit, 2);
    assert_int_equal(host_ioctl(&fx.h, fx.group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
    assert_int_equal(fx_set_container(&fx, fx.group, fx.container), 0);
    assert_int_equal(fx_set_iommu(&fx, VFIO_TYPE1v2_IOMMU), 0);
    assert_int_equal(fx_avail(&fx), 100);
}

/* A mapping that failed gives its entry back (behaviour.md 10, 5). */
static void test_failed_map_keeps_entry(void **state)
{
    (void)state;
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_map(&fx, IOVA, 1ull << 45, PS, RW), -EFAULT);
    assert_int_equal(fx_avail(&fx), 1);
}

/* Two rules broken at once. nested.md 3: EEXIST before ENOSPC, ENOSPC before EFAULT;
 * behaviour.md 5.1: 9 before 10 before 11 before 14, 7 before 9. */
static void test_order_overlap_before_limit(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -EEXIST);
}

static void test_order_limit_before_address(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA + 2 * PS, 1ull << 45, PS, RW), -ENOSPC);
}

static void test_order_limit_before_iova(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0xfee00000, ram, PS, RW), -ENOSPC);
}

static void test_order_alignment_before_overlap(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 0, RW), -EINVAL);
    assert_int_equal(fx_map(&fx, IOVA, ram + 1, PS, RW), -EINVAL);
}

static void test_order_wrap_before_overlap(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, -IOVA + PS, RW), -EINVAL);
}

static void test_order_iova_before_address(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, 0xfee00000, 1ull << 45, PS, RW), -EINVAL);
}

static void test_order_overlap_before_address(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA, 1ull << 45, PS, RW), -EEXIST);
}

/* behaviour.md 5.1 row 13 */
static void test_memlock_limit(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 4 * PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + 4 * PS, ram, PS, RW), -ENOMEM);
    assert_int_equal(fx_unmap(&fx, IOVA, 4 * PS), 4 * PS);
    assert_int_equal(fx_map(&fx, IOVA + 4 * PS, ram, PS, RW), 0);
}

/* A mapping that does not fit takes nothing. */
static void test_memlock_atomic(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, 5 * PS, RW), -ENOMEM);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(fx_map(&fx, IOVA, ram, 4 * PS, RW), 0);
}

/* Page by page: the first page that fails decides. */
static void test_memlock_and_address(void **state)
{
    (void)state;
    assert_int_equal(host_munmap(&fx.h, ram + 4 * PS, PS), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, 6 * PS, RW), -EFAULT);
    assert_int_equal(host_munmap(&fx.h, ram + 13 * PS, PS), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram + 8 * PS, 6 * PS, RW), -ENOMEM);
}

/* behaviour.md 5.4: the same page mapped twice is pinned and charged twice */
static void test_charge_per_mapping(void **state)
{
    (void)state;
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(fx_map(&fx, IOVA + PS, ram, PS, RW), 0);
    assert_int_equal(fx_mapping(&fx, IOVA).frame, fx_mapping(&fx, IOVA + PS).frame);
    assert_int_equal(fx_totals(&fx).locked_pages, 2);
    assert_int_equal(fx_totals(&fx).pins, 2);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), PS);
    assert_int_equal(fx_totals(&fx).pins, 1);
}

/* behaviour.md 5.4: mapping faults memory in */
static void test_map_populates(void **state)
{
    (void)state;
    uint32_t frames = fx_totals(&fx).frames;
    assert_int_equal(fx_map(&fx, IOVA, ram, 3 * PS, RW), 0);
    assert_int_equal(fx_totals(&fx).frames, frames + 3);
    assert_int_equal(fx_unmap(&fx, IOVA, 3 * PS), 3 * PS);
    assert_int_equal(fx_totals(&fx).frames, frames + 3);
}

/* Inserted in any order, found and removed in any other. */
static void test_mappings_sorted(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 64; i++)
        assert_int_equal(fx_map(&fx, (i * 37 % 64) * 2 * PS, ram + i * PS, PS, RW), 0);
    uint64_t page = 0, n = 0;
    for (; fx.o->next_mapped(fx.o->ctx, 0, &page); page++, n++)
        assert_int_equal(page, n * 2);
    assert_int_equal(n, 64);
    for (uint64_t i = 0; i < 64; i++)
        assert_int_equal(fx_unmap(&fx, (i * 23 % 64) * 2 * PS, PS), PS);
    assert_true(fx_nothing_mapped(&fx));
}

static struct sim_call last_call;

static void record_call(void *ctx, const struct sim_call *call)
{
    (void)ctx;
    last_call = *call;
}

/* The record says what was asked and how many bytes came or went. */
static void test_record(void **state)
{
    (void)state;
    sim_world_on_call(fx.w, record_call, NULL);
    assert_int_equal(fx_map(&fx, IOVA, ram, 2 * PS, RW), 0);
    assert_int_equal(last_call.point, POINT_VFIO_MAP);
    assert_int_equal(last_call.result, 2 * PS);
    assert_int_equal(last_call.arg[0], IOVA);
    assert_int_equal(last_call.arg[1], 2 * PS);
    assert_int_equal(last_call.arg[2], ram);
    assert_int_equal(fx_unmap(&fx, 0, 8 * MiB), 2 * PS);
    assert_int_equal(last_call.point, POINT_VFIO_UNMAP);
    assert_int_equal(last_call.result, 2 * PS);
    sim_world_on_call(fx.w, NULL, NULL);
}

/* nested.md 3, fail-nth: a failed copy-out says EFAULT although the unmap was done */
static void test_late_unmap_fault(void **state)
{
    (void)state;
    struct sim_fault fault = {
        .point = POINT_VFIO_UNMAP, .error = EFAULT, .late = true, .value = 1};
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
    assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
    assert_int_equal(fx_unmap(&fx, IOVA, 2 * PS), -EFAULT); /* nor is the size written */
    assert_int_equal(fx_counts(&fx).entries, 0);
    assert_int_equal(fx_unmap(&fx, IOVA, PS), 0);
}

static void test_early_map_fault(void **state)
{
    (void)state;
    struct sim_fault fault = {.point = POINT_VFIO_MAP, .error = ENOSPC, .value = 1};
    assert_int_equal(sim_fault_arm(fx.w, &fault), 0);
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), -ENOSPC);
    assert_true(fx_nothing_mapped(&fx));
    assert_int_equal(fx_map(&fx, IOVA, ram, PS, RW), 0);
}

#define CASE(name, fn, prepare)                                                                \
    {                                                                                          \
        "sim/type1/" name, fn, prepare, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("checker-sees-wrong-charge", test_checker_sees_wrong_charge, setup),
        CASE("null-argument", test_map_null, setup),
        CASE("map-argsz-and-flags", test_map_argsz_and_flags, setup),
        CASE("mapping-has-one-head", test_mapping_has_one_head, setup),
        CASE("map-access-flags", test_map_access_flags, setup),
        CASE("map-alignment", test_map_alignment, setup),
        CASE("map-wrap", test_map_wrap, setup),
        CASE("map-vaddr-mode", test_map_vaddr_mode, setup),
        CASE("map-overlap", test_map_overlap, setup),
        CASE("map-iova-ranges", test_map_iova_ranges, setup),
        CASE("map-bad-address", test_map_bad_address, setup),
        CASE("map-hole-is-atomic", test_map_hole_is_atomic, setup),
        CASE("map-huge", test_map_huge, setup),
        CASE("entry-limit", test_entry_limit, setup_entries),
        CASE("entry-limit-sampled", test_entry_limit_sampled, setup_entries),
        CASE("failed-map-keeps-entry", test_failed_map_keeps_entry, setup_entries),
        CASE("order/overlap-before-limit", test_order_overlap_before_limit, setup_entries),
        CASE("order/limit-before-address", test_order_limit_before_address, setup_entries),
        CASE("order/limit-before-iova", test_order_limit_before_iova, setup_entries),
        CASE("order/alignment-before-overlap", test_order_alignment_before_overlap,
             setup_entries),
        CASE("order/wrap-before-overlap", test_order_wrap_before_overlap, setup_entries),
        CASE("order/iova-before-address", test_order_iova_before_address, setup),
        CASE("order/overlap-before-address", test_order_overlap_before_address, setup),
        CASE("memlock-limit", test_memlock_limit, setup_memlock),
        CASE("memlock-atomic", test_memlock_atomic, setup_memlock),
        CASE("order/first-bad-page", test_memlock_and_address, setup_memlock),
        CASE("charge-per-mapping", test_charge_per_mapping, setup),
        CASE("map-populates", test_map_populates, setup),
        CASE("mappings-sorted", test_mappings_sorted, setup),
        CASE("record", test_record, setup),
        CASE("late-unmap-fault", test_late_unmap_fault, setup),
        CASE("early-map-fault", test_early_map_fault, setup),
    };
    return cmocka_run_group_tests_name("sim/type1", tests, NULL, NULL);
}
