/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core does when the host says no: undo, late failures, stopping, locks. */
#include <stdlib.h>

#include "tests/core_fixture.h"

static const struct sync no_sync = {NULL, NULL};

static int start(void **state, enum vmm_order order, enum vmm_failure failure)
{
    struct fixture *f = calloc(1, sizeof *f);

    stub_init(&f->stub);
    f->order = order;
    f->failure = failure;
    *state = f;
    if (fixture_build(f, &no_sync) || vmm_device_attach(f->vmm, 0, 0))
        return -1;
    stub_trace_clear(&f->stub);
    f->stub.watch_undo = true;
    return 0;
}

static int attribute_first(void **state)
{
    return start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_FAILURE_ROLLBACK);
}

static int unmap_first(void **state)
{
    return start(state, VMM_ORDER_UNMAP_FIRST, VMM_FAILURE_ROLLBACK);
}

static int stopping(void **state)
{
    return start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_FAILURE_STOP);
}

static int finish(void **state)
{
    struct fixture *f = *state;
    int bad;

    (void)vmm_destroy(f->vmm);
    bad = fixture_left(f) || f->stub.violations;
    if (bad)
        print_error("%s\n", fixture_left(f) ? fixture_left(f) : f->stub.violation);
    free(f);
    return bad;
}

static void expect_trace(struct fixture *f, const char *trace)
{
    assert_string_equal(f->stub.trace, trace);
    stub_trace_clear(&f->stub);
}

/* The watch on the safety rules sees what it should see. */
static void deliberate_error(void **state)
{
    struct fixture *f = *state;
    struct host host = stub_host(&f->stub);

    assert_int_equal(convert(f, 0, 1, false), 0);
    assert_int_equal(host_madvise(&host, UINT64_C(1) << 40, STUB_PAGE, 4), 0);
    assert_int_equal(f->stub.violations, 2);
    assert_string_equal(fixture_broken(f, true), "S3 shared side in use");
    f->stub.violations = 0;
}

/* ---- to shared: C1, C2, C3, C4, C8, B10, D7 ---- */
static void map_fails_and_all_is_undone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 1, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_MAP, 3, ENOMEM, false);
    assert_int_equal(convert(f, 2, 4, false), -ENOMEM);
    expect_trace(f, "shared 2+4; map 2+1; map 4+1; map 5+1 fails; unmap 2+1; unmap 4+2; "
                    "private 2+1; private 4+2; drop shared 2+1; drop shared 4+2; ");
    assert_null(fixture_broken(f, true));
    assert_int_equal(convert(f, 2, 4, false), 0); /* B10: a retry does real work */
    assert_null(fixture_broken(f, true));
}

static void second_container_fails(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f->vmm, 1, 1, 0, 8 * STUB_PAGE), 0);
    stub_fail(&f->stub, STUB_MAP, 5, ENOSPC, false);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 62, 4, false), -ENOSPC);
    expect_trace(f, "shared 62+4; map 62+1; map 63+1; map 64+1; map 65+1; map 64+1 fails; "
                    "unmap 62+2; unmap 64+2; private 62+2; private 64+2; drop shared 62+2; "
                    "drop shared 0+2; ");
    assert_null(fixture_broken(f, true));
}

static void entry_limit(void **state)
{
    struct fixture *f = *state;

    f->stub.map_limit = f->stub.n_maps + 16;
    assert_int_equal(convert(f, 0, 16, false), 0);
    assert_int_equal(convert(f, 16, 1, false), -ENOSPC);
    assert_null(fixture_broken(f, true));
    assert_int_equal(convert(f, 3, 1, true), 0);
    assert_int_equal(convert(f, 16, 1, false), 0);
    assert_null(fixture_broken(f, true));
}

/* A late EFAULT: the page is mapped, and the kernel says no. */
static void map_fails_late(void **state)
{
    struct fixture *f = *state;

    stub_fail(&f->stub, STUB_MAP, 2, EFAULT, true);
    assert_int_equal(convert(f, 0, 3, false), -EFAULT);
    expect_trace(f, "shared 0+3; map 0+1; map 1+1 fails; unmap 1+1; unmap 0+3; private 0+3; "
                    "drop shared 0+3; ");
    assert_null(fixture_broken(f, true));
    stub_fail(&f->stub, STUB_MAP, 2, EFAULT, false);
    assert_int_equal(convert(f, 0, 3, false), -EFAULT);
    assert_null(fixture_broken(f, true));
}

