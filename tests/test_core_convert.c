/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversions on the stub host: the decision table, the order of calls, debt, exits. */
#include <stdlib.h>

#include "tests/core_fixture.h"

static const struct sync no_sync = {NULL, NULL};

static int start(void **state, enum vmm_order order)
{
    struct fixture *f = calloc(1, sizeof *f);

    stub_init(&f->stub);
    f->order = order;
    *state = f;
    if (fixture_build(f, &no_sync) || vmm_device_attach(f->vmm, 0, 0))
        return -1;
    stub_trace_clear(&f->stub);
    return 0;
}

static int attribute_first(void **state)
{
    return start(state, VMM_ORDER_ATTRIBUTE_FIRST);
}

static int unmap_first(void **state)
{
    return start(state, VMM_ORDER_UNMAP_FIRST);
}

static int finish(void **state)
{
    struct fixture *f = *state;
    int bad = f->vmm && vmm_destroy(f->vmm) != 0;

    if (fixture_left(f)) {
        print_error("%s\n", fixture_left(f));
        bad = 1;
    }
    bad |= f->stub.violations != 0;
    free(f);
    return bad;
}

static void deliberate_error(void **state)
{
    struct fixture *f = *state;

    assert_null(fixture_broken(f, true));
    f->stub.is_private[3] = false;
    assert_string_equal(fixture_broken(f, true), "I3 tracker and attribute differ");
    f->stub.is_private[3] = true;
    assert_string_equal(fixture_broken(f, false), "I1, I2 mapped is not shared");
}

/* ---- the decision table, behaviour.md 3.1 with design.md 4 ---- */
static void refused(struct fixture *f, uint64_t gpa, uint64_t size, bool to_private)
{
    unsigned hits[STUB_POINTS];

    memcpy(hits, f->stub.hits, sizeof hits);
    assert_int_equal(vmm_convert(f->vmm, gpa, size, to_private), -EINVAL);
    assert_memory_equal(hits, f->stub.hits, sizeof hits);
    assert_null(fixture_broken(f, true));
}

static void refuses_bad_ranges(void **state)
{
    for (int to_private = 0; to_private < 2; to_private++) {
        refused(*state, 0, 0, to_private);
        refused(*state, 1, STUB_PAGE, to_private);
        refused(*state, STUB_PAGE, STUB_PAGE + STUB_PAGE / 2, to_private); /* B5 */
        refused(*state, STUB_PAGE, UINT64_MAX - STUB_PAGE + 1, to_private);
        refused(*state, UINT64_MAX - STUB_PAGE + 1, STUB_PAGE, to_private);
        refused(*state, UINT64_MAX - STUB_PAGE + 1, 2 * STUB_PAGE, to_private);
    }
}

static void to_private_wants_guest_memfd_everywhere(void **state)
{
    refused(*state, UINT64_C(128) * STUB_PAGE, STUB_PAGE, true);     /* a hole, B6 */
    refused(*state, UINT64_C(127) * STUB_PAGE, 2 * STUB_PAGE, true); /* ends in a hole */
    refused(*state, UINT64_C(167) * STUB_PAGE, 2 * STUB_PAGE, true); /* begins in a hole */
    refused(*state, UINT64_C(136) * STUB_PAGE, STUB_PAGE, true);     /* ROM */
    refused(*state, UINT64_C(144) * STUB_PAGE, STUB_PAGE, true);     /* MMIO */
    refused(*state, UINT64_C(152) * STUB_PAGE, STUB_PAGE, true);     /* RAM without */
    refused(*state, UINT64_C(100) * STUB_PAGE, UINT64_C(76) * STUB_PAGE, true);
}

static void to_shared_skips_holes_and_mmio(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 128, 4, false), 0);
    assert_int_equal(convert(f, 144, 8, false), 0);
    assert_int_equal(convert(f, UINT64_C(1) << 40, 4, false), 0);
    assert_string_equal(f->stub.trace, "");
    assert_int_equal(convert(f, 160, 9, false), 0);
    assert_string_equal(f->stub.trace, "shared 168+1; map 168+1; drop private 4+1; ");
    refused(f, UINT64_C(127) * STUB_PAGE, UINT64_C(10) * STUB_PAGE, false); /* reaches ROM */
    refused(f, UINT64_C(150) * STUB_PAGE, UINT64_C(3) * STUB_PAGE, false);  /* reaches RAM */
}

