/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners that go while they, or others, are being told; and managers that go with whatever
 * is left on them. A listener that was forgotten could be freed: from then on its event
 * function fails the test.
 */
#include "tests/discard_fixture.h"

static void unregister(struct listener *l)
{
    assert_int_equal(discard_manager_withdraw(&manager, &l->base), 0);
    discard_manager_forget(&manager, &l->base);
}

static void forget_only(struct listener *l)
{
    discard_manager_forget(&manager, &l->base);
}

/* When its n-th event from now on comes in, l does this to whom. */
static void will(struct listener *l, int nth, void (*what)(struct listener *),
                 struct listener *whom)
{
    l->when = nth;
    l->in_event = what;
    l->whom = whom;
}

static void three_listeners(void)
{
    start("................", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "SSSSSSS.SSSSSSSS"), 0);
    add_both();
    assert_int_equal(add(&c), 0);
    heard[0] = '\0';
}

/* It hears of its own discard, gets its reservation released, and not another word. */
static void of_itself(void **state)
{
    (void)state;
    three_listeners();
    will(&b, 1, unregister, &b);
    assert_int_equal(change(&attributes, 4, 12, true), 0);
    assert_string_equal(heard, "a populate 4..7; a populate 8..12; "
                               "b populate 4..7; b discard 0..16; "
                               "c populate 4..7; c populate 8..12; ");
    assert_int_equal(b.forgotten, 1);
    assert_int_equal(b.reserved, 0);
    assert_false(on_list(&b));
    b.mapped[4] = b.mapped[5] = b.mapped[6] = '.'; /* what its event did after it had gone */
    assert_null(anything_wrong());
}

/* One that was not told yet never is; one that was told already has been discarded. */
static void of_others(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        three_listeners();
        will(&b, 1, unregister, later ? &c : &a);
        assert_int_equal(change(&attributes, 4, 12, true), 0);
        assert_non_null(strstr(heard, later ? "c discard 0..16" : "a discard 0..16"));
        assert_int_equal(a.forgotten, !later);
        assert_int_equal(c.forgotten, later);
        assert_null(anything_wrong());
        assert_int_equal(change(&attributes, 4, 5, false), 0);
        assert_null(anything_wrong());
        assert_int_equal(discard_manager_destroy(&manager), 0);
    }
}

static void all_of_them(struct listener *l)
{
    (void)l;
    forget_only(&a);
    forget_only(&b);
    forget_only(&c);
}

/* The whole list goes under a walk; the manager is as good as new. */
static void of_all(void **state)
{
    (void)state;
    three_listeners();
    will(&a, 2, all_of_them, NULL);
    assert_int_equal(change(&attributes, 4, 12, true), 0);
    assert_string_equal(heard, "a populate 4..7; a populate 8..12; ");
    assert_int_equal(a.forgotten + b.forgotten + c.forgotten, 3);
    assert_false(discard_manager_hears(&manager, 0, 16));
    assert_null(manager.listeners);
    set_up_listener(&a, 'a', 2, 6);
    set_up_listener(&b, 'b', 2, 6);
    set_up_listener(&c, 'c', 0, 16);
    assert_int_equal(add(&c), 0);
    assert_int_equal(add(&a), 0);
    assert_null(anything_wrong());
}

/* A listener that goes before the request fails is not undone. */
static void before_an_undo(void **state)
{
    (void)state;
    three_listeners();
    will(&a, 1, unregister, &a);
    c.fails_at = DISCARD_POPULATE;
    c.countdown = 1;
    assert_int_equal(change(&attributes, 4, 6, true), -ENOSPC);
    assert_string_equal(heard, "a populate 4..6; a discard 0..16; b populate 4..6; "
                               "c populate 4..6; b undo-populate 4..6; c undo-populate 4..6; ");
    a.mapped[4] = a.mapped[5] = '.';
    assert_null(anything_wrong());
}

/* In an undo, in its own withdraw, in another one's registration. */
static void at_other_times(void **state)
{
    (void)state;
    three_listeners();
    will(&b, 2, forget_only, &b); /* its undo */
    c.fails_at = DISCARD_POPULATE;
    c.countdown = 1;
    assert_int_equal(change(&attributes, 4, 6, true), -ENOSPC);
    assert_int_equal(b.forgotten, 1);
    assert_null(anything_wrong());

    will(&c, 1, forget_only, &c);
    assert_int_equal(discard_manager_withdraw(&manager, &c.base), 0);
    assert_int_equal(c.forgotten, 1);
    assert_int_equal(change(&attributes, 4, 6, true), 0);
    assert_null(anything_wrong());

    set_up_listener(&b, 'b', 0, 16);
    will(&b, 1, unregister, &a);
    assert_int_equal(add(&b), 0);
    assert_int_equal(a.forgotten, 1);
    assert_null(anything_wrong());
}

/* On a listener that is on its way out neither restore nor a change of a source lands. */
static void forgotten_hears_nothing(void **state)
{
    (void)state;
    three_listeners();
    will(&a, 1, forget_only, &b);
    assert_int_equal(remove_source(&other), 0);
    assert_string_equal(heard, "");
    assert_int_equal(change(&attributes, 0, 2, true), 0);
    assert_string_equal(heard, "a populate 0..2; c populate 0..2; ");
    assert_int_equal(remove_source(&attributes), 0);
    assert_null(anything_wrong());
}

