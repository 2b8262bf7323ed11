/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core refuses at its door: nonsense from the VMM, kernels that cannot, a stopped VM.
 */
#include "core/internal.h"
#include "tests/core_fixture.h"

#include <stdlib.h>

static struct fixture f;
static struct host_ops odd_ops;
/* The kernel answers this request so, without doing anything; 0: none. */
static unsigned long odd_request;
static int odd_answer;

static unsigned long odd_argument; /* only of this, 0: whatever it is */

static int odd_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    if (odd_request && request == odd_request &&
        (!odd_argument || odd_argument == (unsigned long)(uintptr_t)arg))
        return odd_answer;
    return stub_ops.ioctl(ctx, caller, fd, request, arg);
}

static struct host odd_host(void)
{
    struct host host = stub_host(&f.stub);

    odd_ops = *host.ops;
    odd_ops.ioctl = odd_ioctl;
    host.ops = &odd_ops;
    return host;
}

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    odd_request = odd_argument = 0;
    stub_init(&f.stub);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (f.vmm)
        (void)vmm_destroy(f.vmm);
    assert_null(fixture_left(&f));
    return 0;
}

static const struct sync lanes;

static int create(struct vmm_config config)
{
    struct host host = odd_host();
    int rc = vmm_create(&host, &lanes, &config, &f.vmm);

    if (rc)
        f.vmm = NULL;
    return rc;
}

static const struct vmm_config good = {.page_size = STUB_PAGE, .n_vcpus = 1};

static void a_config_of_nonsense(void **state)
{
    struct vmm_config c = good;

    (void)state;
    for (c.page_size = 0; c.page_size < 4; c.page_size++)
        if (c.page_size != 2)
            assert_int_equal(create(c), -EINVAL);
    c = good;
    c.mode = VMM_MODE_INPLACE + 1;
    assert_int_equal(create(c), -EINVAL);
    c = good;
    c.tracker = VMM_TRACKER_EXTENTS + 1;
    assert_int_equal(create(c), -EINVAL);
    c = good;
    c.mapping = VMM_MAPPING_RUN + 1;
    assert_int_equal(create(c), -EINVAL);
    c = good;
    c.split = VMM_SPLIT_REFUSE + 1;
    assert_int_equal(create(c), -EINVAL);
    assert_int_equal(f.stub.hits[STUB_SETUP], 0); /* the system was not even asked */
    c = good;
    c.page_size = 2;
    c.n_vcpus = 0;
    assert_int_equal(create(c), 0);
}

/* An array of so many elements that twice as many cannot be counted is not even asked for. */
static void an_array_of_too_many(void **state)
{
    static const struct {
        uint32_t n;
        bool asked;
    } rows[] = {{1u << 28, true}, {450u * 1000 * 1000, true}, {1u << 29, false}};
    struct host host = stub_host(&f.stub);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned before = f.stub.hits[STUB_ALLOC];
        uint32_t capacity = rows[i].n;
        void *array = &host;

        stub_fail(&f.stub, STUB_ALLOC, 1, ENOMEM, false);
        assert_int_equal(array_room(&host, &array, &capacity, rows[i].n, 1), -ENOMEM);
        stub_fail_none(&f.stub);
        assert_true(array == &host && capacity == rows[i].n);
        assert_int_equal(f.stub.hits[STUB_ALLOC] - before, rows[i].asked);
    }
}

static void a_machine_without_vcpus(void **state)
{
    struct vmm_config c = good;

    (void)state;
    c.n_vcpus = 0;
    assert_int_equal(create(c), 0);
    assert_int_equal(vmm_vcpu_run(f.vmm, 0), -EINVAL);
}

