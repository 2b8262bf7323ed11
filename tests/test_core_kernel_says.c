/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel may answer although no kernel is known to: a container believes no more of it
 * than it says. */
#include "tests/core_fixture.h"

#include <stdlib.h>

#include "core/internal.h"

enum { PAGE = STUB_PAGE, NOTHING_SAID = 65535, SIZE = 256 };

/* ---- a kernel of which only VFIO_IOMMU_GET_INFO is known ---- */
static struct {
    union {
        struct vfio_iommu_type1_info info;
        char bytes[SIZE];
    } answer;
    uint32_t size; /* that it says its answer has */
} kernel;

static int says_info(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    struct vfio_iommu_type1_info *info = arg;
    uint32_t room = info->argsz;

    (void)ctx, (void)caller, (void)fd;
    assert_int_equal(request, VFIO_IOMMU_GET_INFO);
    if (room < kernel.size)
        memset(info, 0, sizeof *info);
    else /* what lies behind the answer is in the block, too: nobody may look */
        memcpy(info, kernel.answer.bytes, SIZE);
    info->argsz = kernel.size;
    return 0;
}

static void *gives_more(void *ctx, const char *caller, size_t size)
{
    (void)ctx, (void)caller;
    assert_true(size <= SIZE);
    return calloc(1, SIZE);
}

static void takes_back(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static const struct host_ops info_ops = {
    .ioctl = says_info, .alloc = gives_more, .free = takes_back};

static void add_avail(uint32_t at, uint32_t avail, uint32_t next)
{
    const struct vfio_iommu_type1_info_dma_avail cap = {
        .header = {.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1, .next = next},
        .avail = avail};

    memcpy(kernel.answer.bytes + at, &cap, sizeof cap);
}

static void add_other(uint32_t at, uint32_t next)
{
    add_avail(at, 0, next);
    ((struct vfio_info_cap_header *)(void *)(kernel.answer.bytes + at))->id =
        VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
}

static void begin_answer(uint32_t flags, uint32_t cap_offset, uint32_t size)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.answer.info.flags = flags;
    kernel.answer.info.cap_offset = cap_offset;
    kernel.size = size;
}

static uint64_t entry_limit(void)
{
    struct vmm vmm = {.host = {.ops = &info_ops}};
    struct container c = {.vmm = &vmm, .fd = 3};
    uint64_t limit = 0;

    assert_int_equal(container_type1_ops.entry_limit(&c, &limit), 0);
    return limit;
}

enum { AT = sizeof(struct vfio_iommu_type1_info) };
enum { CAP = sizeof(struct vfio_iommu_type1_info_dma_avail) };

static void info_tells(void **state)
{
    (void)state;
    begin_answer(VFIO_IOMMU_INFO_CAPS, AT, AT + 2 * CAP);
    add_other(AT, AT + CAP);
    add_avail(AT + CAP, 77, 0); /* it ends where the answer does */
    assert_int_equal(entry_limit(), 77);
}

static void info_without_capabilities(void **state)
{
    (void)state;
    begin_answer(VFIO_IOMMU_INFO_PGSIZES, AT, AT + CAP);
    add_avail(AT, 77, 0);
    assert_int_equal(entry_limit(), NOTHING_SAID);
}

static void info_has_other_capabilities(void **state)
{
    (void)state;
    begin_answer(VFIO_IOMMU_INFO_CAPS, AT, AT + CAP);
    add_other(AT, 0);
    assert_int_equal(entry_limit(), NOTHING_SAID);
}

static void info_leads_out(void **state)
{
    (void)state;
    begin_answer(VFIO_IOMMU_INFO_CAPS, AT, AT + CAP);
    add_other(AT, AT + CAP - 4);
    add_avail(AT + CAP - 4, 77, 0); /* its last bytes are behind the end */
    assert_int_equal(entry_limit(), NOTHING_SAID);
    begin_answer(VFIO_IOMMU_INFO_CAPS, AT + CAP + 8, AT + CAP);
    add_avail(AT + CAP + 8, 77, 0);
    assert_int_equal(entry_limit(), NOTHING_SAID);
}

static void info_leads_back(void **state)
{
    (void)state;
    begin_answer(VFIO_IOMMU_INFO_CAPS, AT + CAP, AT + 2 * CAP);
    add_avail(AT, 77, 0);
    add_other(AT + CAP, AT);
    assert_int_equal(entry_limit(), NOTHING_SAID);
    add_other(AT + CAP, AT + CAP); /* to itself */
    assert_int_equal(entry_limit(), NOTHING_SAID);
}

