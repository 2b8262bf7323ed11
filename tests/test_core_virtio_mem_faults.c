/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-mem in the core when the host says no. */
#include "tests/virtio_mem_fixture.h"

/* ---- every call of every move fails, early and late ---- */
static bool move_with_fault(uint64_t plugged, uint64_t shared, const struct move *q,
                            unsigned nth, bool late)
{
    struct vmem *m = vmem_new();
    uint64_t p = pages_of(plugged), s = shared, fired;
    int rc;

    bring(m, plugged, shared);
    stub_fail(&m->stub, STUB_ANY, nth, EFAULT, late);
    m->stub.watch_undo = true;
    rc = make(m, q);
    fired = m->stub.failed;
    if (rc == -EFAULT || rc == -ENOMEM) { /* a failed call, and no stop */
        assert_true(fired);
        assert_false(vmm_stopped(m->vmm));
        assert_null(vmem_broken(m, p, s));
        if (strchr("pua", q->what))
            assert_int_equal(m->response, VMM_RESPONSE_BUSY);
        stub_fail_none(&m->stub);
        assert_int_equal(make(m, q), 0);
    }
    predict(q, &p, &s);
    assert_null(vmem_broken(m, p, s));
    vmem_free(m);
    return fired;
}

static void every_call_fails(void **state)
{
    unsigned fired = 0;

    (void)state;
    for (uint64_t plugged = 0; plugged < 1 << BLOCKS; plugged++)
        for (uint64_t shared = 0; shared < 1 << PAGES; shared += 27)
            for (int i = 0; i < MOVES; i++)
                for (int late = 0; late < 2; late++) {
                    unsigned nth = 1;

                    while (move_with_fault(plugged, shared, &moves[i], nth, late))
                        nth++;
                    fired += nth - 1;
                }
    assert_true(fired > 10000);
}

/* ---- single failures, looked at closely ---- */
static void second_listener_fails(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_convert(m, 2, 4, false), 0);
    stub_trace_clear(&m->stub);
    stub_fail(&m->stub, STUB_MAP, 6, ENOSPC, false);
    assert_int_equal(vmem_plug(m, 2, 4), -ENOSPC);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    expect_trace(m,
                 "drop shared 2+4; drop private 2+4; map 18+1; map 19+1; map 20+1; map 21+1; "
                 "map 19+1; map 20+1 fails; unmap 18+4; unmap 19+3; drop shared 2+4; ");
    assert_null(vmem_broken(m, 0, 0x3c));
    vmem_free(m);
}

static void unmap_of_unplug_fails(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 8), 0);
    assert_int_equal(vmem_convert(m, 2, 4, false), 0);
    stub_trace_clear(&m->stub);
    stub_fail(&m->stub, STUB_UNMAP, 2, EINVAL, false);
    assert_int_equal(vmem_unplug(m, 2, 4), -EINVAL);
    expect_trace(m, "unmap 18+4; unmap 19+3 fails; map 18+1; map 19+1; map 20+1; map 21+1; ");
    assert_null(vmem_broken(m, 0xff, 0x3c));
    vmem_free(m);
}

static void attribute_of_unplug_fails(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct vmem *m = vmem_new();

        (void)state;
        assert_int_equal(vmem_plug(m, 0, 8), 0);
        assert_int_equal(vmem_convert(m, 0, 1, false), 0);
        assert_int_equal(vmem_convert(m, 2, 1, false), 0);
        stub_trace_clear(&m->stub);
        stub_fail(&m->stub, STUB_ATTRIBUTE, 1, EFAULT, late);
        assert_int_equal(vmem_unplug(m, 0, 4), -EFAULT);
        assert_int_equal(m->response, VMM_RESPONSE_BUSY);
        expect_trace(m, "unmap 16+1; unmap 18+1; private 16+3 fails; shared 16+1; shared 18+1; "
                        "map 16+1; map 18+1; ");
        assert_null(vmem_broken(m, 0xff, 0x05));
        vmem_free(m);
    }
}

