/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed outcome 3c of design.md section 6: when the VM may stop, must stop, and stays so. */
#include "tests/model_hand.h"

/* What was not stopped must not say that it was. */
static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 0, 1, false));
    h->r.stopped = true;
    hand_end(h);
    assert_true(h->bad);
}

static void stop(struct hand *h, bool in_undo)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    if (in_undo)
        hand_failed(h, EFAULT, true, true);
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
}

static void test_stop_in_undo(void **state)
{
    struct hand *h = *state;

    stop(h, true);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_STOPPED);
    assert_false(model_retry_must_succeed(h->o, &h->op));
    assert_true(model_full_check(h->o, &h->v));
}

static void test_stop_by_policy(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    stop(h, false);
    hand_fine(h);
}

static void stop_needlessly(struct hand *h, bool made_good)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    hand_failed(h, EFAULT, true, true);
    h->r.failed[1].late = true;
    h->r.failed[1].retried = h->r.failed[1].made_good = made_good;
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
    hand_expect(h, "O7");
}

/* In an undo a call said that it should be tried again. */
static void stop_after_eagain(struct hand *h, bool retried)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    hand_failed(h, EAGAIN, true, true);
    h->r.failed[1].retried = retried;
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
}

static void test_stop_after_second_eagain(void **state)
{
    stop_after_eagain(*state, true);
    hand_fine(*state);
}

static void test_stop_after_first_eagain(void **state)
{
    stop_after_eagain(*state, false);
    hand_expect(*state, "O7");
}

static void test_stop_though_undo_made_good(void **state)
{
    stop_needlessly(*state, true);
}

static void test_stop_without_second_try(void **state)
{
    stop_needlessly(*state, false);
}

/* In an undo the kernel ran out of memory, or was asked for what makes no sense. */
static void stop_after_natural(struct hand *h, int error)
{
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    hand_failed(h, error, false, true);
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
}

static void test_stop_after_natural_enomem(void **state)
{
    stop_after_natural(*state, ENOMEM);
    hand_fine(*state);
}

static void test_stop_after_natural_enospc(void **state)
{
    stop_after_natural(*state, ENOSPC);
    hand_expect(*state, "O7");
}

static void test_stop_after_natural_efault(void **state)
{
    stop_after_natural(*state, EFAULT);
    hand_expect(*state, "O7");
}

static void test_stop_after_own_mistake(void **state)
{
    stop_after_natural(*state, EINVAL);
    hand_expect(*state, "O7");
}

static void test_policy_stop_missing(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    half_share(h);
    hand_failed(h, ENOMEM, true, false);
    undo_share(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "O10");
}

/* The access went through, and then running the vCPU failed: nothing was converted. */
static void test_policy_no_conversion(void **state)
{
    struct hand *h = *state;
    struct op op = hand_convert(0, 3, 1, true);

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    op.via = VIA_FAULT; /* private already */
    hand_begin(h, op);
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_fine(h);
}

static void test_stop_without_leave(void **state)
{
    struct hand *h = *state;

    stop(h, false);
    hand_expect(h, "O7");
}

static void test_stop_of_refused(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    hand_begin(h, hand_convert(4, 0, 1, true));
    h->r.error = EINVAL;
    h->r.stopped = true;
    hand_end(h);
    hand_expect(h, "O7");
}

static void test_stop_with_success(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.stopped = true;
    hand_end(h);
    hand_expect(h, "O7");
}

static void test_after_stop(void **state)
{
    struct hand *h = *state;

    stop(h, true);
    for (int i = 0; i < OP_FAULT; i++) {
        hand_begin(h, (struct op){.kind = (uint8_t)i, .size = PAGE_SIZE_4K});
        h->r.error = EIO;
        h->r.response = RESPONSE_BUSY; /* where there is one */
        h->r.stopped = true;
        hand_end(h);
        hand_fine(h);
    }
    hand_begin(h, (struct op){.kind = OP_QUERY, .size = PAGE_SIZE_4K});
    h->r.stopped = true;
    hand_end(h);
    hand_expect(h, "O6");
}

static void test_after_stop_call(void **state)
{
    struct hand *h = *state;

    stop(h, true);
    hand_begin(h, hand_convert(0, 0, 1, false));
    hand_call(h);
    h->r.error = EIO;
    h->r.stopped = true;
    hand_end(h);
    hand_expect(h, "O6");
}

static void test_after_stop_runs_again(void **state)
{
    struct hand *h = *state;

    stop(h, true);
    hand_begin(h, hand_convert(0, 0, 1, false));
    h->r.error = EIO;
    hand_end(h);
    hand_expect(h, "O6");
}

static void test_after_stop_safety(void **state)
{
    struct hand *h = *state;

    stop(h, true);
    hand_begin(h, hand_convert(0, 0, 1, false));
    hand_map(h, 0, 3, 99, RW);
    hand_call(h);
    hand_expect(h, "S6");
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/stop/" name, fn, hand_setup_attached, hand_teardown, NULL                       \
    }
int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("3c-undo-made-good", test_stop_though_undo_made_good),
        T("3c-undo-not-tried-again", test_stop_without_second_try),
        T("3c-policy-says-stop", test_policy_stop_missing),
        T("3c-undo-failed", test_stop_in_undo),
        T("3c-undo-eagain-twice", test_stop_after_second_eagain),
        T("o7-undo-eagain-once", test_stop_after_first_eagain),
        T("3c-undo-ran-out-of-memory", test_stop_after_natural_enomem),
        T("o7-undo-ran-into-a-limit", test_stop_after_natural_enospc),
        T("o7-undo-mapped-what-is-private", test_stop_after_natural_efault),
        T("o7-undo-made-no-sense", test_stop_after_own_mistake),
        T("3c-policy", test_stop_by_policy),
        T("3c-policy-no-conversion", test_policy_no_conversion),
        T("3c-without-leave", test_stop_without_leave),
        T("3c-refused-request", test_stop_of_refused),
        T("3c-success", test_stop_with_success),
        T("3c-then-only-eio", test_after_stop),
        T("3c-then-no-call", test_after_stop_call),
        T("3c-then-runs-again", test_after_stop_runs_again),
        T("3c-then-still-safe", test_after_stop_safety),
    };

    return cmocka_run_group_tests_name("model/stop", tests, NULL, NULL);
}
