/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The byte form: any bytes are a valid program, and a valid program survives it. */
#include "tests/program_generate.h"

#include "program/bytes.h"
#include "run/files.h"
#include "run/vocabulary.h"

enum { STRINGS = 200000, GENERATED = 20000, BYTES_MAX = 400 };

static struct program p, again;

/* p as bytes; the caller frees them. */
static uint8_t *must_encode(const struct vocabulary *words, size_t *size)
{
    char *data = NULL, why[200] = "";
    FILE *out = open_memstream(&data, size);

    assert_non_null(out);
    if (bytes_encode(out, &p, words, why, sizeof(why)))
        fail_msg("%s", why);
    assert_int_equal(fclose(out), 0);
    return (uint8_t *)data;
}

static void must_come_back(const struct vocabulary *words)
{
    size_t size = 0;
    uint8_t *data = must_encode(words, &size);

    forget_lines(&p);
    assert_int_equal(bytes_decode(data, size, words, &again), 0);
    assert_true(same_program(&p, &again));
    free(data);
}

static void must_be_valid(uint64_t seed)
{
    char why[200] = "";
    uint32_t line;

    if (program_validate(&p, why, sizeof(why), &line))
        fail_msg("string %lu: %s", (unsigned long)seed, why);
}

/* Random bytes; most with a machine that is drawn, which has room for ops. */
static size_t draw_bytes(uint8_t *data, uint64_t seed)
{
    struct rng r = rng_make(seed, RNG_PROGRAM);
    size_t n = rng_below(&r, BYTES_MAX);
    uint8_t mask = rng_percent(&r, 50) ? 0x7f : 0xff;

    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)rng_next(&r) & mask;
    return n;
}

/* ---- deliberate error ---- */
static void a_changed_byte_is_another_program(void **state)
{
    size_t size = 0;
    uint8_t *data;

    (void)state;
    must_parse(HEAD "attach d0\nconvert ram0[0..3) shared\n", &p);
    forget_lines(&p);
    data = must_encode(&test_vocabulary, &size);
    data[size - 3] ^= 1; /* to_private is the last but one, via the last */
    data[size - 2] ^= 1;
    assert_int_equal(bytes_decode(data, size, &test_vocabulary, &again), 0);
    assert_false(same_program(&p, &again));
    free(data);
}

static void any_bytes_are_a_valid_program(void **state)
{
    uint8_t data[BYTES_MAX];
    uint64_t ops = 0, expects = 0;

    (void)state;
    for (uint64_t seed = 0; seed < STRINGS; seed++) {
        size_t n = draw_bytes(data, seed);

        assert_int_equal(bytes_decode(data, n, &test_vocabulary, &p), 0);
        must_be_valid(seed);
        ops += p.n_ops;
        expects += p.n_expects;
    }
    assert_true(ops > 5 * STRINGS);
    assert_true(expects > 0);
}

static void what_was_decoded_can_be_encoded(void **state)
{
    uint8_t data[BYTES_MAX];

    (void)state;
    for (uint64_t seed = 0; seed < STRINGS / 10; seed++) {
        size_t n = draw_bytes(data, seed);

        assert_int_equal(bytes_decode(data, n, &test_vocabulary, &p), 0);
        must_come_back(&test_vocabulary);
    }
}

static void generated_programs_come_back(void **state)
{
    struct generate_options o;

    (void)state;
    generate_defaults(&o);
    for (uint64_t seed = 0; seed < GENERATED; seed++) {
        must_generate(&o, &p, seed);
        must_come_back(&test_vocabulary);
    }
}

static void scenarios_come_back(void **state)
{
    struct text_error problem;
    struct file_list files;
    char why[4500];

    (void)state;
    file_list_init(&files);
    assert_int_equal(file_list_add(&files, "scenarios", why, sizeof(why)), 0);
    assert_true(files.n > 50);
    for (uint32_t i = 0; i < files.n; i++) {
        assert_int_equal(file_load(&files, i, &p, &problem), 0);
        must_come_back(&run_vocabulary);
    }
    file_list_free(&files);
}

