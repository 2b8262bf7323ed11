/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The random generator: always valid, the same for ever, and as mixed as it promises. */
#include "program/generate_internal.h"
#include "tests/program_generate.h"

#include <errno.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SEEDS = 20000, SMALL_PAGES_MAX = 192 };

struct tally {
    struct generate_options o;
    struct program p;
    uint32_t programs, several_regions, one_fault, two_faults, with_devices, early;
    uint32_t adjacent, split, partial, odd_regions, small_limit, memlock;
    uint64_t ops[OP_KIND_COUNT], all_ops;
    uint64_t changed; /* pages, by conversions, no failures assumed */
    uint64_t odd_bytes, via[3], to_private, late, in_undo, sticky, chance;
    uint8_t is_private[SMALL_PAGES_MAX];
};

static int setup(void **state)
{
    struct tally *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    generate_defaults(&t->o);
    program_init(&t->p);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct tally *t = *state;

    program_free(&t->p);
    free(t);
    return 0;
}

/* Guest page at a GPA: its number; -1 a hole or MMIO; -2 memory that never is private. */
static int page_at(const struct machine *m, uint64_t gpa)
{
    int i = machine_section_at(m, gpa);
    const struct section_decl *s;

    if (i < 0)
        return -1;
    s = &m->sections[i];
    if (!m->regions[s->region].guest_memfd)
        return m->regions[s->region].kind == REGION_MMIO ? -1 : -2;
    return (int)(machine_first_page(m, s->region) + s->first_page +
                 (gpa / machine_page_size(m) - s->gpa_page));
}

/* The decision table, in short: may this conversion happen at all? */
static bool allowed(const struct machine *m, uint64_t gpa, const struct op *op)
{
    uint32_t page_size = machine_page_size(m);

    if (gpa % page_size || op->size % page_size || !op->size || gpa + op->size < gpa)
        return false;
    for (uint64_t at = gpa; at < gpa + op->size; at += page_size) {
        int page = page_at(m, at);

        if (page == -2 || (page == -1 && op->to_private))
            return false;
    }
    return true;
}

static void tally_convert(struct tally *t, const struct op *op)
{
    const struct machine *m = &t->p.machine;
    uint64_t gpa = op_gpa(m, op);
    uint32_t page_size = machine_page_size(m);

    t->via[op->via]++;
    t->to_private += op->to_private;
    t->odd_bytes += (op->start | op->size) % page_size != 0 || !op->size;
    if (!allowed(m, gpa, op))
        return;
    for (uint64_t at = gpa; at < gpa + op->size; at += page_size) {
        int page = page_at(m, at);

        if (page >= 0 && t->is_private[page] != op->to_private) {
            t->is_private[page] = op->to_private;
            t->changed++;
        }
    }
}

static void tally_ops(struct tally *t)
{
    uint32_t faults = 0;
    bool early = false;

    memset(t->is_private, 1, sizeof(t->is_private));
    for (uint32_t i = 0; i < t->p.n_ops; i++) {
        const struct op *op = &t->p.ops[i];

        t->ops[op->kind]++;
        early |= i < 3 && op->kind == OP_ATTACH;
        if (op->kind == OP_CONVERT)
            tally_convert(t, op);
        if (op->kind != OP_FAULT)
            continue;
        faults++;
        t->late += op->late;
        t->in_undo += op->in_undo;
        t->sticky += op->when == FAULT_STICKY;
        t->chance += op->when == FAULT_CHANCE;
    }
    t->all_ops += t->p.n_ops;
    t->one_fault += faults > 0;
    t->two_faults += faults > 1;
    t->with_devices += t->p.machine.n_devices > 0;
    t->early += early;
}

static void tally_machine(struct tally *t)
{
    const struct machine *m = &t->p.machine;
    uint32_t shown = 0, of_region_0 = 0, adjacent = 0, odd = 0;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        shown += s->n_pages;
        of_region_0 += s->region == 0;
        if (i > 0 && m->sections[i - 1].gpa_page + m->sections[i - 1].n_pages == s->gpa_page)
            adjacent = 1;
    }
    for (uint32_t i = 0; i < m->n_regions; i++)
        odd |= !m->regions[i].guest_memfd;
    t->several_regions += m->n_regions > 1;
    t->adjacent += adjacent;
    t->odd_regions += odd;
    t->partial += shown < machine_n_pages(m);
    t->split += of_region_0 > 1;
    t->small_limit += m->n_containers && m->containers[0].entry_limit != 65535;
    t->memlock += m->memlock_pages > 0;
}

static void tally(struct tally *t, uint32_t seeds)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        must_generate(&t->o, &t->p, seed);
        t->programs++;
        tally_machine(t);
        tally_ops(t);
    }
}

/* Percent of programs. */
static double share(const struct tally *t, uint64_t n)
{
    return 100.0 * (double)n / t->programs;
}

