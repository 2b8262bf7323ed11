/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs: the way in which a guest's wish to convert memory arrives.
 */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H

#include <stdint.h>

#include "core/uapi.h"
#include "core/vmm.h"

struct vcpu {
    int fd;              /* -1: not made */
    struct kvm_run *run; /* shared with the kernel, which may write it during KVM_RUN */
};

/* 0, or an error and vcpus_destroy has to clean up. */
int vcpus_create(struct vmm *vmm);
int vcpus_destroy(struct vmm *vmm); /* the first error is returned */

#endif
