/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request: what it takes with it, where it ends when something fails or the VM is stopped
 * meanwhile; and many of them, after which nothing is larger than before.
 */
#include "core/internal.h"
#include "tests/core_fixture.h"

enum { PAGE = STUB_PAGE };

static const struct sync lanes;
static struct fixture f;

static int start(enum vmm_tracker tracker, enum vmm_mapping mapping)
{
    memset(&f, 0, sizeof f);
    stub_init(&f.stub);
    f.stub.guards = true;
    f.tracker = tracker;
    f.mapping = mapping;
    return fixture_build(&f, &lanes);
}

static int setup(void **state)
{
    (void)state;
    return start(VMM_TRACKER_BITMAP, VMM_MAPPING_PAGE);
}

static int setup_extents(void **state)
{
    (void)state;
    return start(VMM_TRACKER_EXTENTS, VMM_MAPPING_PAGE);
}

static int teardown(void **state)
{
    (void)state;
    stub_fail_none(&f.stub);
    (void)vmm_destroy(f.vmm);
    assert_null(fixture_left(&f));
    return 0;
}

static bool traced(const char *what)
{
    return strstr(f.stub.trace, what);
}

/* What an earlier request in the range could not drop goes along, though its page does not
 * change. */
static void debt_in_the_range_goes_along(void **state)
{
    (void)state;
    stub_fail_often(&f.stub, STUB_DROP_PRIVATE, 1, 100, EIO);
    assert_int_equal(convert(&f, 3, 1, false), 0);
    stub_fail_none(&f.stub);
    stub_trace_clear(&f.stub);
    assert_int_equal(convert(&f, 3, 4, false), 0);
    assert_true(traced("drop private 3+4; "));
    stub_trace_clear(&f.stub);
    assert_int_equal(convert(&f, 3, 4, false), 0);
    assert_string_equal(f.stub.trace, "");
}

/* Each of so many regions, side by side, is a part of the request. */
static void many_parts(void **state)
{
    enum { FIRST = 200, MANY = 18 };
    const struct vmm_region_config region = {.guest_memfd = true, .size = PAGE};
    uint32_t index;
    uint64_t bits;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
        assert_int_equal(vmm_section_add(f.vmm, index, 0, PAGE, (FIRST + i) * PAGE), 0);
    }
    for (uint32_t n = 1; n <= MANY; n++) {
        unsigned allocations = f.stub.hits[STUB_ALLOC];

        assert_int_equal(convert(&f, FIRST, n, false), 0);
        assert_int_equal(f.stub.hits[STUB_ALLOC] - allocations, n > CONVERT_PARTS_INSIDE);
        for (uint32_t i = 0; i < MANY; i++) {
            vmm_populated_bits(f.vmm, FIXTURE_REGIONS + i, 0, 1, &bits);
            assert_int_equal(bits, i < n);
        }
        assert_int_equal(convert(&f, FIRST, n, true), 0);
    }
    stub_fail(&f.stub, STUB_ALLOC, 1, ENOMEM, false);
    assert_int_equal(convert(&f, FIRST, MANY, false), -ENOMEM);
    assert_null(fixture_broken(&f, false));
}

/* After the first failure there is only the way back. */
static void ends_at_the_first_failure(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(convert(&f, 62, 1, true), 0);
    stub_fail(&f.stub, STUB_MAP, 1, ENOMEM, false);
    stub_trace_clear(&f.stub);
    assert_int_equal(convert(&f, 60, 8, false), -ENOMEM);
    assert_true(traced("map 60+1 fails; "));
    assert_false(traced(" map 61") || traced(" map 64"));
    assert_false(vmm_stopped(f.vmm));
    assert_null(fixture_broken(&f, true));
}

/* ---- hypercalls at their limits ---- */
static uint64_t call_pages, call_flags;

static int asks(struct stub *s, struct kvm_run *run)
{
    (void)s;
    run->exit_reason = KVM_EXIT_HYPERCALL;
    run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
    run->hypercall.args[0] = 0;
    run->hypercall.args[1] = call_pages;
    run->hypercall.args[2] = call_flags;
    run->hypercall.ret = 77;
    return 0;
}

static int hypercall(uint64_t pages, uint64_t flags)
{
    f.stub.on_run = asks;
    call_pages = pages;
    call_flags = flags;
    int rc = vmm_vcpu_run(f.vmm, 0);
    assert_int_equal(f.stub.run->hypercall.ret, -rc);
    return rc;
}

