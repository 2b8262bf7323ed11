/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the text parser says about what it does not take, and about which line. */
#include "tests/program_complaints.h"

#include <errno.h>

/* A good text makes none: the checker below would see a parser that complains about all. */
static void test_good_text_has_no_complaint(void **state)
{
    struct program p;
    struct text_error error;

    (void)state;
    program_init(&p);
    assert_int_equal(parse(OP("attach d0"), &p, &error), 0);
    assert_int_equal(parse(OP("attach d1"), &p, &error), -EINVAL);
    program_free(&p);
}

static void test_version(void **state)
{
    static const struct bad bad[] = {
        {"", 1, "the file is empty; expected 'gmemcheck-scenario 1'"},
        {"\n", 1, "expected 'gmemcheck-scenario 1' as the first line, got ''"},
        {"machine\n", 1, "expected 'gmemcheck-scenario 1' as the first line, got 'machine'"},
        {"# hello\n" M, 1, "expected 'gmemcheck-scenario 1' as the first line, got ''"},
        {"ref me\n" M, 1, "expected 'gmemcheck-scenario 1' as the first line, got 'ref'"},
        {"gmemcheck-scenario", 1, "expected 'gmemcheck-scenario 1', got no version"},
        {"gmemcheck-scenario x", 1, "version: expected a number, got 'x'"},
        {"gmemcheck-scenario 0", 1, "version: 0 is too small, the least is 1"},
        {"gmemcheck-scenario 2\n", 1,
         "made by a newer gmemcheck: scenario version 2, this one reads 1"},
        {"gmemcheck-scenario 1 2\n", 1, "expected the end of the line, got '2'"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_not_text(void **state)
{
    static const struct bad bad[] = {
        {V "machine\n\x01region\n", 3, "this is not text: byte 0x01 at column 1"},
        {V "machine\n# \x1b[31m\n", 3, "this is not text: byte 0x1b at column 3"},
        {"\x7f"
         "ELF\x02",
         1, "this is not text: byte 0x7f at column 1"},
        {V "machine\rvcpus=1\n", 2, "this is not text: byte 0x0d at column 8"},
        {V "\xc3\xa4\xff\n", 2, "unknown statement '\\xc3\\xa4\\xff'"},
    };
    static const char nul[] = V "mach\0ine\n";
    struct program p;
    struct text_error error;

    (void)state;
    ASSERT_COMPLAINTS(bad);
    program_init(&p);
    assert_int_equal(text_parse(nul, sizeof(nul) - 1, &test_vocabulary, &p, &error), -EINVAL);
    assert_int_equal(error.line, 2);
    assert_string_equal(error.why, "this is not text: byte 0x00 at column 5");
    program_free(&p);
}

static void test_long_lines(void **state)
{
    static char text[3000];
    size_t head = strlen(V);
    struct bad bad = {text, 2, "the line is longer than 1024 bytes"};

    (void)state;
    memcpy(text, V, head);
    memset(text + head, 'a', sizeof(text) - head - 1);
    assert_complaint(&bad); /* with no end at all */
    text[head] = '#';
    text[head + TEXT_LINE_MAX + 1] = '\n';
    assert_complaint(&bad); /* one too many */
    text[head + TEXT_LINE_MAX] = '\n';
    text[head + TEXT_LINE_MAX + 1] = 0;
    bad.why = "the file ends without a machine line";
    assert_complaint(&bad); /* the longest one */
}

static void test_order(void **state)
{
    static const struct bad bad[] = {
        {V, 1, "the file ends without a machine line"},
        {V "attach d0\n", 2, "'attach' before the machine line"},
        {V "region ram0 pages=8\n", 2, "'region' before the machine line"},
        {V "seed 4\n", 2, "'seed' before the machine line"},
        {M, 2, "the file ends without a region"},
        {M "disarm\n", 3, "'disarm' before the first region"},
        {M "sweep from here\n", 3, "'sweep' before the first region"},
        {R "sweep\n", 4, "expected from, got the end of the line"},
        {R "sweep from there\n", 4, "expected 'here', got 'there'"},
        {R "sweep from here now\n", 4, "expected the end of the line, got 'now'"},
        {R "sweep from here\ndisarm\nsweep from here\n", 6, "'sweep from here' a second time"},
        {M "machine\n", 3, "a second machine line, a scenario has one"},
        {R "seed 1\nseed 1\n", 5, "a second seed line, a scenario has one"},
        {OP("disarm\nregion ram1 pages=1"), NEXT + 1, "'region' must come before the first op"},
        {OP("disarm\nmachine"), NEXT + 1, "'machine' must come before the first op"},
        {OP("expect result=0"), NEXT, "expect belongs after the op that it is about"},
        {OP("section"), NEXT, "expected a range like ram0[0..8), got the end of the line"},
        {OP("attach d0 d1"), NEXT, "expected the end of the line, got 'd1'"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_unknown_names(void **state)
{
    static const struct bad bad[] = {
        {OP("fault vfio/mapp ENOMEM"), NEXT,
         "unknown fault point 'vfio/mapp'; did you mean 'vfio/map'?"},
        {OP("fault zzzzzzzzzzzzzz ENOMEM"), NEXT, "unknown fault point 'zzzzzzzzzzzzzz'"},
        {OP("covert ram0[0] shared"), NEXT,
         "unknown statement 'covert'; did you mean 'convert'?"},
        {OP("frobnicate"), NEXT, "unknown statement 'frobnicate'"},
        {V "machine iommu=iommu\n", 2,
         "unknown axis value iommu=iommu; this version has: "
         "type1|type1v1|iommufd|compat|compatv1"},
        {V "machine order=\n", 2,
         "unknown axis value order=; this version has: attribute-first|unmap-first"},
        {V "machine ordr=stop\n", 2,
         "unknown word 'ordr'; did you mean 'order'?; machine takes: mode= order= failure="
         " tracker= iommu= mapping= split= kernel= page_size= vcpus= memlock="},
        {OP("convert ram0[0] shared vcpus=1"), NEXT,
         "unknown word 'vcpus'; did you mean 'vcpu'?; convert takes: vcpu= via="},
        {OP("attach d1"), NEXT, "unknown device 'd1'; the last one is d0"},
        {OP("listen c9 ram0[0]"), NEXT, "unknown container 'c9'; the last one is c0"},
        {R "device d0 in c0\n", 4, "unknown container 'c0'; this machine has none"},
        {OP("attach c0"), NEXT, "expected a device like d0, got 'c0'"},
        {OP("query ram1[0]"), NEXT, "unknown region 'ram1'; this machine has 1 region"},
        {OP("query rom0[0]"), NEXT, "unknown region 'rom0'; region 0 is ram0"},
        {OP("query foo[0]"), NEXT, "expected a region like ram0, got 'foo'"},
        {OP("disarm\nexpect reslt=0"), NEXT + 1,
         "unknown expectation 'reslt=0'; did you mean 'result'?"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_declarations(void **state)
{
    static const struct bad bad[] = {
        {R "region ram0 pages=8\n", 4,
         "regions are numbered as they come: expected ram1, got 'ram0'"},
        {M "region memory pages=8\n", 3,
         "expected a region like ram0, rom1 or mmio2, got"
         " 'memory'"},
        {M "region ram0\n", 3, "expected pages=N"},
        {M "region ram0 pages=0\n", 3, "pages: 0 is too small, the least is 1"},
        {M "region ram0 pages=262145\n", 3, "pages: 262145 is too large, the most is 262144"},
        {R "region ram1 pages=262144\n", 4,
         "262152 pages over all regions, the most is 262144"},
        {M "region ram0 pages=8 pages=8\n", 3, "'pages' is given twice"},
        {M "region ram0 pages\n", 3, "'pages' needs =value"},
        {M "region ram0 pages=8 share=file\n", 3,
         "share: expected anon, memfd or hugetlb, got 'file'"},
        {M "region rom0 pages=8 guest_memfd=yes\n", 3,
         "rom0 cannot have guest_memfd, only ram can"},
        {M "region mmio0 pages=8 share=anon\n", 3,
         "an mmio region has no memory, so no share="},
        {V "machine vcpus=9\n", 2, "vcpus: 9 is too large, the most is 8"},
        {V "machine vcpus=0\n", 2, "vcpus: 0 is too small, the least is 1"},
        {R "container c1\n", 4, "containers are numbered as they come: expected c0, got 'c1'"},
        {R "container c0 listen=some\n", 4, "listen: expected manual or all, got 'some'"},
        {R "container c0 iommu=iommufd\n", 4, "iommu=iommufd, but the machine has iommu=type1"},
        {R "container c0\ncontainer c0\n", 5,
         "containers are numbered as they come: expected c1, got 'c0'"},
        {R "container c0\ndevice d0 at c0\n", 5, "expected 'in', got 'at'"},
        {R "container c0\ndevice d0\n", 5, "expected in, got the end of the line"},
        {R "seed\n", 4, "expected a number, got the end of the line"},
        {R "container c0\ncontainer c1\ncontainer c2\ncontainer c3\ncontainer c4\n", 8,
         "too many containers, the most is 4"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_sections(void **state)
{
    static const struct bad bad[] = {
        {R "section ram0[0..9) at 0\n", 4, "ram0 has 8 pages, the range ends at 9"},
        {R "section ram0@0x0+0x800 at 0\n", 4, "a section is whole pages of its region"},
        {R "section ram0@0x0+0x9000 at 0\n", 4, "ram0 has 8 pages, section 0 ends at 9"},
        {R "section gpa[0] at 0\n", 4,
         "expected a range of a region like ram0[0..8), got 'gpa[0]'"},
        {R "section ram0[0..8)\n", 4, "expected at, got the end of the line"},
        {R "section ram0[0..8) at x\n", 4, "at: expected a number, got 'x'"},
        {R "section ram0[0..8) at 0xfedf9\n", 4,
         "section 0 (8 pages at GPA page 1043961) must end at page 0xfee00 or below: DMA uses"
         " IOVA = GPA, and type1 maps nothing from 0xfee00000 on"},
        {R "section ram0[0..8) at 18446744073709551615\n", 4,
         "at: 18446744073709551615 is too large, the most is 1043968"},
        {R "section ram0[0..4) at 0\nsection ram0[4..8) at 3\n", 5,
         "section 1 (ram0 at GPA page 3) overlaps section 0 (ram0 at 0)"},
        {R "section ram0[0..5) at 0\nsection ram0[4..8) at 8\n", 5,
         "sections 0 and 1 both show pages of ram0: a guest_memfd page has one GPA at most"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_ranges(void **state)
{
#define NO_RANGE                                                                               \
    "expected a range like ram0[0..8), ram0[3], gpa[16..24) or gpa@0x1000+0x800, got "
    static const struct bad bad[] = {
        {OP("query ram0[0..9)"), NEXT, "ram0 has 8 pages, the range ends at 9"},
        {OP("convert ram0[8] shared"), NEXT, "ram0 has 8 pages, the range ends at 9"},
        {OP("query ram0"), NEXT, NO_RANGE "'ram0'"},
        {OP("query ram0[0..3]"), NEXT, NO_RANGE "'ram0[0..3]'"},
        {OP("query ram0[0)"), NEXT, NO_RANGE "'ram0[0)'"},
        {OP("query ram0[0.3)"), NEXT, NO_RANGE "'ram0[0.3)'"},
        {OP("query ram0[]"), NEXT, NO_RANGE "'ram0[]'"},
        {OP("query ram0[0"), NEXT, NO_RANGE "'ram0[0'"},
        {OP("query ram0["), NEXT, NO_RANGE "'ram0['"},
        {OP("query ram0[0x..3)"), NEXT, "page: expected a number, got '0x'"},
        {OP("query ram0[3..3)"), NEXT,
         "'ram0[3..3)' is empty: a range ends before its second number"},
        {OP("query ram0@0x1000"), NEXT, NO_RANGE "'ram0@0x1000'"},
        {OP("query ram0@0x1000+"), NEXT, "size: expected a number, got ''"},
        {OP("query ram0@+0x1000"), NEXT, "start: expected a number, got ''"},
        {OP("query gpa[0]"), NEXT,
         "expected a range of a region like ram0[0..8), got 'gpa[0]'"},
        {OP("convert gpa[18446744073709551616] shared"), NEXT,
         "page: 18446744073709551616 is too large, the most is 18446744073709551614"},
        {OP("convert gpa[4503599627370495] shared"), NEXT,
         "page: 4503599627370496 is too large, the most is 4503599627370495"},
        {OP("convert gpa@0x10000000000000000+1 shared"), NEXT,
         "start: 0x10000000000000000 is too large, the most is 18446744073709551615"},
        {OP("query ram0@0x800+0x1000"), NEXT,
         "query: start 0x800 and size 0x1000 must be whole pages"},
        {OP("query ram0@0x7000+0x2000"), NEXT,
         "query: the range leaves ram0, which has 8 pages"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_ops(void **state)
{
    static const struct bad bad[] = {
        {OP("convert ram0[0..8)"), NEXT, "expected shared or private, got the end of the line"},
        {OP("convert ram0[0..8) open"), NEXT, "expected shared or private, got 'open'"},
        {OP("convert ram0[0] shared via=magic"), NEXT,
         "via: expected hypercall, fault or vmm, got 'magic'"},
        {OP("convert ram0[0] shared vcpu=2"), NEXT, "vcpu: 2 is too large, the most is 1"},
        {OP("convert ram0[0..2) shared via=fault"), NEXT,
         "convert: via=fault is for exactly one page, not 2"},
        {OP("convert gpa@0x800+0x1000 shared"), NEXT,
         "convert: only via=vmm can ask for bytes; start 0x800 and size 0x1000 must be whole"
         " pages"},
        {OP("write ram0[0]"), NEXT, "expected value=N"},
        {OP("write ram0[0] value=0"), NEXT, "value: 0 is too small, the least is 1"},
        {OP("write ram0[0] value=18446744073709551616"), NEXT,
         "value: 18446744073709551616 is too large, the most is 18446744073709551615"},
        {OP("write ram0[0] value=-1"), NEXT, "value: expected a number, got '-1'"},
        {OP("read ram0[0..2)"), NEXT, "read: expected one page, not 0x2000 bytes from 0x0"},
        {OP("read gpa[15]"), NEXT, "read: nothing is at GPA page 15"},
        {OP("dma-write d0 ram0[0]"), NEXT, "expected value=N"},
        {OP("dma-read ram0[0]"), NEXT, "expected a device like d0, got 'ram0[0]'"},
        {OP("attach"), NEXT, "expected a device, got the end of the line"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_faults(void **state)
{
    static const struct bad bad[] = {
        {OP("fault"), NEXT, "expected a fault point like vfio/map, got the end of the line"},
        {OP("fault vfio/map"), NEXT, "expected an errno like ENOMEM, got the end of the line"},
        {OP("fault vfio/map EWHAT"), NEXT, "expected an errno like ENOMEM, got 'EWHAT'"},
        {OP("fault vfio/map 0"), NEXT, "expected an errno like ENOMEM, got '0'"},
        {OP("fault vfio/map EINTR"), NEXT,
         "vfio/map cannot fail with EINTR; it fails with: ENOMEM EFAULT ENOSPC"},
        {OP("fault vfio/map ENOSPC late"), NEXT,
         "vfio/map cannot fail late with ENOSPC; late it fails with: EFAULT"},
        {OP("fault core/alloc ENOMEM late"), NEXT,
         "core/alloc cannot fail late with ENOMEM; late it fails with: nothing"},
        {OP("fault kvm/system EIO"), NEXT,
         "kvm/system cannot be made to fail, only be counted"},
        {OP("fault vfio/map ENOMEM nth=0"), NEXT, "nth: 0 is too small, the least is 1"},
        {OP("fault vfio/map ENOMEM nth=1 from=1"), NEXT, "one of nth=, from= and chance= only"},
        {OP("fault vfio/map ENOMEM nth=1 nth=2"), NEXT, "'nth' is given twice"},
        {OP("fault vfio/map ENOMEM chance=5"), NEXT, "chance: expected N% or N/65536, got '5'"},
        {OP("fault vfio/map ENOMEM chance=101%"), NEXT,
         "chance: 101 is too large, the most is 100"},
        {OP("fault vfio/map ENOMEM chance=65537/65536"), NEXT,
         "chance: 65537 is too large, the most is 65536"},
        {OP("fault vfio/map ENOMEM late=yes"), NEXT, "'late' takes no value"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

static void test_expects(void **state)
{
#define EX(line) OP("convert ram0[0] shared via=vmm\nexpect " line)
    static const struct bad bad[] = {
        {OP("disarm\nexpect"), NEXT + 1,
         "expected a check like result=0, got the end of the line"},
        {EX("result"), NEXT + 1, "expect result: expected result=..."},
        {EX("result=EWHAT"), NEXT + 1, "expect result: expected 0 or an errno, got 'EWHAT'"},
        {EX("status=0"), NEXT + 1,
         "expect status: only a convert via=hypercall tells the guest one"},
        {OP("convert ram0[0] shared\nexpect status=EIO"), NEXT + 1,
         "expect status: the guest is told 0, EAGAIN or EINVAL"},
        {EX("shared"), NEXT + 1, "expected a range like ram0[0..8), got the end of the line"},
        {EX("shared=1"), NEXT + 1, "'shared' takes no =value"},
        {EX("shared gpa[16]"), NEXT + 1,
         "expected a range of a region like ram0[0..8), got 'gpa[16]'"},
        {EX("shared ram0[0] ram0[8]"), NEXT + 1, "ram0 has 8 pages, the range ends at 9"},
        {EX("mapped ram0[0]"), NEXT + 1, "expected a container like c0, got 'ram0[0]'"},
        {EX("backed ram0[0]"), NEXT + 1, "expected shared or private, got 'ram0[0]'"},
        {EX("calls"), NEXT + 1,
         "expected a host call like vfio/map=4, got the end of the line"},
        {EX("calls vfio/map"), NEXT + 1,
         "expected a host call like vfio/map=4, got 'vfio/map'"},
        {EX("calls vfio/nap=1"), NEXT + 1,
         "unknown fault point 'vfio/nap'; did you mean 'vfio/map'?"},
        {EX("entries c0"), NEXT + 1, "expected a number of entries like c0=3, got 'c0'"},
        {EX("data=1"), NEXT + 1, "expect data: only read and dma-read have data, not convert"},
        {EX("populated=1"), NEXT + 1, "expect populated: only query answers that, not convert"},
        {OP("query ram0[0]\nexpect populated=2"), NEXT + 1,
         "expect populated: must be 0 or 1, not 2"},
        {EX("stopped=1"), NEXT + 1, "'stopped' takes no =value"},
        {EX("response=ack"), NEXT + 1,
         "expect response: only virtio-mem responds, not convert"},
        {VIRTIO "plug ram0[0..2)\nexpect response=yes\n", VIRTIO_LINE + 1,
         "expect response: expected ack, nack, busy or error, got 'yes'"},
        {EX("response"), NEXT + 1, "expect response: expected response=..."},
        {EX("plugged mmio1[0]"), NEXT + 1, "unknown region 'mmio1'; this machine has 1 region"},
        {EX("dirty ram0[0]"), NEXT + 1,
         "expect dirty: only dirty-sync answers that, not"
         " convert"},
        {EX("clean ram0[0]"), NEXT + 1,
         "expect clean: only dirty-sync answers that, not"
         " convert"},
        {EX("blocked ram0[0..2)"), NEXT + 1,
         "expect blocked: expected one page, not 0x2000 bytes"},
        {OP("disarm\nexpect blocked ram0[0]"), NEXT + 1,
         "expect blocked: only convert can be, not disarm"},
    };

    (void)state;
    ASSERT_COMPLAINTS(bad);
}

/* Long words are cut, not copied into messages as they are. */
static void test_long_words_are_cut(void **state)
{
    static char text[1200] = V;
    static const struct bad bad = {
        text, 2,
        "unknown statement "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"};

    (void)state;
    memset(text + strlen(V), 'x', 1000);
    assert_complaint(&bad);
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/errors/" name, f, NULL, NULL, NULL                                            \
    }
    const struct CMUnitTest tests[] = {
        T("good-text-has-none", test_good_text_has_no_complaint),
        T("version", test_version),
        T("not-text", test_not_text),
        T("long-lines", test_long_lines),
        T("order-of-statements", test_order),
        T("unknown-names", test_unknown_names),
        T("declarations", test_declarations),
        T("sections", test_sections),
        T("ranges", test_ranges),
        T("ops", test_ops),
        T("faults", test_faults),
        T("expectations", test_expects),
        T("long-words-are-cut", test_long_words_are_cut),
    };

    return cmocka_run_group_tests_name("program/errors", tests, NULL, NULL);
}
