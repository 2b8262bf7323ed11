/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/attribute.h"

#include "core/internal.h"

enum { SET_TRIES = 2 };

static int set_in_place(struct vmm *vmm, const struct ram_block *block, uint64_t first,
                        uint64_t end, bool is_private, uint64_t *blocked)
{
    uint64_t offset = first << vmm->page_shift, error_offset = 0;
    int rc = -EAGAIN;

    assert(block->gmem_fd >= 0);
    for (int i = 0; i < SET_TRIES && rc == -EAGAIN; i++)
        rc = kvm_gmem_attributes_set(vmm, block->gmem_fd, offset,
                                     (end - first) << vmm->page_shift, is_private,
                                     &error_offset);
    if (rc == -EAGAIN && blocked)
        *blocked = error_offset >> vmm->page_shift;
    return rc;
}

int attribute_set(struct vmm *vmm, const struct ram_block *block, uint64_t gpa, uint64_t first,
                  uint64_t end, bool is_private, uint64_t *blocked)
{
    assert(block->lock.held && block->guest_memfd && first < end);
    if (block->in_place)
        return set_in_place(vmm, block, first, end, is_private, blocked);
    return kvm_attributes_set(vmm, gpa, (end - first) << vmm->page_shift, is_private);
}

int attribute_restore(struct vmm *vmm, const struct ram_block *block, uint64_t gpa,
                      uint64_t first, uint64_t end, bool is_private)
{
    int rc;

    assert(block->lock.held && block->guest_memfd && first < end);
    if (!block->in_place)
        return kvm_attributes_restore(vmm, gpa, (end - first) << vmm->page_shift, is_private);
    rc = set_in_place(vmm, block, first, end, is_private, NULL);
    return rc == -EFAULT ? set_in_place(vmm, block, first, end, is_private, NULL) : rc;
}
