/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What migration is told of each page: its state of three, and whether it may have changed. */
#include "tests/virtio_mem_fixture.h"

/* One letter a page: - discarded, s shared, p private; capital: dirty. */
static const char *sync_region(struct vmem *m, uint32_t region, uint64_t n)
{
    static char text[256];
    uint8_t pages[256] = {0};

    assert_int_equal(vmm_dirty_sync(m->vmm, region, pages), 0);
    for (uint64_t i = 0; i < n; i++)
        text[i] = (pages[i] & VMM_PAGE_DIRTY ? "?SP" : "-sp")[pages[i] & ~VMM_PAGE_DIRTY];
    text[n] = 0;
    return text;
}

static const char *dirty(struct vmem *m)
{
    return sync_region(m, 0, PAGES);
}

/* Pages 0..1 unplugged (1 is shared), 2..8 plugged, of these 4 and 5 shared. */
static struct vmem *running(void)
{
    struct vmem *m = vmem_new();

    assert_int_equal(vmem_plug(m, 2, 6), 0);
    assert_int_equal(vmem_convert(m, 1, 1, false), 0);
    assert_int_equal(vmem_convert(m, 4, 2, false), 0);
    assert_int_equal(vmm_migrate(m->vmm, true), 0);
    return m;
}

/* G1: private pages are dirty, and only unplugged ones count as discarded. */
static void first_all_then_what_is_mapped(void **state)
{
    struct vmem *m = running();

    (void)state;
    assert_string_equal(dirty(m), "--PPSSPP");
    assert_string_equal(dirty(m), "--ppSSpp");
    assert_string_equal(dirty(m), "--ppSSpp");
    vmem_free(m);
}

/* G4, both ways; a discarded page stays one. */
static void conversions_are_dirty(void **state)
{
    struct vmem *m = running();

    (void)state;
    assert_int_equal(vmm_device_detach(m->vmm, 0), 0);
    assert_int_equal(vmm_device_detach(m->vmm, 1), 0);
    (void)dirty(m);
    assert_string_equal(dirty(m), "--ppsspp");
    assert_int_equal(vmem_convert(m, 0, 3, false), 0);
    assert_int_equal(vmem_convert(m, 5, 2, true), 0);
    assert_string_equal(dirty(m), "--SpsPpp");
    assert_string_equal(dirty(m), "--spsppp");
    vmem_free(m);
}

static void pages_unmapped_since_are_not_lost(void **state)
{
    struct vmem *m = running();

    (void)state;
    (void)dirty(m);
    assert_int_equal(vmm_device_detach(m->vmm, 1), 0); /* maps 4 and 5, as the other does */
    assert_int_equal(vmm_device_detach(m->vmm, 0), 0);
    assert_string_equal(dirty(m), "--ppSSpp");
    assert_string_equal(dirty(m), "--ppsspp");
    assert_int_equal(vmm_device_attach(m->vmm, 1, 1), 0);
    assert_int_equal(vmm_listen(m->vmm, 1, 0, MANUAL_FIRST * STUB_PAGE, 2 * STUB_PAGE), 0);
    assert_int_equal(vmm_unlisten(m->vmm, 1, 0, MANUAL_FIRST * STUB_PAGE, 2 * STUB_PAGE), 0);
    assert_string_equal(dirty(m), "--ppSspp"); /* was mapped for a moment */
    vmem_free(m);
}

/* A mapping that may have been there for a moment counts. */
static void failed_conversion(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct vmem *m = running();

        (void)state;
        (void)dirty(m);
        stub_fail(&m->stub, STUB_MAP, 2, EFAULT, late);
        assert_int_equal(vmem_convert(m, 2, 6, false), -EFAULT);
        assert_string_equal(dirty(m), "--PPSSpp");
        assert_string_equal(dirty(m), "--ppSSpp");
        stub_fail(&m->stub, STUB_ATTRIBUTE, 1, ENOMEM, false);
        assert_int_equal(vmem_convert(m, 2, 6, false), -ENOMEM);
        assert_string_equal(dirty(m), "--ppSSpp");
        vmem_free(m);
    }
}

static void virtio_mem_is_busy(void **state)
{
    const struct vmm_region_config more = {.guest_memfd = true, .size = STUB_PAGE};
    struct vmem *m = running();
    uint16_t response;
    uint32_t index;

    (void)state;
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_plug(m, 0, 2), -EBUSY);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    assert_int_equal(vmem_unplug(m, 2, 2), -EBUSY);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    assert_int_equal(vmem_unplug(m, 0, 2), -EINVAL); /* that is asked first */
    assert_int_equal(m->response, VMM_RESPONSE_ERROR);
    assert_int_equal(vmem_unplug_all(m), -EBUSY);
    assert_int_equal(m->response, VMM_RESPONSE_BUSY);
    assert_int_equal(vmm_resize(m->vmm, 0, BLOCK * STUB_PAGE, &response), 0);
    assert_int_equal(vmm_region_add(m->vmm, &more, &index), -EBUSY);
    assert_string_equal(m->stub.trace, "");
    assert_int_equal(vmm_migrate(m->vmm, false), 0);
    assert_int_equal(vmem_unplug_all(m), 0);
    assert_int_equal(vmm_migrate(m->vmm, true), 0);
    assert_int_equal(vmem_unplug_all(m), 0); /* nothing is plugged: nothing to mind */
    assert_int_equal(m->response, VMM_RESPONSE_ACK);
    vmem_free(m);
}

