/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four discard guards: who excludes whom, who takes which, and that each is given back. */
#include "core/internal.h"
#include "tests/core_fixture.h"

static const struct sync no_sync = {NULL, NULL};
static const enum vmm_guard DISABLE = VMM_GUARD_DISABLE,
                            UNCOORDINATED = VMM_GUARD_UNCOORDINATED_DISABLE,
                            REQUIRE = VMM_GUARD_REQUIRE,
                            COORDINATED = VMM_GUARD_COORDINATED_REQUIRE;

/* A machine without memory and devices. */
static void empty_machine(struct fixture *f)
{
    const struct vmm_config config = {.page_size = STUB_PAGE, .n_vcpus = 1};

    *f = (struct fixture){0};
    stub_init(&f->stub);
    struct host host = stub_host(&f->stub);
    assert_int_equal(vmm_create(&host, &no_sync, &config, &f->vmm), 0);
}

static void whole_machine(struct fixture *f)
{
    *f = (struct fixture){0};
    stub_init(&f->stub);
    assert_int_equal(fixture_build(f, &no_sync), 0);
}

static void end(struct fixture *f)
{
    stub_fail_none(&f->stub);
    assert_int_equal(vmm_destroy(f->vmm), 0);
    assert_null(fixture_left(f));
}

static int on(struct fixture *f, enum vmm_guard kind)
{
    return vmm_guard(f->vmm, kind, true);
}

static int off(struct fixture *f, enum vmm_guard kind)
{
    return vmm_guard(f->vmm, kind, false);
}

/* behaviour.md 1.4, as a table: row is held, column is asked for. */
static void who_excludes_whom(void **state)
{
    static const int expected[VMM_GUARD_COUNT][VMM_GUARD_COUNT] = {
        /* held                disable  uncoordinated  require  coordinated */
        /* disable       */ {0, 0, -EBUSY, -EBUSY},
        /* uncoordinated */ {0, 0, -EBUSY, 0},
        /* require       */ {-EBUSY, -EBUSY, 0, 0},
        /* coordinated   */ {-EBUSY, 0, 0, 0},
    };
    struct fixture f;

    (void)state;
    empty_machine(&f);
    for (unsigned held = 0; held < VMM_GUARD_COUNT; held++)
        for (unsigned asked = 0; asked < VMM_GUARD_COUNT; asked++) {
            assert_int_equal(on(&f, held), 0);
            assert_int_equal(on(&f, held), 0); /* a count, not a flag */
            assert_int_equal(off(&f, held), 0);
            assert_int_equal(on(&f, asked), expected[held][asked]);
            assert_int_equal(off(&f, held), 0);
            if (expected[held][asked] == 0)
                assert_int_equal(off(&f, asked), 0);
            assert_int_equal(on(&f, asked), 0);
            assert_int_equal(off(&f, asked), 0);
        }
    end(&f);
}

/* Nobody gives back what they did not take: QEMU's counters have no such check. */
static void only_what_was_taken(void **state)
{
    struct fixture f;

    (void)state;
    whole_machine(&f);
    for (unsigned kind = 0; kind < VMM_GUARD_COUNT; kind++)
        assert_int_equal(off(&f, kind), -EINVAL); /* guest_memfd has three coordinated ones */
    assert_int_equal(on(&f, VMM_GUARD_COUNT), -EINVAL);
    assert_int_equal(off(&f, VMM_GUARD_COUNT), -EINVAL);
    assert_int_equal(on(&f, DISABLE), -EBUSY);
    assert_int_equal(on(&f, COORDINATED), 0);
    end(&f); /* with a guard of someone else's */
}

static void no_more_than_it_can_count(void **state)
{
    struct fixture f;

    (void)state;
    empty_machine(&f);
    for (uint32_t i = 0; i < VMM_GUARD_OTHERS_MAX; i++)
        assert_int_equal(on(&f, REQUIRE), 0);
    assert_int_equal(on(&f, REQUIRE), -E2BIG);
    assert_int_equal(on(&f, COORDINATED), 0);
    assert_int_equal(off(&f, REQUIRE), 0);
    assert_int_equal(on(&f, REQUIRE), 0);
    end(&f);
}

static int add_region(struct fixture *f, bool guest_memfd, uint64_t pages, uint64_t block)
{
    const struct vmm_region_config config = {.kind = VMM_REGION_RAM,
                                             .share = VMM_SHARE_MEMFD,
                                             .guest_memfd = guest_memfd,
                                             .size = pages * STUB_PAGE,
                                             .virtio_mem_block = block * STUB_PAGE};
    uint32_t index;

    return vmm_region_add(f->vmm, &config, &index);
}

/* Memory that may not be discarded: guest_memfd RAM is refused and leaves nothing, other RAM
 * does not mind. */