/* Each side has its own debt; plug pays both before it maps anything. */
static void debt_is_per_side(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 4), 0);
    stub_fail(&m->stub, STUB_DROP_PRIVATE, 1, EINVAL, false);
    assert_int_equal(vmem_unplug(m, 0, 2), 0);
    stub_fail(&m->stub, STUB_DROP_SHARED, 1, EINVAL, false);
    assert_int_equal(vmem_unplug(m, 2, 2), 0);
    stub_fail_none(&m->stub);
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_convert(m, 0, 4, false), 0); /* pays what is on its way */
    expect_trace(m, "drop shared 2+2; shared 16+4; drop private 0+4; ");
    stub_fail(&m->stub, STUB_DROP_PRIVATE, 1, EINVAL, false);
    assert_int_equal(vmem_plug(m, 0, 4), -EINVAL);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    expect_trace(m, "drop shared 0+4; drop private 0+4 fails; ");
    assert_null(vmem_broken(m, 0, 0x0f));
    assert_int_equal(vmem_plug(m, 0, 4), 0);
    assert_null(vmem_broken(m, 0x0f, 0x0f));
    vmem_free(m);
}

static void tear_down_pays_both_sides(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 4), 0);
    stub_fail_often(&m->stub, STUB_DROP_PRIVATE, 1, 1, EINVAL);
    stub_fail_often(&m->stub, STUB_DROP_SHARED, 1, 1, EINVAL);
    assert_int_equal(vmem_unplug(m, 0, 4), 0);
    stub_fail_none(&m->stub);
    stub_trace_clear(&m->stub);
    m->stub.is_unplugged = NULL;
    memset(m->stub.slots, 0, sizeof m->stub.slots);
    assert_int_equal(vmm_destroy(m->vmm), 0);
    expect_trace(m, "drop shared 0+4; drop private 0+4; ");
    free(m);
}

/* The policy is about conversions; an undo that fails stops the VM all the same. */
static void stopping(void **state)
{
    struct vmem *m = calloc(1, sizeof *m);
    const struct sync no_sync = {NULL, NULL};
    uint16_t response;

    (void)state;
    stub_init(&m->stub);
    m->failure = VMM_FAILURE_STOP;
    assert_int_equal(vmem_build(m, &no_sync, PAGES, PAGES), 0);
    assert_int_equal(vmem_convert(m, 2, 4, false), 0);
    stub_fail(&m->stub, STUB_MAP, 2, ENOMEM, false);
    assert_int_equal(vmem_plug(m, 2, 4), -ENOMEM);
    assert_false(vmm_stopped(m->vmm));
    stub_fail(&m->stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail(&m->stub, STUB_UNMAP, 1, EINVAL, false);
    assert_int_equal(vmem_plug(m, 2, 4), -ENOMEM);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    assert_true(vmm_stopped(m->vmm));
    assert_int_equal(vmem_plug(m, 2, 4), -EIO);
    assert_int_equal(vmem_unplug_all(m), -EIO);
    assert_int_equal(vmm_resize(m->vmm, 0, 0, &response), -EIO);
    assert_int_equal(response, VMM_RESPONSE_BUSY);
    vmem_free(m);
}

/* The judge of the sweep sees a state that is wrong. */
static void deliberate_error(void **state)
{
    struct vmem *m = vmem_new();
    uint64_t plugged = 0, shared = 0;

    (void)state;
    bring(m, 1, 1);
    predict(&(struct move){'u', 0, 2}, &plugged, &shared);
    assert_non_null(vmem_broken(m, plugged, shared));
    vmem_free(m);
}

#define TEST(name, function)                                                                   \
    {                                                                                          \
        "core/virtio-mem-faults/" name, function, NULL, NULL, NULL                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("deliberate-error", deliberate_error),
        TEST("every-call-fails", every_call_fails),
        TEST("second-listener-fails", second_listener_fails),
        TEST("unmap-fails", unmap_of_unplug_fails),
        TEST("attribute-fails", attribute_of_unplug_fails),
        TEST("debt-is-per-side", debt_is_per_side),
        TEST("debt-at-tear-down", tear_down_pays_both_sides),
        TEST("stopping", stopping),
    };

    return cmocka_run_group_tests_name("core/virtio-mem-faults", tests, NULL, NULL);
}