/* ---- order of calls, design.md 6 ---- */
static void order_attribute_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    assert_string_equal(f->stub.trace, "shared 3+2; map 3+1; map 4+1; drop private 3+2; ");
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 3, 2, true), 0);
    assert_string_equal(f->stub.trace, "private 3+2; unmap 3+2; drop shared 3+2; ");
    assert_null(fixture_broken(f, true));
}

static void order_unmap_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    assert_string_equal(f->stub.trace, "shared 3+2; map 3+1; map 4+1; drop private 3+2; ");
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 3, 2, true), 0);
    assert_string_equal(f->stub.trace, "unmap 3+2; private 3+2; drop shared 3+2; ");
    assert_null(fixture_broken(f, true));
}

/* B1: a request over two touching regions. */
static void crosses_regions(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 63, 3, false), 0);
    assert_string_equal(f->stub.trace, "shared 63+3; map 63+1; map 64+1; map 65+1; "
                                       "drop private 63+1; drop private 0+2; ");
    assert_null(fixture_broken(f, true));
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 60, 8, true), 0);
    assert_string_equal(f->stub.trace, "private 63+3; unmap 63+1; unmap 64+2; "
                                       "drop shared 63+1; drop shared 0+2; ");
    assert_null(fixture_broken(f, true));
}

/* C12, C4: only the pages that differ, by runs; one attribute call over their hull. */
static void mixed_range(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 2, 1, false), 0);
    assert_int_equal(convert(f, 5, 2, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 2, 6, false), 0);
    assert_string_equal(f->stub.trace, "shared 3+5; map 3+1; map 4+1; map 7+1; "
                                       "drop private 3+2; drop private 7+1; ");
    assert_int_equal(convert(f, 4, 1, true), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 0, 16, true), 0);
    assert_string_equal(f->stub.trace, "private 2+6; unmap 2+2; unmap 5+3; "
                                       "drop shared 2+2; drop shared 5+3; ");
    assert_null(fixture_broken(f, true));
}

/* B11 */
static void repeats_do_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 8, true), 0);
    assert_string_equal(f->stub.trace, "");
    assert_int_equal(convert(f, 0, 8, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 0, 8, false), 0);
    assert_string_equal(f->stub.trace, "");
}

/* A small conversion needs no memory, undo or not. */
static void small_conversions_do_not_allocate(void **state)
{
    struct fixture *f = *state;

    f->stub.alloc_is_a_bug = true;
    assert_int_equal(convert(f, 0, 40, false), 0);
    assert_int_equal(convert(f, 10, 4, true), 0);
    stub_fail(&f->stub, STUB_MAP, 3, ENOSPC, false);
    assert_int_equal(convert(f, 8, 8, false), -ENOSPC);
    f->stub.alloc_is_a_bug = false;
    stub_fail_none(&f->stub);
    assert_null(fixture_broken(f, true));
}

/* ---- debt, B9 ---- */
static void failed_drop_is_debt_and_repeat_pays_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 3, 2, false), 0);
    stub_fail_often(&f->stub, STUB_DROP_SHARED, 1, 3, EAGAIN);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 3, 2, true), 0);
    assert_string_equal(f->stub.trace, "private 3+2; unmap 3+2; drop shared 3+2 fails; "
                                       "drop shared 3+2 fails; ");
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 0, 4, true), 0); /* nothing to do but page 3's debt */
    assert_string_equal(f->stub.trace, "drop shared 3+1 fails; drop shared 3+1; ");
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 4, 1, false), 0); /* page 4's goes before the way back */
    assert_string_equal(f->stub.trace,
                        "drop shared 4+1; shared 4+1; map 4+1; drop private 4+1; ");
    assert_null(fixture_broken(f, true));
}