static void starting_and_stopping(void **state)
{
    struct vmem *m = vmem_new();
    uint8_t pages[PAGES];

    (void)state;
    assert_int_equal(vmm_migrate(m->vmm, false), -EINVAL);
    assert_int_equal(vmm_dirty_sync(m->vmm, 0, pages), -EINVAL);
    assert_int_equal(vmm_migrate(m->vmm, true), 0);
    assert_int_equal(vmm_migrate(m->vmm, true), -EBUSY);
    assert_int_equal(vmm_dirty_sync(m->vmm, 1, pages), -EINVAL);
    assert_int_equal(vmm_migrate(m->vmm, false), 0);
    assert_int_equal(vmm_migrate(m->vmm, false), -EINVAL);
    assert_int_equal(vmm_dirty_sync(m->vmm, 0, pages), -EINVAL);
    vmem_free(m);
}

/* Memory for the dirty maps is had at the start or not at all. */
static void no_memory_for_it(void **state)
{
    const struct vmm_region_config more = {.size = 200 * STUB_PAGE};
    struct vmem *m = vmem_new();
    uint8_t pages[256];
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_region_add(m->vmm, &more, &index), 0);
    assert_int_equal(vmm_region_add(m->vmm, &more, &index), 0);
    unsigned blocks = m->stub.n_blocks;
    stub_fail(&m->stub, STUB_ALLOC, 2, ENOMEM, false);
    assert_int_equal(vmm_migrate(m->vmm, true), -ENOMEM);
    assert_int_equal(m->stub.n_blocks, blocks);
    assert_int_equal(vmm_dirty_sync(m->vmm, 0, pages), -EINVAL);
    stub_fail_none(&m->stub);
    assert_int_equal(vmm_migrate(m->vmm, true), 0);
    m->stub.alloc_is_a_bug = true;
    assert_string_equal(sync_region(m, 0, PAGES), "--------");
    assert_int_equal(sync_region(m, 2, 200)[199], 'S');
    assert_int_equal(sync_region(m, 2, 200)[199], 's');
    vmem_free(m);
}

/* A device may write to plain RAM that it has mapped, never to ROM; MMIO is no memory. */
static void other_memory(void **state)
{
    const struct vmm_region_config plain[] = {{.kind = VMM_REGION_RAM, .size = 2 * STUB_PAGE},
                                              {.kind = VMM_REGION_ROM, .size = 2 * STUB_PAGE},
                                              {.kind = VMM_REGION_MMIO, .size = STUB_PAGE}};
    struct vmem *m = vmem_new();
    uint8_t pages[2];
    uint32_t index;

    (void)state;
    assert_int_equal(vmm_device_detach(m->vmm, 0), 0);
    assert_int_equal(vmm_device_detach(m->vmm, 1), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(vmm_region_add(m->vmm, &plain[i], &index), 0);
        assert_int_equal(vmm_section_add(m->vmm, index, 0, plain[i].size,
                                         (64 + 8 * (uint64_t)i) * STUB_PAGE),
                         0);
    }
    assert_int_equal(vmm_migrate(m->vmm, true), 0);
    assert_string_equal(sync_region(m, 1, 2), "SS");
    assert_string_equal(sync_region(m, 2, 2), "SS");
    assert_int_equal(vmm_dirty_sync(m->vmm, 3, pages), -EINVAL);
    assert_int_equal(vmm_device_attach(m->vmm, 0, 0), 0);
    assert_string_equal(sync_region(m, 1, 2), "SS");
    assert_string_equal(sync_region(m, 1, 2), "SS");
    assert_string_equal(sync_region(m, 2, 2), "ss");
    assert_string_equal(sync_region(m, 2, 2), "ss");
    assert_int_equal(vmm_device_detach(m->vmm, 0), 0);
    assert_string_equal(sync_region(m, 1, 2), "SS");
    assert_string_equal(sync_region(m, 1, 2), "ss");
    vmem_free(m);
}

static void stopped(void **state)
{
    struct vmem *m = running();
    uint8_t pages[PAGES];

    (void)state;
    stub_fail(&m->stub, STUB_MAP, 2, ENOMEM, false);
    stub_fail(&m->stub, STUB_UNMAP, 1, EINVAL, false);
    assert_int_equal(vmem_convert(m, 2, 2, false), -ENOMEM);
    assert_true(vmm_stopped(m->vmm));
    assert_int_equal(vmm_migrate(m->vmm, true), -EIO);
    assert_int_equal(vmm_migrate(m->vmm, false), -EIO);
    assert_int_equal(vmm_dirty_sync(m->vmm, 0, pages), -EIO);
    vmem_free(m);
}

#define TEST(name, function)                                                                   \
    {                                                                                          \
        "core/migration/" name, function, NULL, NULL, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("G1-first-all-then-mapped", first_all_then_what_is_mapped),
        TEST("G4-conversions", conversions_are_dirty),
        TEST("unmapped-since", pages_unmapped_since_are_not_lost),
        TEST("failed-conversion", failed_conversion),
        TEST("virtio-mem-is-busy", virtio_mem_is_busy),
        TEST("starting-and-stopping", starting_and_stopping),
        TEST("no-memory", no_memory_for_it),
        TEST("other-memory", other_memory),
        TEST("stopped", stopped),
    };

    return cmocka_run_group_tests_name("core/migration", tests, NULL, NULL);
}