/* A machine with guest_memfd memory alone: all addresses can be made shared at once. */
static void hypercalls_at_their_limits(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true, .size = 64 * PAGE};
    const struct vmm_config config = {.page_size = STUB_PAGE, .n_vcpus = 1};
    struct host host = stub_host(&f.stub);
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    stub_init(&f.stub);
    f.stub.guards = true;
    assert_int_equal(vmm_create(&host, &lanes, &config, &f.vmm), 0);
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 64 * PAGE, 0), 0);
    assert_int_equal(hypercall((UINT64_MAX >> 12) + 1, 0), -EINVAL);
    assert_false(tracker_shared(&f, 0, 0));
    assert_int_equal(hypercall(UINT64_MAX >> 12, 0), 0);
    assert_true(tracker_shared(&f, 0, 0) && tracker_shared(&f, 0, 63));
    assert_int_equal(hypercall(8, KVM_MAP_GPA_RANGE_ENCRYPTED | 1), 0);
    assert_true(!tracker_shared(&f, 0, 7) && tracker_shared(&f, 0, 8));
    for (uint64_t bit = 1; bit < KVM_MAP_GPA_RANGE_ENCRYPTED; bit <<= 1) {
        assert_int_equal(hypercall(16, bit), 0); /* the size of its pages */
        assert_true(tracker_shared(&f, 0, 0) && tracker_shared(&f, 0, 15));
    }
}

/* ---- another lane stops the VM meanwhile ---- */
static int stops_in_run(struct stub *s, struct kvm_run *run)
{
    vmm_stop(s->owner);
    run->exit_reason = KVM_EXIT_HYPERCALL;
    run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
    run->hypercall.args[0] = 3 * PAGE;
    run->hypercall.args[1] = 1;
    run->hypercall.args[2] = 0;
    run->hypercall.ret = 77;
    return 0;
}

static void stopped_before_the_request(void **state)
{
    (void)state;
    f.stub.on_run = stops_in_run;
    f.stub.owner = f.vmm;
    assert_int_equal(vmm_vcpu_run(f.vmm, 0), -EIO);
    assert_int_equal(f.stub.run->hypercall.ret, EAGAIN);
    assert_null(fixture_broken(&f, false));
}

static struct vmm *to_stop;

static void nothing(void *ctx, struct core_lock *lock)
{
    (void)ctx, (void)lock;
}

static void stop_at_block(void *ctx, struct core_lock *lock, const char *caller)
{
    (void)ctx, (void)caller;
    if (to_stop && lock != &to_stop->machine_lock)
        vmm_stop(to_stop);
}

static void nothing_at_unlock(void *ctx, struct core_lock *lock, const char *caller)
{
    (void)ctx, (void)lock, (void)caller;
}

static void stopped_while_it_waits_for_a_block(void **state)
{
    const struct sync_ops ops = {nothing, nothing, stop_at_block, nothing_at_unlock};
    const struct sync stopping = {.ops = &ops};

    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    stub_init(&f.stub);
    f.stub.guards = true;
    assert_int_equal(fixture_build(&f, &stopping), 0);
    stub_trace_clear(&f.stub);
    to_stop = f.vmm;
    assert_int_equal(convert(&f, 3, 1, false), -EIO);
    to_stop = NULL;
    assert_string_equal(f.stub.trace, "");
    assert_null(fixture_broken(&f, false));
    assert_int_equal(vmm_destroy(f.vmm), 0);
    assert_int_equal(start(VMM_TRACKER_BITMAP, VMM_MAPPING_PAGE), 0); /* `ops` goes */
}

/* ---- memory ---- */
/* Every other page: the tracker grows now and then, and each time that fails at first. */
static void runs_that_memory_does_not_suffice_for(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (uint64_t page = 0; page < 128; page += 2) {
        unsigned allocations = f.stub.hits[STUB_ALLOC];

        stub_fail(&f.stub, STUB_ALLOC, 1, ENOMEM, false);
        int rc = convert(&f, page, 1, false);
        stub_fail_none(&f.stub);
        assert_int_equal(rc, f.stub.hits[STUB_ALLOC] > allocations ? -ENOMEM : 0);
        assert_int_equal(tracker_shared(&f, page / 64, page % 64), rc == 0);
        failed += rc != 0;
        assert_int_equal(traced("shared"), rc == 0); /* memory comes before all else */
        if (rc)
            assert_int_equal(convert(&f, page, 1, false), 0);
        stub_trace_clear(&f.stub);
    }
    assert_in_range(failed, 2, 10);
    assert_null(fixture_broken(&f, false));
}

/* The same where the aggregate of two sources has as many runs; and there, sources come and
 * go, and blocks, each time with one allocation more that works. */
