/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --set fixes of the generator, and what it says to what it does not take. */
#include "tests/program_drawn.h"

#include <errno.h>

static void test_options(void **state)
{
    struct drawn *t = *state;
    const char *values, *help, *name;
    uint32_t n = 0;

    while ((name = generate_key(n, &values, &help))) {
        assert_non_null(values);
        assert_non_null(help);
        n++;
    }
    assert_int_equal(n, AXIS_COUNT + 10 + FEATURE_COUNT);
    must_set(&t->o, "order=unmap-first");
    assert_int_equal(t->o.axis[AXIS_order], ORDER_UNMAP_FIRST);
    must_set(&t->o, "order=free");
    assert_int_equal(t->o.axis[AXIS_order], -1);
    must_set(&t->o, "containers=0");
    assert_int_equal(t->o.n_containers, 0);
    must_set(&t->o, "containers=free");
    assert_true(t->o.n_containers == UINT32_MAX);
    must_set(&t->o, "entries=4294967295");
    assert_true(t->o.entry_limit == UINT32_MAX);
    must_set(&t->o, "share=memfd");
    for (uint64_t seed = 1; seed <= 50; seed++) {
        assert_int_equal(generate(&t->p, seed, &t->o, &test_vocabulary), 0);
        assert_int_equal(t->p.machine.regions[0].share, SHARE_MEMFD);
    }
    must_set(&t->o, "share=free");
    assert_int_equal(t->o.share, -1);
    must_set(&t->o, "faults=on");
    must_set(&t->o, "faults=free");
    assert_int_equal(t->o.faults, -1);
}

/* Where memory must not run out (two trackers are compared) faults hit other calls. */
static void test_no_alloc_faults(void **state)
{
    struct drawn *t = *state;

    must_set(&t->o, "faults=on");
    for (int off = 0; off < 2; off++) {
        uint32_t n = 0, alloc = 0;
        must_set(&t->o, off ? "alloc_faults=off" : "alloc_faults=free");
        for (uint64_t seed = 1; seed < 500; seed++) {
            assert_int_equal(generate(&t->p, seed, &t->o, &test_vocabulary), 0);
            for (uint32_t i = 0; i < t->p.n_ops; i++) {
                if (t->p.ops[i].kind == OP_FAULT && ++n)
                    alloc += !strcmp(test_point_name(t->p.ops[i].point), "core/alloc");
            }
        }
        assert_true(n > 400);
        assert_int_equal(alloc > 0, !off);
    }
}

/* In place an unplug alone drops memory: there, drops fail as often as elsewhere. */
static void test_drops_in_place(void **state)
{
    struct drawn *t = *state;
    uint32_t n = 0, drops = 0;

    must_set(&t->o, "faults=on");
    must_set(&t->o, "mode=inplace");
    must_set(&t->o, "kernel=proposed");
    must_set(&t->o, "virtio_mem=on");
    for (uint64_t seed = 1; seed < 500; seed++) {
        assert_int_equal(generate(&t->p, seed, &t->o, &test_vocabulary), 0);
        for (uint32_t i = 0; i < t->p.n_ops; i++) {
            if (t->p.ops[i].kind == OP_FAULT && ++n)
                drops += !strcmp(test_point_name(t->p.ops[i].point), "gmem/punch");
        }
    }
    assert_true(n > 400);
    assert_true(drops * 100 > n * 15);
}

static void test_bad_options(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"pages", "expected key=value, got 'pages'"},
        {"=3",
         "unknown key ''; there are: mode order failure tracker iommu mapping split kernel "
         "page_size share pages regions containers vcpus ops entries conversions "
         "faults alloc_faults virtio_mem hotplug reset pins guards migration hugetlb sources"},
        {"iommu=iommu", "unknown axis value iommu=iommu; this version has: "
                        "type1|type1v1|iommufd|compat|compatv1"},
        {"order=\x1b[1m", "unknown axis value order=?[1m; this version has: "
                          "attribute-first|unmap-first"},
        {"pages=0", "pages: expected 1..262144|free, got '0'"},
        {"pages=262145", "pages: expected 1..262144|free, got '262145'"},
        {"pages=18446744073709551617", "pages: expected 1..262144|free, got "
                                       "'18446744073709551617'"},
        {"pages=", "pages: expected 1..262144|free, got ''"},
        {"regions=-1", "regions: expected 1..8|free, got '-1'"},
        {"containers=5", "containers: expected 0..4|free, got '5'"},
        {"faults=maybe", "faults: expected on|off|free, got 'maybe'"},
        {"split=cut", NULL},
        {"iommu=type1", "split=cut needs iommu=iommufd, compat or compatv1"},
        {"iommu=free", NULL},
        {"mapping=page", "mapping=page has nothing to split, so split= must stay remap"},
        {"mapping=free", NULL},
        {"kernel=6.12", NULL},
        {"mode=inplace", "mode=inplace needs kernel=proposed"},
        {"kernel=free", NULL},
        {"share=file", "share: expected anon|memfd|hugetlb|free, got 'file'"},
        {"share=memfd", NULL},
        {"hugetlb=on", "hugetlb= says nothing more where share= is given"},
        {"hugetlb=free", NULL},
        {"share=free", NULL},
        {"reset=yes", "reset: expected on|off|free, got 'yes'"},
        {"pins=on", NULL},
        {"mode=discard", "pins=on needs mode=inplace"},
        {"mode=inplace", NULL},
        {"order=unmap-first",
         "mode=inplace has one order, so order= must stay attribute-first"},
    };
    struct drawn *t = *state;
    char why[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!bad[i].why) {
            must_set(&t->o, bad[i].text);
            continue;
        }
        assert_int_equal(generate_set(&t->o, bad[i].text, why, sizeof(why)), -EINVAL);
        assert_string_equal(why, bad[i].why);
    }
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/generate-options/" name, f, setup, teardown, NULL                             \
    }
    const struct CMUnitTest tests[] = {
        T("options", test_options),
        T("no-alloc-faults", test_no_alloc_faults),
        T("drops-in-place", test_drops_in_place),
        T("bad-options", test_bad_options),
    };

    return cmocka_run_group_tests_name("program/generate-options", tests, NULL, NULL);
}
