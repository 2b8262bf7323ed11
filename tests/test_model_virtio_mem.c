/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The oracle on virtio-mem and on migration's view: what it accepts, and what it does not. */
#include "tests/model_vmem.h"

static void expect_rule(const struct hand *h, const char *rule)
{
    hand_expect(h, rule);
}

/* A request that is refused: nothing happens. */
static void refused(struct hand *h, struct op op, int error, uint8_t response)
{
    hand_begin(h, op);
    h->r.error = error;
    h->r.response = response;
    hand_end(h);
    hand_fine(h);
}

/* Unplugs pages of which `shared` is on frame 30, all as it should be. */
static void unplug(struct hand *h, uint32_t first, uint32_t n, uint32_t shared)
{
    hand_begin(h, hand_vmem(OP_UNPLUG, first, n));
    if (shared) {
        hand_map(h, 0, shared, 0, NONE);
        hand_call(h);
        hand_side(h, shared, true);
        hand_call(h);
        h->page[shared].is_populated = 0;
    }
    hand_set_plugged(h, first, n, 0);
    hand_call(h);
    for (uint32_t i = first; i < first + n; i++)
        h->page[i].shared_frame = h->page[i].private_frame = 0;
    hand_call(h);
}

/* ---- what is right ---- */
static void test_round(void **state)
{
    struct hand *h = *state;

    hand_plug(h, 2, 4);
    hand_share(h, 3, 30);
    unplug(h, 2, 2, 3);
    hand_end(h);
    hand_fine(h);
    hand_plug(h, 2, 2); /* private again */
    hand_fine(h);
    assert_true(model_full_check(h->o, &h->v));
}

static void test_convert_while_unplugged(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    hand_call(h);
    h->page[3].is_populated = 1;
    hand_end(h);
    hand_fine(h); /* and it is not mapped */
    hand_begin(h,
               (struct op){.kind = OP_QUERY, .start = 3 * PAGE_SIZE_4K, .size = PAGE_SIZE_4K});
    hand_end(h);
    hand_fine(h);
    hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    hand_set_plugged(h, 2, 2, 1);
    hand_end(h);
    hand_fine(h);
}

static void test_mapped_while_unplugged(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
    expect_rule(h, "S7");
}

static void test_refusals(void **state)
{
    struct hand *h = *state;
    struct op resize = {.kind = OP_RESIZE, .value = 3}, all = {.kind = OP_UNPLUG_ALL};

    refused(h, hand_vmem(OP_PLUG, 1, 2), EINVAL, RESPONSE_ERROR);
    refused(h, hand_vmem(OP_PLUG, 6, 2), EINVAL, RESPONSE_ERROR); /* above the usable size */
    refused(h, hand_vmem(OP_UNPLUG, 0, 2), EINVAL, RESPONSE_ERROR);
    refused(h, resize, EINVAL, RESPONSE_ERROR);
    hand_plug(h, 0, 4);
    resize.value = 4;
    hand_begin(h, resize);
    hand_end(h);
    refused(h, hand_vmem(OP_PLUG, 4, 2), ENOSPC, RESPONSE_NACK);
    refused(h, hand_vmem(OP_PLUG, 2, 2), ENOSPC, RESPONSE_NACK);
    hand_begin(h, (struct op){.kind = OP_MIGRATE, .value = 1});
    hand_end(h);
    refused(h, hand_vmem(OP_UNPLUG, 0, 2), EBUSY, RESPONSE_BUSY);
    refused(h, all, EBUSY, RESPONSE_BUSY);
    all.region = 2;
    refused(h, all, EINVAL, RESPONSE_ERROR);
    hand_begin(h, hand_vmem(OP_UNPLUG, 0, 2));
    h->r.error = EINVAL;
    hand_end(h);
    expect_rule(h, "O1");
}

/* ---- what is wrong ---- */
static void test_plugged_bit_forgotten(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
    hand_set_plugged(h, 2, 1, 1);
    hand_end(h);
    expect_rule(h, "I3");
}

static void test_plugged_outside(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
    hand_set_plugged(h, 2, 4, 1);
    hand_end(h);
    expect_rule(h, "S6");
}

static void test_plugged_bit_kept_after_failure(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
    hand_failed(h, ENOMEM, true, false);
    hand_set_plugged(h, 2, 2, 1);
    h->r.error = ENOMEM;
    h->r.response = RESPONSE_BUSY;
    hand_end(h);
    expect_rule(h, "O5");
}

static void test_replug_stays_shared(void **state)
{
    struct hand *h = *state;

    hand_plug(h, 2, 2);
    hand_share(h, 3, 30);
    hand_begin(h, hand_vmem(OP_UNPLUG, 2, 2));
    hand_map(h, 0, 3, 0, NONE);
    hand_call(h);
    hand_set_plugged(h, 2, 2, 0);
    h->page[3].shared_frame = 0;
    hand_call(h);
    hand_end(h);
    expect_rule(h, "I3");
}

