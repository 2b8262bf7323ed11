/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes and goes while the VM runs: regions, sections, containers, in any order. */
#include "tests/life_fixture.h"

static struct life l;

enum { PS = LIFE_PAGE };

static int start(struct life *f)
{
    life_start(f);
    return 0;
}

/* Shared pages of all regions. */
static int prepare(struct life *f)
{
    int rc = start(f);

    if (!rc)
        rc = life_prepare(f);
    if (!rc)
        rc = vmm_listen(f->vmm, 1, 1, 0, 16 * PS);
    return rc ? rc : life_convert(f, 14, 6, false);
}

static int setup(void **state)
{
    (void)state;
    return prepare(&l);
}

static int teardown(void **state)
{
    (void)state;
    life_end(&l);
    return 0;
}

static void deliberate_error(void **state)
{
    static struct life_picture a, b;

    (void)state;
    life_take_picture(&l, &a);
    assert_int_equal(life_convert(&l, 4, 1, true), 0);
    life_take_picture(&l, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_null(life_broken(&l, true, 0));
    assert_string_equal(life_broken(&l, true, 1), "something of a region that is away");
}

/* ---- remove ---- */
static void remove_takes_all(void **state)
{
    struct observe_totals before, after;

    (void)state;
    l.observe->totals(l.observe->ctx, &before);
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_null(life_broken(&l, true, 1));
    l.observe->totals(l.observe->ctx, &after);
    assert_int_equal(after.fds, before.fds - 1);
    assert_int_equal(after.vmas, before.vmas - 1);
    assert_int_equal(vmm_region_remove(l.vmm, 0), -ENOENT);
    assert_int_equal(vmm_region_remove(l.vmm, LIFE_REGIONS), -EINVAL);
}

/* Every other call on a region that is away. */
static void absent_is_a_hole(void **state)
{
    uint64_t bits = ~UINT64_C(0);
    uint16_t response;

    (void)state;
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(vmm_listen(l.vmm, 1, 0, 8 * PS, PS), -EINVAL);
    assert_int_equal(vmm_unlisten(l.vmm, 1, 0, 2 * PS, 6 * PS), -EINVAL);
    assert_int_equal(vmm_is_populated(l.vmm, 0, 0, PS), -EINVAL);
    assert_int_equal(vmm_plug(l.vmm, 0, 0, PS, &response), -EINVAL);
    assert_int_equal(vmm_section_add(l.vmm, 0, 0, PS, 128 * PS), -EINVAL);
    assert_int_equal(vmm_section_add(l.vmm, 2, 0, PS, 3 * PS), -EEXIST); /* its address */
    vmm_populated_bits(l.vmm, 0, 0, 16, &bits);
    assert_int_equal(bits, 0);
    vmm_plugged_bits(l.vmm, 0, 0, 16, &bits);
    assert_int_equal(bits, 0);
    assert_int_equal(life_convert(&l, 0, 4, true), -EINVAL);
    life_forget(&l);
    assert_int_equal(life_convert(&l, 0, 4, false), 0);
    assert_int_equal(l.calls[POINT_KVM_SET_ATTRIBUTES], 0);
    assert_int_equal(life_convert(&l, 12, 8, true), -EINVAL); /* partly */
    assert_int_equal(life_convert(&l, 12, 8, false), 0);
    assert_null(life_broken(&l, true, 1));
}

static void add_is_as_declared(void **state)
{
    (void)state;
    for (uint32_t r = 0; r < LIFE_REGIONS; r++) {
        assert_int_equal(vmm_region_readd(l.vmm, r), -EEXIST);
        assert_int_equal(vmm_region_remove(l.vmm, r), 0);
        assert_null(life_broken(&l, true, 1u << r));
        assert_int_equal(vmm_region_readd(l.vmm, r), 0);
        assert_null(life_broken(&l, true, 0));
        for (uint64_t p = 0; p < life_regions[r].size; p++) {
            bool gmem = life_regions[r].config.guest_memfd;

            assert_int_equal(life_page(&l, life_regions[r].gpa + p).is_private, gmem);
            assert_int_equal(life_page(&l, life_regions[r].gpa + p).private_frame, 0);
            assert_int_equal(life_mapped(&l, 1, life_regions[r].gpa + p), 0);
        }
    }
    assert_int_equal(vmm_region_readd(l.vmm, LIFE_REGIONS), -EINVAL);
    assert_int_equal(life_read(&l, 0), 0);
    assert_int_equal(life_convert(&l, 0, 16, false), 0);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(life_mapped(&l, 1, 4), 0); /* vmm_listen's listener did not come back */
    assert_int_equal(vmm_unlisten(l.vmm, 1, 0, 2 * PS, 6 * PS), -ENOENT);
    assert_int_equal(vmm_listen(l.vmm, 1, 0, 2 * PS, 6 * PS), 0);
    assert_int_equal(life_mapped(&l, 1, 4), life_page(&l, 4).shared_frame);
}

/* A region that does not fit is told so before it has memory, or a slot. */
static void add_asks_the_limit_first(void **state)
{
    static struct life_picture before, after;

    (void)state;
    assert_int_equal(vmm_region_remove(l.vmm, 2), 0);
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    sim_set_entry_limit(l.w, 18); /* 17 of guest_memfd pages, one of the ROM */
    assert_int_equal(life_attach(&l, 0, 0), 0);
    life_take_picture(&l, &before);
    life_forget(&l);
    assert_int_equal(vmm_region_readd(l.vmm, 2), -ENOSPC);
    life_take_picture(&l, &after);
    assert_memory_equal(&before, &after, sizeof before);
    l.calls[POINT_CORE_ALLOC] = 0;
    for (unsigned i = 0; i < POINT_COUNT; i++)
        assert_int_equal(l.calls[i], 0);
    assert_int_equal(life_convert(&l, 66, 1, true), 0);
    assert_int_equal(vmm_region_readd(l.vmm, 2), 0);
}

/* What was owed of a region is owed by nobody. */
static void debt_goes(void **state)
{
    (void)state;
    life_arm(&l, POINT_MM_MADVISE, 1, EINVAL, false);
    assert_int_equal(life_convert(&l, 4, 2, true), 0);
    assert_int_equal(l.vmm->address_space.regions[0]->attributes.debt[0].n_set, 2);
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(vmm_region_readd(l.vmm, 0), 0);
    life_forget(&l);
    assert_int_equal(life_convert(&l, 4, 2, false), 0);
    assert_int_equal(l.calls[POINT_MM_MADVISE], 0);
}

/* A device that comes and goes while a region is away; and a region, while no device is there.
 */
static void devices_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    assert_int_equal(life_attach(&l, 0, 0), 0);
    assert_null(life_broken(&l, true, 1));
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    assert_int_equal(vmm_region_readd(l.vmm, 0), 0);
    assert_int_equal(vmm_region_remove(l.vmm, 1), 0);
    assert_int_equal(life_convert(&l, 2, 3, false), 0);
    assert_int_equal(life_attach(&l, 0, 2), 0);
    assert_null(life_broken(&l, true, 2));
    assert_int_equal(vmm_region_readd(l.vmm, 1), 0);
    assert_null(life_broken(&l, true, 0));
}

