/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allowed outcomes 1-6 of design.md section 6: each legal one passes, each near miss is
 * refused by the rule that is meant for it.
 */
#include "tests/model_hand.h"

static uint64_t bytes(uint64_t pages)
{
    return pages * PAGE_SIZE_4K;
}

static struct op by_gpa(uint64_t page, uint64_t pages, bool to_private, uint8_t via)
{
    return (struct op){.kind = OP_CONVERT,
                       .region = OP_NO_REGION,
                       .to_private = to_private,
                       .via = via,
                       .start = bytes(page),
                       .size = bytes(pages)};
}

/* Begins an op that returns an error at once, having done nothing. */
static void refuse(struct hand *h, struct op op, int error)
{
    hand_begin(h, op);
    h->r.error = error;
    hand_end(h);
}

static void test_deliberate_error(void **state)
{
    struct hand *h = *state;

    refuse(h, hand_convert(0, 0, 1, false), EINVAL);
    assert_true(h->bad);
}

/* ---- outcome 1: refused ---- */
static void test_refused(void **state)
{
    static const struct {
        uint64_t start, size;
        bool to_private;
    } cases[] = {
        {PAGE_SIZE_4K * 16 + 1, PAGE_SIZE_4K, false}, /* misaligned */
        {PAGE_SIZE_4K * 16, PAGE_SIZE_4K + 1, false},
        {PAGE_SIZE_4K * 16, 0, true},
        {-(uint64_t)PAGE_SIZE_4K, 2 * PAGE_SIZE_4K, false}, /* wraps */
        {PAGE_SIZE_4K * 26, PAGE_SIZE_4K * 4, true},        /* into MMIO */
        {PAGE_SIZE_4K * 100, PAGE_SIZE_4K, true},           /* a hole */
        {PAGE_SIZE_4K * 40, PAGE_SIZE_4K, true},            /* plain RAM */
        {PAGE_SIZE_4K * 40, PAGE_SIZE_4K, false},
        {PAGE_SIZE_4K * 60, PAGE_SIZE_4K, false}, /* ROM */
        {PAGE_SIZE_4K * 20, PAGE_SIZE_4K * 30, false},
    };
    struct hand *h = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct op op = by_gpa(0, 0, cases[i].to_private, VIA_VMM);

        op.start = cases[i].start;
        op.size = cases[i].size;
        refuse(h, op, EINVAL);
        hand_fine(h);
        assert_int_equal(model_outcome(h->o), MODEL_REJECTED);
    }
}

static void test_accepted_holes(void **state)
{
    struct hand *h = *state;

    refuse(h, by_gpa(28, 2, false, VIA_VMM), 0);  /* B6: MMIO to shared: accepted, nothing */
    refuse(h, by_gpa(100, 9, false, VIA_VMM), 0); /* a hole */
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_DONE);
}

static void test_refused_but_accepted(void **state)
{
    struct hand *h = *state;

    refuse(h, by_gpa(28, 1, true, VIA_VMM), 0);
    hand_expect(h, "O1");
}

static void test_refused_wrong_errno(void **state)
{
    struct hand *h = *state;

    refuse(h, by_gpa(28, 1, true, VIA_VMM), ENOMEM);
    hand_expect(h, "O1");
}

static void test_refused_with_calls(void **state)
{
    struct hand *h = *state;

    hand_begin(h, by_gpa(28, 1, true, VIA_VMM));
    hand_call(h);
    h->r.error = EINVAL;
    hand_end(h);
    hand_expect(h, "O1");
}

static void test_refused_but_changed(void **state)
{
    struct hand *h = *state;

    hand_begin(h, by_gpa(26, 3, true, VIA_VMM));
    h->page[10].is_populated = 1; /* without any call */
    h->r.error = EINVAL;
    hand_end(h);
    hand_expect(h, "O5");
}

static void test_fault_goes_on(void **state)
{
    struct hand *h = *state;

    refuse(h, by_gpa(16, 1, true, VIA_FAULT), 0); /* is private already: no exit */
    refuse(h, by_gpa(40, 1, false, VIA_FAULT), 0);
    refuse(h, by_gpa(40, 1, true, VIA_FAULT), EINVAL);
    hand_fine(h);
    refuse(h, by_gpa(28, 1, true, VIA_FAULT), 0);
    hand_expect(h, "O1");
}

static void test_refused_status(void **state)
{
    struct hand *h = *state;

    hand_begin(h, by_gpa(28, 1, true, VIA_HYPERCALL));
    h->r = (struct op_result){.error = EINVAL, .has_status = true, .guest_status = EINVAL};
    hand_end(h);
    hand_fine(h);
    hand_begin(h, by_gpa(28, 1, true, VIA_HYPERCALL));
    h->r = (struct op_result){.error = EINVAL, .has_status = true, .guest_status = EAGAIN};
    hand_end(h);
    hand_expect(h, "I7");
}