static int results[3];

static void come_and_go(struct listener *l)
{
    int undo_error;

    results[0] = discard_manager_register(&manager, &l->base, &undo_error);
    results[1] = discard_manager_add_source(&manager, &third.base, &undo_error);
    results[2] = discard_manager_remove_source(&manager, &other.base, &undo_error);
}

/* What comes in the middle would miss a part: it is refused, and works afterwards. */
static void nothing_comes_in_a_callback(void **state)
{
    (void)state;
    start("................", 0, 16, 0, 16);
    assert_int_equal(add_source(&other, "SSSSSSS.SSSSSSSS"), 0);
    assert_int_equal(add(&a), 0);
    set_up_source(&third, "SSSSSS..SSSSSSSS", 1);
    will(&a, 1, come_and_go, &b);
    assert_int_equal(change(&attributes, 4, 12, true), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(results[i], -EBUSY);
    assert_false(on_list(&b));
    assert_null(anything_wrong());
    come_and_go(&b);
    for (int i = 0; i < 3; i++)
        assert_int_equal(results[i], 0);
    assert_null(anything_wrong());
}

/* ---- the end ---- */

/* E9: without its sources all memory would be populated; destroy must not get there. Private
 * pages stay unmapped to the end, and listeners lose what they have. */
static void destroy_populates_nothing(void **state)
{
    (void)state;
    three_listeners();
    assert_int_equal(change(&attributes, 2, 4, true), 0);
    heard[0] = '\0';
    assert_int_equal(discard_manager_destroy(&manager), 0);
    assert_string_equal(heard, "a discard 0..16; b discard 0..16; c discard 0..16; ");
    assert_string_equal(a.mapped, "................");
    assert_int_equal(a.forgotten + b.forgotten + c.forgotten, 3);
    assert_null(manager.sources);
    assert_null(attributes.base.next);
    assert_null(other.base.next);
    assert_int_equal(discard_manager_destroy(&manager), 0); /* nothing left to do */
}

/* E10: a listener that would refuse to populate is not even asked; one that fails to let go is
 * forgotten all the same, the others are served, and the error is told. */
static void destroy_goes_on(void **state)
{
    (void)state;
    three_listeners();
    a.fails_at = DISCARD_POPULATE;
    a.countdown = 1;
    b.fails_at = DISCARD_DISCARD;
    b.countdown = 1;
    assert_int_equal(discard_manager_destroy(&manager), -ENOSPC);
    assert_int_equal(a.countdown, 1);
    assert_int_equal(a.forgotten + b.forgotten + c.forgotten, 3);
    assert_null(manager.listeners);
    assert_null(manager.sources);
}

/* Whoever forgets itself, or the next one, in its last discard is not forgotten twice. */
static void destroy_with_callbacks(void **state)
{
    (void)state;
    three_listeners();
    will(&a, 1, forget_only, &a);
    will(&b, 1, forget_only, &c);
    assert_int_equal(discard_manager_destroy(&manager), 0);
    assert_int_equal(a.forgotten, 1);
    assert_int_equal(b.forgotten, 1);
    assert_int_equal(c.forgotten, 1);
    assert_string_equal(heard, "a discard 0..16; b discard 0..16; ");
}

/* E12, E13: two sources and two listeners go in every order, and what is left at the end goes
 * with the manager. Each step leaves all that are still there right. */
static void every_order_of_going(void **state)
{
    (void)state;
    for (int order = 0; order < 256; order++) {
        start("..SS..SS..SS..SS", 0, 16, 4, 12);
        assert_int_equal(add_source(&other, "SSSS....SSSS...."), 0);
        add_both();
        for (int step = 0, rest = order; step < 4; step++, rest /= 4) {
            struct source *s = rest % 4 == 0 ? &attributes : &other;
            struct listener *l = rest % 4 == 2 ? &a : &b;

            if (rest % 4 < 2)
                assert_int_equal(source_on_list(s) ? remove_source(s) : 0, 0);
            else if (on_list(l))
                unregister(l);
            assert_null(anything_wrong());
        }
        assert_int_equal(discard_manager_destroy(&manager), 0);
        assert_int_equal(a.forgotten + b.forgotten, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/discard-lifetime/unregister-itself", of_itself),
        TEST("core/discard-lifetime/unregister-others", of_others),
        TEST("core/discard-lifetime/forget-all", of_all),
        TEST("core/discard-lifetime/before-an-undo", before_an_undo),
        TEST("core/discard-lifetime/at-other-times", at_other_times),
        TEST("core/discard-lifetime/forgotten-hears-nothing", forgotten_hears_nothing),
        TEST("core/discard-lifetime/nothing-comes-in-a-callback", nothing_comes_in_a_callback),
        TEST("core/discard-lifetime/destroy-populates-nothing", destroy_populates_nothing),
        TEST("core/discard-lifetime/destroy-goes-on", destroy_goes_on),
        TEST("core/discard-lifetime/destroy-with-callbacks", destroy_with_callbacks),
        TEST("core/discard-lifetime/every-order-of-going", every_order_of_going),
    };

    return cmocka_run_group_tests_name("core/discard-lifetime", tests, NULL, NULL);
}
