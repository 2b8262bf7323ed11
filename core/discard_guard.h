/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who counts on memory being discarded, and who cannot live with it (behaviour.md 1.4). Four
 * counters a machine; some exclude others:
 *
 *   disable                   nothing may be discarded
 *   uncoordinated_disable     nothing but through a RamDiscardManager: VFIO, once a group or
 *                             device that is plugged
 *   require                   must discard, and tells nobody
 *   coordinated_require       must discard, and tells the RamDiscardManager: guest_memfd RAM,
 *                             virtio-mem, once each
 *
 * disable excludes both requires, uncoordinated_disable only require. The machine lock is held.
 */
#ifndef CORE_DISCARD_GUARD_H
#define CORE_DISCARD_GUARD_H

#include <stdint.h>

#include "core/vmm.h"

struct discard_guards {
    uint32_t taken[VMM_GUARD_COUNT];  /* by anyone */
    uint32_t others[VMM_GUARD_COUNT]; /* of these by vmm_guard */
};

/* 0, or -EBUSY: someone holds what it excludes. */
int discard_guard_take(struct vmm *vmm, enum vmm_guard kind);
void discard_guard_give_back(struct vmm *vmm, enum vmm_guard kind);

/* Has the machine itself given back all of them? */
bool discard_guards_idle(const struct vmm *vmm);

#endif
