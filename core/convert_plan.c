/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

static int refuse(struct convert *c)
{
    c->refused = true;
    return -EINVAL;
}

/* The decision table for one section (behaviour.md 3.1, design.md 4): to private all must be
 * guest_memfd; to shared MMIO is fine, other memory is not. */
static bool section_allows(const struct convert *c, const struct section *s)
{
    return s->block->guest_memfd || (!c->to_private && s->block->kind == VMM_REGION_MMIO);
}

static int decide(struct convert *c)
{
    const struct address_space *as = &c->vmm->address_space;
    uint64_t end = c->gpa + c->size;
    uint64_t pos = c->gpa;

    if ((c->gpa | c->size) & (c->vmm->config.page_size - 1) || end <= c->gpa)
        return refuse(c); /* misaligned, empty or wrapping */
    for (uint32_t i = address_space_find(as, c->gpa);
         i < as->n_sections && as->sections[i].gpa < end; i++) {
        const struct section *s = &as->sections[i];

        if (!s->block->present)
            continue; /* a hole */
        if (!section_allows(c, s) || (c->to_private && s->gpa > pos))
            return refuse(c);
        c->n_parts += s->block->guest_memfd;
        pos = s->gpa + s->size;
    }
    return c->to_private && pos < end ? refuse(c) : 0;
}

static void fill_part(const struct convert *c, const struct section *s, struct convert_part *p)
{
    uint32_t shift = c->vmm->page_shift;
    uint64_t from = s->gpa > c->gpa ? s->gpa : c->gpa;
    uint64_t s_end = s->gpa + s->size, c_end = c->gpa + c->size;
    uint64_t to = s_end < c_end ? s_end : c_end;

    assert(from < to);
    p->block = s->block;
    p->gpa = from;
    p->first = (s->offset + (from - s->gpa)) >> shift;
    p->end = (s->offset + (to - s->gpa)) >> shift;
    p->drop_at_once = false;
}

int convert_plan(struct convert *c)
{
    const struct address_space *as = &c->vmm->address_space;
    uint32_t n = 0;
    int rc = decide(c);

    if (rc)
        return rc;
    if (c->n_parts > CONVERT_PARTS_INSIDE) {
        c->parts = host_alloc(&c->vmm->host, c->n_parts * sizeof c->parts[0]);
        if (!c->parts)
            return -ENOMEM;
    }
    for (uint32_t i = address_space_find(as, c->gpa); n < c->n_parts; i++) {
        assert(i < as->n_sections);
        if (as->sections[i].block->guest_memfd)
            fill_part(c, &as->sections[i], &c->parts[n++]);
    }
    return 0;
}

void convert_plan_free(struct convert *c)
{
    if (c->parts != c->parts_inside)
        host_free(&c->vmm->host, c->parts);
}

/* The block with the smallest index from `from` on, of those that the request touches. */
static struct ram_block *next_block(const struct convert *c, uint64_t from)
{
    struct ram_block *next = NULL;

    for (uint32_t i = 0; i < c->n_parts; i++) {
        struct ram_block *b = c->parts[i].block;

        if (b->index >= from && (!next || b->index < next->index))
            next = b;
    }
    return next;
}

void convert_lock(struct convert *c)
{
    struct ram_block *b;

    assert(c->vmm->machine_lock.held);
    for (uint64_t from = 0; (b = next_block(c, from)); from = (uint64_t)b->index + 1)
        sync_lock(&c->vmm->sync, &b->lock);
}

void convert_unlock(struct convert *c)
{
    struct ram_block *b;

    for (uint64_t from = 0; (b = next_block(c, from)); from = (uint64_t)b->index + 1)
        sync_unlock(&c->vmm->sync, &b->lock);
}

bool convert_scan(struct convert *c)
{
    uint32_t shift = c->vmm->page_shift;
    bool any = false;

    for (uint32_t i = 0; i < c->n_parts; i++) {
        struct convert_part *p = &c->parts[i];

        assert(p->block->lock.held);
        p->n_runs = ram_block_attributes_changes(&p->block->attributes, p->first, p->end,
                                                 c->to_private, &p->hull_first, &p->hull_end);
        if (p->n_runs == 0)
            continue;
        if (!any)
            c->change_gpa = p->gpa + ((p->hull_first - p->first) << shift);
        c->change_end = p->gpa + ((p->hull_end - p->first) << shift);
        any = true;
    }
    return any;
}

static int each_in_part(struct convert *c, struct convert_part *p, convert_fn *fn, bool goes_on)
{
    const struct page_map *shared = &p->block->attributes.shared;
    uint64_t pos = p->hull_first, first, end;
    int error = 0;

    assert(p->block->lock.held);
    if (p->n_runs == 1)
        return fn(c, p, p->hull_first, p->hull_end);
    while (pos < p->hull_end &&
           page_map_next_run(shared, pos, p->hull_end, c->to_private, &first, &end)) {
        note_error(&error, fn(c, p, first, end));
        if (error && !goes_on)
            break;
        pos = end;
    }
    return error;
}

int convert_each(struct convert *c, convert_fn *fn, bool goes_on)
{
    int error = 0;

    for (uint32_t i = 0; i < c->n_parts; i++) {
        note_error(&error, each_in_part(c, &c->parts[i], fn, goes_on));
        if (error && !goes_on)
            break;
    }
    return error;
}
