/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "run/fiber.h"

enum { TURNS = 5 };

struct ping {
    struct fiber self;
    struct fiber *other;
    char *log;
    char name;
};

static struct fiber thread;
static char *stacks[2];

static int setup(void **state)
{
    (void)state;
    fiber_init_thread(&thread);
    for (int i = 0; i < 2; i++)
        stacks[i] = aligned_alloc(16, FIBER_STACK_SIZE);
    return stacks[0] && stacks[1] ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(stacks[0]);
    free(stacks[1]);
    return 0;
}

/* The guard is checked by hand here: nobody else would notice. */
static void test_overrun(void **state)
{
    struct fiber f;

    (void)state;
    fiber_init(&f, stacks[0], FIBER_STACK_SIZE, &thread, NULL, NULL);
    assert_true(fiber_guard_holds(&f));
    stacks[0][3] ^= 1;
    assert_false(fiber_guard_holds(&f));
}

static void play(void *arg)
{
    struct ping *p = arg;

    for (int i = 0; i < TURNS; i++) {
        p->log[strlen(p->log)] = p->name;
        if (!p->other->done)
            fiber_switch(&p->self, p->other);
    }
}

static void test_alternate(void **state)
{
    char log[2 * TURNS + 2] = "";
    struct ping a = {.log = log, .name = 'a'}, b = {.log = log, .name = 'b'};

    (void)state;
    a.other = &b.self;
    b.other = &a.self;
    fiber_init(&a.self, stacks[0], FIBER_STACK_SIZE, &thread, play, &a);
    fiber_init(&b.self, stacks[1], FIBER_STACK_SIZE, &thread, play, &b);
    fiber_switch(&thread, &a.self);
    /* a ends first, and its parent has the word; b stands in its last turn. */
    assert_true(a.self.done && !b.self.done);
    fiber_switch(&thread, &b.self);
    assert_true(b.self.done);
    assert_string_equal(log, "ababababab");
    assert_true(fiber_guard_holds(&a.self) && fiber_guard_holds(&b.self));
}

static void keep_doubles(void *arg)
{
    double *sum = arg, x = 1.5;

    for (int i = 0; i < TURNS; i++) {
        x *= 2;
        *sum += x;
    }
}

static void test_floating_point(void **state)
{
    struct fiber f;
    double sum = 0;

    (void)state;
    fiber_init(&f, stacks[0], FIBER_STACK_SIZE, &thread, keep_doubles, &sum);
    fiber_switch(&thread, &f);
    assert_true(sum == 93.0);
}

/* A fiber that nobody goes back to leaves its stack to the next. */
static void test_abandoned(void **state)
{
    char log[2 * TURNS + 2] = "";
    struct ping a = {.log = log, .name = 'a', .other = &thread};
    double sum = 0;

    (void)state;
    fiber_init(&a.self, stacks[0], FIBER_STACK_SIZE, &thread, play, &a);
    fiber_switch(&thread, &a.self);
    assert_string_equal(log, "a");
    fiber_abandon(&a.self);
    assert_true(a.self.done);
    fiber_init(&a.self, stacks[0], FIBER_STACK_SIZE, &thread, keep_doubles, &sum);
    fiber_switch(&thread, &a.self);
    assert_true(sum == 93.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"run/fiber/an-overrun-is-found", test_overrun, setup, teardown, NULL},
        {"run/fiber/two-alternate", test_alternate, setup, teardown, NULL},
        {"run/fiber/floating-point", test_floating_point, setup, teardown, NULL},
        {"run/fiber/an-abandoned-stack-is-used-again", test_abandoned, setup, teardown, NULL},
    };

    return cmocka_run_group_tests_name("run/fiber", tests, NULL, NULL);
}
