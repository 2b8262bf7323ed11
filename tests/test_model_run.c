/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapping=run as the oracle sees it: what is legal passes, each near miss has its rule. */
#include "tests/model_hand.h"

/* c0's entries before anything is shared: plain RAM twice, ROM. */
enum { PLAIN_ENTRIES = 3 };

/* Pages [first, first + n) of region 0 become shared, as one mapping on frames 100 + page. */
static void share(struct hand *h, uint32_t first, uint32_t n)
{
    hand_begin(h, hand_convert(0, first, n, false));
    for (uint32_t i = first; i < first + n; i++)
        hand_side(h, i, false);
    hand_call(h);
    for (uint32_t i = first; i < first + n; i++) {
        h->page[i].shared_frame = 100 + i;
        h->page[i].is_populated = 1;
    }
    hand_map_run(h, 0, first, n, 100 + first);
    hand_call(h);
    hand_end(h);
    hand_fine(h);
}

/* A request to private, up to where its mappings are unmapped: [first, first + n). */
static void begin_private(struct hand *h, uint32_t first, uint32_t n, uint32_t unmap_first,
                          uint32_t unmap_n, uint32_t n_mappings)
{
    hand_begin(h, hand_convert(0, first, n, true));
    for (uint32_t i = first; i < first + n; i++)
        hand_side(h, i, true);
    hand_call(h);
    hand_unmap_run(h, 0, unmap_first, unmap_n, n_mappings);
    hand_call(h);
}

static void end_private(struct hand *h, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        h->page[i].is_populated = 0;
    for (uint32_t i = first; i < first + n; i++)
        h->page[i].shared_frame = 0;
    hand_call(h);
    hand_end(h);
}

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 1, 0, 8, 1);
    end_private(h, 3, 1); /* what was cut off is not mapped again */
    hand_expect(h, "I2");
}

static void test_remap(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_map_run(h, 0, 0, 3, 100);
    hand_call(h);
    hand_map_run(h, 0, 5, 3, 105);
    hand_call(h);
    end_private(h, 3, 2);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
    assert_int_equal(h->c[0].entries, PLAIN_ENTRIES + 2);
}

/* Undone in other parts than before: rule 5 allows it. */
static void test_undone_otherwise(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_failed(h, ENOMEM, true, false);
    hand_map_run(h, 0, 0, 2, 100);
    hand_map_run(h, 0, 2, 6, 102);
    hand_side(h, 3, false);
    hand_side(h, 4, false);
    hand_call(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_UNDONE);
    assert_true(model_full_check(h->o, &h->v));
}

static void test_undone_with_a_hole(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_failed(h, ENOMEM, true, false);
    hand_map_run(h, 0, 0, 7, 100);
    hand_side(h, 3, false);
    hand_side(h, 4, false);
    hand_call(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "O5");
    assert_int_equal(h->v.page, 7);
}

/* A mapping beside the request that it does not cut. */
static void test_unmaps_too_much(void **state)
{
    struct hand *h = *state;

    share(h, 0, 4);
    share(h, 4, 4);
    begin_private(h, 0, 2, 0, 4, 1);
    hand_fine(h);
    hand_unmap_run(h, 0, 4, 4, 1);
    hand_call(h);
    hand_expect(h, "S6");
    assert_int_equal(h->v.page, 4);
}

static void test_remap_without_leave(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_split] = SPLIT_CUT; /* there neighbours stay mapped throughout */
    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_expect(h, "S6");
}

static void test_tail_on_wrong_frames(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_map_run(h, 0, 5, 3, 103);
    hand_call(h);
    hand_expect(h, "S2");
}

static void test_over_section_end(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 6, 4, false)); /* pages 8, 9 are region 1's */
    for (uint32_t i = 6; i < 10; i++) {
        hand_side(h, i, false);
        h->page[i].shared_frame = 100 + i;
    }
    hand_map_run(h, 0, 6, 4, 106);
    hand_call(h);
    hand_expect(h, "S4");
    assert_int_equal(h->v.page, 8);
}

static void test_entries_are_heads(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 0, 4, false));
    for (uint32_t i = 0; i < 4; i++) {
        hand_side(h, i, false);
        h->page[i].shared_frame = 100 + i;
    }
    hand_map_run(h, 0, 0, 4, 100);
    h->c[0].entries++;
    hand_call(h);
    hand_expect(h, "S5");
}

/* The head of a mapping that was there before changes: one that joined its neighbour. */
static void test_entries_follow_heads(void **state)
{
    struct hand *h = *state;

    share(h, 0, 4);
    share(h, 4, 4);
    hand_begin(h, hand_convert(1, 0, 1, false));
    h->map[0][4].head = false;
    hand_call(h);
    hand_expect(h, "S5");
}

static void test_tail_in_pieces(void **state)
{
    struct hand *h = *state;

    share(h, 0, 8);
    begin_private(h, 3, 2, 0, 8, 1);
    hand_map_run(h, 0, 0, 3, 100);
    hand_map_run(h, 0, 5, 1, 105);
    hand_map_run(h, 0, 6, 2, 106);
    hand_call(h);
    end_private(h, 3, 2);
    hand_expect(h, "O11");
    assert_int_equal(h->v.page, 6);
}

/* ---- split=refuse ---- */
static void claim(struct hand *h, struct op op, int error, const char *rule)
{
    hand_begin(h, op);
    h->r.error = error;
    hand_end(h);
    if (rule)
        hand_expect(h, rule);
    else
        hand_fine(h);
}

