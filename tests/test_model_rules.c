/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each rule of the oracle can fire (design.md section 6), by views fed by hand. */
#include "tests/model_rules_outcomes.h"
#include "tests/model_vmem.h"

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 0, 1, false));
    hand_end(h); /* success is claimed and nothing was done */
    assert_true(h->bad);
    assert_int_equal(h->v.page, 0);
}

static void test_s1(void **state)
{
    struct hand *h = *state;

    h->page[3].private_frame = 7;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_map(h, 0, 3, 7, RW);
    hand_call(h);
    expect_rule(h, "S1");
    assert_int_equal(h->v.page, 3);
    assert_int_equal(h->v.container, 0);
}

static void test_s2(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_call(h);
    hand_fine(h);
    h->page[3].shared_frame = 0; /* dropped while the device still maps it: A1 */
    hand_call(h);
    expect_rule(h, "S2");
}

static void test_s3(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].shared_frame = 0; /* the attribute still says shared */
    hand_call(h);
    expect_rule(h, "S3");
}

static void test_s4_no_listener(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    h->page[3].shared_frame = 30;
    hand_map(h, 1, 3, 30, RW); /* c1 is not open */
    hand_call(h);
    expect_rule(h, "S4");
}

static void test_s5_pins(void **state)
{
    struct hand *h = *state;

    h->c[0].pins++;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_call(h);
    expect_rule(h, "S5");
}

static void test_s6_attribute(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 4, false);
    hand_call(h);
    expect_rule(h, "S6");
    assert_int_equal(h->v.page, 4);
}

static void test_i1(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true)); /* C10: the unmap failed, nobody cares */
    hand_side(h, 3, true);
    hand_call(h);
    h->page[3].is_populated = 0;
    hand_failed(h, EFAULT, true, false);
    hand_failed_drop(h); /* so what is left of the page is no news */
    hand_end(h);
    expect_rule(h, "I1");
}

static void test_i2(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 2, false));
    for (uint32_t i = 3; i < 5; i++) {
        hand_side(h, i, false);
        h->page[i].is_populated = 1;
        h->page[i].shared_frame = 30 + i;
    }
    hand_map(h, 0, 3, 33, RW);
    hand_call(h);
    hand_end(h);
    expect_rule(h, "I2");
    assert_int_equal(h->v.page, 4);
}

static void test_i3_tracker(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    hand_end(h);
    expect_rule(h, "I3");
}

static void test_i4_not_dropped(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    hand_call(h);
    hand_end(h); /* A2: nothing failed, so the shared side has no excuse */
    expect_rule(h, "I4");
}

static void test_i7(void **state)
{
    struct hand *h = *state;
    struct op op = hand_convert(0, 3, 1, false);

    op.via = VIA_HYPERCALL;
    hand_begin(h, op);
    hand_failed(h, ENOMEM, true, false);
    h->r.n_calls = 1;
    h->r.error = ENOMEM;
    h->r.has_status = true;
    h->r.guest_status = 0; /* B8: the guest believes that it worked */
    hand_end(h);
    expect_rule(h, "I7");
}

static void test_i8(void **state)
{
    struct hand *h = *state;

    model_teardown_begin(h->o);
    h->totals.allocations = 1;
    hand_tell(h);
    h->bad = !model_after_teardown(h->o, &h->v);
    expect_rule(h, "I8");
}

static void test_d1(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_READ, .region = 0, .size = PAGE_SIZE_4K});
    h->r.data = 1; /* never written */
    hand_end(h);
    expect_rule(h, "D1");
}

static void test_d2(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_QUERY, .region = 0, .size = PAGE_SIZE_4K});
    h->r.data = 1;
    hand_end(h);
    expect_rule(h, "D2");
}

static void test_e1(void **state)
{
    struct hand *h = *state;
    struct expect e = {.kind = EXPECT_SHARED, .size = PAGE_SIZE_4K};

    h->bad = !model_expect(h->o, &e, &h->r, 0, &h->v);
    expect_rule(h, "E1");
}

static void test_x0(void **state)
{
    struct hand h = {0};

    (void)state;
    hand_machine(&h.m);
    hand_new(&h);
    h.page[3].private_frame = 3;
    hand_ready(&h);
    expect_rule(&h, "X0");
    free(h.o);
}

static void test_x1(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_fine(h);
    /* The machine changes behind the model's back: its counts no longer fit. */
    h->m.devices[0].container = 1;
    h->bad = !model_full_check(h->o, &h->v);
    expect_rule(h, "X1");
}

/* Someone else gets a reference to a page that the host must not touch. */
static void test_p1(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_pin(OP_PIN, 3, 1));
    h->others = 1;
    hand_end(h);
    expect_rule(h, "P1");
}

static void test_d3(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.blocked_page = 3;
    hand_end(h);
    expect_rule(h, "D3");
}