static void memory_of_two_sources(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 128 * PAGE,
                                             .virtio_mem_block = PAGE,
                                             .requested_size = 128 * PAGE};
    unsigned failed = 0, nth;
    uint16_t response;
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 128 * PAGE, 300 * PAGE), 0);
    assert_int_equal(vmm_plug(f.vmm, index, 0, 128 * PAGE, &response), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    for (uint64_t page = 300; page < 428; page += 2)
        for (int rc = -ENOMEM, times = 0; rc; times++) {
            stub_trace_clear(&f.stub);
            stub_fail(&f.stub, STUB_ALLOC, 1 + times, ENOMEM, false);
            rc = convert(&f, page, 1, false);
            stub_fail_none(&f.stub);
            assert_int_equal(traced("shared"), rc == 0);
            assert_int_equal(stub_mapped(&f.stub, page), rc == 0);
            failed += rc != 0;
        }
    assert_in_range(failed, 4, 30);
    for (int i = 0; i < 3; i++) {
        int rc = -ENOMEM;

        for (nth = 1; rc; nth++) {
            stub_trace_clear(&f.stub);
            stub_fail(&f.stub, STUB_ALLOC, nth, ENOMEM, false);
            rc = i == 0   ? vmm_source_add(f.vmm, index, 31 * PAGE, 64 * PAGE)
                 : i == 1 ? vmm_source_remove(f.vmm, index)
                          : vmm_unplug(f.vmm, index, 64 * PAGE, PAGE, &response);
            assert_true(rc == 0 || rc == -ENOMEM);
            assert_int_equal(f.stub.failed, rc != 0);
            stub_fail_none(&f.stub);
            for (uint64_t page = 300; page < 428; page++)
                if (stub_mapped(&f.stub, page) !=
                    (page % 2 == 0 &&
                     !((i == 0) == (rc == 0) && i < 2 && page >= 331 && page < 395) &&
                     !(i == 2 && rc == 0 && page == 364)))
                    fail_msg("%d, allocation %u: page %llu", i, nth, (unsigned long long)page);
        }
    }
}

/* ---- the way back: a step goes on after an error, over all its pages ---- */
static void stuck(enum stub_point point, unsigned nth, enum stub_point undo, unsigned times)
{
    stub_trace_clear(&f.stub);
    f.stub.n_faults = 0;
    stub_fail(&f.stub, point, nth, EIO, false);
    f.stub.faults[f.stub.n_faults++] = (struct stub_fault){
        .point = undo, .nth = undo == point ? nth + 1 : 1, .times = times, .error = EIO};
}

static void an_undo_goes_on(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    /* to shared: 63 and 64 are mapped, 65 is not; 63 cannot be unmapped */
    stuck(STUB_MAP, 3, STUB_UNMAP, 1);
    assert_int_equal(convert(&f, 63, 3, false), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("unmap 63+1 fails") && traced("unmap 64+2; "));
    assert_true(stub_mapped(&f.stub, 63) && !stub_mapped(&f.stub, 64));
}

static void an_undo_to_shared_goes_on(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    for (uint64_t page = 60; page < 66; page += 2)
        assert_int_equal(convert(&f, page, 1, false), 0);
    /* to private: 60 and 62 are unmapped, 64 is not; 60 cannot be mapped again */
    stuck(STUB_UNMAP, 3, STUB_MAP, 1);
    assert_int_equal(convert(&f, 60, 5, true), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("map 60+1 fails; ") && traced(" map 62+1; "));
    assert_true(!stub_mapped(&f.stub, 60) && stub_mapped(&f.stub, 62));
}

static void an_undo_of_attributes_goes_on(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    stuck(STUB_MAP, 1, STUB_ATTRIBUTE, 0);
    f.stub.faults[f.stub.n_faults - 1] =
        (struct stub_fault){.point = STUB_ATTRIBUTE, .nth = 2, .times = 1, .error = EIO};
    assert_int_equal(convert(&f, 63, 3, false), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("private 63+1 fails; ") && traced("private 64+2; "));
}

static void an_undo_drops_all(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    stuck(STUB_MAP, 3, STUB_DROP_SHARED, 1);
    assert_int_equal(convert(&f, 63, 3, false), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("drop shared 63+1 fails; ") && traced("drop shared 0+2; "));
}

