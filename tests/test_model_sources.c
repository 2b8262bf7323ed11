/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The oracle on sources of others, which hold pages back from devices. */
#include "tests/model_hand.h"

static struct op source_add(uint32_t region, uint32_t first, uint32_t n)
{
    return (struct op){.kind = OP_SOURCE_ADD,
                       .region = (uint8_t)region,
                       .start = (uint64_t)first * PAGE_SIZE_4K,
                       .size = (uint64_t)n * PAGE_SIZE_4K};
}

static struct op source_remove(uint32_t region)
{
    return (struct op){.kind = OP_SOURCE_REMOVE,
                       .region = (uint8_t)region,
                       .size = (uint64_t)hand_regions[region].n_pages * PAGE_SIZE_4K};
}

/* Pages 3 and 4 are shared and mapped by c0. */
static int setup(void **state)
{
    struct hand *h;

    if (hand_setup_attached(state))
        return -1;
    h = *state;
    hand_share(h, 3, 30);
    hand_share(h, 4, 40);
    return h->bad ? -1 : 0;
}

/* Page 3 is held back. */
static void held(struct hand *h)
{
    hand_begin(h, source_add(0, 2, 2));
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    hand_end(h);
    hand_fine(h);
}

static void test_add_and_remove(void **state)
{
    struct hand *h = *state;

    held(h);
    assert_int_equal(model_outcome(h->o), MODEL_DONE);
    assert_true(model_full_check(h->o, &h->v));
    hand_refused(h, source_add(0, 6, 1), EEXIST);
    hand_begin(h, source_remove(0));
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    hand_end(h);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
    hand_refused(h, source_remove(0), ENOENT);
}

static void test_refusals(void **state)
{
    struct hand *h = *state;

    hand_refused(h, source_remove(1), ENOENT);
    hand_refused(h, source_add(2, 0, 1), EINVAL);
    hand_refused(h, source_remove(3), EINVAL);
    held(h);
    hand_begin(h, source_add(0, 6, 1));
    hand_end(h);
    hand_expect(h, "O1");
}

static void test_add_must_unmap(void **state)
{
    struct hand *h = *state;

    hand_begin(h, source_add(0, 2, 2));
    hand_end(h);
    hand_expect(h, "I1");
    assert_non_null(strstr(h->v.detail, "a source holds the page back"));
}

static void test_remove_must_map(void **state)
{
    struct hand *h = *state;

    held(h);
    hand_begin(h, source_remove(0));
    hand_end(h);
    hand_expect(h, "I2");
}

static void test_add_unmaps_no_more(void **state)
{
    struct hand *h = *state;

    hand_begin(h, source_add(0, 2, 2));
    hand_map(h, 0, 4, 0, NONE);
    hand_call(h);
    hand_expect(h, "S6");
}

static void test_what_is_held_is_not_mapped(void **state)
{
    struct hand *h = *state;

    held(h);
    hand_begin(h, hand_convert(0, 2, 1, false));
    hand_side(h, 2, false);
    hand_call(h);
    h->page[2].shared_frame = 20;
    hand_map(h, 0, 2, 20, RW);
    h->page[2].is_populated = true;
    hand_call(h);
    hand_end(h);
    hand_expect(h, "I1");
}

static void test_query(void **state)
{
    struct hand *h = *state;

    held(h);
    hand_begin(h,
               (struct op){.kind = OP_QUERY, .start = 3 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K});
    h->r.data = 1;
    hand_end(h);
    hand_expect(h, "D2");
}

/* A removal that failed left the page unmapped: as it was; half of it done is not. */
static void test_remove_fails(void **state)
{
    struct hand *h = *state;

    held(h);
    for (int half = 0; half < 2; half++) {
        hand_begin(h, source_remove(0));
        hand_failed(h, ENOMEM, true, false);
        if (half)
            hand_map(h, 0, 3, 30, RW);
        hand_call(h);
        h->r.error = ENOMEM;
        hand_end(h);
        if (!half)
            hand_fine(h);
    }
    hand_expect(h, "O5");
}

/* Whoever comes back finds the pages of the region as they were declared. */
static void test_goes_with_the_region(void **state)
{
    struct hand *h = *state;

    held(h);
    hand_begin(h, (struct op){.kind = OP_REMOVE, .size = 8 * PAGE_SIZE_4K});
    hand_map(h, 0, 4, 0, NONE);
    hand_call(h);
    for (uint32_t i = 0; i < 8; i++)
        h->page[i] = (struct view_page){.is_plugged = 1};
    hand_call(h);
    hand_end(h);
    hand_fine(h);
    hand_refused(h, source_add(0, 2, 2), EINVAL);
    assert_true(model_full_check(h->o, &h->v));
}

/* ---- mapping=run ---- */
static int setup_runs(void **state)
{
    struct hand *h;

    if (hand_setup_runs(state))
        return -1;
    h = *state;
    hand_begin(h, hand_convert(0, 2, 4, false));
    for (uint32_t i = 2; i < 6; i++)
        hand_side(h, i, false);
    hand_call(h);
    for (uint32_t i = 2; i < 6; i++) {
        h->page[i].shared_frame = 10 * i;
        h->page[i].is_populated = true;
    }
    hand_map_run(h, 0, 2, 4, 20);
    for (uint32_t i = 2; i < 6; i++)
        h->map[0][i].frame = 10 * i;
    hand_call(h);
    hand_end(h);
    hand_fine(h);
    return 0;
}

/* The whole mapping goes, and comes again without page 3, as two. */
static void cut_out_page_3(struct hand *h, bool joined)
{
    hand_begin(h, source_add(0, 3, 1));
    hand_unmap_run(h, 0, 2, 4, 1);
    hand_call(h);
    hand_map_run(h, 0, 2, 1, 20);
    hand_map_run(h, 0, 4, 2, 40);
    h->map[0][5].frame = 50;
    if (!joined) {
        h->map[0][5].head = true;
        h->c[0].entries++;
    }
    hand_call(h);
    hand_end(h);
}

static void test_cut(void **state)
{
    struct hand *h = *state;

    cut_out_page_3(h, true);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
}

static void test_cut_in_pieces(void **state)
{
    struct hand *h = *state;

    cut_out_page_3(h, false);
    hand_expect(h, "O11");
}

static void test_split_refuse(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_split] = SPLIT_REFUSE;
    hand_refused(h, source_add(0, 3, 1), EOPNOTSUPP);
    hand_begin(h, source_add(0, 2, 4)); /* the whole mapping may go */
    hand_unmap_run(h, 0, 2, 4, 1);
    hand_call(h);
    hand_end(h);
    hand_fine(h);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "model/sources/" name, fn, setup, hand_teardown, NULL                                  \
    }
#define RUNS(name, fn)                                                                         \
    {                                                                                          \
        "model/sources/" name, fn, setup_runs, hand_teardown, NULL                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("add-must-unmap", test_add_must_unmap), /* the first one breaks a rule */
        TEST("add-and-remove", test_add_and_remove),
        TEST("refusals", test_refusals),
        TEST("remove-must-map", test_remove_must_map),
        TEST("add-unmaps-no-more", test_add_unmaps_no_more),
        TEST("what-is-held-is-not-mapped", test_what_is_held_is_not_mapped),
        TEST("query", test_query),
        TEST("remove-fails", test_remove_fails),
        TEST("goes-with-the-region", test_goes_with_the_region),
        RUNS("cut", test_cut),
        RUNS("cut-in-pieces", test_cut_in_pieces),
        RUNS("split-refuse", test_split_refuse),
    };

    return cmocka_run_group_tests_name("model/sources", tests, NULL, NULL);
}
