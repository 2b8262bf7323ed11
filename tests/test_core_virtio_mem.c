/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-mem in the core: the order of calls, what is refused, the truth table of E4. */
#include "tests/virtio_mem_fixture.h"

static void deliberate_error(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_null(vmem_broken(m, 0, 0));
    assert_string_equal(vmem_broken(m, 1, 0), "plugged bits");
    m->stub.is_private[GPA + 3] = false;
    assert_string_equal(vmem_broken(m, 0, 0), "I3 attribute");
    vmem_free(m);
}

/* ---- order of calls ---- */
static void plug_maps_what_is_shared(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_convert(m, 1, 4, false), 0);
    expect_trace(m, "shared 17+4; drop private 1+4; ");
    assert_null(vmem_broken(m, 0, 0x1e));
    assert_int_equal(vmem_plug(m, 2, 4), 0);
    assert_int_equal(m->response, VMM_RESPONSE_ACK);
    /* The second listener's part, too. */
    expect_trace(m,
                 "drop shared 2+4; drop private 2+4; map 18+1; map 19+1; map 20+1; map 19+1; "
                 "map 20+1; ");
    assert_null(vmem_broken(m, 0x3c, 0x1e));
    vmem_free(m);
}

static void unplug_notifies_then_drops_both(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 8), 0);
    assert_int_equal(vmem_convert(m, 1, 4, false), 0);
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_unplug(m, 2, 4), 0);
    expect_trace(m,
                 "unmap 18+3; unmap 19+2; private 18+3; drop shared 2+4; drop private 2+4; ");
    assert_null(vmem_broken(m, 0xc3, 0x02));
    assert_int_equal(vmem_plug(m, 2, 4), 0); /* E15: it starts private */
    assert_null(vmem_broken(m, 0xff, 0x02));
    vmem_free(m);
}

static void unplug_of_private_memory_unmaps_nothing(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 2), 0);
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_unplug(m, 0, 2), 0);
    expect_trace(m, "drop shared 0+2; drop private 0+2; ");
    vmem_free(m);
}

/* E5: the page that was unplugged is converted afterwards; its listener hears nothing more. */
static void one_discard_only(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 2), 0);
    assert_int_equal(vmem_convert(m, 0, 2, false), 0);
    assert_int_equal(vmem_unplug(m, 0, 2), 0);
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_convert(m, 0, 2, true), 0);
    expect_trace(m, "");
    assert_int_equal(vmem_convert(m, 0, 2, false), 0);
    assert_int_equal(vmem_convert(m, 0, 2, true), 0);
    expect_trace(m, "shared 16+2; drop private 0+2; private 16+2; drop shared 0+2; ");
    vmem_free(m);
}

/* Runs of plugged blocks, each on its own; the pages between were shared while unplugged. */
static void unplug_all_takes_what_is_plugged(void **state)
{
    struct vmem *m = vmem_new();

    (void)state;
    assert_int_equal(vmem_plug(m, 0, 2), 0);
    assert_int_equal(vmem_plug(m, 6, 2), 0);
    assert_int_equal(vmem_convert(m, 0, 8, false), 0);
    stub_trace_clear(&m->stub);
    assert_int_equal(vmem_unplug_all(m), 0);
    assert_int_equal(m->response, VMM_RESPONSE_ACK);
    expect_trace(m,
                 "unmap 16+2; unmap 22+2; private 16+8; drop shared 0+8; drop private 0+8; ");
    assert_null(vmem_broken(m, 0, 0));
    assert_int_equal(vmem_unplug_all(m), 0);
    expect_trace(m, "");
    vmem_free(m);
}

/* ---- what is refused, and how ---- */
struct request {
    uint64_t offset, size; /* bytes */
    bool plug;
    int rc;
    uint16_t response;
};

static void ask(struct vmem *m, const struct request *q)
{
    uint16_t response = 77;
    int rc = q->plug ? vmm_plug(m->vmm, 0, q->offset, q->size, &response)
                     : vmm_unplug(m->vmm, 0, q->offset, q->size, &response);

    assert_int_equal(rc, q->rc);
    assert_int_equal(response, q->response);
}