/* Each question that a kernel may answer with "cannot", and with an error. */
static void a_kernel_that_cannot(void **state)
{
    static const struct {
        unsigned long request;
        int answer, error;
    } odd[] = {
        {KVM_GET_API_VERSION, KVM_API_VERSION + 1, -EOPNOTSUPP},
        {KVM_GET_API_VERSION, 0, -EOPNOTSUPP},
        {KVM_GET_API_VERSION, -EIO, -EIO},
        {KVM_GET_VCPU_MMAP_SIZE, sizeof(struct kvm_run) - 1, -EOPNOTSUPP},
        {KVM_GET_VCPU_MMAP_SIZE, 0, -EOPNOTSUPP},
        {KVM_GET_VCPU_MMAP_SIZE, -EIO, -EIO},
        {KVM_CHECK_EXTENSION, 0, -EOPNOTSUPP},
        {KVM_CHECK_EXTENSION, -EIO, -EOPNOTSUPP},
        {KVM_ENABLE_CAP, -EINVAL, -EINVAL},
        {KVM_CREATE_VM, -ENOMEM, -ENOMEM},
        {KVM_CREATE_VCPU, -ENOMEM, -ENOMEM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        odd_request = odd[i].request;
        odd_answer = odd[i].answer;
        assert_int_equal(create(good), odd[i].error);
        assert_null(fixture_left(&f));
    }
}

static void a_kernel_that_just_can(void **state)
{
    (void)state;
    odd_request = KVM_GET_VCPU_MMAP_SIZE;
    odd_answer = sizeof(struct kvm_run);
    assert_int_equal(create(good), 0);
}

/* Each capability that is asked for, with an answer that has other bits. */
static void a_kernel_without_one_capability(void **state)
{
    static const struct {
        unsigned long capability;
        int answer;
    } lacks[] = {
        {KVM_CAP_VM_TYPES, 1 << KVM_X86_DEFAULT_VM},
        {KVM_CAP_GUEST_MEMFD, 2},
        {KVM_CAP_MEMORY_ATTRIBUTES, 0xffff & ~KVM_MEMORY_ATTRIBUTE_PRIVATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        odd_request = KVM_CHECK_EXTENSION;
        odd_argument = lacks[i].capability;
        odd_answer = lacks[i].answer;
        assert_int_equal(create(good), -EOPNOTSUPP);
        assert_null(fixture_left(&f));
    }
}

/* In place the attributes are the guest_memfd's own. */
static void a_kernel_without_its_attributes(void **state)
{
    struct vmm_config c = good;

    (void)state;
    c.mode = VMM_MODE_INPLACE;
    odd_request = KVM_CHECK_EXTENSION;
    odd_argument = KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES;
    odd_answer = 0;
    assert_int_equal(create(c), -EOPNOTSUPP);
    assert_null(fixture_left(&f));
    assert_int_equal(create(good), 0);
}

static void a_group_that_cannot(void **state)
{
    static const struct {
        unsigned long request;
        int answer, error;
    } odd[] = {
        {VFIO_GROUP_GET_STATUS, 0, -EPERM}, /* the flags stay 0: not viable */
        {VFIO_GROUP_GET_STATUS, -EFAULT, -EFAULT},
        {VFIO_GET_API_VERSION, VFIO_API_VERSION + 1, -ENODEV},
        {VFIO_GET_API_VERSION, -EIO, -EIO},
        {VFIO_CHECK_EXTENSION, 0, -ENODEV},
        {VFIO_CHECK_EXTENSION, -EIO, -ENODEV},
        {VFIO_SET_IOMMU, -ENODEV, -ENODEV},
        {VFIO_GROUP_SET_CONTAINER, -EBUSY, -EBUSY},
        {VFIO_GROUP_GET_DEVICE_FD, -ENODEV, -ENODEV},
    };
    uint32_t container;

    (void)state;
    assert_int_equal(create(good), 0);
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_TYPE1, true, &container), 0);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        unsigned fds = stub_open_fds(&f.stub);

        odd_request = odd[i].request;
        odd_answer = odd[i].answer;
        if (vmm_device_attach(f.vmm, container, 0) != odd[i].error)
            fail_msg("row %zu: %d", i, vmm_device_attach(f.vmm, container, 0));
        assert_int_equal(stub_open_fds(&f.stub), fds);
    }
    odd_request = 0;
    assert_int_equal(vmm_device_attach(f.vmm, container, 0), 0);
}

