/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form: printer and parser are inverse, whatever comes in is answered. */
#include "tests/program_texts.h"

#include <errno.h>

#include "program/edit.h"

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

static void test_inplace_round_trip(void **state)
{
    struct program *p = *state;
    const struct machine *m = &p->machine;
    const struct op *resize = NULL;

    must_parse(inplace, &p[0]);
    round_trip(p);
    assert_int_equal(machine_page_size(m), 4 * PAGE_SIZE_4K);
    assert_int_equal(m->axis[AXIS_iommu], IOMMU_COMPATV1);
    assert_int_equal(m->axis[AXIS_split], SPLIT_CUT);
    assert_int_equal(m->regions[0].virtio_mem_pages, 4);
    assert_int_equal(m->regions[0].requested_pages, 4);
    assert_int_equal(m->regions[1].huge_pages, 128);
    assert_int_equal(p->n_ops, 19);
    for (uint32_t i = 0; i < p->n_ops; i++)
        if (p->ops[i].kind == OP_RESIZE)
            resize = &p->ops[i];
    assert_true(resize && resize->value == 0 && resize->start == 0);
    assert_true(resize->size == 8 * 4 * PAGE_SIZE_4K);
    assert_int_equal(p->ops[11].kind, OP_UNPIN);
    assert_int_equal(p->ops[13].unit, GUARD_UNCOORDINATED_DISABLE);
    assert_int_equal(p->ops[13].value, 1);
    assert_int_equal(p->expects[3].value, RESPONSE_ERROR);
}

/* Nothing of the language is left out above. */
static void test_texts_say_everything(void **state)
{
    struct program *p = *state;
    uint32_t ops = 0, expects = 0;

    must_parse(full, &p[0]);
    must_parse(inplace, &p[1]);
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; j < p[i].n_ops; j++)
            ops |= UINT32_C(1) << p[i].ops[j].kind;
        for (uint32_t j = 0; j < p[i].n_expects; j++)
            expects |= UINT32_C(1) << p[i].expects[j].kind;
    }
    assert_int_equal(ops, (UINT32_C(1) << OP_KIND_COUNT) - 1);
    assert_int_equal(expects, (UINT32_C(1) << EXPECT_KIND_COUNT) - 1);
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
        "remove ram0",
        "guard coordinated-require on",
        "migrate stop",
        "dirty-sync",
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

/* Where sweeps begin stands in front of an op, and stays with it. */
static void test_sweep_mark(void **state)
{
    struct program *p = *state;

    must_parse(HEAD "attach d0\n  expect result=0\nsweep from here\ndetach d0\n", p);
    assert_int_equal(p->sweep_from, 1);
    round_trip(p);
    program_drop_ops(p, 1, 1);
    assert_int_equal(p->sweep_from, 1); /* behind the last op */
    round_trip(p);
    program_drop_ops(p, 0, 1);
    assert_int_equal(p->sweep_from, 0);
    must_parse(HEAD "sweep from here\nattach d0\n", p);
    assert_int_equal(p->sweep_from, 0);
    p->sweep_from = 2;
    assert_int_equal(program_validate(p, NULL, 0, NULL), -EINVAL);
    p->sweep_from = 1;
    assert_int_equal(program_validate(p, NULL, 0, NULL), 0);
    p->n_ops = 0;
    assert_int_equal(program_validate(p, NULL, 0, NULL), -EINVAL);
    p->n_ops = 1;
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

int main(void)
{
#define T(name, f)                                                                             \
    {                                                                                          \
        "program/text/" name, f, setup, teardown, NULL                                         \
    }
    const struct CMUnitTest tests[] = {
        T("deliberate-difference-is-seen", test_comparer_can_fail),
        T("round-trip-of-every-statement", test_full_round_trip),
        T("round-trip-of-other-machines", test_inplace_round_trip),
        T("texts-say-everything", test_texts_say_everything),
        T("machine-values", test_machine_values),
        T("op-values", test_op_values),
        T("canonical-lines", test_canonical_lines),
        T("sweep-mark", test_sweep_mark),
        T("short-buffer-cuts", test_short_buffer),
        T("documented-examples-parse", test_documented_examples),
        T("round-trip-of-20000-generated", test_generated_round_trip),
        T("errno-names", test_errno_names),
        T("header-is-made-safe", test_header_is_made_safe),
        T("full-disk-is-told", test_full_disk_is_told),
    };

    return cmocka_run_group_tests_name("program/text", tests, NULL, NULL);
}
