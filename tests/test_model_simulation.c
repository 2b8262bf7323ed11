/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle against a subject in plain arrays: random programs of one that is right are
 * accepted, and each mistake of a list is caught, by a rule that is meant for it.
 */
#include "tests/model_fake_ops.h"

enum { OPS = 40, RIGHT_PROGRAMS = 3000, WRONG_PROGRAMS = 400 };

static uint64_t some_pages(struct fake *f, uint32_t n)
{
    return (uint64_t)fake_random(f, n) * PAGE_SIZE_4K;
}

static struct op draw_convert(struct fake *f)
{
    static const uint32_t edges[][2] = {{16, 8}, {16, 12}, {22, 4}, {24, 4}, {26, 4}, {40, 2}};
    struct op op = {.kind = OP_CONVERT,
                    .region = OP_NO_REGION,
                    .to_private = (uint8_t)fake_random(f, 2),
                    .via = (uint8_t)fake_random(f, 3)};
    uint32_t edge = fake_random(f, 12);

    op.start = (uint64_t)PAGE_SIZE_4K * (14 + fake_random(f, 17));
    op.size = (uint64_t)PAGE_SIZE_4K * (1 + fake_random(f, 4));
    if (edge < 6) {
        op.start = (uint64_t)PAGE_SIZE_4K * edges[edge][0];
        op.size = (uint64_t)PAGE_SIZE_4K * edges[edge][1];
    }
    if (op.via == VIA_FAULT)
        op.size = PAGE_SIZE_4K;
    if (op.via == VIA_VMM && fake_random(f, 10) == 0)
        op.size += fake_random(f, 100);
    return op;
}

static struct op draw_range(struct fake *f, uint8_t kind)
{
    struct op op = {.kind = kind, .unit = fake_random(f, 8) ? 1 : 0};

    op.region = (uint8_t)fake_random(f, kind == OP_QUERY ? 2 : 5);
    op.unit = kind == OP_QUERY ? 0 : op.unit;
    op.start = kind == OP_QUERY ? some_pages(f, 3) : some_pages(f, 2) * 2;
    op.size = PAGE_SIZE_4K + some_pages(f, 2) + some_pages(f, 2);
    return op;
}

static struct op draw_access(struct fake *f, uint8_t kind)
{
    static const uint8_t pages[] = {16, 17, 18, 19, 22, 23, 24, 25, 27,
                                    28, 40, 41, 43, 48, 49, 60, 61, 5};
    struct op op = {.kind = kind, .region = OP_NO_REGION, .size = PAGE_SIZE_4K};

    op.unit = kind >= OP_DMA_READ ? (uint8_t)fake_random(f, 3) : 0;
    op.start = (uint64_t)PAGE_SIZE_4K * pages[fake_random(f, sizeof(pages))];
    op.value = kind == OP_WRITE || kind == OP_DMA_WRITE ? 1 + fake_random(f, 1000) : 0;
    return op;
}

static struct op draw_op(struct fake *f)
{
    static const uint8_t kinds[] = {
        OP_CONVERT, OP_CONVERT, OP_CONVERT,  OP_CONVERT,   OP_CONVERT, OP_CONVERT,
        OP_READ,    OP_WRITE,   OP_DMA_READ, OP_DMA_WRITE, OP_ATTACH,  OP_ATTACH,
        OP_DETACH,  OP_LISTEN,  OP_LISTEN,   OP_UNLISTEN,  OP_QUERY,   OP_WRITE,
    };
    uint8_t kind = kinds[fake_random(f, sizeof(kinds))];

    switch (kind) {
    case OP_CONVERT:
        return draw_convert(f);
    case OP_ATTACH:
    case OP_DETACH:
        return (struct op){.kind = kind, .unit = (uint8_t)fake_random(f, 3)};
    case OP_LISTEN:
    case OP_UNLISTEN:
    case OP_QUERY:
        return draw_range(f, kind);
    default:
        return draw_access(f, kind);
    }
}

