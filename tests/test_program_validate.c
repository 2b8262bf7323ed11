/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program_validate: each rule fires, on a program that is good but for one field. */
#include "tests/program_validate.h"

#include <errno.h>

static void test_one_wrong_field_is_refused(void **state)
{
    struct program *p = *state;
    uint32_t line = 0;
    char why[200];

    assert_valid(p);
    p->ops[AT_WRITE].value = 0;
    assert_int_equal(program_validate(p, why, sizeof(why), &line), -EINVAL);
    assert_int_equal(line, 77);
}

static void test_axes_and_counts(void **state)
{
    struct program *p = *state;
    struct machine *m = &p->machine;

    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        BREAK(m->axis[i], (uint8_t)program_axis_count(i), "unknown value");
    BREAK(m->also[AXIS_order], 1u << m->axis[AXIS_order], "must be other values");
    BREAK(m->also[AXIS_order], 4, "must be other values");
    ALLOW(m->also[AXIS_order], 2u >> m->axis[AXIS_order]);
    BREAK(m->axis[AXIS_mode], MODE_INPLACE, "needs kernel=proposed");
    BREAK(m->axis[AXIS_split], SPLIT_REFUSE, "mapping=page has nothing to split");
    m->axis[AXIS_mapping] = MAPPING_RUN;
    ALLOW(m->axis[AXIS_split], SPLIT_REFUSE);
    m->axis[AXIS_split] = SPLIT_CUT;
    m->axis[AXIS_iommu] = IOMMU_COMPATV1;
    BREAK(m->axis[AXIS_iommu], IOMMU_TYPE1V1, "split=cut needs");
    ALLOW(m->axis[AXIS_iommu], IOMMU_IOMMUFD);
    m->axis[AXIS_kernel] = KERNEL_PROPOSED;
    ALLOW(m->axis[AXIS_mode], MODE_INPLACE);
    BREAK(m->n_vcpus, 0, "a machine needs a vCPU");
    BREAK(m->n_vcpus, PROGRAM_VCPUS_MAX + 1, "9 vCPUs, the most is 8");
    BREAK(m->n_regions, PROGRAM_REGIONS_MAX + 1, "9 regions");
    BREAK(m->n_sections, PROGRAM_SECTIONS_MAX + 1, "17 sections");
    BREAK(m->n_containers, PROGRAM_CONTAINERS_MAX + 1, "5 containers");
    BREAK(m->n_devices, PROGRAM_DEVICES_MAX + 1, "9 devices");
    memset(m, 0, sizeof(*m));
    m->n_vcpus = 1;
    assert_refused(p, "the machine has no region");
}

static void test_regions(void **state)
{
    struct program *p = *state;
    struct region_decl *r = p->machine.regions;

    BREAK(r[0].kind, REGION_MMIO + 1, "unknown kind");
    BREAK(r[0].share, SHARE_COUNT, "out of range");
    BREAK(r[0].guest_memfd, 2, "out of range");
    BREAK(r[0].also_share, 1u << r[0].share, "out of range");
    BREAK(r[0].also_share, 1 << (SHARE_MEMFD + 1), "out of range");
    BREAK(r[1].also_share, 1 << SHARE_MEMFD, "mmio1 has no memory");
    BREAK(r[0].n_pages, 0, "ram0 has no pages");
    BREAK(r[0].n_pages, PROGRAM_PAGES_MAX, "pages over all regions");
    BREAK(r[0].n_pages, UINT32_MAX, "pages over all regions");
    BREAK(r[1].guest_memfd, 1, "mmio1 cannot have guest_memfd");
    BREAK(r[2].guest_memfd, 1, "rom2 cannot have guest_memfd");
    BREAK(r[1].share, SHARE_MEMFD, "mmio1 has no memory");
    r[2].also_share = 0;
    ALLOW(r[2].share, SHARE_MEMFD);
}

