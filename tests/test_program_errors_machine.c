/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Complaints about axes, regions and the ops on them. */
#include "tests/program_complaints.h"

static void test_axes_together(void **state)
{
    static const struct bad bad[] = {
        {V "machine mode=inplace\n", 2, "mode=inplace needs kernel=proposed"},
        {V "machine mode=inplace kernel=7.3\n", 2, "mode=inplace needs kernel=proposed"},
        {V "machine mode=inplace kernel=proposed order=unmap-first\n", 2,
         "mode=inplace has one order, so order= must stay attribute-first"},
        {V "machine split=refuse\n", 2,
         "mapping=page has nothing to split, so split= must stay remap"},
        {V "machine mapping=run split=cut\n", 2,
         "split=cut needs iommu=iommufd, compat or compatv1"},
        {V "machine mapping=run split=cut iommu=type1v1\n", 2,
         "split=cut needs iommu=iommufd, compat or compatv1"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_hugetlb_and_virtio_mem(void **state)
{
    static const struct bad bad[] = {
        {M "region ram0 pages=8 share=hugetlb\n", 3, "ram0: share=hugetlb needs huge_pages=N"},
        {M "region ram0 pages=8 huge_pages=2\n", 3, "ram0: huge_pages= is for share=hugetlb"},
        {M "region ram0 pages=6 share=hugetlb huge_pages=3\n", 3,
         "ram0: huge_pages must be a power of two from 2 on, not 3"},
        {M "region ram0 pages=8 share=hugetlb huge_pages=1\n", 3,
         "huge_pages: 1 is too small, the least is 2"},
        {M "region ram0 pages=8 share=hugetlb huge_pages=2m\n", 3,
         "ram0: 8 pages are not whole huge pages of 512"},
        {M "region ram0 pages=8 share=hugetlb huge_pages=1g\n", 3,
         "ram0: 8 pages are not whole huge pages of 262144"},
        {V "machine mode=inplace kernel=proposed\nregion ram0 pages=8 share=hugetlb"
           " huge_pages=2\n",
         3, "ram0: in mode=inplace a guest_memfd cannot be hugetlb"},
        {M "region ram0 pages=8 share=hugetlb huge_pages=4\nsection ram0[2..8) at 0\n", 4,
         "section 0: ram0 is shown in whole huge pages of 4"},
        {M "region ram0 pages=8 requested=8\n", 3,
         "requested= is for regions with virtio_mem="},
        {M "region ram0 pages=8 virtio_mem=2 guest_memfd=no\n", 3,
         "ram0: only ram with guest_memfd can have virtio_mem"},
        {M "region rom0 pages=8 virtio_mem=2\n", 3,
         "rom0: only ram with guest_memfd can have virtio_mem"},
        {M "region ram0 pages=9 virtio_mem=3\n", 3,
         "ram0: virtio_mem must be a power of two that divides 9 pages, not 3"},
        {M "region ram0 pages=9 virtio_mem=2\n", 3,
         "ram0: virtio_mem must be a power of two that divides 9 pages, not 2"},
        {M "region ram0 pages=8 share=hugetlb huge_pages=4 virtio_mem=2\n", 3,
         "ram0: blocks of 2 pages are smaller than huge pages of 4"},
        {M "region ram0 pages=8 virtio_mem=2 requested=3\n", 3,
         "ram0: requested must be whole blocks of 2, up to 8 pages, not 3"},
        {M "region ram0 pages=8 virtio_mem=2 requested=10\n", 3,
         "ram0: requested must be whole blocks of 2, up to 8 pages, not 10"},
        {M "region ram0 pages=8 virtio_mem=2\nsection ram0[0..4) at 0\n", 4,
         "section 0: ram0 has virtio_mem, so a section shows all of it"},
        {M "region ram0 pages=8 virtio_mem=2\n", 3,
         "ram0 has virtio_mem, so it needs a section"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_ops_on_memory(void **state)
{
    static const struct bad bad[] = {
        {VIRTIO "plug ram0\n", VIRTIO_LINE,
         "expected a range like ram0[0..8), ram0[3], gpa[16..24) or gpa@0x1000+0x800, got "
         "'ram0'"},
        {VIRTIO "plug ram1[0..2)\n", VIRTIO_LINE, "plug: ram1 has no virtio_mem"},
        {VIRTIO "unplug gpa[0..2)\n", VIRTIO_LINE,
         "expected a range of a region like ram0[0..8), got 'gpa[0..2)'"},
        {VIRTIO "unplug ram0[6..10)\n", VIRTIO_LINE, "ram0 has 8 pages, the range ends at 10"},
        {VIRTIO "unplug-all ram1\n", VIRTIO_LINE, "unplug-all: ram1 has no virtio_mem"},
        {VIRTIO "unplug-all ram0[0..8)\n", VIRTIO_LINE,
         "expected a region like ram0, got 'ram0[0..8)'"},
        {VIRTIO "resize ram0\n", VIRTIO_LINE, "expected pages=N"},
        {VIRTIO "resize ram0 8\n", VIRTIO_LINE, "unknown word '8'; resize takes: pages="},
        {VIRTIO "resize ram0 pages=4294967296\n", VIRTIO_LINE,
         "pages: 4294967296 is too large, the most is 4294967295"},
        {VIRTIO "resize ram1 pages=2\n", VIRTIO_LINE, "resize: ram1 has no virtio_mem"},
        {VIRTIO "remove\n", VIRTIO_LINE,
         "expected a region like ram0, got the end of the line"},
        {VIRTIO "remove ram3\n", VIRTIO_LINE,
         "unknown region 'ram3'; this machine has 3 regions"},
        {VIRTIO "add rom1\n", VIRTIO_LINE, "unknown region 'rom1'; region 1 is ram1"},
        {VIRTIO "reset ram0\n", VIRTIO_LINE, "expected the end of the line, got 'ram0'"},
        {VIRTIO "pin ram1[0]\n", VIRTIO_LINE,
         "pin: only mode=inplace has pages that others can hold"},
        {VIRTIO "unpin ram1[0]\n", VIRTIO_LINE,
         "unpin: only mode=inplace has pages that others can hold"},
        {V "machine mode=inplace kernel=proposed\nregion rom0 pages=2\npin rom0[0]\n", 4,
         "pin: rom0 has no guest_memfd"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_switches(void **state)
{
    static const struct bad bad[] = {
        {OP("guard"), NEXT, "expected a guard like require, got the end of the line"},
        {OP("guard all on"), NEXT,
         "guard: expected disable, uncoordinated-disable, require or coordinated-require, got"
         " 'all'"},
        {OP("guard require"), NEXT, "expected on or off, got the end of the line"},
        {OP("guard require yes"), NEXT, "guard: expected off or on, got 'yes'"},
        {OP("migrate"), NEXT, "expected start or stop, got the end of the line"},
        {OP("migrate pause"), NEXT, "migrate: expected stop or start, got 'pause'"},
        {OP("dirty-sync ram0"), NEXT, "expected the end of the line, got 'ram0'"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/errors-machine/" name, f, NULL, NULL, NULL                                    \
    }
    const struct CMUnitTest tests[] = {
        T("axes-together", test_axes_together),
        T("hugetlb-and-virtio-mem", test_hugetlb_and_virtio_mem),
        T("ops-on-memory", test_ops_on_memory),
        T("switches", test_switches),
    };

    return cmocka_run_group_tests_name("program/errors-machine", tests, NULL, NULL);
}
