/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When are two failures the same one? */
#include "tests/run_fixture.h"

#include <stdio.h>

#include "run/signature.h"

static struct program program;
static struct run_result result;
static struct signature first, second;

static void both(const struct run_result *other)
{
    signature_of(&first, &result, &program);
    signature_of(&second, other, &program);
}

/* ---- deliberate errors: what differs ---- */
static void another_rule(void **state)
{
    struct run_result other = result;

    (void)state;
    snprintf(other.rule, sizeof(other.rule), "I2 missing");
    both(&other);
    assert_false(signature_equal(&first, &second));
}

static void another_kind_of_op(void **state)
{
    struct run_result other = result;

    (void)state;
    other.op = 0;
    both(&other);
    assert_false(signature_equal(&first, &second));
    other.op = program.n_ops;
    both(&other);
    assert_int_equal(second.op_kind, OP_KIND_TEARDOWN);
    assert_false(signature_equal(&first, &second));
}

static void another_call_or_caller(void **state)
{
    struct run_result other = result;

    (void)state;
    snprintf(other.last_call, sizeof(other.last_call), "vfio/map");
    both(&other);
    assert_false(signature_equal(&first, &second));
    other = result;
    snprintf(other.last_caller, sizeof(other.last_caller), "undo");
    both(&other);
    assert_false(signature_equal(&first, &second));
}

/* ---- what is the same ---- */
static void page_detail_and_number_do_not_count(void **state)
{
    struct run_result other = result;

    (void)state;
    other.op = 2;
    other.page = 7;
    other.hash = 9;
    snprintf(other.detail, sizeof(other.detail), "frame 3, not 2");
    both(&other);
    assert_true(signature_equal(&first, &second));
}

static void a_hang_has_no_last_call(void **state)
{
    struct run_result other;

    (void)state;
    result.verdict = VERDICT_HANG;
    other = result;
    snprintf(other.last_call, sizeof(other.last_call), "vfio/map");
    both(&other);
    assert_true(signature_equal(&first, &second));
}

static void it_is_said_in_words(void **state)
{
    char text[SIGNATURE_TEXT];

    (void)state;
    both(&result);
    signature_text(text, sizeof(text), &first);
    assert_string_equal(text, "S2 stale-frame at convert, after vfio/unmap made by unmap_run");
    signature_shape(text, sizeof(text), &program);
    assert_string_equal(text, "attach, convert shared, convert private, fault vfio/map late");
}

/* Numbers of an op are no shape; what it does is. */
static void the_bucket_is_the_shape(void **state)
{
    uint32_t bucket;

    (void)state;
    both(&result);
    bucket = signature_bucket(&first, &program);
    program.ops[1].start = 0;
    program.ops[3].value = 5;
    assert_int_equal(signature_bucket(&first, &program), bucket);
    program.ops[2].to_private = 0;
    assert_int_not_equal(signature_bucket(&first, &program), bucket);
    program.ops[2].to_private = 1;
    first.caller[0] = 'x';
    assert_int_not_equal(signature_bucket(&first, &program), bucket);
}

static int setup(void **state)
{
    (void)state;
    must_parse(MACHINE "attach d0\n"
                       "convert ram0[1..5) shared\n"
                       "convert ram0[1] private\n"
                       "fault vfio/map EFAULT late\n",
               &program);
    result = (struct run_result){.verdict = VERDICT_VIOLATION,
                                 .op = 1,
                                 .rule = "S2 stale-frame",
                                 .last_call = "vfio/unmap",
                                 .last_caller = "unmap_run"};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_free(&program);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/signature/" name, fn, setup, teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-rule", another_rule),
        TEST("another-kind-of-op", another_kind_of_op),
        TEST("another-call-or-caller", another_call_or_caller),
        TEST("page-detail-and-number-do-not-count", page_detail_and_number_do_not_count),
        TEST("a-hang-has-no-last-call", a_hang_has_no_last_call),
        TEST("it-is-said-in-words", it_is_said_in_words),
        TEST("the-bucket-is-the-shape", the_bucket_is_the_shape),
    };

    return cmocka_run_group_tests_name("run/signature", tests, NULL, NULL);
}
