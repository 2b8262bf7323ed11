/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ops of the subject in plain arrays. */
#ifndef TESTS_MODEL_FAKE_OPS_H
#define TESTS_MODEL_FAKE_OPS_H

#include "tests/model_fake.h"

struct request {
    uint32_t slot[64];
    bool changes[64];
    uint32_t n;
    bool to_private;
};

static inline int fake_decide(const struct fake *f, const struct op *op, struct request *q)
{
    uint64_t page = op->start / PAGE_SIZE_4K, pages = op->size / PAGE_SIZE_4K;

    q->n = 0;
    q->to_private = op->to_private;
    if (op->start % PAGE_SIZE_4K || op->size % PAGE_SIZE_4K || !pages)
        return -EINVAL;
    for (uint64_t i = page; i < page + pages; i++) {
        int slot = i < 64 ? fake_gpa[i] - 1 : -1;

        if (slot >= 0 && slot < 12) {
            q->changes[q->n] = f->h.page[slot].is_private != op->to_private;
            q->slot[q->n++] = (uint32_t)slot;
        } else if (op->to_private || (slot >= 0 && slot != 20 && slot != 21)) {
            return f->mistake == CONVERT_PLAIN_RAM ? 0 : -EINVAL;
        }
    }
    return 0;
}

static inline int fake_convert_fits(const struct fake *f, const struct request *q)
{
    for (uint32_t c = 0; c < HAND_CONTAINERS && !q->to_private; c++) {
        uint32_t more = 0;

        for (uint32_t i = 0; i < q->n; i++)
            more += q->changes[i] && fake_hears(f, c, q->slot[i]);
        if (fake_room(f, c, more))
            return -ENOSPC;
    }
    return 0;
}

static inline int fake_retry_debt(struct fake *f, const struct request *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        const struct view_page *p = &f->h.page[q->slot[i]];
        bool side = !p->is_private;
        int error = 0;

        if (f->mistake == DEBT_FORGOTTEN && !q->changes[i])
            continue;
        if (side ? p->private_frame : p->shared_frame)
            error = fake_drop(f, q->slot[i], side);
        if (error)
            return error;
    }
    return 0;
}

static inline int fake_move(struct fake *f, const struct request *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        int error = q->changes[i] ? fake_attribute(f, q->slot[i], q->to_private) : 0;

        if (error)
            return error;
    }
    for (uint32_t i = 0; i < q->n; i++) {
        for (uint32_t c = 0; c < HAND_CONTAINERS; c++) {
            int error = 0;

            if (!q->changes[i] || !fake_hears(f, c, q->slot[i]))
                continue;
            if (q->to_private && f->mistake == DROP_BEFORE_UNMAP)
                error = fake_drop(f, q->slot[i], false);
            if (!error && q->to_private && f->mistake != SKIP_UNMAP)
                error = fake_unmap(f, c, q->slot[i], 1);
            else if (!error && !q->to_private && f->mistake != SKIP_MAP)
                error = fake_map(f, c, q->slot[i], 1);
            if (error && f->mistake != SWALLOW_MAP_ERROR)
                return error;
        }
    }
    return 0;
}

static inline void fake_move_back(struct fake *f, const struct request *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        for (uint32_t c = 0; q->changes[i] && c < HAND_CONTAINERS; c++) {
            if (!fake_hears(f, c, q->slot[i]) || f->mistake == UNDO_KEEPS_MAPPING)
                continue;
            if (q->to_private)
                fake_map_hard(f, c, q->slot[i], 1);
            else
                fake_unmap_hard(f, c, q->slot[i], 1);
        }
    }
    /* What may still be mapped stays shared. */
    for (uint32_t i = 0; i < q->n && (q->to_private || !f->stopped); i++)
        if (q->changes[i] && f->h.page[q->slot[i]].is_private == q->to_private &&
            f->mistake != UNDO_KEEPS_ATTRIBUTE)
            fake_undone(f, fake_attribute(f, q->slot[i], !q->to_private));
    for (uint32_t i = 0; i < q->n && !f->stopped && f->mistake != UNDO_KEEPS_FRAME; i++)
        if (q->changes[i] && !q->to_private && f->h.page[q->slot[i]].shared_frame)
            fake_undone(f, fake_drop(f, q->slot[i], false));
}

