/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the text form share: texts that say everything, and the round trip. */
#ifndef TESTS_PROGRAM_TEXTS_H
#define TESTS_PROGRAM_TEXTS_H

#include "tests/program_for_tests.h"

static const char full[] =
    "gmemcheck-scenario 1\n"
    "# every statement, every expectation\n"
    "ref C1 QEMU # 10.1 system/ram-block-attributes.c\n"
    "machine order=unmap-first failure=stop vcpus=3 memlock=0x20 # trailing\n"
    "region ram0 pages=8 share=memfd guest_memfd=yes\n"
    "region mmio1 pages=2\n"
    "region rom2 pages=1 share=anon\n"
    "region ram3 pages=4 guest_memfd=no\n"
    "section ram0[0..6) at 16\n"
    "section ram0[7] at 0x20\n"
    "section mmio1[0..2) at 22\n"
    "section rom2[0] at 24\n"
    "section ram3[0..4) at 40\n"
    "container c0 iommu=type1 listen=all entries=3\n"
    "\tcontainer c1 listen=manual\r\n"
    "device d0 in c0\n"
    "device d1 in c1\n"
    "seed 18446744073709551615\n"
    "\n"
    "attach d0\n"
    "fault vfio/map ENOSPC nth=4\n"
    "fault vfio/unmap EFAULT from=2 late in-undo\n"
    "fault gmem/punch EINTR chance=50%\n"
    "fault gmem/punch EINTR chance=1/65536\n"
    "fault core/alloc ENOMEM\n"
    "convert ram0[0..6) shared vcpu=2 via=hypercall\n"
    "  expect result=ENOSPC status=EAGAIN private ram0[0..3)\n"
    "  expect shared ram0[3..6) ram0[3] ram0@0x4000+0x1000 unmapped c0 ram0[1..7)\n"
    "  expect mapped c0 ram0[0] ram0[7] backed shared ram0[0..4) unbacked private ram0[1]\n"
    "  expect calls vfio/map=4 kvm/system=0 entries c0=3 c1=0 running\n"
    "disarm\n"
    "convert gpa[16..24) private\n"
    "convert gpa[16] private via=fault\n"
    "convert gpa@0x10800+0x1800 shared via=vmm\n"
    "convert ram0@0x3000+0xfffffffffffff000 shared via=vmm\n"
    "convert ram0@0x5000+0x4000 shared\n"
    "write ram0[3] value=7 vcpu=1\n"
    "read gpa[19]\n"
    "  expect data=7\n"
    "dma-write d0 ram0[3] value=0xffffffffffffffff\n"
    "dma-read d1 rom2[0]\n"
    "listen c1 ram0[2..6)\n"
    "unlisten c1 ram0[2..6)\n"
    "query ram0[0..8)\n"
    "  expect populated=1 stopped\n"
    "detach d0\n";

/* What only other machines can have. */
static const char inplace[] =
    "gmemcheck-scenario 1\n"
    "machine mode=inplace kernel=proposed iommu=compatv1 mapping=run split=cut page_size=16k"
    " tracker=extents\n"
    "region ram0 pages=8 virtio_mem=4 requested=4\n"
    "region rom1 pages=128 share=hugetlb huge_pages=2m\n"
    "region ram2 pages=2\n"
    "section ram0[0..8) at 16\n"
    "section rom1[0..128) at 32\n"
    "container c0 iommu=compatv1\n"
    "plug ram0[0..4)\n"
    "  expect response=ack plugged ram0[0..4) unplugged ram0[4..8)\n"
    "unplug ram0[1..3)\n"
    "  expect response=error\n"
    "unplug-all ram0\n"
    "resize ram0 pages=0\n"
    "remove ram2\n"
    "add rom1\n"
    "source-add ram0[1..3)\n"
    "source-remove ram0\n"
    "reset\n"
    "pin ram0[3] \n"
    "convert ram0[0..4) private\n"
    "  expect result=EAGAIN status=EAGAIN blocked ram0[3]\n"
    "unpin ram0[3]\n"
    "guard disable on\n"
    "guard uncoordinated-disable on\n"
    "guard require off\n"
    "guard coordinated-require off\n"
    "migrate start\n"
    "dirty-sync\n"
    "  expect dirty ram0[0..8) rom1[0] clean ram2[0..2)\n"
    "migrate stop\n";

static inline int setup(void **state)
{
    struct program *p = calloc(2, sizeof(*p));

    assert_non_null(p);
    program_init(&p[0]);
    program_init(&p[1]);
    *state = p;
    return 0;
}

static inline int teardown(void **state)
{
    struct program *p = *state;

    program_free(&p[0]);
    program_free(&p[1]);
    free(p);
    return 0;
}

/* p[0] -> text -> p[1]: the same but for lines. The text is its own canonical form. */
static inline void round_trip(struct program *p)
{
    size_t size = 0, again_size = 0;
    char *text = printed(&p[0], "made\nby a test\n", &size), *again;

    must_parse(text, &p[1]);
    forget_lines(&p[0]);
    forget_lines(&p[1]);
    assert_true(same_program(&p[0], &p[1]));
    again = printed(&p[1], "made\nby a test\n", &again_size);
    assert_string_equal(text, again);
    free(text);
    free(again);
}

#endif
