/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual machine, from the inside, and the few helpers that every module uses.
 */
#ifndef CORE_INTERNAL_H
#define CORE_INTERNAL_H

#include <assert.h>
#include <errno.h>

#include "core/address_space.h"
#include "core/attribute.h"
#include "core/container.h"
#include "core/convert.h"
#include "core/discard_guard.h"
#include "core/kvm.h"
#include "core/listen.h"
#include "core/migration.h"
#include "core/vcpu.h"
#include "core/vfio_listener.h"

struct vmm {
    struct host host;
    struct sync sync;
    struct vmm_config config;
    uint32_t page_shift;
    bool stopped; /* read and written atomically: any lane may look at any time */
    struct core_lock machine_lock;
    struct kvm kvm;
    struct vcpu *vcpus; /* config.n_vcpus */
    struct address_space address_space;
    struct container **containers;
    uint32_t n_containers, cap_containers;
    uint32_t n_containers_open;
    bool migrating;
    bool is_blocked; /* vmm_blocked's answer; the machine lock */
    uint32_t blocked_region;
    uint64_t blocked_page;
    struct discard_guards guards;
};

void vmm_stop(struct vmm *vmm);

/* Takes the machine lock. -EIO: the VM is stopped, the lock was not taken. */
int vmm_enter(struct vmm *vmm);
/* Gives it back; returns rc. */
int vmm_leave(struct vmm *vmm, int rc);

/* What vmm_blocked will say. The machine lock is held. */
static inline void vmm_note_blocked(struct vmm *vmm, uint32_t region, uint64_t page)
{
    assert(vmm->machine_lock.held);
    vmm->is_blocked = true;
    vmm->blocked_region = region;
    vmm->blocked_page = page;
}

/* Remembers the first error of several steps that are all taken whatever happens. */
static inline void note_error(int *first, int rc)
{
    assert(*first <= 0);
    if (rc < 0 && *first == 0)
        *first = rc;
}

/* Makes room for one more element in an array that holds n. 0 or -ENOMEM. */
int array_room(const struct host *host, void **array, uint32_t *capacity, uint32_t n,
               size_t element_size);

#endif
