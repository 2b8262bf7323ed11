/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that come and go under live listeners, with a failure at every step; changes of all
 * of a source; and a random walk over all of it, in which the aggregate and each listener must
 * stay the AND of the sources.
 */
#include "tests/discard_fixture.h"

/* ---- a failure at each step of add and remove ---- */

/*   page     0123456789abcdef
 *   first    SSSS..SSSSSS.SSS
 *   second   .SS.SSS..SSS.S.S     comes and goes: holds back 0, 3, 7..9, 14
 *   a        [--------------)
 *   b          [---------)
 */
static void two_listeners(bool with_second, bool with_third)
{
    start("SSSS..SSSSSS.SSS", 0, 16, 2, 12);
    if (with_third)
        assert_int_equal(add_source(&third, "SSSSSSSSSSSSSSSS"), 0);
    set_up_source(&other, ".SS.SSS..SSS.S.S", 1);
    if (with_second)
        assert_int_equal(add_set_up(&other), 0);
    add_both();
    assert_null(anything_wrong());
}

static int move(bool remove)
{
    return remove ? remove_source(&other) : add_set_up(&other);
}

static void check_unchanged(bool remove, uint32_t n_sources)
{
    assert_int_equal(manager.n_sources, n_sources);
    assert_int_equal(source_on_list(&other), remove);
    assert_null(anything_wrong());
}

/* The n-th event of one kind fails in one listener: nothing changed, and again it works. */
static bool fails_and_heals(bool remove, bool with_third, struct listener *who,
                            enum discard_event e, int nth)
{
    two_listeners(remove, with_third);
    uint32_t n_sources = manager.n_sources;

    who->fails_at = e;
    who->countdown = nth;
    int rc = move(remove);
    bool fired = who->countdown == 0;
    assert_int_equal(rc, fired ? -ENOSPC : 0);
    who->countdown = 0;
    if (fired) {
        check_unchanged(remove, n_sources);
        assert_int_equal(move(remove), 0);
    }
    assert_int_equal(manager.n_sources, remove ? n_sources - 1 : n_sources + 1);
    assert_null(anything_wrong());
    assert_int_equal(discard_manager_destroy(&manager), 0);
    return fired;
}

static unsigned sweep(bool remove, bool with_third)
{
    const enum discard_event acts = remove ? DISCARD_POPULATE : DISCARD_DISCARD;
    unsigned fired = 0;

    for (int who = 0; who < 2; who++)
        for (int what = 0; what < 2; what++)
            for (int nth = 1; fails_and_heals(remove, with_third, who ? &b : &a,
                                              what ? acts : DISCARD_RESERVE, nth);
                 nth++)
                fired++;
    return fired;
}

/* a hears 4 runs, b 2: each once for the reservation and once for the change. */
static void add_fails_at_each_step(void **state)
{
    (void)state;
    assert_int_equal(sweep(false, false), 12);
    assert_int_equal(sweep(false, true), 12);
}

static void remove_fails_at_each_step(void **state)
{
    (void)state;
    assert_int_equal(sweep(true, false), 12);
    assert_int_equal(sweep(true, true), 12);
}

/* E8: the failing listener has done a part, and is asked to let go of that as well. */
static void failed_remove_undoes_the_failing_one(void **state)
{
    (void)state;
    two_listeners(true, false);
    b.fails_at = DISCARD_POPULATE;
    b.countdown = 2;
    assert_int_equal(remove_source(&other), -ENOSPC);
    assert_string_equal(heard,
                        "a populate 0..1; a populate 3..4; a populate 7..9; a populate 14..15; "
                        "b populate 3..4; b populate 7..9; "
                        "a undo-populate 0..1; a undo-populate 3..4; a undo-populate 7..9; "
                        "a undo-populate 14..15; b undo-populate 3..4; b undo-populate 7..9; ");
    check_unchanged(true, 2);
}

/* An undo that fails is told apart from what failed first, and stops no other listener. */
static void failed_undo_is_told(void **state)
{
    int undo_error;

    (void)state;
    for (int remove = 0; remove < 2; remove++) {
        two_listeners(remove, false);
        a.undo_fails = true;
        b.fails_at = remove ? DISCARD_POPULATE : DISCARD_DISCARD;
        b.countdown = 1;
        int rc = remove ? discard_manager_remove_source(&manager, &other.base, &undo_error)
                        : discard_manager_add_source(&manager, &other.base, &undo_error);
        assert_int_equal(rc, -ENOSPC);
        assert_int_equal(undo_error, -EFAULT);
        assert_null(wrong(&b));
        assert_int_equal(manager.n_sources, remove ? 2 : 1);
        a.undo_fails = false;
        assert_int_equal(discard_manager_destroy(&manager), 0);
    }
}