static void refusals(void **state)
{
    enum { B = BLOCK * STUB_PAGE, END = PAGES * STUB_PAGE };
    const struct request requests[] = {
        {0, 0, true, -EINVAL, VMM_RESPONSE_ERROR},
        {STUB_PAGE, B, true, -EINVAL, VMM_RESPONSE_ERROR},
        {0, STUB_PAGE, true, -EINVAL, VMM_RESPONSE_ERROR},
        {END, B, true, -EINVAL, VMM_RESPONSE_ERROR},
        {END - B, UINT64_MAX - B + 1, true, -EINVAL, VMM_RESPONSE_ERROR},
        {0, 2 * B, false, -EINVAL, VMM_RESPONSE_ERROR}, /* half of it is plugged */
        {B, B, true, -EINVAL, VMM_RESPONSE_ERROR},
        {2 * B, 2 * B, true, -ENOSPC, VMM_RESPONSE_NACK}, /* one block too many */
        {B, 3 * B, true, -ENOSPC, VMM_RESPONSE_NACK},     /* asked before the state */
        {2 * B, B, true, 0, VMM_RESPONSE_ACK},
        {2 * B, B, false, 0, VMM_RESPONSE_ACK},
    };
    struct vmem *m = vmem_new();
    uint16_t response;

    (void)state;
    assert_int_equal(vmm_resize(m->vmm, 0, 2 * B, &response), 0);
    assert_int_equal(vmem_plug(m, 2, 2), 0);
    stub_trace_clear(&m->stub);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ask(m, &requests[i]);
        if (requests[i].rc)
            expect_trace(m, "");
    }
    assert_int_equal(vmm_plug(m->vmm, 1, 0, B, &response), -EINVAL);
    assert_int_equal(response, VMM_RESPONSE_ERROR);
    assert_int_equal(vmm_unplug_all(m->vmm, 1, &response), -EINVAL);
    assert_int_equal(response, VMM_RESPONSE_ERROR);
    vmem_free(m);
}

static void resizing(void **state)
{
    enum { B = BLOCK * STUB_PAGE };
    struct vmem *m = vmem_new();
    uint16_t response;

    (void)state;
    assert_int_equal(vmm_resize(m->vmm, 0, STUB_PAGE, &response), -EINVAL);
    assert_int_equal(response, VMM_RESPONSE_ERROR);
    assert_int_equal(vmm_resize(m->vmm, 0, 5 * B, &response), -EINVAL);
    assert_int_equal(vmm_resize(m->vmm, 1, B, &response), -EINVAL);
    assert_int_equal(vmm_resize(m->vmm, 0, B, &response), 0);
    assert_int_equal(response, VMM_RESPONSE_ACK);
    assert_int_equal(vmem_plug(m, 6, 2), 0); /* the usable size has not shrunk */
    assert_int_equal(vmem_plug(m, 0, 2), -ENOSPC);
    assert_int_equal(m->response, VMM_RESPONSE_NACK);
    assert_int_equal(vmem_unplug_all(m), 0); /* now it does */
    assert_int_equal(vmem_plug(m, 6, 2), -EINVAL);
    assert_int_equal(m->response, VMM_RESPONSE_ERROR);
    assert_int_equal(vmem_plug(m, 0, 2), 0);
    assert_int_equal(vmm_resize(m->vmm, 0, 3 * B, &response), 0); /* grows at once */
    assert_int_equal(vmem_plug(m, 4, 2), 0);
    vmem_free(m);
}

