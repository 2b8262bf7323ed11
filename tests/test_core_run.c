/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapping=run: one mapping a populated run, and what becomes of those that are cut. */
#include "core/internal.h"
#include "tests/core_run_fixture.h"

static int remap(void **state)
{
    return run_start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_SPLIT_REMAP, 0);
}

static int remap_unmap_first(void **state)
{
    return run_start(state, VMM_ORDER_UNMAP_FIRST, VMM_SPLIT_REMAP, 0);
}

static int refuse(void **state)
{
    return run_start(state, VMM_ORDER_ATTRIBUTE_FIRST, VMM_SPLIT_REFUSE, 0);
}

static void deliberate_error(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 4, false), 0);
    expect_mapped(f, 0, 64, "0+4");
    f->stub.maps[f->stub.n_maps - 1].size -= STUB_PAGE;
    assert_string_equal(fixture_broken(f, true), "I1, I2 mapped is not shared");
    f->stub.maps[f->stub.n_maps - 1].size += STUB_PAGE;
}

/* 64 pages, one call; none over a section's end (D1's other half). */
static void a_run_is_one_mapping(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    expect_trace(f, "shared 0+64; map 0+64; drop private 0+64; ");
    assert_int_equal(convert(f, 0, 64, true), 0);
    expect_trace(f, "private 0+64; unmap 0+64; drop shared 0+64; ");
    assert_int_equal(convert(f, 60, 8, false), 0);
    expect_trace(f, "shared 60+8; map 60+4; map 64+4; drop private 60+4; drop private 0+4; ");
    expect_mapped(f, 0, 128, "60+4 64+4");
    expect_addresses(f);
}

/* Only what changes is mapped; its neighbours stay mappings of their own. */
static void populate_leaves_neighbours(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 2, 2, false), 0);
    assert_int_equal(convert(f, 6, 2, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 0, 10, false), 0);
    expect_trace(f, "shared 0+10; map 0+2; map 4+2; map 8+2; drop private 0+2; "
                    "drop private 4+2; drop private 8+2; ");
    expect_mapped(f, 0, 64, "0+2 2+2 4+2 6+2 8+2");
}

/* A device that comes later gets one mapping for each run. */
static void replay_is_one_call_a_run(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 2, 2, false), 0);
    assert_int_equal(convert(f, 4, 3, false), 0);
    assert_int_equal(convert(f, 60, 8, false), 0);
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 0), 0);
    expect_trace(f, "map 2+5; map 60+4; map 64+4; map 136+8 ro; map 152+8; ");
    expect_addresses(f);
}

/* ---- split=remap ---- */
static void remap_cuts_head_and_tail(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 10, 1, true), 0);
    expect_trace(f, "private 10+1; unmap 0+64; map 0+10; map 11+53; drop shared 10+1; ");
    assert_int_equal(convert(f, 0, 2, true), 0);
    expect_trace(f, "private 0+2; unmap 0+10; map 2+8; drop shared 0+2; ");
    assert_int_equal(convert(f, 60, 4, true), 0);
    expect_trace(f, "private 60+4; unmap 11+53; map 11+49; drop shared 60+4; ");
    expect_mapped(f, 0, 64, "2+8 11+49");
    expect_addresses(f);
}

static void remap_unmaps_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 10, 1, true), 0);
    expect_trace(f, "unmap 0+64; map 0+10; map 11+53; private 10+1; drop shared 10+1; ");
}

/* Two mappings cut, one between them goes as a whole; in one unmap. */
static void remap_cuts_several(void **state)
{
    struct fixture *f = *state;

    for (uint64_t page = 8; page < 20; page += 4)
        assert_int_equal(convert(f, page, 4, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 9, 10, true), 0);
    expect_trace(f, "private 9+10; unmap 8+12; map 8+1; map 19+1; drop shared 9+10; ");
    expect_mapped(f, 0, 64, "8+1 19+1");
}

/* A request over several runs cuts at its own ends only. */
static void remap_over_runs(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 8, false), 0);
    assert_int_equal(convert(f, 12, 4, false), 0);
    assert_int_equal(convert(f, 60, 8, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 4, 62, true), 0);
    expect_trace(f, "private 4+62; unmap 0+8; map 0+4; unmap 12+4; unmap 60+4; unmap 64+4; "
                    "map 66+2; drop shared 4+4; drop shared 12+4; drop shared 60+4; "
                    "drop shared 0+2; ");
}

