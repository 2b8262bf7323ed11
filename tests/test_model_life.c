/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The oracle on regions that go and come and on the reset of a guest. */
#include "tests/model_hand.h"

static struct op region_op(uint32_t kind, uint32_t region)
{
    return (struct op){.kind = (uint8_t)kind,
                       .region = (uint8_t)region,
                       .size = (uint64_t)hand_regions[region].n_pages * PAGE_SIZE_4K};
}

/* Page 3 is shared and mapped by c0, page 5 was touched as private. */
static int setup(void **state)
{
    struct hand *h;

    if (hand_setup_attached(state))
        return -1;
    h = *state;
    hand_share(h, 3, 30);
    hand_begin(h, (struct op){.kind = OP_WRITE,
                              .region = 0,
                              .start = 5 * PAGE_SIZE_4K,
                              .size = PAGE_SIZE_4K,
                              .value = 7});
    h->page[5].private_frame = 50;
    hand_end(h);
    return h->bad ? -1 : 0;
}

/* ---- a region goes ---- */
static void begin_remove(struct hand *h)
{
    hand_begin(h, region_op(OP_REMOVE, 0));
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
}

/* All is gone, but page `left` is seen like this. */
static void rest_of_remove(struct hand *h, uint32_t left, struct view_page seen)
{
    seen.is_plugged = 1;
    for (uint32_t i = 0; i < 8; i++)
        h->page[i] = (struct view_page){.is_plugged = 1};
    h->page[left] = seen;
    hand_call(h);
    hand_end(h);
}

static void removed(struct hand *h)
{
    begin_remove(h);
    rest_of_remove(h, 0, (struct view_page){.is_plugged = 1});
    hand_fine(h);
}

static void test_remove(void **state)
{
    struct hand *h = *state;

    removed(h);
    assert_int_equal(model_outcome(h->o), MODEL_DONE);
    assert_true(model_full_check(h->o, &h->v));
    hand_begin(h, region_op(OP_REMOVE, 0));
    h->r.error = ENOENT;
    hand_end(h);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_REJECTED);
}

static void test_freed_before_unmap(void **state)
{
    struct hand *h = *state;

    hand_begin(h, region_op(OP_REMOVE, 0));
    h->page[3].shared_frame = 0;
    hand_call(h);
    hand_expect(h, "S2");
}

static void test_mapping_stays(void **state)
{
    struct hand *h = *state;

    hand_begin(h, region_op(OP_REMOVE, 0));
    hand_end(h);
    assert_true(h->bad);
}

static void something_stays(struct hand *h, uint32_t page, struct view_page seen,
                            const char *rule)
{
    begin_remove(h);
    rest_of_remove(h, page, seen);
    hand_expect(h, rule);
}

static void test_attribute_stays(void **state)
{
    something_stays(*state, 6, (struct view_page){.is_private = 1}, "I3");
}

static void test_tracker_stays(void **state)
{
    something_stays(*state, 3, (struct view_page){.is_populated = 1}, "I3");
}

static void test_memory_stays(void **state)
{
    something_stays(*state, 5, (struct view_page){.private_frame = 50}, "I4");
}

static void test_other_region_unmapped(void **state)
{
    struct hand *h = *state;

    begin_remove(h);
    hand_map(h, 0, 14, 0, NONE);
    hand_call(h);
    hand_expect(h, "S6");
}

static void remove_fails(struct hand *h, bool undone, bool stopped)
{
    begin_remove(h);
    hand_failed(h, ENOMEM, true, false);
    if (undone) {
        hand_map(h, 0, 3, 30, RW);
        hand_call(h);
    }
    h->r.error = ENOMEM;
    h->r.stopped = stopped;
    hand_end(h);
}

static void test_remove_undone(void **state)
{
    struct hand *h = *state;

    remove_fails(h, true, false);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_UNDONE);
    assert_true(model_retry_must_succeed(h->o, &h->op));
}

static void test_remove_not_undone(void **state)
{
    remove_fails(*state, false, false);
    hand_expect(*state, "O5");
}

static void test_remove_stops(void **state)
{
    remove_fails(*state, false, true);
    hand_expect(*state, "O7");
}