static void regions_of_nonsense(void **state)
{
    static const struct vmm_region_config bad[] = {
        {.guest_memfd = true, .size = 0},
        {.guest_memfd = true, .size = STUB_PAGE + 1},
        {.guest_memfd = true, .size = UINT64_C(1) << 63},
        {.kind = VMM_REGION_ROM, .guest_memfd = true, .size = STUB_PAGE},
        {.kind = VMM_REGION_MMIO, .guest_memfd = true, .size = STUB_PAGE},
        {.size = STUB_PAGE, .huge_page_size = 2 * STUB_PAGE},
        {.share = VMM_SHARE_HUGETLB, .size = STUB_PAGE},
        {.share = VMM_SHARE_HUGETLB, .size = 6 * STUB_PAGE, .huge_page_size = 3 * STUB_PAGE},
        {.share = VMM_SHARE_HUGETLB, .size = 3 * STUB_PAGE, .huge_page_size = 2 * STUB_PAGE},
        {.guest_memfd = true, .size = 4 * STUB_PAGE, .requested_size = STUB_PAGE},
        {.size = 4 * STUB_PAGE, .virtio_mem_block = STUB_PAGE},
        {.guest_memfd = true, .size = 4 * STUB_PAGE, .virtio_mem_block = STUB_PAGE / 2},
        {.guest_memfd = true, .size = 6 * STUB_PAGE, .virtio_mem_block = 3 * STUB_PAGE},
        {.guest_memfd = true, .size = 3 * STUB_PAGE, .virtio_mem_block = 2 * STUB_PAGE},
        {.guest_memfd = true,
         .size = 4 * STUB_PAGE,
         .virtio_mem_block = 2 * STUB_PAGE,
         .requested_size = STUB_PAGE},
        {.guest_memfd = true,
         .size = 4 * STUB_PAGE,
         .virtio_mem_block = 2 * STUB_PAGE,
         .requested_size = 6 * STUB_PAGE},
        {.guest_memfd = true,
         .share = VMM_SHARE_HUGETLB,
         .size = 8 * STUB_PAGE,
         .huge_page_size = 4 * STUB_PAGE,
         .virtio_mem_block = 2 * STUB_PAGE},
    };
    uint32_t index;

    (void)state;
    assert_int_equal(create(good), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (vmm_region_add(f.vmm, &bad[i], &index) != -EINVAL)
            fail_msg("row %zu was taken", i);
}

static void listeners_of_nonsense(void **state)
{
    const uint64_t page = STUB_PAGE;

    (void)state;
    assert_int_equal(fixture_build(&f, &lanes), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f.vmm, 2, 0, 0, page), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, FIXTURE_REGIONS, 0, page), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 0, 0), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 1, page), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 0, page + 1), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 65 * page, page), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 63 * page, 2 * page), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, 3, 0, page), -EINVAL);     /* MMIO */
    assert_int_equal(vmm_listen(f.vmm, 1, 5, 0, 8 * page), -EINVAL); /* no address there */
    assert_int_equal(vmm_unlisten(f.vmm, 2, 0, 0, page), -EINVAL);
    assert_int_equal(vmm_unlisten(f.vmm, 1, 0, 0, page), -ENOENT);
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_COMPATV1 + 1, true, &(uint32_t){0}),
                     -EINVAL);
    assert_int_equal(vmm_guard(f.vmm, VMM_GUARD_COUNT, true), -EINVAL);
}

/* Every request there is; a new one belongs here. */
static void a_stopped_vm_does_nothing(void **state)
{
    const struct vmm_region_config region = {.size = STUB_PAGE};
    const uint64_t page = STUB_PAGE;
    uint16_t response;
    uint32_t index;
    uint8_t pages[64];

    (void)state;
    f.failure = VMM_FAILURE_STOP;
    assert_int_equal(fixture_build(&f, &lanes), 0);
    stub_fail(&f.stub, STUB_ATTRIBUTE, 1, ENOMEM, false);
    assert_int_equal(convert(&f, 0, 1, false), -ENOMEM);
    assert_true(vmm_stopped(f.vmm));
    stub_fail_none(&f.stub);
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), -EIO);
    assert_int_equal(vmm_section_add(f.vmm, 0, 0, page, 400 * page), -EIO);
    assert_int_equal(vmm_region_remove(f.vmm, 0), -EIO);
    assert_int_equal(vmm_region_readd(f.vmm, 0), -EIO);
    assert_int_equal(vmm_reset(f.vmm), -EIO);
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_TYPE1, true, &index), -EIO);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), -EIO);
    assert_int_equal(vmm_device_detach(f.vmm, 0), -EIO);
    assert_int_equal(vmm_listen(f.vmm, 0, 0, 0, page), -EIO);
    assert_int_equal(vmm_unlisten(f.vmm, 0, 0, 0, page), -EIO);
    assert_int_equal(vmm_vcpu_run(f.vmm, 0), -EIO);
    assert_int_equal(convert(&f, 0, 1, false), -EIO);
    assert_int_equal(vmm_is_populated(f.vmm, 0, 0, page), -EIO);
    assert_int_equal(vmm_plug(f.vmm, 0, 0, page, &response), -EIO);
    assert_int_equal(vmm_unplug(f.vmm, 0, 0, page, &response), -EIO);
    assert_int_equal(vmm_unplug_all(f.vmm, 0, &response), -EIO);
    assert_int_equal(vmm_resize(f.vmm, 0, 0, &response), -EIO);
    assert_int_equal(vmm_migrate(f.vmm, true), -EIO);
    assert_int_equal(vmm_dirty_sync(f.vmm, 0, pages), -EIO);
    assert_int_equal(vmm_guard(f.vmm, VMM_GUARD_DISABLE, true), -EIO);
}