static void debt_that_stays_refuses_the_way_back(void **state)
{
    struct fixture *f = *state;

    stub_fail_often(&f->stub, STUB_DROP_PRIVATE, 1, 2, EIO);
    assert_int_equal(convert(f, 3, 2, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 3, 1, true), -EIO);
    assert_string_equal(f->stub.trace, "drop private 3+1 fails; ");
    assert_null(fixture_broken(f, true));
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 3, 1, true), 0);
    assert_string_equal(f->stub.trace, "drop private 3+1; private 3+1; unmap 3+1; "
                                       "drop shared 3+1; ");
}

static void tear_down_pays_debt(void **state)
{
    struct fixture *f = *state;

    stub_fail_often(&f->stub, STUB_DROP_PRIVATE, 1, 1, EIO);
    assert_int_equal(convert(f, 60, 8, false), 0);
    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_destroy(f->vmm), 0);
    f->vmm = NULL;
    assert_string_equal(f->stub.trace, "drop private 60+4; ");
}

/* ---- how requests arrive ---- */
static int hypercall(struct stub *s, struct kvm_run *run)
{
    run->exit_reason = KVM_EXIT_HYPERCALL;
    run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
    run->hypercall.args[0] = s->gpa;
    run->hypercall.args[1] = s->pages;
    run->hypercall.args[2] = s->to_private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0;
    run->hypercall.ret = 77;
    return 0;
}

static int memory_fault(struct stub *s, struct kvm_run *run)
{
    run->exit_reason = KVM_EXIT_MEMORY_FAULT;
    run->memory_fault.gpa = s->gpa;
    run->memory_fault.size = STUB_PAGE;
    run->memory_fault.flags = s->pages;
    return -EFAULT;
}

static int unknown_hypercall(struct stub *s, struct kvm_run *run)
{
    (void)hypercall(s, run);
    run->hypercall.nr = 5;
    return 0;
}

static int signal_exit(struct stub *s, struct kvm_run *run)
{
    s->on_run = s->pages ? memory_fault : signal_exit; /* pages: then it goes on */
    s->pages = 0;
    run->exit_reason = KVM_EXIT_INTR;
    return -EINTR;
}

/* B8: the guest is told on every path. */
static void hypercall_status(void **state)
{
    struct fixture *f = *state;
    struct kvm_run *run = f->stub.run;

    f->stub.on_run = hypercall;
    f->stub.gpa = 3 * STUB_PAGE;
    f->stub.pages = 2;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0);
    assert_int_equal(run->hypercall.ret, 0);
    assert_true(tracker_shared(f, 0, 4));
    f->stub.to_private = true;
    stub_fail(&f->stub, STUB_UNMAP, 1, EINVAL, false);
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINVAL);
    assert_int_equal(run->hypercall.ret, EAGAIN); /* EINVAL, but not refused */
    f->stub.gpa = UINT64_C(130) * STUB_PAGE;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINVAL);
    assert_int_equal(run->hypercall.ret, EINVAL);
    f->stub.pages = UINT64_MAX / STUB_PAGE + 3; /* the size would wrap to 2 pages */
    f->stub.gpa = 3 * STUB_PAGE;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINVAL);
    assert_int_equal(run->hypercall.ret, EINVAL);
    f->stub.on_run = unknown_hypercall;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINVAL);
    assert_int_equal((int64_t)run->hypercall.ret, -KVM_ENOSYS);
    assert_null(fixture_broken(f, true));
}

static void memory_fault_converts(void **state)
{
    struct fixture *f = *state;

    f->stub.on_run = memory_fault;
    f->stub.gpa = UINT64_C(64) * STUB_PAGE;
    f->stub.pages = 0;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0);
    assert_true(tracker_shared(f, 1, 0));
    f->stub.pages = KVM_MEMORY_EXIT_FLAG_PRIVATE;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0);
    assert_false(tracker_shared(f, 1, 0));
    f->stub.pages = 1; /* a flag that nobody knows */
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINVAL);
    assert_null(fixture_broken(f, true));
}

