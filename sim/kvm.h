/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the mock KVM share among themselves. */
#ifndef SIM_KVM_H
#define SIM_KVM_H

#include "sim/world.h"

/* The vCPU left without having met anything: exit_reason before KVM says why. */
enum { KVM_EXIT_NONE = 0 };

void vm_get(struct sim_vm *vm);
void vm_put(struct sim_world *w, struct sim_vm *vm); /* the last one ends the VM */

/* Slots: sim/kvm_slot.c */
int kvm_set_region(struct sim_world *w, struct sim_vm *vm,
                   const struct kvm_userspace_memory_region2 *m);
/* A guest_memfd goes: slots that show it keep their place and lose their private side. */
void kvm_slots_unbind(struct sim_world *w, struct sim_vm *vm, const struct backing *b);
void kvm_slots_free(struct sim_world *w, struct sim_vm *vm);

/* guest_memfd flags that this VM's files may have; vm NULL: any VM's. sim/gmem.c */
uint64_t gmem_flags_supported(const struct sim_world *w, const struct sim_vm *vm);

/* Attributes: sim/kvm_attributes.c */
/* What both ioctls ask of their arguments. */
int kvm_attributes_check(const struct sim_world *w, const struct sim_vm *vm, uint64_t start,
                         uint64_t size, uint64_t attributes);
/* This call has all the memory that it needs: ENOMEM is impossible. */
bool kvm_vm_attributes_need_nothing(const struct sim_world *w, const struct sim_vm *vm,
                                    const struct kvm_memory_attributes *a);
int kvm_vm_set_attributes(struct sim_world *w, struct sim_vm *vm,
                          const struct kvm_memory_attributes *a);
void kvm_attributes_free(struct sim_world *w, struct sim_vm *vm);

/* KVM_RUN: sim/kvm_run.c */
int kvm_vcpu_run(struct sim_world *w, struct sim_vcpu *v);
/* KVM_RUN failed with an injected error before it did anything. */
void kvm_vcpu_run_failed(struct sim_world *w, struct sim_vcpu *v);

#endif