/* Cut anywhere, flipped anywhere: as good as any other bytes. */
static void damaged_bytes_are_a_valid_program(void **state)
{
    struct rng r = rng_make(7, RNG_PROGRAM);
    struct generate_options o;
    size_t size = 0;

    (void)state;
    generate_defaults(&o);
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t *data;

        must_generate(&o, &p, seed);
        data = must_encode(&test_vocabulary, &size);
        for (uint32_t i = 0; i < 50; i++) {
            size_t n = rng_below(&r, (uint32_t)size + 1);

            data[rng_below(&r, (uint32_t)size)] = (uint8_t)rng_next(&r);
            assert_int_equal(bytes_decode(data, n, &test_vocabulary, &p), 0);
            must_be_valid(seed);
        }
        free(data);
    }
}

static void records_are_as_long_as_they_are(void **state)
{
    uint8_t data[BYTES_MAX];

    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        size_t n = draw_bytes(data, seed), at = bytes_head_size(data, n), step;

        assert_true(at <= n);
        while ((step = bytes_record_size(data, n, at)) > 0)
            at += step;
        assert_int_equal(at, n);
    }
}

/* The second conversion is of the run that the first one made. */
static void ranges_follow_what_was_done(void **state)
{
    /* Regions of 10 pages; kind, unit, how, which, front, keep, value, odd */
    const uint8_t data[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, /* kind */ 0,
                            0, 0, 3, 4, 0, 0, /* shared run: */
                            0, 0, 1, 0, 0, 0, 1, 0};

    (void)state;
    assert_int_equal(bytes_decode(data, sizeof(data), &test_vocabulary, &p), 0);
    assert_int_equal(p.n_ops, 2);
    assert_int_equal(p.ops[0].start, 3 * PAGE_SIZE_4K);
    assert_int_equal(p.ops[0].size, 4 * PAGE_SIZE_4K);
    assert_int_equal(p.ops[1].start, p.ops[0].start);
    assert_int_equal(p.ops[1].size, p.ops[0].size);
    assert_true(p.ops[1].to_private && !p.ops[0].to_private);
}

static void invalid_programs_are_refused(void **state)
{
    char *data = NULL, why[200] = "";
    size_t size;
    FILE *out = open_memstream(&data, &size);

    (void)state;
    assert_non_null(out);
    program_clear(&p);
    assert_int_equal(bytes_encode(out, &p, &test_vocabulary, why, sizeof(why)), -EINVAL);
    assert_string_not_equal(why, "");
    must_parse(HEAD "fault vfio/map ENOSPC\n", &p);
    p.ops[0].point = UINT16_MAX;
    assert_int_equal(bytes_encode(out, &p, &test_vocabulary, why, sizeof(why)), -EINVAL);
    assert_string_equal(why, "op 0: no such fault");
    assert_int_equal(fclose(out), 0);
    assert_int_equal(size, 0);
    free(data);
}

static int setup(void **state)
{
    (void)state;
    program_init(&p);
    program_init(&again);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_free(&p);
    program_free(&again);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "program/bytes/" name, fn, setup, teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-changed-byte-is-another-program", a_changed_byte_is_another_program),
        TEST("any-bytes-are-a-valid-program", any_bytes_are_a_valid_program),
        TEST("what-was-decoded-can-be-encoded", what_was_decoded_can_be_encoded),
        TEST("generated-programs-come-back", generated_programs_come_back),
        TEST("scenarios-come-back", scenarios_come_back),
        TEST("damaged-bytes-are-a-valid-program", damaged_bytes_are_a_valid_program),
        TEST("records-are-as-long-as-they-are", records_are_as_long_as_they_are),
        TEST("ranges-follow-what-was-done", ranges_follow_what_was_done),
        TEST("invalid-programs-are-refused", invalid_programs_are_refused),
    };

    return cmocka_run_group_tests_name("program/bytes", tests, NULL, NULL);
}
