/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small machine and a model on it, fed by hand: what tests of the oracle have in common.
 *
 *   region 0  guest_memfd, 8 pages at GPA pages 16..23           guest pages  0..7
 *   region 1  guest_memfd, 6 pages, the first 4 at 24..27        guest pages  8..13
 *   region 2  plain RAM, 4 pages at 40..43 and again at 48..51   guest pages 14..17, 22..25
 *   region 3  ROM, 2 pages at 60..61                             guest pages 18..19
 *   region 4  MMIO, 2 pages at 28..29                            guest pages 20..21
 *   c0 listens to all (d0, d1), c1 to what OP_LISTEN says (d2)
 */
#ifndef TESTS_MODEL_HAND_H
#define TESTS_MODEL_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "model/model.h"

enum { HAND_PAGES = 22, HAND_SLOTS = 26, HAND_CONTAINERS = 2, HAND_DEVICES = 3 };
enum { RW = 3, RO = 1, NONE = 0 };

struct hand {
    struct machine m;
    struct model *o;
    struct view_page page[HAND_SLOTS];
    struct view_mapping map[HAND_CONTAINERS][HAND_SLOTS];
    struct view_container c[HAND_CONTAINERS];
    struct view_totals totals;
    uint64_t others; /* pins that are not a mapping's */
    struct op op;
    struct op_result r;
    struct violation v;
    bool bad; /* a rule did not hold: *v */
};

static const struct region_decl hand_regions[] = {
    {.kind = REGION_RAM, .guest_memfd = 1, .n_pages = 8},
    {.kind = REGION_RAM, .guest_memfd = 1, .n_pages = 6},
    {.kind = REGION_RAM, .n_pages = 4},
    {.kind = REGION_ROM, .n_pages = 2},
    {.kind = REGION_MMIO, .n_pages = 2},
};

static const struct section_decl hand_sections[] = {
    {.region = 2, .n_pages = 4, .gpa_page = 40}, {.region = 0, .n_pages = 8, .gpa_page = 16},
    {.region = 1, .n_pages = 4, .gpa_page = 24}, {.region = 3, .n_pages = 2, .gpa_page = 60},
    {.region = 4, .n_pages = 2, .gpa_page = 28}, {.region = 2, .n_pages = 4, .gpa_page = 48},
};

static inline void hand_machine(struct machine *m)
{
    memset(m, 0, sizeof(*m));
    m->n_vcpus = 1;
    m->n_regions = sizeof(hand_regions) / sizeof(hand_regions[0]);
    m->n_sections = sizeof(hand_sections) / sizeof(hand_sections[0]);
    memcpy(m->regions, hand_regions, sizeof(hand_regions));
    memcpy(m->sections, hand_sections, sizeof(hand_sections));
    m->n_containers = HAND_CONTAINERS;
    m->containers[0] = (struct container_decl){.listen_all = 1, .entry_limit = 100};
    m->containers[1] = (struct container_decl){.listen_all = 0, .entry_limit = 100};
    m->n_devices = HAND_DEVICES;
    m->devices[2].container = 1;
}

static inline bool hand_gmem(uint32_t slot)
{
    return slot < 14;
}

/* Makes the model; the views are in the start state, not yet told. */
static inline void hand_new(struct hand *h)
{
    void *memory = aligned_alloc(64, (model_size(&h->m) + 63) & ~(size_t)63);

    assert_non_null(memory);
    memset(memory, 0, model_size(&h->m));
    h->o = model_new(memory, &h->m);
    for (uint32_t i = 0; i < HAND_SLOTS; i++) {
        h->page[i].is_private = i < 12; /* 12, 13 have no address */
        h->page[i].is_populated = !hand_gmem(i);
        h->page[i].is_plugged = 1;
    }
    h->totals.memlock_pages = UINT64_MAX;
}

static inline void hand_tell_page(struct hand *h, uint32_t i)
{
    const struct view_page *last = model_page(h->o, i), *page = &h->page[i];
    struct view_truth truth = {.shared_frame = page->shared_frame,
                               .private_frame = page->private_frame,
                               .is_private = page->is_private};

    model_see_bits(h->o, i, last->is_plugged != page->is_plugged, page->is_plugged, true);
    model_see_truth(h->o, i, 1, &truth);
    model_see_bits(h->o, i, last->is_populated != page->is_populated, page->is_populated,
                   false);
}

