/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of programs in byte form: what each does, and that none breaks anything. */
#include "tests/program_generate.h"

#include "fuzz/mutate.c"
#include "fuzz/mutator.c"
#include "program/bytes.h"

static struct input in, none;

/* A head of zeros and these ops, kinds only. */
static void start(uint32_t n, const uint8_t *kinds)
{
    memset(&in, 0, sizeof(in));
    for (uint32_t i = 0; i < n; i++)
        in.data[BYTES_DRAWN + i * BYTES_OP] = kinds[i];
    in.n = BYTES_DRAWN + n * BYTES_OP;
}

static const uint8_t three[] = {OP_ATTACH, OP_CONVERT, OP_RESET};

static uint32_t ops(void)
{
    struct program p;
    uint32_t n;

    program_init(&p);
    assert_int_equal(bytes_decode(in.data, in.n, &test_vocabulary, &p), 0);
    assert_int_equal(program_validate(&p, NULL, 0, NULL), 0);
    n = p.n_ops;
    program_free(&p);
    return n;
}

/* ---- deliberate error ---- */
static void a_change_is_seen(void **state)
{
    (void)state;
    start(3, three);
    assert_int_equal(ops(), 3);
    input_drop(&in, 1);
    assert_int_equal(ops(), 2);
    assert_int_equal(in.data[BYTES_DRAWN + BYTES_OP], OP_RESET);
}

static void each_does_what_it_says(void **state)
{
    struct rng r = rng_make(1, RNG_PROGRAM);
    const int delta[] = {
        [MUTATE_INSERT] = 1, [MUTATE_DELETE] = -1, [MUTATE_REPEAT] = 1, [MUTATE_SPLICE] = 0,
        [MUTATE_RANGE] = 0,  [MUTATE_FAULT] = 1,   [MUTATE_POLICY] = 0};

    (void)state;
    for (uint32_t i = 0; i < 100 * MUTATE_COUNT; i++) {
        uint32_t how = i % MUTATE_COUNT;

        start(3, three);
        mutate(&in, &r, (enum mutation)how, &none);
        assert_int_equal(input_records(&in), 3 + delta[how]);
    }
}

static void a_policy_is_an_axis(void **state)
{
    struct rng r = rng_make(2, RNG_PROGRAM);
    struct input before;

    (void)state;
    start(3, three);
    before = in;
    for (uint32_t i = 0; i < 50; i++)
        mutate(&in, &r, MUTATE_POLICY, &none);
    assert_memory_not_equal(in.data + 1, before.data + 1, AXIS_COUNT);
    memcpy(in.data + 1, before.data + 1, AXIS_COUNT);
    assert_memory_equal(in.data, before.data, in.n);
}

static void a_fault_comes_and_goes(void **state)
{
    const uint8_t fault[] = {OP_FAULT};
    struct rng r = rng_make(3, RNG_PROGRAM);
    uint32_t gone = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        start(1, fault);
        mutate(&in, &r, MUTATE_FAULT, &none);
        assert_true(input_records(&in) == 0 || input_records(&in) == 2);
        gone += input_records(&in) == 0;
    }
    assert_in_range(gone, 20, 80);
}

static void a_splice_takes_from_the_other(void **state)
{
    struct rng r = rng_make(4, RNG_PROGRAM);
    struct input other;

    (void)state;
    start(3, three);
    other = in;
    start(0, NULL);
    mutate(&in, &r, MUTATE_SPLICE, &other);
    assert_in_range(input_records(&in), 1, 3);
}

/* From nothing, from anything, again and again, up to the limit. */
static void any_number_of_changes_is_valid(void **state)
{
    struct rng r = rng_make(5, RNG_PROGRAM);
    struct input other = {.n = 200};

    (void)state;
    for (uint32_t round = 0; round < 30; round++) {
        in.n = rng_below(&r, 300);
        for (size_t i = 0; i < sizeof(in.data); i++)
            in.data[i] = (uint8_t)rng_next(&r), other.data[i % 200] = in.data[i];
        for (uint32_t i = 0; i < 300; i++)
            mutate(&in, &r, (enum mutation)rng_below(&r, MUTATE_COUNT), &other);
        assert_true(in.n <= TARGET_BYTES_MAX);
        (void)ops();
    }
}

/* What is needed stays: here, the conversion. */
static void trimming_leaves_what_is_needed(void **state)
{
    void *m = afl_custom_init(NULL, 1);
    uint8_t *out = NULL;
    int32_t step = 0, steps;
    struct input least;

    (void)state;
    start(3, three);
    assert_non_null(m);
    steps = afl_custom_init_trim(m, in.data, in.n);
    least = in;
    while (step < steps) {
        size_t n = afl_custom_trim(m, &out);
        bool good = false;

        for (size_t at = BYTES_DRAWN; at < n; at += BYTES_OP)
            good = good || out[at] == OP_CONVERT;
        if (good)
            input_set(&least, out, n);
        step = afl_custom_post_trim(m, good);
    }
    assert_int_equal(steps, 3);
    assert_int_equal(least.n, BYTES_DRAWN + BYTES_OP);
    assert_int_equal(least.data[BYTES_DRAWN], OP_CONVERT);
    afl_custom_deinit(m);
}

static void one_seed_is_one_stream(void **state)
{
    void *a = afl_custom_init(NULL, 9), *b = afl_custom_init(NULL, 9);
    uint8_t *of_a, *of_b;

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    start(3, three);
    for (uint32_t i = 0; i < 100; i++) {
        size_t n = afl_custom_fuzz(a, in.data, in.n, &of_a, NULL, 0, 300);

        assert_int_equal(afl_custom_fuzz(b, in.data, in.n, &of_b, NULL, 0, 300), n);
        assert_true(n <= 300);
        assert_memory_equal(of_a, of_b, n);
    }
    afl_custom_deinit(a);
    afl_custom_deinit(b);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "fuzz/mutate/" name, fn, NULL, NULL, NULL                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-change-is-seen", a_change_is_seen),
        TEST("each-does-what-it-says", each_does_what_it_says),
        TEST("a-policy-is-an-axis", a_policy_is_an_axis),
        TEST("a-fault-comes-and-goes", a_fault_comes_and_goes),
        TEST("a-splice-takes-from-the-other", a_splice_takes_from_the_other),
        TEST("any-number-of-changes-is-valid", any_number_of_changes_is_valid),
        TEST("trimming-leaves-what-is-needed", trimming_leaves_what_is_needed),
        TEST("one-seed-is-one-stream", one_seed_is_one_stream),
    };

    return cmocka_run_group_tests_name("fuzz/mutate", tests, NULL, NULL);
}
