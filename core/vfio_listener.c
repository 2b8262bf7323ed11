/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/internal.h"

/* Room in the ledger that a listener keeps all its life: a run for memory without a manager,
 * and one because unmapping it cuts a run in two where its neighbours are mapped too. So
 * going away needs no memory. */
enum { RUNS_KEPT = 2 };

static struct vfio_listener *of_base(struct discard_listener *base)
{
    return (struct vfio_listener *)(void *)base;
}
_Static_assert(offsetof(struct vfio_listener, base) == 0, "of_base");

static uint64_t iova_of(const struct vfio_listener *l, uint64_t page)
{
    assert(page >= l->base.first && page <= l->base.end);
    return l->iova_page + (page - l->base.first);
}

static int map_one(struct vfio_listener *l, uint64_t first, uint64_t end, bool restore)
{
    uint64_t vaddr = l->block->hva + (first << l->container->vmm->page_shift);

    return container_map(l->container, iova_of(l, first), iova_of(l, end), vaddr,
                         l->block->kind == VMM_REGION_ROM, restore);
}

/* mapping=page: a page may have to go alone later, and only whole mappings can go. */
static int map_pages(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end; page++) {
        int rc = map_one(l, page, page + 1, false);

        if (rc)
            return rc;
    }
    return 0;
}

/* Maps again what the ledger misses of a run; ends at the first error, for every gap that was
 * left would take a run of the ledger that nobody has reserved. */
static int map_missing(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    uint64_t base = l->iova_page - l->base.first; /* may wrap, and wraps back */
    uint64_t from, to;
    int rc = 0;

    while (!rc && first < end &&
           ledger_next_run(&l->container->ledger, iova_of(l, first), iova_of(l, end), false,
                           &from, &to)) {
        for (uint64_t page = from - base; page < to - base && !rc; page++)
            rc = map_one(l, page, page + 1, true);
        first = to - base;
    }
    return rc;
}

static int reserve(struct vfio_listener *l)
{
    struct container *c = l->container;
    int rc = ledger_reserve(&c->ledger, &c->vmm->host, 1);

    l->reserved += !rc;
    return rc;
}

static int release(struct vfio_listener *l)
{
    ledger_release(&l->container->ledger, l->reserved);
    l->reserved = 0;
    return 0;
}

static int on_event(struct vfio_listener *l, enum discard_event e, uint64_t first, uint64_t end)
{
    switch (e) {
    case DISCARD_RESERVE:
        return reserve(l);
    case DISCARD_RELEASE:
        return release(l);
    case DISCARD_POPULATE:
        return map_pages(l, first, end);
    case DISCARD_UNDO_DISCARD:
        return map_missing(l, first, end);
    case DISCARD_DISCARD:
    case DISCARD_UNDO_POPULATE:
        return container_unmap(l->container, iova_of(l, first), iova_of(l, end),
                               e == DISCARD_UNDO_POPULATE);
    }
    assert(!"an event");
    return -EINVAL;
}

static int vfio_listener_event(struct discard_listener *base, enum discard_event e,
                               uint64_t first, uint64_t end)
{
    struct vfio_listener *l = of_base(base);
    struct container *c = l->container;

    assert(l->block->lock.held && first >= base->first && end <= base->end);
    sync_lock(&c->vmm->sync, &c->lock);
    int rc = on_event(l, e, first, end);
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
}

/* Memory without a manager: all of it, as one mapping. */
static int map_whole(struct vfio_listener *l, bool restore)
{
    struct container *c = l->container;
    int rc = 0;

    if (l->block->kind == VMM_REGION_MMIO)
        return 0;
    sync_lock(&c->vmm->sync, &c->lock);
    if (!ledger_count(&c->ledger, iova_of(l, l->base.first), iova_of(l, l->base.end)))
        rc = map_one(l, l->base.first, l->base.end, restore);
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
}

static int unmap_whole(struct vfio_listener *l, bool undo)
{
    struct container *c = l->container;

    sync_lock(&c->vmm->sync, &c->lock);
    int rc = container_unmap(c, iova_of(l, l->base.first), iova_of(l, l->base.end), undo);
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
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

static int start(struct vfio_listener *l, int *undo_error)
{
    if (l->block->guest_memfd)
        return discard_manager_register(&l->block->manager, &l->base, undo_error);
    int rc = map_whole(l, false);
    if (rc)
        *undo_error = unmap_whole(l, true);
    return rc;
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
    l->base = (struct discard_listener){vfio_listener_event, first, end, NULL};
    l->container = c;
    l->block = s->block;
    l->iova_page = (s->gpa >> shift) + (first - (s->offset >> shift));
    int rc = reserve_kept(c);
    if (!rc) {
        rc = start(l, undo_error);
        if (rc)
            release_kept(c);
    }
    if (rc) {
        host_free(&c->vmm->host, l);
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
    return unmap_whole(l, false);
}

int vfio_listener_restore(struct vfio_listener *l)
{
    assert(l->block->lock.held);
    if (l->block->guest_memfd)
        return discard_manager_restore(&l->block->manager, &l->base);
    return map_whole(l, true);
}

void vfio_listener_forget(struct vfio_listener *l)
{
    struct container *c = l->container;
    struct vfio_listener **link = &c->listeners;

    assert(l->block->lock.held && l->reserved == 0);
    if (l->block->guest_memfd)
        discard_manager_forget(&l->block->manager, &l->base);
    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    if (!*link)
        c->last = link;
    release_kept(c);
    host_free(&c->vmm->host, l);
}
