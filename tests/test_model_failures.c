/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed outcome 3 of design.md section 6: done with debt, undone (stopped:
 * test_model_stops.c). */
#include "tests/model_hand.h"

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 0, 1, false));
    hand_failed(h, EFAULT, true, false);
    hand_end(h); /* a failure is no success */
    assert_true(h->bad);
}

/* ---- outcome 3a: done, with debt ---- */
static void to_private_with_debt(struct hand *h)
{
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_call(h);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    hand_call(h);
    hand_failed_drop(h);
    hand_end(h);
}

static void test_debt(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    to_private_with_debt(h);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_DONE);
    assert_true(model_full_check(h->o, &h->v));
    /* An op elsewhere does not care. */
    hand_share(h, 5, 50);
    hand_fine(h);
}

static void test_debt_retried(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    to_private_with_debt(h);
    hand_begin(h, hand_convert(0, 3, 1, true)); /* private already: the drop is retried */
    h->page[3].shared_frame = 0;
    hand_call(h);
    hand_end(h);
    hand_fine(h);
}

static void test_debt_not_retried(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    to_private_with_debt(h);
    hand_begin(h, hand_convert(0, 3, 1, true)); /* B9: "already private", and nothing is done */
    hand_end(h);
    hand_expect(h, "I4");
}

static void test_debt_comes_alive(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    to_private_with_debt(h);
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    hand_map(h, 0, 3, 30, RW); /* the old frame with its old contents */
    h->page[3].is_populated = 1;
    hand_call(h);
    hand_end(h);
    hand_expect(h, "I4");
}

static void test_debt_another_frame(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    h->page[3].shared_frame = 31; /* what is left is not what was there */
    hand_call(h);
    hand_failed_drop(h);
    hand_end(h);
    hand_expect(h, "I4");
}

static void test_debt_without_failed_drop(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    hand_call(h);
    hand_failed(h, EFAULT, true, false); /* not of a drop: no excuse */
    hand_end(h);
    hand_expect(h, "I4");
}

/* Pages 3 and 5 are shared, 4 is private: two drops, one for each.
 *
 *   page        3 4 5
 *   before      S P S
 *   afterwards  P P P    the frames of 3 and 5 are still there
 */
static void two_left(struct hand *h)
{
    hand_share(h, 3, 30);
    hand_share(h, 5, 50);
    hand_begin(h, hand_convert(0, 3, 3, true));
    for (uint32_t page = 3; page <= 5; page += 2) {
        hand_side(h, page, true);
        hand_map(h, 0, page, 0, NONE);
        h->page[page].is_populated = 0;
    }
    hand_call(h);
    hand_failed_drop(h);
}

static void test_debt_of_two_drops(void **state)
{
    struct hand *h = *state;

    two_left(h);
    hand_failed_drop(h);
    hand_end(h);
    hand_fine(h);
}

static void test_debt_given_up_early(void **state)
{
    struct hand *h = *state;

    two_left(h);
    hand_end(h); /* one drop failed, the other was not tried */
    hand_expect(h, "I4");
}

static void test_debt_drop_made_good(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    hand_call(h);
    hand_failed_drop(h);
    h->r.failed[0].retried = h->r.failed[0].made_good = true;
    hand_end(h);
    hand_expect(h, "I4");
}

/* A signal that broke the drop off; it is tried again, and broken off again, or not. */
static void debt_after_signal(struct hand *h, bool retried)
{
    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    h->page[3].is_populated = 0;
    hand_call(h);
    for (int i = 0; i < 1 + retried; i++) {
        hand_failed_drop(h);
        h->r.failed[i].error = EINTR;
    }
    h->r.failed[0].retried = retried;
    hand_end(h);
}

static void test_debt_after_two_signals(void **state)
{
    debt_after_signal(*state, true);
    hand_fine(*state);
}

static void test_debt_after_one_signal(void **state)
{
    debt_after_signal(*state, false);
    hand_expect(*state, "I4");
}

/* ---- outcome 3b: failed, undone ---- */
static void test_undone(void **state)
{
    struct hand *h = *state;

    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    undo_share(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_UNDONE);
    assert_true(model_retry_must_succeed(h->o, &h->op));
}

static void test_undone_wrong_error(void **state)
{
    struct hand *h = *state;

    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    undo_share(h);
    h->r.error = EIO;
    hand_end(h);
    hand_expect(h, "O3");
}

/* A later failure is not the reason, unless it was the same call once more. */
static void undone_with_second_error(struct hand *h, bool retried)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    h->r.failed[0].retried = retried;
    hand_failed(h, EFAULT, true, true);
    undo_share(h);
    h->r.error = EFAULT;
    hand_end(h);
}

static void test_undone_second_error(void **state)
{
    undone_with_second_error(*state, false);
    hand_expect(*state, "O3");
}

static void test_undone_error_of_retry(void **state)
{
    undone_with_second_error(*state, true);
    hand_fine(*state);
}

/* "Try again", said a call. */
static void undone_after_eagain(struct hand *h, bool retried)
{
    half_share(h);
    hand_failed(h, EAGAIN, true, false);
    h->r.failed[0].retried = retried;
    undo_share(h);
    h->r.error = EAGAIN;
    hand_end(h);
}