static void test_sections(void **state)
{
    struct program *p = *state;
    struct section_decl *s = p->machine.sections;

    BREAK(s[0].region, 4, "section 0 is of region 4, there are 4");
    BREAK(s[0].pad, 1, "section 0");
    BREAK(s[0].n_pages, 0, "section 0 has no pages");
    BREAK(s[0].n_pages, 9, "ram0 has 8 pages, section 0 ends at 9");
    BREAK(s[0].first_page, UINT32_MAX, "ram0 has 8 pages");
    BREAK(s[0].n_pages, UINT32_MAX, "ram0 has 8 pages");
    BREAK(s[1].gpa_page, 22,
          "section 1 (mmio1 at GPA page 22) overlaps section 0 (ram0 at 16)");
    BREAK(s[1].gpa_page, 15, "overlaps");
    ALLOW(s[1].gpa_page, 23); /* touching */
    ALLOW(s[1].gpa_page, 14);
}

/* behaviour.md 5.1: type1's IOVA ranges exclude the MSI window; GPA = IOVA. */
static void test_gpa_end(void **state)
{
    struct program *p = *state;
    struct section_decl *s = &p->machine.sections[3];
    uint64_t end = PROGRAM_GPA_END / PAGE_SIZE_4K;

    ALLOW(s->gpa_page, end - 2);
    BREAK(s->gpa_page, end - 1, "type1 maps nothing from 0xfee00000 on");
    BREAK(s->gpa_page, end, "0xfee00000");
    BREAK(s->gpa_page, UINT64_MAX, "0xfee00000");
    BREAK(s->gpa_page, UINT64_C(1) << 52, "0xfee00000");
}

static void test_guest_memfd_page_has_one_gpa(void **state)
{
    struct program *p = *state;
    struct machine *m = &p->machine;

    m->sections[m->n_sections++] =
        (struct section_decl){.region = 0, .first_page = 6, .n_pages = 2, .gpa_page = 60};
    assert_refused(p, "a guest_memfd page has one GPA at most");
    m->sections[4].first_page = 7;
    m->sections[4].n_pages = 1;
    assert_valid(p);
    m->sections[4] =
        (struct section_decl){.region = 3, .first_page = 1, .n_pages = 1, .gpa_page = 60};
    assert_valid(p); /* plain RAM may be seen twice */
}

static void test_containers_and_devices(void **state)
{
    struct program *p = *state;

    BREAK(p->machine.containers[0].listen_all, 2, "c0: a field is out of range");
    BREAK(p->machine.devices[0].container, 1, "d0 is in container 1, there are 1");
}

static void test_units(void **state)
{
    struct program *p = *state;

    BREAK(p->ops[AT_ATTACH].unit, 1, "d1, the machine has 1 devices");
    BREAK(p->ops[AT_CONVERT].unit, 2, "vcpu=2, the machine has 2 vCPUs");
    BREAK(p->ops[AT_LISTEN].unit, 1, "c1, the machine has 1 containers");
    BREAK(p->ops[AT_QUERY].unit, 1, "query has no unit");
    BREAK(p->expects[SAYS_ENTRIES].unit, 1, "c1, the machine has 1 containers");
    BREAK(p->ops[AT_ATTACH].kind, OP_KIND_COUNT, "unknown op");
}

/* A field without a meaning is 0, or the text form would lose it. */
static void test_unused_fields(void **state)
{
    struct program *p = *state;

    BREAK(p->ops[AT_ATTACH].region, OP_NO_REGION, "must be 0");
    BREAK(p->ops[AT_ATTACH].start, 1, "must be 0");
    BREAK(p->ops[AT_ATTACH].size, 1, "must be 0");
    BREAK(p->ops[AT_CONVERT].value, 1, "must be 0");
    BREAK(p->ops[AT_CONVERT].point, 1, "must be 0");
    BREAK(p->ops[AT_WRITE].to_private, 1, "must be 0");
    BREAK(p->ops[AT_WRITE].via, 1, "must be 0");
    BREAK(p->ops[AT_DMA_READ].value, 1, "must be 0");
    BREAK(p->ops[AT_QUERY].late, 1, "must be 0");
    BREAK(p->ops[AT_QUERY].error, 1, "must be 0");
    BREAK(p->expects[SAYS_RESULT].size, 1, "must be 0");
    BREAK(p->expects[SAYS_RESULT].unit, 1, "must be 0");
    BREAK(p->expects[SAYS_RESULT].point, 1, "must be 0");
    BREAK(p->expects[SAYS_SHARED].value, 1, "must be 0");
    BREAK(p->expects[SAYS_SHARED].pad, 1, "must be 0");
    BREAK(p->expects[SAYS_SHARED].only[AXIS_failure], 4, "unknown values 0x4 of axis failure");
    ALLOW(p->expects[SAYS_SHARED].only[AXIS_failure], 3);
}