/* QEMU's order: the memory goes before the unmap. */
static void test_drop_before_unmap(void **state)
{
    struct hand *h = *state;

    hand_plug(h, 2, 2);
    hand_share(h, 3, 30);
    hand_begin(h, hand_vmem(OP_UNPLUG, 2, 2));
    h->page[3].shared_frame = 0;
    hand_call(h);
    expect_rule(h, "S3");
}

static void unplug_leaving(struct hand *h, uint32_t shared_frame, uint32_t private_frame,
                           uint32_t failed_drops)
{
    hand_plug(h, 2, 2);
    hand_share(h, 3, 30);
    hand_begin(h, hand_vmem(OP_WRITE, 2, 1));
    h->page[2].private_frame = 20;
    hand_end(h);
    hand_fine(h);
    unplug(h, 2, 2, 3);
    h->page[3].shared_frame = shared_frame;
    h->page[2].private_frame = private_frame;
    for (uint32_t i = 0; i < failed_drops; i++)
        hand_failed_drop(h);
}

/* E14: the private side of unplugged memory stays. */
static void test_private_side_kept(void **state)
{
    struct hand *h = *state;

    unplug_leaving(h, 0, 20, 0);
    hand_end(h);
    expect_rule(h, "V1");
}

static void test_failed_drop_excuses_one_side(void **state)
{
    struct hand *h = *state;

    unplug_leaving(h, 0, 20, 1);
    hand_end(h);
    hand_fine(h);
    hand_plug(h, 2, 2); /* which must get rid of it */
    expect_rule(h, "V1");
}

static void test_failed_drop_excuses_no_more(void **state)
{
    struct hand *h = *state;

    unplug_leaving(h, 30, 20, 1);
    hand_end(h);
    expect_rule(h, "V1");
}

/* A failed plug may have dropped what was left, and must not leave what it mapped. */
static void test_failed_plug(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_WRITE, 2, 1));
    h->page[2].private_frame = 20;
    hand_end(h);
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    h->page[3].is_populated = 1;
    hand_end(h);
    for (uint32_t left = 0; left < 31; left += 30) {
        hand_begin(h, hand_vmem(OP_PLUG, 2, 2));
        h->page[2].private_frame = 0;
        h->page[3].shared_frame = left;
        hand_failed(h, ENOMEM, true, false);
        h->r.error = ENOMEM;
        h->r.response = RESPONSE_BUSY;
        hand_end(h);
        if (!left)
            hand_fine(h);
    }
    expect_rule(h, "O5");
}

static void test_unplug_all(void **state)
{
    struct hand *h = *state;

    hand_plug(h, 0, 2);
    hand_begin(h, (struct op){.kind = OP_RESIZE, .value = 2});
    hand_end(h);
    hand_fine(h);
    hand_begin(h, (struct op){.kind = OP_UNPLUG_ALL});
    hand_set_plugged(h, 0, 2, 0);
    hand_end(h);
    hand_fine(h);
    refused(h, hand_vmem(OP_PLUG, 2, 2), EINVAL, RESPONSE_ERROR); /* the usable size shrank */
    hand_plug(h, 0, 2);
    hand_fine(h);
}

static void test_response_of_refusal(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_PLUG, 0, 8));
    h->r.error = EINVAL;
    h->r.response = RESPONSE_NACK;
    hand_end(h);
    expect_rule(h, "V2");
}

static void test_device_reaches_unplugged(void **state)
{
    struct hand *h = *state;

    hand_begin(h, hand_vmem(OP_DMA_READ, 2, 1));
    h->r.error = 0;
    hand_end(h);
    expect_rule(h, "D1");
}

/* ---- migration ---- */
static uint8_t answer[HAND_PAGES];

/* Everything clean, the states as they are. */
static void fill_answer(const struct hand *h)
{
    for (uint32_t i = 0; i < HAND_PAGES; i++) {
        answer[i] = h->page[i].is_populated ? MIGRATION_SHARED : MIGRATION_PRIVATE;
        if (!h->page[i].is_plugged)
            answer[i] = MIGRATION_DISCARDED;
    }
}

static void sync(struct hand *h)
{
    hand_begin(h, (struct op){.kind = OP_DIRTY_SYNC});
    h->r.dirty = answer;
    hand_end(h);
}

/* Started, and synced once: plain RAM is mapped by c0, pages 2 and 3 are plugged. */
static void start_migration(struct hand *h)
{
    hand_plug(h, 2, 2);
    hand_begin(h, (struct op){.kind = OP_MIGRATE, .value = 1});
    hand_end(h);
    fill_answer(h);
    for (uint32_t i = 0; i < HAND_PAGES; i++)
        answer[i] |= answer[i] == MIGRATION_DISCARDED ? 0 : MIGRATION_DIRTY;
    sync(h);
    hand_fine(h);
    fill_answer(h);
    for (uint32_t i = 14; i < 18; i++)
        answer[i] |= MIGRATION_DIRTY;
}

