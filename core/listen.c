/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

/* What vmm_listen and vmm_unlisten name, in pages of the block. */
struct asked {
    struct container *c;
    struct ram_block *block;
    uint64_t first, end;
};

static int has_room(struct container *c, uint64_t more)
{
    sync_lock(&c->vmm->sync, &c->lock);
    int rc = container_has_room(c, more);
    sync_unlock(&c->vmm->sync, &c->lock);
    return rc;
}

/* Would a listener to everything fit? Asked before anything is mapped. */
static int all_fits(struct container *c)
{
    const struct vmm *vmm = c->vmm;
    const struct address_space *as = &vmm->address_space;
    uint64_t more = 0;

    for (uint32_t i = 0; i < as->n_sections; i++) {
        const struct section *s = &as->sections[i];

        if (!section_in_kvm(s))
            continue;
        sync_lock(&vmm->sync, &s->block->lock);
        more += vfio_listener_entries(vmm, s->block, s->offset >> vmm->page_shift,
                                      (s->offset + s->size) >> vmm->page_shift);
        sync_unlock(&vmm->sync, &s->block->lock);
    }
    return has_room(c, more);
}

int listeners_add_all(struct container *c)
{
    struct vmm *vmm = c->vmm;
    const struct address_space *as = &vmm->address_space;
    struct vfio_listener *l;
    int rc = all_fits(c), undo_error;

    for (uint32_t i = 0; i < as->n_sections && !rc; i++) {
        const struct section *s = &as->sections[i];

        if (!section_in_kvm(s))
            continue;
        sync_lock(&vmm->sync, &s->block->lock);
        rc = vfio_listener_add(c, s, s->offset >> vmm->page_shift,
                               (s->offset + s->size) >> vmm->page_shift, &l, &undo_error);
        sync_unlock(&vmm->sync, &s->block->lock);
    }
    return rc;
}

int listeners_drop_all(struct container *c)
{
    int error = 0;

    while (c->listeners) {
        struct vfio_listener *l = c->listeners;
        struct core_lock *lock = &l->block->lock;

        sync_lock(&c->vmm->sync, lock);
        note_error(&error, vfio_listener_withdraw(l));
        vfio_listener_forget(l);
        sync_unlock(&c->vmm->sync, lock);
    }
    return error;
}

/* ---- all listeners of one block ---- */
/* The next one after `l`, or the first; NULL: no more. */
static struct vfio_listener *next_of_block(const struct vmm *vmm, const struct ram_block *block,
                                           struct vfio_listener *l)
{
    uint32_t i = l ? l->container->index : 0;

    l = l ? l->next : vmm->n_containers ? vmm->containers[0]->listeners : NULL;
    while (l || ++i < vmm->n_containers) {
        if (!l)
            l = vmm->containers[i]->listeners;
        else if (l->block == block)
            return l;
        else
            l = l->next;
    }
    return NULL;
}

int listeners_withdraw_block(struct vmm *vmm, struct ram_block *block)
{
    int rc = 0;

    assert(block->lock.held);
    for (struct vfio_listener *l = NULL; !rc && (l = next_of_block(vmm, block, l));)
        rc = vfio_listener_withdraw(l);
    if (rc && listeners_restore_block(vmm, block))
        vmm_stop(vmm);
    return rc;
}

int listeners_restore_block(struct vmm *vmm, struct ram_block *block)
{
    int error = 0;

    for (struct vfio_listener *l = NULL; (l = next_of_block(vmm, block, l));)
        note_error(&error, vfio_listener_restore(l));
    return error;
}

void listeners_settle_block(struct vmm *vmm, struct ram_block *block)
{
    for (struct vfio_listener *l = NULL; (l = next_of_block(vmm, block, l));)
        vfio_listener_settle(l);
}

void listeners_forget_block(struct vmm *vmm, struct ram_block *block)
{
    struct vfio_listener *l;

    while ((l = next_of_block(vmm, block, NULL)))
        vfio_listener_forget(l);
}

static bool wants_section(const struct container *c, const struct section *s)
{
    return c->fd >= 0 && c->listen_all && section_in_kvm(s);
}

/* Takes back the listener that came last. One that cannot be unmapped stays, and stops the VM.
 */
