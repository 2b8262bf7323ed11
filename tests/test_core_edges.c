/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edges of what the core is given and gives back: file descriptor 0, errors on the way
 * down, locks, the first and the last of several things.
 */
#include <stdlib.h>

#include "tests/core_fixture.h"

enum { PAGE = STUB_PAGE };

static const struct sync lanes;
static struct fixture f;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    stub_init(&f.stub);
    f.stub.guards = true;
    return fixture_build(&f, &lanes);
}

static int teardown(void **state)
{
    (void)state;
    stub_fail_none(&f.stub);
    if (f.vmm)
        (void)vmm_destroy(f.vmm);
    assert_null(fixture_left(&f));
    return 0;
}

static void attach_three(void)
{
    for (uint32_t group = 0; group < 3; group++)
        assert_int_equal(vmm_device_attach(f.vmm, 0, group), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 1, 3), 0);
}

/* Calls that make a machine with a device, when the first descriptor of a kind is 0. */
static unsigned setup_calls(char kind)
{
    unsigned calls;

    assert_int_equal(vmm_destroy(f.vmm), 0);
    memset(&f, 0, sizeof f);
    stub_init(&f.stub);
    f.stub.zero_kind = kind;
    assert_int_equal(fixture_build(&f, &lanes), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    calls = f.stub.hits[STUB_SETUP];
    assert_int_equal(vmm_device_detach(f.vmm, 0), 0);
    return calls;
}

/* Nothing is left out because a descriptor is 0. */
static void descriptor_zero_is_asked_too(void **state)
{
    unsigned calls = setup_calls('\0');

    (void)state;
    for (const char *kind = "kvumgcdr"; *kind; kind++)
        assert_int_equal(setup_calls(*kind), calls);
}

/* What calls zero a file descriptor is a file descriptor. */
static void descriptor_zero(void **state)
{
    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    for (const char *kind = "kvumgcdr"; *kind; kind++) {
        memset(&f, 0, sizeof f);
        stub_init(&f.stub);
        f.stub.guards = true;
        f.stub.zero_kind = *kind;
        assert_int_equal(fixture_build(&f, &lanes), 0);
        attach_three();
        assert_int_equal(f.stub.fds[0].kind, *kind);
        for (unsigned i = 0; i < STUB_SLOTS; i++)
            assert_int_equal(f.stub.slots[i].hva != 0, f.stub.slots[i].size != 0);
        assert_int_equal(convert(&f, 3, 2, false), 0);
        assert_int_equal(vmm_listen(f.vmm, 1, 0, 0, 8 * PAGE), 0);
        assert_int_equal(convert(&f, 4, 3, false), 0);
        assert_int_equal(vmm_unlisten(f.vmm, 1, 0, 0, 8 * PAGE), 0);
        assert_int_equal(vmm_reset(f.vmm), 0);
        assert_int_equal(vmm_region_remove(f.vmm, 1), 0);
        assert_int_equal(vmm_region_readd(f.vmm, 1), 0);
        assert_int_equal(vmm_section_add(f.vmm, 4, 0, 4 * PAGE, 400 * PAGE), 0);
        assert_true(stub_mapped(&f.stub, 403));
        for (uint32_t group = 0; group < 4; group++)
            assert_int_equal(vmm_device_detach(f.vmm, group), 0);
        assert_int_equal(vmm_device_attach(f.vmm, 1, 3), 0);
        assert_int_equal(vmm_listen(f.vmm, 1, 0, 0, 8 * PAGE), 0);
        assert_int_equal(vmm_device_detach(f.vmm, 3), 0);
        attach_three();
        assert_null(f.stub.violation);
        assert_int_equal(vmm_destroy(f.vmm), 0);
        assert_null(fixture_left(&f));
    }
    f.vmm = NULL;
}

/* Each call of a tear-down fails in turn: it is told, and nothing is left all the same. */
static void errors_of_a_tear_down(void **state)
{
    unsigned fired = 1, n;

    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    for (n = 1; fired; n++) {
        memset(&f, 0, sizeof f);
        stub_init(&f.stub);
        f.stub.guards = true;
        assert_int_equal(fixture_build(&f, &lanes), 0);
        attach_three();
        assert_int_equal(convert(&f, 62, 4, false), 0);
        stub_fail(&f.stub, STUB_DROP_PRIVATE, 1, EIO, false);
        assert_int_equal(convert(&f, 3, 1, false), 0); /* debt */
        stub_trace_clear(&f.stub);
        f.stub.n_faults = 0;
        stub_fail(&f.stub, STUB_ANY, n, EIO, false);
        int rc = vmm_destroy(f.vmm);
        fired = f.stub.failed;
        if (fired != (rc < 0))
            fail_msg("call %u: %d", n, rc);
        assert_null(fixture_left(&f));
    }
    assert_in_range(n, 20, 100);
    f.vmm = NULL;
}

static void slots_say_what_they_are(void **state)
{
    const uint32_t private = KVM_MEM_GUEST_MEMFD;
    const uint32_t flags[] = {private, private, KVM_MEM_READONLY, 0, private};

    (void)state;
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++)
        assert_int_equal(f.stub.slots[i].flags, flags[i]);
    assert_int_equal(f.stub.slots[4].gpa, 168 * PAGE);
    assert_int_equal(f.stub.slots[4].offset, 4 * PAGE);
    assert_int_equal(f.stub.slots[5].size, 0);
}

