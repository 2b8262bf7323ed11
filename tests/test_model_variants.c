/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More ways in which the rules of design.md section 6 are broken; test_model_rules.c has one a
 * rule. */
#include "tests/model_hand.h"

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 0, 1, true));
    h->r.error = EIO;
    hand_end(h);
    assert_true(h->bad);
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
    hand_expect(h, "S1");
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
    hand_expect(h, "S3");
}

static void test_s4_access(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    h->page[18].shared_frame = 5;
    hand_map(h, 0, 18, 5, RW); /* ROM */
    hand_call(h);
    hand_expect(h, "S4");
}

static void test_s4_stray(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    model_see_stray(h->o, 0, 1000, true);
    hand_call(h);
    hand_expect(h, "S4");
    assert_int_equal(h->v.page, MODEL_NO_PAGE);
}

static void test_s4_mmio(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    hand_map(h, 0, 20, 5, RW);
    hand_call(h);
    hand_expect(h, "S4");
}

static void test_s5_entries(void **state)
{
    struct hand *h = *state;

    h->c[0].entries--;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_call(h);
    hand_expect(h, "S5");
}

static void test_s5_limit(void **state)
{
    struct hand *h = *state;

    h->m.containers[0].entry_limit = 3; /* three plain sections fill it */
    hand_share(h, 3, 30);
    hand_expect(h, "S5");
}

static void test_s5_memlock(void **state)
{
    struct hand *h = *state;

    h->m.memlock_pages = 10;
    hand_share(h, 3, 30);
    hand_expect(h, "S5");
}

static void test_s5_locked(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_tell(h);
    h->totals.locked_pages++;
    model_see_totals(h->o, &h->totals);
    h->bad = !model_after_call(h->o, &h->v);
    hand_expect(h, "S5");
}

static void test_s5_closed(void **state)
{
    struct hand *h = *state;

    h->c[0].open = false;
    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    hand_call(h);
    hand_expect(h, "S5");
}

static void test_s5_still_open(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    for (uint32_t i = 0; i < HAND_SLOTS; i++)
        hand_map(h, 0, i, 0, NONE);
    hand_call(h);
    hand_end(h);
    hand_expect(h, "S5");
}

static void test_s6_tracker(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    h->page[12].is_populated = 1;
    hand_call(h);
    hand_expect(h, "S6");
}

static void test_s6_mapping(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 4, 1, false));
    hand_map(h, 0, 3, 0, NONE); /* C4: unmapped for a moment, and back */
    hand_call(h);
    hand_expect(h, "S6");
}

static void test_s6_frame(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_READ, .region = 0, .size = PAGE_SIZE_4K});
    h->page[1].private_frame = 9;
    hand_end(h);
    hand_expect(h, "S6");
}

static void test_s6_between_ops(void **state)
{
    struct hand *h = *state;

    hand_side(h, 3, false);
    hand_call(h);
    hand_expect(h, "S6");
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
    hand_expect(h, "I2");
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
    hand_expect(h, "I3");
}

static void test_i4_other_side_appears(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_READ, .region = 0, .size = PAGE_SIZE_4K});
    h->page[0].shared_frame = 9;
    hand_end(h);
    hand_expect(h, "I4");
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
    hand_expect(h, "I7");
}

static void test_i8_container(void **state)
{
    struct hand *h = *state;

    model_teardown_begin(h->o);
    h->c[1].open = true;
    hand_tell(h);
    h->bad = !model_after_teardown(h->o, &h->v);
    hand_expect(h, "I8");
}

static void test_d1_dma_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_DMA_READ, .region = 0, .size = PAGE_SIZE_4K});
    hand_end(h); /* private: the IOMMU must refuse */
    hand_expect(h, "D1");
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/variants/" name, fn, hand_setup_attached, hand_teardown, NULL                   \
    }
#define EMPTY(name, fn)                                                                        \
    {                                                                                          \
        "model/variants/" name, fn, hand_setup, hand_teardown, NULL                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("S1-frame-of-another-page", test_s1_of_another_page),
        T("S3-private-side", test_s3_private_side),
        EMPTY("S4-rom-mapped-for-writing", test_s4_access),
        T("S4-stray-iova", test_s4_stray),
        EMPTY("S4-mmio", test_s4_mmio),
        T("S5-entries", test_s5_entries),
        T("S5-entry-limit", test_s5_limit),
        T("S5-memlock", test_s5_memlock),
        T("S5-locked-pages", test_s5_locked),
        T("S5-closed-container", test_s5_closed),
        T("S5-container-left-open", test_s5_still_open),
        T("S6-tracker-of-unplaced-page", test_s6_tracker),
        T("S6-mapping", test_s6_mapping),
        T("S6-frame", test_s6_frame),
        T("S6-between-ops", test_s6_between_ops),
        T("I2-mapped-without-write", test_i2_access),
        T("I3-attribute-forgotten", test_i3_attribute),
        T("I4-other-side-appears", test_i4_other_side_appears),
        T("I7-nothing-told", test_i7_told_nothing),
        EMPTY("I8-container-left-open", test_i8_container),
        T("D1-dma-to-private-page", test_d1_dma_error),
    };

    return cmocka_run_group_tests_name("model/variants", tests, NULL, NULL);
}
