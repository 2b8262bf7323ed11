/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RamDiscardManager alone: who is told what, in which order, and what is taken back. The block
 * has 16 pages; a source says which are populated, listeners write down what they hear and
 * what they have mapped. In the drawings S is a populated page, . one that is not.
 */
#include "tests/discard_fixture.h"

/* A populate that nobody undoes must be seen by the comparer. */
static void forgotten_undo_is_seen(void **state)
{
    (void)state;
    start("................", 0, 8, 8, 16);
    add_both();
    assert_null(wrong(&a));
    assert_int_equal(notify(DISCARD_POPULATE, 2, 4), 0);
    assert_string_equal(wrong(&a), "a page too many");
    attributes.populated[2] = attributes.populated[3] = attributes.populated[5] = 'S';
    assert_string_equal(wrong(&a), "a populated page is missing");
}

/*   page     0123456789abcdef
 *   source   ..SSS.S.......SS
 *   a           [------)            replays 3..5 and 6..7
 *   b        [----------------)     replays 2..5, 6..7, 14..16: the last blocks too
 */
static void register_replays_populated_runs(void **state)
{
    (void)state;
    start("..SSS.S.......SS", 3, 10, 0, 16);
    assert_int_equal(add(&a), 0);
    assert_string_equal(heard, "a populate 3..5; a populate 6..7; ");
    heard[0] = '\0';
    assert_int_equal(add(&b), 0);
    assert_string_equal(heard, "b populate 2..5; b populate 6..7; b populate 14..16; ");
    assert_null(wrong(&a));
    assert_null(wrong(&b));
    assert_int_equal(a.reserved + b.reserved, 0);
}

/*   page     0123456789abcdef
 *   source   SS..SS..SS......
 *   a        [----------------)     the second of three runs fails
 */
static void failed_register_leaves_nothing(void **state)
{
    (void)state;
    start("SS..SS..SS......", 0, 16, 0, 16);
    a.fails_at = DISCARD_POPULATE;
    a.countdown = 2;
    assert_int_equal(add(&a), -ENOSPC);
    assert_string_equal(heard, "a populate 0..2; a populate 4..6; a undo-populate 0..16; ");
    assert_string_equal(a.mapped, "................");
    assert_false(discard_manager_hears(&manager, 0, PAGES));
    assert_int_equal(a.reserved, 0);
    assert_int_equal(discard_manager_destroy(&manager), 0);
}

/* No memory: nothing is even tried. */
static void failed_reserve_is_before_all(void **state)
{
    int undo_error;

    (void)state;
    start("SSSS............", 0, 16, 0, 16);
    a.fails_at = DISCARD_RESERVE;
    a.countdown = 1;
    assert_int_equal(discard_manager_register(&manager, &a.base, &undo_error), -ENOSPC);
    assert_string_equal(heard, "");
    assert_int_equal(a.reserved, 0);
    assert_false(discard_manager_hears(&manager, 0, PAGES));
}

/* Letting go fails as well: told apart from the failure itself. */
static void failed_undo_of_register_is_told(void **state)
{
    int undo_error;

    (void)state;
    start("SSSS............", 0, 16, 0, 16);
    a.fails_at = DISCARD_POPULATE;
    a.countdown = 1;
    a.undo_fails = true;
    assert_int_equal(discard_manager_register(&manager, &a.base, &undo_error), -ENOSPC);
    assert_int_equal(undo_error, -EFAULT);
    assert_false(discard_manager_hears(&manager, 0, PAGES));
}

/*   page     0123456789abcdef
 *   a        [--------)
 *   b              [---------)      overlap: 6..8
 *   request     (--------)          3..12
 */
static void overlapping_listeners_get_their_parts(void **state)
{
    (void)state;
    start("................", 0, 8, 6, 16);
    add_both();
    assert_int_equal(notify(DISCARD_POPULATE, 3, 12), 0);
    assert_string_equal(heard, "a populate 3..8; b populate 6..12; ");
    memset(attributes.populated + 3, 'S', 9);
    assert_null(wrong(&a));
    assert_null(wrong(&b));
    heard[0] = '\0';
    assert_int_equal(notify(DISCARD_DISCARD, 7, 9), 0);
    assert_string_equal(heard, "a discard 7..8; b discard 7..9; ");
}

