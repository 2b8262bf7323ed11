/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/internal.h"

/* Room in the ledger that a listener keeps all its life, so that going away needs no memory:
 * its ends may lie inside of runs that hold its neighbours' pages, too. And the room of a
 * request for each run: a mapping may become two, and what an undo makes of single pages is one
 * mapping between others; or both ends of the run are cut off because an unmap is in doubt. */
enum { RUNS_KEPT = 2, RUNS_A_REQUEST = 2 };

static struct vfio_listener *of_base(struct discard_listener *base)
{
    return (struct vfio_listener *)(void *)base;
}
_Static_assert(offsetof(struct vfio_listener, base) == 0, "of_base");

static int reserve_cuts(struct vfio_listener *l, uint32_t more)
{
    const struct host *host = &l->container->vmm->host;
    uint32_t capacity = 2 * l->cap_cuts;

    assert(l->n_cuts == 0 && more <= VFIO_CUTS_INSIDE);
    if (l->may_cut + more > l->cap_cuts) {
        struct vfio_cut *cuts = host_alloc(host, capacity * sizeof *cuts);

        if (!cuts)
            return -ENOMEM;
        if (l->cuts != l->cuts_inside)
            host_free(host, l->cuts);
        l->cuts = cuts;
        l->cap_cuts = capacity;
    }
    l->may_cut += more;
    return 0;
}

/* Memory, and entries: nothing is begun that cannot fit. */
static int reserve(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    struct container *c = l->container;
    struct vfio_map_plan plan;
    int rc = vfio_map_plan(l, first, end, &plan);

    if (!rc)
        rc = container_has_room(c, plan.more);
    if (!rc)
        rc = reserve_cuts(l, plan.cuts);
    if (!rc)
        rc = ledger_reserve(&c->ledger, &c->vmm->host, RUNS_A_REQUEST);
    if (rc)
        return rc;
    l->reserved += RUNS_A_REQUEST;
    l->pledged += (int64_t)plan.more;
    c->entries_pledged += (int64_t)plan.more;
    return 0;
}

static int release(struct vfio_listener *l)
{
    struct container *c = l->container;

    ledger_release(&c->ledger, l->reserved);
    c->entries_pledged -= l->pledged;
    l->reserved = 0;
    l->pledged = 0;
    l->n_cuts = l->may_cut = 0;
    return 0;
}

static int on_event(struct vfio_listener *l, enum discard_event e, uint64_t first, uint64_t end)
{
    switch (e) {
    case DISCARD_RESERVE:
        return reserve(l, first, end);
    case DISCARD_RELEASE:
        return release(l);
    case DISCARD_POPULATE:
        return vfio_map_populate(l, first, end);
    case DISCARD_UNDO_DISCARD:
        return vfio_map_undo_discard(l, first, end);
    case DISCARD_DISCARD:
        return vfio_map_discard(l, first, end);
    case DISCARD_UNDO_POPULATE:
        return vfio_map_undo_populate(l, first, end);
    }
    assert(!"an event");
    return -EINVAL;
}

/* The entries that a request gives up stay its own until it is released: its undo may need them
 * again, and then another lane must not have them. */
static int event(struct vfio_listener *l, enum discard_event e, uint64_t first, uint64_t end)
{
    struct container *c = l->container;

    assert(l->block->lock.held && first >= l->base.first && end <= l->base.end);
    sync_lock(&c->vmm->sync, &c->lock);
    int64_t before = (int64_t)c->ledger.n_mappings;
    int rc = on_event(l, e, first, end);
    int64_t fewer = before - (int64_t)c->ledger.n_mappings;
    l->pledged += fewer;
    c->entries_pledged += fewer;
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
}

static int vfio_listener_event(struct discard_listener *base, enum discard_event e,
                               uint64_t first, uint64_t end)
{
    return event(of_base(base), e, first, end);
}

/* Memory without a manager: all of it, as one mapping. */
static int plain_event(struct vfio_listener *l, enum discard_event e)
{
    return event(l, e, l->base.first, l->base.end);
}

static int reserve_kept(struct container *c)
{
    sync_lock(&c->vmm->sync, &c->lock);
    int rc = ledger_reserve(&c->ledger, &c->vmm->host, RUNS_KEPT);
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
}

static void release_kept(struct container *c)
{
    sync_lock(&c->vmm->sync, &c->lock);
    ledger_release(&c->ledger, RUNS_KEPT);
    sync_unlock(&c->vmm->sync, &c->lock);
}

