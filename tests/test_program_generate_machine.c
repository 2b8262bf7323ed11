/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generator: machines of every kind that is switched on or asked for, and no other. */
#include "program/generate_internal.h"
#include "tests/program_generate.h"

enum { SEEDS = 20000 };

struct drawn {
    struct generate_options o;
    struct program p;
};

static int setup(void **state)
{
    struct drawn *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    generate_defaults(&t->o);
    program_init(&t->p);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct drawn *t = *state;

    program_free(&t->p);
    free(t);
    return 0;
}

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
    };

    return cmocka_run_group_tests_name("program/generate-machine", tests, NULL, NULL);
}