/* ---- unmaps that find more or less than was mapped ---- */
static struct {
    int64_t says[3];
    unsigned calls;
    int mapped;
} iommu;

static int64_t unmap_says(struct container *c, uint64_t iova, uint64_t size)
{
    (void)c, (void)iova, (void)size;
    assert_true(iommu.calls < 3);
    return iommu.says[iommu.calls++];
}

static int map_says(struct container *c, uint64_t iova, uint64_t size, uint64_t vaddr,
                    bool read_only)
{
    (void)c, (void)iova, (void)size, (void)vaddr, (void)read_only;
    return -EFAULT;
}

static int is_mapped_says(struct container *c, uint64_t iova, uint64_t size)
{
    (void)c, (void)iova, (void)size;
    return iommu.mapped;
}

static const struct container_ops odd_ops = {
    .unmap = unmap_says, .map = map_says, .is_mapped = is_mapped_says};

struct odd {
    struct vmm vmm;
    struct container c;
};

/* Pages 8 to 12 are mapped, if `known`. */
static void odd_begin(struct odd *o, bool known, int64_t first, int64_t second)
{
    memset(o, 0, sizeof *o);
    o->vmm = (struct vmm){.host = {.ops = &host_libc_ops}, .page_shift = 12};
    o->c = (struct container){.vmm = &o->vmm, .ops = &odd_ops, .fd = 3, .lock.held = true};
    assert_int_equal(ledger_reserve(&o->c.ledger, &o->vmm.host, 4), 0);
    if (known)
        ledger_add(&o->c.ledger, 8, 12);
    memset(&iommu, 0, sizeof iommu);
    iommu.says[0] = first;
    iommu.says[1] = second;
}

static uint64_t odd_end(struct odd *o)
{
    uint64_t pages = o->c.ledger.n_pages;

    ledger_clear(&o->c.ledger);
    ledger_release(&o->c.ledger, 4);
    ledger_destroy(&o->c.ledger, &o->vmm.host);
    return pages;
}

static void expect_unmap(bool undo, int64_t first, int64_t second, int rc, uint64_t left)
{
    struct odd o;

    odd_begin(&o, true, first, second);
    assert_int_equal(container_unmap(&o.c, 8, 12, undo), rc);
    assert_int_equal(odd_end(&o), left);
}

static void unmap_finds_all(void **state)
{
    (void)state;
    expect_unmap(false, 4 * PAGE, 0, 0, 0);
    expect_unmap(false, -EFAULT, 0, 0, 0); /* it was done the first time */
    expect_unmap(false, -EFAULT, 4 * PAGE, 0, 0);
}

static void unmap_finds_nothing(void **state)
{
    (void)state;
    expect_unmap(false, 0, 0, -EIO, 0);
    expect_unmap(true, 0, 0, 0, 0);
}

static void unmap_finds_less(void **state)
{
    (void)state;
    expect_unmap(false, PAGE, 0, -EIO, 0);
    expect_unmap(true, PAGE, 0, 0, 0);
    expect_unmap(false, -EFAULT, PAGE, -EFAULT, 0);
    expect_unmap(true, -EFAULT, PAGE, 0, 0);
    expect_unmap(true, -EFAULT, 1, 0, 0);
}

static void unmap_fails_twice(void **state)
{
    (void)state;
    expect_unmap(false, -EFAULT, -EFAULT, -EFAULT, 4);
    expect_unmap(true, -EFAULT, -EFAULT, -EFAULT, 4);
}

/* A map that failed late is taken back: is nothing there, or more than it was? */
static void map_taken_back(int mapped, uint64_t left)
{
    struct odd o;

    odd_begin(&o, false, -ENOENT, 0);
    iommu.mapped = mapped;
    assert_int_equal(container_map(&o.c, 8, 12, 0, false, false), -EFAULT);
    assert_int_equal(odd_end(&o), left);
}

static void map_left_nothing(void **state)
{
    (void)state;
    map_taken_back(0, 0);
}

static void map_left_something(void **state)
{
    (void)state;
    map_taken_back(1, 4);
    map_taken_back(-EIO, 4);
}

