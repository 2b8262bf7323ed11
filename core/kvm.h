/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KVM side: the VM, its slots, the private attribute, guest_memfd files. Thin: one call,
 * one answer; what to do about an error is decided by the callers.
 */
#ifndef CORE_KVM_H
#define CORE_KVM_H

#include "core/address_space.h"

struct kvm {
    int fd, vm_fd;     /* -1: not open */
    uint64_t run_size; /* bytes of a vCPU's run page */
};

/* Opens KVM and makes a software-protected VM that can do what is needed. On failure nothing
 * stays open. -EOPNOTSUPP: this kernel cannot. */
int kvm_open(struct vmm *vmm);
int kvm_close(struct vmm *vmm);

int kvm_create_guest_memfd(struct vmm *vmm, uint64_t size); /* fd or error; all private */
int kvm_slot_set(struct vmm *vmm, const struct section *section);
int kvm_slot_delete(struct vmm *vmm, const struct section *section);

/* All or nothing, but for -EFAULT, which may come after it was done. */
int kvm_attributes_set(struct vmm *vmm, uint64_t gpa, uint64_t size, bool is_private);

/* An undo's: once more after -EFAULT, for setting them twice is fine. */
int kvm_attributes_restore(struct vmm *vmm, uint64_t gpa, uint64_t size, bool is_private);

/* The same of bytes of a guest_memfd, in place. -EAGAIN: a page at *error_offset has references
 * that must go first. */
int kvm_gmem_attributes_set(struct vmm *vmm, int fd, uint64_t offset, uint64_t size,
                            bool is_private, uint64_t *error_offset);

#endif
