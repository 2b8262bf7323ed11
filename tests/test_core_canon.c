/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core tells its checkers: the canonical state, word by word, and the bits of the
 * trackers.
 */
#include <stdlib.h>

#include "tests/core_fixture.h"

enum { PAGE = STUB_PAGE, WORDS = 256 };
#define UNTOUCHED UINT64_C(0x7777777777777777)

static const struct sync lanes;

struct canon {
    struct fixture f;
    uint64_t words[WORDS];
    size_t n, at;
};

static int setup(void **state)
{
    struct canon *c = calloc(1, sizeof *c);

    stub_init(&c->f.stub);
    c->f.stub.guards = true;
    *state = c;
    return fixture_build(&c->f, &lanes);
}

static int teardown(void **state)
{
    struct canon *c = *state;

    stub_fail_none(&c->f.stub);
    (void)vmm_destroy(c->f.vmm);
    assert_null(fixture_left(&c->f));
    free(c);
    return 0;
}

static void take(struct canon *c)
{
    memset(c->words, 0x77, sizeof c->words);
    c->n = vmm_canon(c->f.vmm, c->words, sizeof c->words) / 8;
    c->at = 0;
    assert_in_range(c->n, 1, WORDS - 1);
    assert_true(c->words[c->n] == UNTOUCHED && c->words[c->n - 1] != UNTOUCHED);
}

#define NEXT(c, ...)                                                                           \
    next((c), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static void next(struct canon *c, const uint64_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++, c->at++)
        if (c->words[c->at] != want[i])
            fail_msg("word %zu is %#llx, not %#llx", c->at, (unsigned long long)c->words[c->at],
                     (unsigned long long)want[i]);
}

static void skip_regions(struct canon *c)
{
    NEXT(c, 0, 0, 0, 0, 0, 0);    /* not stopped, no guards, no migration */
    NEXT(c, 1, 1, 0, 0, 0, 0, 0); /* ram0: here, guest_memfd, three maps, no source */
    NEXT(c, 1, 1, 0, 0, 0, 0, 0); /* ram1 */
    NEXT(c, 1, 0, 1, 0, 1, 0);    /* rom2, mmio3, ram4 */
    NEXT(c, 1, 1, 0, 0, 0, 0, 0); /* ram5 */
}

static void at_first(void **state)
{
    struct canon *c = *state;

    take(c);
    skip_regions(c);
    NEXT(c, 0, 0, 0, 0, 0, 0, 0, 0); /* two containers that are closed */
    assert_int_equal(c->at, c->n);
    /* What does not fit is counted, not written; what fits just so is. */
    for (size_t words = c->n - 1; words <= c->n; words++) {
        uint64_t some[WORDS];

        memset(some, 0x77, sizeof some);
        assert_int_equal(vmm_canon(c->f.vmm, some, words * 8), c->n * 8);
        assert_memory_equal(some, c->words, words * 8);
        assert_true(some[words] == UNTOUCHED);
    }
}

