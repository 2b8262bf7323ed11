/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back, step by step in reverse. Each step goes on over all its pages after an error,
 * but a step that would not be safe without the one before it is left out then: no page is
 * dropped that may still be mapped or that the kernel may still call shared.
 */
#include <assert.h>

#include "core/internal.h"

static int unmap_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    assert(!c->to_private);
    return discard_manager_notify(&p->block->manager, &p->block->attributes.source,
                                  DISCARD_UNDO_POPULATE, first, end);
}

static int remap_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    assert(c->to_private);
    return discard_manager_notify(&p->block->manager, &p->block->attributes.source,
                                  DISCARD_UNDO_DISCARD, first, end);
}

/* Run by run as the range was, never as one: setting pages private needs memory in the kernel
 * where they are not all of one kind (behaviour.md 7.4). */
static int restore_attribute_run(struct convert *c, struct convert_part *p, uint64_t first,
                                 uint64_t end)
{
    if (p - c->parts >= c->n_touched)
        return 0;
    return attribute_restore(c->vmm, p->block,
                             p->gpa + ((first - p->first) << c->vmm->page_shift), first, end,
                             !c->to_private);
}

static int restore_attributes(struct convert *c)
{
    return c->n_touched ? convert_each(c, restore_attribute_run, true) : 0;
}

/* Mapping a page for DMA makes memory for it. It was private, so there was none before. */
static int drop_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    if (ram_block_keeps_side(p->block, false) ||
        !discard_manager_hears(&p->block->manager, first, end))
        return 0;
    return ram_block_drop(c->vmm, p->block, false, first, end);
}

static int undo_to_shared(struct convert *c)
{
    int error = convert_each(c, unmap_run, true);

    if (!error)
        error = restore_attributes(c);
    if (!error && c->populate_tried)
        error = convert_each(c, drop_run, true);
    return error;
}

static int undo_to_private(struct convert *c)
{
    int error;

    if (convert_unmaps_first(c)) {
        error = restore_attributes(c);
        return error ? error : convert_each(c, remap_run, true);
    }
    error = convert_each(c, remap_run, true);
    note_error(&error, restore_attributes(c));
    return error;
}

int convert_undo(struct convert *c)
{
    assert(c->n_parts > 0 && !c->refused);
    return c->to_private ? undo_to_private(c) : undo_to_shared(c);
}