/* Every allocation of an add, a remove and a change fails. */
static void no_memory_changes_nothing(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (int remove = 0; remove < 2; remove++)
        for (int left = 0;; left++) {
            two_listeners(remove, remove);
            uint32_t n_sources = manager.n_sources;

            allocs_left = left;
            int rc = move(remove);
            if (!rc)
                rc = change(&attributes, 4, 6, true);
            bool short_of = allocs_left == 0;
            allocs_left = -1;
            assert_null(anything_wrong());
            assert_true(rc == 0 || (rc == -ENOMEM && short_of));
            failures += rc != 0;
            if (rc && manager.n_sources == n_sources)
                assert_int_equal(move(remove), 0);
            assert_null(anything_wrong());
            assert_int_equal(discard_manager_destroy(&manager), 0);
            if (!rc)
                break;
        }
    assert_int_equal(failures > 0, tracker == VMM_TRACKER_EXTENTS); /* 16 bits need none */
}

/* ---- granularity ---- */

/* E7: a listener that relies on blocks of 4 is never told of less: a finer source has to come
 * before it. */
static void finer_source_under_a_coarse_listener(void **state)
{
    int undo_error;

    (void)state;
    start_empty(0, 16, 0, 16);
    set_up_source(&other, "SSSSSSSS........", 4);
    assert_int_equal(add_set_up(&other), 0);
    a.base.granularity = 4;
    assert_int_equal(add(&a), 0);
    b.base.granularity = 8; /* coarser than what there is */
    assert_int_equal(discard_manager_register(&manager, &b.base, &undo_error), -EBUSY);
    heard[0] = '\0';
    set_up_source(&attributes, ".SSSSSSSSSSSSSSS", 1);
    assert_int_equal(add_set_up(&attributes), -EBUSY);
    assert_string_equal(heard, "");
    assert_null(anything_wrong());
    assert_int_equal(discard_manager_withdraw(&manager, &a.base), 0);
    discard_manager_forget(&manager, &a.base);
    assert_int_equal(add_set_up(&attributes), 0);
    assert_int_equal(discard_manager_register(&manager, &a.base, &undo_error), -EBUSY);
    a.base.granularity = 0; /* takes what comes */
    assert_int_equal(add(&a), 0);
    assert_null(anything_wrong());
}

/* Blocks just as large as it relies on are fine. */
static void equal_source_under_a_listener(void **state)
{
    (void)state;
    start_empty(0, 16, 0, 16);
    set_up_source(&other, "SSSSSSSS........", 4);
    assert_int_equal(add_set_up(&other), 0);
    a.base.granularity = 4;
    assert_int_equal(add(&a), 0);
    set_up_source(&attributes, "....SSSSSSSSSSSS", 4);
    assert_int_equal(add_set_up(&attributes), 0);
    assert_string_equal(a.mapped, "....MMMM........");
    assert_null(anything_wrong());
}

/* E6: blocks of 8 and single pages: plugging maps pages 3 and 7 alone. */
static void mixed_granularity(void **state)
{
    (void)state;
    start("...S...S...S....", 0, 16, 0, 16);
    set_up_source(&other, "SSSSSSSS........", 8);
    assert_int_equal(add_set_up(&other), 0);
    assert_int_equal(add(&a), 0);
    assert_string_equal(heard, "a populate 3..4; a populate 7..8; ");
    heard[0] = '\0';
    assert_int_equal(change(&other, 0, 8, false), 0);
    assert_string_equal(heard, "a discard 3..4; a discard 7..8; ");
    assert_int_equal(change(&other, 0, 8, true), 0);
    assert_string_equal(a.mapped, "...M...M........");
    assert_null(anything_wrong());
}

/* ---- the aggregate ---- */

/* With several sources a question and a replay ask none of them. */
static void questions_ask_no_source(void **state)
{
    uint64_t first, end;

    (void)state;
    two_listeners(true, true);
    asked = 0;
    assert_false(discard_manager_is_populated(&manager, 0, 16));
    assert_true(discard_manager_next_run(&manager, 0, 16, true, &first, &end));
    assert_true(discard_manager_next_run(&manager, 0, 16, false, &first, &end));
    assert_int_equal(add(&c), 0);
    assert_int_equal(discard_manager_restore(&manager, &c.base), 0);
    assert_int_equal(asked, 0);
    assert_null(anything_wrong());
}