/* Tells everything, as run/ would tell what changed. */
static inline void hand_tell(struct hand *h)
{
    uint64_t mapped = 0;

    for (uint32_t i = 0; i < HAND_SLOTS; i++)
        hand_tell_page(h, i);
    for (uint32_t c = 0; c < HAND_CONTAINERS; c++) {
        for (uint32_t i = 0; i < HAND_SLOTS; i++)
            model_see_mapping(h->o, c, i, &h->map[c][i]);
        model_see_container(h->o, c, &h->c[c]);
        mapped += h->c[c].mapped_pages;
    }
    h->totals.pins = mapped + h->others;
    h->totals.locked_pages = mapped;
    model_see_totals(h->o, &h->totals);
}

/* One host call has returned; the first thing that was wrong stays. */
static inline void hand_call(struct hand *h)
{
    struct violation v = {0};

    hand_tell(h);
    h->r.n_calls++;
    if (!model_after_call(h->o, &v) && !h->bad) {
        h->bad = true;
        h->v = v;
    }
}

static inline void hand_ready(struct hand *h)
{
    hand_tell(h);
    if (!model_ready(h->o, &h->v))
        h->bad = true;
}

static inline void hand_begin(struct hand *h, struct op op)
{
    h->op = op;
    memset(&h->r, 0, sizeof(h->r));
    h->r.blocked_page = MODEL_NO_PAGE;
    model_op_begin(h->o, &h->op);
}

static inline void hand_end(struct hand *h)
{
    struct violation v = {0};

    hand_tell(h);
    if (!model_op_end(h->o, &h->r, &v) && !h->bad) {
        h->bad = true;
        h->v = v;
    }
}

/* A call of this op failed. */
static inline void hand_failed(struct hand *h, int error, bool injected, bool in_undo)
{
    h->r.failed[h->r.n_failed++] = (struct failed_call){
        .error = (uint16_t)error, .injected = injected, .in_undo = in_undo};
}

static inline void hand_failed_drop(struct hand *h)
{
    hand_failed(h, EIO, true, false);
    h->r.failed[h->r.n_failed - 1].is_drop = true;
}

/* ---- the world, by hand ---- */
static inline void hand_map(struct hand *h, uint32_t c, uint32_t slot, uint32_t frame,
                            uint32_t access)
{
    int step = (frame != 0) - (h->map[c][slot].frame != 0);
    /* Plain sections take one entry at their first page. */
    bool entry = hand_gmem(slot) || slot == 14 || slot == 22 || slot == 18;

    h->map[c][slot] = (struct view_mapping){
        .frame = frame, .access = (uint8_t)access, .head = frame && entry};
    h->c[c].mapped_pages += (uint64_t)(int64_t)step;
    h->c[c].pins += (uint64_t)(int64_t)step;
    h->c[c].entries += entry ? (uint32_t)step : 0;
}

/* mapping=run: slots [slot, slot + n) as one mapping, on frames from `frame` on. */
static inline void hand_map_run(struct hand *h, uint32_t c, uint32_t slot, uint32_t n,
                                uint32_t frame)
{
    for (uint32_t i = 0; i < n; i++)
        h->map[c][slot + i] =
            (struct view_mapping){.frame = frame + i, .access = RW, .head = i == 0};
    h->c[c].mapped_pages += n;
    h->c[c].pins += n;
    h->c[c].entries++;
}

/* The mappings that these slots are make n_mappings. */
static inline void hand_unmap_run(struct hand *h, uint32_t c, uint32_t slot, uint32_t n,
                                  uint32_t n_mappings)
{
    for (uint32_t i = 0; i < n; i++)
        h->map[c][slot + i] = (struct view_mapping){.frame = 0};
    h->c[c].mapped_pages -= n;
    h->c[c].pins -= n;
    h->c[c].entries -= n_mappings;
}

/* d0 comes to c0: plain RAM, its alias and the ROM get mapped; frames 1000 + page. */
static inline void hand_attach(struct hand *h)
{
    static const uint32_t slots[] = {14, 15, 16, 17, 22, 23, 24, 25, 18, 19};

    hand_begin(h, (struct op){.kind = OP_ATTACH, .unit = 0});
    h->c[0].open = true;
    h->c[0].entry_limit = 100;
    hand_call(h);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t frame = 1000 + (slots[i] >= 22 ? slots[i] - 8 : slots[i]);

        h->page[slots[i]].shared_frame = frame;
        hand_map(h, 0, slots[i], frame, slots[i] == 18 || slots[i] == 19 ? RO : RW);
    }
    hand_call(h);
    h->totals.fds++;
    hand_end(h);
}

static inline struct op hand_convert(uint32_t region, uint32_t first, uint32_t n,
                                     bool to_private)
{
    return (struct op){.kind = OP_CONVERT,
                       .region = (uint8_t)region,
                       .to_private = to_private,
                       .via = VIA_VMM,
                       .start = (uint64_t)first * PAGE_SIZE_4K,
                       .size = (uint64_t)n * PAGE_SIZE_4K};
}