/* ---- what is done to a region that is away ---- */
static void test_absent(void **state)
{
    struct hand *h = *state;
    struct op op = {.start = 0, .size = PAGE_SIZE_4K};

    removed(h);
    hand_refused(h, hand_convert(0, 1, 1, true), EINVAL);
    op.kind = OP_QUERY;
    hand_begin(h, op);
    h->r.error = EINVAL;
    hand_end(h);
    hand_fine(h);
    op.unit = 1;
    op.kind = OP_UNLISTEN;
    hand_refused(h, op, EINVAL);
    op.kind = OP_LISTEN;
    hand_refused(h, op, EINVAL);
    hand_begin(h, hand_convert(0, 1, 1, false)); /* a hole */
    hand_end(h);
    hand_fine(h);
}

static void test_absent_is_converted(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, hand_convert(0, 1, 1, true));
    hand_end(h);
    hand_expect(h, "O1");
}

static void test_absent_is_mapped(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, region_op(OP_ADD, 2));
    hand_map(h, 0, 3, 31, RW);
    hand_call(h);
    hand_expect(h, "S4");
}

static void test_absent_has_attribute(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, hand_convert(0, 1, 1, false));
    hand_side(h, 1, true);
    hand_call(h);
    hand_expect(h, "S6");
}

/* ---- it comes again ---- */
static void test_add(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, region_op(OP_ADD, 0));
    for (uint32_t i = 0; i < 8; i++)
        h->page[i].is_private = true;
    hand_call(h);
    hand_end(h);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
    hand_refused(h, region_op(OP_ADD, 0), EEXIST);
    hand_share(h, 3, 31);
    hand_fine(h);
}

static void test_add_shared(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, region_op(OP_ADD, 0));
    hand_end(h);
    hand_expect(h, "I3");
}

static void test_add_with_old_memory(void **state)
{
    struct hand *h = *state;

    removed(h);
    hand_begin(h, region_op(OP_ADD, 0));
    for (uint32_t i = 0; i < 8; i++)
        h->page[i].is_private = true;
    h->page[5].private_frame = 50;
    hand_end(h);
    hand_expect(h, "I4");
}

static void remove_plain(struct hand *h)
{
    hand_begin(h, region_op(OP_REMOVE, 2));
    for (uint32_t i = 0; i < 4; i++) {
        hand_map(h, 0, 14 + i, 0, NONE);
        hand_map(h, 0, 22 + i, 0, NONE);
    }
    hand_call(h);
    for (uint32_t i = 0; i < 4; i++)
        h->page[14 + i].shared_frame = h->page[22 + i].shared_frame = 0;
    for (uint32_t i = 0; i < 4; i++)
        h->page[14 + i].is_populated = h->page[22 + i].is_populated = false;
    hand_end(h);
    hand_fine(h);
}

/* Plain memory is mapped at once, at both its addresses; or a listener was forgotten. */
static void add_plain(struct hand *h, bool at_both)
{
    remove_plain(h);
    hand_begin(h, region_op(OP_ADD, 2));
    for (uint32_t i = 0; i < 4; i++) {
        h->page[14 + i].shared_frame = h->page[22 + i].shared_frame = 2000 + i;
        hand_map(h, 0, 14 + i, 2000 + i, RW);
        if (at_both)
            hand_map(h, 0, 22 + i, 2000 + i, RW);
    }
    hand_end(h);
}

static void test_add_plain(void **state)
{
    struct hand *h = *state;

    add_plain(h, true);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
}

static void test_add_forgets_listener(void **state)
{
    add_plain(*state, false);
    hand_expect(*state, "I2");
}

/* It does not fit: that is known before anything is made, be it undone or not. */
static void test_add_over_the_limit(void **state)
{
    struct hand *h = *state;

    remove_plain(h);
    h->m.containers[0].entry_limit = h->c[0].entries + 1; /* it has two addresses */
    for (int calls = 0; calls < 2; calls++) {
        hand_begin(h, region_op(OP_ADD, 2));
        if (calls)
            hand_call(h);
        h->r.error = ENOSPC;
        hand_end(h);
        if (!calls)
            hand_fine(h);
    }
    hand_expect(h, "O12");
}