/* A commit may come before or after the source changes its own answer. */
static void commit_before_or_after(void **state)
{
    (void)state;
    two_listeners(true, false);
    for (int after = 0; after < 2; after++)
        for (int populate = 0; populate < 2; populate++) {
            assert_int_equal(
                discard_manager_notify(&manager, &other.base, DISCARD_RESERVE, 3, 9), 0);
            if (after)
                memset(other.populated + 3, populate ? 'S' : '.', 6);
            discard_manager_commit(&manager, &other.base, 3, 9, populate);
            if (!after)
                memset(other.populated + 3, populate ? 'S' : '.', 6);
            (void)discard_manager_notify(&manager, &other.base, DISCARD_RELEASE, 3, 9);
            for (uint64_t i = 0; i < PAGES; i++)
                assert_int_equal(discard_manager_is_populated(&manager, i, i + 1),
                                 should_be_populated(i));
        }
}

/* ---- a random walk ---- */

static uint32_t seed;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* One change of one source, of whole blocks that are all in the opposite state. */
static int random_change(struct source *s)
{
    uint64_t g = s->base.granularity, first = draw(PAGES / g) * g, end = first + g;
    char is = s->populated[first];

    if (!source_on_list(s))
        return 0;
    while (end < PAGES && s->populated[end] == is && draw(3))
        end += g;
    return change(s, first, end, is != 'S');
}

static int random_source(struct source *s)
{
    int rc;

    if (draw(6))
        return random_change(s);
    if (source_on_list(s)) {
        rc = remove_source(s);
        assert_int_equal(rc == 0, !source_on_list(s));
        return rc;
    }
    uint64_t g = s->base.granularity;
    for (uint64_t i = 0; i < PAGES; i += g)
        memset(s->populated + i, draw(3) ? 'S' : '.', g);
    rc = add_set_up(s);
    assert_int_equal(rc == 0, source_on_list(s));
    return rc;
}

static int random_listener(struct listener *l)
{
    if (!on_list(l))
        return add(l);
    int rc = discard_manager_withdraw(&manager, &l->base);
    if (rc) {
        assert_int_equal(discard_manager_restore(&manager, &l->base), 0);
        return rc;
    }
    discard_manager_forget(&manager, &l->base);
    return 0;
}

static void random_walk(void **state)
{
    struct source *const sources[] = {&attributes, &other, &third};
    struct listener *const listeners[] = {&a, &b, &c};
    unsigned failed = 0;

    (void)state;
    seed = 1;
    start_empty(1, 9, 8, 16);
    for (unsigned i = 0; i < 3; i++)
        set_up_source(sources[i], "................", UINT64_C(1) << i);
    for (unsigned i = 0; i < 20000; i++) {
        struct listener *l = listeners[draw(3)];

        heard[0] = '\0';
        if (draw(4) == 0) {
            l->fails_at = draw(2)   ? DISCARD_RESERVE
                          : draw(2) ? DISCARD_POPULATE
                                    : DISCARD_DISCARD;
            l->countdown = 1 + (int)draw(3);
        }
        int rc =
            draw(8) ? random_source(sources[draw(3)]) : random_listener(listeners[draw(3)]);
        assert_true(rc == 0 || (rc == -ENOSPC && l->countdown == 0));
        l->countdown = 0;
        failed += rc != 0;
        assert_null(anything_wrong());
    }
    assert_true(failed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/discard-sources/add-fails-at-each-step", add_fails_at_each_step),
        TEST("core/discard-sources/remove-fails-at-each-step", remove_fails_at_each_step),
        TEST("core/discard-sources/failing-one-is-undone",
             failed_remove_undoes_the_failing_one),
        TEST("core/discard-sources/failed-undo-is-told", failed_undo_is_told),
        TEST("core/discard-sources/no-memory", no_memory_changes_nothing),
        TEST("core/discard-sources/finer-source", finer_source_under_a_coarse_listener),
        TEST("core/discard-sources/equal-source-under-a-listener",
             equal_source_under_a_listener),
        TEST("core/discard-sources/mixed-granularity", mixed_granularity),
        TEST("core/discard-sources/questions-ask-no-source", questions_ask_no_source),
        TEST("core/discard-sources/commit-before-or-after", commit_before_or_after),
        TEST("core/discard-sources/random-walk", random_walk),
    };

    return cmocka_run_group_tests_name("core/discard-sources", tests, NULL, NULL);
}
