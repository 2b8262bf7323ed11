/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shared side on huge pages: converted page by page, unmapped, never dropped (A3, A4, B2). */
#include "tests/life_fixture.h"

static struct life l;

/* Of the second section: huge pages of four. */
enum { HUGE_GPA = 16 };

static int setup(void **state)
{
    (void)state;
    life_start(&l);
    assert_int_equal(life_attach(&l, 0, 0), 0);
    life_forget(&l);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

/* The judge sees a mapping that is left, and a leak. */
static void deliberate_error(void **state)
{
    (void)state;
    assert_int_equal(life_convert(&l, HUGE_GPA, 1, false), 0);
    assert_null(life_broken(&l, true, 0));
    assert_string_equal(life_broken(&l, false, 0), "mapped is not shared");
    assert_string_equal(life_broken(&l, true, 2), "something of a region that is away");
    assert_string_equal(life_left(&l), "file descriptors left");
}

/* A4: one page of a huge page at a time; its neighbours come into being, and nothing else. */
static void single_pages(void **state)
{
    (void)state;
    assert_int_equal(vmm_is_populated(l.vmm, 1, LIFE_PAGE, LIFE_PAGE), 0);
    assert_int_equal(life_convert(&l, HUGE_GPA + 1, 1, false), 0);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(vmm_is_populated(l.vmm, 1, LIFE_PAGE, LIFE_PAGE), 1);
    for (uint64_t p = 0; p < 16; p++) {
        assert_int_equal(life_page(&l, HUGE_GPA + p).shared_frame != 0, p < LIFE_HUGE);
        assert_int_equal(life_page(&l, HUGE_GPA + p).is_private, p != 1);
    }
    assert_int_equal(l.calls[POINT_VFIO_MAP], 1);
}

/* A3: nothing is dropped, all is unmapped, and what was there is there again. */
static void nothing_dropped(void **state)
{
    (void)state;
    assert_int_equal(life_convert(&l, HUGE_GPA, 8, false), 0);
    life_write(&l, HUGE_GPA + 2, 42);
    uint32_t frame = life_page(&l, HUGE_GPA + 2).shared_frame;
    life_forget(&l);
    assert_int_equal(life_convert(&l, HUGE_GPA, 8, true), 0);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(l.calls[POINT_MEMFD_PUNCH] + l.calls[POINT_MM_MADVISE], 0);
    life_write(&l, HUGE_GPA + 2, 43);
    assert_int_equal(life_page(&l, HUGE_GPA + 2).shared_frame, frame);
    assert_int_not_equal(life_page(&l, HUGE_GPA + 2).private_frame, 0);
    assert_int_equal(life_convert(&l, HUGE_GPA + 2, 1, false), 0);
    assert_int_equal(life_page(&l, HUGE_GPA + 2).private_frame, 0);
    assert_int_equal(life_read(&l, HUGE_GPA + 2), 42);
    assert_int_equal(life_mapped(&l, 0, HUGE_GPA + 2), frame);
}

/* Many runs at once take another way through commit: no debt is left by it. */
static void no_debt(void **state)
{
    (void)state;
    for (uint64_t p = 0; p < 16; p += 2)
        assert_int_equal(life_convert(&l, HUGE_GPA + p, 1, false), 0);
    life_forget(&l);
    assert_int_equal(life_convert(&l, HUGE_GPA, 16, true), 0);
    assert_int_equal(life_convert(&l, HUGE_GPA, 16, true), 0);
    assert_int_equal(l.calls[POINT_MEMFD_PUNCH], 0);
    assert_int_equal(l.vmm->address_space.regions[1]->attributes.debt[0].n_set, 0);
    assert_null(life_broken(&l, true, 0));
}

/* B2: what one region does not drop is no reason to leave the next one out. */
static void two_regions(void **state)
{
    (void)state;
    assert_int_equal(life_convert(&l, 12, 8, false), 0);
    life_forget(&l);
    assert_int_equal(life_convert(&l, 12, 8, true), 0);
    assert_null(life_broken(&l, true, 0));
    for (uint64_t p = 12; p < 20; p++) {
        assert_true(life_page(&l, p).is_private);
        assert_int_equal(life_page(&l, p).shared_frame != 0, p >= HUGE_GPA);
    }
    assert_int_equal(l.calls[POINT_MM_MADVISE], 1);
    assert_int_equal(l.calls[POINT_VFIO_UNMAP], 2);
}

/* The way back from a map that failed drops nothing either. */
static void undo(void **state)
{
    (void)state;
    life_arm(&l, POINT_VFIO_MAP, 3, ENOMEM, false);
    assert_int_equal(life_convert(&l, HUGE_GPA, 4, false), -ENOMEM);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(l.calls[POINT_MEMFD_PUNCH], 0);
    assert_int_equal(life_convert(&l, HUGE_GPA, 4, false), 0);
    assert_null(life_broken(&l, true, 0));
}

static int region(enum vmm_region_kind kind, enum vmm_share share, uint64_t pages,
                  uint64_t huge)
{
    struct vmm_region_config config = {.kind = kind,
                                       .share = share,
                                       .guest_memfd = kind == VMM_REGION_RAM,
                                       .size = pages * LIFE_PAGE,
                                       .huge_page_size = huge};
    uint32_t index;

    return vmm_region_add(l.vmm, &config, &index);
}

static void configs(void **state)
{
    (void)state;
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 8, 0), -EINVAL);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 8, LIFE_PAGE), -EINVAL);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 9, 3 * LIFE_PAGE), -EINVAL);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 6, 4 * LIFE_PAGE), -EINVAL);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_MEMFD, 8, 4 * LIFE_PAGE), -EINVAL);
    assert_int_equal(region(VMM_REGION_MMIO, VMM_SHARE_HUGETLB, 8, 4 * LIFE_PAGE), -EINVAL);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 1024, 2 << 20), 0);
    assert_int_equal(region(VMM_REGION_ROM, VMM_SHARE_HUGETLB, 8, 2 * LIFE_PAGE), 0);
}

static void sections(void **state)
{
    uint64_t page = LIFE_PAGE;

    (void)state;
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    assert_int_equal(region(VMM_REGION_RAM, VMM_SHARE_HUGETLB, 16, 4 * LIFE_PAGE), 0);
    assert_int_equal(vmm_section_add(l.vmm, 6, page, 4 * page, 128 * page), -EINVAL);
    assert_int_equal(vmm_section_add(l.vmm, 6, 4 * page, 6 * page, 128 * page), -EINVAL);
    assert_int_equal(vmm_section_add(l.vmm, 6, 4 * page, 8 * page, 129 * page), 0);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/hugetlb/" name, fn, setup, teardown, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("single-pages", single_pages),
        TEST("nothing-dropped", nothing_dropped),
        TEST("no-debt", no_debt),
        TEST("two-regions", two_regions),
        TEST("undo", undo),
        TEST("configs", configs),
        TEST("sections", sections),
    };

    return cmocka_run_group_tests_name("core/hugetlb", tests, NULL, NULL);
}