static void cycle(uint32_t virtio)
{
    uint16_t response;
    uint8_t pages[64];

    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    assert_int_equal(convert(&f, 3, 6, false), 0);
    assert_int_equal(convert(&f, 5, 1, true), 0);
    assert_int_equal(convert(&f, 300, 8, false), 0);
    assert_int_equal(vmm_listen(f.vmm, 1, virtio, 0, 8 * PAGE), 0);
    assert_int_equal(vmm_plug(f.vmm, virtio, 2 * PAGE, 4 * PAGE, &response), 0);
    assert_int_equal(vmm_source_add(f.vmm, virtio, PAGE, 2 * PAGE), 0);
    assert_int_equal(convert(&f, 303, 2, true), 0);
    assert_int_equal(vmm_source_remove(f.vmm, virtio), 0);
    assert_int_equal(vmm_unplug(f.vmm, virtio, 2 * PAGE, 2 * PAGE, &response), 0);
    assert_int_equal(vmm_unlisten(f.vmm, 1, virtio, 0, 8 * PAGE), 0);
    assert_int_equal(vmm_migrate(f.vmm, true), 0);
    assert_int_equal(vmm_dirty_sync(f.vmm, 0, pages), 0);
    assert_int_equal(vmm_migrate(f.vmm, false), 0);
    assert_int_equal(vmm_source_add(f.vmm, 1, PAGE, 2 * PAGE), 0);
    assert_int_equal(vmm_reset(f.vmm), 0);
    assert_int_equal(vmm_source_remove(f.vmm, 1), 0);
    assert_int_equal(vmm_unplug_all(f.vmm, virtio, &response), 0);
    assert_int_equal(vmm_region_remove(f.vmm, 1), 0);
    assert_int_equal(vmm_region_readd(f.vmm, 1), 0);
    assert_int_equal(vmm_device_detach(f.vmm, 0), 0);
    assert_int_equal(vmm_device_detach(f.vmm, 1), 0);
}

/* The same again and again: no cycle allocates more than the second one did, nor leaves more,
 * nor runs into the limit of entries. */
static void nothing_grows(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 8 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 8 * PAGE};

    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        unsigned per_cycle = 0, blocks = 0;
        uint32_t virtio;

        assert_int_equal(vmm_destroy(f.vmm), 0);
        assert_int_equal(start(variant & 1 ? VMM_TRACKER_EXTENTS : VMM_TRACKER_BITMAP,
                               variant & 2 ? VMM_MAPPING_RUN : VMM_MAPPING_PAGE),
                         0);
        f.stub.tells_limit = true;
        f.stub.map_limit = 40;
        assert_int_equal(vmm_region_add(f.vmm, &region, &virtio), 0);
        assert_int_equal(vmm_section_add(f.vmm, virtio, 0, 8 * PAGE, 300 * PAGE), 0);
        /* With it there are as many sections as their array has room for. */
        assert_int_equal(vmm_section_add(f.vmm, 3, 0, PAGE, 400 * PAGE), 0);
        for (int i = 0; i < 200; i++) {
            unsigned before = f.stub.hits[STUB_ALLOC];

            cycle(virtio);
            stub_trace_clear(&f.stub);
            if (i == 1) {
                per_cycle = f.stub.hits[STUB_ALLOC] - before;
                blocks = f.stub.n_blocks;
            }
            if (i > 1 && f.stub.hits[STUB_ALLOC] - before > per_cycle)
                fail_msg("variant %d, cycle %d: %u allocations, not %u", variant, i,
                         f.stub.hits[STUB_ALLOC] - before, per_cycle);
            if (i > 1)
                assert_int_equal(f.stub.n_blocks, blocks);
        }
    }
}

int main(void)
{
#define T(name, fn, set)                                                                       \
    {                                                                                          \
        "core/request/" name, fn, set, teardown, NULL                                          \
    }
    const struct CMUnitTest tests[] = {
        T("debt-in-the-range-goes-along", debt_in_the_range_goes_along, setup),
        T("debt-in-the-range-goes-along, extents", debt_in_the_range_goes_along, setup_extents),
        T("many-parts", many_parts, setup),
        T("ends-at-the-first-failure", ends_at_the_first_failure, setup),
        T("hypercalls-at-their-limits", hypercalls_at_their_limits, setup),
        T("stopped-before-the-request", stopped_before_the_request, setup),
        T("stopped-while-it-waits", stopped_while_it_waits_for_a_block, setup),
        T("memory-does-not-suffice", runs_that_memory_does_not_suffice_for, setup_extents),
        T("memory-of-two-sources", memory_of_two_sources, setup_extents),
        T("an-undo-goes-on", an_undo_goes_on, setup),
        T("an-undo-to-shared-goes-on", an_undo_to_shared_goes_on, setup),
        T("an-undo-of-attributes-goes-on", an_undo_of_attributes_goes_on, setup),
        T("an-undo-drops-all", an_undo_drops_all, setup),
        T("nothing-grows", nothing_grows, setup),
    };

    return cmocka_run_group_tests_name("core/request", tests, NULL, NULL);
}
