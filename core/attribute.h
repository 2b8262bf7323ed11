/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private attribute of pages of a RAM block, wherever the kernel keeps it: by guest page
 * for the whole VM, or in place, in the block's own guest_memfd (behaviour.md 7.4, 7.10).
 *
 * Units: pages of the block; gpa is the address of page `first`. The block's lock is held.
 */
#ifndef CORE_ATTRIBUTE_H
#define CORE_ATTRIBUTE_H

#include "core/ram_block.h"

/* All or nothing, but for -EFAULT, which may come after it was done. In place, to private,
 * -EAGAIN: somebody holds a reference to a page, which is *blocked then; it was tried twice,
 * for references of a moment are nobody's fault. `blocked` may be NULL. */
int attribute_set(struct vmm *vmm, const struct ram_block *block, uint64_t gpa, uint64_t first,
                  uint64_t end, bool is_private, uint64_t *blocked);

/* The same in an undo: once more where it may not have been done. */
int attribute_restore(struct vmm *vmm, const struct ram_block *block, uint64_t gpa,
                      uint64_t first, uint64_t end, bool is_private);

#endif
