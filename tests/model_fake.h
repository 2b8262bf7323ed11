/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A subject and its world in plain arrays, obviously right and slow, on the machine of
 * model_hand.h; with a list of mistakes that it can be told to make. It shares nothing with
 * the model: its own tables, its own decision table.
 */
#ifndef TESTS_MODEL_FAKE_H
#define TESTS_MODEL_FAKE_H

#include "tests/model_hand.h"

enum mistake {
    RIGHT,
    DROP_BEFORE_UNMAP,
    SKIP_UNMAP,
    SKIP_MAP,
    FORGET_TRACKER,
    FORGET_DROP,
    UNDO_KEEPS_ATTRIBUTE,
    UNDO_KEEPS_MAPPING,
    UNDO_KEEPS_FRAME,
    SWALLOW_MAP_ERROR,
    ONE_PAGE_TOO_MANY,
    ROM_WRITABLE,
    ATTACH_SKIPS_LAST,
    LISTEN_TOO_FAR,
    UNLISTEN_FORGETS_ONE,
    STATUS_ALWAYS_GOOD,
    WRONG_ERRNO,
    DEBT_FORGOTTEN,
    STALE_CONTENT,
    QUERY_ALWAYS_YES,
    CONVERT_PLAIN_RAM,
    LEAK_AT_END,
    COUNT_PINS_TWICE,
    STOP_WITHOUT_LEAVE,
    RUN_AFTER_STOP,
    REFUSE_LAST_ENTRY,
    TOUCH_LIVE_SIDE,
    CLOSE_FORGOTTEN,
    MISTAKES
};

enum { FRAMES_MAX = 2000 };

struct fake {
    struct hand h;
    enum mistake mistake;
    uint64_t rng;
    uint64_t content[FRAMES_MAX];
    uint32_t next_frame;
    bool attached[HAND_DEVICES];
    struct {
        uint32_t lo, hi; /* home pages; lo == hi: free */
    } listener[8];       /* of c1 */
    bool stopped;
    uint32_t fail_at; /* from the n-th call of this op on ... */
    uint32_t fail_n;  /* ... so many calls fail */
    int fail_error;
    bool fail_late;
    uint32_t calls;
    uint32_t counted; /* by fake_count */
};

static const uint8_t fake_gpa[64] = {
    /* slot + 1 by GPA page */
    [16] = 1,  [17] = 2,  [18] = 3,  [19] = 4,  [20] = 5,  [21] = 6,  [22] = 7,  [23] = 8,
    [24] = 9,  [25] = 10, [26] = 11, [27] = 12, [28] = 21, [29] = 22, [40] = 15, [41] = 16,
    [42] = 17, [43] = 18, [48] = 23, [49] = 24, [50] = 25, [51] = 26, [60] = 19, [61] = 20,
};

static inline uint32_t fake_random(struct fake *f, uint32_t n)
{
    f->rng = f->rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(f->rng >> 33) % n;
}

static inline uint32_t fake_home(uint32_t slot)
{
    return slot >= HAND_PAGES ? slot - 8 : slot;
}

static inline bool fake_rom(uint32_t slot)
{
    return slot == 18 || slot == 19;
}

static inline bool fake_hears(const struct fake *f, uint32_t c, uint32_t slot)
{
    if (c == 0)
        return f->attached[0] || f->attached[1];
    for (uint32_t i = 0; f->attached[2] && i < 8; i++)
        if (fake_home(slot) >= f->listener[i].lo && fake_home(slot) < f->listener[i].hi)
            return true;
    return false;
}

static inline bool fake_fails(const struct fake *f, bool late)
{
    return f->calls >= f->fail_at && f->calls < f->fail_at + f->fail_n && f->fail_late == late;
}

/* ---- host calls: each may be told to fail, early or late ---- */
static inline int fake_early(struct fake *f)
{
    f->calls++;
    if (!fake_fails(f, false))
        return 0;
    hand_failed(&f->h, f->fail_error, true, f->h.r.n_failed > 0);
    hand_call(&f->h);
    return -f->fail_error;
}

static inline int fake_late(struct fake *f)
{
    int error = fake_fails(f, true) ? -f->fail_error : 0;

    if (error)
        hand_failed(&f->h, f->fail_error, true, f->h.r.n_failed > 0);
    hand_call(&f->h);
    return error;
}

static inline int fake_attribute(struct fake *f, uint32_t slot, bool is_private)
{
    int error = fake_early(f);

    if (error)
        return error;
    f->h.page[slot].is_private = is_private;
    return fake_late(f);
}

static inline void fake_touch(struct fake *f, uint32_t slot, bool private_side)
{
    uint32_t home = fake_home(slot);
    uint32_t *frame =
        private_side ? &f->h.page[home].private_frame : &f->h.page[home].shared_frame;

    if (!*frame) {
        *frame = f->next_frame++;
        assert_true(f->next_frame < FRAMES_MAX);
        f->content[*frame] = f->mistake == STALE_CONTENT ? 77 : 0;
    }
    if (home >= 14 && home < 18)
        f->h.page[home + 8].shared_frame = f->h.page[home].shared_frame;
}