/* ---- D6: every step of a remap fails; the old mapping is back ---- */
static void fail_step(struct fixture *f, enum stub_point point, unsigned nth, int error,
                      bool late, const char *trace)
{
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, point, nth, error, late);
    assert_int_equal(convert(f, 10, 2, true), -error);
    stub_fail_none(&f->stub);
    expect_trace(f, trace);
    expect_mapped(f, 0, 64, "0+64");
    assert_false(vmm_stopped(f->vmm));
    expect_addresses(f);
}

static void remap_fails_at_each_step(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    fail_step(f, STUB_UNMAP, 1, EINVAL, false, "private 10+2; unmap 0+64 fails; shared 10+2; ");
    fail_step(f, STUB_MAP, 1, ENOMEM, false,
              "private 10+2; unmap 0+64; map 0+10 fails; map 0+64; shared 10+2; ");
    fail_step(f, STUB_MAP, 2, ENOSPC, false,
              "private 10+2; unmap 0+64; map 0+10; map 12+52 fails; unmap 0+64; map 0+64; "
              "shared 10+2; ");
    fail_step(f, STUB_MAP, 1, EFAULT, true,
              "private 10+2; unmap 0+64; map 0+10 fails; unmap 0+10; map 0+64; shared 10+2; ");
    fail_step(f, STUB_MAP, 2, EFAULT, true,
              "private 10+2; unmap 0+64; map 0+10; map 12+52 fails; unmap 12+52; unmap 0+64; "
              "map 0+64; shared 10+2; ");
    fail_step(f, STUB_ATTRIBUTE, 1, EFAULT, true, "private 10+2 fails; shared 10+2; ");
    /* A late EFAULT of an unmap is found out by asking again. */
    stub_fail(&f->stub, STUB_UNMAP, 1, EFAULT, true);
    assert_int_equal(convert(f, 10, 2, true), 0);
    expect_trace(f, "private 10+2; unmap 0+64 fails; unmap 0+64; map 0+10; map 12+52; "
                    "drop shared 10+2; ");
}

/* The last step of all fails: two mappings were cut by then. */
static void remap_fails_after_two_cuts(void **state)
{
    struct fixture *f = *state;

    for (uint64_t page = 8; page < 20; page += 4)
        assert_int_equal(convert(f, page, 4, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_ATTRIBUTE, 1, ENOMEM, false);
    assert_int_equal(convert(f, 9, 10, true), -ENOMEM);
    stub_fail_none(&f->stub);
    expect_trace(f, "unmap 8+12; map 8+1; map 19+1; private 9+10 fails; unmap 8+4; map 8+4; "
                    "unmap 16+4; map 16+4; map 12+4; ");
    expect_mapped(f, 0, 64, "8+4 12+4 16+4");
    expect_addresses(f);
}

/* Nobody knows which mappings two EFAULTs left: each is mapped again with its own bounds. */
static void doubtful_mappings_keep_their_bounds(void **state)
{
    struct fixture *f = *state;

    for (int late = 0; late < 2; late++) {
        for (uint64_t page = 8; page < 20; page += 4)
            assert_int_equal(convert(f, page, 4, false), 0);
        stub_trace_clear(&f->stub);
        stub_fail(&f->stub, STUB_UNMAP, 1, EFAULT, late);
        stub_fail(&f->stub, STUB_UNMAP, 2, EFAULT, late);
        assert_int_equal(convert(f, 9, 10, true), -EFAULT);
        stub_fail_none(&f->stub);
        expect_trace(f, "private 9+10; unmap 8+12 fails; unmap 8+12 fails; map 8+4; map 12+4; "
                        "map 16+4; shared 9+10; ");
        expect_mapped(f, 0, 64, "8+4 12+4 16+4");
        assert_int_equal(convert(f, 8, 12, true), 0);
        stub_trace_clear(&f->stub);
    }
}

/* The same with single pages in a row, which the ledger keeps as one run. */
static void doubtful_pages_stay_single(void **state)
{
    struct fixture *f = *state;

    for (uint64_t page = 8; page < 12; page++)
        assert_int_equal(convert(f, page, 1, false), 0);
    stub_trace_clear(&f->stub);
    stub_fail_often(&f->stub, STUB_UNMAP, 1, 2, EFAULT);
    assert_int_equal(convert(f, 9, 2, true), -EFAULT);
    stub_fail_none(&f->stub);
    expect_trace(f, "private 9+2; unmap 9+2 fails; unmap 9+2 fails; map 9+1; map 10+1; "
                    "shared 9+2; ");
    expect_mapped(f, 0, 64, "8+1 9+1 10+1 11+1");
    assert_int_equal(convert(f, 9, 1, true), 0);
    expect_mapped(f, 0, 64, "8+1 10+1 11+1");
}

static void undo_that_fails_stops(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    stub_fail(&f->stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail(&f->stub, STUB_MAP, 3, ENOMEM, false);
    assert_int_equal(convert(f, 10, 2, true), -ENOMEM);
    assert_true(vmm_stopped(f->vmm));
}

/* Two listeners: what the first had cut is whole again when the second fails. */
static void second_container_fails(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 4 * STUB_PAGE, 16 * STUB_PAGE), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_MAP, 4, ENOMEM, false);
    assert_int_equal(convert(f, 10, 2, true), -ENOMEM);
    stub_fail_none(&f->stub);
    expect_trace(f, "private 10+2; unmap 0+64; map 0+10; map 12+52; unmap 4+16; map 4+6; "
                    "map 12+8 fails; unmap 0+64; map 0+64; unmap 4+16; map 4+16; "
                    "shared 10+2; ");
    assert_null(fixture_broken(f, true));
    assert_int_equal(vmm_device_detach(f->vmm, 1), 0);
}

