/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reset of a confidential guest (F8): private, empty, unmapped, or as it was. */
#include "tests/life_fixture.h"

static struct life l;

enum { PS = LIFE_PAGE, VIRTIO_MEM = LIFE_REGIONS, VIRTIO_MEM_GPA = 48 };

/* Shared and private pages with content, a manual listener, virtio-mem half plugged. */
static int prepare(struct life *f)
{
    struct vmm_region_config config = {.kind = VMM_REGION_RAM,
                                       .share = VMM_SHARE_MEMFD,
                                       .guest_memfd = true,
                                       .size = 16 * PS,
                                       .virtio_mem_block = 4 * PS,
                                       .requested_size = 8 * PS};
    uint16_t response;
    uint32_t index;
    int rc;

    life_start(f);
    rc = vmm_region_add(f->vmm, &config, &index);
    if (!rc)
        rc = vmm_section_add(f->vmm, index, 0, 16 * PS, VIRTIO_MEM_GPA * PS);
    if (!rc)
        rc = life_prepare(f);
    if (!rc)
        rc = vmm_plug(f->vmm, index, 4 * PS, 4 * PS, &response);
    if (!rc)
        rc = life_convert(f, 15, 4, false);
    if (!rc)
        rc = life_convert(f, 18, 1, true);
    if (!rc)
        rc = life_convert(f, VIRTIO_MEM_GPA + 2, 4, false);
    if (rc)
        return rc;
    life_write(f, 17, 57);
    life_write(f, 32, 58); /* plain */
    life_write(f, VIRTIO_MEM_GPA + 5, 59);
    return 0;
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

static int reset(struct life *f)
{
    return vmm_reset(f->vmm);
}

/* Is every guest_memfd page private and empty, and is nothing of it mapped? */
static const char *not_reset(void)
{
    const struct address_space *as = &l.vmm->address_space;

    for (uint32_t i = 0; i < as->n_sections; i++) {
        const struct section *s = &as->sections[i];

        if (!section_in_kvm(s) || !s->block->guest_memfd)
            continue;
        for (uint64_t p = 0; p < s->size / PS; p++) {
            struct observe_page page = life_page(&l, s->gpa / PS + p);

            if (!page.is_private || life_tracker(&l, s->block->index, s->offset / PS + p))
                return "shared";
            if (page.shared_frame || page.private_frame)
                return "not empty";
            if (life_mapped(&l, 0, s->gpa / PS + p) || life_mapped(&l, 1, s->gpa / PS + p))
                return "mapped";
        }
    }
    return NULL;
}

static void deliberate_error(void **state)
{
    (void)state;
    assert_string_equal(not_reset(), "not empty");
    assert_int_equal(life_read(&l, 5), 55);
}

static void all_private_and_empty(void **state)
{
    struct observe_totals before, after;

    (void)state;
    l.observe->totals(l.observe->ctx, &before);
    assert_int_equal(reset(&l), 0);
    assert_null(not_reset());
    assert_null(life_broken(&l, true, 0));
    l.observe->totals(l.observe->ctx, &after);
    assert_int_equal(after.fds, before.fds);
    assert_int_equal(after.vmas, before.vmas);
    for (uint64_t p = 0; p < 20; p++)
        assert_int_equal(life_read(&l, p), 0);
    assert_int_equal(life_read(&l, 32), 58); /* plain memory stays, and stays mapped */
    assert_int_not_equal(life_mapped(&l, 0, 32), 0);
}

/* The next conversion does real work, in both containers (B10). */
static void converts_again(void **state)
{
    (void)state;
    assert_int_equal(reset(&l), 0);
    assert_int_equal(life_convert(&l, 0, 20, false), 0);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(life_mapped(&l, 1, 4), life_page(&l, 4).shared_frame);
    for (uint64_t p = 0; p < 20; p++)
        assert_int_equal(life_read(&l, p), 0);
    assert_int_equal(reset(&l), 0);
    assert_null(not_reset());
}

static void virtio_mem_is_unplugged(void **state)
{
    uint64_t plugged = 0;
    uint16_t response;

    (void)state;
    assert_int_equal(vmm_resize(l.vmm, VIRTIO_MEM, 12 * PS, &response), 0);
    assert_int_equal(vmm_resize(l.vmm, VIRTIO_MEM, 4 * PS, &response), 0);
    assert_int_equal(reset(&l), 0);
    vmm_plugged_bits(l.vmm, VIRTIO_MEM, 0, 16, &plugged);
    assert_int_equal(plugged, 0);
    assert_int_equal(vmm_plug(l.vmm, VIRTIO_MEM, 4 * PS, 4 * PS, &response), -EINVAL);
    assert_int_equal(vmm_plug(l.vmm, VIRTIO_MEM, 0, 4 * PS, &response), 0);
    assert_null(not_reset());
    assert_int_equal(life_convert(&l, VIRTIO_MEM_GPA, 4, false), 0);
    assert_int_equal(life_mapped(&l, 0, VIRTIO_MEM_GPA + 2),
                     life_page(&l, VIRTIO_MEM_GPA + 2).shared_frame);
}

/* Debt of before goes with it; what it cannot drop itself is debt, and paid later. */
static void debt(void **state)
{
    struct ram_block *block = l.vmm->address_space.regions[0];

    (void)state;
    life_arm(&l, POINT_GMEM_PUNCH, 1, EIO, false);
    assert_int_equal(life_convert(&l, 0, 2, false), 0);
    life_arm(&l, POINT_MM_MADVISE, 1, EINVAL, false);
    assert_int_equal(life_convert(&l, 6, 2, true), 0);
    assert_int_equal(block->attributes.debt[1].n_set, 2);
    assert_int_equal(block->attributes.debt[0].n_set, 2);
    life_arm(&l, POINT_MM_MADVISE, 1, EINVAL, false);
    life_arm(&l, POINT_MEMFD_PUNCH, 1, EIO, false); /* hugetlb */
    assert_int_equal(reset(&l), 0);
    assert_int_equal(block->attributes.debt[1].n_set, 0);
    assert_int_equal(block->attributes.debt[0].n_set, 16);
    assert_int_not_equal(life_page(&l, 5).shared_frame, 0);
    assert_int_equal(life_page(&l, 0).private_frame, 0);
    assert_int_equal(life_convert(&l, 4, 14, false), 0);
    assert_null(life_broken(&l, true, 0));
    assert_int_equal(life_read(&l, 5), 0);
    assert_int_equal(life_read(&l, 17), 0); /* a part of a huge page */
    assert_int_equal(reset(&l), 0);
    assert_null(not_reset());
}

static void migration_refuses(void **state)
{
    (void)state;
    assert_int_equal(vmm_migrate(l.vmm, true), 0);
    assert_int_equal(reset(&l), -EBUSY);
    assert_int_equal(life_read(&l, 5), 55);
    assert_int_equal(vmm_migrate(l.vmm, false), 0);
    assert_int_equal(reset(&l), 0);
    assert_null(not_reset());
}

static void absent_regions(void **state)
{
    (void)state;
    assert_int_equal(vmm_region_remove(l.vmm, 0), 0);
    assert_int_equal(reset(&l), 0);
    assert_null(not_reset());
    assert_null(life_broken(&l, true, 1));
    assert_int_equal(vmm_region_readd(l.vmm, 0), 0);
    assert_null(not_reset());
}

/* Content is as it was after a reset that failed, too. */
static void failed_keeps_content(void **state)
{
    (void)state;
    life_arm(&l, POINT_KVM_SET_ATTRIBUTES, 2, EFAULT, true);
    assert_int_equal(reset(&l), -EFAULT);
    assert_int_equal(life_read(&l, 5), 55);
    assert_int_equal(life_read(&l, 0), 50);
    assert_int_equal(life_read(&l, 17), 57);
    assert_int_equal(life_read(&l, VIRTIO_MEM_GPA + 5), 59);
}

static void sweep_one_fault(void **state)
{
    (void)state;
    for (unsigned m = 0; m < LIFE_MACHINES; m++) {
        l.tracker = life_machines[m].tracker;
        l.iommu = life_machines[m].iommu;
        assert_true(life_sweep(&l, prepare, reset) >= 60);
    }
    l.tracker = VMM_TRACKER_BITMAP;
    l.iommu = VMM_IOMMU_TYPE1;
}

static void sweep_undo(void **state)
{
    (void)state;
    assert_true(life_sweep_undo(&l, prepare, reset) >= 23);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/reset/" name, fn, setup, teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("all-private-and-empty", all_private_and_empty),
        TEST("converts-again", converts_again),
        TEST("virtio-mem", virtio_mem_is_unplugged),
        TEST("debt", debt),
        TEST("migration", migration_refuses),
        TEST("absent-regions", absent_regions),
        TEST("failed-keeps-content", failed_keeps_content),
        {"core/reset/one-fault", sweep_one_fault, NULL, NULL, NULL},
        {"core/reset/fault-in-undo", sweep_undo, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/reset", tests, NULL, NULL);
}