static void draw_fault(struct fake *f)
{
    static const int errors[] = {ENOMEM, EFAULT, EIO, ENOSPC};

    f->fail_n = fake_random(f, 3) ? 0 : 1 + fake_random(f, 3);
    f->fail_at = 1 + fake_random(f, 16);
    f->fail_error = errors[fake_random(f, 4)];
    f->fail_late = fake_random(f, 2);
}

static void fake_new(struct fake *f, uint64_t seed, enum mistake mistake)
{
    memset(f, 0, sizeof(*f));
    f->rng = seed * 77 + 5;
    f->mistake = mistake;
    f->next_frame = 1;
    hand_machine(&f->h.m);
    f->h.m.axis[AXIS_failure] = fake_random(f, 3) == 0 ? FAILURE_STOP : FAILURE_ROLLBACK;
    f->h.m.containers[0].entry_limit = fake_random(f, 2) ? 100 : 6 + fake_random(f, 6);
    f->h.m.containers[1].entry_limit = 1 + fake_random(f, 6);
    f->h.m.memlock_pages = fake_random(f, 2) ? 0 : 8 + fake_random(f, 20);
    hand_new(&f->h);
    hand_ready(&f->h);
    hand_fine(&f->h);
}

static void fake_end(struct fake *f)
{
    struct hand *h = &f->h;

    if (!h->bad)
        h->bad = !model_full_check(h->o, &h->v);
    if (h->bad)
        return;
    model_teardown_begin(h->o);
    memset(h->page, 0, sizeof(h->page));
    memset(h->map, 0, sizeof(h->map));
    memset(h->c, 0, sizeof(h->c));
    memset(&h->totals, 0, sizeof(h->totals));
    h->totals.allocations = f->mistake == LEAK_AT_END;
    hand_tell(h);
    h->bad = !model_after_teardown(h->o, &h->v);
}

/* One random program. Returns whether the model accepts; the fake must be freed. */
static bool program(struct fake *f, uint64_t seed, enum mistake mistake, uint32_t *outcomes)
{
    fake_new(f, seed, mistake);
    for (uint32_t i = 0; i < OPS && !f->h.bad; i++) {
        struct op op = draw_op(f);
        bool must;

        draw_fault(f);
        fake_run(f, &op);
        if (f->h.bad)
            break;
        outcomes[model_outcome(f->h.o)]++;
        must = model_retry_must_succeed(f->h.o, &op);
        f->fail_n = 0;
        if (model_outcome(f->h.o) == MODEL_UNDONE && !f->stopped) {
            fake_run(f, &op); /* rule 6 */
            if (mistake == RIGHT)
                assert_int_equal(must, f->h.r.error == 0);
        }
    }
    fake_end(f);
    free(f->h.o);
    return !f->h.bad;
}

static void test_deliberate_error(void **state)
{
    uint32_t outcomes[4] = {0};
    struct fake f;

    (void)state;
    assert_false(program(&f, 1, FORGET_TRACKER, outcomes));
}

static void test_right(void **state)
{
    uint32_t outcomes[4] = {0};
    struct fake f;

    (void)state;
    for (uint64_t seed = 0; seed < RIGHT_PROGRAMS; seed++)
        if (!program(&f, seed, RIGHT, outcomes))
            fail_msg("seed %u: op %u, %s, page %u, container %u: %s", (unsigned)seed,
                     f.h.op.kind, f.h.v.rule, f.h.v.page, f.h.v.container, f.h.v.detail);
    for (int i = 0; i < 4; i++)
        assert_true(outcomes[i] > 500); /* the programs did reach every outcome */
}