static void attribute_fails(void **state)
{
    struct fixture *f = *state;

    stub_fail(&f->stub, STUB_ATTRIBUTE, 1, ENOMEM, false);
    assert_int_equal(convert(f, 0, 3, false), -ENOMEM);
    expect_trace(f, "shared 0+3 fails; ");
    stub_fail(&f->stub, STUB_ATTRIBUTE, 1, EFAULT, true);
    assert_int_equal(convert(f, 0, 3, false), -EFAULT);
    expect_trace(f, "shared 0+3 fails; private 0+3; ");
    assert_null(fixture_broken(f, true));
}

/* ---- to private: C10, D1 ---- */
static void unmap_fails_attribute_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 62, 4, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_UNMAP, 2, EINVAL, false);
    assert_int_equal(convert(f, 62, 4, true), -EINVAL);
    expect_trace(f, "private 62+4; unmap 62+2; unmap 64+2 fails; map 62+1; map 63+1; "
                    "shared 62+2; shared 64+2; ");
    assert_null(fixture_broken(f, true));
    assert_int_equal(convert(f, 62, 4, true), 0);
}

static void attribute_fails_unmap_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_ATTRIBUTE, 1, ENOMEM, false);
    assert_int_equal(convert(f, 3, 2, true), -ENOMEM);
    expect_trace(f, "unmap 3+2; private 3+2 fails; map 3+1; map 4+1; ");
    stub_fail(&f->stub, STUB_ATTRIBUTE, 1, EFAULT, true);
    assert_int_equal(convert(f, 3, 2, true), -EFAULT);
    expect_trace(f, "unmap 3+2; private 3+2 fails; shared 3+2; map 3+1; map 4+1; ");
    assert_null(fixture_broken(f, true));
}

/* A late EFAULT of an unmap is found out by asking again: nothing there = it was done. */
static void unmap_fails_late_and_is_done(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_UNMAP, 1, EFAULT, true);
    assert_int_equal(convert(f, 3, 2, true), 0);
    expect_trace(f, "private 3+2; unmap 3+2 fails; unmap 3+2; drop shared 3+2; ");
    assert_null(fixture_broken(f, true));
}

/* Nobody knows whether it was done: the undo maps it all, and what is still there is fine. */
static void unmap_fails_twice(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct fixture *f = *state;

        assert_int_equal(convert(f, 3, 2, false), 0);
        stub_trace_clear(&f->stub);
        stub_fail(&f->stub, STUB_UNMAP, 1, EFAULT, late);
        stub_fail(&f->stub, STUB_UNMAP, 2, EINVAL, false);
        assert_int_equal(convert(f, 3, 2, true), -EFAULT);
        expect_trace(f, "private 3+2; unmap 3+2 fails; unmap 3+2 fails; map 3+1; map 4+1; "
                        "shared 3+2; ");
        stub_fail_none(&f->stub);
        assert_false(vmm_stopped(f->vmm));
        assert_null(fixture_broken(f, true));
        assert_int_equal(convert(f, 3, 2, true), 0);
    }
}

/* A mapping vanished behind our back: the bytes do not add up, and the undo repairs it. */
static void unmap_gives_back_too_little(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    f->stub.maps[f->stub.n_maps - 1] = f->stub.maps[f->stub.n_maps - 2];
    f->stub.n_maps--;
    assert_int_equal(convert(f, 3, 2, true), -EIO);
    assert_null(fixture_broken(f, true));
    assert_int_equal(convert(f, 3, 2, true), 0);
}

/* ---- stopping ---- */
static void undo_that_fails_stops(void **state)
{
    struct fixture *f = *state;

    stub_fail(&f->stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail(&f->stub, STUB_UNMAP, 1, EINVAL, false);
    assert_int_equal(convert(f, 3, 2, false), -ENOMEM);
    /* What may be mapped is neither made private nor dropped. */
    expect_trace(f, "shared 3+2; map 3+1; map 4+1 fails; unmap 3+2 fails; ");
    assert_true(vmm_stopped(f->vmm));
    assert_int_equal(convert(f, 9, 1, false), -EIO);
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EIO);
    assert_int_equal(vmm_device_detach(f->vmm, 0), -EIO);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 0, STUB_PAGE), -EIO);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 0, STUB_PAGE), -EIO);
    expect_trace(f, "");
}

static void undo_goes_on_after_a_failure(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 63, 2, false), 0);
    stub_fail(&f->stub, STUB_MAP, 1, ENOMEM, false);
    stub_fail(&f->stub, STUB_UNMAP, 2, EFAULT, true);
    stub_fail(&f->stub, STUB_UNMAP, 3, EINVAL, false);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 63, 2, true), -EFAULT);
    expect_trace(f, "private 63+2; unmap 63+1; unmap 64+1 fails; unmap 64+1 fails; "
                    "map 63+1 fails; map 64+1; shared 63+1; shared 64+1; ");
    assert_true(vmm_stopped(f->vmm));
}