/*   page     0123456789abcdef
 *   a         [---)                 1..5
 *   b                  [---)        10..14
 *   request       (----)            5..10 lies between, and touches both
 */
static void disjoint_listeners_and_touching_borders(void **state)
{
    (void)state;
    start("................", 1, 5, 10, 14);
    add_both();
    assert_int_equal(notify(DISCARD_POPULATE, 5, 10), 0);
    assert_string_equal(heard, "");
    assert_false(discard_manager_hears(&manager, 5, 10));
    assert_true(discard_manager_hears(&manager, 4, 10));
    assert_true(discard_manager_hears(&manager, 5, 11));
    assert_int_equal(notify(DISCARD_POPULATE, 4, 11), 0);
    assert_string_equal(heard, "a populate 4..5; b populate 10..11; ");
}

/*   page     0123456789abcdef
 *   a        [----------------)
 *   b                    [----)     12..16
 *   request                 (-)     15..16: the last page alone
 */
static void last_page_of_the_block(void **state)
{
    (void)state;
    start("................", 0, 16, 12, 16);
    add_both();
    assert_int_equal(notify(DISCARD_POPULATE, 15, 16), 0);
    assert_string_equal(heard, "a populate 15..16; b populate 15..16; ");
    assert_string_equal(a.mapped, "...............M");
    assert_string_equal(b.mapped, "...............M");
}

/*   page     0123456789abcdef
 *   a        [------------)         maps 4..10
 *   b          [----------)         does page 4 and fails: is undone as well
 */
static void undo_includes_the_one_that_failed(void **state)
{
    (void)state;
    start("................", 0, 12, 2, 12);
    add_both();
    b.fails_at = DISCARD_POPULATE;
    b.countdown = 1;
    assert_int_equal(notify(DISCARD_POPULATE, 4, 10), -ENOSPC);
    assert_string_equal(a.mapped, "....MMMMMM......");
    assert_string_equal(b.mapped, "....M...........");
    heard[0] = '\0';
    assert_int_equal(notify(DISCARD_UNDO_POPULATE, 4, 10), 0);
    assert_string_equal(heard, "a undo-populate 4..10; b undo-populate 4..10; ");
    assert_null(wrong(&a));
    assert_null(wrong(&b));
}

/*   page     0123456789abcdef
 *   source   SSSSSSSSSSSSSSSS
 *   a        [------)               loses 2, fails: b is never told to discard
 *   b              [--------)       ... and is asked to undo all the same
 */
static void undo_goes_on_to_those_never_reached(void **state)
{
    (void)state;
    start("SSSSSSSSSSSSSSSS", 0, 8, 6, 16);
    add_both();
    a.fails_at = DISCARD_DISCARD;
    a.countdown = 1;
    assert_int_equal(notify(DISCARD_DISCARD, 2, 12), -ENOSPC);
    assert_string_equal(heard, "a discard 2..8; ");
    assert_string_equal(wrong(&a), "a populated page is missing");
    heard[0] = '\0';
    assert_int_equal(notify(DISCARD_UNDO_DISCARD, 2, 12), 0);
    assert_string_equal(heard, "a undo-discard 2..8; b undo-discard 6..12; ");
    assert_null(wrong(&a));
    assert_null(wrong(&b));
}

/* An undo that fails in one listener still reaches the next; its error is what comes back. */
static void failing_undo_does_not_stop_the_others(void **state)
{
    (void)state;
    start("................", 0, 8, 0, 16);
    add_both();
    assert_int_equal(notify(DISCARD_POPULATE, 0, 4), 0);
    a.fails_at = DISCARD_UNDO_POPULATE;
    a.countdown = 1;
    assert_int_equal(notify(DISCARD_UNDO_POPULATE, 0, 4), -ENOSPC);
    assert_string_equal(wrong(&a), "a page too many");
    assert_null(wrong(&b));
}

