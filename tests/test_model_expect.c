/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of expectation holds where it should and fails where it should. */
#include "tests/model_hand.h"

static struct expect pages(uint8_t kind, uint32_t region, uint32_t first, uint32_t n)
{
    return (struct expect){.kind = kind,
                           .region = (uint8_t)region,
                           .start = (uint64_t)first * PAGE_SIZE_4K,
                           .size = (uint64_t)n * PAGE_SIZE_4K};
}

static bool holds(struct hand *h, struct expect e, uint32_t calls)
{
    bool ok = model_expect(h->o, &e, &h->r, calls, &h->v);

    assert_true(ok || strcmp(h->v.rule, "E1 expectation") == 0);
    return ok;
}

static bool value_holds(struct hand *h, uint8_t kind, uint64_t value)
{
    return holds(h, (struct expect){.kind = kind, .value = value}, 4);
}

static void test_deliberate_error(void **state)
{
    assert_false(value_holds(*state, EXPECT_RESULT, ENOSPC));
}

static void test_values(void **state)
{
    struct hand *h = *state;

    h->r = (struct op_result){.error = ENOSPC,
                              .has_status = true,
                              .guest_status = EAGAIN,
                              .data = 1,
                              .stopped = true};
    assert_true(value_holds(h, EXPECT_RESULT, ENOSPC));
    assert_true(value_holds(h, EXPECT_STATUS, EAGAIN));
    assert_true(value_holds(h, EXPECT_DATA, 1));
    assert_true(value_holds(h, EXPECT_POPULATED, 1));
    assert_true(value_holds(h, EXPECT_STOPPED, 1));
    assert_true(value_holds(h, EXPECT_CALLS, 4));
    assert_true(value_holds(h, EXPECT_ENTRIES, 3));
}

static void test_wrong_values(void **state)
{
    static const uint8_t kinds[] = {EXPECT_RESULT,    EXPECT_STATUS,  EXPECT_DATA,
                                    EXPECT_POPULATED, EXPECT_STOPPED, EXPECT_CALLS,
                                    EXPECT_ENTRIES};
    struct hand *h = *state;

    h->r = (struct op_result){.error = ENOSPC, .has_status = true, .data = 1, .stopped = true};
    for (size_t i = 0; i < sizeof(kinds); i++)
        assert_false(value_holds(h, kinds[i], 7));
    h->r.has_status = false;
    assert_false(value_holds(h, EXPECT_STATUS, 0)); /* told nothing is not told 0 */
}

static void test_sides(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    assert_true(holds(h, pages(EXPECT_SHARED, 0, 3, 1), 0));
    assert_false(holds(h, pages(EXPECT_SHARED, 0, 3, 2), 0));
    assert_int_equal(h->v.page, 4);
    assert_true(holds(h, pages(EXPECT_PRIVATE, 0, 0, 3), 0));
    assert_false(holds(h, pages(EXPECT_PRIVATE, 0, 2, 2), 0));
    assert_true(holds(h, pages(EXPECT_SHARED, 2, 0, 4), 0));
    assert_false(holds(h, pages(EXPECT_PRIVATE, 2, 0, 1), 0));
    h->page[3].is_populated = 0; /* only one of the two says so */
    hand_tell(h);
    assert_false(holds(h, pages(EXPECT_SHARED, 0, 3, 1), 0));
    assert_false(holds(h, pages(EXPECT_PRIVATE, 0, 3, 1), 0));
}

static void test_mapped(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    assert_true(holds(h, pages(EXPECT_MAPPED, 0, 3, 1), 0));
    assert_false(holds(h, pages(EXPECT_MAPPED, 0, 2, 2), 0));
    assert_true(holds(h, pages(EXPECT_UNMAPPED, 0, 0, 3), 0));
    assert_false(holds(h, pages(EXPECT_UNMAPPED, 0, 0, 4), 0));
    h->page[3].shared_frame = 31; /* mapped, on what was there before */
    hand_tell(h);
    assert_false(holds(h, pages(EXPECT_MAPPED, 0, 3, 1), 0));
    assert_false(holds(h, pages(EXPECT_UNMAPPED, 0, 3, 1), 0));
}

static void test_backed(void **state)
{
    struct hand *h = *state;
    struct expect backed = pages(EXPECT_BACKED, 0, 3, 1);
    struct expect unbacked = pages(EXPECT_UNBACKED, 0, 3, 1);

    hand_share(h, 3, 30);
    assert_true(holds(h, backed, 0));
    assert_false(holds(h, unbacked, 0));
    backed.value = unbacked.value = 1;
    assert_false(holds(h, backed, 0));
    assert_true(holds(h, unbacked, 0));
}

static void test_bad_range(void **state)
{
    assert_false(holds(*state, pages(EXPECT_SHARED, 0, 8, 1), 0));
    assert_false(holds(*state, pages(EXPECT_SHARED, 7, 0, 1), 0));
    assert_false(holds(*state, pages(EXPECT_UNMAPPED, 0, 0, 0), 0));
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/expect/" name, fn, hand_setup_attached, hand_teardown, NULL                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("values", test_values),
        T("wrong-values", test_wrong_values),
        T("shared-and-private", test_sides),
        T("mapped-and-unmapped", test_mapped),
        T("backed-and-unbacked", test_backed),
        T("range-outside", test_bad_range),
    };

    return cmocka_run_group_tests_name("model/expect", tests, NULL, NULL);
}
