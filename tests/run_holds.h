/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as text, run, and what came of it: what tests of faults and points share. */
#ifndef TESTS_RUN_HOLDS_H
#define TESTS_RUN_HOLDS_H

#include "tests/run_fixture.h"

#include <errno.h>

#include "run/crash.h"
#include "run/runner.h"

static struct runner runner;
static struct run_result result;

static inline void run_on(const struct subject *subject, const char *text)
{
    struct program p;

    must_parse(text, &p);
    runner_run(&runner, &p, subject, NULL, &result);
    program_free(&p);
}

/* The program holds, expectations too, and this many faults fired. */
static inline void holds(const char *text, uint64_t faults)
{
    run_on(&subject_core, text);
    if (result.verdict != VERDICT_OK)
        fail_msg("line %u: %s: %s", result.line, result.rule, result.detail);
    assert_int_equal(result.faults, faults);
}

static inline int setup(void **state)
{
    (void)state;
    return crash_init() || runner_init(&runner);
}

static inline int teardown(void **state)
{
    (void)state;
    runner_free(&runner);
    return 0;
}

#endif