/* Memory that can be private is there: no one else can forbid discards. */
static void test_d4(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_GUARD, .unit = GUARD_COORDINATED_REQUIRE, .value = 1});
    h->r.told_guards = true;
    h->r.free_guards = 0xf;
    hand_end(h);
    expect_rule(h, "D4");
}

/* To shared: mapped while the kernel still calls the page private. */
static void test_s1_attribute(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    expect_rule(h, "S1");
}

/* To private: the order of the machine says which comes first. */
static void attribute_before_unmap(struct hand *h, uint8_t order)
{
    hand_share(h, 3, 30);
    h->m.axis[AXIS_order] = order;
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_call(h);
}

static void test_s1_order(void **state)
{
    attribute_before_unmap(*state, ORDER_UNMAP_FIRST);
    expect_rule(*state, "S1");
}

static void test_s1_order_attribute_first(void **state)
{
    attribute_before_unmap(*state, ORDER_ATTRIBUTE_FIRST);
    hand_fine(*state);
}

/* ---- virtio-mem and migration; more of it in test_model_virtio_mem.c ---- */
static void test_s7(void **state)
{
    vmem_break_s7(*state);
    expect_rule(*state, "S7");
}

static void test_v1(void **state)
{
    vmem_break_v1(*state);
    expect_rule(*state, "V1");
}

static void test_v2(void **state)
{
    vmem_break_v2(*state);
    expect_rule(*state, "V2");
}

static void test_m1(void **state)
{
    vmem_break_m1(*state);
    expect_rule(*state, "M1");
}

static void test_all_rules_fired(void **state)
{
    (void)state;
    for (uint32_t i = 0; model_rule_name(i); i++)
        if (!strstr(fired, model_rule_name(i)))
            fail_msg("no test has seen %s fire", model_rule_name(i));
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/rules/" name, fn, hand_setup_attached, hand_teardown, NULL                      \
    }
#define RUNS(name, fn)                                                                         \
    {                                                                                          \
        "model/rules/" name, fn, hand_setup_runs, hand_teardown, NULL                          \
    }
#define INPLACE(name, fn)                                                                      \
    {                                                                                          \
        "model/rules/" name, fn, hand_setup_inplace, hand_teardown, NULL                       \
    }
#define VMEM(name, fn)                                                                         \
    {                                                                                          \
        "model/rules/" name, fn, hand_setup_vmem, hand_teardown, NULL                          \
    }
#define EMPTY(name, fn)                                                                        \
    {                                                                                          \
        "model/rules/" name, fn, hand_setup, hand_teardown, NULL                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("S1-own-private-frame", test_s1),
        T("S1-mapped-before-attribute", test_s1_attribute),
        T("S1-unmap-first", test_s1_order),
        T("S1-attribute-first-may", test_s1_order_attribute_first),
        T("S2-dropped-while-mapped", test_s2),
        T("S3-shared-side", test_s3),
        T("S4-container-without-listener", test_s4_no_listener),
        T("S5-pins", test_s5_pins),
        T("S6-attribute", test_s6_attribute),
        T("I1-private-still-mapped", test_i1),
        T("I2-shared-not-mapped", test_i2),
        T("I3-tracker-forgotten", test_i3_tracker),
        T("I4-old-side-kept", test_i4_not_dropped),
        T("I7-success-told-for-failure", test_i7),
        EMPTY("I8-allocation-left", test_i8),
        T("D1-read-of-unwritten-page", test_d1),
        T("D2-query-of-private-page", test_d2),
        T("E1-expectation", test_e1),
        EMPTY("X0-frame-at-start", test_x0),
        T("X1-counts-off", test_x1),
        T("O1-refused-op-accepted", test_o1),
        T("O2-failed-without-reason", test_o2),
        T("O3-error-that-no-call-gave", test_o3),
        T("O4-limit-that-was-not-reached", test_o4),
        T("O5-half-undone", test_o5),
        T("O6-answers-after-stop", test_o6),
        T("O7-stop-without-leave", test_o7),
        T("O10-goes-on", test_o10),
        T("O9-calls-for-nothing", test_o9),
        RUNS("O11-page-by-page", test_o11),
        T("O12-attribute-before-the-limit", test_o12),
        INPLACE("P1-private-page-held", test_p1),
        INPLACE("D3-nothing-failed", test_d3),
        T("D4-nobody-is-in-the-way", test_d4),
        VMEM("S7-unplugged-while-mapped", test_s7),
        VMEM("V1-touched-before-plug", test_v1),
        VMEM("V2-busy-for-success", test_v2),
        VMEM("M1-no-answer", test_m1),
        EMPTY("every-rule-has-fired", test_all_rules_fired),
    };

    return cmocka_run_group_tests_name("model/rules", tests, NULL, NULL);
}
