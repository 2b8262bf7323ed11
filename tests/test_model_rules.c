/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each rule of the oracle can fire (design.md section 6), by views fed by hand. */
#include "tests/model_hand.h"

/* Rules that a test has seen fire; the last test compares with the list. */
static char fired[2048];

static void expect_rule(const struct hand *h, const char *rule)
{
    size_t used = strlen(fired);

    hand_expect(h, rule);
    snprintf(fired + used, sizeof(fired) - used, "%s\n", h->v.rule);
}

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

static void test_s1_of_another_page(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_WRITE, .region = 0, .size = PAGE_SIZE_4K, .value = 5});
    h->page[0].private_frame = 7;
    hand_end(h);
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_map(h, 0, 3, 7, RW);
    hand_call(h);
    expect_rule(h, "S1");
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

static void test_s3_private_side(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_WRITE, .region = 0, .size = PAGE_SIZE_4K, .value = 5});
    h->page[0].private_frame = 7;
    hand_end(h);
    hand_begin(h, hand_convert(0, 0, 1, false));
    h->page[0].private_frame = 0;
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

static void test_s4_access(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    h->page[18].shared_frame = 5;
    hand_map(h, 0, 18, 5, RW); /* ROM */
    hand_call(h);
    expect_rule(h, "S4");
}

static void test_s4_stray(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    model_see_stray(h->o, 0, 1000, true);
    hand_call(h);
    expect_rule(h, "S4");
    assert_int_equal(h->v.page, MODEL_NO_PAGE);
}

static void test_s4_mmio(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    hand_map(h, 0, 20, 5, RW);
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

static void test_s5_entries(void **state)
{
    struct hand *h = *state;

    h->c[0].entries--;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_call(h);
    expect_rule(h, "S5");
}

static void test_s5_limit(void **state)
{
    struct hand *h = *state;

    h->m.containers[0].entry_limit = 3; /* three plain sections fill it */
    hand_share(h, 3, 30);
    expect_rule(h, "S5");
}

static void test_s5_memlock(void **state)
{
    struct hand *h = *state;

    h->m.memlock_pages = 10;
    hand_share(h, 3, 30);
    expect_rule(h, "S5");
}

static void test_s5_locked(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_tell(h);
    h->totals.locked_pages++;
    model_see_totals(h->o, &h->totals);
    h->bad = !model_after_call(h->o, &h->v);
    expect_rule(h, "S5");
}

static void test_s5_closed(void **state)
{
    struct hand *h = *state;

    h->c[0].open = false;
    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    hand_call(h);
    expect_rule(h, "S5");
}

static void test_s5_still_open(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    for (uint32_t i = 0; i < HAND_SLOTS; i++)
        hand_map(h, 0, i, 0, NONE);
    hand_call(h);
    hand_end(h);
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

static void test_s6_tracker(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    h->page[12].is_populated = 1;
    hand_call(h);
    expect_rule(h, "S6");
}

static void test_s6_mapping(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 4, 1, false));
    hand_map(h, 0, 3, 0, NONE); /* C4: unmapped for a moment, and back */
    hand_call(h);
    expect_rule(h, "S6");
}

static void test_s6_frame(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_READ, .region = 0, .size = PAGE_SIZE_4K});
    h->page[1].private_frame = 9;
    hand_end(h);
    expect_rule(h, "S6");
}

static void test_s6_between_ops(void **state)
{
    struct hand *h = *state;

    hand_side(h, 3, false);
    hand_call(h);
    expect_rule(h, "S6");
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

static void test_i2_access(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    h->page[3].is_populated = 1;
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RO);
    hand_call(h);
    hand_end(h);
    expect_rule(h, "I2");
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

static void test_i3_attribute(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
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

static void test_i4_other_side_appears(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_READ, .region = 0, .size = PAGE_SIZE_4K});
    h->page[0].shared_frame = 9;
    hand_end(h);
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

static void test_i7_told_nothing(void **state)
{
    struct hand *h = *state;
    struct op op = hand_convert(0, 3, 1, false);

    op.via = VIA_HYPERCALL;
    hand_begin(h, op);
    hand_failed(h, ENOMEM, true, false);
    h->r.n_calls = 1;
    h->r.error = ENOMEM;
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

static void test_i8_container(void **state)
{
    struct hand *h = *state;

    model_teardown_begin(h->o);
    h->c[1].open = true;
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

static void test_d1_dma_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_DMA_READ, .region = 0, .size = PAGE_SIZE_4K});
    hand_end(h); /* private: the IOMMU must refuse */
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

static void test_o_rules_fired(void **state)
{
    (void)state;
    /* O1..O7 are driven through their matrix in test_model_outcomes.c, which lists them. */
    for (uint32_t i = 0; model_rule_name(i); i++) {
        const char *name = model_rule_name(i);

        if (name[0] != 'O' && !strstr(fired, name))
            fail_msg("no test has seen %s fire", name);
    }
}

#define T(name, fn) {"model/rules/" name, fn, hand_setup_attached, hand_teardown, NULL}
#define EMPTY(name, fn) {"model/rules/" name, fn, hand_setup, hand_teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("S1-own-private-frame", test_s1),
        T("S1-frame-of-another-page", test_s1_of_another_page),
        T("S2-dropped-while-mapped", test_s2),
        T("S3-shared-side", test_s3),
        T("S3-private-side", test_s3_private_side),
        T("S4-container-without-listener", test_s4_no_listener),
        EMPTY("S4-rom-mapped-for-writing", test_s4_access),
        T("S4-stray-iova", test_s4_stray),
        EMPTY("S4-mmio", test_s4_mmio),
        T("S5-pins", test_s5_pins),
        T("S5-entries", test_s5_entries),
        T("S5-entry-limit", test_s5_limit),
        T("S5-memlock", test_s5_memlock),
        T("S5-locked-pages", test_s5_locked),
        T("S5-closed-container", test_s5_closed),
        T("S5-container-left-open", test_s5_still_open),
        T("S6-attribute", test_s6_attribute),
        T("S6-tracker-of-unplaced-page", test_s6_tracker),
        T("S6-mapping", test_s6_mapping),
        T("S6-frame", test_s6_frame),
        T("S6-between-ops", test_s6_between_ops),
        T("I1-private-still-mapped", test_i1),
        T("I2-shared-not-mapped", test_i2),
        T("I2-mapped-without-write", test_i2_access),
        T("I3-tracker-forgotten", test_i3_tracker),
        T("I3-attribute-forgotten", test_i3_attribute),
        T("I4-old-side-kept", test_i4_not_dropped),
        T("I4-other-side-appears", test_i4_other_side_appears),
        T("I7-success-told-for-failure", test_i7),
        T("I7-nothing-told", test_i7_told_nothing),
        EMPTY("I8-allocation-left", test_i8),
        EMPTY("I8-container-left-open", test_i8_container),
        T("D1-read-of-unwritten-page", test_d1),
        T("D1-dma-to-private-page", test_d1_dma_error),
        T("D2-query-of-private-page", test_d2),
        T("E1-expectation", test_e1),
        EMPTY("X0-frame-at-start", test_x0),
        T("X1-counts-off", test_x1),
        EMPTY("every-rule-has-fired", test_o_rules_fired),
    };

    return cmocka_run_group_tests_name("model/rules", tests, NULL, NULL);
}
