/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a program, run and judged as any other. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "program/bytes.h"
#include "run/runner.h"
#include "run/subject.h"
#include "run/vocabulary.h"

/* Larger ones are slow, and find nothing that these do not. */
enum {
    PAGES_MAX = 1024,
    OPS_MAX = TARGET_BYTES_MAX / 2,
    EXPECTS_MAX = TARGET_BYTES_MAX / 8,
    SNAPSHOT_MAX = 16 << 20,
};

static struct runner runner;
static struct program program;

/* Room for the ops and expectations that an input can have. */
static int make_room(struct program *p)
{
    const struct op op = {.kind = OP_RESET};
    const struct expect expect = {.kind = EXPECT_RESULT};
    int error = 0;

    program_init(p);
    for (uint32_t i = 0; !error && i < OPS_MAX; i++)
        error = program_add_op(p, &op);
    for (uint32_t i = 0; !error && i < EXPECTS_MAX; i++)
        error = program_add_expect(p, &expect);
    return error;
}

int target_init(void)
{
    int error = runner_init(&runner);

    if (error)
        return error;
    runner.snapshot.bytes = malloc(SNAPSHOT_MAX);
    if (!runner.snapshot.bytes)
        return -ENOMEM;
    runner.snapshot.capacity = SNAPSHOT_MAX;
    return make_room(&program);
}

/* An input that cannot be run is no finding. */
static bool is_finding(enum verdict v)
{
    return v != VERDICT_OK && v != VERDICT_INPUT && v != VERDICT_NOT_RUN;
}

bool target_one(const uint8_t *data, size_t size, char *why, size_t why_size)
{
    struct run_result r = {0};
    int error = bytes_decode(data, size, &run_vocabulary, &program);

    assert(error == 0 || error == -ENOMEM);
    if (error || machine_n_pages(&program.machine) > PAGES_MAX || program.n_ops > OPS_MAX)
        return true;
    program.n_expects = 0; /* random ones hold for nobody */
    /* Its last op's calls are cleared by the next run: they would be edges of that one. */
    memset(runner.op_calls, 0, sizeof(runner.op_calls));
    runner.op_points = 0;
    runner_run(&runner, &program, &subject_core, NULL, &r);
    if (is_finding(r.verdict))
        snprintf(why, why_size, "%s: %s: %s", verdict_name(r.verdict), r.rule, r.detail);
    return !is_finding(r.verdict);
}
