/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The oracle on a shared side that is hugetlb: huge pages come as a whole and stay. */
#include "tests/model_hand.h"

enum { HUGE = 4 };

/* The shared side of region 0 is hugetlb: pages 0 to 3 are one huge page. */
static int setup(void **state)
{
    struct hand *h = calloc(1, sizeof(*h));

    if (!h)
        return -1;
    hand_machine(&h->m);
    h->m.regions[0].share = SHARE_HUGETLB;
    h->m.regions[0].huge_pages = HUGE;
    hand_new(h);
    hand_ready(h);
    hand_attach(h);
    *state = h;
    return h->bad ? -1 : 0;
}

/* Page 1 becomes shared; its huge page comes into being, and one page more where asked. */
static void share_huge(struct hand *h, bool one_more)
{
    hand_begin(h, hand_convert(0, 1, 1, false));
    hand_side(h, 1, false);
    hand_call(h);
    for (uint32_t i = 0; i < HUGE + (uint32_t)one_more; i++)
        h->page[i].shared_frame = 100 + i;
    hand_map(h, 0, 1, 101, RW);
    hand_call(h);
    h->page[1].is_populated = true;
    hand_end(h);
}

static void begin_private(struct hand *h)
{
    hand_begin(h, hand_convert(0, 1, 1, true));
    hand_side(h, 1, true);
    hand_call(h);
}

static void test_huge(void **state)
{
    struct hand *h = *state;

    share_huge(h, false);
    hand_fine(h);
    begin_private(h);
    hand_map(h, 0, 1, 0, NONE);
    h->page[1].is_populated = false;
    hand_end(h);
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
    share_huge(h, false); /* the frame that was there */
    hand_fine(h);
}

static void test_huge_next_one(void **state)
{
    struct hand *h = *state;

    share_huge(h, true);
    hand_expect(h, "S6");
}

static void test_huge_not_unmapped(void **state)
{
    struct hand *h = *state;

    share_huge(h, false);
    begin_private(h);
    h->page[1].is_populated = false;
    hand_end(h);
    hand_expect(h, "I1");
}

static void test_huge_dropped(void **state)
{
    struct hand *h = *state;

    share_huge(h, false);
    begin_private(h);
    hand_map(h, 0, 1, 0, NONE);
    hand_call(h);
    for (uint32_t i = 0; i < HUGE; i++)
        h->page[i].shared_frame = 0;
    h->page[1].is_populated = false;
    hand_end(h);
    hand_expect(h, "I4");
}

/* The old content is there again; zeros would be a part of a huge page that was punched. */
static void test_huge_content(void **state)
{
    struct hand *h = *state;
    struct op op = {.kind = OP_WRITE, .start = PAGE_SIZE_4K, .size = PAGE_SIZE_4K, .value = 9};

    share_huge(h, false);
    hand_begin(h, op);
    hand_end(h);
    begin_private(h);
    hand_map(h, 0, 1, 0, NONE);
    h->page[1].is_populated = false;
    hand_end(h);
    share_huge(h, false);
    op.kind = OP_READ;
    op.value = 0;
    hand_begin(h, op);
    h->r.data = 9;
    hand_end(h);
    hand_fine(h);
    hand_begin(h, op);
    hand_end(h);
    hand_expect(h, "D1");
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "model/hugetlb/" name, fn, setup, hand_teardown, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("both-ways", test_huge),
        TEST("next-huge-page", test_huge_next_one),
        TEST("not-unmapped", test_huge_not_unmapped),
        TEST("dropped", test_huge_dropped),
        TEST("content", test_huge_content),
    };

    return cmocka_run_group_tests_name("model/hugetlb", tests, NULL, NULL);
}
