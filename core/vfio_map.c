/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a listener has mapped: how populated runs become mappings, and what becomes of a mapping
 * of which only a part is discarded (mapping=run). With split=cut the kernel takes the part out
 * (core/container_cut.c). With split=remap the mapping goes as a whole, and what stays
 * populated of it is mapped again: for a moment a device has no access there, but never a wrong
 * one. An undo puts the old mapping back, so that it needs no more entries than there were.
 */
#include <assert.h>

#include "core/internal.h"

static uint64_t iova_of(const struct vfio_listener *l, uint64_t page)
{
    assert(page >= l->base.first && page <= l->base.end);
    return l->iova_page + (page - l->base.first);
}

static int map_iova(struct vfio_listener *l, uint64_t first, uint64_t end, bool restore)
{
    uint64_t page = first - l->iova_page + l->base.first;
    uint64_t vaddr = l->block->hva + (page << l->container->vmm->page_shift);

    assert(page >= l->base.first && page + (end - first) <= l->base.end);
    if (l->block->kind == VMM_REGION_RAM) /* even if it fails: it may have been mapped */
        migration_dirty(l->block, page, page + (end - first));
    return container_map(l->container, first, end, vaddr, l->block->kind == VMM_REGION_ROM,
                         restore);
}

/* mapping=page: a page may have to go alone later, and only whole mappings can go. */
static bool maps_pages(const struct vfio_listener *l)
{
    return l->block->guest_memfd && l->container->vmm->config.mapping == VMM_MAPPING_PAGE;
}

static int map_stretch(struct vfio_listener *l, uint64_t first, uint64_t end, bool restore)
{
    int rc = 0;

    if (!maps_pages(l))
        return map_iova(l, first, end, restore);
    for (uint64_t page = first; page < end && !rc; page++)
        rc = map_iova(l, page, page + 1, restore);
    return rc;
}

uint64_t vfio_map_entries(const struct vmm *vmm, const struct ram_block *block, uint64_t first,
                          uint64_t end)
{
    assert(first < end);
    return block->guest_memfd && vmm->config.mapping == VMM_MAPPING_PAGE ? end - first : 1;
}

int vfio_map_populate(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    return map_stretch(l, iova_of(l, first), iova_of(l, end), false);
}

/* The mapping that lies on both sides of a page boundary. False: none. */
static bool find_cut(const struct vfio_listener *l, uint64_t iova, struct vfio_cut *cut)
{
    return ledger_find(&l->container->ledger, iova, &cut->first, &cut->end) &&
           cut->first < iova;
}

int vfio_map_plan(const struct vfio_listener *l, uint64_t first, uint64_t end,
                  struct vfio_map_plan *plan)
{
    const struct vmm *vmm = l->container->vmm;
    uint64_t a = iova_of(l, first), b = iova_of(l, end);
    struct vfio_cut head, tail;

    *plan = (struct vfio_map_plan){0, 0};
    if (!ledger_find(&l->container->ledger, a, &head.first, &head.end)) {
        plan->more = vfio_map_entries(vmm, l->block, first, end);
        return 0;
    }
    if (maps_pages(l))
        return 0;
    bool cuts_head = head.first < a, cuts_tail = find_cut(l, b, &tail);
    if ((cuts_head || cuts_tail) && vmm->config.split == VMM_SPLIT_REFUSE)
        return -EOPNOTSUPP;
    plan->more = cuts_head && head.end > b;
    if (vmm->config.split == VMM_SPLIT_REMAP)
        plan->cuts = (uint32_t)cuts_head + cuts_tail;
    return 0;
}

/* What is left of a mapping that was cut before is a part of one that is remembered. */
static void remember_cut(struct vfio_listener *l, const struct vfio_cut *cut)
{
    const struct vfio_cut *last = &l->cuts[l->n_cuts ? l->n_cuts - 1 : 0];

    if (l->n_cuts && cut->first >= last->first && cut->end <= last->end)
        return;
    assert(l->n_cuts < l->may_cut && (l->n_cuts == 0 || cut->first >= last->end));
    l->cuts[l->n_cuts++] = *cut;
}

static int unmap_and_map_rest(struct vfio_listener *l, uint64_t a, uint64_t b)
{
    struct vfio_cut head = {a, a}, tail = {b, b};

    if (find_cut(l, a, &head))
        remember_cut(l, &head);
    if (find_cut(l, b, &tail))
        remember_cut(l, &tail);
    uint64_t first = head.first < a ? head.first : a, end = tail.first < b ? tail.end : b;
    int rc = container_unmap(l->container, first, end, false);
    if (!rc && first < a)
        rc = map_iova(l, first, a, false);
    if (!rc && b < end)
        rc = map_iova(l, b, end, false);
    return rc;
}

int vfio_map_discard(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    uint64_t a = iova_of(l, first), b = iova_of(l, end);

    if (l->container->cut_by != CUT_BY_NOTHING) {
        int rc = container_cut(l->container, a, b);

        return rc ? rc : container_unmap(l->container, a, b, false);
    }
    if (maps_pages(l))
        return container_unmap(l->container, a, b, false);
    return unmap_and_map_rest(l, a, b);
}

int vfio_map_undo_populate(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    return container_unmap(l->container, iova_of(l, first), iova_of(l, end), true);
}

/* The mapping as it was, in place of what was made of it. */
static int restore_cut(struct vfio_listener *l, const struct vfio_cut *cut)
{
    struct vfio_cut now = {0, 0};
    int rc;

    if (ledger_find(&l->container->ledger, cut->first, &now.first, &now.end) &&
        now.end == cut->end) /* it never went, or that is not certain: see the caller */
        return 0;
    rc = container_unmap(l->container, cut->first, cut->end, true);
    return rc ? rc : map_iova(l, cut->first, cut->end, true);
}

static int restore_cuts(struct vfio_listener *l, uint64_t a, uint64_t b)
{
    int rc = 0;

    for (uint32_t i = 0; i < l->n_cuts && !rc; i++)
        if (l->cuts[i].first < b && l->cuts[i].end > a)
            rc = restore_cut(l, &l->cuts[i]);
    return rc;
}

/* Ends at the first error: every gap that was left would take a run of the ledger that nobody
 * has reserved. */
int vfio_map_undo_discard(struct vfio_listener *l, uint64_t first, uint64_t end)
{
    const struct ledger *ledger = &l->container->ledger;
    uint64_t a = iova_of(l, first), b = iova_of(l, end), from, to;
    int rc = restore_cuts(l, a, b);

    while (!rc && ledger_next_doubt(ledger, a, b, &from, &to))
        rc = map_iova(l, from, to, true);
    while (!rc && a < b && ledger_next_gap(ledger, a, b, &from, &to)) {
        rc = map_stretch(l, from, to, true);
        a = to;
    }
    return rc;
}
