/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form: whatever comes in is answered, within bounds. */
#include "tests/program_texts.h"

#include <errno.h>

/* Whatever prefix arrives, it is a program or a complaint with a line. */
static void test_truncated_anywhere(void **state)
{
    struct program *p = *state;
    struct text_error error;
    size_t size = sizeof(full) - 1;
    uint32_t good = 0, bad = 0;

    for (size_t n = 0; n <= size; n++) {
        char *copy = malloc(n + 1); /* exact, so that ASan sees one byte too many */
        int result;

        assert_non_null(copy);
        memcpy(copy, full, n);
        copy = realloc(copy, n ? n : 1);
        assert_non_null(copy);
        result = text_parse(copy, n, &test_vocabulary, p, &error);
        free(copy);
        good += result == 0;
        bad += result != 0;
        assert_true(result == 0 || (result == -EINVAL && error.line > 0 && error.why[0]));
        assert_true(result == 0 || p->n_ops == 0);
    }
    assert_true(good > 20 && bad > 500);
}

/* Complaints quote input: never a control byte, always one line. */
static void assert_clean(const struct text_error *error)
{
    assert_true(strlen(error->why) > 0 && strlen(error->why) < sizeof(error->why));
    for (const char *s = error->why; *s; s++)
        assert_true(*s >= 0x20 && *s < 0x7f);
}

static void mutate(struct program *p, const char *text, size_t size, uint32_t times)
{
    struct text_error error;
    struct rng r = rng_make(1, 99);
    char copy[sizeof(full)];

    assert_true(size <= sizeof(copy));
    for (uint32_t i = 0; i < times; i++) {
        uint32_t changes = rng_between(&r, 1, 4);

        memcpy(copy, text, size);
        while (changes--) {
            char *at = &copy[rng_below(&r, (uint32_t)size)];

            *at = rng_percent(&r, 50) ? (char)rng_below(&r, 256)
                                      : text[rng_below(&r, (uint32_t)size)];
        }
        if (text_parse(copy, size, &test_vocabulary, &p[0], &error))
            assert_clean(&error);
        else
            round_trip(p);
    }
}

static void test_mutations(void **state)
{
    mutate(*state, full, sizeof(full) - 1, 40000);
    mutate(*state, inplace, sizeof(inplace) - 1, 40000);
}

/* Lines moved, dropped and doubled: declarations in wrong order must not confuse. */
static void test_shuffled_lines(void **state)
{
    struct program *p = *state;
    struct text_error error;
    struct rng r = rng_make(2, 99);
    char copy[2 * sizeof(full)];

    for (uint32_t i = 0; i < 20000; i++) {
        size_t used = strcspn(full, "\n") + 1;

        memcpy(copy, full, used);
        for (const char *s = full + used; *s; s += strcspn(s, "\n") + 1) {
            size_t n = strcspn(s, "\n") + 1;
            uint32_t times = rng_percent(&r, 92) ? 1 : rng_below(&r, 3);

            for (; times && used + n < sizeof(copy); times--, used += n)
                memcpy(copy + used, s, n);
        }
        if (text_parse(copy, used, &test_vocabulary, &p[0], &error))
            assert_clean(&error);
        else
            round_trip(p);
    }
}

static void test_file_too_large(void **state)
{
    struct program *p = *state;
    struct text_error error;
    size_t size = TEXT_FILE_MAX + 1;
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, '\n', size);
    memcpy(text, HEAD, sizeof(HEAD) - 1);
    assert_int_equal(text_parse(text, size, &test_vocabulary, p, &error), -E2BIG);
    assert_non_null(strstr(error.why, "67108865 bytes"));
    /* One byte less is read, to the end, with nothing kept. */
    assert_int_equal(text_parse(text, size - 1, &test_vocabulary, p, &error), 0);
    assert_int_equal(p->n_ops, 0);
    free(text);
}

/* `line` repeated until no more are taken. */
static void fill(struct program *p, const char *line, uint32_t times, const char *why)
{
    struct text_error error;
    size_t n = strlen(line), head = strlen(HEAD), size = head + n * times;
    char *text = malloc(size);

    assert_non_null(text);
    memcpy(text, HEAD, head);
    for (uint32_t i = 0; i < times; i++)
        memcpy(text + head + i * n, line, n);
    assert_int_equal(text_parse(text, size, &test_vocabulary, p, &error), -E2BIG);
    assert_int_equal(error.line, HEAD_LINES + times);
    assert_non_null(strstr(error.why, why));
    assert_true(p->cap_ops <= PROGRAM_OPS_MAX && p->cap_expects <= PROGRAM_EXPECTS_MAX);
    assert_int_equal(text_parse(text, size - n, &test_vocabulary, p, &error), 0);
    free(text);
}

static void test_too_many_ops(void **state)
{
    fill(*state, "disarm\n", PROGRAM_OPS_MAX + 1, "too many ops");
}

static void test_too_many_expects(void **state)
{
    struct program *p = *state;
    struct text_error error;
    size_t head = strlen(HEAD), used, n = strlen(" running");
    char *text = malloc(head + 100 + 9 * (size_t)PROGRAM_EXPECTS_MAX + 1024 * 1024);
    uint32_t lines = 0;

    assert_non_null(text);
    memcpy(text, HEAD "disarm\n", head + 7);
    used = head + 7;
    for (uint32_t i = 0; i <= PROGRAM_EXPECTS_MAX; i++) {
        if (i % PROGRAM_OP_EXPECTS_MAX == 0) {
            memcpy(text + used, "\ndisarm", 7);
            used += 7;
            lines++;
        }
        if (i % 64 == 0) {
            memcpy(text + used, "\nexpect", 7);
            used += 7;
            lines++;
        }
        memcpy(text + used, " running", n);
        used += n;
    }
    assert_int_equal(text_parse(text, used, &test_vocabulary, p, &error), -E2BIG);
    assert_int_equal(error.line, HEAD_LINES + 2 + lines);
    assert_non_null(strstr(error.why, "too many expectations"));
    free(text);
}

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/text-hostile/" name, f, setup, teardown, NULL                                 \
    }
    const struct CMUnitTest tests[] = {
        T("truncated-at-every-byte", test_truncated_anywhere),
        T("mutated-bytes", test_mutations),
        T("shuffled-lines", test_shuffled_lines),
        T("file-over-the-limit", test_file_too_large),
        T("too-many-ops", test_too_many_ops),
        T("too-many-expectations", test_too_many_expects),
    };

    return cmocka_run_group_tests_name("program/text-hostile", tests, NULL, NULL);
}