static void slots_go_before_the_vm(void **state)
{
    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    f.vmm = NULL;
    for (unsigned i = 0; i < STUB_SLOTS; i++)
        assert_int_equal(f.stub.slots[i].size, 0);
}

/* ---- locks: each is made before it is taken, and all that were made go ---- */
static struct core_lock *locks[64];

static int find(const struct core_lock *lock)
{
    for (int i = 0; i < 64; i++)
        if (locks[i] == lock)
            return i;
    return -1;
}

static void lock_init(void *ctx, struct core_lock *lock)
{
    (void)ctx;
    assert_int_equal(find(lock), -1);
    locks[find(NULL)] = lock;
}

static void lock_destroy(void *ctx, struct core_lock *lock)
{
    (void)ctx;
    locks[find(lock)] = NULL;
}

static void lock_known(void *ctx, struct core_lock *lock, const char *caller)
{
    (void)ctx;
    if (find(lock) < 0)
        fail_msg("%s: this lock was not made", caller);
}

static void locks_are_made_and_unmade(void **state)
{
    const struct sync_ops ops = {lock_init, lock_destroy, lock_known, lock_known};
    const struct sync counting = {.ops = &ops};

    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    stub_init(&f.stub);
    f.stub.guards = true;
    assert_int_equal(fixture_build(&f, &counting), 0);
    attach_three();
    assert_int_equal(convert(&f, 3, 2, false), 0);
    assert_int_equal(vmm_region_remove(f.vmm, 1), 0);
    assert_int_equal(vmm_region_readd(f.vmm, 1), 0);
    assert_int_equal(vmm_destroy(f.vmm), 0);
    f.vmm = NULL;
    for (int i = 0; i < 64; i++)
        assert_null(locks[i]);
}

/* ---- numbers ---- */
static void numbers_one_too_large(void **state)
{
    uint32_t region;
    uint64_t offset;
    uint8_t pages[64];

    (void)state;
    attach_three();
    assert_int_equal(vmm_device_attach(f.vmm, 2, 9), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 2, 0, 0, PAGE), -EINVAL);
    assert_int_equal(vmm_listen(f.vmm, 1, FIXTURE_REGIONS, 0, PAGE), -EINVAL);
    assert_int_equal(vmm_region_remove(f.vmm, FIXTURE_REGIONS), -EINVAL);
    assert_int_equal(vmm_region_readd(f.vmm, FIXTURE_REGIONS), -EINVAL);
    assert_int_equal(vmm_is_populated(f.vmm, FIXTURE_REGIONS, 0, PAGE), -EINVAL);
    assert_int_equal(vmm_source_add(f.vmm, FIXTURE_REGIONS, 0, PAGE), -EINVAL);
    assert_int_equal(vmm_source_remove(f.vmm, FIXTURE_REGIONS), -EINVAL);
    assert_int_equal(vmm_source_remove(f.vmm, 4), -EINVAL);
    assert_int_equal(vmm_source_remove(f.vmm, 0), -ENOENT);
    assert_int_equal(vmm_vcpu_run(f.vmm, 1), -EINVAL);
    assert_int_equal(vmm_migrate(f.vmm, true), 0);
    assert_int_equal(vmm_dirty_sync(f.vmm, FIXTURE_REGIONS, pages), -EINVAL);
    assert_false(vmm_blocked(f.vmm, &region, &offset));
}

