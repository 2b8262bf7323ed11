/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations that can never be asked, and those that cannot hold together. */
#include "tests/program_complaints.h"

/* A condition that holds nowhere: no machine can be so, or the file's machine line rules it
 * out. */
static void test_conditions(void **state)
{
#define IF(machine, condition)                                                                 \
    V "machine " machine "\nregion ram0 pages=8\nsection ram0[0..8) at 0\n"                    \
      "convert ram0[0] shared\nexpect " condition " result=0\n"
    static const struct bad bad[] = {
        {IF("", "mode=inplace order=unmap-first"), 6,
         "expect: no machine can have mode=inplace order=unmap-first"},
        {IF("", "mapping=page split=cut|refuse"), 6,
         "expect: no machine can have mapping=page split=cut|refuse"},
        {IF("", "iommu=type1|type1v1 split=cut"), 6,
         "expect: no machine can have iommu=type1|type1v1 split=cut"},
        {IF("failure=rollback", "failure=stop"), 6,
         "expect: no machine that the machine line allows has failure=stop"},
        {IF("kernel=6.12|7.3", "mode=inplace"), 6,
         "expect: no machine that the machine line allows has mode=inplace"},
        {IF("split=cut mapping=run iommu=iommufd|compat", "iommu=type1|compatv1"), 6,
         "expect: no machine that the machine line allows has iommu=type1|compatv1"},
    };
    static const char *const good[] = {
        IF("", "mode=inplace"),
        IF("failure=stop|rollback", "failure=rollback"),
        IF("", "iommu=type1|iommufd split=cut|remap mode=inplace|discard order=unmap-first"),
    };
    struct program p;
    struct text_error error;

    (void)state;
    ASSERT_COMPLAINTS(bad);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        program_init(&p);
        if (parse(good[i], &p, &error))
            fail_msg("%s: line %u: %s", good[i], error.line, error.why);
        program_free(&p);
    }
}

/* What is never so, on whatever machine. */
static void test_never(void **state)
{
#define NEVER(line)                                                                            \
    V "machine\nregion ram0 pages=8\nregion rom1 pages=2\nsection ram0[0..6) at 0\n"           \
      "section ram0[6] at 6\nsection rom1[0..2) at 16\ncontainer c0\n"                         \
      "convert ram0[0] shared\nexpect " line "\n"
    static const struct bad bad[] = {
        {NEVER("private rom1[0]"), 10,
         "expect private: no page of rom1 is ever private: it has no guest_memfd"},
        {NEVER("backed private rom1[0]"), 10,
         "expect backed: no page of rom1 is ever private: it has no guest_memfd"},
        {NEVER("unplugged ram0[0]"), 10,
         "expect unplugged: all pages of ram0 are plugged: it has no virtio_mem"},
        {NEVER("mapped c0 ram0[0..8)"), 10, "expect mapped: page 7 of ram0 has no address"},
        {NEVER("blocked ram0[0]"), 10,
         "expect blocked: only mode=inplace has pages that others can hold"},
    };
    struct program p;
    struct text_error error;

    (void)state;
    ASSERT_COMPLAINTS(bad);
    program_init(&p);
    assert_int_equal(
        parse(NEVER("backed shared rom1[0] unbacked private rom1[0] plugged ram0[0] "
                    "unmapped c0 ram0[0..8) mode=inplace blocked ram0[0]"),
              &p, &error),
        -EINVAL); /* conditions come first */
    assert_int_equal(
        parse(NEVER("mode=inplace blocked ram0[0] mapped c0 ram0[0..7) "
                    "backed shared rom1[0] unbacked private rom1[0] plugged ram0[0] "
                    "unmapped c0 ram0[7]"),
              &p, &error),
        0);
    program_free(&p);
}