static void bad_configurations(void **state)
{
    enum { P = STUB_PAGE };
    const struct vmm_region_config bad[] = {
        {.guest_memfd = false, .size = 8 * P, .virtio_mem_block = 2 * P},
        {.guest_memfd = true, .size = 8 * P, .virtio_mem_block = P / 2},
        {.guest_memfd = true, .size = 9 * P, .virtio_mem_block = 3 * P},
        {.guest_memfd = true, .size = 9 * P, .virtio_mem_block = 2 * P},
        {.guest_memfd = true, .size = 8 * P, .requested_size = 2 * P},
        {.guest_memfd = true, .size = 8 * P, .virtio_mem_block = 2 * P, .requested_size = P},
        {.guest_memfd = true, .size = 8 * P, .virtio_mem_block = P, .requested_size = 9 * P},
    };
    const struct vmm_region_config good = {
        .guest_memfd = true, .size = 8 * P, .virtio_mem_block = P, .requested_size = 3 * P};
    struct vmem *m = vmem_new();
    uint32_t index;
    uint16_t response;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(vmm_region_add(m->vmm, &bad[i], &index), -EINVAL);
    assert_int_equal(vmm_region_add(m->vmm, &good, &index), 0);
    /* It has no address yet; and it gets one only as a whole. */
    assert_int_equal(vmm_plug(m->vmm, index, 0, P, &response), -EINVAL);
    assert_int_equal(response, VMM_RESPONSE_ERROR);
    assert_int_equal(vmm_section_add(m->vmm, index, 0, 4 * P, 64 * P), -EINVAL);
    vmem_free(m);
}

/* ---- E4: every state of four blocks, every move ---- */
static void truth_table(void **state)
{
    (void)state;
    for (uint64_t plugged = 0; plugged < 1 << BLOCKS; plugged++)
        for (uint64_t shared = 0; shared < 1 << PAGES; shared += plugged % 2 ? 7 : 5)
            for (int i = 0; i < MOVES; i++) {
                struct vmem *m = vmem_new();
                uint64_t p = pages_of(plugged), s = shared;

                bring(m, plugged, shared);
                predict(&moves[i], &p, &s);
                (void)make(m, &moves[i]);
                assert_null(vmem_broken(m, p, s));
                vmem_free(m);
            }
}

/* Bits are copied right across words, and a block may be larger than one. */
static void bits_of_large_blocks(void **state)
{
    const struct sync no_sync = {NULL, NULL};
    struct vmem *m = calloc(1, sizeof *m);
    uint64_t bits[3];

    (void)state;
    stub_init(&m->stub);
    assert_int_equal(vmem_build(m, &no_sync, 200, 200), 0);
    assert_int_equal(vmem_plug(m, 60, 30), 0);
    assert_int_equal(vmem_plug(m, 198, 2), 0);
    vmm_plugged_bits(m->vmm, 0, 0, 64, bits);
    assert_int_equal(bits[0], UINT64_C(0xf) << 60);
    vmm_plugged_bits(m->vmm, 0, 70, 130, bits);
    assert_int_equal(bits[0], 0xfffff);
    assert_int_equal(bits[1], 0);
    assert_int_equal(bits[2], 3);
    vmem_free(m);
}

#define TEST(name, function)                                                                   \
    {                                                                                          \
        name, function, NULL, NULL, NULL                                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("core/virtio-mem/deliberate-error", deliberate_error),
        TEST("core/virtio-mem/plug-maps-what-is-shared", plug_maps_what_is_shared),
        TEST("core/virtio-mem/unplug-notifies-first", unplug_notifies_then_drops_both),
        TEST("core/virtio-mem/unplug-private", unplug_of_private_memory_unmaps_nothing),
        TEST("core/virtio-mem/E5-one-discard", one_discard_only),
        TEST("core/virtio-mem/unplug-all", unplug_all_takes_what_is_plugged),
        TEST("core/virtio-mem/refusals", refusals),
        TEST("core/virtio-mem/resize", resizing),
        TEST("core/virtio-mem/bad-configurations", bad_configurations),
        TEST("core/virtio-mem/E4-truth-table", truth_table),
        TEST("core/virtio-mem/bits", bits_of_large_blocks),
    };

    return cmocka_run_group_tests_name("core/virtio-mem", tests, NULL, NULL);
}