/* The counters count: a program known by heart gives what it has. */
static void test_tally_can_see(void **state)
{
    struct tally *t = *state;

    must_parse(HEAD "attach d0\nfault vfio/map EFAULT late\nconvert ram0[0..3) shared\n"
                    "convert ram0[2..5) shared\nconvert ram0[7] private\n",
               &t->p);
    tally_ops(t);
    assert_int_equal(t->changed, 5);
    assert_int_equal(t->one_fault, 1);
    assert_int_equal(t->two_faults, 0);
    assert_int_equal(t->late, 1);
    assert_int_equal(t->early, 1);
    assert_int_equal(t->ops[OP_CONVERT], 3);
}

static void test_always_valid(void **state)
{
    struct tally *t = *state;

    for (uint64_t seed = 0; seed < 100000; seed++)
        must_generate(&t->o, &t->p, seed * UINT64_C(0x9e3779b97f4a7c15));
}

/* Whatever is fixed, in whatever combination: valid, and as asked. */
static void test_valid_with_any_options(void **state)
{
    struct tally *t = *state;
    struct rng r = rng_make(3, 98);

    for (uint32_t i = 0; i < 30000; i++) {
        struct generate_options *o = &t->o;
        uint32_t pages;

        generate_defaults(o);
        o->n_pages = rng_percent(&r, 50) ? rng_between(&r, 1, 6) : rng_below(&r, 3000);
        o->n_regions = rng_below(&r, PROGRAM_REGIONS_MAX + 1);
        o->n_containers =
            rng_percent(&r, 30) ? UINT32_MAX : rng_below(&r, PROGRAM_CONTAINERS_MAX + 1);
        o->n_vcpus = rng_below(&r, PROGRAM_VCPUS_MAX + 1);
        o->n_ops = rng_below(&r, 6);
        o->entry_limit = rng_below(&r, 3);
        o->faults = (int8_t)rng_below(&r, 3) - 1;
        o->axis[AXIS_order] = (int8_t)rng_below(&r, 2);
        must_generate(&t->o, &t->p, i);
        pages = machine_n_pages(&t->p.machine);
        assert_true(!o->n_pages || pages == o->n_pages);
        assert_true(!o->n_ops || t->p.n_ops == o->n_ops);
        assert_true(!o->n_regions || t->p.machine.n_regions == o->n_regions ||
                    t->p.machine.n_regions >= pages / 8); /* whole huge pages, blocks */
        assert_int_equal(t->p.machine.axis[AXIS_order], o->axis[AXIS_order]);
        assert_true(!o->n_vcpus || t->p.machine.n_vcpus == o->n_vcpus);
    }
}

static void test_large_worlds(void **state)
{
    struct tally *t = *state;

    must_set(&t->o, "pages=262144");
    must_set(&t->o, "regions=8");
    must_set(&t->o, "ops=65536");
    for (uint64_t seed = 1; seed < 5; seed++) {
        must_generate(&t->o, &t->p, seed);
        assert_int_equal(t->p.n_ops, 65536);
    }
    must_set(&t->o, "ops=free");
    for (uint64_t seed = 1; seed < 2000; seed++)
        must_generate(&t->o, &t->p, seed);
}

static void test_promises(void **state)
{
    struct tally *t = *state;

    tally(t, SEEDS);
    assert_true(share(t, t->several_regions) >= 50);
    assert_true(share(t, t->one_fault) >= 30);
    assert_true(share(t, t->two_faults) >= 10);
    assert_true(100 * t->ops[OP_CONVERT] >= 50 * t->all_ops);
    assert_true(100 * t->early >= 70 * t->with_devices);
    assert_true(t->all_ops >= 8 * SEEDS && t->all_ops <= 24 * SEEDS);
    for (uint32_t i = 0; i < OP_KIND_COUNT; i++) {
        uint32_t feature = gen_op_feature[i];

        if (!feature)
            assert_true(t->ops[i] * 500 > t->all_ops); /* none is rarer than 0.2 % */
        else if (!gen_feature_percent[feature - 1])
            assert_true(t->ops[i] == 0); /* not switched on */
        else
            assert_true(t->ops[i] * 10000 > t->all_ops);
    }
}

static void test_every_shape_is_drawn(void **state)
{
    struct tally *t = *state;

    tally(t, SEEDS);
    assert_true(share(t, t->adjacent) >= 30);
    assert_true(share(t, t->split) >= 5);
    assert_true(share(t, t->partial) >= 5);
    assert_true(share(t, t->odd_regions) >= 10);
    assert_true(share(t, t->small_limit) >= 5 && share(t, t->small_limit) <= 15);
    assert_true(share(t, t->memlock) >= 2 && share(t, t->memlock) <= 10);
    assert_true(t->via[VIA_HYPERCALL] > t->via[VIA_FAULT] && t->via[VIA_FAULT] > 1000);
    assert_true(t->via[VIA_VMM] > 1000 && t->odd_bytes > 500);
    assert_true(100 * t->to_private > 25 * t->ops[OP_CONVERT]);
    assert_true(100 * t->to_private < 60 * t->ops[OP_CONVERT]);
    assert_true(t->late > 500 && t->in_undo > 500 && t->sticky > 500 && t->chance > 500);
}

