/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every `expect` line of every scenario is needed: for each there is a wrong core
 * (wrong_core.h) that breaks this line and no other one, so that it would get through if the
 * line were deleted. Judged by the expectations alone: the rules are not asked. A line with a
 * condition is tried on the first machine of the matrix that it is about.
 */
#include "tests/run_fixture.h"

#include <unistd.h>

#include "run/crash.h"
#include "run/matrix.h"
#include "tests/wrong_core.h"

enum { EXPECTS_MAX = 1024, LINES_MAX = 8, MACHINES_MAX = 120, FAR = 64 };

static struct runner runner;
static struct subject subject;
static struct program program;
static uint64_t n_runs;

/* Lines of text; of a run, those that it left unmet. */
struct lines {
    uint32_t n, line[LINES_MAX];
};

static struct lines unmet;
/* By number of the expectation. */
static bool proven[EXPECTS_MAX];
static struct lines nearest[EXPECTS_MAX]; /* the fewest lines that it was among */

static void on_unmet(const struct runner *r, const struct expect *e)
{
    (void)r;
    for (uint32_t i = 0; i < unmet.n && i < LINES_MAX; i++)
        if (unmet.line[i] == e->line)
            return;
    if (unmet.n < LINES_MAX)
        unmet.line[unmet.n] = e->line;
    unmet.n++;
}

static bool is_unmet(uint32_t line)
{
    for (uint32_t i = 0; i < unmet.n && i < LINES_MAX; i++)
        if (unmet.line[i] == line)
            return true;
    return false;
}

/* Runs the program with a mistake; notes the line that alone caught it. */
static void try(const struct mistake *m)
{
    struct run_result result;

    wrong_core.mistake = *m;
    unmet.n = 0;
    n_runs++;
    runner_run(&runner, &program, &subject, NULL, &result);
    if (result.verdict != VERDICT_OK || !unmet.n)
        return;
    for (uint32_t i = 0; i < program.n_expects; i++) {
        if (!is_unmet(program.expects[i].line))
            continue;
        proven[i] = proven[i] || unmet.n == 1;
        if (!nearest[i].n || unmet.n < nearest[i].n)
            nearest[i] = unmet;
    }
}

/* Expectations of `program` that still want a proof and are about its machine. */
static uint32_t n_wanted(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < program.n_expects; i++)
        n += !proven[i] && expect_applies(&program.machine, &program.expects[i]);
    return n;
}

static void try_edits(struct mistake m, const struct record *r)
{
    static const int8_t steps[] = {1, -1, FAR};

    for (uint8_t kind = 0; kind < EDIT_COUNT; kind++) {
        m.edit = (struct edit){.kind = kind};
        m.made_good = false;
        if (kind != EDIT_MOVE)
            try(&m);
        m.made_good = m.kind == MISTAKE_CALL ? kind == EDIT_LEAVE_OUT
                                             : (kind == EDIT_NONE || kind == EDIT_OTHER_WAY) &&
                                                   record_has_other_way(r);
        if (m.made_good)
            try(&m);
        m.made_good = false;
        for (uint8_t f = 0; kind == EDIT_MOVE && f < record_fields(r); f++)
            for (size_t i = 0; i < sizeof(steps); i++) {
                m.edit.field = f;
                m.edit.pages = steps[i];
                try(&m);
            }
    }
}

/* Each call of the op, wrong; then each call of the whole run, once more. */
static void try_calls(uint32_t op, const struct record *records, uint32_t n)
{
    uint32_t call = 0;

    for (uint32_t i = 0; i < n; i++)
        if (records[i].op == op)
            try_edits((struct mistake){.kind = MISTAKE_CALL, .op = op, .call = call++},
                      &records[i]);
    for (uint32_t i = 0; i < n && n_wanted() > 0; i++) {
        wrong_core.one_more = records[i];
        try_edits((struct mistake){.kind = MISTAKE_ONE_MORE, .op = op}, &records[i]);
    }
}

/* A drop of each page, too many. */
static void try_drops(uint32_t op)
{
    struct mistake m = {.kind = MISTAKE_ONE_MORE, .op = op};

    for (uint32_t n = 0; n_wanted() > 0 && wrong_core_drop(n, &wrong_core.one_more); n++)
        try(&m);
}

static void try_for_good_or_not(struct mistake *m)
{
    m->made_good = false;
    try(m);
    m->made_good = true;
    try(m);
}

static void try_tales_of_page(const struct region_decl *region, struct mistake *m)
{
    m->kind = MISTAKE_TRACKER;
    try_for_good_or_not(m);
    if (!region->virtio_mem_pages)
        return;
    m->kind = MISTAKE_PLUGGED;
    try_for_good_or_not(m);
    m->kind = MISTAKE_DIRTY;
    try(m);
}