static void undo_last(struct container *c)
{
    struct vfio_listener *l = c->listeners;

    while (l->next)
        l = l->next;
    if (vfio_listener_withdraw(l))
        vmm_stop(c->vmm);
    else
        vfio_listener_forget(l);
}

static uint64_t entries_of(const struct vmm *vmm, const struct section *s)
{
    return vfio_map_entries(vmm, s->block, s->offset >> vmm->page_shift,
                            (s->offset + s->size) >> vmm->page_shift);
}

int listeners_fit(struct vmm *vmm, struct ram_block *block, const struct section *s)
{
    const struct address_space *as = &vmm->address_space;
    uint64_t more = s ? entries_of(vmm, s) : 0;
    int rc = 0;

    assert(block->lock.held);
    if (block->config.guest_memfd || block->kind == VMM_REGION_MMIO)
        return 0; /* it comes private, nothing is mapped */
    for (uint32_t i = 0; !s && i < as->n_sections; i++)
        if (as->sections[i].block == block)
            more += entries_of(vmm, &as->sections[i]);
    for (uint32_t i = 0; i < vmm->n_containers && !rc; i++)
        if (vmm->containers[i]->fd >= 0 && vmm->containers[i]->listen_all)
            rc = has_room(vmm->containers[i], more);
    return rc;
}

int listeners_add_section(struct vmm *vmm, const struct section *s)
{
    uint64_t first = s->offset >> vmm->page_shift;
    uint64_t end = (s->offset + s->size) >> vmm->page_shift;
    struct vfio_listener *l;
    int rc = 0, undo_error = 0;
    uint32_t i;

    assert(s->block->lock.held);
    for (i = 0; i < vmm->n_containers && !rc; i++)
        if (wants_section(vmm->containers[i], s))
            rc = vfio_listener_add(vmm->containers[i], s, first, end, &l, &undo_error);
    if (!rc)
        return 0;
    if (undo_error)
        vmm_stop(vmm);
    for (i--; i > 0; i--)
        if (wants_section(vmm->containers[i - 1], s))
            undo_last(vmm->containers[i - 1]);
    return rc;
}

static bool is_asked(const struct vfio_listener *l, const struct asked *a)
{
    return l->manual && l->block == a->block && l->asked_first == a->first &&
           l->asked_end == a->end;
}

static bool overlaps_listener(const struct asked *a)
{
    for (const struct vfio_listener *l = a->c->listeners; l; l = l->next)
        if (l->block == a->block && l->base.first < a->end && a->first < l->base.end)
            return true;
    return false;
}

/* The part of the asked range that a section shows; false: none. */
static bool part_of(const struct vmm *vmm, const struct section *s, const struct asked *a,
                    uint64_t *first, uint64_t *end)
{
    uint64_t s_first = s->offset >> vmm->page_shift;
    uint64_t s_end = (s->offset + s->size) >> vmm->page_shift;

    if (s->block != a->block)
        return false;
    *first = a->first > s_first ? a->first : s_first;
    *end = a->end < s_end ? a->end : s_end;
    return *first < *end;
}

/* Is every page of it shown by some section? */
static bool has_sections(const struct vmm *vmm, const struct asked *a)
{
    const struct address_space *as = &vmm->address_space;
    struct asked rest = *a;

    for (uint32_t i = 0; i < as->n_sections && rest.first < rest.end; i++) {
        uint64_t first, end;

        if (!part_of(vmm, &as->sections[i], &rest, &first, &end) || first != rest.first)
            continue;
        rest.first = end;
        i = UINT32_MAX; /* from the first section again */
    }
    return rest.first == rest.end;
}

/* Unmaps the listeners that were asked for together; after a failure all of them are whole
 * again, and an error there stops the VM. */
static int withdraw_asked(struct vmm *vmm, const struct asked *a)
{
    int rc = 0, undo = 0;

    for (struct vfio_listener *l = a->c->listeners; l && !rc; l = l->next)
        if (is_asked(l, a))
            rc = vfio_listener_withdraw(l);
    if (!rc)
        return 0;
    for (struct vfio_listener *l = a->c->listeners; l; l = l->next)
        if (is_asked(l, a))
            note_error(&undo, vfio_listener_restore(l));
    if (undo)
        vmm_stop(vmm);
    return rc;
}