/* Like discard_manager_register. */
static int start_plain(struct vfio_listener *l, int *undo_error)
{
    int rc = plain_event(l, DISCARD_RESERVE);

    if (!rc) {
        rc = plain_event(l, DISCARD_POPULATE);
        if (rc)
            *undo_error = plain_event(l, DISCARD_UNDO_POPULATE);
    }
    (void)plain_event(l, DISCARD_RELEASE);
    return rc;
}

static int start(struct vfio_listener *l, int *undo_error)
{
    if (l->block->guest_memfd)
        return discard_manager_register(&l->block->manager, &l->base, undo_error);
    return start_plain(l, undo_error);
}

struct counter {
    struct discard_listener base;
    const struct vmm *vmm;
    const struct ram_block *block;
    uint64_t entries;
};
_Static_assert(offsetof(struct counter, base) == 0, "count_run");

static int count_run(struct discard_listener *base, enum discard_event e, uint64_t first,
                     uint64_t end)
{
    struct counter *c = (struct counter *)(void *)base;

    (void)e;
    c->entries += vfio_map_entries(c->vmm, c->block, first, end);
    return 0;
}

uint64_t vfio_listener_entries(const struct vmm *vmm, struct ram_block *block, uint64_t first,
                               uint64_t end)
{
    struct counter c = {{.event = count_run, .first = first, .end = end}, vmm, block, 0};

    assert(block->lock.held && block->kind != VMM_REGION_MMIO);
    if (!block->guest_memfd)
        return vfio_map_entries(vmm, block, first, end);
    (void)discard_manager_replay(&block->manager, &c.base, DISCARD_RESERVE, first, end);
    return c.entries;
}

static void free_listener(struct vfio_listener *l)
{
    const struct host *host = &l->container->vmm->host;

    if (l->cuts != l->cuts_inside)
        host_free(host, l->cuts);
    host_free(host, l);
}

static void on_forgotten(struct discard_listener *base)
{
    free_listener(of_base(base));
}

int vfio_listener_add(struct container *c, const struct section *s, uint64_t first,
                      uint64_t end, struct vfio_listener **out, int *undo_error)
{
    uint32_t shift = c->vmm->page_shift;
    struct vfio_listener *l = host_alloc(&c->vmm->host, sizeof *l);

    *undo_error = 0;
    assert(s->block->lock.held && first < end);
    if (!l)
        return -ENOMEM;
    l->base = (struct discard_listener){
        .event = vfio_listener_event, .first = first, .end = end, .forgotten = on_forgotten};
    l->container = c;
    l->block = s->block;
    l->cuts = l->cuts_inside;
    l->cap_cuts = VFIO_CUTS_INSIDE;
    l->iova_page = (s->gpa >> shift) + (first - (s->offset >> shift));
    int rc = reserve_kept(c);
    if (!rc) {
        rc = start(l, undo_error);
        if (rc)
            release_kept(c);
    }
    if (rc) {
        free_listener(l);
        return rc;
    }
    *c->last = l;
    c->last = &l->next;
    *out = l;
    return 0;
}

int vfio_listener_withdraw(struct vfio_listener *l)
{
    assert(l->block->lock.held);
    if (l->block->guest_memfd)
        return discard_manager_withdraw(&l->block->manager, &l->base);
    return plain_event(l, DISCARD_DISCARD);
}

int vfio_listener_restore(struct vfio_listener *l)
{
    assert(l->block->lock.held);
    int rc = l->block->guest_memfd ? discard_manager_restore(&l->block->manager, &l->base)
                                   : plain_event(l, DISCARD_UNDO_DISCARD);
    (void)plain_event(l, DISCARD_RELEASE);
    return rc;
}

void vfio_listener_settle(struct vfio_listener *l)
{
    (void)plain_event(l, DISCARD_RELEASE);
}

void vfio_listener_forget(struct vfio_listener *l)
{
    struct container *c = l->container;
    struct vfio_listener **link = &c->listeners;

    assert(l->block->lock.held && l->reserved == 0);
    (void)plain_event(l, DISCARD_RELEASE);
    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    if (!*link)
        c->last = link;
    release_kept(c);
    if (l->block->guest_memfd)
        discard_manager_forget(&l->block->manager, &l->base); /* when it may be freed it is */
    else
        free_listener(l);
}