static void test_convert_ranges(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_CONVERT];
    uint64_t page = PAGE_SIZE_4K;

    BREAK(op->region, 4, "region 4, there are 4");
    BREAK(op->start, 7 * page, "no section shows byte 0x7000 of ram0");
    BREAK(op->start, 8 * page, "no section shows");
    BREAK(op->start, page / 2, "only via=vmm can ask for bytes");
    BREAK(op->size, page / 2, "only via=vmm can ask for bytes");
    BREAK(op->size, 0, "only via=vmm can ask for bytes");
    BREAK(op->size, -page, "wrap; only via=vmm");
    ALLOW(op->size, 100 * page); /* runs on in guest physical space */
    ALLOW(op->region, OP_NO_REGION);
    BREAK(op->to_private, 2, "out of range");
    BREAK(op->via, VIA_VMM + 1, "out of range");
}

static void test_convert_via(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_CONVERT];
    uint64_t page = PAGE_SIZE_4K;

    BREAK(op->via, VIA_FAULT, "exactly one page, not 4");
    p->n_expects = 0; /* they hold for the hypercall */
    op->via = VIA_FAULT;
    op->size = page;
    assert_valid(p);
    op->via = VIA_VMM;
    ALLOW(op->start, 5);
    ALLOW(op->size, 0);
    ALLOW(op->size, UINT64_MAX);
}

static void test_data_pages(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_WRITE], *dma = &p->ops[AT_DMA_READ];
    uint64_t page = PAGE_SIZE_4K;

    BREAK(op->value, 0, "value must not be 0");
    BREAK(op->size, 2 * page, "expected one page");
    BREAK(op->start, 5, "expected one page");
    BREAK(op->region, OP_NO_REGION, "nothing is at GPA page 1");
    BREAK(op->region, 1, "mmio1 cannot be written");
    ALLOW(op->region, 2); /* to be refused by the machine */
    BREAK(dma->region, 1, "mmio1 cannot be read");
    ALLOW(dma->region, 2);
    ALLOW(op->region, 3);
}

static void test_region_ranges(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_QUERY], *listen = &p->ops[AT_LISTEN];
    uint64_t page = PAGE_SIZE_4K;

    BREAK(op->region, OP_NO_REGION, "expected a range of a region");
    BREAK(op->region, 1, "mmio1 has no memory");
    BREAK(op->size, 0, "must be whole pages");
    BREAK(op->size, 9 * page, "the range leaves ram0, which has 8 pages");
    BREAK(op->start, 5 * page, "the range leaves ram0");
    BREAK(op->start, 0 - page, "the range leaves ram0");
    BREAK(listen->size, page + 1, "must be whole pages");
    ALLOW(listen->size, 8 * page); /* page 7 has no address: the core's to refuse */
}

static void test_faults(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_FAULT];

    BREAK(op->when, FAULT_CHANCE + 1, "out of range");
    BREAK(op->late, 2, "out of range");
    BREAK(op->in_undo, 2, "out of range");
    BREAK(op->error, 0, "0 is no errno");
    BREAK(op->error, 5000, "5000 is no errno");
    BREAK(op->value, 0, "the hit number must be 1");
    BREAK(op->value, UINT64_C(1) << 32, "the hit number must be 1");
    op->when = FAULT_CHANCE;
    BREAK(op->value, 65537, "chance (in 65536) must be 1 to 65536");
    ALLOW(op->value, 65536);
}