/* The rules that may be the first to see each mistake; the first one listed must have been. */
static const struct {
    const char *name;
    const char *rules;
} caught[MISTAKES] = {
    [DROP_BEFORE_UNMAP] = {"drop-before-unmap", "S2"},
    [SKIP_UNMAP] = {"skip-unmap", "S2 I1"},
    [SKIP_MAP] = {"skip-map", "I2"},
    [FORGET_TRACKER] = {"forget-tracker", "I3"},
    [FORGET_DROP] = {"forget-drop", "I4"},
    [UNDO_KEEPS_ATTRIBUTE] = {"undo-keeps-attribute", "O5 S3"},
    [UNDO_KEEPS_MAPPING] = {"undo-keeps-mapping", "S1 S2 O5"},
    [UNDO_KEEPS_FRAME] = {"undo-keeps-frame", "O5"},
    [SWALLOW_MAP_ERROR] = {"swallow-map-error", "I2 I1 S2"},
    [ONE_PAGE_TOO_MANY] = {"one-page-too-many", "S6 O9"},
    [ROM_WRITABLE] = {"rom-writable", "S4"},
    [ATTACH_SKIPS_LAST] = {"attach-skips-last", "I2 S5"},
    [LISTEN_TOO_FAR] = {"listen-too-far", "S4 S6 O4"},
    [UNLISTEN_FORGETS_ONE] = {"unlisten-forgets-one", "I1"},
    [STATUS_ALWAYS_GOOD] = {"status-always-good", "I7"},
    [WRONG_ERRNO] = {"wrong-errno", "O3 O1 O2 O6 D1"},
    [DEBT_FORGOTTEN] = {"debt-forgotten", "I4"},
    [STALE_CONTENT] = {"stale-content", "D1"},
    [QUERY_ALWAYS_YES] = {"query-always-yes", "D2"},
    [CONVERT_PLAIN_RAM] = {"convert-plain-ram", "O1"},
    [LEAK_AT_END] = {"leak-at-end", "I8"},
    [COUNT_PINS_TWICE] = {"count-pins-twice", "S5"},
    [STOP_WITHOUT_LEAVE] = {"stop-without-leave", "O7"},
    [RUN_AFTER_STOP] = {"run-after-stop", "O6 S6 S4"},
    [REFUSE_LAST_ENTRY] = {"refuse-last-entry", "O2 O3"},
    [TOUCH_LIVE_SIDE] = {"touch-live-side", "S3"},
    [CLOSE_FORGOTTEN] = {"close-forgotten", "S5"},
};

static void test_mistake(void **state)
{
    enum mistake mistake = (enum mistake)(uintptr_t)*state;
    uint32_t outcomes[4] = {0}, by_first = 0;
    struct fake f;

    for (uint64_t seed = 0; seed < WRONG_PROGRAMS; seed++) {
        char rule[4] = {0};

        if (program(&f, seed, mistake, outcomes))
            continue;
        memcpy(rule, f.h.v.rule, 2);
        by_first += strncmp(caught[mistake].rules, rule, 2) == 0;
        if (!strstr(caught[mistake].rules, rule))
            fail_msg("seed %u: %s found by %s: %s", (unsigned)seed, caught[mistake].name,
                     f.h.v.rule, f.h.v.detail);
    }
    if (!by_first)
        fail_msg("%s was never found by %.2s", caught[mistake].name, caught[mistake].rules);
}

int main(void)
{
    static char names[MISTAKES][64];
    struct CMUnitTest tests[MISTAKES + 1] = {
        cmocka_unit_test(test_deliberate_error),
        cmocka_unit_test(test_right),
    };

    tests[0].name = "model/simulation/deliberate-error-is-reported";
    tests[1].name = "model/simulation/right-subject-is-accepted";
    for (uintptr_t i = 1; i < MISTAKES; i++) {
        snprintf(names[i], sizeof(names[i]), "model/simulation/%s", caught[i].name);
        tests[i + 1] = (struct CMUnitTest){names[i], test_mistake, NULL, NULL, (void *)i};
    }
    return cmocka_run_group_tests_name("model/simulation", tests, NULL, NULL);
}
