/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another user of a region's pages keeps devices away from some of them, and goes again. */
#include "tests/life_fixture.h"

static struct life l;

static int hold(struct life *f, uint32_t region, uint64_t first, uint64_t n)
{
    return vmm_source_add(f->vmm, region, first * LIFE_PAGE, n * LIFE_PAGE);
}

static int let_go(struct life *f, uint32_t region)
{
    return vmm_source_remove(f->vmm, region);
}

/* Pages 2..6 of ram0 shared, and seen by two containers. */
static int prepare(struct life *f)
{
    life_start(f);
    int rc = life_attach(f, 0, 0);
    if (!rc)
        rc = life_attach(f, 1, 1);
    if (!rc)
        rc = vmm_listen(f->vmm, 1, 0, 0, 16 * LIFE_PAGE);
    return rc ? rc : life_convert(f, 2, 4, false);
}

static int prepare_held(struct life *f)
{
    int rc = prepare(f);

    return rc ? rc : hold(f, 0, 3, 2);
}

static int setup(void **state)
{
    (void)state;
    l = (struct life){0};
    return prepare(&l);
}

static int teardown(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

/* Pages from..to of ram0 that the container has not as `want` says: "-m" is one page without a
 * mapping, one with. */
static uint32_t wrong_pages(uint32_t container, uint64_t from, const char *want)
{
    uint32_t n = 0;

    for (uint64_t i = 0; want[i]; i++)
        n += (life_mapped(&l, container, from + i) != 0) != (want[i] == 'm');
    return n;
}

static void assert_mapped(const char *want)
{
    assert_int_equal(wrong_pages(0, 0, want), 0);
    assert_int_equal(wrong_pages(1, 0, want), 0);
}

static int populated(uint64_t first, uint64_t n)
{
    return vmm_is_populated(l.vmm, 0, first * LIFE_PAGE, n * LIFE_PAGE);
}

static void deliberate_error(void **state)
{
    (void)state;
    assert_int_equal(wrong_pages(0, 0, "--mmmm--"), 0);
    assert_int_equal(wrong_pages(0, 0, "--mmm--m"), 2);
}

static void add_unmaps(void **state)
{
    (void)state;
    assert_int_equal(hold(&l, 0, 3, 2), 0);
    assert_mapped("--m--m--");
    assert_false(populated(2, 4));
    assert_true(populated(2, 1));
    assert_true(life_tracker(&l, 0, 3)); /* what the guest has is what it had */
    assert_int_equal(let_go(&l, 0), 0);
    assert_mapped("--mmmm--");
    assert_true(populated(2, 4));
}

static void held_whatever_happens(void **state)
{
    (void)state;
    assert_int_equal(hold(&l, 0, 0, 4), 0);
    assert_int_equal(life_convert(&l, 0, 3, true), 0);
    assert_int_equal(life_convert(&l, 0, 3, false), 0);
    assert_mapped("----mm--");
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    assert_int_equal(life_attach(&l, 0, 0), 0);
    assert_mapped("----mm--");
    assert_int_equal(let_go(&l, 0), 0);
    assert_mapped("mmmmmm--");
}

static void stays_in_a_reset(void **state)
{
    (void)state;
    assert_int_equal(hold(&l, 0, 3, 2), 0);
    assert_int_equal(vmm_reset(l.vmm), 0);
    assert_int_equal(life_convert(&l, 2, 4, false), 0);
    assert_mapped("--m--m--");
    assert_int_equal(hold(&l, 0, 8, 1), -EEXIST);
}

static void goes_with_its_region(void **state)
{
    (void)state;
    assert_int_equal(hold(&l, 0, 3, 2), 0);
    l.calls[POINT_VFIO_MAP] = 0;
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(l.calls[POINT_VFIO_MAP], 0);
    assert_int_equal(let_go(&l, 0), -EINVAL);
    assert_int_equal(hold(&l, 0, 3, 2), -EINVAL);
    assert_int_equal(vmm_region_readd(l.vmm, 0), 0);
    assert_int_equal(let_go(&l, 0), -ENOENT);
    assert_int_equal(life_convert(&l, 2, 4, false), 0);
    assert_int_equal(wrong_pages(0, 0, "--mmmm--"), 0);
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(let_go(&l, 0), -ENOENT);
    assert_int_equal(let_go(&l, 2), -EINVAL); /* no guest_memfd */
    assert_int_equal(hold(&l, 2, 0, 1), -EINVAL);
    assert_int_equal(hold(&l, LIFE_REGIONS, 0, 1), -EINVAL);
    assert_int_equal(let_go(&l, LIFE_REGIONS), -EINVAL);
    assert_int_equal(hold(&l, 0, 15, 2), -EINVAL);
    assert_int_equal(hold(&l, 0, 0, 0), -EINVAL);
    assert_int_equal(hold(&l, 0, 3, 2), 0);
    assert_int_equal(hold(&l, 0, 9, 2), -EEXIST);
    assert_mapped("--m--m--");
}

static void stopped_is_stopped(void **state)
{
    (void)state;
    vmm_stop(l.vmm);
    assert_int_equal(hold(&l, 0, 3, 2), -EIO);
    assert_int_equal(let_go(&l, 0), -EIO);
}

/* ---- a failure at each host call ---- */
static int do_hold(struct life *f)
{
    return hold(f, 0, 3, 2);
}

static int do_let_go(struct life *f)
{
    return let_go(f, 0);
}

static void sweep(void **state)
{
    uint32_t stops = 0;

    (void)state;
    for (uint32_t i = 0; i < LIFE_MACHINES; i++) {
        l = (struct life){.tracker = life_machines[i].tracker, .iommu = life_machines[i].iommu};
        assert_true(life_sweep(&l, prepare, do_hold) >= 4);
        assert_true(life_sweep(&l, prepare_held, do_let_go) >= 4);
        stops += life_sweep_undo(&l, prepare, do_hold);
        assert_true(life_sweep_undo(&l, prepare_held, do_let_go) >= 3);
    }
    assert_true(stops >= 2); /* where an unmap that failed is not simply tried again */
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/holder/" name, fn, setup, teardown, NULL                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("add-unmaps-remove-maps", add_unmaps),
        TEST("held-whatever-happens", held_whatever_happens),
        TEST("stays-in-a-reset", stays_in_a_reset),
        TEST("goes-with-its-region", goes_with_its_region),
        TEST("refusals", refusals),
        TEST("stopped", stopped_is_stopped),
        {"core/holder/fault-at-each-call", sweep, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/holder", tests, NULL, NULL);
}
