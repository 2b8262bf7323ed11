/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the oracle knows of the world, in a canonical form: 64-bit words in which frames are
 * numbered by first use, so that two states that differ in history alone are equal. No serial
 * numbers, no counters of what happened. Contents are the tokens that the program's ops write:
 * there are few of them, and an op may write the same one again.
 */
#include <string.h>

#include "model/state.h"

enum { FRAMES = 256 };

struct canon {
    uint8_t *buf;
    size_t size, used;
    uint32_t frames[FRAMES]; /* in order of first use */
    uint32_t n_frames;
};

/* By first use, from 1 on. More frames than fit keep their own numbers: that keeps states
 * apart that are equal, never the other way round. */
static uint64_t frame_number(struct canon *w, uint32_t frame)
{
    uint32_t i = 0;

    if (frame == 0)
        return 0;
    while (i < w->n_frames && w->frames[i] != frame)
        i++;
    if (i == FRAMES)
        return UINT64_C(1) << 32 | frame;
    if (i == w->n_frames)
        w->frames[w->n_frames++] = frame;
    return i + 1;
}

static void put(struct canon *w, uint64_t value)
{
    if (w->used + sizeof(value) <= w->size)
        memcpy(w->buf + w->used, &value, sizeof(value));
    w->used += sizeof(value);
}

static void put_machine(struct canon *w, const struct model *o)
{
    put(w, (uint64_t)o->stopped | (uint64_t)o->drop_failed << 1 | (uint64_t)o->migrating << 2);
    for (uint32_t i = 0; i < o->m->n_devices; i++)
        put(w, o->attached[i]);
    for (uint32_t i = 0; i < GUARD_KIND_COUNT; i++)
        put(w, o->guards[i]);
    for (uint32_t i = 0; i < o->m->n_regions; i++) {
        put(w, (uint64_t)o->vmem[i].requested << 32 | o->vmem[i].usable);
        put(w, region_is_absent(o, i));
        put(w, (uint64_t)o->held[i].hi << 32 | o->held[i].lo);
    }
    put(w, o->totals.pins);
    put(w, o->totals.locked_pages);
    put(w, (uint64_t)o->totals.fds << 32 | o->totals.vmas);
    put(w, o->totals.frames);
}

static void put_slot(struct canon *w, const struct model *o, uint32_t slot)
{
    const struct view_page *s = &o->slots[slot].seen;

    put(w, (uint64_t)s->is_private | (uint64_t)s->is_populated << 1 |
               (uint64_t)s->is_plugged << 2);
    put(w, frame_number(w, s->shared_frame));
    put(w, frame_number(w, s->private_frame));
}

static void put_page(struct canon *w, const struct model *o, uint32_t home)
{
    put(w, o->state[home]);
    put(w, o->tokens[0][home]);
    put(w, o->tokens[1][home]);
    put(w, o->pins ? frame_number(w, o->pins[home]) : 0);
}

static void put_container(struct canon *w, const struct model *o,
                          const struct container_state *c)
{
    put(w, (uint64_t)c->live | (uint64_t)c->seen.open << 1 | (uint64_t)c->n_devices << 32);
    put(w, (uint64_t)c->seen.entry_limit << 32 | c->seen.entries);
    put(w, c->seen.mapped_pages);
    put(w, c->seen.pins);
    for (uint32_t home = 0; !c->listen_all && home < o->n_pages; home++)
        put(w, c->listen[home]);
    for (uint32_t slot = 0; slot < o->n_slots; slot++) {
        const struct view_mapping *m = &c->maps[slot].seen;

        put(w, frame_number(w, m->frame) << 8 | (uint64_t)m->access << 1 | m->head);
    }
}

size_t model_canon(const struct model *o, void *buf, size_t size)
{
    struct canon w; /* its frames stay unset: most are never used */

    assert(o->phase == PHASE_IDLE);
    w.buf = buf;
    w.size = size;
    w.used = 0;
    w.n_frames = 0;
    put_machine(&w, o);
    for (uint32_t slot = 0; slot < o->n_slots; slot++)
        put_slot(&w, o, slot);
    for (uint32_t home = 0; home < o->n_pages; home++)
        put_page(&w, o, home);
    for (uint32_t i = 0; i < o->m->n_containers; i++)
        put_container(&w, o, &o->containers[i]);
    return w.used;
}
