/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a program, run and judged as any other. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "fuzz/target.h"
#include "program/bytes.h"
#include "run/runner.h"
#include "run/subject.h"
#include "run/vocabulary.h"

/* Larger ones are slow, and find nothing that these do not. */
enum { PAGES_MAX = 1024, OPS_MAX = TARGET_BYTES_MAX / 2 };

static struct runner runner;
static struct program program;

int target_init(void)
{
    const struct op op = {.kind = OP_RESET};
    int error = runner_init(&runner);

    program_init(&program);
    for (uint32_t i = 0; !error && i < OPS_MAX; i++)
        error = program_add_op(&program, &op);
    return error;
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
    runner_run(&runner, &program, &subject_core, NULL, &r);
    if (is_finding(r.verdict))
        snprintf(why, why_size, "%s: %s: %s", verdict_name(r.verdict), r.rule, r.detail);
    return !is_finding(r.verdict);
}