static void signals_and_failures_of_run(void **state)
{
    struct fixture *f = *state;

    f->stub.on_run = memory_fault;
    f->stub.gpa = 0;
    f->stub.pages = 0;
    stub_fail_often(&f->stub, STUB_RUN, 1, 1, EINTR);
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0); /* once: it runs again */
    assert_true(tracker_shared(f, 0, 0));
    stub_fail_often(&f->stub, STUB_RUN, 1, 2, EINTR);
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EINTR);
    stub_fail_none(&f->stub);
    f->stub.on_run = signal_exit;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0);
    f->stub.gpa = STUB_PAGE;
    f->stub.pages = 1;
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), 0); /* a signal first, then the request */
    assert_true(tracker_shared(f, 0, 1));
    /* An errno of the call itself must not find an old exit in the run page. */
    f->stub.run->exit_reason = KVM_EXIT_MEMORY_FAULT;
    stub_fail(&f->stub, STUB_RUN, 1, EFAULT, false);
    assert_int_equal(vmm_vcpu_run(f->vmm, 0), -EFAULT);
    assert_int_equal(vmm_vcpu_run(f->vmm, 1), -EINVAL);
}

/* ---- listeners ---- */
/* C17: SSPPSPSS of ram0; a listener on [1..7) maps [1..2) [4..5) [6..7). */
static void listener_maps_its_part(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(convert(f, 0, 8, false), 0);
    assert_int_equal(convert(f, 2, 2, true), 0);
    assert_int_equal(convert(f, 5, 1, true), 0);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, STUB_PAGE, 6 * STUB_PAGE), -ENODEV);
    assert_int_equal(vmm_device_attach(f->vmm, 1, 1), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_listen(f->vmm, 1, 0, STUB_PAGE, 6 * STUB_PAGE), 0);
    assert_string_equal(f->stub.trace, "map 1+1; map 4+1; map 6+1; ");
    assert_int_equal(vmm_listen(f->vmm, 1, 0, 6 * STUB_PAGE, 6 * STUB_PAGE), -EEXIST);
    assert_int_equal(vmm_listen(f->vmm, 1, 5, 0, 6 * STUB_PAGE), -EINVAL);
    stub_trace_clear(&f->stub);
    assert_int_equal(convert(f, 0, 8, true), 0);
    assert_string_equal(f->stub.trace,
                        "private 0+8; unmap 0+2; unmap 1+1; unmap 4+1; unmap 4+1; "
                        "unmap 6+2; unmap 6+1; drop shared 0+2; drop shared 4+1; "
                        "drop shared 6+2; ");
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, STUB_PAGE, 5 * STUB_PAGE), -ENOENT);
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, STUB_PAGE, 6 * STUB_PAGE), 0);
    assert_int_equal(vmm_unlisten(f->vmm, 1, 0, STUB_PAGE, 6 * STUB_PAGE), -ENOENT);
}

/* Memory without a manager: whole, read-only for ROM; MMIO never. */
static void attach_maps_other_memory_whole(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(vmm_device_detach(f->vmm, 0), 0);
    assert_int_equal(f->stub.n_maps, 0);
    assert_int_equal(convert(f, 175, 1, false), 0);
    stub_trace_clear(&f->stub);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 7), 0);
    assert_string_equal(f->stub.trace, "map 136+8 ro; map 152+8; map 175+1; ");
    assert_int_equal(vmm_device_attach(f->vmm, 1, 7), -EEXIST);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 8), 0); /* a second device maps nothing */
    assert_null(fixture_broken(f, true));
    assert_int_equal(vmm_device_detach(f->vmm, 7), 0);
    assert_null(fixture_broken(f, true));
    assert_int_equal(vmm_device_detach(f->vmm, 7), -ENOENT);
}

static void sections_are_checked(void **state)
{
    struct fixture *f = *state;
    const uint64_t p = STUB_PAGE;

    assert_int_equal(vmm_section_add(f->vmm, 5, 0, 5 * p, 300 * p), -EINVAL); /* [4] has one */
    assert_int_equal(vmm_section_add(f->vmm, 5, 0, 4 * p, 166 * p), -EEXIST);
    assert_int_equal(vmm_section_add(f->vmm, 5, 0, 4 * p, 300 * p + 1), -EINVAL);
    assert_int_equal(vmm_section_add(f->vmm, 5, 12 * p, 5 * p, 300 * p), -EINVAL);
    assert_int_equal(vmm_section_add(f->vmm, 9, 0, p, 300 * p), -EINVAL);
    assert_int_equal(vmm_section_add(f->vmm, 4, 0, p, 0 - p), -EINVAL); /* wraps */
    assert_int_equal(vmm_section_add(f->vmm, 5, 0, 4 * p, 300 * p), 0);
    assert_int_equal(vmm_section_add(f->vmm, 4, 0, 8 * p, 310 * p), 0); /* two GPAs */
    assert_true(f->stub.is_private[303]);
    assert_int_equal(convert(f, 302, 1, false), 0);
    assert_true(tracker_shared(f, 5, 2));
}

