/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the several-sources manager promises (behaviour.md 1.6, the unit tests it was merged
 * with), in our words: 18 facts, each about sets of pages. anything_wrong() compares all
 * listeners and the manager's own answers with the AND over the sources after every step.
 */
#include "tests/discard_fixture.h"

struct runs {
    char text[LOG_SIZE];
    int fails_at; /* the n-th call fails, 0: none */
};

static int note_run(void *opaque, uint64_t first, uint64_t end)
{
    struct runs *r = opaque;
    size_t used = strlen(r->text);

    snprintf(r->text + used, LOG_SIZE - used, "%d..%d ", (int)first, (int)end);
    return r->fails_at && --r->fails_at == 0 ? -ENOMEM : 0;
}

static const char *replayed(struct runs *r, bool populated, uint64_t first, uint64_t end)
{
    *r = (struct runs){0};
    assert_int_equal(discard_manager_replay_runs(&manager, first, end, populated, note_run, r),
                     0);
    return r->text;
}

static bool is_populated(uint64_t first, uint64_t end)
{
    return discard_manager_is_populated(&manager, first, end);
}

/* 1 */
static void one_source_decides(void **state)
{
    (void)state;
    start("................", 0, 8, 8, 16);
    assert_false(is_populated(0, 16));
    assert_int_equal(change(&attributes, 4, 8, true), 0);
    assert_true(is_populated(4, 8));
    assert_false(is_populated(4, 9));
    assert_false(is_populated(3, 8));
    assert_int_equal(remove_source(&attributes), 0);
    assert_true(is_populated(0, 16));
}

/* 2:  source  .SS...SSS.......   a hears both runs, and later exactly what changes */
static void a_listener_follows_one_source(void **state)
{
    (void)state;
    start(".SS...SSS.......", 0, 16, 0, 16);
    assert_int_equal(add(&a), 0);
    assert_string_equal(heard, "a populate 1..3; a populate 6..9; ");
    assert_null(anything_wrong());
    heard[0] = '\0';
    assert_int_equal(change(&attributes, 12, 14, true), 0);
    assert_int_equal(change(&attributes, 7, 8, false), 0);
    assert_string_equal(heard, "a populate 12..14; a discard 7..8; ");
    assert_null(anything_wrong());
}

/* 3 */
static void two_sources_must_agree(void **state)
{
    (void)state;
    start("SSSSSSSS........", 0, 8, 8, 16);
    assert_int_equal(add_source(&other, "....SSSSSSSS...."), 0);
    assert_true(is_populated(4, 8));
    assert_false(is_populated(0, 4));
    assert_false(is_populated(8, 12));
    assert_false(is_populated(12, 16));
    assert_null(anything_wrong());
}

/* 4: the finest blocks count */
static void granularity_is_the_smallest(void **state)
{
    (void)state;
    start_empty(0, 8, 8, 16);
    assert_int_equal(discard_manager_granularity(&manager), 0);
    set_up_source(&other, "SSSSSSSS........", 8);
    assert_int_equal(add_set_up(&other), 0);
    assert_int_equal(discard_manager_granularity(&manager), 8);
    assert_int_equal(add_source(&attributes, "................"), 0);
    assert_int_equal(discard_manager_granularity(&manager), 1);
    set_up_source(&third, "SSSSSSSSSSSSSSSS", 4);
    assert_int_equal(add_set_up(&third), 0);
    assert_int_equal(discard_manager_granularity(&manager), 1);
    assert_int_equal(remove_source(&attributes), 0);
    assert_int_equal(discard_manager_granularity(&manager), 4);
    assert_null(anything_wrong());
}

/* 5, and 8.4's table: only entering and leaving "both say so" is heard */
static void a_change_of_one_of_two(void **state)
{
    (void)state;
    start("................", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "................"), 0);
    assert_int_equal(add(&a), 0);
    assert_int_equal(change(&attributes, 4, 8, true), 0);
    assert_string_equal(heard, "");
    assert_int_equal(change(&other, 4, 8, true), 0);
    assert_string_equal(heard, "a populate 4..8; ");
    assert_null(anything_wrong());
    assert_int_equal(change(&other, 5, 6, false), 0);
    assert_int_equal(change(&attributes, 6, 7, false), 0);
    assert_string_equal(heard, "a populate 4..8; a discard 5..6; a discard 6..7; ");
    assert_null(anything_wrong());
}

