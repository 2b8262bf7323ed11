/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our core survives sweeps of all scenarios, on their own machines and on those that take other
 * paths through an undo. */
#include "tests/sweep_fixture.h"

#include "run/files.h"
#include "run/points.h"

/* With the axis at this value, if the scenario may have it. */
static void add_with(const char *path, const struct program *own, enum program_axis axis,
                     uint8_t value)
{
    struct program p;
    uint32_t op;

    if (!(own->machine.also[axis] >> value & 1))
        return;
    program_init(&p);
    assert_int_equal(program_copy(&p, own), 0);
    program_set_axis(&p, axis, value);
    if (axis == AXIS_mode && own->machine.also[AXIS_kernel] >> KERNEL_PROPOSED & 1)
        program_set_axis(&p, AXIS_kernel, KERNEL_PROPOSED);
    if (program_validate(&p, NULL, 0, NULL) == 0 && points_faults_exist(&p, &op))
        assert_int_equal(sweep_add(&sweep, path, &p, NULL), 0);
    program_free(&p);
}

static void sweep_scenarios(const struct sweep_options *how)
{
    struct text_error problem;
    struct file_list list;
    struct program p;
    char why[300];

    sweep_free(&sweep);
    sweep_init(&sweep, how);
    program_init(&p);
    file_list_init(&list);
    assert_int_equal(file_list_add(&list, "scenarios", why, sizeof(why)), 0);
    for (uint32_t i = 0; i < list.n; i++) {
        assert_int_equal(file_load(&list, i, &p, &problem), 0);
        assert_int_equal(sweep_add(&sweep, list.paths[i], &p, NULL), 0);
        add_with(list.paths[i], &p, AXIS_mode, MODE_INPLACE);
        add_with(list.paths[i], &p, AXIS_mapping, MAPPING_RUN);
        add_with(list.paths[i], &p, AXIS_iommu, IOMMU_IOMMUFD);
    }
    assert_int_equal(sweep_run(&sweep), 0);
    file_list_free(&list);
    program_free(&p);
}

static void print_finding(const struct sweep_finding *f)
{
    struct run_result r;
    struct program p;

    program_init(&p);
    print_message("%s, %s, %s\n", sweep.programs[f->program].name, f->result.rule,
                  f->result.detail);
    assert_int_equal(sweep_reproducer(&sweep, f, &p, &r), 0);
    text_print(stdout, &p, &run_vocabulary, NULL);
    program_free(&p);
}

/* One whose undo does not hear of its own failures. */
static void a_wrong_core_does_not_survive(void **state)
{
    const struct subject wrong = deaf_in_undo();
    struct sweep_options how = depth(2, &wrong);

    (void)state;
    how.jobs = 2;
    sweep_scenarios(&how);
    assert_int_equal(sweep.n_findings, 1);
}

static void no_fault_breaks_a_rule(void **state)
{
    struct sweep_options how = depth(SANITIZED ? 1 : 2, &subject_core);

    (void)state;
    how.jobs = 2;
    sweep_scenarios(&how);
    sweep_report_summary(stdout, &sweep, false);
    if (sweep.n_findings > 0)
        print_finding(&sweep.findings[0]);
    for (uint32_t i = 0; i < sweep.n_programs; i++)
        assert_int_equal(sweep.programs[i].counts.not_fired, 0);
    assert_int_equal(sweep.n_findings, 0);
    assert_true(sweep_runs(&sweep) > 10000);
    sweep_free(&sweep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"sweep/scenarios/a-wrong-core-does-not-survive", a_wrong_core_does_not_survive, NULL,
         NULL, NULL},
        {"sweep/scenarios/no-fault-breaks-a-rule", no_fault_breaks_a_rule, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("sweep/scenarios", tests, NULL, NULL);
}