static void forget_asked(const struct asked *a)
{
    struct vfio_listener *next;

    for (struct vfio_listener *l = a->c->listeners; l; l = next) {
        next = l->next;
        if (is_asked(l, a))
            vfio_listener_forget(l);
    }
}

/* Takes back what add_asked did before it failed; goes on after an error, which stops the VM:
 * such a listener stays, for it has something mapped. */
static void undo_add(struct vmm *vmm, const struct asked *a)
{
    struct vfio_listener *next;

    for (struct vfio_listener *l = a->c->listeners; l; l = next) {
        next = l->next;
        if (!is_asked(l, a))
            continue;
        if (vfio_listener_withdraw(l))
            vmm_stop(vmm);
        else
            vfio_listener_forget(l);
    }
}

static int asked_fits(struct vmm *vmm, const struct asked *a)
{
    const struct address_space *as = &vmm->address_space;
    uint64_t more = 0, first, end;

    for (uint32_t i = 0; i < as->n_sections; i++)
        if (part_of(vmm, &as->sections[i], a, &first, &end))
            more += vfio_listener_entries(vmm, a->block, first, end);
    return has_room(a->c, more);
}

static int add_asked(struct vmm *vmm, const struct asked *a)
{
    const struct address_space *as = &vmm->address_space;
    int undo_error = 0, rc = asked_fits(vmm, a);

    assert(a->block->lock.held);
    for (uint32_t i = 0; i < as->n_sections && !rc; i++) {
        struct vfio_listener *l;
        uint64_t first, end;

        if (!part_of(vmm, &as->sections[i], a, &first, &end))
            continue;
        rc = vfio_listener_add(a->c, &as->sections[i], first, end, &l, &undo_error);
        if (rc)
            break;
        l->manual = true;
        l->asked_first = a->first;
        l->asked_end = a->end;
    }
    if (undo_error)
        vmm_stop(vmm);
    if (rc)
        undo_add(vmm, a);
    return rc;
}

static int find_asked(struct vmm *vmm, uint32_t container, uint32_t region, uint64_t offset,
                      uint64_t size, struct asked *a)
{
    if (container >= vmm->n_containers)
        return -EINVAL;
    a->c = vmm->containers[container];
    a->block = address_space_region(vmm, region);
    if (!a->block || !region_range_ok(vmm, a->block, offset, size))
        return -EINVAL;
    a->first = offset >> vmm->page_shift;
    a->end = (offset + size) >> vmm->page_shift;
    return 0;
}

/* May such a listener be added? */
static int check_new(const struct vmm *vmm, const struct asked *a)
{
    if (a->block->kind == VMM_REGION_MMIO || !has_sections(vmm, a))
        return -EINVAL;
    if (a->c->fd < 0)
        return -ENODEV;
    return overlaps_listener(a) ? -EEXIST : 0;
}

int vmm_listen(struct vmm *vmm, uint32_t container, uint32_t region, uint64_t offset,
               uint64_t size)
{
    struct asked a = {0};
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    rc = find_asked(vmm, container, region, offset, size, &a);
    if (!rc)
        rc = check_new(vmm, &a);
    if (rc)
        return vmm_leave(vmm, rc);
    sync_lock(&vmm->sync, &a.block->lock);
    rc = add_asked(vmm, &a);
    sync_unlock(&vmm->sync, &a.block->lock);
    return vmm_leave(vmm, rc);
}

static bool has_asked(const struct asked *a)
{
    for (const struct vfio_listener *l = a->c->listeners; l; l = l->next)
        if (is_asked(l, a))
            return true;
    return false;
}

int vmm_unlisten(struct vmm *vmm, uint32_t container, uint32_t region, uint64_t offset,
                 uint64_t size)
{
    struct asked a = {0};
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    rc = find_asked(vmm, container, region, offset, size, &a);
    if (!rc && !has_asked(&a))
        rc = -ENOENT;
    if (rc)
        return vmm_leave(vmm, rc);
    sync_lock(&vmm->sync, &a.block->lock);
    rc = withdraw_asked(vmm, &a);
    if (!rc)
        forget_asked(&a);
    sync_unlock(&vmm->sync, &a.block->lock);
    return vmm_leave(vmm, rc);
}