/* A listener over a part of a run: its ends are no cut when it goes. */
static void unlisten_fails_and_is_whole(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 64, false), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 4 * STUB_PAGE, 16 * STUB_PAGE), 0);
    assert_int_equal(convert(f, 10, 2, true), 0);
    stub_trace_clear(&f->stub);
    stub_fail(&f->stub, STUB_UNMAP, 1, EFAULT, true);
    stub_fail(&f->stub, STUB_UNMAP, 2, EFAULT, true);
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, 4 * STUB_PAGE, 16 * STUB_PAGE), -EFAULT);
    stub_fail_none(&f->stub);
    expect_trace(f, "unmap 4+16 fails; unmap 4+16 fails; map 4+6; map 12+8; ");
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, 4 * STUB_PAGE, 16 * STUB_PAGE), 0);
    expect_trace(f, "unmap 4+16; ");
    assert_int_equal(vmm_device_detach(f->vmm, 1), 0);
}

/* ---- E7: a finer source comes to a listener that has mapped coarse blocks ---- */
struct fine_source {
    struct discard_source base;
    const uint64_t *holes; /* single pages that it discards, ascending, then UINT64_MAX */
};

static bool next_fine(const struct discard_source *source, uint64_t first, uint64_t end,
                      uint64_t *run_first, uint64_t *run_end)
{
    const uint64_t *hole = ((const struct fine_source *)(const void *)source)->holes;

    for (; *hole < end && first < end; hole++) {
        if (*hole > first)
            break;
        first += *hole == first;
    }
    *run_first = first;
    *run_end = *hole < end ? *hole : end;
    return first < end;
}

static int add_fine(struct fixture *f, struct fine_source *source)
{
    struct ram_block *block = f->vmm->address_space.regions[0];
    int undo_error, rc;

    sync_lock(&f->vmm->sync, &block->lock);
    rc = discard_manager_add_source(&block->manager, &source->base, &undo_error);
    sync_unlock(&f->vmm->sync, &block->lock);
    assert_int_equal(undo_error, 0);
    return rc;
}

static const uint64_t holes[] = {3, 7, 8, 40, 41, 63, UINT64_MAX};