/* 6:  first   SSSSSSSS........     second comes:  ....SSSSSSSSSSSS     0..4 goes */
static void a_second_source_comes(void **state)
{
    (void)state;
    start("SSSSSSSS........", 0, 16, 2, 10);
    add_both();
    assert_int_equal(add_source(&other, "....SSSSSSSSSSSS"), 0);
    assert_string_equal(heard, "a discard 0..4; b discard 2..4; ");
    assert_null(anything_wrong());
}

/* 7 */
static void a_second_source_goes(void **state)
{
    (void)state;
    start("SSSSSSSS........", 0, 16, 2, 10);
    assert_int_equal(add_source(&other, ".S..SSSSSSSSSSSS"), 0);
    add_both();
    assert_int_equal(remove_source(&other), 0);
    assert_string_equal(heard, "a populate 0..1; a populate 2..4; b populate 2..4; ");
    assert_null(anything_wrong());
}

/* 8 */
static void the_last_source_goes_and_comes_back(void **state)
{
    (void)state;
    start("SSSSSSSSSSSS....", 0, 16, 14, 16);
    add_both();
    assert_int_equal(remove_source(&attributes), 0);
    assert_string_equal(heard, "a populate 12..16; b populate 14..16; ");
    assert_null(anything_wrong());
    heard[0] = '\0';
    assert_int_equal(add_source(&attributes, "SSSSSSSSSSSS...."), 0);
    assert_string_equal(heard, "a discard 12..16; b discard 14..16; ");
    assert_null(anything_wrong());
}

/* 9 */
static void a_source_counts_once(void **state)
{
    (void)state;
    start("SSSS............", 0, 16, 0, 16);
    assert_int_equal(add_set_up(&attributes), -EBUSY);
    assert_int_equal(add_source(&other, "SSSSSSSSSSSSSSSS"), 0);
    assert_int_equal(add(&a), 0);
    heard[0] = '\0';
    assert_int_equal(add_set_up(&attributes), -EBUSY);
    assert_int_equal(add_set_up(&other), -EBUSY);
    assert_string_equal(heard, "");
    assert_int_equal(remove_source(&third), -ENOENT);
    assert_null(anything_wrong());
}

/* 10: C2, E8's shape: what the first one got is taken back, from the failing one too */
static void a_refused_populate_is_undone(void **state)
{
    (void)state;
    start("................", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "....SSSS....SSSS"), 0);
    add_both();
    b.fails_at = DISCARD_POPULATE;
    b.countdown = 2;
    assert_int_equal(change(&attributes, 2, 16, true), -ENOSPC);
    assert_string_equal(a.mapped, "................");
    assert_null(anything_wrong());
    assert_int_equal(change(&attributes, 2, 16, true), 0);
    assert_string_equal(a.mapped, "....MMMM....MMMM");
    assert_null(anything_wrong());
}

/* 11, 18 */
static void replays_are_and_and_or(void **state)
{
    struct runs r;

    (void)state;
    start("SSSS....SSSSSS..", 0, 8, 8, 16);
    assert_int_equal(add_source(&other, ".SSSSSSSSS..SS.."), 0);
    assert_string_equal(replayed(&r, true, 0, 16), "1..4 8..10 12..14 ");
    assert_string_equal(replayed(&r, true, 2, 13), "2..4 8..10 12..13 ");
    assert_string_equal(replayed(&r, false, 0, 16), "0..1 4..8 10..12 14..16 ");
    assert_string_equal(replayed(&r, false, 5, 11), "5..8 10..11 ");
    assert_string_equal(replayed(&r, false, 1, 4), "");
    assert_int_equal(remove_source(&other), 0);
    assert_string_equal(replayed(&r, true, 0, 16), "0..4 8..14 ");
    assert_string_equal(replayed(&r, false, 0, 16), "4..8 14..16 ");
}

/* G2: an error in either kind of replay ends it and comes back */
static void replay_stops_at_the_first_error(void **state)
{
    struct runs r = {.fails_at = 2};

    (void)state;
    start("SSSS....SSSSSS..", 0, 8, 8, 16);
    for (int populated = 0; populated < 2; populated++) {
        r = (struct runs){.fails_at = populated + 1};
        assert_int_equal(discard_manager_replay_runs(&manager, 0, 16, populated, note_run, &r),
                         -ENOMEM);
        assert_string_equal(r.text, populated ? "0..4 8..14 " : "4..8 ");
    }
}