/* ---- reset ---- */
static void begin_reset(struct hand *h)
{
    hand_begin(h, (struct op){.kind = OP_RESET});
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    h->page[5].private_frame = 0;
    hand_call(h);
    h->page[3].is_private = true;
    hand_call(h);
    h->page[3].is_populated = false;
}

/* It is done, but page `left` is seen like this. */
static void something_survives(struct hand *h, uint32_t left, struct view_page seen,
                               const char *rule)
{
    seen.is_private = seen.is_plugged = 1;
    begin_reset(h);
    h->page[3].shared_frame = 0;
    h->page[left] = seen;
    hand_end(h);
    hand_expect(h, rule);
}

static void test_reset(void **state)
{
    struct hand *h = *state;

    begin_reset(h);
    h->page[3].shared_frame = 0;
    hand_end(h);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
    hand_begin(
        h, (struct op){
               .kind = OP_READ, .region = 0, .start = 5 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K});
    h->page[5].private_frame = 51;
    h->r.data = 7; /* of the old guest */
    hand_end(h);
    hand_expect(h, "D1");
}

static void test_reset_forgets_tracker(void **state)
{
    something_survives(*state, 3, (struct view_page){.is_populated = 1}, "I3");
}

static void test_reset_forgets_unmap(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_RESET});
    h->page[3].is_private = true;
    hand_call(h);
    hand_expect(h, "S1");
}

static void test_reset_keeps_private(void **state)
{
    something_survives(*state, 5, (struct view_page){.private_frame = 50}, "I4");
}

static void test_reset_keeps_shared(void **state)
{
    something_survives(*state, 3, (struct view_page){.shared_frame = 30}, "I4");
}

static void test_reset_debt(void **state)
{
    struct hand *h = *state;

    begin_reset(h);
    hand_failed_drop(h);
    hand_end(h);
    hand_fine(h);
}

static void test_reset_unmaps_plain(void **state)
{
    struct hand *h = *state;

    begin_reset(h);
    hand_map(h, 0, 14, 0, NONE);
    hand_call(h);
    hand_expect(h, "S6");
}

static void test_reset_not_undone(void **state)
{
    struct hand *h = *state;

    begin_reset(h);
    hand_failed(h, EFAULT, true, false);
    h->r.error = EFAULT;
    hand_end(h);
    hand_expect(h, "O5");
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "model/life/" name, fn, setup, hand_teardown, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("remove", test_remove),
        TEST("freed-before-unmap", test_freed_before_unmap),
        TEST("mapping-stays", test_mapping_stays),
        TEST("attribute-stays", test_attribute_stays),
        TEST("tracker-stays", test_tracker_stays),
        TEST("memory-stays", test_memory_stays),
        TEST("other-region-unmapped", test_other_region_unmapped),
        TEST("remove-undone", test_remove_undone),
        TEST("remove-not-undone", test_remove_not_undone),
        TEST("remove-stops", test_remove_stops),
        TEST("absent", test_absent),
        TEST("absent-is-converted", test_absent_is_converted),
        TEST("absent-is-mapped", test_absent_is_mapped),
        TEST("absent-has-attribute", test_absent_has_attribute),
        TEST("add", test_add),
        TEST("add-shared", test_add_shared),
        TEST("add-with-old-memory", test_add_with_old_memory),
        TEST("add-plain", test_add_plain),
        TEST("add-forgets-listener", test_add_forgets_listener),
        TEST("add-over-the-limit", test_add_over_the_limit),
        TEST("reset", test_reset),
        TEST("reset-forgets-tracker", test_reset_forgets_tracker),
        TEST("reset-forgets-unmap", test_reset_forgets_unmap),
        TEST("reset-keeps-private", test_reset_keeps_private),
        TEST("reset-keeps-shared", test_reset_keeps_shared),
        TEST("reset-debt", test_reset_debt),
        TEST("reset-unmaps-plain", test_reset_unmaps_plain),
        TEST("reset-not-undone", test_reset_not_undone),
    };

    return cmocka_run_group_tests_name("model/life", tests, NULL, NULL);
}
