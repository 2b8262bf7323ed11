/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The oracle on mode=inplace: one frame a page, and someone else's references to it. */
#include "tests/model_hand.h"

/* Page 3 becomes shared on `frame`; where it is not 0 it was there before. */
static void share(struct hand *h, uint32_t slot, uint32_t frame)
{
    hand_begin(h, hand_convert(0, slot, 1, false));
    hand_flip(h, slot, false);
    hand_call(h);
    if (!h->page[slot].shared_frame)
        h->page[slot].shared_frame = frame;
    hand_map(h, 0, slot, h->page[slot].shared_frame, RW);
    hand_call(h);
    h->page[slot].is_populated = true;
    hand_end(h);
    hand_fine(h);
}

/* Unmapped, and private as the kernel says; the tracker does not know yet. */
static void half_private(struct hand *h, uint32_t slot)
{
    hand_begin(h, hand_convert(0, slot, 1, true));
    hand_map(h, 0, slot, 0, NONE);
    hand_call(h);
    hand_flip(h, slot, true);
    hand_call(h);
}

static void pin(struct hand *h, uint32_t slot)
{
    hand_begin(h, hand_pin(OP_PIN, slot, 1));
    h->others++;
    hand_end(h);
    hand_fine(h);
}

/* The kernel would not make pages [3, 5) private, as one of them is in use. */
static void refused(struct hand *h, uint32_t blocked)
{
    hand_begin(h, hand_convert(0, 3, 2, true));
    hand_map(h, 0, 3, 0, NONE);
    hand_map(h, 0, 4, 0, NONE);
    hand_call(h);
    hand_failed(h, EAGAIN, false, false);
    hand_failed(h, EAGAIN, false, true);
    hand_call(h);
    hand_map(h, 0, 3, 30, RW);
    hand_map(h, 0, 4, 40, RW);
    hand_call(h);
    h->r.error = EAGAIN;
    h->r.blocked_page = blocked;
    hand_end(h);
}

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_end(h);
    assert_true(h->bad);
}

static void test_both_ways(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    half_private(h, 3);
    h->page[3].is_populated = false;
    hand_end(h);
    hand_fine(h);
    share(h, 3, 0);
    assert_int_equal(h->page[3].shared_frame, 30);
}

/* In place there is no order=attribute-first: the frame that the device has is private. */
static void test_attribute_before_unmap(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_flip(h, 3, true);
    hand_call(h);
    hand_expect(h, "S1");
}

static void test_mapped_before_attribute(void **state)
{
    struct hand *h = *state;

    h->page[3].private_frame = 30;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    hand_expect(h, "S1");
}

/* The frame goes: neither before the conversion, nor in it, nor after. */
static void test_frame_is_dropped(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    half_private(h, 3);
    h->page[3].private_frame = 0; /* "the old side" */
    hand_call(h);
    hand_expect(h, "S3");
}

static void test_frame_is_replaced(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_map(h, 0, 3, 0, NONE);
    hand_flip(h, 3, true);
    h->page[3].private_frame = 31;
    hand_call(h);
    hand_expect(h, "S3");
}

static void test_frame_outside(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    h->page[5].private_frame = 50;
    hand_map(h, 0, 3, 0, NONE);
    hand_flip(h, 3, true);
    h->page[3].is_populated = false;
    hand_call(h);
    hand_end(h);
    hand_expect(h, "S6");
}

/* What was written before is read after. */
static void read_after(struct hand *h, uint64_t token)
{
    h->page[3].private_frame = 30;
    hand_begin(
        h, (struct op){
               .kind = OP_WRITE, .start = 3 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K, .value = 77});
    hand_end(h);
    share(h, 3, 0);
    hand_begin(h,
               (struct op){.kind = OP_READ, .start = 3 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K});
    h->r.data = token;
    hand_end(h);
}

static void test_content_is_kept(void **state)
{
    read_after(*state, 77);
    hand_fine(*state);
}

static void test_content_is_lost(void **state)
{
    read_after(*state, 0);
    hand_expect(*state, "D1");
}

