/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions, sections and listeners that cannot go or come, at each step of it. */
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

/* ---- a region of two sections goes, or comes, and cannot ---- */
static void two_sections(uint32_t *region)
{
    const struct vmm_region_config config = {.guest_memfd = true, .size = 16 * PAGE};

    assert_int_equal(vmm_region_add(f.vmm, &config, region), 0);
    assert_int_equal(vmm_section_add(f.vmm, *region, 0, 4 * PAGE, 300 * PAGE), 0);
    assert_int_equal(vmm_section_add(f.vmm, *region, 8 * PAGE, 4 * PAGE, 310 * PAGE), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    assert_int_equal(convert(&f, 301, 1, false), 0);
    assert_int_equal(convert(&f, 311, 1, false), 0);
}

static void fail_two(enum stub_point point, unsigned nth, enum stub_point undo,
                     unsigned undo_nth)
{
    stub_trace_clear(&f.stub);
    stub_fail(&f.stub, point, nth, EIO, false);
    f.stub.faults[f.stub.n_faults++] =
        (struct stub_fault){.point = undo, .nth = undo_nth, .times = 1, .error = EIO};
}

static bool whole(void)
{
    bool is = !vmm_stopped(f.vmm) && stub_mapped(&f.stub, 301) && stub_mapped(&f.stub, 311);
    unsigned slots = 0;

    for (unsigned i = 0; i < STUB_SLOTS; i++)
        slots += f.stub.slots[i].size != 0 && f.stub.slots[i].gpa >= 300 * PAGE;
    return is && slots == 2;
}

static void remove_fails(void **state)
{
    uint32_t region;

    (void)state;
    two_sections(&region);
    stub_fail(&f.stub, STUB_UNMAP, 2, EIO, false);
    assert_int_equal(vmm_region_remove(f.vmm, region), -EIO);
    assert_true(whole());
    stub_fail_none(&f.stub);
    for (unsigned nth = 1; nth <= 2; nth++) {
        stub_fail(&f.stub, STUB_SETUP, nth, EIO, false); /* a slot */
        assert_int_equal(vmm_region_remove(f.vmm, region), -EIO);
        stub_fail_none(&f.stub);
        assert_true(whole());
        stub_fail(&f.stub, STUB_ATTRIBUTE, nth, EFAULT, false);
        assert_int_equal(vmm_region_remove(f.vmm, region), -EFAULT);
        stub_fail_none(&f.stub);
        assert_true(whole());
    }
    assert_int_equal(vmm_region_remove(f.vmm, region), 0);
}

static void remove_fails_and_so_does_its_undo(void **state)
{
    static const struct {
        enum stub_point point;
        unsigned nth;
        enum stub_point undo;
        unsigned undo_nth;
    } rows[] = {
        {STUB_UNMAP, 2, STUB_MAP, 1},       {STUB_SETUP, 2, STUB_SETUP, 3},
        {STUB_SETUP, 2, STUB_MAP, 1},       {STUB_ATTRIBUTE, 2, STUB_ATTRIBUTE, 3},
        {STUB_ATTRIBUTE, 2, STUB_MAP, 1},   {STUB_ATTRIBUTE, 2, STUB_SETUP, 3},
        {STUB_ATTRIBUTE, 2, STUB_SETUP, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t region;

        (void)vmm_destroy(f.vmm);
        assert_null(fixture_left(&f));
        (void)setup(NULL);
        two_sections(&region);
        fail_two(rows[i].point, rows[i].nth, rows[i].undo, rows[i].undo_nth);
        assert_int_equal(vmm_region_remove(f.vmm, region), -EIO);
        if (!vmm_stopped(f.vmm))
            fail_msg("row %zu goes on", i);
        stub_fail_none(&f.stub);
    }
}

static void readd_fails(void **state)
{
    uint32_t region;
    int rc = -EIO;

    (void)state;
    two_sections(&region);
    assert_int_equal(vmm_region_remove(f.vmm, region), 0);
    for (unsigned nth = 1; rc; nth++) {
        unsigned fds = stub_open_fds(&f.stub), vmas = f.stub.n_vmas, maps = f.stub.n_maps;

        stub_fail(&f.stub, STUB_ANY, nth, EIO, false);
        rc = vmm_region_readd(f.vmm, region);
        stub_fail_none(&f.stub);
        assert_false(vmm_stopped(f.vmm));
        if (rc)
            assert_true(stub_open_fds(&f.stub) == fds && f.stub.n_vmas == vmas &&
                        f.stub.n_maps == maps);
        for (unsigned i = 0; rc && i < STUB_SLOTS; i++)
            assert_true(f.stub.slots[i].size == 0 || f.stub.slots[i].gpa < 300 * PAGE);
        for (uint64_t page = 300; rc && page < 314; page++)
            assert_false(f.stub.is_private[page]);
    }
}

/* ---- listeners that cannot be undone ---- */
static void a_listener_half_mapped(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    assert_int_equal(convert(&f, 2, 1, false), 0);
    assert_int_equal(convert(&f, 4, 1, false), 0);
    fail_two(STUB_MAP, 2, STUB_UNMAP, 1);
    assert_int_equal(vmm_listen(f.vmm, 1, 0, 0, 8 * PAGE), -EIO);
    assert_true(vmm_stopped(f.vmm));
}

static void a_section_half_mapped(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    stub_fail(&f.stub, STUB_MAP, 1, EFAULT, true);
    f.stub.faults[f.stub.n_faults++] =
        (struct stub_fault){.point = STUB_UNMAP, .nth = 1, .times = 100, .error = EINVAL};
    assert_int_equal(vmm_section_add(f.vmm, 4, 0, 4 * PAGE, 400 * PAGE), -EFAULT);
    assert_true(vmm_stopped(f.vmm));
}

static void a_listener_half_unmapped(void **state)
{
    (void)state;
    assert_int_equal(vmm_section_add(f.vmm, 4, 4 * PAGE, 4 * PAGE, 200 * PAGE), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(f.vmm, 1, 4, 4 * PAGE, 4 * PAGE), 0);
    stub_fail(&f.stub, STUB_UNMAP, 2, EIO, false);
    assert_int_equal(vmm_unlisten(f.vmm, 1, 4, 4 * PAGE, 4 * PAGE), -EIO);
    assert_false(vmm_stopped(f.vmm));
    assert_true(stub_mapped(&f.stub, 156) && stub_mapped(&f.stub, 200));
    stub_fail_none(&f.stub);
    fail_two(STUB_UNMAP, 2, STUB_MAP, 1);
    assert_int_equal(vmm_unlisten(f.vmm, 1, 4, 4 * PAGE, 4 * PAGE), -EIO);
    assert_true(vmm_stopped(f.vmm));
}

/* Nothing stays of a section that a container does not take; its memory has no attributes that
 * would be put back. */
static void a_section_without_private_pages_fails(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    for (uint32_t region = 2; region <= 4; region += 2) {
        stub_trace_clear(&f.stub);
        stub_fail(&f.stub, STUB_MAP, 1, EIO, false);
        assert_int_equal(vmm_section_add(f.vmm, region, 0, PAGE, 400 * PAGE), -EIO);
        stub_fail_none(&f.stub);
        assert_string_equal(f.stub.trace,
                            region == 2 ? "map 400+1 ro fails; " : "map 400+1 fails; ");
        for (unsigned i = 5; i < STUB_SLOTS; i++)
            assert_int_equal(f.stub.slots[i].size, 0);
    }
}

/* Memory that is mapped as one: what was reserved for coming back is given back. */
static void plain_memory_comes_back(void **state)
{
    (void)state;
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    for (uint32_t region = 2; region <= 4; region += 2)
        for (int i = 0; i < 3; i++) {
            stub_fail(&f.stub, STUB_SETUP, 1, EIO, false); /* its slot */
            assert_int_equal(vmm_region_remove(f.vmm, region), -EIO);
            stub_fail_none(&f.stub);
            assert_true(stub_mapped(&f.stub, region == 2 ? 136 : 152));
            assert_int_equal(f.stub.n_maps, 2);
        }
}

/* Each allocation of a device's coming fails once. */
static void memory_runs_out_for_a_device(void **state)
{
    unsigned nth = 0;
    int rc = -ENOMEM;

    (void)state;
    assert_int_equal(convert(&f, 3, 1, false), 0);
    while (rc) {
        unsigned fds = stub_open_fds(&f.stub);

        stub_fail(&f.stub, STUB_ALLOC, ++nth, ENOMEM, false);
        rc = vmm_device_attach(f.vmm, 0, 0);
        assert_int_equal(rc, f.stub.failed ? -ENOMEM : 0);
        f.stub.failed = 0;
        stub_fail_none(&f.stub);
        assert_false(vmm_stopped(f.vmm));
        if (rc)
            assert_true(stub_open_fds(&f.stub) == fds && f.stub.n_maps == 0);
    }
    assert_in_range(nth, 4, 40);
    assert_int_equal(f.stub.n_maps, 3);
}

/* ---- virtio-mem: three pages of its are shared ---- */
static uint32_t virtio_mem(bool plugged)
{
    const struct vmm_region_config config = {.guest_memfd = true,
                                             .size = 16 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 16 * PAGE};
    uint16_t response;
    uint32_t region;

    assert_int_equal(vmm_region_add(f.vmm, &config, &region), 0);
    assert_int_equal(vmm_section_add(f.vmm, region, 0, 16 * PAGE, 300 * PAGE), 0);
    assert_int_equal(vmm_device_attach(f.vmm, 0, 0), 0);
    for (uint64_t page = 300; page < 306; page += 2)
        assert_int_equal(convert(&f, page, 1, false), 0);
    if (plugged)
        assert_int_equal(vmm_plug(f.vmm, region, 0, 16 * PAGE, &response), 0);
    stub_trace_clear(&f.stub);
    return region;
}

static bool traced(const char *what)
{
    return strstr(f.stub.trace, what);
}

static void a_plug_fails(void **state)
{
    uint32_t region = virtio_mem(false);
    uint16_t response;

    (void)state;
    stub_fail(&f.stub, STUB_MAP, 1, EIO, false);
    assert_int_equal(vmm_plug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    assert_int_equal(response, VMM_RESPONSE_BUSY);
    assert_true(traced(" map 300+1 fails; "));
    assert_false(traced(" map 302+1") || traced(" map 304+1") || vmm_stopped(f.vmm));
    stub_fail_none(&f.stub);
    /* Mapping has made memory, which goes; or it is debt, and goes with the next request. */
    stub_trace_clear(&f.stub);
    stub_fail(&f.stub, STUB_MAP, 2, EIO, false);
    assert_int_equal(vmm_plug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    assert_true(strstr(strstr(f.stub.trace, "fails; "), "drop shared 0+8; "));
    stub_fail_none(&f.stub);
    uint64_t before[256], after[256];
    size_t size = vmm_canon(f.vmm, before, sizeof before);
    fail_two(STUB_MAP, 2, STUB_DROP_SHARED, 2);
    assert_int_equal(vmm_plug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    stub_fail_none(&f.stub);
    assert_false(vmm_stopped(f.vmm));
    assert_true(vmm_canon(f.vmm, after, sizeof after) == size + 8); /* a word of debt */
    assert_int_equal(vmm_plug(f.vmm, region, 0, 8 * PAGE, &response), 0);
    assert_true(vmm_canon(f.vmm, after, sizeof after) > size);
    for (uint64_t page = 300; page < 306; page++)
        assert_int_equal(stub_mapped(&f.stub, page), page % 2 == 0);
}

static void a_plug_fails_and_so_does_its_undo(void **state)
{
    uint32_t region = virtio_mem(false);
    uint16_t response;

    (void)state;
    fail_two(STUB_MAP, 3, STUB_UNMAP, 1);
    assert_int_equal(vmm_plug(f.vmm, region, 0, 16 * PAGE, &response), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("unmap 300+1 fails; ") && traced("unmap 302+1; "));
    assert_false(strstr(strstr(f.stub.trace, "unmap 300"), "drop"));
}

static void an_unplug_fails(void **state)
{
    uint32_t region = virtio_mem(true);
    uint16_t response;

    (void)state;
    stub_fail(&f.stub, STUB_UNMAP, 1, EIO, false);
    assert_int_equal(vmm_unplug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    assert_false(traced("unmap 302+1") || vmm_stopped(f.vmm));
    stub_fail_none(&f.stub);
    stub_fail(&f.stub, STUB_ATTRIBUTE, 1, EIO, false);
    assert_int_equal(vmm_unplug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    assert_false(vmm_stopped(f.vmm));
    stub_fail_none(&f.stub);
    for (uint64_t page = 300; page < 306; page++)
        assert_true(stub_mapped(&f.stub, page) == (page % 2 == 0) &&
                    f.stub.is_private[page] == (page % 2 != 0));
}

static void an_unplug_fails_and_so_does_its_undo(void **state)
{
    uint32_t region = virtio_mem(true);
    uint16_t response;

    (void)state;
    fail_two(STUB_ATTRIBUTE, 1, STUB_MAP, 1);
    assert_int_equal(vmm_unplug(f.vmm, region, 0, 8 * PAGE, &response), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced(" map 300+1 fails; ") && traced(" map 302+1; "));
}

/* All is unplugged stretch by stretch of plugged blocks; the way back is, too. */
static void unplug_all_fails(void **state)
{
    uint32_t region = virtio_mem(false);
    uint16_t response;

    (void)state;
    for (uint64_t block = 0; block < 6; block += 2)
        assert_int_equal(vmm_plug(f.vmm, region, block * PAGE * 2, 2 * PAGE, &response), 0);
    assert_int_equal(convert(&f, 302, 7, false), 0); /* 300, 304 and 308 were; all are now */
    stub_trace_clear(&f.stub);
    stub_fail(&f.stub, STUB_UNMAP, 1, EIO, false);
    assert_int_equal(vmm_unplug_all(f.vmm, region, &response), -EIO);
    assert_false(traced("unmap 304") || vmm_stopped(f.vmm));
    stub_fail_none(&f.stub);
    stub_trace_clear(&f.stub);
    fail_two(STUB_ATTRIBUTE, 1, STUB_MAP, 1);
    assert_int_equal(vmm_unplug_all(f.vmm, region, &response), -EIO);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced(" map 300+1 fails; ") && traced(" map 304+1; ") &&
                traced(" map 308+1; "));
}

/* The attribute may have been set, and cannot be set back. */
static void an_unplug_whose_attribute_stays(void **state)
{
    uint32_t region = virtio_mem(true);
    uint16_t response;

    (void)state;
    stub_fail(&f.stub, STUB_ATTRIBUTE, 1, EFAULT, true);
    f.stub.faults[f.stub.n_faults++] =
        (struct stub_fault){.point = STUB_ATTRIBUTE, .nth = 2, .times = 1, .error = ENOMEM};
    assert_int_equal(vmm_unplug(f.vmm, region, 0, 8 * PAGE, &response), -EFAULT);
    assert_true(vmm_stopped(f.vmm));
    assert_true(traced("shared 300+1 fails; ") && traced("shared 302+1; "));
    assert_false(traced(" map "));
}

static void requests_off_by_a_byte(void **state)
{
    uint32_t region = virtio_mem(true);
    uint16_t response;

    (void)state;
    assert_int_equal(vmm_unplug(f.vmm, region, 1, 2 * PAGE, &response), -EINVAL);
    assert_int_equal(vmm_unplug(f.vmm, region, 0, 2 * PAGE + 1, &response), -EINVAL);
    assert_int_equal(vmm_resize(f.vmm, region, 2 * PAGE + 1, &response), -EINVAL);
    assert_int_equal(vmm_unplug(f.vmm, region, 16 * PAGE, 2 * PAGE, &response), -EINVAL);
    assert_string_equal(f.stub.trace, "");
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/half-done/" name, fn, setup, teardown, NULL                                      \
    }
    const struct CMUnitTest tests[] = {
        T("remove-fails", remove_fails),
        T("remove-fails-and-so-does-its-undo", remove_fails_and_so_does_its_undo),
        T("readd-fails", readd_fails),
        T("a-listener-half-mapped", a_listener_half_mapped),
        T("a-section-half-mapped", a_section_half_mapped),
        T("a-listener-half-unmapped", a_listener_half_unmapped),
        T("a-section-without-private-pages", a_section_without_private_pages_fails),
        T("plain-memory-comes-back", plain_memory_comes_back),
        T("memory-runs-out-for-a-device", memory_runs_out_for_a_device),
        T("a-plug-fails", a_plug_fails),
        T("a-plug-fails-and-so-does-its-undo", a_plug_fails_and_so_does_its_undo),
        T("an-unplug-fails", an_unplug_fails),
        T("an-unplug-fails-and-so-does-its-undo", an_unplug_fails_and_so_does_its_undo),
        T("unplug-all-fails", unplug_all_fails),
        T("an-unplug-whose-attribute-stays", an_unplug_whose_attribute_stays),
        T("requests-off-by-a-byte", requests_off_by_a_byte),
    };

    return cmocka_run_group_tests_name("core/half-done", tests, NULL, NULL);
}