static void migration_refuses(void **state)
{
    (void)state;
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(vmm_migrate(l.vmm, true), 0);
    assert_int_equal(vmm_region_readd(l.vmm, 0), -EBUSY);
    assert_int_equal(vmm_region_remove(l.vmm, 1), -EBUSY);
    assert_int_equal(vmm_migrate(l.vmm, false), 0);
    assert_int_equal(vmm_region_readd(l.vmm, 0), 0);
}

/* ---- sections while devices are there ---- */
static int more_section(struct life *f)
{
    return vmm_section_add(f->vmm, 5, 12 * PS, 4 * PS, 76 * PS);
}

static int plain_section(struct life *f)
{
    return vmm_section_add(f->vmm, 2, 0, 4 * PS, 76 * PS);
}

static void section_added_late(void **state)
{
    (void)state;
    assert_int_equal(more_section(&l), 0);
    assert_true(life_page(&l, 76).is_private);
    assert_int_equal(life_convert(&l, 76, 4, false), 0);
    assert_int_equal(life_mapped(&l, 0, 78), life_page(&l, 78).shared_frame);
    assert_int_equal(life_mapped(&l, 1, 78), 0);
    /* Plain memory at a second address is mapped at once. */
    assert_int_equal(vmm_section_add(l.vmm, 2, 0, 4 * PS, 128 * PS), 0);
    assert_int_not_equal(life_mapped(&l, 0, 128), 0);
    assert_int_equal(life_mapped(&l, 0, 128), life_mapped(&l, 0, 32));
    assert_int_equal(vmm_region_remove(l.vmm, 2), 0);
    assert_int_equal(life_mapped(&l, 0, 128) + life_mapped(&l, 0, 32), 0);
}