static void populated_queries(void **state)
{
    struct fixture *f = *state;
    const uint64_t p = STUB_PAGE;
    uint64_t bits[2];

    assert_int_equal(convert(f, 3, 4, false), 0);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 3 * p, 4 * p), 1);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 3 * p, 5 * p), 0);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 2 * p, 2 * p), 0);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 3 * p, p / 2), -EINVAL);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 63 * p, 2 * p), -EINVAL);
    assert_int_equal(vmm_is_populated(f->vmm, 0, 0, 0), -EINVAL);
    assert_int_equal(vmm_is_populated(f->vmm, 4, 0, 8 * p), 1);
    assert_int_equal(vmm_is_populated(f->vmm, 2, 0, 8 * p), 1);
    vmm_populated_bits(f->vmm, 0, 2, 62, bits);
    assert_int_equal(bits[0], 0x1e);
    vmm_populated_bits(f->vmm, 4, 0, 8, bits);
    assert_int_equal(bits[0], 0xff);
}

/* The canonical state says whether two machines will behave alike. */
static void canon_comes_back(void **state)
{
    struct fixture *f = *state;
    uint8_t before[4096], after[4096];
    size_t size = vmm_canon(f->vmm, before, sizeof before);

    assert_true(size <= sizeof before);
    assert_int_equal(convert(f, 3, 70, false), 0);
    assert_int_not_equal(vmm_canon(f->vmm, after, sizeof after), size);
    assert_int_equal(convert(f, 3, 70, true), 0);
    assert_int_equal(vmm_canon(f->vmm, after, sizeof after), size);
    assert_memory_equal(before, after, size);
    assert_int_equal(vmm_canon(f->vmm, NULL, 0), size);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        name, fn, attribute_first, finish, NULL                                                \
    }
#define TEST_STRICT(name, fn)                                                                  \
    {                                                                                          \
        name, fn, unmap_first, finish, NULL                                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/convert/deliberate-error", deliberate_error),
        TEST("core/convert/refuses-bad-ranges", refuses_bad_ranges),
        TEST("core/convert/to-private-wants-guest-memfd",
             to_private_wants_guest_memfd_everywhere),
        TEST("core/convert/to-shared-skips-holes-and-mmio", to_shared_skips_holes_and_mmio),
        TEST("core/convert/order/attribute-first", order_attribute_first),
        TEST_STRICT("core/convert/order/unmap-first", order_unmap_first),
        TEST("core/convert/B1-crosses-regions", crosses_regions),
        TEST("core/convert/C12-mixed-range", mixed_range),
        TEST("core/convert/B11-repeats-do-nothing", repeats_do_nothing),
        TEST("core/convert/no-allocation", small_conversions_do_not_allocate),
        TEST("core/convert/B9-repeat-pays-debt", failed_drop_is_debt_and_repeat_pays_it),
        TEST("core/convert/debt-refuses-the-way-back", debt_that_stays_refuses_the_way_back),
        TEST("core/convert/debt-at-tear-down", tear_down_pays_debt),
        TEST("core/vcpu/B8-hypercall-status", hypercall_status),
        TEST("core/vcpu/memory-fault", memory_fault_converts),
        TEST("core/vcpu/signals-and-failures", signals_and_failures_of_run),
        TEST("core/listen/C17-maps-its-part", listener_maps_its_part),
        TEST("core/container/other-memory-whole", attach_maps_other_memory_whole),
        TEST("core/section/checks", sections_are_checked),
        TEST("core/query/populated", populated_queries),
        TEST("core/query/canon", canon_comes_back),
    };

    return cmocka_run_group_tests_name("core/convert", tests, NULL, NULL);
}