static void policy_stop(void **state)
{
    struct fixture *f = *state;

    f->stub.on_run = NULL;
    assert_int_equal(convert(f, 128, 1, true), -EINVAL); /* refusing is no failure */
    assert_false(vmm_stopped(f->vmm));
    stub_fail(&f->stub, STUB_MAP, 2, ENOMEM, false);
    assert_int_equal(convert(f, 3, 2, false), -ENOMEM);
    expect_trace(f, "shared 3+2; map 3+1; map 4+1 fails; ");
    assert_true(vmm_stopped(f->vmm));
    assert_int_equal(convert(f, 3, 2, false), -EIO);
}

/* ---- listeners: C18 ---- */
static void replay_fails_and_nothing_is_left(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 8, false), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    stub_fail(&f->stub, STUB_MAP, 5, ENOSPC, false);
    stub_trace_clear(&f->stub);
    f->stub.watch_undo = false;
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 0, 8 * STUB_PAGE), -ENOSPC);
    expect_trace(f, "map 0+1; map 1+1; map 2+1; map 3+1; map 4+1 fails; unmap 0+8; ");
    assert_int_equal(convert(f, 0, 8, true), 0); /* no second listener is told */
    expect_trace(f, "private 0+8; unmap 0+8; drop shared 0+8; ");
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, 0, 8 * STUB_PAGE), -ENOENT);
}

static void unlisten_fails_and_all_is_there(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 2, false), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 0, 8 * STUB_PAGE), 0);
    stub_fail_often(&f->stub, STUB_UNMAP, 1, 2, EFAULT);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, 0, 8 * STUB_PAGE), -EFAULT);
    expect_trace(f, "unmap 0+8 fails; unmap 0+8 fails; map 0+1; map 1+1; ");
    assert_false(vmm_stopped(f->vmm));
    assert_int_equal(convert(f, 0, 2, true), 0);
    expect_trace(f, "private 0+2; unmap 0+2; unmap 0+2; drop shared 0+2; ");
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, 0, 8 * STUB_PAGE), 0);
}

static void attach_fails_and_nothing_is_left(void **state)
{
    struct fixture *f = *state;
    unsigned fds = stub_open_fds(&f->stub);
    unsigned maps = f->stub.n_maps;

    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    for (unsigned nth = 1;; nth++) {
        stub_fail(&f->stub, STUB_ANY, nth, EMFILE, false);
        f->stub.watch_undo = false;
        int rc = vmm_device_attach(f->vmm, 0, 0);

        bool fired = f->stub.failed;
        stub_fail_none(&f->stub);
        if (!fired) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_true(rc < 0);
        assert_int_equal(stub_open_fds(&f->stub), fds - 3);
        assert_int_equal(f->stub.n_maps, 0);
    }
    assert_int_equal(f->stub.n_maps, maps);
}

static void detach_always_works(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 2, false), 0);
    stub_fail_often(&f->stub, STUB_ANY, 1, 100, EFAULT);
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    stub_fail_none(&f->stub);
    assert_int_equal(f->stub.n_maps, 0);
    assert_null(fixture_broken(f, false));
    assert_int_equal(vmm_device_attach(f->vmm, 0, 0), 0);
    assert_null(fixture_broken(f, true));
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "core/faults/" name, fn, attribute_first, finish, NULL                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("C1-C4-map-fails", map_fails_and_all_is_undone),
        TEST("C2-second-container-fails", second_container_fails),
        TEST("D7-entry-limit", entry_limit),
        TEST("map-fails-late", map_fails_late),
        TEST("attribute-fails", attribute_fails),
        TEST("C10-unmap-fails", unmap_fails_attribute_first),
        {"core/faults/attribute-fails-unmap-first", attribute_fails_unmap_first, unmap_first,
         finish, NULL},
        TEST("unmap-fails-late-and-is-done", unmap_fails_late_and_is_done),
        TEST("unmap-fails-twice", unmap_fails_twice),
        TEST("unmap-gives-back-too-little", unmap_gives_back_too_little),
        TEST("undo-that-fails-stops", undo_that_fails_stops),
        TEST("undo-goes-on", undo_goes_on_after_a_failure),
        {"core/faults/policy-stop", policy_stop, stopping, finish, NULL},
        TEST("C18-replay-fails", replay_fails_and_nothing_is_left),
        TEST("unlisten-fails", unlisten_fails_and_all_is_there),
        TEST("attach-fails-everywhere", attach_fails_and_nothing_is_left),
        TEST("detach-always-works", detach_always_works),
    };

    return cmocka_run_group_tests_name("core/faults", tests, NULL, NULL);
}