/* ---- containers: one added later gets what is shared, its end touches no other (D17) ---- */
static void container_added_later(void **state)
{
    static struct life_picture before, after;
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_container_add(l.vmm, l.iommu, true, &index), 0);
    life_take_picture(&l, &before);
    assert_int_equal(life_attach(&l, index, 2), 0);
    for (uint64_t p = 0; p < LIFE_GPA_PAGES; p++)
        assert_int_equal(life_mapped(&l, index, p), life_mapped(&l, 0, p));
    assert_int_equal(vmm_device_detach(l.vmm, 2), 0);
    life_take_picture(&l, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(life_attach(&l, index, 2), 0);
    assert_int_equal(vmm_device_detach(l.vmm, 0), 0);
    for (uint64_t p = 0; p < LIFE_GPA_PAGES; p++)
        assert_int_equal(life_mapped(&l, index, p), before.mapped[0][p]);
}

/* ---- every call fails once, and once more in the undo ---- */
static int remove_0(struct life *f)
{
    return vmm_region_remove(f->vmm, 0);
}

static int remove_1(struct life *f)
{
    return vmm_region_remove(f->vmm, 1);
}

static int remove_2(struct life *f)
{
    return vmm_region_remove(f->vmm, 2);
}

static int add_0(struct life *f)
{
    return vmm_region_readd(f->vmm, 0);
}

static int add_1(struct life *f)
{
    return vmm_region_readd(f->vmm, 1);
}

static int add_2(struct life *f)
{
    return vmm_region_readd(f->vmm, 2);
}

static int without_0(struct life *f)
{
    int rc = prepare(f);

    return rc ? rc : remove_0(f);
}

static int without_1(struct life *f)
{
    int rc = prepare(f);

    return rc ? rc : remove_1(f);
}

/* A second container that listens to all. */
static int prepare_two(struct life *f)
{
    uint32_t index;
    int rc = prepare(f);

    if (!rc)
        rc = vmm_container_add(f->vmm, f->iommu, true, &index);
    return rc ? rc : life_attach(f, index, 2);
}

/* ... and plain memory at two addresses. */
static int without_2(struct life *f)
{
    int rc = prepare_two(f);

    if (!rc)
        rc = plain_section(f);
    return rc ? rc : remove_2(f);
}

static const struct {
    life_fn *prepare, *op;
    uint32_t fewest, stops;
} sweeps[] = {
    {prepare, remove_0, 12, 3},          {prepare, remove_1, 13, 3},
    {prepare, remove_2, 6, 1},           {without_0, add_0, 9, 2},
    {without_1, add_1, 12, 2},           {without_2, add_2, 28, 10},
    {prepare, more_section, 6, 2},       {prepare, plain_section, 7, 2},
    {prepare_two, plain_section, 10, 3},
};