static inline void fake_commit(struct fake *f, const struct request *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        const struct view_page *p = &f->h.page[q->slot[i]];

        if (f->mistake != FORGET_TRACKER)
            f->h.page[q->slot[i]].is_populated = !q->to_private;
        if (f->mistake == TOUCH_LIVE_SIDE && !q->changes[i] && p->private_frame)
            fake_drop(f, q->slot[i], true);
        if (!q->changes[i] || f->mistake == FORGET_DROP)
            continue;
        if ((q->to_private ? p->shared_frame : p->private_frame) &&
            fake_drop(f, q->slot[i], !q->to_private))
            fake_drop(f, q->slot[i], !q->to_private); /* once more; then it is debt */
    }
    if (f->mistake == ONE_PAGE_TOO_MANY && q->n && q->slot[q->n - 1] < 11)
        fake_attribute(f, q->slot[q->n - 1] + 1, !f->h.page[q->slot[q->n - 1] + 1].is_private);
}

static inline int fake_convert(struct fake *f, const struct op *op)
{
    struct request q;
    int slot = op->start / PAGE_SIZE_4K < 64 ? fake_gpa[op->start / PAGE_SIZE_4K] - 1 : -1;
    bool attribute = slot >= 0 && f->h.page[slot].is_private;
    int error;

    if (op->via == VIA_FAULT && attribute == op->to_private)
        return 0;
    error = fake_decide(f, op, &q);
    f->h.r.has_status = op->via == VIA_HYPERCALL;
    f->h.r.guest_status = error ? EINVAL : 0;
    if (error)
        return error;
    error = fake_convert_fits(f, &q);
    if (!error)
        error = fake_retry_debt(f, &q);
    if (!error)
        error = fake_move(f, &q);
    if (!error) {
        fake_commit(f, &q);
        return 0;
    }
    f->h.r.guest_status = f->mistake == STATUS_ALWAYS_GOOD ? 0 : EAGAIN;
    if (f->h.m.axis[AXIS_failure] == FAILURE_STOP || f->mistake == STOP_WITHOUT_LEAVE)
        f->stopped = true;
    else
        fake_move_back(f, &q);
    return error;
}

/* Every part that the container has mapped, as it was mapped. */
static inline int fake_all_parts(struct fake *f, uint32_t c, fake_part_fn *fn)
{
    if (c == 0)
        return fake_parts(f, 0, 0, f->mistake == ATTACH_SKIPS_LAST ? 19 : 20, fn);
    for (uint32_t i = 0; i < 8; i++)
        fake_parts(f, 1, f->listener[i].lo, f->listener[i].hi, fn);
    return 0;
}

static inline int fake_attach(struct fake *f, uint32_t device)
{
    uint32_t c = device == 2;
    bool first = !f->h.c[c].open;
    int error;

    if (f->attached[device])
        return -EEXIST;
    f->counted = 0;
    if (first && c == 0)
        fake_all_parts(f, 0, fake_count);
    error = fake_room(f, c, f->counted);
    if (!error)
        error = fake_early(f); /* open */
    if (error)
        return error;
    f->h.c[c].open = true;
    error = fake_late(f);
    if (!error && first && c == 0)
        error = fake_all_parts(f, 0, fake_map_absent);
    if (!error) {
        f->h.totals.fds++;
        f->attached[device] = true;
        return 0;
    }
    if (!first)
        return error;
    fake_all_parts(f, c, fake_unmap_free);
    f->h.c[c].open = false;
    hand_call(&f->h);
    return error;
}

static inline int fake_detach(struct fake *f, uint32_t device)
{
    uint32_t c = device == 2;

    if (!f->attached[device])
        return -ENOENT;
    f->h.totals.fds--;
    f->attached[device] = false;
    if (c == 0 && f->attached[!device])
        return 0;
    fake_all_parts(f, c, fake_unmap_present); /* a failure is no matter: */
    fake_all_parts(f, c, fake_unmap_free);    /* closing takes the rest */
    f->h.c[c].open = f->mistake == CLOSE_FORGOTTEN;
    if (c == 1)
        memset(f->listener, 0, sizeof(f->listener));
    hand_call(&f->h);
    return 0;
}

/* Home pages of a range of a region, all of RAM and with an address. */
static inline bool fake_range(const struct op *op, uint32_t *lo, uint32_t *hi)
{
    static const uint32_t first[] = {0, 8, 14, 18}, placed[] = {8, 4, 4, 2};

    if (op->region > 3 || op->start % PAGE_SIZE_4K || op->size % PAGE_SIZE_4K || !op->size ||
        op->start + op->size > (uint64_t)placed[op->region] * PAGE_SIZE_4K)
        return false;
    *lo = first[op->region] + (uint32_t)(op->start / PAGE_SIZE_4K);
    *hi = *lo + (uint32_t)(op->size / PAGE_SIZE_4K);
    return true;
}