static inline void hand_side(struct hand *h, uint32_t slot, bool is_private)
{
    h->page[slot].is_private = is_private;
}

/* Guest page `slot` of a guest_memfd region becomes shared on `frame`, c0 maps it. */
static inline void hand_share(struct hand *h, uint32_t slot, uint32_t frame)
{
    uint32_t region = slot < 8 ? 0 : 1;

    hand_begin(h, hand_convert(region, slot - (region ? 8 : 0), 1, false));
    hand_side(h, slot, false);
    hand_call(h);
    h->page[slot].shared_frame = frame;
    if (h->c[0].open)
        hand_map(h, 0, slot, frame, RW);
    h->page[slot].is_populated = true;
    hand_call(h);
    h->page[slot].private_frame = 0;
    hand_call(h);
    hand_end(h);
}

/* K and M as in the middle of a to-shared conversion of page 3. */
static inline void half_share(struct hand *h)
{
    hand_begin(h, hand_convert(0, 3, 1, false));
    hand_side(h, 3, false);
    hand_call(h);
    h->page[3].shared_frame = 30;
    hand_map(h, 0, 3, 30, RW);
    hand_call(h);
}

static inline void undo_share(struct hand *h)
{
    hand_map(h, 0, 3, 0, NONE);
    hand_side(h, 3, true);
    hand_call(h);
    h->page[3].shared_frame = 0;
    hand_call(h);
}

static inline int hand_setup(void **state)
{
    struct hand *h = calloc(1, sizeof(*h));

    if (!h)
        return -1;
    hand_machine(&h->m);
    hand_new(h);
    hand_ready(h);
    *state = h;
    return h->bad ? -1 : 0;
}

/* With d0 attached. */
static inline int hand_setup_attached(void **state)
{
    struct hand *h;

    if (hand_setup(state))
        return -1;
    h = *state;
    hand_attach(h);
    return h->bad ? -1 : 0;
}

/* The same with mapping=run. */
static inline int hand_setup_runs(void **state)
{
    struct hand *h = calloc(1, sizeof(*h));

    if (!h)
        return -1;
    hand_machine(&h->m);
    h->m.axis[AXIS_mapping] = MAPPING_RUN;
    hand_new(h);
    hand_ready(h);
    hand_attach(h);
    *state = h;
    return h->bad ? -1 : 0;
}

/* With mode=inplace: one frame a page, told as that of the side that is live. */
static inline int hand_setup_inplace(void **state)
{
    struct hand *h = calloc(1, sizeof(*h));

    if (!h)
        return -1;
    hand_machine(&h->m);
    h->m.axis[AXIS_mode] = MODE_INPLACE;
    h->m.axis[AXIS_kernel] = KERNEL_PROPOSED;
    hand_new(h);
    hand_ready(h);
    hand_attach(h);
    *state = h;
    return h->bad ? -1 : 0;
}

/* The kernel says so now; the frame stays. */
static inline void hand_flip(struct hand *h, uint32_t slot, bool is_private)
{
    struct view_page *p = &h->page[slot];
    uint32_t frame = p->shared_frame ? p->shared_frame : p->private_frame;

    p->is_private = is_private;
    p->private_frame = is_private ? frame : 0;
    p->shared_frame = is_private ? 0 : frame;
}

static inline struct op hand_pin(uint32_t kind, uint32_t first, uint32_t n)
{
    return (struct op){.kind = (uint8_t)kind,
                       .start = (uint64_t)first * PAGE_SIZE_4K,
                       .size = (uint64_t)n * PAGE_SIZE_4K};
}

static inline int hand_teardown(void **state)
{
    struct hand *h = *state;

    free(h->o);
    free(h);
    return 0;
}

/* The rule "S2" and no other was found first. */
static inline void hand_expect(const struct hand *h, const char *rule)
{
    if (!h->bad)
        fail_msg("expected %s, but nothing was found", rule);
    if (strncmp(h->v.rule, rule, strlen(rule)) || h->v.rule[strlen(rule)] != ' ')
        fail_msg("expected %s, found %s: %s", rule, h->v.rule, h->v.detail);
}

static inline void hand_fine(const struct hand *h)
{
    if (h->bad)
        fail_msg("found %s, page %u: %s", h->v.rule, h->v.page, h->v.detail);
}

/* Refused with that errno, and nothing was done. */
static inline void hand_refused(struct hand *h, struct op op, int error)
{
    hand_begin(h, op);
    h->r.error = error;
    hand_end(h);
    hand_fine(h);
    assert_int_equal(model_outcome(h->o), MODEL_REJECTED);
}

#endif