static void sweep_one_fault(void **state)
{
    (void)state;
    for (unsigned m = 0; m < LIFE_MACHINES; m++) {
        l.tracker = life_machines[m].tracker;
        l.iommu = life_machines[m].iommu;
        for (unsigned i = 0; i < sizeof sweeps / sizeof sweeps[0]; i++)
            assert_true(life_sweep(&l, sweeps[i].prepare, sweeps[i].op) >= sweeps[i].fewest);
    }
    l.tracker = VMM_TRACKER_BITMAP;
    l.iommu = VMM_IOMMU_TYPE1;
}

static void sweep_undo(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof sweeps / sizeof sweeps[0]; i++)
        assert_true(life_sweep_undo(&l, sweeps[i].prepare, sweeps[i].op) >= sweeps[i].stops);
}

/* ---- the end, with everything still there, in any order; machines that are half built ---- */
static void destroy_in_any_state(void **state)
{
    (void)state;
    for (uint32_t absent = 0; absent < 1u << LIFE_REGIONS; absent++) {
        assert_int_equal(prepare(&l), 0);
        for (uint32_t r = 0; r < LIFE_REGIONS; r++)
            if (absent >> r & 1)
                assert_int_equal(vmm_region_remove(l.vmm, r), 0);
        assert_null(life_broken(&l, true, absent));
        if (absent & 1)
            assert_int_equal(vmm_device_detach(l.vmm, absent & 2 ? 0 : 1), 0);
        life_end(&l);
    }
}

static void build_fails_anywhere(void **state)
{
    bool fired = true;

    (void)state;
    for (unsigned nth = 1; fired; nth++) {
        life_world(&l);
        life_arm(&l, POINT_CORE_ALLOC, nth, ENOMEM, false);
        int rc = life_build(&l, true);
        fired = l.failed;
        assert_int_equal(rc, fired ? -ENOMEM : 0);
        if (l.vmm)
            assert_int_equal(vmm_destroy(l.vmm), 0);
        assert_null(life_left(&l));
    }
}

/* A7: a block that has no address yet: its tracker says private, no kernel attribute does. */
static void created_not_mapped(void **state)
{
    (void)state;
    life_world(&l);
    assert_int_equal(life_build(&l, false), 0);
    assert_false(life_tracker(&l, 0, 0));
    assert_false(life_page(&l, 0).is_private);
    assert_int_equal(vmm_is_populated(l.vmm, 0, 0, PS), 0);
    assert_int_equal(life_attach(&l, 0, 0), 0);
    assert_int_equal(life_convert(&l, 0, 1, true), -EINVAL);
    assert_int_equal(vmm_section_add(l.vmm, 0, 0, 16 * PS, 0), 0);
    for (uint64_t p = 0; p < 16; p++) {
        assert_true(life_page(&l, p).is_private);
        assert_int_equal(life_mapped(&l, 0, p), 0);
    }
    assert_int_equal(vmm_region_remove(l.vmm, 1), 0); /* never had one */
    assert_int_equal(vmm_region_readd(l.vmm, 1), 0);
    life_end(&l);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/lifecycle/" name, fn, setup, teardown, NULL                                      \
    }
#define SWEEP(name, fn)                                                                        \
    {                                                                                          \
        "core/lifecycle/" name, fn, NULL, NULL, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("remove", remove_takes_all),
        TEST("absent", absent_is_a_hole),
        TEST("add", add_is_as_declared),
        TEST("add-asks-the-limit-first", add_asks_the_limit_first),
        TEST("debt-goes", debt_goes),
        TEST("devices-meanwhile", devices_meanwhile),
        TEST("migration", migration_refuses),
        TEST("section-added-late", section_added_late),
        TEST("container-added-later", container_added_later),
        SWEEP("one-fault", sweep_one_fault),
        SWEEP("fault-in-undo", sweep_undo),
        SWEEP("destroy", destroy_in_any_state),
        SWEEP("build", build_fails_anywhere),
        SWEEP("created-not-mapped", created_not_mapped),
    };

    return cmocka_run_group_tests_name("core/lifecycle", tests, NULL, NULL);
}
