/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "core/internal.h"

/* A signal may break off KVM_RUN before the guest came to its request: it is run once more.
 * Whether the guest still wants something then, nobody but the guest knows. */
enum { RUN_TRIES = 2 };

static int vcpu_create(struct vmm *vmm, uint32_t i)
{
    struct vcpu *vcpu = &vmm->vcpus[i];
    uint64_t run;
    int rc = host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_CREATE_VCPU, (void *)(uintptr_t)i);

    assert(vcpu->fd == -1);
    if (rc < 0)
        return rc;
    vcpu->fd = rc;
    rc = host_mmap(&vmm->host, 0, vmm->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                   vcpu->fd, 0, &run);
    if (rc)
        return rc;
    vcpu->run = (struct kvm_run *)(uintptr_t)run;
    return 0;
}

int vcpus_create(struct vmm *vmm)
{
    uint32_t n = vmm->config.n_vcpus;
    int rc = 0;

    vmm->vcpus = n ? host_alloc(&vmm->host, n * sizeof vmm->vcpus[0]) : NULL;
    if (n && !vmm->vcpus)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        vmm->vcpus[i].fd = -1;
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = vcpu_create(vmm, i);
    return rc;
}

int vcpus_destroy(struct vmm *vmm)
{
    int error = 0;

    for (uint32_t i = 0; vmm->vcpus && i < vmm->config.n_vcpus; i++) {
        struct vcpu *vcpu = &vmm->vcpus[i];

        if (vcpu->run)
            note_error(&error, host_munmap(&vmm->host, (uint64_t)(uintptr_t)vcpu->run,
                                           vmm->kvm.run_size));
        if (vcpu->fd >= 0)
            note_error(&error, host_close(&vmm->host, vcpu->fd));
    }
    host_free(&vmm->host, vmm->vcpus);
    return error;
}

static int serve_memory_fault(struct vmm *vmm, const struct kvm_run *run)
{
    uint64_t flags = run->memory_fault.flags;
    bool refused;

    if (flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE)
        return -EINVAL;
    return convert_request(vmm, run->memory_fault.gpa, run->memory_fault.size,
                           flags & KVM_MEMORY_EXIT_FLAG_PRIVATE, &refused);
}

/* MAP_GPA_RANGE. The guest is told on every path: success, never try that again, or try it
 * again. */
static int serve_hypercall(struct vmm *vmm, struct kvm_run *run)
{
    uint64_t pages = run->hypercall.args[1];
    bool to_private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;
    bool refused = true;
    int rc = -EINVAL;

    if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE) {
        run->hypercall.ret = (uint64_t)-KVM_ENOSYS;
        return -EINVAL;
    }
    if (pages <= UINT64_MAX >> KVM_MAP_GPA_RANGE_SHIFT)
        rc = convert_request(vmm, run->hypercall.args[0], pages << KVM_MAP_GPA_RANGE_SHIFT,
                             to_private, &refused);
    run->hypercall.ret = rc == 0 ? 0 : refused ? EINVAL : EAGAIN;
    return rc;
}

static int serve_exit(struct vmm *vmm, struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_HYPERCALL:
        return serve_hypercall(vmm, run);
    case KVM_EXIT_INTR:
    case KVM_EXIT_HLT:
    case KVM_EXIT_MMIO: /* a device model's business */
        return 0;
    default:
        return -EINVAL;
    }
}

/* KVM_RUN may fail before there is a request; what was in the way of an earlier one is no
 * answer to that. */
static void forget_blocked(struct vmm *vmm)
{
    if (vmm->config.mode != VMM_MODE_INPLACE)
        return;
    sync_lock(&vmm->sync, &vmm->machine_lock);
    vmm->is_blocked = false;
    (void)vmm_leave(vmm, 0);
}

int vmm_vcpu_run(struct vmm *vmm, uint32_t vcpu)
{
    int rc = -EINTR;

    if (vmm_stopped(vmm))
        return -EIO;
    if (vcpu >= vmm->config.n_vcpus)
        return -EINVAL;
    struct kvm_run *run = vmm->vcpus[vcpu].run;
    forget_blocked(vmm);
    for (int i = 0; i < RUN_TRIES && rc == -EINTR; i++) {
        run->exit_reason = 0; /* or an old exit would be taken for a new one */
        rc = host_ioctl(&vmm->host, vmm->vcpus[vcpu].fd, KVM_RUN, NULL);
    }
    if (rc == -EFAULT && run->exit_reason == KVM_EXIT_MEMORY_FAULT)
        return serve_memory_fault(vmm, run);
    if (rc == -EINTR && run->exit_reason == KVM_EXIT_INTR)
        return 0;
    return rc < 0 ? rc : serve_exit(vmm, run);
}
