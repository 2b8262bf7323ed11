/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

int section_plug(struct vmm *vmm, const struct section *s)
{
    int undo = 0;

    assert(s->block->present);
    if (s->block->kind == VMM_REGION_MMIO)
        return 0;
    int rc = kvm_slot_set(vmm, s);
    if (rc || !s->block->guest_memfd || s->block->in_place)
        return rc; /* in place, pages are private from birth on */
    rc = kvm_attributes_set(vmm, s->gpa, s->size, true); /* as the tracker says */
    if (!rc)
        return 0;
    note_error(&undo, kvm_slot_delete(vmm, s));
    if (rc == -EFAULT) /* it may have been done */
        note_error(&undo, kvm_attributes_restore(vmm, s->gpa, s->size, false));
    if (undo)
        vmm_stop(vmm);
    return rc;
}

int section_unplug(struct vmm *vmm, const struct section *s)
{
    int error = 0;

    if (s->block->kind == VMM_REGION_MMIO)
        return 0;
    note_error(&error, kvm_slot_delete(vmm, s));
    if (s->block->guest_memfd && !s->block->in_place)
        note_error(&error, kvm_attributes_restore(vmm, s->gpa, s->size, false));
    return error;
}

int section_restore_attributes(struct vmm *vmm, const struct section *s, bool shared)
{
    const struct page_map *map = &s->block->attributes.shared;
    uint32_t shift = vmm->page_shift;
    uint64_t first = s->offset >> shift, end = (s->offset + s->size) >> shift;
    uint64_t pos = first, run_first, run_end;
    int error = 0;

    assert(s->block->lock.held && s->block->guest_memfd);
    while (pos < end && page_map_next_run(map, pos, end, shared, &run_first, &run_end)) {
        note_error(&error,
                   attribute_restore(vmm, s->block, s->gpa + ((run_first - first) << shift),
                                     run_first, run_end, !shared));
        pos = run_end;
    }
    return error;
}
