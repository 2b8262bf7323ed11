/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of tests/test_model_rules.c: the rules about how an op may end, O1 to O12. */
#ifndef TESTS_MODEL_RULES_OUTCOMES_H
#define TESTS_MODEL_RULES_OUTCOMES_H

#include "tests/model_hand.h"

/* Rules that a test has seen fire; the last test compares with the list. */
static char fired[2048];

static void expect_rule(const struct hand *h, const char *rule)
{
    size_t used = strlen(fired);

    hand_expect(h, rule);
    snprintf(fired + used, sizeof(fired) - used, "%s\n", h->v.rule);
}

static void test_o1(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(4, 0, 1, true)); /* MMIO cannot be private */
    hand_end(h);
    expect_rule(h, "O1");
}

/* Page 3 to shared returns `error`, and nothing was done. */
static void share_fails(struct hand *h, int error, int failed, bool injected)
{
    hand_begin(h, hand_convert(0, 3, 1, false));
    if (failed)
        hand_failed(h, failed, injected, false);
    h->r.error = error;
    hand_end(h);
}

static void test_o2(void **state)
{
    share_fails(*state, ENOMEM, 0, false);
    expect_rule(*state, "O2");
}

static void test_o3(void **state)
{
    share_fails(*state, EIO, ENOMEM, true);
    expect_rule(*state, "O3");
}

static void test_o4(void **state)
{
    share_fails(*state, ENOSPC, ENOSPC, false);
    expect_rule(*state, "O4");
}

static void test_o5(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    hand_call(h);
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h);
    expect_rule(h, "O5");
}

static void test_o6(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    h->r.stopped = true;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
    hand_fine(h);
    hand_begin(h, hand_convert(0, 3, 1, false));
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
    expect_rule(h, "O6");
}

static void test_o7(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    h->r.stopped = true;
    hand_end(h);
    expect_rule(h, "O7");
}

static void test_o10(void **state)
{
    struct hand *h = *state;

    h->m.axis[AXIS_failure] = FAILURE_STOP;
    share_fails(h, ENOMEM, ENOMEM, true);
    expect_rule(h, "O10");
}

static void test_o9(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, true)); /* private already */
    hand_call(h);
    hand_end(h);
    expect_rule(h, "O9");
}

static void test_o11(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 2, 2, false));
    for (uint32_t i = 2; i < 4; i++) {
        hand_side(h, i, false);
        h->page[i].shared_frame = 20 + i;
        h->page[i].is_populated = 1;
        hand_map_run(h, 0, i, 1, 20 + i); /* page by page */
    }
    hand_call(h);
    hand_end(h);
    expect_rule(h, "O11");
}

static void test_o12(void **state)
{
    struct hand *h = *state;

    h->m.containers[0].entry_limit = h->c[0].entries;
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    hand_call(h);
    hand_failed(h, ENOSPC, false, false);
    hand_side(h, 3, true);
    hand_call(h);
    h->r.error = ENOSPC;
    hand_end(h);
    expect_rule(h, "O12");
}

#endif