/* Steps of unregistering: withdraw unmaps, restore maps what is populated again, forget only
 * takes it off the list. */
static void unregister_in_steps(void **state)
{
    (void)state;
    start("..SSS.S.......SS", 3, 16, 0, 8);
    add_both();
    assert_int_equal(discard_manager_withdraw(&manager, &a.base), 0);
    assert_string_equal(a.mapped, "................");
    assert_int_equal(discard_manager_restore(&manager, &a.base), 0);
    assert_null(wrong(&a));
    assert_int_equal(discard_manager_withdraw(&manager, &a.base), 0);
    heard[0] = '\0';
    discard_manager_forget(&manager, &a.base);
    assert_int_equal(notify(DISCARD_DISCARD, 2, 16), 0);
    assert_string_equal(heard, "b discard 2..8; ");
    discard_manager_forget(&manager, &b.base);
    assert_false(discard_manager_hears(&manager, 0, PAGES));
    assert_int_equal(discard_manager_destroy(&manager), 0);
}

/* The end of the list stays right when the last one goes and another comes. */
static void order_of_registration(void **state)
{
    (void)state;
    start("................", 0, 8, 0, 8);
    add_both();
    discard_manager_forget(&manager, &b.base);
    assert_int_equal(add(&b), 0);
    discard_manager_forget(&manager, &a.base);
    assert_int_equal(add(&a), 0);
    assert_int_equal(notify(DISCARD_POPULATE, 0, 1), 0);
    assert_string_equal(heard, "b populate 0..1; a populate 0..1; ");
}

/*   page       0123456789abcdef
 *   source     SSSS....SSSSSS..
 *   other      .SSSSSSSSS..SS..
 *   both        123    89  cd       what a new listener hears
 *   request  (----------------)     by `source`: asks only the other one
 */
static void a_page_needs_every_source(void **state)
{
    (void)state;
    start("SSSS....SSSSSS..", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, ".SSSSSSSSS..SS.."), 0);
    assert_int_equal(add(&a), 0);
    assert_string_equal(heard, "a populate 1..4; a populate 8..10; a populate 12..14; ");
    heard[0] = '\0';
    assert_int_equal(notify(DISCARD_POPULATE, 0, 16), 0);
    assert_string_equal(heard, "a populate 1..10; a populate 12..14; ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/discard-manager/forgotten-undo-is-seen", forgotten_undo_is_seen),
        TEST("core/discard-manager/register-replays-populated-runs",
             register_replays_populated_runs),
        TEST("core/discard-manager/failed-register-leaves-nothing",
             failed_register_leaves_nothing),
        TEST("core/discard-manager/failed-reserve-is-before-all", failed_reserve_is_before_all),
        TEST("core/discard-manager/failed-undo-of-register-is-told",
             failed_undo_of_register_is_told),
        TEST("core/discard-manager/overlapping-listeners-get-their-parts",
             overlapping_listeners_get_their_parts),
        TEST("core/discard-manager/disjoint-listeners-touching-borders",
             disjoint_listeners_and_touching_borders),
        TEST("core/discard-manager/last-page-of-the-block", last_page_of_the_block),
        TEST("core/discard-manager/undo-includes-the-one-that-failed",
             undo_includes_the_one_that_failed),
        TEST("core/discard-manager/undo-goes-on-to-those-never-reached",
             undo_goes_on_to_those_never_reached),
        TEST("core/discard-manager/failing-undo-does-not-stop-others",
             failing_undo_does_not_stop_the_others),
        TEST("core/discard-manager/unregister-in-steps", unregister_in_steps),
        TEST("core/discard-manager/order-of-registration", order_of_registration),
        TEST("core/discard-manager/a-page-needs-every-source", a_page_needs_every_source),
    };

    return cmocka_run_group_tests_name("core/discard-manager", tests, NULL, NULL);
}
