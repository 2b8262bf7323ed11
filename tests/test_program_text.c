/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form: printer and parser are inverse, whatever comes in is answered. */
#include "tests/program_for_tests.h"

#include <errno.h>

static const char full[] =
    "gmemcheck-scenario 1\n"
    "# every statement, every expectation\n"
    "ref C1 QEMU # 10.1 system/ram-block-attributes.c\n"
    "machine order=unmap-first failure=stop vcpus=3 memlock=0x20 # trailing\n"
    "region ram0 pages=8 share=memfd guest_memfd=yes\n"
    "region mmio1 pages=2\n"
    "region rom2 pages=1 share=anon\n"
    "region ram3 pages=4 guest_memfd=no\n"
    "section ram0[0..6) at 16\n"
    "section ram0[7] at 0x20\n"
    "section mmio1[0..2) at 22\n"
    "section rom2[0] at 24\n"
    "section ram3[0..4) at 40\n"
    "container c0 iommu=type1 listen=all entries=3\n"
    "\tcontainer c1 listen=manual\r\n"
    "device d0 in c0\n"
    "device d1 in c1\n"
    "seed 18446744073709551615\n"
    "\n"
    "attach d0\n"
    "fault vfio/map ENOSPC nth=4\n"
    "fault vfio/unmap EFAULT from=2 late in-undo\n"
    "fault gmem/punch EINTR chance=50%\n"
    "fault gmem/punch EINTR chance=1/65536\n"
    "fault core/alloc ENOMEM\n"
    "convert ram0[0..6) shared vcpu=2 via=hypercall\n"
    "  expect result=ENOSPC status=EAGAIN private ram0[0..6)\n"
    "  expect shared ram0[0..3) ram0[3] ram0@0x4000+0x1000 unmapped c0 ram0[0..8)\n"
    "  expect mapped c0 ram0[0] ram0[7] backed shared ram0[0..4) unbacked private ram0[1]\n"
    "  expect calls vfio/map=4 kvm/system=0 entries c0=3 c1=0 running\n"
    "disarm\n"
    "convert gpa[16..24) private\n"
    "convert gpa[16] private via=fault\n"
    "convert gpa@0x10800+0x1800 shared via=vmm\n"
    "convert ram0@0x3000+0xfffffffffffff000 shared via=vmm\n"
    "convert ram0@0x5000+0x4000 shared\n"
    "write ram0[3] value=7 vcpu=1\n"
    "read gpa[19]\n"
    "  expect data=7\n"
    "dma-write d0 ram0[3] value=0xffffffffffffffff\n"
    "dma-read d1 rom2[0]\n"
    "listen c1 ram0[2..6)\n"
    "unlisten c1 ram0[2..6)\n"
    "query ram0[0..8)\n"
    "  expect populated=1 stopped\n"
    "detach d0\n";

static int setup(void **state)
{
    struct program *p = calloc(2, sizeof(*p));

    assert_non_null(p);
    program_init(&p[0]);
    program_init(&p[1]);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct program *p = *state;

    program_free(&p[0]);
    program_free(&p[1]);
    free(p);
    return 0;
}

/* p[0] -> text -> p[1]: the same but for lines. The text is its own canonical form. */
static void round_trip(struct program *p)
{
    size_t size = 0, again_size = 0;
    char *text = printed(&p[0], "made\nby a test\n", &size), *again;

    must_parse(text, &p[1]);
    forget_lines(&p[0]);
    forget_lines(&p[1]);
    assert_true(same_program(&p[0], &p[1]));
    again = printed(&p[1], "made\nby a test\n", &again_size);
    assert_string_equal(text, again);
    free(text);
    free(again);
}

/* The comparer sees one changed field: else every test below proves nothing. */
static void test_comparer_can_fail(void **state)
{
    struct program *p = *state;

    must_parse(full, &p[0]);
    must_parse(full, &p[1]);
    assert_true(same_program(&p[0], &p[1]));
    p[1].ops[6].unit ^= 1;
    assert_false(same_program(&p[0], &p[1]));
    p[1].ops[6].unit ^= 1;
    p[1].machine.sections[1].gpa_page++;
    assert_false(same_program(&p[0], &p[1]));
}

