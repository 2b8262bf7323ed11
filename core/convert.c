/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

static int reserve_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    (void)c;
    return discard_manager_notify(&p->block->manager, &p->block->attributes.source,
                                  DISCARD_RESERVE, first, end);
}

/* For the debt that a request without changes pays, too. */
static int reserve_trackers(struct convert *c)
{
    int rc = 0;

    if (c->vmm->config.tracker == VMM_TRACKER_BITMAP)
        return 0;
    for (uint32_t i = 0; i < c->n_parts && !rc; i++)
        rc = ram_block_reserve(c->vmm, c->parts[i].block, c->parts[i].n_runs);
    return rc;
}

static void release(struct convert *c)
{
    for (uint32_t i = 0; i < c->n_parts; i++) {
        struct convert_part *p = &c->parts[i];

        if (c->vmm->config.tracker != VMM_TRACKER_BITMAP)
            ram_block_release(p->block);
        if (p->n_runs)
            (void)discard_manager_notify(&p->block->manager, &p->block->attributes.source,
                                         DISCARD_RELEASE, p->first, p->end);
    }
}

/* What an earlier conversion of these pages could not drop must go first: it is on the side
 * that they are about to be converted to. */
static int pay_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    return ram_block_pay_debt(c->vmm, p->block, c->to_private, first, end);
}

static int notify_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    return discard_manager_notify(&p->block->manager, &p->block->attributes.source,
                                  c->to_private ? DISCARD_DISCARD : DISCARD_POPULATE, first,
                                  end);
}

static int notify(struct convert *c)
{
    c->populate_tried = !c->to_private;
    return convert_each(c, notify_run, false);
}

/* Each guest_memfd keeps its own: a call a part, over all that changes in it. */
static int set_attributes_in_place(struct convert *c)
{
    int rc = 0;

    for (uint32_t i = 0; i < c->n_parts && !rc; i++) {
        struct convert_part *p = &c->parts[i];

        if (p->n_runs == 0)
            continue;
        rc = attribute_set(c->vmm, p->block, 0, p->hull_first, p->hull_end, c->to_private,
                           &c->blocked_page);
        if (rc == 0 || rc == -EFAULT)
            c->n_touched = i + 1;
        if (rc == -EAGAIN)
            c->blocked = p->block;
    }
    return rc;
}

/* One call over all that changes. Pages between are in the wanted state already, and holes
 * have no state, so that nothing else is touched. */
static int set_attributes(struct convert *c)
{
    if (c->vmm->config.mode == VMM_MODE_INPLACE)
        return set_attributes_in_place(c);
    int rc =
        kvm_attributes_set(c->vmm, c->change_gpa, c->change_end - c->change_gpa, c->to_private);

    assert(c->change_gpa >= c->gpa && c->change_end <= c->gpa + c->size);
    c->n_touched = rc == 0 || rc == -EFAULT ? c->n_parts : 0;
    return rc;
}

/* In place there is no other way: the kernel makes no page private that is mapped. */
bool convert_unmaps_first(const struct convert *c)
{
    const struct vmm_config *config = &c->vmm->config;

    return c->to_private &&
           (config->mode == VMM_MODE_INPLACE || config->order == VMM_ORDER_UNMAP_FIRST);
}

/* All that may fail. To shared the attribute always comes first: a page is mapped only while
 * the kernel calls it shared. */
static int change(struct convert *c)
{
    bool unmap_first = convert_unmaps_first(c);
    int rc = convert_each(c, reserve_run, false);

    c->refused = rc == -EOPNOTSUPP; /* split=refuse: it would cut a mapping */
    if (!rc)
        rc = convert_each(c, pay_run, false);
    if (!rc)
        rc = unmap_first ? notify(c) : set_attributes(c);
    if (!rc)
        rc = unmap_first ? set_attributes(c) : notify(c);
    return rc;
}

static int commit_run(struct convert *c, struct convert_part *p, uint64_t first, uint64_t end)
{
    struct ram_block_attributes *a = &p->block->attributes;

    ram_block_set_shared(p->block, first, end, !c->to_private);
    migration_dirty(p->block, first, end);
    if (!p->drop_at_once && !ram_block_keeps_side(p->block, !c->to_private))
        page_map_set(&a->debt[!c->to_private], first, end, true);
    return 0;
}

/* The point of no return, of all blocks at once; nothing in it can fail. The sides to drop
 * become debt here, which is then paid: so the tracker may forget which pages changed. A
 * single run is remembered by the part itself. */
static void commit(struct convert *c)
{
    for (uint32_t i = 0; i < c->n_parts; i++) {
        struct convert_part *p = &c->parts[i];

        p->drop_at_once =
            p->n_runs == 1 && p->block->attributes.debt[!c->to_private].n_set == 0;
    }
    (void)convert_each(c, commit_run, true);
}

/* Drops what the pages no longer use, old debt in the range too. A failure is no failure of
 * the request: it stays debt. */
static void drop(struct convert *c)
{
    for (uint32_t i = 0; i < c->n_parts; i++) {
        struct convert_part *p = &c->parts[i];
        struct ram_block_attributes *a = &p->block->attributes;

        if (!p->drop_at_once)
            (void)ram_block_pay_debt(c->vmm, p->block, !c->to_private, p->first, p->end);
        else if (!ram_block_keeps_side(p->block, !c->to_private) &&
                 ram_block_drop(c->vmm, p->block, !c->to_private, p->hull_first, p->hull_end))
            page_map_set(&a->debt[!c->to_private], p->hull_first, p->hull_end, true);
    }
}

static int work(struct convert *c)
{
    bool any = convert_scan(c);
    int rc = reserve_trackers(c);

    if (!rc && any)
        rc = change(c);
    if (rc && !c->refused && (c->vmm->config.failure == VMM_FAILURE_STOP || convert_undo(c)))
        vmm_stop(c->vmm);
    if (!rc && any)
        commit(c);
    if (!rc)
        drop(c);
    release(c);
    return rc;
}

static void report_blocked(const struct convert *c)
{
    struct vmm *vmm = c->vmm;

    sync_lock(&vmm->sync, &vmm->machine_lock);
    vmm_note_blocked(vmm, c->blocked->index, c->blocked_page);
    (void)vmm_leave(vmm, 0);
}

int convert_request(struct vmm *vmm, uint64_t gpa, uint64_t size, bool to_private,
                    bool *refused)
{
    struct convert c; /* not cleared as a whole: the parts are large and mostly unused */
    int rc = vmm_enter(vmm);

    *refused = false;
    if (rc)
        return rc;
    vmm->is_blocked = false;
    c.vmm = vmm;
    c.gpa = gpa;
    c.size = size;
    c.to_private = to_private;
    c.refused = c.populate_tried = false;
    c.n_touched = 0;
    c.blocked = NULL;
    c.change_gpa = c.change_end = 0;
    c.parts = c.parts_inside;
    c.n_parts = 0;
    rc = convert_plan(&c);
    if (rc) {
        *refused = c.refused;
        if (!c.refused && vmm->config.failure == VMM_FAILURE_STOP)
            vmm_stop(vmm);
        return vmm_leave(vmm, rc);
    }
    convert_lock(&c);
    (void)vmm_leave(vmm, 0);
    rc = vmm_stopped(vmm) ? -EIO : work(&c);
    *refused = c.refused;
    convert_unlock(&c);
    if (c.blocked)
        report_blocked(&c);
    convert_plan_free(&c);
    return rc;
}

int vmm_convert(struct vmm *vmm, uint64_t gpa, uint64_t size, bool to_private)
{
    bool refused;

    return convert_request(vmm, gpa, size, to_private, &refused);
}
