/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a program that fails as small and plain as it gets while it fails the same way
 * (run/signature.h): fewer ops, less machine, fewer pages, plainer values, the first value of
 * each axis. Works in a process of its own, so that nothing that a subject does can lose what
 * was reached. The same program gives the same result, unless time is what ends it.
 */
#ifndef RUN_SHRINK_H
#define RUN_SHRINK_H

#include "run/signature.h"

enum { SHRINK_TRIES = 200000, SHRINK_SECONDS = 60 };

struct shrink_options {
    const struct subject *subject;
    uint64_t tries; /* programs to run at most; 0: SHRINK_TRIES */
    double seconds; /* 0: SHRINK_SECONDS */
    bool progress;  /* a line on stderr, rewritten */
    /* Is it the same failure? NULL: signature_equal. For tests of the tests. */
    bool (*same)(const struct signature *a, const struct signature *b);
};

enum shrink_end {
    SHRINK_UNDER_WAY,
    SHRINK_MINIMAL,     /* every single removal was tried on the result, and none fails so */
    SHRINK_BUDGET,      /* tries or time were used up before that */
    SHRINK_INTERRUPTED, /* by a signal, before that */
    SHRINK_NOT_FAILING, /* there is nothing to shrink: result says how it went */
    SHRINK_UNSTABLE,    /* it does not fail the same way each time */
    SHRINK_HARNESS,     /* our own machinery failed: result.detail */
};

struct shrink_result {
    enum shrink_end end;
    struct program program; /* the best so far; of the last two ends, and of NOT_FAILING: as it
                               was */
    struct run_result result;
    struct signature signature;
    uint64_t tries, ops; /* that were run meanwhile */
    uint64_t removals;   /* SHRINK_MINIMAL: that prove it */
    double seconds;      /* all of it */
    double work_seconds; /* without what it takes to start a process and to notice its end */
};

/* 0, or negative errno: no process could be started. SIGINT and its kin are caught from now on
 * (run/interrupt.h). shrink_free in any case. */
int shrink(const struct program *p, const struct shrink_options *options,
           struct shrink_result *out);
/* Is `program` what was reached, and does it fail? Else `end` says why there is nothing. */
bool shrink_has_result(const struct shrink_result *r);
void shrink_free(struct shrink_result *out);

#endif