static void test_full_round_trip(void **state)
{
    struct program *p = *state;

    must_parse(full, &p[0]);
    assert_int_equal(p[0].n_ops, 21);
    assert_int_equal(p[0].n_expects, 19);
    round_trip(p);
}

static void test_machine_values(void **state)
{
    struct program *p = *state;
    const struct machine *m = &p->machine;

    must_parse(full, p);
    assert_int_equal(m->axis[AXIS_order], ORDER_UNMAP_FIRST);
    assert_int_equal(m->axis[AXIS_failure], FAILURE_STOP);
    assert_int_equal(m->memlock_pages, 32);
    assert_int_equal(m->regions[0].guest_memfd, 1);
    assert_int_equal(m->regions[3].guest_memfd, 0);
    assert_int_equal(m->regions[1].kind, REGION_MMIO);
    assert_int_equal(m->sections[1].first_page, 7);
    assert_int_equal(m->sections[1].gpa_page, 32);
    assert_int_equal(m->containers[0].entry_limit, 3);
    assert_int_equal(m->containers[1].entry_limit, 65535);
    assert_int_equal(m->devices[1].container, 1);
    assert_true(p->seed == UINT64_MAX);
}

static void test_op_values(void **state)
{
    struct program *p = *state;
    const struct op *op;

    must_parse(HEAD
               "convert ram0[3..7) private vcpu=1 via=vmm\nfault vfio/map EFAULT late\n"
               "convert gpa@0x10800+0x1800 shared via=vmm\nfault vfio/map EFAULT chance=1%\n",
               p);
    op = &p->ops[0];
    assert_true(op->kind == OP_CONVERT && op->unit == 1 && op->region == 0 && op->to_private);
    assert_true(op->via == VIA_VMM && op->start == 3 * PAGE_SIZE_4K);
    assert_true(op->size == 4 * PAGE_SIZE_4K && op->line == HEAD_LINES + 1);
    assert_true(op_gpa(&p->machine, op) == (16 + 3) * PAGE_SIZE_4K);
    assert_int_equal(p->ops[1].error, EFAULT);
    assert_true(p->ops[1].late && p->ops[1].when == FAULT_NTH && p->ops[1].value == 1);
    assert_int_equal(p->ops[2].region, OP_NO_REGION);
    assert_true(p->ops[2].start == 0x10800 && p->ops[2].size == 0x1800);
    assert_int_equal(p->ops[3].value, 655);
}

/* The canonical spelling: what people see in reports. */
static void test_canonical_lines(void **state)
{
    static const char *const lines[] = {
        "convert ram0[0..8) shared vcpu=0 via=hypercall",
        "convert gpa[16] private vcpu=1 via=fault",
        "convert ram0@0x7000+0x2000 shared vcpu=0 via=vmm",
        "fault vfio/map EFAULT nth=4 late",
        "fault gmem/punch EINTR chance=655/65536 in-undo",
        "dma-write d0 ram0[3] value=9",
    };
    struct program *p = *state;
    char text[1024], line[TEXT_LINE_MAX];

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)snprintf(text, sizeof(text), HEAD "%s\n", lines[i]);
        must_parse(text, p);
        text_op(line, sizeof(line), p, &p->ops[0], &test_vocabulary);
        assert_string_equal(line, lines[i]);
    }
}

static void test_short_buffer(void **state)
{
    struct program *p = *state;
    char line[8];

    must_parse(HEAD "attach d0\nexpect result=EEXIST\n", p);
    text_op(line, sizeof(line), p, &p->ops[0], &test_vocabulary);
    assert_string_equal(line, "attach ");
    text_expect(line, sizeof(line), p, &p->expects[0], &test_vocabulary);
    assert_string_equal(line, "expect ");
    text_range(line, 1, &p->machine, 0, 1, 2);
    assert_string_equal(line, "");
}

/* Every example of the reference is a program. */
static void test_documented_examples(void **state)
{
    struct program *p = *state;
    FILE *in = fopen("docs/scenario-format.md", "r");
    char text[1 << 16], *at = text, *end;
    uint32_t n = 0;

    if (!in)
        skip(); /* not run from the top folder */
    text[fread(text, 1, sizeof(text) - 1, in)] = 0;
    (void)fclose(in);
    while ((at = strstr(at, "```\ngmemcheck-scenario 1\n"))) {
        at += 4;
        end = strstr(at, "```");
        assert_non_null(end);
        *end = 0;
        must_parse(at, &p[0]);
        round_trip(p);
        at = end + 1;
        n++;
    }
    assert_int_equal(n, 3);
}