/* A part of a region whose section is the first of all. */
static void a_second_address_of_the_first_section(void **state)
{
    (void)state;
    assert_int_equal(vmm_section_add(f.vmm, 0, 8 * PAGE, 8 * PAGE, 400 * PAGE), -EINVAL);
    assert_int_equal(vmm_section_add(f.vmm, 0, 63 * PAGE, PAGE, 400 * PAGE), -EINVAL);
    assert_int_equal(vmm_section_add(f.vmm, 5, 4 * PAGE, PAGE, 400 * PAGE), -EINVAL);
    assert_int_equal(vmm_section_add(f.vmm, 5, 3 * PAGE, PAGE, 400 * PAGE), 0);
}

static void each_of_many_devices_goes(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 9; n++)
        for (uint32_t goes = 0; goes < n; goes++) {
            for (uint32_t group = 0; group < n; group++)
                assert_int_equal(vmm_device_attach(f.vmm, 0, group), 0);
            assert_int_equal(vmm_device_detach(f.vmm, goes), 0);
            for (uint32_t group = 0; group < n; group++)
                if (group != goes)
                    assert_int_equal(vmm_device_attach(f.vmm, 0, group), -EEXIST);
            for (uint32_t group = 0; group < n; group++)
                assert_int_equal(vmm_device_detach(f.vmm, group), group == goes ? -ENOENT : 0);
        }
}

/* ---- the limit of mappings ---- */
static bool tries_to_map(void)
{
    return strstr(f.stub.trace, "map");
}

static void a_known_limit_is_not_run_into(void **state)
{
    (void)state;
    f.stub.tells_limit = true;
    f.stub.zero_kind = 'c';
    f.stub.map_limit = 1; /* ROM and plain memory: two */
    stub_trace_clear(&f.stub);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), -ENOSPC);
    assert_false(tries_to_map());
    f.stub.map_limit = 2;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(f.stub.n_maps, 2);
    stub_trace_clear(&f.stub);
    /* A section for which there is no room has neither slot nor mapping at any time. */
    assert_int_equal(vmm_section_add(f.vmm, 4, 0, PAGE, 400 * PAGE), -ENOSPC);
    assert_false(tries_to_map());
    assert_int_equal(vmm_section_add(f.vmm, 2, 0, PAGE, 400 * PAGE), -ENOSPC); /* ROM */
    assert_false(tries_to_map());
    for (unsigned i = 0; i < STUB_SLOTS; i++)
        assert_true(f.stub.slots[i].gpa != 400 * PAGE);
    assert_int_equal(vmm_section_add(f.vmm, 3, 0, PAGE, 400 * PAGE), 0); /* MMIO */
}

/* The last of several containers that listen to all has no room. */
static void a_limit_of_another_container(void **state)
{
    const struct vmm_region_config region = {.size = 4 * PAGE};
    uint32_t container, index;
    uint64_t before[256], after[256];

    (void)state;
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_TYPE1, true, &container), 0);
    f.stub.tells_limit = true;
    f.stub.map_limit = 100;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    f.stub.map_limit = 4;
    assert_int_equal(vmm_device_attach(f.vmm, container, 1), 0);
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    stub_trace_clear(&f.stub);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 4 * PAGE, 300 * PAGE), -ENOSPC);
    assert_false(tries_to_map());
    /* A map that fails there takes back what the first one has mapped, and its listener. */
    assert_int_equal(vmm_device_detach(f.vmm, 1), 0);
    f.stub.map_limit = 100;
    assert_int_equal(vmm_device_attach(f.vmm, container, 1), 0);
    size_t size = vmm_canon(f.vmm, before, sizeof before);
    stub_fail(&f.stub, STUB_MAP, 2, EIO, false);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 4 * PAGE, 300 * PAGE), -EIO);
    assert_false(vmm_stopped(f.vmm) || stub_mapped(&f.stub, 300));
    assert_int_equal(vmm_canon(f.vmm, after, sizeof after), size);
    assert_memory_equal(before, after, size);
}

