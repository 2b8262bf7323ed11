/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices on memory that is a guest_memfd: nested.md 3 ("7.3 only") and behaviour.md 7.10. */
#include "tests/vfio_fixture.h"

enum { PAGES = 8 };

#define GPA     (16 * PS)
#define PRIVATE KVM_MEMORY_ATTRIBUTE_PRIVATE

struct machine {
    struct fixture f;
    int kvm, vm, gmem;
    uint64_t hva;
};

/* A slot whose memory is the file's, and a type1 container. */
static void start(struct machine *m, enum sim_kernel kernel, unsigned long type, uint64_t flags)
{
    struct sim_config config = {.page_size = PS,
                                .kernel = kernel,
                                .gmem_attributes = kernel == SIM_KERNEL_PROPOSED,
                                .memlock_pages = UINT64_MAX,
                                .n_groups = 1};
    struct kvm_create_guest_memfd create = {.size = PAGES * PS, .flags = flags};
    struct kvm_userspace_memory_region2 slot = {
        .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = GPA, .memory_size = PAGES * PS};

    m->f.w = sim_world_new(sim_arena_get(), &config);
    m->f.h = sim_host(m->f.w);
    m->f.o = sim_observe(m->f.w);
    m->kvm = host_open(&m->f.h, "/dev/kvm", O_RDWR);
    m->vm = host_ioctl(&m->f.h, m->kvm, KVM_CREATE_VM, (void *)type);
    m->gmem = host_ioctl(&m->f.h, m->vm, KVM_CREATE_GUEST_MEMFD, &create);
    assert_true(m->gmem >= 0);
    m->hva = fx_mmap(&m->f, PAGES * PS, PROT_READ | PROT_WRITE, MAP_SHARED, m->gmem);
    slot.userspace_addr = m->hva;
    slot.guest_memfd = (uint32_t)m->gmem;
    assert_int_equal(host_ioctl(&m->f.h, m->vm, KVM_SET_USER_MEMORY_REGION2, &slot), 0);
    fx_open(&m->f);
    assert_int_equal(fx_set_iommu(&m->f, VFIO_TYPE1v2_IOMMU), 0);
    m->f.device = fx_device_fd(&m->f, m->f.group, 0);
    assert_true(m->f.device >= 0);
}

static int map(struct machine *m, uint64_t page, uint64_t n)
{
    return fx_map(&m->f, GPA + page * PS, m->hva + page * PS, n * PS, RW);
}

static int convert(struct machine *m, uint64_t page, uint64_t n, bool to_private, uint64_t *at)
{
    struct kvm_memory_attributes2 a = {
        .offset = page * PS, .size = n * PS, .attributes = to_private ? PRIVATE : 0};
    int error = host_ioctl(&m->f.h, m->gmem, KVM_SET_MEMORY_ATTRIBUTES2, &a);

    *at = a.error_offset / PS;
    return error;
}

static uint64_t guest_reads(struct machine *m, uint64_t page)
{
    uint64_t token = UINT64_MAX;

    assert_int_equal(sim_guest_read(m->f.w, GPA + page * PS, &token), 0);
    return token;
}

/* What the device writes the vCPU sees; after a punch under the mapping it does not, until the
 * page is mapped again. */
static void test_punch_under_mapping(void **state)
{
    struct machine m;

    (void)state;
    start(&m, SIM_KERNEL_7_3, KVM_X86_DEFAULT_VM,
          GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED);
    assert_int_equal(map(&m, 2, 1), 0);
    assert_int_equal(sim_dma_write(m.f.w, 0, GPA + 2 * PS, 7), 0);
    assert_int_equal(guest_reads(&m, 2), 7);
    assert_int_equal(fx_punch(&m.f, m.gmem, 2 * PS, PS), 0);
    assert_int_equal(sim_dma_write(m.f.w, 0, GPA + 2 * PS, 8), 0);
    assert_int_equal(guest_reads(&m, 2), 0);
    assert_int_equal(fx_unmap(&m.f, GPA + 2 * PS, PS), PS);
    assert_int_equal(map(&m, 2, 1), 0);
    assert_int_equal(sim_dma_write(m.f.w, 0, GPA + 2 * PS, 9), 0);
    assert_int_equal(guest_reads(&m, 2), 9);
}

/* What the host must not touch cannot be pinned, and nothing of the range is. */
static void test_private_memory(void **state)
{
    struct machine m;
    uint64_t at;

    (void)state;
    start(&m, SIM_KERNEL_7_3, KVM_X86_SW_PROTECTED_VM, GUEST_MEMFD_FLAG_MMAP);
    assert_int_equal(map(&m, 0, 1), -EFAULT);
    start(&m, SIM_KERNEL_PROPOSED, KVM_X86_SW_PROTECTED_VM, GUEST_MEMFD_FLAG_MMAP);
    assert_int_equal(map(&m, 0, 1), -EFAULT);
    assert_int_equal(convert(&m, 0, 3, false, &at), 0);
    assert_int_equal(map(&m, 0, 4), -EFAULT); /* the last one is private */
    assert_true(fx_nothing_mapped(&m.f));
    assert_int_equal(map(&m, 0, 3), 0);
}

/* 7.10: a device's mapping is an extra reference. */
static void test_mapping_is_a_reference(void **state)
{
    struct machine m;
    uint64_t at;

    (void)state;
    start(&m, SIM_KERNEL_PROPOSED, KVM_X86_SW_PROTECTED_VM,
          GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED);
    assert_int_equal(map(&m, 3, 2), 0);
    assert_int_equal(sim_dma_write(m.f.w, 0, GPA + 4 * PS, 44), 0);
    assert_int_equal(convert(&m, 0, PAGES, true, &at), -EAGAIN);
    assert_int_equal(at, 3);
    assert_int_equal(convert(&m, 4, 1, true, &at), -EAGAIN);
    assert_int_equal(at, 4);
    assert_int_equal(sim_pin(m.f.w, GPA + 4 * PS, 1), 0); /* two of them */
    assert_int_equal(fx_unmap(&m.f, GPA + 3 * PS, 2 * PS), 2 * PS);
    assert_int_equal(convert(&m, 0, PAGES, true, &at), -EAGAIN);
    assert_int_equal(at, 4);
    assert_int_equal(sim_unpin(m.f.w, GPA + 4 * PS, 1), 0);
    assert_int_equal(convert(&m, 0, PAGES, true, &at), 0);
    assert_int_equal(guest_reads(&m, 4), 44);
    assert_int_equal(map(&m, 4, 1), -EFAULT);
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "sim/gmem-dma/" name, fn, NULL, NULL, NULL                                             \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("punch-under-mapping", test_punch_under_mapping),
        T("private-memory", test_private_memory),
        T("mapping-is-a-reference", test_mapping_is_a_reference),
    };
    return cmocka_run_group_tests_name("sim/gmem-dma", tests, NULL, NULL);
}