static void test_generated_round_trip(void **state)
{
    struct program *p = *state;
    struct generate_options o;

    generate_defaults(&o);
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        assert_int_equal(generate(&p[0], seed, &o, &test_vocabulary), 0);
        round_trip(p);
    }
}

/* Every errno has a name that gives it back; the locale has no say. */
static void test_errno_names(void **state)
{
    (void)state;
    for (int i = 0; i <= 200; i++) {
        const char *name = text_errno(i);

        assert_int_equal(text_errno_number(name, strlen(name)), i);
    }
    assert_string_equal(text_errno(ENOSPC), "ENOSPC");
    assert_string_equal(text_errno(0), "0");
    assert_string_equal(text_errno(41), "41"); /* a hole in the numbers */
    assert_int_equal(text_errno_number("ENOSPCX", 6), ENOSPC);
    assert_int_equal(text_errno_number("EWOULDBLOCK", 11), EAGAIN);
    assert_int_equal(text_errno_number("ENOSUCH", 7), -1);
    assert_int_equal(text_errno_number("5000", 4), -1);
    assert_int_equal(text_errno_number("", 0), -1);
}

/* A header that would not parse as it is. */
static void test_header_is_made_safe(void **state)
{
    struct program *p = *state;
    char header[3000];
    size_t size = 0;
    char *text;

    memset(header, 'x', sizeof(header) - 1);
    header[sizeof(header) - 1] = 0;
    memcpy(header, "\x1b[31m\nattach d0\n\n", 17);
    must_parse(HEAD, &p[0]);
    text = printed(&p[0], header, &size);
    must_parse(text, &p[1]);
    assert_int_equal(p[1].n_ops, 0);
    assert_null(strchr(text, 0x1b));
    free(text);
}

static void test_full_disk_is_told(void **state)
{
    struct program *p = *state;
    FILE *out = fopen("/dev/full", "w");

    if (!out)
        skip();
    must_parse(full, p);
    assert_int_equal(text_print(out, p, &test_vocabulary, NULL), -ENOSPC);
    (void)fclose(out);
}

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

static void test_mutations(void **state)
{
    struct program *p = *state;
    struct text_error error;
    struct rng r = rng_make(1, 99);
    char copy[sizeof(full)];

    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t changes = rng_between(&r, 1, 4);
        int result;

        memcpy(copy, full, sizeof(full));
        while (changes--) {
            char *at = &copy[rng_below(&r, sizeof(full) - 1)];

            *at = rng_percent(&r, 50) ? (char)rng_below(&r, 256)
                                      : full[rng_below(&r, sizeof(full) - 1)];
        }
        result = text_parse(copy, sizeof(full) - 1, &test_vocabulary, &p[0], &error);
        if (result)
            assert_clean(&error);
        else
            round_trip(p);
    }
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
        if (i % 100 == 0) {
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
        "program/text/" name, f, setup, teardown, NULL                                         \
    }
    const struct CMUnitTest tests[] = {
        T("deliberate-difference-is-seen", test_comparer_can_fail),
        T("round-trip-of-every-statement", test_full_round_trip),
        T("machine-values", test_machine_values),
        T("op-values", test_op_values),
        T("canonical-lines", test_canonical_lines),
        T("short-buffer-cuts", test_short_buffer),
        T("documented-examples-parse", test_documented_examples),
        T("round-trip-of-20000-generated", test_generated_round_trip),
        T("errno-names", test_errno_names),
        T("header-is-made-safe", test_header_is_made_safe),
        T("full-disk-is-told", test_full_disk_is_told),
        T("truncated-at-every-byte", test_truncated_anywhere),
        T("mutated-bytes", test_mutations),
        T("shuffled-lines", test_shuffled_lines),
        T("file-over-the-limit", test_file_too_large),
        T("too-many-ops", test_too_many_ops),
        T("too-many-expectations", test_too_many_expects),
    };

    return cmocka_run_group_tests_name("program/text", tests, NULL, NULL);
}
