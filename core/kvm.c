/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "core/internal.h"
#include "core/uapi.h"

static void *number(unsigned long n)
{
    return (void *)(uintptr_t)n;
}

static bool can(struct vmm *vmm, int fd, unsigned long capability, int bits)
{
    int answer = host_ioctl(&vmm->host, fd, KVM_CHECK_EXTENSION, number(capability));

    return answer > 0 && (answer & bits) == bits;
}

static int check_system(struct vmm *vmm)
{
    int version = host_ioctl(&vmm->host, vmm->kvm.fd, KVM_GET_API_VERSION, NULL);

    if (version != KVM_API_VERSION)
        return version < 0 ? version : -EOPNOTSUPP;
    if (!can(vmm, vmm->kvm.fd, KVM_CAP_VM_TYPES, 1 << KVM_X86_SW_PROTECTED_VM))
        return -EOPNOTSUPP;
    int size = host_ioctl(&vmm->host, vmm->kvm.fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (size < (int)sizeof(struct kvm_run))
        return size < 0 ? size : -EOPNOTSUPP;
    vmm->kvm.run_size = (uint64_t)size;
    return 0;
}

/* The VM can hold private memory, and tells us when its guest wants to convert some. */
static int check_vm(struct vmm *vmm)
{
    struct kvm_enable_cap exits = {
        .cap = KVM_CAP_EXIT_HYPERCALL,
        .args = {1 << KVM_HC_MAP_GPA_RANGE},
    };
    bool in_place = vmm->config.mode == VMM_MODE_INPLACE;

    if (!can(vmm, vmm->kvm.vm_fd, KVM_CAP_GUEST_MEMFD, 1) ||
        !can(vmm, vmm->kvm.vm_fd,
             in_place ? KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES : KVM_CAP_MEMORY_ATTRIBUTES,
             KVM_MEMORY_ATTRIBUTE_PRIVATE))
        return -EOPNOTSUPP;
    return host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_ENABLE_CAP, &exits);
}

static int make_vm(struct vmm *vmm)
{
    int rc = check_system(vmm);

    if (rc)
        return rc;
    vmm->kvm.vm_fd =
        host_ioctl(&vmm->host, vmm->kvm.fd, KVM_CREATE_VM, number(KVM_X86_SW_PROTECTED_VM));
    return vmm->kvm.vm_fd < 0 ? vmm->kvm.vm_fd : check_vm(vmm);
}

int kvm_open(struct vmm *vmm)
{
    int rc;

    vmm->kvm = (struct kvm){.fd = -1, .vm_fd = -1};
    rc = host_open(&vmm->host, "/dev/kvm", O_RDWR | O_CLOEXEC);
    if (rc < 0)
        return rc;
    vmm->kvm.fd = rc;
    return make_vm(vmm);
}

int kvm_close(struct vmm *vmm)
{
    int error = 0;

    if (vmm->kvm.vm_fd >= 0)
        note_error(&error, host_close(&vmm->host, vmm->kvm.vm_fd));
    if (vmm->kvm.fd >= 0)
        note_error(&error, host_close(&vmm->host, vmm->kvm.fd));
    return error;
}

int kvm_create_guest_memfd(struct vmm *vmm, uint64_t size)
{
    struct kvm_create_guest_memfd arg = {
        .size = size,
        .flags = vmm->config.mode == VMM_MODE_INPLACE ? GUEST_MEMFD_FLAG_MMAP : 0,
    };

    assert(size > 0 && size % vmm->config.page_size == 0);
    return host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_CREATE_GUEST_MEMFD, &arg);
}

int kvm_slot_set(struct vmm *vmm, const struct section *section)
{
    const struct ram_block *block = section->block;
    struct kvm_userspace_memory_region2 arg = {
        .slot = section->slot,
        .guest_phys_addr = section->gpa,
        .memory_size = section->size,
        .userspace_addr = block->hva + section->offset,
    };

    assert(block->kind != VMM_REGION_MMIO);
    if (block->kind == VMM_REGION_ROM)
        arg.flags = KVM_MEM_READONLY;
    if (block->guest_memfd) {
        arg.flags = KVM_MEM_GUEST_MEMFD;
        arg.guest_memfd = (uint32_t)block->gmem_fd;
        arg.guest_memfd_offset = section->offset;
    }
    return host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_SET_USER_MEMORY_REGION2, &arg);
}

int kvm_slot_delete(struct vmm *vmm, const struct section *section)
{
    struct kvm_userspace_memory_region2 arg = {
        .slot = section->slot,
        .guest_phys_addr = section->gpa,
    };

    assert(section->block->kind != VMM_REGION_MMIO);
    return host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_SET_USER_MEMORY_REGION2, &arg);
}

int kvm_attributes_set(struct vmm *vmm, uint64_t gpa, uint64_t size, bool is_private)
{
    struct kvm_memory_attributes arg = {
        .address = gpa,
        .size = size,
        .attributes = is_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
    };

    assert(size > 0 && (gpa | size) % vmm->config.page_size == 0);
    return host_ioctl(&vmm->host, vmm->kvm.vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &arg);
}

int kvm_attributes_restore(struct vmm *vmm, uint64_t gpa, uint64_t size, bool is_private)
{
    int rc = kvm_attributes_set(vmm, gpa, size, is_private);

    return rc == -EFAULT ? kvm_attributes_set(vmm, gpa, size, is_private) : rc;
}

int kvm_gmem_attributes_set(struct vmm *vmm, int fd, uint64_t offset, uint64_t size,
                            bool is_private, uint64_t *error_offset)
{
    struct kvm_memory_attributes2 arg = {
        .offset = offset,
        .size = size,
        .attributes = is_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
    };

    assert(size > 0 && (offset | size) % vmm->config.page_size == 0);
    int rc = host_ioctl(&vmm->host, fd, KVM_SET_MEMORY_ATTRIBUTES2, &arg);
    *error_offset = arg.error_offset;
    return rc;
}