static void finer_source_cuts_anywhere(void **state)
{
    static struct fine_source source; /* the machine's end comes after this */
    struct fixture *f = *state;
    char buf[256];

    source = (struct fine_source){{.next_populated = next_fine, .granularity = 1}, holes};
    assert_int_equal(convert(f, 0, 32, false), 0);
    assert_int_equal(convert(f, 32, 32, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(add_fine(f, &source), 0);
    expect_trace(f, "unmap 0+32; map 0+3; map 4+28; unmap 4+28; map 4+3; map 9+23; "
                    "unmap 32+32; map 32+8; map 42+22; unmap 42+22; map 42+21; ");
    assert_string_equal(mapped(f, 0, 64, buf, sizeof buf), "0+3 4+3 9+23 32+8 42+21");
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
}

/* Each step fails, early and late: the coarse mappings are back. */
static void finer_source_fails_at_each_step(void **state)
{
    static struct fine_source source; /* the machine's end comes after this */
    struct fixture *f = *state;

    source = (struct fine_source){{.next_populated = next_fine, .granularity = 1}, holes};
    assert_int_equal(convert(f, 0, 32, false), 0);
    assert_int_equal(convert(f, 32, 32, false), 0);
    for (int late = 0; late < 2; late++)
        for (unsigned nth = 1; nth <= 7; nth++) {
            stub_fail(&f->stub, STUB_MAP, nth, EFAULT, late);
            assert_int_equal(add_fine(f, &source), -EFAULT);
            stub_fail_none(&f->stub);
            expect_mapped(f, 0, 64, "0+32 32+32");
        }
    for (unsigned nth = 1; nth <= 4; nth++) {
        stub_fail_often(&f->stub, STUB_UNMAP, nth, 2, EFAULT);
        assert_int_equal(add_fine(f, &source), -EFAULT);
        stub_fail_none(&f->stub);
        expect_mapped(f, 0, 64, "0+32 32+32");
    }
    expect_addresses(f);
}

/* More cuts than a listener has room for at rest: asked for before anything is touched. */
static void finer_source_without_memory(void **state)
{
    static struct fine_source source; /* the machine's end comes after this */
    struct fixture *f = *state;
    unsigned failed = 0;
    int rc;

    source = (struct fine_source){{.next_populated = next_fine, .granularity = 1}, holes};
    assert_int_equal(convert(f, 0, 64, false), 0);
    f->stub.watch_undo = false;
    do {
        stub_trace_clear(&f->stub);
        stub_fail(&f->stub, STUB_ALLOC, failed + 1, ENOMEM, false);
        rc = add_fine(f, &source);
        stub_fail_none(&f->stub);
        if (rc) {
            assert_int_equal(rc, -ENOMEM);
            expect_trace(f, "");
            failed++;
        }
    } while (rc);
    assert_in_range(failed, 2, 10);
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
}

static void finer_source_is_refused(void **state)
{
    static struct fine_source source; /* the machine's end comes after this */
    struct fixture *f = *state;

    source = (struct fine_source){{.next_populated = next_fine, .granularity = 1}, holes};
    assert_int_equal(convert(f, 0, 64, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(add_fine(f, &source), -EOPNOTSUPP);
    expect_trace(f, "");
    expect_mapped(f, 0, 64, "0+64");
}

/* ---- split=refuse ---- */
static int ask_by_hypercall(struct stub *s, struct kvm_run *run)
{
    run->exit_reason = KVM_EXIT_HYPERCALL;
    run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
    run->hypercall.args[0] = s->gpa;
    run->hypercall.args[1] = s->pages;
    run->hypercall.args[2] = s->to_private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0;
    run->hypercall.ret = 0;
    return 0;
}

static void refuse_touches_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 8, 8, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 10, 2, true), -EOPNOTSUPP);
    assert_int_equal(convert(f, 0, 10, true), -EOPNOTSUPP);
    assert_int_equal(convert(f, 15, 10, true), -EOPNOTSUPP);
    expect_trace(f, "");
    f->stub.on_run = ask_by_hypercall;
    f->stub.gpa = UINT64_C(10) * STUB_PAGE;
    f->stub.pages = 1;
    f->stub.to_private = true;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EOPNOTSUPP);
    assert_int_equal(f->stub.run->hypercall.ret, EINVAL);
    expect_trace(f, "");
    assert_int_equal(convert(f, 4, 20, true), 0);
    expect_trace(f, "private 8+8; unmap 8+8; drop shared 8+8; ");
    expect_mapped(f, 0, 64, "");
}

#define CASE(name, test, setup)                                                                \
    {                                                                                          \
        "core/run/" name, test, setup, run_finish, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("deliberate-error", deliberate_error, remap),
        CASE("a-run-is-one-mapping", a_run_is_one_mapping, remap),
        CASE("populate-leaves-neighbours", populate_leaves_neighbours, remap),
        CASE("replay", replay_is_one_call_a_run, remap),
        CASE("remap", remap_cuts_head_and_tail, remap),
        CASE("remap-unmap-first", remap_unmaps_first, remap_unmap_first),
        CASE("remap-several", remap_cuts_several, remap),
        CASE("remap-over-runs", remap_over_runs, remap),
        CASE("remap-fails", remap_fails_at_each_step, remap),
        CASE("remap-fails-after-two-cuts", remap_fails_after_two_cuts, remap_unmap_first),
        CASE("doubtful-mappings", doubtful_mappings_keep_their_bounds, remap),
        CASE("doubtful-pages", doubtful_pages_stay_single, remap),
        CASE("undo-fails", undo_that_fails_stops, remap),
        CASE("second-container-fails", second_container_fails, remap),
        CASE("unlisten-fails", unlisten_fails_and_is_whole, remap),
        CASE("finer-source", finer_source_cuts_anywhere, remap),
        CASE("finer-source-fails", finer_source_fails_at_each_step, remap),
        CASE("finer-source-no-memory", finer_source_without_memory, remap),
        CASE("finer-source-refused", finer_source_is_refused, refuse),
        CASE("refuse", refuse_touches_nothing, refuse),
    };

    return cmocka_run_group_tests_name("core/run", tests, NULL, NULL);
}