static void disable_keeps_guest_memfd_out(void **state)
{
    struct fixture f;

    (void)state;
    empty_machine(&f);
    unsigned fds = stub_open_fds(&f.stub), blocks = f.stub.n_blocks;

    assert_int_equal(on(&f, DISABLE), 0);
    assert_int_equal(add_region(&f, true, 8, 0), -EBUSY);
    assert_int_equal(stub_open_fds(&f.stub), fds);
    assert_int_equal(f.stub.n_vmas, 1); /* the vCPU's run page */
    assert_int_equal(add_region(&f, false, 8, 0), 0);
    assert_int_equal(off(&f, DISABLE), 0);
    assert_int_equal(add_region(&f, true, 8, 0), 0);
    assert_true(f.stub.n_blocks > blocks);
    assert_int_equal(on(&f, DISABLE), -EBUSY);
    assert_int_equal(on(&f, UNCOORDINATED), 0);
    end(&f);
}

/* H1, H2: whatever fails of a region (its guest_memfd, its tracker, its aggregate), the errno
 * is that one, the guard is free again, and so is all the rest. */
static void failed_region_gives_back(void **state)
{
    static const enum vmm_tracker trackers[] = {VMM_TRACKER_BITMAP, VMM_TRACKER_EXTENTS};
    unsigned failures = 0;

    (void)state;
    for (unsigned t = 0; t < 2; t++)
        for (unsigned nth = 1;; nth++) {
            struct fixture f;

            empty_machine(&f);
            f.vmm->config.tracker = trackers[t];
            unsigned fds = stub_open_fds(&f.stub);
            stub_fail(&f.stub, STUB_ANY, nth, EMFILE, false);
            int rc = add_region(&f, true, 256, 2);
            if (rc) {
                failures++;
                assert_true(rc == -EMFILE || rc == -ENOMEM);
                assert_int_equal(stub_open_fds(&f.stub), fds);
                assert_int_equal(on(&f, DISABLE), 0);
                assert_int_equal(off(&f, DISABLE), 0);
                stub_fail_none(&f.stub);
                assert_int_equal(add_region(&f, true, 256, 2), 0);
            }
            assert_int_equal(on(&f, DISABLE), -EBUSY);
            end(&f);
            if (!rc)
                break;
        }
    assert_true(failures > 12);
}

/* A device: neither goes in while someone discards as they like, nor the other way round. */
static void device_excludes_require(void **state)
{
    struct fixture f;

    (void)state;
    whole_machine(&f);
    assert_int_equal(on(&f, REQUIRE), 0);
    stub_trace_clear(&f.stub);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), -EBUSY);
    assert_null(fixture_broken(&f, false));
    assert_int_equal(f.vmm->n_containers_open, 0);
    assert_int_equal(vmm_device_attach(f.vmm, 9, 0), -EINVAL); /* told first */
    assert_int_equal(off(&f, REQUIRE), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 1), 0);
    assert_int_equal(on(&f, REQUIRE), -EBUSY);
    assert_int_equal(vmm_device_detach(f.vmm, 0), 0);
    assert_int_equal(on(&f, REQUIRE), -EBUSY); /* one a device */
    assert_int_equal(vmm_device_detach(f.vmm, 1), 0);
    assert_int_equal(on(&f, REQUIRE), 0);
    end(&f);
}

static void failed_attach_gives_back(void **state)
{
    unsigned failures = 0;
    int rc = -1;

    (void)state;
    for (unsigned nth = 1; rc; nth++) {
        struct fixture f;

        whole_machine(&f);
        assert_int_equal(convert(&f, 3, 4, false), 0);
        stub_fail(&f.stub, STUB_ANY, nth, EACCES, false);
        rc = vmm_device_attach(f.vmm, 0, 0);
        failures += rc != 0;
        assert_int_equal(on(&f, REQUIRE), rc ? 0 : -EBUSY);
        end(&f);
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/discard-guard/who-excludes-whom", who_excludes_whom, NULL, NULL, NULL},
        {"core/discard-guard/only-what-was-taken", only_what_was_taken, NULL, NULL, NULL},
        {"core/discard-guard/no-more-than-it-can-count", no_more_than_it_can_count, NULL, NULL,
         NULL},
        {"core/discard-guard/disable-keeps-guest-memfd-out", disable_keeps_guest_memfd_out,
         NULL, NULL, NULL},
        {"core/discard-guard/failed-region-gives-back", failed_region_gives_back, NULL, NULL,
         NULL},
        {"core/discard-guard/device-excludes-require", device_excludes_require, NULL, NULL,
         NULL},
        {"core/discard-guard/failed-attach-gives-back", failed_attach_gives_back, NULL, NULL,
         NULL},
    };

    return cmocka_run_group_tests_name("core/discard-guard", tests, NULL, NULL);
}