static void try_tales(uint32_t op)
{
    static const uint64_t told[] = {0, EINVAL, EAGAIN, EIO};
    const struct machine *m = &program.machine;
    struct mistake mistake = {.op = op};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        mistake.value = told[i];
        mistake.kind = MISTAKE_RESULT;
        try(&mistake);
        mistake.kind = MISTAKE_STATUS;
        try(&mistake);
    }
    mistake.kind = MISTAKE_BLOCKED;
    mistake.value = MODEL_NO_PAGE;
    try(&mistake);
    mistake.kind = MISTAKE_RESPONSE;
    for (mistake.value = 0; mistake.value < RESPONSE_COUNT; mistake.value++)
        try(&mistake);
    mistake.kind = MISTAKE_POPULATED;
    try(&mistake);
    mistake.kind = MISTAKE_OLD_FILE;
    try(&mistake);
    mistake.kind = MISTAKE_STOPPED;
    try_for_good_or_not(&mistake);
    for (mistake.call = 0; mistake.call < m->n_regions; mistake.call++)
        for (mistake.value = 0; m->regions[mistake.call].guest_memfd &&
                                mistake.value < m->regions[mistake.call].n_pages;
             mistake.value++)
            try_tales_of_page(&m->regions[mistake.call], &mistake);
}

static void prove_on_this_machine(const char *path)
{
    static struct record records[RECORDS_MAX];
    struct mistake none = {0};
    uint32_t n;

    try(&none);
    if (unmet.n) {
        print_message("%s:%u: does not hold\n", path, unmet.line[0]);
        return;
    }
    n = wrong_core.n_records;
    memcpy(records, wrong_core.records, n * sizeof(*records));
    for (uint32_t op = program.n_ops; op-- > 0 && n_wanted() > 0;) {
        try_tales(op);
        if (n_wanted() > 0)
            try_calls(op, records, n);
        try_drops(op);
    }
}

static void print_unproven(const char *path, uint32_t expect)
{
    print_message("%s:%u: no wrong core needs it", path, program.expects[expect].line);
    if (!nearest[expect].n)
        print_message(": none of them breaks it");
    else
        print_message(": the nearest one breaks lines");
    for (uint32_t i = 0; i < nearest[expect].n && i < LINES_MAX; i++)
        print_message(" %u", nearest[expect].line[i]);
    print_message("\n");
}

/* The scenario's own machine, then for each line that is still without proof another one that
 * it is about. */
static uint32_t prove_file(const char *path)
{
    struct file_list list;
    struct matrix matrix;
    struct text_error problem;
    char why[300];
    uint32_t bad = 0, machines = 0;

    memset(proven, 0, sizeof(proven));
    memset(nearest, 0, sizeof(nearest));
    file_list_init(&list);
    assert_int_equal(file_list_add(&list, path, why, sizeof(why)), 0);
    assert_int_equal(matrix_init(&matrix, &list), 0);
    for (uint64_t item = 0; item < matrix.n_items && machines < MACHINES_MAX; item++) {
        assert_int_equal(matrix_load(&matrix, item, &program, &problem), 0);
        assert_true(program.n_expects <= EXPECTS_MAX);
        if (n_wanted() > 0 && ++machines)
            prove_on_this_machine(path);
    }
    for (uint32_t i = 0; i < program.n_expects; i++)
        if (!proven[i] && (i == 0 || program.expects[i].line != program.expects[i - 1].line)) {
            print_unproven(path, i);
            bad++;
        }
    matrix_free(&matrix);
    file_list_free(&list);
    return bad;
}

/* ---- deliberate error ---- */
static void a_line_too_many_is_found(void **state)
{
    char path[] = "/tmp/gmemcheck-expects-XXXXXX";
    FILE *f;

    (void)state;
    if (SANITIZED)
        skip(); /* there a wrong core that fails an assertion ends the test */
    f = fdopen(mkstemp(path), "we");
    assert_non_null(f);
    fputs(MACHINE "attach d0\nconvert ram0[3] shared\n  expect result=0\n"
                  "  expect mapped c0 ram0[3]\n  expect calls dma/map=1 mapped c0 ram0[3]\n",
          f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(prove_file(path),
                     1); /* the call count sees more than the line before it */
    assert_int_equal(unlink(path), 0);
}

static void every_line_is_needed(void **state)
{
    struct file_list list;
    uint32_t bad = 0;
    char why[300];

    (void)state;
    if (SANITIZED)
        skip(); /* as above */
    file_list_init(&list);
    assert_int_equal(file_list_add(&list, "scenarios", why, sizeof(why)), 0);
    for (uint32_t i = 0; i < list.n; i++)
        bad += prove_file(list.paths[i]);
    file_list_free(&list);
    print_message("%llu wrong cores\n", (unsigned long long)n_runs);
    if (bad)
        fail_msg("%u lines that no wrong core needs", bad);
}

static const struct runner_hooks hooks = {
    .before_op = wrong_core_before_op, .after_op = wrong_core_after_op, .unmet = on_unmet};

static int setup(void **state)
{
    (void)state;
    if (crash_init() || runner_init(&runner))
        return -1;
    subject = wrong_core_subject();
    wrong_core.runner = &runner;
    runner.hooks = &hooks;
    program_init(&program);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_free(&program);
    runner_free(&runner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"run/expects/a-line-too-many-is-found", a_line_too_many_is_found, NULL, NULL, NULL},
        {"run/expects/every-line-is-needed", every_line_is_needed, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("run/expects", tests, setup, teardown);
}