/* The world of the speed goal: design.md section 8, checked ops. */
static void test_speed_world_is_worth_its_name(void **state)
{
    struct tally *t = *state;

    must_set(&t->o, "pages=64");
    must_set(&t->o, "ops=16");
    must_set(&t->o, "faults=off");
    tally(t, SEEDS);
    assert_int_equal(t->all_ops, 16 * SEEDS);
    assert_int_equal(t->ops[OP_FAULT], 0);
    assert_true(100 * t->ops[OP_CONVERT] >= 40 * t->all_ops);
    assert_true(t->changed >= 4 * t->ops[OP_CONVERT]);
}

static void test_faults_on(void **state)
{
    struct tally *t = *state;

    must_set(&t->o, "faults=on");
    tally(t, SEEDS);
    assert_int_equal(t->one_fault, SEEDS);
}

static uint64_t hash_of(struct tally *t, uint64_t first, uint64_t last)
{
    uint64_t hash = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        size_t size = 0;
        char *text;

        must_generate(&t->o, &t->p, seed);
        text = printed(&t->p, NULL, &size);
        hash = XXH3_64bits_withSeed(text, size, hash);
        free(text);
    }
    return hash;
}

/* One seed, one program: on every run, compiler and level. A change of the generator, of an
 * axis or of the vocabulary above changes the number; then seeds of old reports mean other
 * programs, so change it knowingly. */
static void test_same_seed_same_program(void **state)
{
    struct tally *t = *state;
    uint64_t hash;

    for (uint32_t i = 0; i < AXIS_COUNT; i++) /* whatever weights they have */
        t->o.axis[i] = i == AXIS_order ? ORDER_UNMAP_FIRST : 0;
    for (uint32_t i = 0; i < FEATURE_COUNT; i++)
        t->o.feature[i] = 0;
    t->o.share = SHARE_MEMFD;
    hash = hash_of(t, 1, 1000);
    assert_true(hash == hash_of(t, 1, 1000));
    assert_true(hash != hash_of(t, 2, 1001));
    assert_int_equal(hash, UINT64_C(0x11747aa4423abe48));
}

/* A vocabulary where nothing can fail: programs all the same. */
static void test_empty_vocabulary(void **state)
{
    struct tally *t = *state;
    struct vocabulary none = test_vocabulary;

    must_set(&t->o, "faults=on");
    none.n_points = 0;
    for (uint64_t seed = 1; seed < 1000; seed++) {
        assert_int_equal(generate(&t->p, seed, &t->o, &none), 0);
        assert_int_equal(program_validate(&t->p, NULL, 0, NULL), 0);
    }
}

/* The share of conversions is about what was asked for, in either direction from the usual. */
static void test_conversions_share(void **state)
{
    static const uint32_t asked[] = {20, 80};
    struct tally *t = *state;

    must_set(&t->o, "faults=off");
    for (size_t i = 0; i < 2; i++) {
        uint32_t n = 0, ops = 0;

        t->o.conversions = asked[i];
        for (uint64_t seed = 1; seed <= 2000; seed++) {
            assert_int_equal(generate(&t->p, seed, &t->o, &test_vocabulary), 0);
            ops += t->p.n_ops;
            for (uint32_t j = 0; j < t->p.n_ops; j++)
                n += t->p.ops[j].kind == OP_CONVERT;
        }
        assert_in_range(100 * n / ops, asked[i] - 12, asked[i] + 12);
    }
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/generate/" name, f, setup, teardown, NULL                                     \
    }
    const struct CMUnitTest tests[] = {
        T("tally-sees-what-is-there", test_tally_can_see),
        T("always-valid-100000-seeds", test_always_valid),
        T("valid-with-any-options", test_valid_with_any_options),
        T("large-worlds", test_large_worlds),
        T("regions-faults-conversions-as-promised", test_promises),
        T("every-shape-is-drawn", test_every_shape_is_drawn),
        T("speed-world-converts-enough", test_speed_world_is_worth_its_name),
        T("faults-on-means-every-program", test_faults_on),
        T("same-seed-same-program", test_same_seed_same_program),
        T("vocabulary-without-points", test_empty_vocabulary),
        T("conversions-share", test_conversions_share),
    };

    return cmocka_run_group_tests_name("program/generate", tests, NULL, NULL);
}
