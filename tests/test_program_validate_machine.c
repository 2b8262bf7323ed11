/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program_validate: hugetlb, virtio-mem, and the ops on whole regions. */
#include "tests/program_validate.h"

static void test_hugetlb(void **state)
{
    struct program *p = *state;
    struct region_decl *r = p->machine.regions;

    BREAK(r[0].share, SHARE_HUGETLB, "needs huge_pages");
    BREAK(r[0].huge_pages, 2, "huge_pages= is for share=hugetlb");
    BREAK(r[1].huge_pages, 2, "huge_pages= is for share=hugetlb");
    r[0].share = SHARE_HUGETLB;
    r[0].huge_pages = 2;
    assert_refused(p, "section 0: ram0 is shown in whole huge pages of 2");
    p->machine.sections[0].n_pages = 6;
    assert_valid(p);
    BREAK(r[0].also_share, 1 << SHARE_ANON, "stands alone");
    BREAK(r[0].huge_pages, 1, "power of two from 2 on, not 1");
    BREAK(r[0].huge_pages, UINT32_MAX, "power of two");
    BREAK(r[0].huge_pages, 16, "8 pages are not whole huge pages of 16");
    BREAK(p->machine.sections[0].first_page, 1, "whole huge pages");
    p->n_ops = p->n_expects = 0;
    ALLOW(p->machine.sections[0].first_page, 2);
    p->machine.axis[AXIS_kernel] = KERNEL_PROPOSED;
    BREAK(p->machine.axis[AXIS_mode], MODE_INPLACE, "cannot be hugetlb");
}

static void test_virtio_mem(void **state)
{
    struct program *p = *state;
    struct machine *m = &p->machine;
    struct region_decl *r = m->regions;

    BREAK(r[0].requested_pages, 2, "requested= is for regions with virtio_mem=");
    r[0].virtio_mem_pages = 2;
    assert_refused(p, "section 0: ram0 has virtio_mem, so a section shows all of it");
    m->sections[0].n_pages = 8;
    assert_valid(p);
    ALLOW(r[0].requested_pages, 4);
    BREAK(r[0].requested_pages, 3, "whole blocks of 2");
    BREAK(r[0].requested_pages, 10, "up to 8 pages");
    BREAK(r[0].virtio_mem_pages, 3, "power of two");
    BREAK(r[0].virtio_mem_pages, 16, "that divides 8 pages");
    BREAK(r[2].virtio_mem_pages, 2, "rom2: only ram with guest_memfd");
    BREAK(r[3].virtio_mem_pages, 2, "ram3: only ram with guest_memfd");
    BREAK(r[1].virtio_mem_pages, 1, "mmio1: only ram");
    r[0].share = SHARE_HUGETLB;
    r[0].huge_pages = 2;
    BREAK(r[0].virtio_mem_pages, 1, "blocks of 1 pages are smaller than huge pages of 2");
    p->n_ops = p->n_expects = 0;
    m->sections[0].region = 3;
    m->sections[0].n_pages = 2;
    assert_refused(p, "ram0 has virtio_mem, so it needs a section");
}

static void test_ops_on_regions(void **state)
{
    struct program *p = *state;
    struct machine *m = &p->machine;
    struct op *op = &p->ops[AT_QUERY];
    uint64_t page = PAGE_SIZE_4K;

    p->n_expects = 0;
    op->kind = OP_REMOVE;
    op->size = 8 * page;
    assert_valid(p);
    BREAK(op->start, page, "expected the whole of ram0");
    BREAK(op->size, 7 * page, "expected the whole of ram0");
    BREAK(op->region, 4, "region 4, there are 4");
    BREAK(op->region, OP_NO_REGION, "region 255");
    BREAK(op->value, 1, "must be 0");
    BREAK(op->unit, 1, "remove has no unit");
    BREAK(op->kind, OP_PLUG, "ram0 has no virtio_mem");
    BREAK(op->kind, OP_UNPLUG_ALL, "ram0 has no virtio_mem");
    BREAK(op->kind, OP_PIN, "only mode=inplace");
    m->regions[0].virtio_mem_pages = 2;
    m->sections[0].n_pages = 8;
    ALLOW(op->kind, OP_UNPLUG);
    op->kind = OP_RESIZE;
    ALLOW(op->value, UINT32_MAX);
    BREAK(op->value, UINT64_C(1) << 32, "resize: 4294967296 pages");
}

static void test_pins_and_switches(void **state)
{
    struct program *p = *state;
    struct op *op = &p->ops[AT_QUERY];

    p->n_expects = 0;
    p->machine.axis[AXIS_kernel] = KERNEL_PROPOSED;
    p->machine.axis[AXIS_mode] = MODE_INPLACE;
    op->kind = OP_PIN;
    assert_valid(p);
    BREAK(op->region, 1, "mmio1 has no memory");
    op->size = PAGE_SIZE_4K;
    BREAK(op->region, 3, "ram3 has no guest_memfd");
    *op = (struct op){.kind = OP_GUARD, .unit = GUARD_REQUIRE, .value = 1};
    assert_valid(p);
    BREAK(op->unit, GUARD_KIND_COUNT, "guard 4, there are 4");
    BREAK(op->value, 2, "guard: the value must be 0 or 1");
    *op = (struct op){.kind = OP_MIGRATE};
    BREAK(op->value, 2, "migrate: the value must be 0 or 1");
    BREAK(op->unit, 1, "migrate has no unit");
    op->kind = OP_RESET;
    BREAK(op->value, 1, "must be 0");
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/validate-machine/" name, f, setup, teardown, NULL                             \
    }
    const struct CMUnitTest tests[] = {
        T("hugetlb", test_hugetlb),
        T("virtio-mem", test_virtio_mem),
        T("ops-on-regions", test_ops_on_regions),
        T("pins-and-switches", test_pins_and_switches),
    };

    return cmocka_run_group_tests_name("program/validate-machine", tests, NULL, NULL);
}
