/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical pages. A page lives while a backing owns it or a device has it pinned; its serial is
 * its name for ever, its place in the table may be used again.
 */
#include "sim/world.h"

#include <string.h>

enum { FRAMES_FIRST = 64 };

static int frames_grow(struct sim_world *w)
{
    struct frames *f = &w->frames;
    uint32_t capacity = f->capacity ? 2 * f->capacity : FRAMES_FIRST;
    struct frame *table = arena_alloc(w->arena, capacity * sizeof(*table));

    assert(capacity > f->capacity);
    if (!table)
        return -ENOMEM;
    if (f->n)
        memcpy(table, f->table, f->n * sizeof(*table));
    else
        f->n = 1; /* index 0 means "none" */
    arena_free(w->arena, f->table);
    f->table = table;
    f->capacity = capacity;
    return 0;
}

uint32_t frame_new(struct sim_world *w)
{
    struct frames *f = &w->frames;
    uint32_t index = f->free_head;
    struct frame *frame;

    if (index) {
        f->free_head = f->table[index].next_free;
    } else {
        if (f->n == f->capacity && frames_grow(w) != 0)
            return 0;
        index = f->n++;
    }
    frame = frame_at(f, index);
    assert(frame->serial == 0 && frame->pins == 0 && frame->owners == 0);
    frame->content = 0;
    frame->serial = ++f->next_serial;
    frame->owners = 1;
    frame->next_free = 0;
    f->live++;
    return index;
}

static void frame_free_if_unused(struct frames *f, uint32_t index)
{
    struct frame *frame = frame_at(f, index);

    assert(frame->serial != 0 && f->live > 0);
    if (frame->owners || frame->pins)
        return;
    frame->serial = 0;
    frame->content = 0;
    frame->next_free = f->free_head;
    f->free_head = index;
    f->live--;
}

void frame_disown(struct sim_world *w, uint32_t index)
{
    struct frame *frame = frame_at(&w->frames, index);

    assert(frame->serial != 0 && frame->owners == 1);
    frame->owners = 0;
    frame_free_if_unused(&w->frames, index);
}

void frame_pin(struct sim_world *w, uint32_t index)
{
    struct frame *frame = frame_at(&w->frames, index);

    assert(frame->serial != 0 && frame->owners == 1);
    frame->pins++;
    w->frames.pins++;
}

void frame_unpin(struct sim_world *w, uint32_t index)
{
    struct frame *frame = frame_at(&w->frames, index);

    assert(frame->serial != 0 && frame->pins > 0 && w->frames.pins > 0);
    frame->pins--;
    w->frames.pins--;
    frame_free_if_unused(&w->frames, index);
}
