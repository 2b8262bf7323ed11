/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generator: machines of every kind that is switched on or asked for, and no other. */
#include "program/generate_internal.h"
#include "tests/program_drawn.h"

enum { SEEDS = 20000 };

/* Every pair of axis values is refused, or drawn as it was asked for and valid. */
static void test_pairs_of_axis_values(void **state)
{
    struct drawn *t = *state;
    uint32_t refused = 0;

    for (uint32_t a = 0; a < AXIS_COUNT; a++) {
        for (uint32_t va = 0; va < program_axis_count(a); va++) {
            for (uint32_t b = 0; b < AXIS_COUNT; b++) {
                uint32_t vb = (va + a + b) % program_axis_count(b);
                char one[40], two[40], why[200];

                (void)snprintf(one, sizeof(one), "%s=%s", program_axis_name(a),
                               program_axis_value(a, va));
                (void)snprintf(two, sizeof(two), "%s=%s", program_axis_name(b),
                               program_axis_value(b, vb));
                generate_defaults(&t->o);
                must_set(&t->o, one);
                if (a == b || generate_set(&t->o, two, why, sizeof(why))) {
                    refused += a != b;
                    continue;
                }
                for (uint64_t seed = 0; seed < 20; seed++) {
                    must_generate(&t->o, &t->p, seed);
                    assert_int_equal(t->p.machine.axis[a], va);
                    assert_int_equal(t->p.machine.axis[b], vb);
                }
            }
        }
    }
    assert_in_range(refused, 2, 20);
}

/* Without a weight a value is not drawn; with one it is. */
static void test_weights_are_obeyed(void **state)
{
    struct drawn *t = *state;
    uint64_t seen[AXIS_COUNT][GEN_AXIS_VALUES_MAX] = {{0}};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        must_generate(&t->o, &t->p, seed);
        for (uint32_t i = 0; i < AXIS_COUNT; i++)
            seen[i][t->p.machine.axis[i]]++;
    }
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        for (uint32_t v = 0; v < program_axis_count(i); v++)
            assert_int_equal(seen[i][v] > 0, gen_axis_weight[i][v] > 0);
}

/* The last sections end below the window of type1, however large pages are. */
static void test_large_pages_have_addresses(void **state)
{
    struct drawn *t = *state;

    must_set(&t->o, "page_size=64k");
    must_set(&t->o, "pages=262144");
    for (uint64_t seed = 0; seed < 300; seed++)
        must_generate(&t->o, &t->p, seed);
    must_set(&t->o, "pages=free");
    must_set(&t->o, "page_size=16k");
    for (uint64_t seed = 0; seed < 3000; seed++)
        must_generate(&t->o, &t->p, seed);
}

static const char *const feature_names[FEATURE_COUNT] = {
    [FEATURE_VIRTIO_MEM] = "virtio_mem", [FEATURE_HOTPLUG] = "hotplug",
    [FEATURE_RESET] = "reset",           [FEATURE_PINS] = "pins",
    [FEATURE_GUARDS] = "guards",         [FEATURE_MIGRATION] = "migration",
    [FEATURE_HUGETLB] = "hugetlb",       [FEATURE_SOURCES] = "sources",
};

static void set_feature(struct drawn *t, uint32_t feature, const char *value)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "%s=%s", feature_names[feature], value);
    must_set(&t->o, text);
}

static bool has_hugetlb(const struct machine *m)
{
    for (uint32_t i = 0; i < m->n_regions; i++) {
        if (m->regions[i].share == SHARE_HUGETLB)
            return true;
    }
    return false;
}

/* Ops of each kind over some programs; how many have one of the feature at all. */
static uint32_t count_ops(struct drawn *t, uint32_t feature, uint32_t seeds,
                          uint32_t count[OP_KIND_COUNT])
{
    uint32_t programs = 0;

    memset(count, 0, OP_KIND_COUNT * sizeof(*count));
    for (uint64_t seed = 0; seed < seeds; seed++) {
        bool any;

        must_generate(&t->o, &t->p, seed);
        any = feature == FEATURE_HUGETLB && has_hugetlb(&t->p.machine);
        for (uint32_t i = 0; i < t->p.n_ops; i++) {
            count[t->p.ops[i].kind]++;
            any |= gen_op_feature[t->p.ops[i].kind] == feature + 1;
        }
        programs += any;
    }
    return programs;
}

/* On: most programs use it, and often; off: none. */
static void test_features(void **state)
{
    struct drawn *t = *state;
    uint32_t count[OP_KIND_COUNT];

    for (uint32_t feature = 0; feature < FEATURE_COUNT; feature++) {
        generate_defaults(&t->o);
        set_feature(t, feature, "on");
        assert_in_range(count_ops(t, feature, 3000, count), 1900, 3000);
        for (uint32_t kind = 0; kind < OP_KIND_COUNT; kind++)
            if (gen_op_feature[kind] == feature + 1)
                assert_true(count[kind] > 500);
        assert_true(count[OP_CONVERT] > 3000 * 4);
        set_feature(t, feature, "off");
        assert_int_equal(count_ops(t, feature, 3000, count), 0);
    }
}

/* A few of the programs have it, once it is switched on. */
static void test_features_by_weight(void **state)
{
    struct drawn *t = *state;
    uint32_t count[OP_KIND_COUNT];

    for (uint32_t feature = 0; feature < FEATURE_COUNT; feature++) {
        uint32_t percent = gen_feature_percent[feature], programs;

        if (feature == FEATURE_PINS)
            must_set(&t->o, "mode=inplace");
        programs = count_ops(t, feature, 5000, count);
        assert_in_range(programs, percent * 50 / 2, percent * 50 * 2);
        must_set(&t->o, "mode=free");
    }
}