static inline uint32_t fake_locked(const struct fake *f)
{
    return (uint32_t)(f->h.c[0].mapped_pages + f->h.c[1].mapped_pages);
}

static inline uint32_t fake_limit(const struct fake *f, uint32_t c)
{
    return f->h.m.containers[c].entry_limit - (f->mistake == REFUSE_LAST_ENTRY);
}

/* Asked before anything is done. */
static inline int fake_room(const struct fake *f, uint32_t c, uint32_t more)
{
    return more && f->h.c[c].entries + more > fake_limit(f, c) ? -ENOSPC : 0;
}

/* Maps n slots as one entry: a guest_memfd page, or a plain section's part. */
static inline int fake_map(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    int error = fake_early(f);

    if (error)
        return error;
    if (f->h.c[c].entries + 1 > fake_limit(f, c))
        error = ENOSPC;
    else if (f->h.m.memlock_pages && fake_locked(f) + n > f->h.m.memlock_pages)
        error = ENOMEM;
    if (error) {
        hand_failed(&f->h, error, false, f->h.r.n_failed > 0);
        hand_call(&f->h);
        return -error;
    }
    for (uint32_t i = first; i < first + n; i++) {
        fake_touch(f, i, false);
        f->h.map[c][i].frame = f->h.page[i].shared_frame;
        f->h.map[c][i].access = fake_rom(i) && f->mistake != ROM_WRITABLE ? RO : RW;
    }
    f->h.c[c].entries++;
    f->h.c[c].mapped_pages += n;
    f->h.c[c].pins += f->mistake == COUNT_PINS_TWICE ? 2 * n : n;
    return fake_late(f);
}

static inline int fake_unmap(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    int error = fake_early(f);

    if (error)
        return error;
    f->h.c[c].entries--;
    for (uint32_t i = first; i < first + n; i++) {
        f->h.map[c][i] = (struct view_mapping){.frame = 0};
        f->h.c[c].mapped_pages--;
        f->h.c[c].pins--;
    }
    return fake_late(f);
}

static inline int fake_drop(struct fake *f, uint32_t slot, bool private_side)
{
    uint32_t failed_before = f->h.r.n_failed;
    int error = fake_early(f);

    if (!error) {
        if (private_side)
            f->h.page[slot].private_frame = 0;
        else
            f->h.page[slot].shared_frame = 0;
        error = fake_late(f);
    }
    if (f->h.r.n_failed > failed_before)
        f->h.r.failed[failed_before].is_drop = true;
    return error;
}

/* ---- what the subject is made of ---- */
/* An undo step that fails stops the VM; a late failure has done its work all the same. */
static inline void fake_undone(struct fake *f, int error)
{
    if (error)
        f->stopped = true;
}

static inline void fake_finish(struct fake *f, int error)
{
    f->h.r.error = f->mistake == WRONG_ERRNO && error ? EXDEV : -error;
    f->h.r.stopped = f->stopped;
}

/* Parts of RAM that take one entry each, in [lo, hi) of home pages: calls fn once a part. */
typedef int fake_part_fn(struct fake *f, uint32_t c, uint32_t first, uint32_t n);

static inline int fake_parts(struct fake *f, uint32_t c, uint32_t lo, uint32_t hi,
                             fake_part_fn *fn)
{
    static const uint32_t plain[3][2] = {{14, 18}, {18, 20}, {22, 26}};
    int error = 0;

    for (uint32_t i = lo; i < hi && i < 12 && !error; i++)
        if (f->h.page[i].is_populated)
            error = fn(f, c, i, 1);
    for (uint32_t i = 0; i < 3 && !error; i++) {
        uint32_t shift = i == 2 ? 8 : 0;
        uint32_t from = lo + shift > plain[i][0] ? lo + shift : plain[i][0];
        uint32_t to = hi + shift < plain[i][1] ? hi + shift : plain[i][1];

        if (from < to)
            error = fn(f, c, from, to - from);
    }
    return error;
}

static inline int fake_count(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    (void)n;
    f->counted += !f->h.map[c][first].frame;
    return 0;
}

static inline int fake_map_absent(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    return f->h.map[c][first].frame ? 0 : fake_map(f, c, first, n);
}

static inline int fake_unmap_present(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    return f->h.map[c][first].frame ? fake_unmap(f, c, first, n) : 0;
}

/* Undo: goes on whatever fails. */
static inline int fake_unmap_hard(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    fake_undone(f, fake_unmap_present(f, c, first, n));
    return 0;
}

static inline int fake_map_hard(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    fake_undone(f, fake_map_absent(f, c, first, n));
    return 0;
}

/* Closing takes everything with it. */
static inline int fake_unmap_free(struct fake *f, uint32_t c, uint32_t first, uint32_t n)
{
    if (!f->h.map[c][first].frame)
        return 0;
    f->fail_n = 0;
    return fake_unmap(f, c, first, n);
}

#endif