static void maps_and_debt(void **state)
{
    struct canon *c = *state;

    assert_int_equal(convert(&c->f, 3, 2, false), 0);
    stub_fail_often(&c->f.stub, STUB_DROP_PRIVATE, 1, 100, EIO);
    assert_int_equal(convert(&c->f, 10, 1, false), 0); /* page 10 owes its private side */
    stub_fail_often(&c->f.stub, STUB_DROP_SHARED, 1, 100, EIO);
    assert_int_equal(convert(&c->f, 4, 1, true), 0); /* page 4 its shared one */
    assert_int_equal(vmm_source_add(c->f.vmm, 1, 2 * PAGE, 5 * PAGE), 0);
    take(c);
    NEXT(c, 0, 0, 0, 0, 0, 0);
    NEXT(c, 1, 1, 2, 1 << 3 | 1 << 10, 1, 1 << 4, 1, 1 << 10, 0, 0);
    NEXT(c, 1, 1, 0, 0, 0, 7, 2);
    NEXT(c, 1, 0, 1, 0, 1, 0);
    NEXT(c, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(c->at, c->n);
}

static void guards_and_migration(void **state)
{
    struct canon *c = *state;

    for (int i = 0; i < 2; i++)
        assert_int_equal(vmm_guard(c->f.vmm, VMM_GUARD_UNCOORDINATED_DISABLE, true), 0);
    assert_int_equal(vmm_guard(c->f.vmm, VMM_GUARD_COORDINATED_REQUIRE, true), 0);
    assert_int_equal(vmm_region_remove(c->f.vmm, 5), 0);
    assert_int_equal(vmm_migrate(c->f.vmm, true), 0);
    take(c);
    NEXT(c, 0, 0, 2, 0, 1, 1);
    NEXT(c, 64, UINT64_MAX, 1, 1, 0, 0, 0, 0, 0); /* the dirty log first */
    NEXT(c, 64, UINT64_MAX, 1, 1, 0, 0, 0, 0, 0);
    NEXT(c, 8, 0xff, 1, 0, 1, 0, 8, 0xff, 1, 0);
    NEXT(c, 0, 0); /* ram5 is away */
    NEXT(c, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(c->at, c->n);
}

static void containers(void **state)
{
    struct canon *c = *state;

    c->f.stub.zero_kind = 'c';
    assert_int_equal(vmm_device_attach(c->f.vmm, 1, 8), 0);
    assert_int_equal(vmm_device_attach(c->f.vmm, 1, 9), 0);
    assert_int_equal(vmm_listen(c->f.vmm, 1, 5, 2 * PAGE, 14 * PAGE), -EINVAL);
    assert_int_equal(vmm_listen(c->f.vmm, 1, 5, 6 * PAGE, 4 * PAGE), 0);
    assert_int_equal(vmm_listen(c->f.vmm, 1, 4, 0, 3 * PAGE), 0);
    take(c);
    skip_regions(c);
    NEXT(c, 0, 0, 0, 0);              /* container 0 */
    NEXT(c, 1, 2, 8, 9);              /* open, two devices */
    NEXT(c, 1, 152, 155, 1);          /* the ledger: plain memory is mapped, as a run */
    NEXT(c, 6, 6, 10, 170, 1, 6, 10); /* ram5, its pages, IOVA, by hand, as asked for */
    NEXT(c, 5, 0, 3, 152, 1, 0, 3, 0);
    assert_int_equal(c->at, c->n);
}

/* Single pages beside each other are one run, in whatever order they came. */
static void runs_of_the_ledger(void **state)
{
    static const uint64_t order[] = {5, 3, 4, 8, 9, 10, 0};
    struct canon *c = *state;

    assert_int_equal(vmm_device_attach(c->f.vmm, 1, 8), 0);
    assert_int_equal(vmm_listen(c->f.vmm, 1, 0, 0, 16 * PAGE), 0);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        assert_int_equal(convert(&c->f, order[i], 1, false), 0);
    take(c);
    while (c->at < c->n && c->words[c->at] != 8) /* the group of the device */
        c->at++;
    NEXT(c, 8, 3, 0, 1, 0, 3, 6, 0, 8, 11, 0);
}

static void stopped(void **state)
{
    struct canon *c = *state;

    stub_fail_often(&c->f.stub, STUB_ATTRIBUTE, 1, 100, EFAULT);
    assert_int_equal(convert(&c->f, 3, 2, false), -EFAULT);
    assert_true(vmm_stopped(c->f.vmm));
    take(c);
    NEXT(c, 1, 0, 0, 0, 0, 0);
}

static void virtio_mem(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true,
                                             .size = 8 * PAGE,
                                             .virtio_mem_block = 2 * PAGE,
                                             .requested_size = 6 * PAGE};
    struct canon *c = *state;
    uint16_t response;
    uint64_t bits;
    uint32_t index;

    assert_int_equal(vmm_region_add(c->f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(c->f.vmm, index, 0, 8 * PAGE, 300 * PAGE), 0);
    assert_int_equal(vmm_resize(c->f.vmm, index, 8 * PAGE, &response), 0);
    assert_int_equal(vmm_resize(c->f.vmm, index, 4 * PAGE, &response), 0);
    assert_int_equal(vmm_plug(c->f.vmm, index, 2 * PAGE, 2 * PAGE, &response), 0);
    take(c);
    skip_regions(c);
    NEXT(c, 1, 1, 0, 0, 0, 1, 1 << 1, 4, 8, 0, 0);
    NEXT(c, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(c->at, c->n);
    vmm_plugged_bits(c->f.vmm, index, 0, 8, &bits);
    assert_int_equal(bits, 3 << 2);
}

static void a_map_of_several_words(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true, .size = 192 * PAGE};
    struct canon *c = *state;
    uint32_t index;

    assert_int_equal(vmm_region_add(c->f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(c->f.vmm, index, 0, 192 * PAGE, 200 * PAGE), 0);
    assert_int_equal(convert(&c->f, 202, 1, false), 0);
    assert_int_equal(convert(&c->f, 200 + 191, 1, false), 0);
    take(c);
    skip_regions(c);
    NEXT(c, 1, 1, 2, 1 << 2, 0, UINT64_C(1) << 63, 0, 0, 0, 0);
    NEXT(c, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(c->at, c->n);
}

static void bits_of_a_range(struct canon *c, uint32_t region, uint64_t first, uint64_t n)
{
    uint64_t bits[4];
    uint64_t words = (n + 63) / 64;

    memset(bits, 0x77, sizeof bits);
    vmm_populated_bits(c->f.vmm, region, first, n, bits);
    for (uint64_t i = 0; i < words * 64; i++) {
        bool is = bits[i / 64] >> i % 64 & 1;

        if (is != (i < n && vmm_is_populated(c->f.vmm, region, (first + i) * PAGE, PAGE)))
            fail_msg("%llu+%llu: page %llu", (unsigned long long)first, (unsigned long long)n,
                     (unsigned long long)(first + i));
    }
    assert_true(bits[words] == UNTOUCHED);
}

static void bits(void **state)
{
    const struct vmm_region_config region = {.guest_memfd = true, .size = 192 * PAGE};
    struct canon *c = *state;
    uint32_t index;

    assert_int_equal(vmm_region_add(c->f.vmm, &region, &index), 0);
    assert_int_equal(vmm_section_add(c->f.vmm, index, 0, 192 * PAGE, 200 * PAGE), 0);
    for (uint64_t page = 0; page < 192; page += 2 + page % 5)
        assert_int_equal(convert(&c->f, 200 + page, 1, false), 0);
    assert_int_equal(convert(&c->f, 200 + 60, 10, false), 0);
    bits_of_a_range(c, index, 0, 192);
    for (uint64_t first = 0; first <= 65; first++)
        for (uint64_t n = 1; n <= 127; n += 9)
            bits_of_a_range(c, index, first, n);
    for (uint64_t n = 62; n <= 66; n++)
        bits_of_a_range(c, index, 60, n);
    bits_of_a_range(c, 4, 0, 8);
}

/* A region that has no tracker, long enough that a word more or less would be seen. */
static void bits_of_plain_memory(void **state)
{
    enum { PAGES = 64 * 65 };
    const struct vmm_region_config region = {.size = (uint64_t)PAGES * PAGE};
    struct canon *c = *state;
    static uint64_t shared[PAGES / 64], plugged[PAGES / 64];
    uint32_t index;

    assert_int_equal(vmm_region_add(c->f.vmm, &region, &index), 0);
    for (int round = 0; round < 2; round++) {
        memset(shared, 0x77, sizeof shared);
        memset(plugged, 0x77, sizeof plugged);
        vmm_populated_bits(c->f.vmm, index, 0, PAGES, shared);
        vmm_plugged_bits(c->f.vmm, index, 0, PAGES, plugged);
        for (int i = 0; i < PAGES / 64; i++) {
            assert_true(shared[i] == (round ? 0 : UINT64_MAX));
            assert_true(plugged[i] == (round ? 0 : UINT64_MAX));
        }
        if (!round)
            assert_int_equal(vmm_region_remove(c->f.vmm, index), 0);
    }
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/canon/" name, fn, setup, teardown, NULL                                          \
    }
    const struct CMUnitTest tests[] = {
        T("at-first", at_first),
        T("maps-and-debt", maps_and_debt),
        T("guards-and-migration", guards_and_migration),
        T("containers", containers),
        T("runs-of-the-ledger", runs_of_the_ledger),
        T("stopped", stopped),
        T("virtio-mem", virtio_mem),
        T("a-map-of-several-words", a_map_of_several_words),
        T("bits", bits),
        T("bits-of-plain-memory", bits_of_plain_memory),
    };

    return cmocka_run_group_tests_name("core/canon", tests, NULL, NULL);
}
