/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking things out of a program: what belongs to them goes too, the rest means what it meant.
 */
#include "tests/program_for_tests.h"

#include "program/edit.h"

/* Two of everything, in an order in which numbers move. */
#define TWO                                                                                    \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine vcpus=2\n"                                                                        \
    "region ram0 pages=4\n"                                                                    \
    "region ram1 pages=6\n"                                                                    \
    "section ram0[0..4) at 10\n"                                                               \
    "section ram1[0..6) at 14\n"                                                               \
    "container c0\n"                                                                           \
    "container c1 listen=manual\n"                                                             \
    "device d0 in c0\n"                                                                        \
    "device d1 in c1\n"

static struct program p;

/* Brief text, without its first lines: what comes after "device". */
static char *brief(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(text_print_brief(out, &p, &test_vocabulary, NULL), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_brief(const char *wanted)
{
    char *text = brief();

    assert_string_equal(text, wanted);
    free(text);
}

static void assert_ops(const char *wanted)
{
    char *text = brief(), *ops = strstr(text, "\n\n");

    assert_string_equal(ops ? ops + 2 : "", wanted);
    free(text);
}

/* ---- deliberate error ---- */
static void another_program_is_noticed(void **state)
{
    char *text;

    (void)state;
    must_parse(TWO "attach d0\n", &p);
    text = brief();
    assert_null(strstr(text, "attach d1"));
    assert_non_null(strstr(text, "\n\nattach d0\n"));
    free(text);
}

static void brief_leaves_out_defaults(void **state)
{
    (void)state;
    must_parse("gmemcheck-scenario 1\n"
               "machine mode=discard mapping=run vcpus=1 memlock=0\n"
               "region ram0 pages=4 share=anon guest_memfd=yes\n"
               "region rom1 pages=1 share=memfd\n"
               "region ram2 pages=4 virtio_mem=2 requested=4\n"
               "section ram0[0..4) at 10\n"
               "section ram2[0..4) at 20\n"
               "container c0 iommu=type1 listen=all entries=65535\n"
               "container c1 listen=manual entries=7\n"
               "seed 0\n"
               "fault vfio/map ENOSPC nth=1\n"
               "fault vfio/map ENOSPC from=1\n"
               "convert ram0[0] shared vcpu=0 via=hypercall\n"
               "convert ram0[0] private via=fault\n",
               &p);
    assert_brief("gmemcheck-scenario 1\n"
                 "machine mapping=run\n"
                 "region ram0 pages=4\n"
                 "region rom1 pages=1 share=memfd\n"
                 "region ram2 pages=4 virtio_mem=2\n"
                 "section ram0[0..4) at 10\n"
                 "section ram2[0..4) at 20\n"
                 "container c0\n"
                 "container c1 listen=manual entries=7\n\n"
                 "fault vfio/map ENOSPC\n"
                 "fault vfio/map ENOSPC from=1\n"
                 "convert ram0[0] shared\n"
                 "convert ram0[0] private via=fault\n");
}

static void an_op_takes_its_expectations(void **state)
{
    (void)state;
    must_parse(TWO "attach d0\n"
                   "convert ram0[0] shared\n"
                   "  expect result=0\n"
                   "convert ram0[1] shared\n"
                   "  expect status=0\n",
               &p);
    program_drop_ops(&p, 1, 1);
    assert_ops("attach d0\nconvert ram0[1] shared\n  expect status=0\n");
}

static void a_region_takes_its_ops(void **state)
{
    (void)state;
    must_parse(TWO "convert ram0[1] shared\n"
                   "query ram1[2..4)\n"
                   "convert gpa[11..13) shared\n"
                   "reset\n"
                   "  expect private ram0[0] ram1[0]\n",
               &p);
    program_drop_region(&p, 0);
    assert_int_equal(p.machine.n_sections, 1);
    assert_ops("query ram0[2..4)\n"
               "convert gpa[11..13) shared\n"
               "reset\n"
               "  expect private ram0[0]\n");
}

static void a_container_takes_its_devices(void **state)
{
    (void)state;
    must_parse(TWO "attach d0\n"
                   "attach d1\n"
                   "listen c1 ram0[0..2)\n"
                   "  expect entries c0=0\n"
                   "  expect entries c1=0\n",
               &p);
    program_drop_container(&p, 0);
    assert_int_equal(p.machine.n_devices, 1);
    assert_ops("attach d0\nlisten c0 ram0[0..2)\n  expect entries c0=0\n");
}

static void a_device_takes_its_ops(void **state)
{
    (void)state;
    must_parse(TWO "attach d0\nattach d1\ndetach d0\ndetach d1\n", &p);
    program_drop_device(&p, 0);
    assert_int_equal(p.machine.n_containers, 2);
    assert_ops("attach d0\ndetach d0\n");
}

static void pages_are_cut_out_of_region_and_addresses(void **state)
{
    (void)state;
    must_parse(TWO "convert ram0[0..4) shared\n"
                   "convert ram0[1] private\n"
                   "convert ram0[3] private\n"
                   "convert gpa[12..16) private\n"
                   "query ram1[0..2)\n"
                   "remove ram0\n"
                   "  expect mapped c0 ram0[1..4)\n",
               &p);
    program_drop_pages(&p, 0, 1, 2);
    assert_int_equal(p.machine.regions[0].n_pages, 2);
    assert_int_equal(p.machine.sections[1].gpa_page, 12);
    assert_ops("convert ram0[0..2) shared\n"
               "convert ram0[1] private\n"
               "convert gpa[11..14) private\n"
               "query ram1[0..2)\n"
               "remove ram0\n"
               "  expect mapped c0 ram0[1]\n");
    assert_int_equal(program_validate(&p, NULL, 0, NULL), 0);
}

/* A conversion that starts in a region and runs over its end is shorter by what lies there. */
static void a_range_over_a_border_is_cut_where_it_goes(void **state)
{
    (void)state;
    must_parse(TWO "convert ram0@0x3000+0x3000 shared\n", &p);
    program_drop_pages(&p, 1, 0, 1);
    assert_ops("convert ram0@0x3000+0x2000 shared\n");
    program_drop_pages(&p, 0, 0, 3);
    assert_ops("convert ram0@0x0+0x2000 shared\n");
    assert_int_equal(program_validate(&p, NULL, 0, NULL), 0);
}

static void a_gap_is_closed(void **state)
{
    (void)state;
    must_parse(TWO "convert gpa[8..12) shared\nconvert ram0[0] shared\n", &p);
    program_drop_gap(&p, 0, 10);
    assert_int_equal(p.machine.sections[0].gpa_page, 0);
    assert_int_equal(p.machine.sections[1].gpa_page, 4);
    assert_ops("convert gpa[0..2) shared\nconvert ram0[0] shared\n");
}

static int setup(void **state)
{
    (void)state;
    program_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_free(&p);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "program/edit/" name, fn, setup, teardown, NULL                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-program-is-noticed", another_program_is_noticed),
        TEST("brief-leaves-out-defaults", brief_leaves_out_defaults),
        TEST("an-op-takes-its-expectations", an_op_takes_its_expectations),
        TEST("a-region-takes-its-ops", a_region_takes_its_ops),
        TEST("a-container-takes-its-devices", a_container_takes_its_devices),
        TEST("a-device-takes-its-ops", a_device_takes_its_ops),
        TEST("pages-are-cut-out-of-region-and-addresses",
             pages_are_cut_out_of_region_and_addresses),
        TEST("a-range-over-a-border-is-cut-where-it-goes",
             a_range_over_a_border_is_cut_where_it_goes),
        TEST("a-gap-is-closed", a_gap_is_closed),
    };

    return cmocka_run_group_tests_name("program/edit", tests, NULL, NULL);
}