/* A region that comes again where a container is full: its section is the first of all. */
static void a_limit_when_a_region_comes_again(void **state)
{
    const struct vmm_region_config region = {.size = 4 * PAGE};
    const struct vmm_config config = {.page_size = STUB_PAGE};
    struct host host = stub_host(&f.stub);
    uint32_t index, container;

    (void)state;
    assert_int_equal(vmm_destroy(f.vmm), 0);
    stub_init(&f.stub);
    f.stub.guards = true;
    f.stub.tells_limit = true;
    assert_int_equal(vmm_create(&host, &lanes, &config, &f.vmm), 0);
    assert_int_equal(vmm_region_add(f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(f.vmm, index, 0, 4 * PAGE, 0), 0);
    assert_int_equal(vmm_container_add(f.vmm, VMM_IOMMU_TYPE1, true, &container), 0);
    assert_int_equal(vmm_region_remove(f.vmm, index), 0);
    f.stub.map_limit = 0;
    assert_int_equal(vmm_device_attach(f.vmm, container, 0), 0);
    unsigned calls = f.stub.hits[STUB_SETUP];
    assert_int_equal(vmm_region_readd(f.vmm, index), -ENOSPC);
    assert_int_equal(f.stub.hits[STUB_SETUP], calls);
}

/* What could not be unmapped goes with the container, and is not remembered when it is opened
 * again. */
static void a_container_that_is_opened_again(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
        for (uint64_t page = 0; page < 8; page += 2)
            assert_int_equal(vmm_listen(f.vmm, 1, 4, page * PAGE, PAGE), 0);
        stub_fail_often(&f.stub, STUB_UNMAP, 1, 100, EIO);
        assert_int_equal(vmm_device_detach(f.vmm, 1), 0);
        stub_fail_none(&f.stub);
        assert_int_equal(f.stub.n_maps, 0);
    }
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f.vmm, 1, 4, 4 * PAGE, PAGE), 0);
    assert_true(stub_mapped(&f.stub, 156) && f.stub.n_maps == 1);
}

/* Unmapped, and not only gone with the container. */
static void the_last_device_unmaps(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    stub_trace_clear(&f.stub);
    assert_int_equal(vmm_device_detach(f.vmm, 0), 0);
    assert_string_equal(f.stub.trace, "unmap 136+8; unmap 152+8; ");
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/edges/" name, fn, setup, teardown, NULL                                          \
    }
    const struct CMUnitTest tests[] = {
        T("descriptor-zero", descriptor_zero),
        T("descriptor-zero-is-asked-too", descriptor_zero_is_asked_too),
        T("errors-of-a-tear-down", errors_of_a_tear_down),
        T("slots-say-what-they-are", slots_say_what_they_are),
        T("slots-go-before-the-vm", slots_go_before_the_vm),
        T("locks-are-made-and-unmade", locks_are_made_and_unmade),
        T("numbers-one-too-large", numbers_one_too_large),
        T("a-second-address", a_second_address_of_the_first_section),
        T("each-of-many-devices-goes", each_of_many_devices_goes),
        T("a-limit-of-another-container", a_limit_of_another_container),
        T("a-limit-when-a-region-comes-again", a_limit_when_a_region_comes_again),
        T("a-container-that-is-opened-again", a_container_that_is_opened_again),
        T("the-last-device-unmaps", the_last_device_unmaps),
        T("a-known-limit", a_known_limit_is_not_run_into),
    };

    return cmocka_run_group_tests_name("core/edges", tests, NULL, NULL);
}