/* All at once, with everything else, whatever the machine: valid. */
static void test_all_features_everywhere(void **state)
{
    struct drawn *t = *state;
    struct rng r = rng_make(7, 98);

    for (uint32_t i = 0; i < 60000; i++) {
        struct generate_options *o = &t->o;

        generate_defaults(o);
        for (uint32_t f = 0; f < FEATURE_COUNT; f++)
            o->feature[f] = (int8_t)rng_below(&r, 2);
        o->feature[FEATURE_PINS] = o->feature[FEATURE_HUGETLB] = -1;
        o->share = (int8_t)(rng_below(&r, SHARE_COUNT + 1)) - 1;
        o->axis[AXIS_mapping] = (int8_t)rng_below(&r, 2);
        o->axis[AXIS_mode] = (int8_t)rng_below(&r, 2);
        if (o->axis[AXIS_mode] == MODE_INPLACE)
            o->feature[FEATURE_PINS] = 1;
        o->n_regions = rng_below(&r, 5);
        o->n_pages = rng_percent(&r, 70) ? 0 : rng_between(&r, 1, 200);
        o->n_containers = rng_percent(&r, 70) ? UINT32_MAX : 0;
        must_generate(o, &t->p, i);
    }
}

struct virtio_tally {
    uint32_t plugs, odd, block[9], requested_less, regions;
};

static void tally_virtio(const struct program *p, struct virtio_tally *v)
{
    for (uint32_t i = 0; i < p->machine.n_regions; i++) {
        const struct region_decl *r = &p->machine.regions[i];

        if (!r->virtio_mem_pages)
            continue;
        v->regions++;
        v->requested_less += r->requested_pages < r->n_pages;
        v->block[r->virtio_mem_pages < 9 ? r->virtio_mem_pages : 0]++;
    }
    for (uint32_t i = 0; i < p->n_ops; i++) {
        const struct op *op = &p->ops[i];
        uint64_t block;

        if (op->kind != OP_PLUG && op->kind != OP_UNPLUG)
            continue;
        block = (uint64_t)p->machine.regions[op->region].virtio_mem_pages *
                machine_page_size(&p->machine);
        v->plugs++;
        v->odd += op->start % block || op->size % block;
    }
}

static void test_virtio_mem_shapes(void **state)
{
    struct drawn *t = *state;
    struct virtio_tally v = {0};

    must_set(&t->o, "virtio_mem=on");
    for (uint64_t seed = 0; seed < 5000; seed++) {
        must_generate(&t->o, &t->p, seed);
        tally_virtio(&t->p, &v);
    }
    assert_true(v.regions >= 5000);
    assert_int_equal(v.block[0], 0);
    for (uint32_t i = 1; i < 9; i *= 2)
        assert_true(v.block[i] * 12 > v.regions);
    assert_in_range(100 * v.requested_less / v.regions, 15, 45);
    assert_in_range(100 * v.odd / v.plugs, 2, 12);
}

static void test_hugetlb_when_asked(void **state)
{
    struct drawn *t = *state;
    uint32_t two = 0, more = 0;

    must_set(&t->o, "share=hugetlb");
    for (uint64_t seed = 0; seed < 5000; seed++) {
        must_generate(&t->o, &t->p, seed);
        for (uint32_t i = 0; i < t->p.machine.n_regions; i++) {
            const struct region_decl *r = &t->p.machine.regions[i];

            assert_int_equal(r->share, r->kind == REGION_MMIO ? 0 : SHARE_HUGETLB);
            two += r->huge_pages == 2;
            more += r->huge_pages > 2;
        }
    }
    assert_true(two > 1000 && more > 1000);
}

/* Conversions that take a part out of the run before: its middle, its head, its tail. */
static void test_runs_are_cut(void **state)
{
    struct drawn *t = *state;
    uint32_t middle = 0, end = 0;

    must_set(&t->o, "mapping=run");
    for (uint64_t seed = 0; seed < 5000; seed++) {
        const struct op *last = NULL;

        must_generate(&t->o, &t->p, seed);
        for (uint32_t i = 0; i < t->p.n_ops; i++) {
            const struct op *op = &t->p.ops[i];
            uint64_t gpa = op_gpa(&t->p.machine, op), of;

            if (op->kind != OP_CONVERT)
                continue;
            of = last ? op_gpa(&t->p.machine, last) : 0;
            if (last && op->to_private && !last->to_private && op->size < last->size) {
                middle += gpa > of && gpa + op->size < of + last->size;
                end += gpa == of || gpa + op->size == of + last->size;
            }
            last = op;
        }
    }
    assert_true(middle > 1000 && end > 1000);
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/generate-machine/" name, f, setup, teardown, NULL                             \
    }
    const struct CMUnitTest tests[] = {
        T("pairs-of-axis-values", test_pairs_of_axis_values),
        T("weights-are-obeyed", test_weights_are_obeyed),
        T("large-pages-have-addresses", test_large_pages_have_addresses),
        T("features-on-and-off", test_features),
        T("features-by-weight", test_features_by_weight),
        T("all-features-everywhere", test_all_features_everywhere),
        T("virtio-mem-shapes", test_virtio_mem_shapes),
        T("hugetlb-when-asked", test_hugetlb_when_asked),
        T("runs-are-cut", test_runs_are_cut),
    };

    return cmocka_run_group_tests_name("program/generate-machine", tests, NULL, NULL);
}