static void test_attach_refused(void **state)
{
    struct hand *h = *state;

    refuse(h, (struct op){.kind = OP_ATTACH, .unit = 0}, EEXIST);
    refuse(h, (struct op){.kind = OP_DETACH, .unit = 2}, ENOENT);
    hand_fine(h);
    refuse(h, (struct op){.kind = OP_DETACH, .unit = 2}, 0);
    hand_expect(h, "O1");
}

static void test_listen_refused(void **state)
{
    struct hand *h = *state;
    struct op listen = {.kind = OP_LISTEN, .unit = 1, .region = 1, .size = bytes(4)};
    struct op outside = listen, mmio = listen, all = listen, forget = listen;

    outside.size = bytes(5); /* page 4 of region 1 has no address: first of all rules */
    mmio.region = 4;
    mmio.size = bytes(1);
    all.unit = 0;
    forget.kind = OP_UNLISTEN;
    refuse(h, outside, EINVAL);
    refuse(h, mmio, EINVAL);
    refuse(h, listen, ENODEV);
    refuse(h, all, EEXIST);
    refuse(h, forget, ENOENT);
    hand_fine(h);
    outside.start = 1;
    refuse(h, outside, ENODEV);
    hand_expect(h, "O1");
}

/* ---- outcome 2: nothing failed ---- */
static void test_done(void **state)
{
    struct hand *h = *state;

    hand_share(h, 3, 30);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_DONE);
    assert_int_equal(model_pages_changed(h->o), 1);
    assert_true(model_full_check(h->o, &h->v));
}

static void test_must_succeed(void **state)
{
    struct hand *h = *state;

    half_share(h);
    undo_share(h);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_expect(h, "O2");
}

static void test_detach_must_succeed(void **state)
{
    struct hand *h = *state;

    hand_begin(h, (struct op){.kind = OP_DETACH, .unit = 0});
    hand_failed(h, EFAULT, true, false);
    h->r.error = EFAULT;
    hand_end(h);
    hand_expect(h, "O2");
}

/* ---- outcome 4: limits ---- */
static void test_limit_refuses(void **state)
{
    struct hand *h = *state;

    h->m.containers[0].entry_limit = 3;
    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.error = ENOSPC; /* found out before anything was done: O12 */
    hand_end(h);
    hand_fine(h);
    assert_false(model_retry_must_succeed(h->o, &h->op));
}

static void test_memlock_refuses(void **state)
{
    struct hand *h = *state;

    h->m.memlock_pages = 10;
    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.error = ENOMEM; /* the ledger knew; no call was made */
    hand_end(h);
    hand_fine(h);
    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.error = ENOSPC;
    hand_end(h);
    hand_expect(h, "O3");
}

static void test_limit_excuse(void **state)
{
    struct hand *h = *state;

    h->m.containers[0].entry_limit = 4;
    half_share(h);
    undo_share(h);
    hand_failed(h, ENOSPC, false, false);
    h->r.error = ENOSPC;
    hand_end(h);
    hand_expect(h, "O4");
}

/* Every op's plan knows what it needs: the last page that fits, and one more. */
static void test_limit_of_listen(void **state)
{
    struct hand *h = *state;
    struct op listen = {.kind = OP_LISTEN, .unit = 1, .region = 2, .size = bytes(4)};

    h->m.containers[1].entry_limit = 2; /* two sections show region 2 */
    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 2});
    h->c[1].open = true;
    hand_end(h);
    hand_fine(h);
    assert_true(model_retry_must_succeed(h->o, &listen));
    h->m.containers[1].entry_limit = 1;
    assert_false(model_retry_must_succeed(h->o, &listen));
    h->m.containers[1].entry_limit = 2;
    h->m.memlock_pages = 17; /* c0 holds 10 */
    assert_false(model_retry_must_succeed(h->o, &listen));
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/outcome/" name, fn, hand_setup_attached, hand_teardown, NULL                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("deliberate-error-is-reported", test_deliberate_error),
        T("1-refused-by-the-table", test_refused),
        T("1-holes-and-mmio-to-shared", test_accepted_holes),
        T("1-accepted-what-must-be-refused", test_refused_but_accepted),
        T("1-wrong-errno", test_refused_wrong_errno),
        T("1-refused-after-calls", test_refused_with_calls),
        T("1-refused-and-changed", test_refused_but_changed),
        T("1-fault-that-goes-on", test_fault_goes_on),
        T("1-status", test_refused_status),
        T("1-attach-detach", test_attach_refused),
        T("1-listen-unlisten", test_listen_refused),
        T("2-done", test_done),
        T("2-failed-without-reason", test_must_succeed),
        T("2-detach-fails", test_detach_must_succeed),
        T("4-entry-limit", test_limit_refuses),
        T("4-memlock", test_memlock_refuses),
        T("4-limit-is-no-excuse", test_limit_excuse),
        T("4-limits-of-listen", test_limit_of_listen),
    };

    return cmocka_run_group_tests_name("model/outcome", tests, NULL, NULL);
}