static void test_refuse(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_split] = SPLIT_REFUSE;
    share(h, 2, 4);
    claim(h, hand_convert(0, 3, 1, true), EOPNOTSUPP, NULL);
    assert_int_equal(model_outcome(h->o), MODEL_REJECTED);
    claim(h, hand_convert(0, 0, 3, true), EOPNOTSUPP, NULL);
    claim(h, hand_convert(0, 5, 3, true), EOPNOTSUPP, NULL);
    assert_false(model_retry_must_succeed(h->o, &h->op));
    claim(h, hand_convert(0, 0, 8, true), EOPNOTSUPP, "O2"); /* it cuts nothing */
}

static void test_refuse_but_done(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_split] = SPLIT_REFUSE;
    share(h, 2, 4);
    claim(h, hand_convert(0, 3, 1, true), 0, "O1");
}

static void test_refuse_after_a_call(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_split] = SPLIT_REFUSE;
    share(h, 2, 4);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_call(h);
    h->r.error = EOPNOTSUPP;
    hand_end(h);
    hand_expect(h, "O1");
}

/* ---- limits ---- */
static void limit(struct hand *h, uint32_t more)
{
    h->m.containers[0].entry_limit = h->c[0].entries + more;
}

/* One mapping becomes two: there is no room for it. */
static void test_limit_of_a_cut(void **state)
{
    struct hand *h = *state;

    share(h, 0, 4);
    share(h, 4, 4);
    limit(h, 0);
    claim(h, hand_convert(0, 1, 2, true), ENOSPC, NULL);
    assert_int_equal(model_outcome(h->o), MODEL_UNDONE);
    assert_false(model_retry_must_succeed(h->o, &h->op));
    /* At its end, and over two of them: as many as before. */
    claim(h, hand_convert(0, 6, 2, true), ENOSPC, "O2");
}

static void test_limit_of_two_cuts(void **state)
{
    struct hand *h = *state;

    share(h, 0, 4);
    share(h, 4, 4);
    limit(h, 0);
    claim(h, hand_convert(0, 2, 4, true), ENOSPC, "O2");
}

/* A run takes one entry, however long it is; none is shared by two sections. */
static void test_limit_of_runs(void **state)
{
    struct hand *h = *state;

    share(h, 2, 2);
    limit(h, 2);
    claim(h, hand_convert(0, 0, 10, false), ENOSPC, NULL); /* three runs */
    claim(h, hand_convert(0, 0, 8, false), ENOSPC, "O2");  /* two */
}

static void test_limit_of_one_section(void **state)
{
    struct hand *h = *state;

    limit(h, 1);
    claim(h, hand_convert(0, 0, 10, false), ENOSPC, NULL);
    claim(h, hand_convert(0, 0, 8, false), ENOSPC, "O2");
}

static void test_limit_of_an_attach(void **state)
{
    struct hand *h = *state;

    share(h, 0, 2);
    share(h, 2, 2);
    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    for (uint32_t i = 0; i < HAND_SLOTS; i++)
        h->map[0][i] = (struct view_mapping){.frame = 0};
    h->c[0] = (struct view_container){.open = false};
    hand_call(h);
    hand_end(h);
    hand_fine(h);
    h->m.containers[0].entry_limit = PLAIN_ENTRIES; /* one is missing: they are one run now */
    claim(h, (struct op){.kind = OP_ATTACH, .unit = 0}, ENOSPC, NULL);
    h->m.containers[0].entry_limit = PLAIN_ENTRIES + 1;
    claim(h, (struct op){.kind = OP_ATTACH, .unit = 0}, ENOSPC, "O2");
}

static void test_limit_after_a_map(void **state)
{
    struct hand *h = *state;

    limit(h, 1);
    hand_begin(h, hand_convert(0, 6, 4, false));
    for (uint32_t i = 6; i < 10; i++)
        hand_side(h, i, false);
    hand_call(h);
    for (uint32_t i = 6; i < 10; i++)
        hand_side(h, i, true);
    hand_call(h);
    h->r.error = ENOSPC;
    hand_end(h);
    hand_expect(h, "O12");
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/run/" name, fn, hand_setup_runs, hand_teardown, NULL                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error", test_deliberate_error),
        T("remap", test_remap),
        T("undone-otherwise", test_undone_otherwise),
        T("undone-with-a-hole", test_undone_with_a_hole),
        T("S6-unmaps-too-much", test_unmaps_too_much),
        T("S6-remap-without-leave", test_remap_without_leave),
        T("S2-tail-on-wrong-frames", test_tail_on_wrong_frames),
        T("S4-over-section-end", test_over_section_end),
        T("S5-entries-are-heads", test_entries_are_heads),
        T("S5-entries-follow-heads", test_entries_follow_heads),
        T("O11-tail-in-pieces", test_tail_in_pieces),
        T("refuse", test_refuse),
        T("refuse-but-done", test_refuse_but_done),
        T("refuse-after-a-call", test_refuse_after_a_call),
        T("limit-cut", test_limit_of_a_cut),
        T("limit-two-cuts", test_limit_of_two_cuts),
        T("limit-runs", test_limit_of_runs),
        T("limit-one-section", test_limit_of_one_section),
        T("limit-attach", test_limit_of_an_attach),
        T("limit-after-a-map", test_limit_after_a_map),
    };

    return cmocka_run_group_tests_name("model/run", tests, NULL, NULL);
}