static void test_sync(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    sync(h);
    hand_fine(h);
    sync(h);
    hand_fine(h);
    answer[2] |= MIGRATION_DIRTY; /* nothing changed it */
    sync(h);
    expect_rule(h, "M1");
}

static void test_mapped_page_clean(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    answer[16] = MIGRATION_SHARED;
    sync(h);
    expect_rule(h, "M1");
}

/* G1: a private page taken for a discarded one. */
static void test_private_is_not_discarded(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    answer[2] = MIGRATION_DISCARDED;
    sync(h);
    expect_rule(h, "M1");
}

static void test_conversion_not_reported(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    hand_share(h, 3, 30);
    hand_fine(h);
    answer[3] = MIGRATION_SHARED;
    sync(h);
    expect_rule(h, "M1");
}

static void test_conversion_of_unplugged(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    hand_begin(h, hand_convert(0, 4, 1, false));
    hand_side(h, 4, false);
    h->page[4].is_populated = 1;
    hand_end(h);
    sync(h); /* it stays discarded, and clean */
    hand_fine(h);
    answer[4] |= MIGRATION_DIRTY;
    sync(h);
    expect_rule(h, "M1");
}

/* What a failed op has tried to map may be reported, or not. */
static void test_failed_conversion(void **state)
{
    struct hand *h = *state;

    for (int dirty = 0; dirty < 2; dirty++) {
        if (!dirty)
            start_migration(h);
        hand_begin(h, hand_convert(0, 3, 1, false));
        hand_failed(h, ENOMEM, true, false);
        h->r.error = ENOMEM;
        hand_end(h);
        hand_fine(h);
        answer[3] = MIGRATION_PRIVATE | (dirty ? MIGRATION_DIRTY : 0);
        sync(h);
        hand_fine(h);
    }
    sync(h); /* but once only */
    expect_rule(h, "M1");
}

/* Mapped for a moment: the device could have written. */
static void test_mapped_for_a_moment(void **state)
{
    struct hand *h = *state;

    start_migration(h);
    half_share(h);
    undo_share(h);
    hand_failed(h, ENOMEM, true, false);
    h->r.error = ENOMEM;
    hand_end(h);
    hand_fine(h);
    sync(h);
    expect_rule(h, "M1");
}

static void test_start_twice(void **state)
{
    struct hand *h = *state;

    refused(h, (struct op){.kind = OP_MIGRATE}, EINVAL, 0);
    refused(h, (struct op){.kind = OP_DIRTY_SYNC}, EINVAL, 0);
    start_migration(h);
    refused(h, (struct op){.kind = OP_MIGRATE, .value = 1}, EBUSY, 0);
    hand_begin(h, (struct op){.kind = OP_MIGRATE});
    hand_end(h);
    hand_fine(h);
    refused(h, (struct op){.kind = OP_MIGRATE}, EINVAL, 0);
}

#define T(name, fn)                                                                            \
    {                                                                                          \
        "model/virtio-mem/" name, fn, hand_setup_vmem, hand_teardown, NULL                     \
    }
#define M(name, fn)                                                                            \
    {                                                                                          \
        "model/migration/" name, fn, hand_setup_vmem, hand_teardown, NULL                      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("plug-convert-unplug-replug", test_round),
        T("convert-while-unplugged", test_convert_while_unplugged),
        T("mapped-while-unplugged", test_mapped_while_unplugged),
        T("refusals", test_refusals),
        T("plugged-bit-forgotten", test_plugged_bit_forgotten),
        T("plugged-outside", test_plugged_outside),
        T("plugged-bit-kept-after-failure", test_plugged_bit_kept_after_failure),
        T("replug-stays-shared", test_replug_stays_shared),
        T("drop-before-unmap", test_drop_before_unmap),
        T("E14-private-side-kept", test_private_side_kept),
        T("failed-drop", test_failed_drop_excuses_one_side),
        T("failed-drop-excuses-no-more", test_failed_drop_excuses_no_more),
        T("failed-plug", test_failed_plug),
        T("unplug-all", test_unplug_all),
        T("response-of-refusal", test_response_of_refusal),
        T("device-reaches-unplugged", test_device_reaches_unplugged),
        M("sync", test_sync),
        M("mapped-page-clean", test_mapped_page_clean),
        M("G1-private-is-not-discarded", test_private_is_not_discarded),
        M("G4-conversion-not-reported", test_conversion_not_reported),
        M("conversion-of-unplugged", test_conversion_of_unplugged),
        M("failed-conversion", test_failed_conversion),
        M("mapped-for-a-moment", test_mapped_for_a_moment),
        M("start-twice", test_start_twice),
    };

    return cmocka_run_group_tests_name("model/virtio-mem", tests, NULL, NULL);
}