static inline int fake_listen(struct fake *f, const struct op *op)
{
    uint32_t lo = 0, hi = 0, slot = 8;
    int error;

    if (!fake_range(op, &lo, &hi))
        return -EINVAL;
    if (!f->h.c[op->unit].open)
        return -ENODEV;
    for (uint32_t i = lo; i < hi; i++)
        if (fake_hears(f, op->unit, i))
            return -EEXIST;
    for (uint32_t i = 0; i < 8; i++)
        if (f->listener[i].lo == f->listener[i].hi)
            slot = i;
    assert_true(slot < 8);
    f->counted = 0;
    fake_parts(f, 1, lo, hi, fake_count);
    if (fake_room(f, 1, f->counted))
        return -ENOSPC;
    error =
        fake_parts(f, 1, lo, hi + (f->mistake == LISTEN_TOO_FAR && hi < 11), fake_map_absent);
    if (error) {
        fake_parts(f, 1, lo, hi, fake_unmap_hard);
        return error;
    }
    f->listener[slot].lo = lo;
    f->listener[slot].hi = hi;
    return 0;
}

static inline int fake_unlisten(struct fake *f, const struct op *op)
{
    uint32_t lo = 0, hi = 0;

    if (op->unit == 0 || !fake_range(op, &lo, &hi))
        return -ENOENT;
    for (uint32_t i = 0; i < 8; i++) {
        int error;

        if (f->listener[i].lo != lo || f->listener[i].hi != hi)
            continue;
        error = fake_parts(f, 1, lo, hi - (f->mistake == UNLISTEN_FORGETS_ONE && lo < 12),
                           fake_unmap_present);
        if (error)
            fake_parts(f, 1, lo, hi, fake_map_hard);
        else
            f->listener[i].lo = f->listener[i].hi = 0;
        return error;
    }
    return -ENOENT;
}

/* The machine, not the subject: a vCPU's or a device's access to one page. */
static inline int fake_access(struct fake *f, const struct op *op)
{
    int slot = fake_gpa[op->start / PAGE_SIZE_4K] - 1;
    bool dma = op->kind == OP_DMA_READ || op->kind == OP_DMA_WRITE;
    bool writes = op->kind == OP_WRITE || op->kind == OP_DMA_WRITE;
    const struct view_mapping *map;
    uint32_t frame;

    if (dma && !f->attached[op->unit])
        return -ENODEV;
    if (slot < 0 || slot == 20 || slot == 21)
        return -EFAULT;
    map = &f->h.map[op->unit == 2][slot];
    if (dma && (!map->frame || (writes && map->access == RO)))
        return -EFAULT;
    if (!dma && writes && fake_rom((uint32_t)slot))
        return -EACCES;
    if (!dma)
        fake_touch(f, (uint32_t)slot, f->h.page[slot].is_private);
    frame = dma ? map->frame
                : (f->h.page[slot].is_private ? f->h.page[slot].private_frame
                                              : f->h.page[slot].shared_frame);
    if (writes)
        f->content[frame] = op->value;
    f->h.r.data = f->content[frame];
    return 0;
}

static inline int fake_query(struct fake *f, const struct op *op)
{
    uint32_t lo = (op->region ? 8 : 0) + (uint32_t)(op->start / PAGE_SIZE_4K);

    f->h.r.data = 1;
    for (uint32_t i = lo; i < lo + op->size / PAGE_SIZE_4K; i++)
        if (!f->h.page[i].is_populated && f->mistake != QUERY_ALWAYS_YES)
            f->h.r.data = 0;
    return 0;
}

static inline void fake_run(struct fake *f, const struct op *op)
{
    int error = -EIO;

    f->calls = 0;
    hand_begin(&f->h, *op);
    if (!f->stopped || f->mistake == RUN_AFTER_STOP) {
        switch (op->kind) {
        case OP_CONVERT:
            error = fake_convert(f, op);
            break;
        case OP_ATTACH:
            error = fake_attach(f, op->unit);
            break;
        case OP_DETACH:
            error = fake_detach(f, op->unit);
            break;
        case OP_LISTEN:
            error = fake_listen(f, op);
            break;
        case OP_UNLISTEN:
            error = fake_unlisten(f, op);
            break;
        case OP_QUERY:
            error = fake_query(f, op);
            break;
        default:
            error = fake_access(f, op);
            break;
        }
    }
    fake_finish(f, error);
    hand_end(&f->h);
}

#endif