/* 12: nobody says no */
static void without_a_source_all_is_populated(void **state)
{
    struct runs r;

    (void)state;
    start_empty(2, 9, 8, 16);
    assert_true(is_populated(0, 16));
    assert_string_equal(replayed(&r, true, 3, 9), "3..9 ");
    assert_string_equal(replayed(&r, false, 0, 16), "");
    assert_int_equal(add(&a), 0);
    assert_string_equal(heard, "a populate 2..9; ");
    assert_null(anything_wrong());
}

/* 13, E5: unplug, then to private: one discard */
static void no_second_discard(void **state)
{
    (void)state;
    start("SSSSSSSSSSSSSSSS", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "SSSSSSSSSSSSSSSS"), 0);
    assert_int_equal(add(&a), 0);
    heard[0] = '\0';
    assert_int_equal(change(&other, 4, 8, false), 0);
    assert_int_equal(change(&attributes, 5, 7, false), 0);
    assert_string_equal(heard, "a discard 4..8; ");
    assert_int_equal(change(&attributes, 6, 10, false), 0);
    assert_string_equal(heard, "a discard 4..8; a discard 8..10; ");
    assert_null(anything_wrong());
}

/* 14, 15, 16, 17 with two sources
 *   page     0123456789abcdef
 *   a         [-----)            1..7
 *   b               [---)        7..11: touches a
 *   c        [--------------)    all
 */
static void listeners_get_their_part_and_no_more(void **state)
{
    (void)state;
    start("................", 1, 7, 7, 11);
    assert_int_equal(add_source(&other, "SSSSSSSSSS.SSSSS"), 0);
    assert_int_equal(add(&a), 0);
    assert_int_equal(add(&b), 0);
    assert_int_equal(change(&attributes, 12, 13, true), 0);
    assert_string_equal(heard, "");
    assert_int_equal(change(&attributes, 0, 1, true), 0);
    assert_string_equal(heard, "");
    assert_int_equal(change(&attributes, 5, 12, true), 0);
    assert_string_equal(heard, "a populate 5..7; b populate 7..10; ");
    assert_int_equal(add(&c), 0);
    heard[0] = '\0';
    assert_int_equal(change(&attributes, 14, 16, true), 0);
    assert_int_equal(change(&attributes, 6, 8, false), 0);
    assert_string_equal(heard,
                        "c populate 14..16; a discard 6..7; b discard 7..8; c discard 6..8; ");
    assert_null(anything_wrong());
}

/* The comparer must see a listener that was not told. */
static void a_deliberate_mistake_is_seen(void **state)
{
    (void)state;
    start("SSSSSSSSSSSSSSSS", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "SSSS....SSSSSSSS"), 0);
    assert_int_equal(add(&a), 0);
    assert_null(anything_wrong());
    other.populated[3] = '.'; /* without a commit */
    assert_string_equal(anything_wrong(), "is_populated");
    discard_manager_commit(&manager, &other.base, 3, 4, false);
    assert_string_equal(anything_wrong(), "a page too many");
    a.mapped[3] = '.';
    assert_null(anything_wrong());
    a.mapped[2] = '.';
    assert_string_equal(anything_wrong(), "a populated page is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/discard-facts/01-one-source-decides", one_source_decides),
        TEST("core/discard-facts/02-a-listener-follows", a_listener_follows_one_source),
        TEST("core/discard-facts/03-two-sources-must-agree", two_sources_must_agree),
        TEST("core/discard-facts/04-smallest-granularity", granularity_is_the_smallest),
        TEST("core/discard-facts/05-a-change-of-one-of-two", a_change_of_one_of_two),
        TEST("core/discard-facts/06-a-second-source-comes", a_second_source_comes),
        TEST("core/discard-facts/07-a-second-source-goes", a_second_source_goes),
        TEST("core/discard-facts/08-the-last-source", the_last_source_goes_and_comes_back),
        TEST("core/discard-facts/09-a-source-counts-once", a_source_counts_once),
        TEST("core/discard-facts/10-refused-populate", a_refused_populate_is_undone),
        TEST("core/discard-facts/11-18-replays", replays_are_and_and_or),
        TEST("core/discard-facts/replay-error-comes-back", replay_stops_at_the_first_error),
        TEST("core/discard-facts/12-without-a-source", without_a_source_all_is_populated),
        TEST("core/discard-facts/13-no-second-discard", no_second_discard),
        TEST("core/discard-facts/14-17-parts", listeners_get_their_part_and_no_more),
        TEST("core/discard-facts/deliberate-mistake", a_deliberate_mistake_is_seen),
    };

    return cmocka_run_group_tests_name("core/discard-facts", tests, NULL, NULL);
}