/* Which of the mappings may be gone already: of one that cannot be, nothing is in doubt. */
static void expect_doubt(uint64_t end, bool all_or_nothing, bool doubt)
{
    const struct container_ops careful = {.unmap = unmap_says, .unmaps_all_or_nothing = true};
    uint64_t from, to;
    struct odd o;

    odd_begin(&o, true, -EIO, 0);
    o.c.ops = all_or_nothing ? &careful : &odd_ops;
    if (end > 12)
        ledger_add(&o.c.ledger, 12, end);
    assert_int_equal(container_unmap(&o.c, 8, end, false), -EIO);
    assert_int_equal(ledger_next_doubt(&o.c.ledger, 8, end, &from, &to), doubt);
    assert_int_equal(odd_end(&o), end - 8);
}

static void unmap_half_done(void **state)
{
    (void)state;
    expect_doubt(14, false, true);
    expect_doubt(12, false, false); /* one mapping: it is there, or the call had worked */
    expect_doubt(14, true, false);
}

/* ---- VFIO's unmap, which takes a part out of a mapping ---- */
static int part_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    struct vfio_iommu_type1_dma_unmap *unmap = arg;
    int64_t says = iommu.says[iommu.calls++];

    (void)ctx, (void)caller, (void)fd;
    assert_int_equal(request, VFIO_IOMMU_UNMAP_DMA);
    unmap->size = says < 0 ? 0 : (uint64_t)says;
    return says < 0 ? (int)says : 0;
}

static void expect_part(int64_t says, int rc, uint64_t pages, uint64_t mappings)
{
    struct host_ops ops = host_libc_ops;
    struct odd o;

    odd_begin(&o, true, says, 0);
    ops.ioctl = part_ioctl;
    o.vmm.host.ops = &ops;
    o.c.cut_by = CUT_BY_UNMAP;
    assert_int_equal(container_unmap(&o.c, 8, 10, false), rc);
    assert_int_equal(o.c.ledger.n_mappings, mappings);
    assert_int_equal(odd_end(&o), pages);
}

static void part_goes(void **state)
{
    (void)state;
    expect_part(2 * PAGE, 0, 2, 1);
}

static void part_was_not_there(void **state)
{
    (void)state;
    expect_part(0, -EIO, 2, 1);
}

static void part_stays(void **state)
{
    (void)state;
    expect_part(-ENOMEM, -ENOMEM, 4, 1);
}

/* ---- descriptor 0 ---- */
static int open_zero(void *ctx, const char *caller, const char *path, int flags)
{
    (void)ctx, (void)caller, (void)path, (void)flags;
    return 0;
}

static int ioctl_works(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    (void)ctx, (void)caller, (void)request, (void)arg;
    assert_int_equal(fd, 0);
    return 0;
}

static void iommufd_device_zero(void **state)
{
    const struct host_ops ops = {.open = open_zero, .ioctl = ioctl_works};
    struct vmm vmm = {.host = {.ops = &ops}};
    struct container c = {.vmm = &vmm, .fd = 3};
    struct container_device d = {.fd = -1};

    (void)state;
    assert_int_equal(container_iommufd_ops.open_device(&c, &d, true), 0);
    assert_int_equal(d.fd, 0);
}

int main(void)
{
#define T(name, fn)                                                                            \
    {                                                                                          \
        "core/kernel-says/" name, fn, NULL, NULL, NULL                                         \
    }
    const struct CMUnitTest tests[] = {
        T("info/tells", info_tells),
        T("info/without-capabilities", info_without_capabilities),
        T("info/has-other-capabilities", info_has_other_capabilities),
        T("info/leads-out-of-itself", info_leads_out),
        T("info/leads-back", info_leads_back),
        T("unmap/finds-all", unmap_finds_all),
        T("unmap/finds-nothing", unmap_finds_nothing),
        T("unmap/finds-less", unmap_finds_less),
        T("unmap/fails-twice", unmap_fails_twice),
        T("unmap/half-done", unmap_half_done),
        T("map/left-nothing", map_left_nothing),
        T("map/left-something", map_left_something),
        T("part/goes", part_goes),
        T("part/was-not-there", part_was_not_there),
        T("part/stays", part_stays),
        T("iommufd/device-zero", iommufd_device_zero),
    };

    return cmocka_run_group_tests_name("core/kernel-says", tests, NULL, NULL);
}
