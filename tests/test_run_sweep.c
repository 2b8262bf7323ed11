/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every scenario with a fault more: each host call that an op makes fails, early and late, with
 * each errno it has, at its first hits; then the same with another call that fails for good
 * while the op is undone. What the author expected is dropped, the rules judge. One machine a
 * shape of the core: the scenario's own, and the axes that take other paths through an undo.
 */
#include "tests/run_fixture.h"

#include "run/crash.h"
#include "run/files.h"
#include "run/points.h"
#include "run/runner.h"
#include "sim/points.h"

enum { OPS_MAX = 64, HITS_MAX = 3 };

static struct runner runner;
static struct program scenario; /* without its expectations */
static struct program program;  /* with the faults */
static uint32_t calls[OPS_MAX][POINT_COUNT];
static uint32_t n_runs, n_bad;
static const char *path;
static const struct subject *subject = &subject_core;

/* ---- what a clean run calls ---- */

static void before_op(struct runner *r)
{
    (void)r;
}

static void after_op(struct runner *r)
{
    if (r->result->op < OPS_MAX)
        memcpy(calls[r->result->op], r->op_calls, sizeof(calls[0]));
}

static void unmet(const struct runner *r, const struct expect *e)
{
    (void)r, (void)e;
}

static void count_calls(void)
{
    static const struct runner_hooks hooks = {before_op, after_op, unmet};
    struct run_result result;

    memset(calls, 0, sizeof(calls));
    runner.hooks = &hooks;
    runner_run(&runner, &scenario, subject, NULL, &result);
    runner.hooks = NULL;
}

/* ---- one more fault, or two ---- */

static void add(const struct op *op)
{
    assert_int_equal(program_add_op(&program, op), 0);
}

/* The scenario with up to two faults in front of an op and all disarmed after it. */
static void judge(uint32_t at, const struct op *fault, const struct op *undo_fault)
{
    const struct op disarm = {.kind = OP_DISARM};
    struct run_result result;

    program_clear(&program);
    program.machine = scenario.machine;
    for (uint32_t i = 0; i < scenario.n_ops; i++) {
        if (i == at) {
            add(fault);
            if (undo_fault)
                add(undo_fault);
        }
        add(&scenario.ops[i]);
        if (i == at)
            add(&disarm);
    }
    n_runs++;
    runner_run(&runner, &program, subject, NULL, &result);
    if (result.verdict == VERDICT_OK || result.verdict == VERDICT_INPUT || n_bad > 5)
        return;
    n_bad++;
    if (subject != &subject_core)
        return;
    print_message("%s, op %u: %s: %s: %s\n", path, at, verdict_name(result.verdict),
                  result.rule, result.detail);
    text_print(stdout, &program, &run_vocabulary, NULL);
}

/* Calls that an undo makes, each failing for good. */
static void judge_undo(uint32_t at, const struct op *fault)
{
    static const uint16_t points[] = {
        POINT_VFIO_UNMAP,         POINT_VFIO_MAP,       POINT_IOMMUFD_UNMAP, POINT_IOMMUFD_MAP,
        POINT_KVM_SET_ATTRIBUTES, POINT_KVM_SET_REGION, POINT_GMEM_PUNCH};

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct op undo = {.kind = OP_FAULT,
                          .point = points[i],
                          .error = (uint16_t)points_errno(points[i], 0, false),
                          .when = FAULT_STICKY,
                          .in_undo = 1,
                          .value = 1};

        if (points_armed(undo.point, undo.error, false, &scenario.machine))
            judge(at, fault, &undo);
    }
}

static void sweep_point(uint32_t at, uint16_t point)
{
    uint32_t hits = calls[at][point] < HITS_MAX ? calls[at][point] : HITS_MAX;
    struct op fault = {.kind = OP_FAULT, .point = point};

    for (fault.value = 1; fault.value <= hits; fault.value++)
        for (fault.late = 0; fault.late <= 1; fault.late++)
            for (uint32_t i = 0; points_errno(point, i, fault.late); i++) {
                fault.error = (uint16_t)points_errno(point, i, fault.late);
                judge(at, &fault, NULL);
                if (i == 0)
                    judge_undo(at, &fault);
            }
}

static void sweep_machine(void)
{
    count_calls();
    for (uint32_t at = 0; at < scenario.n_ops && at < OPS_MAX; at++)
        for (uint16_t point = 0; point < POINT_COUNT; point++)
            sweep_point(at, point);
}

/* With the axis at this value, if the scenario may have it. */
static void sweep_with(const struct program *own, enum program_axis axis, uint8_t value)
{
    if (!(own->machine.also[axis] >> value & 1))
        return;
    assert_int_equal(program_copy(&scenario, own), 0);
    program_set_axis(&scenario, axis, value);
    if (axis == AXIS_mode && own->machine.also[AXIS_kernel] >> KERNEL_PROPOSED & 1)
        program_set_axis(&scenario, AXIS_kernel, KERNEL_PROPOSED);
    if (program_validate(&scenario, NULL, 0, NULL) == 0)
        sweep_machine();
}

static void sweep_file(const struct file_list *list, uint32_t index)
{
    struct text_error problem;
    struct program own;

    program_init(&own);
    path = list->paths[index];
    assert_int_equal(file_load(list, index, &own, &problem), 0);
    own.n_expects = 0;
    assert_int_equal(program_copy(&scenario, &own), 0);
    sweep_machine();
    sweep_with(&own, AXIS_mode, MODE_INPLACE);
    sweep_with(&own, AXIS_mapping, MAPPING_RUN);
    sweep_with(&own, AXIS_iommu, IOMMU_IOMMUFD);
    program_free(&own);
}

/* ---- deliberate error: errors of attach are swallowed ---- */
static int attach_well(void *state, uint32_t container, uint32_t device)
{
    (void)subject_core.attach(state, container, device);
    return 0;
}

static void a_swallowed_error_is_found(void **state)
{
    struct subject wrong = subject_core;
    struct file_list list;
    char why[300];

    (void)state;
    wrong.attach = attach_well;
    subject = &wrong;
    file_list_init(&list);
    assert_int_equal(
        file_list_add(&list, "scenarios/A1-stale-iova-after-discard.scn", why, sizeof(why)), 0);
    sweep_file(&list, 0);
    file_list_free(&list);
    subject = &subject_core;
    assert_true(n_bad > 0);
    n_bad = n_runs = 0;
}

static void no_fault_breaks_a_rule(void **state)
{
    struct file_list list;
    char why[300];

    (void)state;
    file_list_init(&list);
    assert_int_equal(file_list_add(&list, "scenarios", why, sizeof(why)), 0);
    for (uint32_t i = 0; i < list.n; i++)
        sweep_file(&list, i);
    file_list_free(&list);
    print_message("%u programs\n", n_runs);
    assert_true(n_runs > 10000);
    assert_int_equal(n_bad, 0);
}

static int setup(void **state)
{
    (void)state;
    program_init(&scenario);
    program_init(&program);
    return crash_init() || runner_init(&runner);
}

static int teardown(void **state)
{
    (void)state;
    program_free(&scenario);
    program_free(&program);
    runner_free(&runner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"run/sweep/a-swallowed-error-is-found", a_swallowed_error_is_found, NULL, NULL, NULL},
        {"run/sweep/no-fault-breaks-a-rule", no_fault_breaks_a_rule, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("run/sweep", tests, setup, teardown);
}
