/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core on the mock kernel with pages of 4, 16 and 64 KiB: nothing is counted in 4 KiB but
 * the pages of a hypercall. */
#include "sim_fixture.h"

#include "core/vmm.h"
#include "program/op.h"

enum { REGION_PAGES = 8, GPA_PAGE = 16 };

struct pages {
    struct sim_world *w;
    struct vmm *vmm;
    uint64_t size; /* of a page */
};

static const uint32_t sizes[] = {PAGE_SIZE_4K, 4 * PAGE_SIZE_4K, 16 * PAGE_SIZE_4K};

static void pages_open(struct pages *p, uint32_t size)
{
    struct sim_config sim = {.page_size = size, .memlock_pages = UINT64_MAX, .n_groups = 1};
    struct vmm_config config = {.page_size = size, .n_vcpus = 1};
    struct vmm_region_config region = {.guest_memfd = true,
                                       .size = (uint64_t)REGION_PAGES * size};
    struct sync sync = {0};
    struct host host;
    uint32_t index;

    p->w = sim_world_new(sim_arena_get(), &sim);
    p->size = size;
    host = sim_host(p->w);
    assert_int_equal(vmm_create(&host, &sync, &config, &p->vmm), 0);
    assert_int_equal(vmm_region_add(p->vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(p->vmm, 0, 0, region.size, GPA_PAGE * p->size), 0);
    assert_int_equal(vmm_container_add(p->vmm, VMM_IOMMU_TYPE1, true, &index), 0);
    assert_int_equal(vmm_device_attach(p->vmm, 0, 0), 0);
}

static void pages_close(struct pages *p)
{
    struct observe_totals t;

    assert_int_equal(vmm_destroy(p->vmm), 0);
    sim_observe(p->w)->totals(sim_observe(p->w)->ctx, &t);
    assert_int_equal(t.frames + t.fds + t.vmas + t.allocations, 0);
}

/* Which pages of the region are shared and mapped, as bits; they must agree. */
static unsigned shared_pages(struct pages *p)
{
    const struct observe *o = sim_observe(p->w);
    unsigned shared = 0;

    for (unsigned i = 0; i < REGION_PAGES; i++) {
        struct observe_page page;
        struct observe_mapping m;

        o->pages(o->ctx, GPA_PAGE + i, 1, &page);
        o->mapping(o->ctx, 0, GPA_PAGE + i, &m);
        assert_int_equal(m.frame != 0, !page.is_private);
        if (!page.is_private)
            assert_int_equal(m.frame, page.shared_frame);
        shared |= (unsigned)!page.is_private << i;
    }
    return shared;
}

static int hypercall(struct pages *p, uint64_t gpa, uint64_t bytes, bool to_private)
{
    sim_guest_request(p->w, 0, SIM_REQUEST_HYPERCALL, gpa, bytes >> SIM_HYPERCALL_SHIFT,
                      to_private);
    return vmm_vcpu_run(p->vmm, 0);
}

static uint64_t status(struct pages *p)
{
    return sim_observe(p->w)->guest_status(sim_observe(p->w)->ctx, 0);
}

static void one_page(struct pages *p)
{
    uint64_t gpa = (GPA_PAGE + 3) * p->size;

    assert_int_equal(hypercall(p, gpa, 2 * p->size, false), 0);
    assert_int_equal(status(p), 0);
    assert_int_equal(shared_pages(p), 3 << 3);
    sim_guest_request(p->w, 0, SIM_REQUEST_ACCESS, gpa, 1, true);
    assert_int_equal(vmm_vcpu_run(p->vmm, 0), 0);
    assert_int_equal(shared_pages(p), 1 << 4);
}

/* A guest may name 4 KiB of a larger page. The kernel hands it on, and the VMM says no. */
static void part_of_a_page(struct pages *p)
{
    uint64_t gpa = GPA_PAGE * p->size;
    bool small = p->size == PAGE_SIZE_4K;

    assert_int_equal(hypercall(p, gpa, PAGE_SIZE_4K, false), small ? 0 : -EINVAL);
    assert_int_equal(status(p), small ? 0 : EINVAL);
    assert_int_equal(shared_pages(p), small ? 1 : 0);
    assert_int_equal(hypercall(p, gpa + 5 * PAGE_SIZE_4K, p->size, false), small ? 0 : -EINVAL);
    assert_int_equal(shared_pages(p), small ? 1 | 1 << 5 : 0);
}

/* The kernel answers the guest itself. */
static void part_of_4k(struct pages *p)
{
    assert_int_equal(hypercall(p, GPA_PAGE * p->size + PAGE_SIZE_4K / 2, p->size, false), 0);
    assert_int_equal(status(p), (uint64_t)-EINVAL);
    assert_int_equal(shared_pages(p), 0);
}

static void each_size(void (*fn)(struct pages *p))
{
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pages p;

        pages_open(&p, sizes[i]);
        fn(&p);
        pages_close(&p);
    }
}