static void test_expects(void **state)
{
    struct program *p = *state;
    struct expect *e = p->expects;
    uint64_t page = PAGE_SIZE_4K;

    BREAK(e[SAYS_RESULT].kind, EXPECT_KIND_COUNT, "unknown expectation");
    BREAK(e[SAYS_RESULT].op, p->n_ops, "no op is before it");
    BREAK(e[SAYS_RESULT].op, AT_WRITE, "not in the order of the ops");
    BREAK(e[SAYS_RESULT].value, 5000, "is no errno");
    BREAK(e[SAYS_SHARED].region, 1, "region with memory");
    BREAK(e[SAYS_SHARED].region, OP_NO_REGION, "region with memory");
    BREAK(e[SAYS_SHARED].size, 9 * page, "the range leaves ram0");
    BREAK(e[SAYS_SHARED].start, 1, "must be whole pages");
    BREAK(e[SAYS_RUNNING].value, 2, "must be 0 or 1");
    BREAK(e[SAYS_DATA].op, AT_WRITE, "only read and dma-read have data, not write");
    BREAK(e[SAYS_POPULATED].op, AT_FAULT, "only query answers that, not fault");
    BREAK(e[SAYS_POPULATED].value, 2, "must be 0 or 1");
    BREAK(e[SAYS_SHARED].kind, EXPECT_DIRTY, "only dirty-sync answers that, not convert");
    BREAK(e[SAYS_SHARED].kind, EXPECT_BLOCKED, "expected one page, not 0x4000 bytes");
    BREAK(e[SAYS_SHARED].kind, EXPECT_UNPLUGGED, "it has no virtio_mem");
    ALLOW(e[SAYS_SHARED].kind, EXPECT_PLUGGED);
    BREAK(e[SAYS_RESULT].kind, EXPECT_RESPONSE, "only virtio-mem responds, not convert");
    e[SAYS_RESULT].kind = EXPECT_STATUS;
    BREAK(e[SAYS_RESULT].value, EIO, "the guest is told 0, EAGAIN or EINVAL");
    BREAK(e[SAYS_RESULT].op, AT_ATTACH, "only a convert via=hypercall");
    e[SAYS_SHARED].kind = EXPECT_BACKED;
    BREAK(e[SAYS_SHARED].value, 2, "the side is shared or private");
}

static void test_machine_helpers(void **state)
{
    struct program *p = *state;
    const struct machine *m = &p->machine;
    uint64_t page = PAGE_SIZE_4K;

    assert_int_equal(machine_n_pages(m), 14);
    assert_int_equal(machine_first_page(m, 2), 10);
    assert_true(machine_gpa(m, 0, 3 * page + 5) == 19 * page + 5);
    assert_true(machine_gpa(m, 0, 7 * page) == UINT64_MAX);
    assert_true(machine_gpa(m, 0, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(machine_section_at(m, 22 * page + 1), 0);
    assert_int_equal(machine_section_at(m, 23 * page), -1);
    assert_int_equal(machine_section_at(m, 24 * page), 1);
    assert_int_equal(machine_section_at(m, UINT64_MAX), -1);
}

/* Names end with NULL, and joined values are the values. */
static void test_names(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        char joined[200] = "";

        for (uint32_t v = 0; program_axis_value(i, v); v++) {
            size_t n = strlen(joined);

            (void)snprintf(joined + n, sizeof(joined) - n, "%s%s", v ? "|" : "",
                           program_axis_value(i, v));
        }
        assert_string_equal(joined, program_axis_values(i));
        assert_null(program_axis_value(i, program_axis_count(i)));
    }
    for (uint32_t i = 0; i < OP_KIND_COUNT; i++) {
        assert_non_null(op_kind_name(i));
        assert_true(strncmp(op_kind_help(i), op_kind_name(i), strlen(op_kind_name(i))) == 0);
    }
    assert_null(program_axis_name(AXIS_COUNT));
    assert_null(op_kind_name(OP_KIND_COUNT));
    assert_null(op_kind_help(OP_KIND_COUNT));
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/validate/" name, f, setup, teardown, NULL                                     \
    }
    const struct CMUnitTest tests[] = {
        T("one-wrong-field-is-refused", test_one_wrong_field_is_refused),
        T("axes-and-counts", test_axes_and_counts),
        T("regions", test_regions),
        T("sections", test_sections),
        T("gpa-end", test_gpa_end),
        T("guest-memfd-page-has-one-gpa", test_guest_memfd_page_has_one_gpa),
        T("containers-and-devices", test_containers_and_devices),
        T("units", test_units),
        T("unused-fields", test_unused_fields),
        T("convert-ranges", test_convert_ranges),
        T("convert-via", test_convert_via),
        T("data-pages", test_data_pages),
        T("region-ranges", test_region_ranges),
        T("faults", test_faults),
        T("expectations", test_expects),
        T("machine-helpers", test_machine_helpers),
        T("names", test_names),
    };

    return cmocka_run_group_tests_name("program/validate", tests, NULL, NULL);
}