static void test_undone_tried_twice(void **state)
{
    undone_after_eagain(*state, true);
    hand_fine(*state);
}

static void test_undone_tried_once(void **state)
{
    undone_after_eagain(*state, false);
    hand_expect(*state, "O2");
}

/* KVM_RUN fails twice, and nobody is told. */
static void undelivered_and_silent(struct hand *h, int second)
{
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_failed(h, EINTR, true, false);
    hand_failed(h, second, true, false);
    h->r.failed[0].retried = true;
    h->r.undelivered = true;
    hand_end(h);
}

static void test_undelivered_by_signals(void **state)
{
    undelivered_and_silent(*state, EINTR);
    hand_fine(*state);
}

static void test_undelivered_without_memory(void **state)
{
    undelivered_and_silent(*state, ENOMEM);
    hand_expect(*state, "O3");
}

static void test_undone_though_made_good(void **state)
{
    struct hand *h = *state;

    half_share(h);
    hand_failed(h, EFAULT, true, false);
    h->r.failed[0].retried = h->r.failed[0].made_good = true;
    undo_share(h);
    h->r.error = EFAULT;
    hand_end(h);
    hand_expect(h, "O4");
}

/* One thing is not put back: what == 1 attribute, 2 frame, 3 tracker, 4 fds. */
static void undone_but(struct hand *h, int what)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    undo_share(h);
    if (what == 1)
        hand_side(h, 3, false);
    if (what == 2)
        h->page[3].shared_frame = 31;
    if (what == 3)
        h->page[3].is_populated = 1;
    if (what == 4)
        h->totals.fds++;
    hand_call(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "O5");
}

static void test_undone_mapping(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "O5");
}

static void test_undone_attribute(void **state)
{
    undone_but(*state, 1);
}

static void test_undone_frame(void **state)
{
    undone_but(*state, 2);
}

static void test_undone_tracker(void **state)
{
    undone_but(*state, 3);
}

static void test_undone_fd(void **state)
{
    undone_but(*state, 4);
}

static void test_undone_to_private_lost_frame(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_begin(h, hand_convert(0, 3, 1, true));
    hand_side(h, 3, true);
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    h->page[3].shared_frame = 0; /* dropped before commit */
    hand_call(h);
    hand_side(h, 3, false);
    h->page[3].shared_frame = 31;
    hand_map(h, 0, 3, 31, RW);
    hand_failed(h, EFAULT, true, false);
    h->r.error = EFAULT;
    hand_end(h);
    hand_expect(h, "O5");
}

static void test_attach_undone(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    for (uint32_t i = 14; i < 18; i++)
        h->page[i].shared_frame = h->page[i + 8].shared_frame = 1000 + i;
    hand_map(h, 0, 14, 1014, RW);
    hand_call(h);
    hand_map(h, 0, 14, 0, NONE);
    hand_call(h);
    h->c[0].open = false;
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h); /* the shared pages that the pins touched may stay */
    hand_fine(h);
    hand_attach(h);
    hand_fine(h);
}

static void test_attach_left_open(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    hand_call(h);
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "S5");
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/failure/" name, fn, hand_setup_attached, hand_teardown, NULL                    \
    }
#define EMPTY(name, fn)                                                                        \
    {                                                                                          \
        "model/failure/" name, fn, hand_setup, hand_teardown, NULL                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("3a-debt", test_debt),
        T("3a-debt-retried", test_debt_retried),
        T("3a-debt-not-retried", test_debt_not_retried),
        T("3a-debt-comes-alive", test_debt_comes_alive),
        T("3a-debt-on-another-frame", test_debt_another_frame),
        T("3a-debt-of-two-drops", test_debt_of_two_drops),
        T("3a-debt-given-up-early", test_debt_given_up_early),
        T("3a-debt-needs-a-failed-drop", test_debt_without_failed_drop),
        T("3a-debt-drop-made-good", test_debt_drop_made_good),
        T("3a-debt-after-two-signals", test_debt_after_two_signals),
        T("3a-debt-after-one-signal", test_debt_after_one_signal),
        T("3b-undone", test_undone),
        T("3b-eagain-twice", test_undone_tried_twice),
        T("3b-eagain-once", test_undone_tried_once),
        T("undelivered-by-signals", test_undelivered_by_signals),
        T("undelivered-without-memory", test_undelivered_without_memory),
        T("3b-error-of-a-later-call", test_undone_second_error),
        T("3b-error-of-the-retry", test_undone_error_of_retry),
        T("3b-failure-that-was-made-good", test_undone_though_made_good),
        T("3b-wrong-error", test_undone_wrong_error),
        T("3b-mapping-left", test_undone_mapping),
        T("3b-attribute-left", test_undone_attribute),
        T("3b-frame-left", test_undone_frame),
        T("3b-tracker-left", test_undone_tracker),
        T("3b-fd-left", test_undone_fd),
        T("3b-live-frame-lost", test_undone_to_private_lost_frame),
        EMPTY("3b-attach-undone", test_attach_undone),
        EMPTY("3b-attach-left-open", test_attach_left_open),
    };

    return cmocka_run_group_tests_name("model/failure", tests, NULL, NULL);
}