/* Two that cannot both hold, on a machine that both are about. */
static void test_at_odds(void **state)
{
#define OP2(line)  HEAD "container c1\n" line "\n"
#define TWO(a, b)  OP2("convert ram0[0..8) shared\nexpect " a "\nexpect " b)
#define ODDS(a, b) "expect " b " is at odds with expect " a " of line 9: both cannot hold"
    static const struct bad bad[] = {
        {TWO("result=0", "result=EIO"), NEXT + 3, ODDS("result", "result")},
        {TWO("status=0", "status=EAGAIN"), NEXT + 3, ODDS("status", "status")},
        {TWO("result=0", "status=EAGAIN"), NEXT + 3, ODDS("result", "status")},
        {TWO("stopped", "running"), NEXT + 3, ODDS("stopped", "stopped")},
        {TWO("shared ram0[0..4)", "private ram0[3]"), NEXT + 3, ODDS("shared", "private")},
        {TWO("unmapped c0 ram0[2]", "mapped c0 ram0[0..8)"), NEXT + 3,
         ODDS("unmapped", "mapped")},
        {TWO("backed shared ram0[2]", "unbacked shared ram0[0..8)"), NEXT + 3,
         ODDS("backed", "unbacked")},
        {TWO("calls vfio/map=1", "calls vfio/map=2"), NEXT + 3, ODDS("calls", "calls")},
        {TWO("entries c0=1", "entries c0=2"), NEXT + 3, ODDS("entries", "entries")},
        {TWO("failure=stop result=EIO", "failure=stop|rollback result=0"), NEXT + 3,
         ODDS("result", "result")},
        {OP("convert ram0[0] shared\nexpect result=0 result=EIO"), NEXT + 1,
         "expect result is at odds with result before it: both cannot hold"},
        {VIRTIO "plug ram0[0..2)\nexpect result=0\nexpect response=busy\n", VIRTIO_LINE + 2,
         "expect response is at odds with expect result of line 8: both cannot hold"},
    };
    static const char *const good[] = {
        TWO("result=0", "status=0"),
        TWO("result=EIO", "status=EAGAIN"),
        TWO("shared ram0[0..4)", "private ram0[4..8)"),
        TWO("mapped c0 ram0[0]", "unmapped c1 ram0[0]"),
        TWO("backed shared ram0[2]", "unbacked private ram0[2]"),
        TWO("calls vfio/map=1", "calls vfio/unmap=2"),
        TWO("entries c0=1", "entries c1=2"),
        TWO("failure=stop stopped", "failure=rollback running"),
        TWO("mapping=page result=0", "split=cut result=EIO"), /* they do not meet */
        TWO("result=0", "result=0"),
        OP("convert ram0[0] shared\nexpect result=0\ndisarm\nexpect result=EIO"),
    };
    struct program p;
    struct text_error error;

    (void)state;
    ASSERT_COMPLAINTS(bad);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        program_init(&p);
        if (parse(good[i], &p, &error))
            fail_msg("%s: line %u: %s", good[i], error.line, error.why);
        program_free(&p);
    }
}

static void test_too_many_of_one_op(void **state)
{
    static char text[32 * PROGRAM_OP_EXPECTS_MAX];
    struct bad bad = {text, NEXT + 1 + PROGRAM_OP_EXPECTS_MAX,
                      "more than 4096 expectations about one op"};
    size_t used = (size_t)snprintf(text, sizeof(text), "%s", OP("disarm"));

    (void)state;
    for (uint32_t i = 0; i <= PROGRAM_OP_EXPECTS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "expect running\n");
    assert_complaint(&bad);
}

/* Where an axis was fixed since, the text must not have what it would refuse. */
static void test_dead_ones(void **state)
{
    struct program p, again;
    struct text_error error;
    size_t size = 0;
    char *text;

    (void)state;
    program_init(&p);
    program_init(&again);
    must_parse(OP("convert ram0[0] shared\nexpect failure=stop running\nexpect result=0"), &p);
    program_set_axis(&p, AXIS_failure, FAILURE_ROLLBACK);
    text = printed(&p, NULL, &size);
    assert_null(strstr(text, "running"));
    if (text_parse(text, size, &test_vocabulary, &again, &error))
        fail_msg("line %u: %s", error.line, error.why);
    assert_int_equal(again.n_expects, 1);
    free(text);
    program_free(&again);
    program_free(&p);
}

#define T(name, f)                                                                             \
    {                                                                                          \
        "program/odds/" name, f, NULL, NULL, NULL                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("conditions", test_conditions),
        T("never", test_never),
        T("at-odds", test_at_odds),
        T("too-many-of-one-op", test_too_many_of_one_op),
        T("dead-ones-are-not-printed", test_dead_ones),
    };

    return cmocka_run_group_tests_name("program/odds", tests, NULL, NULL);
}