static void test_pin_rows(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    pin(h, 3);
    hand_begin(h, hand_pin(OP_PIN, 3, 1));
    h->r.error = EEXIST;
    hand_end(h);
    hand_begin(h, hand_pin(OP_PIN, 3, 2));
    h->r.error = EEXIST; /* page 3 comes first */
    hand_end(h);
    hand_begin(h, hand_pin(OP_PIN, 4, 1));
    h->r.error = EFAULT;
    hand_end(h);
    hand_begin(h, hand_pin(OP_UNPIN, 3, 2));
    h->r.error = ENOENT;
    hand_end(h);
    hand_fine(h);
    hand_begin(h, hand_pin(OP_UNPIN, 3, 1));
    h->others--;
    hand_end(h);
    hand_fine(h);
    hand_begin(h, hand_pin(OP_UNPIN, 3, 1));
    hand_end(h);
    hand_expect(h, "P1");
}

static void test_held_page_becomes_private(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    pin(h, 3);
    half_private(h, 3);
    h->page[3].is_populated = false;
    hand_end(h);
    hand_expect(h, "P1");
}

static void test_pin_that_nobody_counts(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    hand_begin(h, hand_pin(OP_PIN, 3, 1));
    hand_end(h);
    hand_expect(h, "S5");
}

static void test_in_use(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    share(h, 4, 40);
    pin(h, 4);
    refused(h, 4);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_UNDONE);
    assert_false(model_retry_must_succeed(h->o, &h->op));
    h->op = hand_convert(0, 3, 1, true);
    assert_true(model_retry_must_succeed(h->o, &h->op));
}

static void test_in_use_is_no_excuse(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    share(h, 4, 40);
    refused(h, MODEL_NO_PAGE);
    hand_expect(h, "O4");
}

static void test_wrong_page_named(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    share(h, 4, 40);
    pin(h, 3);
    pin(h, 4);
    refused(h, 4); /* 3 comes first */
    hand_expect(h, "D3");
}

static void test_nobody_named(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    share(h, 4, 40);
    pin(h, 3);
    refused(h, MODEL_NO_PAGE);
    hand_expect(h, "D3");
}

/* A page in use refuses a request; that is no undo which failed. */
static void test_must_not_stop(void **state)
{
    struct hand *h = *state;

    share(h, 3, 30);
    pin(h, 3);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    hand_failed(h, EAGAIN, false, false);
    hand_failed(h, EAGAIN, false, true);
    h->r.error = EAGAIN;
    h->r.stopped = true;
    h->r.blocked_page = 3;
    hand_end(h);
    hand_expect(h, "O7");
}

static void test_expectation(void **state)
{
    struct hand *h = *state;
    struct expect e = {.kind = EXPECT_BLOCKED, .start = 4 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K};

    share(h, 3, 30);
    share(h, 4, 40);
    pin(h, 4);
    refused(h, 4);
    assert_true(model_expect(h->o, &e, &h->r, 0, &h->v));
    e.start = 3 * PAGE_SIZE_4K;
    assert_false(model_expect(h->o, &e, &h->r, 0, &h->v));
    h->r.blocked_page = MODEL_NO_PAGE;
    assert_false(model_expect(h->o, &e, &h->r, 0, &h->v));
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/inplace/" name, fn, hand_setup_inplace, hand_teardown, NULL                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("both-ways", test_both_ways),
        T("S1-attribute-before-unmap", test_attribute_before_unmap),
        T("S1-mapped-before-attribute", test_mapped_before_attribute),
        T("S3-frame-is-dropped", test_frame_is_dropped),
        T("S3-frame-is-replaced", test_frame_is_replaced),
        T("S6-frame-outside", test_frame_outside),
        T("content-is-kept", test_content_is_kept),
        T("D1-content-is-lost", test_content_is_lost),
        T("P1-rows", test_pin_rows),
        T("P1-held-page-becomes-private", test_held_page_becomes_private),
        T("S5-pin-that-nobody-counts", test_pin_that_nobody_counts),
        T("in-use", test_in_use),
        T("O4-not-in-use", test_in_use_is_no_excuse),
        T("D3-wrong-page", test_wrong_page_named),
        T("D3-nobody", test_nobody_named),
        T("O7-must-not-stop", test_must_not_stop),
        T("E1-blocked", test_expectation),
    };

    return cmocka_run_group_tests_name("model/inplace", tests, NULL, NULL);
}
