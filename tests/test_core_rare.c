/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The corners that neither programs nor scenarios reach: two failures of which the second hits
 * the undo, memory that runs out at each place, questions in odd states.
 */
#include "tests/core_fixture.h"

static struct fixture f;
static const struct sync lanes;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    stub_init(&f.stub);
    return fixture_build(&f, &lanes);
}

static int teardown(void **state)
{
    (void)state;
    stub_fail_none(&f.stub);
    (void)vmm_destroy(f.vmm);
    assert_null(fixture_left(&f));
    return 0;
}

enum { PAGE = STUB_PAGE };

/* The second map fails, and the unmap of the first one too: something stays mapped for good. */
static void an_undo_of_a_listener_that_fails_stops(void **state)
{
    (void)state;
    assert_int_equal(vmm_section_add(f.vmm, 4, 4 * PAGE, 4 * PAGE, 200 * PAGE), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    stub_fail(&f.stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail_often(&f.stub, STUB_UNMAP, 1, 100, EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 4, 4 * PAGE, 4 * PAGE), -ENOMEM);
    assert_true(vmm_stopped(f.vmm));
}

/* The same where a section comes while two containers listen to all. */
static void an_undo_of_a_section_that_fails_stops(void **state)
{
    const struct vmm_region_config region = {.size = 4 * PAGE};
    uint32_t container, index;

    (void)state;
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_TYPE1, true, &container), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(vmm_device_attach(f.vmm, container, 2), 0);
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    stub_fail(&f.stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail_often(&f.stub, STUB_UNMAP, 1, 100, EINVAL);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 4 * PAGE, 300 * PAGE), -ENOMEM);
    assert_true(vmm_stopped(f.vmm));
}

/* A reset whose second region cannot be unmapped, and whose first one not mapped again. */
static void an_undo_of_a_reset_that_fails_stops(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(convert(&f, 0, 4, false), 0);
    assert_int_equal(convert(&f, 64, 4, false), 0);
    stub_fail(&f.stub, STUB_UNMAP, 2, EINVAL, false);
    stub_fail_often(&f.stub, STUB_MAP, 1, 100, ENOMEM);
    assert_int_equal(vmm_reset(f.vmm), -EINVAL);
    assert_true(vmm_stopped(f.vmm));
}

/* Each allocation of a region fails once; nothing is left of it, and then it can be added. */
static void memory_runs_out_in_a_region(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 512 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 4 * PAGE};
    unsigned nth = 0;
    uint32_t index;
    int rc = -ENOMEM;

    (void)state;
    while (rc == -ENOMEM) {
        unsigned blocks = f.stub.n_blocks, fds = stub_open_fds(&f.stub);

        stub_fail_none(&f.stub);
        stub_fail(&f.stub, STUB_ALLOC, ++nth, ENOMEM, false);
        rc = vmm_region_add(f.vmm, &region, &index);
        if (rc) {
            assert_true(f.stub.n_blocks <= blocks + 1); /* the table may have grown */
            assert_int_equal(stub_open_fds(&f.stub), fds);
        }
    }
    assert_int_equal(rc, 0);
    assert_true(nth > 4);
}

/* No room for the listener's entries: the plug is busy, and nothing has changed. */
static void entries_run_out_in_a_plug(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 4 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 4 * PAGE};
    uint16_t response = VMM_RESPONSE_ACK;
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 4 * PAGE, 300 * PAGE), 0);
    assert_int_equal(convert(&f, 300, 4, false), 0);
    f.stub.tells_limit = true;
    f.stub.map_limit = 4; /* plain memory and ROM take two */
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(vmm_plug(f.vmm, index, 0, 4 * PAGE, &response), -ENOSPC);
    assert_int_equal(response, VMM_RESPONSE_BUSY);
    for (uint64_t page = 300; page < 304; page++)
        assert_false(stub_mapped(&f.stub, page));
}

static bool canon_is(const uint64_t *was, size_t was_size)
{
    uint64_t now[1024];
    size_t size = vmm_canon(f.vmm, now, sizeof now);

    assert_true(size <= sizeof now);
    return size == was_size && memcmp(was, now, size) == 0;
}

/* The canonical state says what a migration knows, and what is plugged. */
static void canon_sees_migration_and_virtio_mem(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 8 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 8 * PAGE};
    uint64_t before[1024];
    uint16_t response;
    uint32_t index;
    size_t size;

    (void)state;
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 8 * PAGE, 300 * PAGE), 0);
    size = vmm_canon(f.vmm, before, sizeof before);
    assert_true(canon_is(before, size));
    assert_int_equal(vmm_plug(f.vmm, index, 0, 2 * PAGE, &response), 0);
    assert_false(canon_is(before, size));
    assert_int_equal(vmm_unplug(f.vmm, index, 0, 2 * PAGE, &response), 0);
    assert_true(canon_is(before, size));
    assert_int_equal(vmm_migrate(f.vmm, true), 0);
    assert_false(canon_is(before, size));
    assert_int_equal(vmm_migrate(f.vmm, false), 0);
    assert_true(canon_is(before, size));
}

/* An MMIO section costs no slot; when its place in the table cannot be had, nothing is left. */
static void memory_runs_out_for_sections(void **state)
{
    const struct vmm_region_config mmio = {.kind = VMM_REGION_MMIO, .size = PAGE};
    uint32_t index;
    int rc = 0;

    (void)state;
    assert_int_equal(vmm_region_add(f.vmm, &mmio, &index), 0);
    for (uint64_t i = 0; i < 32 && !rc; i++) {
        stub_fail_none(&f.stub);
        stub_fail(&f.stub, STUB_ALLOC, 1, ENOMEM, false);
        rc = vmm_section_add(f.vmm, index, 0, PAGE, (300 + i) * PAGE);
    }
    assert_int_equal(rc, -ENOMEM);
    stub_fail_none(&f.stub);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, PAGE, 400 * PAGE), 0);
    assert_false(vmm_stopped(f.vmm));
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/rare/" name, fn, setup, teardown, NULL                                           \
    }
    const struct CMUnitTest tests[] = {
        T("an-undo-of-a-listener", an_undo_of_a_listener_that_fails_stops),
        T("an-undo-of-a-section", an_undo_of_a_section_that_fails_stops),
        T("an-undo-of-a-reset", an_undo_of_a_reset_that_fails_stops),
        T("memory-runs-out-in-a-region", memory_runs_out_in_a_region),
        T("memory-runs-out-for-sections", memory_runs_out_for_sections),
        T("entries-run-out-in-a-plug", entries_run_out_in_a_plug),
        T("canon-sees-migration-and-virtio-mem", canon_sees_migration_and_virtio_mem),
    };

    return cmocka_run_group_tests_name("core/rare", tests, NULL, NULL);
}