static void test_convert(void **state)
{
    (void)state;
    each_size(one_page);
}

static void test_hypercall_unit(void **state)
{
    (void)state;
    each_size(part_of_a_page);
    each_size(part_of_4k);
}

/* Everything that is whole 4 KiB pages and no whole page is refused. */
static void test_alignment(void **state)
{
    struct fx fx = {0};
    struct pages p;
    struct kvm_create_guest_memfd gmem = {.size = PAGE_SIZE_4K};

    (void)state;
    pages_open(&p, 16 * PAGE_SIZE_4K);
    fx.h = sim_host(p.w);
    fx.kvm = host_open(&fx.h, "/dev/kvm", O_RDWR);
    fx.vm = host_ioctl(&fx.h, fx.kvm, KVM_CREATE_VM, (void *)KVM_X86_SW_PROTECTED_VM);
    assert_int_equal(host_ioctl(&fx.h, fx.vm, KVM_CREATE_GUEST_MEMFD, &gmem), -EINVAL);
    assert_int_equal(fx_region(&fx, 0, 0, 0, PAGE_SIZE_4K, -1, 0), -EINVAL);
    assert_int_equal(fx_region(&fx, 0, 0, PAGE_SIZE_4K, p.size, -1, 0), -EINVAL);
    assert_int_equal(fx_region(&fx, 0, 0, 0, p.size, -1, 0), 0);
    assert_int_equal(fx_attributes(&fx, 0, PAGE_SIZE_4K, 0), -EINVAL);
    assert_int_equal(fx_attributes(&fx, PAGE_SIZE_4K, p.size, 0), -EINVAL);
    assert_int_equal(fx_attributes(&fx, p.size, p.size, 0), 0);
    host_close(&fx.h, fx.vm);
    host_close(&fx.h, fx.kvm);
    pages_close(&p);
}

/* The last page below the interrupt window can be mapped, the next one cannot. */
static void test_interrupt_window(void **state)
{
    struct vmm_region_config region = {0};
    struct pages p;
    uint32_t index;

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned beyond = 0; beyond < 2; beyond++) {
            pages_open(&p, sizes[i]);
            region.size = p.size;
            assert_int_equal(vmm_device_detach(p.vmm, 0), 0);
            assert_int_equal(vmm_region_add(p.vmm, &region, &index), 0);
            assert_int_equal(vmm_section_add(p.vmm, index, 0, p.size,
                                             PROGRAM_GPA_END - (beyond ? 0 : p.size)),
                             0);
            assert_int_equal(vmm_device_attach(p.vmm, 0, 0), beyond ? -EINVAL : 0);
            pages_close(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"page-sizes/convert", test_convert, NULL, NULL, NULL},
        {"page-sizes/hypercall-unit", test_hypercall_unit, NULL, NULL, NULL},
        {"page-sizes/alignment", test_alignment, NULL, NULL, NULL},
        {"page-sizes/interrupt-window", test_interrupt_window, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests_name("page-sizes", tests, NULL, NULL);
}