static int odd_exit(struct stub *s, struct kvm_run *run)
{
    run->exit_reason = *(const uint32_t *)s->owner;
    return 0;
}

static void exits_that_are_not_ours(void **state)
{
    static const struct {
        uint32_t reason;
        int rc;
    } exits[] = {{KVM_EXIT_HLT, 0}, {KVM_EXIT_MMIO, 0}, {KVM_EXIT_INTR, 0}, {0xbad, -EINVAL}};

    (void)state;
    assert_int_equal(fixture_build(&f, &lanes), 0);
    f.stub.on_run = odd_exit;
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        f.stub.owner = (void *)(uintptr_t)&exits[i].reason;
        assert_int_equal(vmm_vcpu_run(f.vmm, 0), exits[i].rc);
    }
    assert_int_equal(vmm_vcpu_run(f.vmm, 1), -EINVAL);
}

/* More blocks than a request keeps room for inside itself, and more regions than arrays start
 * with. */
static void a_request_over_many_blocks(void **state)
{
    enum { REGIONS = 24 };
    const struct vmm_region_config region = {.guest_memfd = true, .size = STUB_PAGE};
    struct vmm_config c = good;
    uint32_t index;

    (void)state;
    c.failure = VMM_FAILURE_STOP;
    assert_int_equal(create(c), 0);
    for (uint64_t i = 0; i < REGIONS; i++) {
        assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
        assert_int_equal(vmm_section_add(f.vmm, index, 0, STUB_PAGE, i * STUB_PAGE), 0);
    }
    assert_int_equal(convert(&f, 0, REGIONS, false), 0);
    for (uint32_t i = 0; i < REGIONS; i++)
        assert_true(tracker_shared(&f, i, 0));
    stub_fail(&f.stub, STUB_ALLOC, 1, ENOMEM, false);
    assert_int_equal(convert(&f, 0, REGIONS, true), -ENOMEM);
    assert_true(vmm_stopped(f.vmm)); /* that is what the policy says of a failure */
    for (uint32_t i = 0; i < REGIONS; i++)
        assert_true(tracker_shared(&f, i, 0));
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/refusals/" name, fn, setup, teardown, NULL                                       \
    }
    const struct CMUnitTest tests[] = {
        T("a-config-of-nonsense", a_config_of_nonsense),
        T("an-array-of-too-many", an_array_of_too_many),
        T("a-machine-without-vcpus", a_machine_without_vcpus),
        T("a-kernel-that-cannot", a_kernel_that_cannot),
        T("a-kernel-that-just-can", a_kernel_that_just_can),
        T("a-kernel-without-one-capability", a_kernel_without_one_capability),
        T("a-kernel-without-its-attributes", a_kernel_without_its_attributes),
        T("a-group-that-cannot", a_group_that_cannot),
        T("regions-of-nonsense", regions_of_nonsense),
        T("listeners-of-nonsense", listeners_of_nonsense),
        T("a-stopped-vm-does-nothing", a_stopped_vm_does_nothing),
        T("exits-that-are-not-ours", exits_that_are_not_ours),
        T("a-request-over-many-blocks", a_request_over_many_blocks),
    };

    return cmocka_run_group_tests_name("core/refusals", tests, NULL, NULL);
}
