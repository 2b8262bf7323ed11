/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's three kinds of fd: what their ioctls are, VMs and vCPUs and who holds them. */
#include "sim/kvm.h"

/* Bits of KVM_CAP_EXIT_HYPERCALL: only MAP_GPA_RANGE can be asked for. */
#define HYPERCALLS_VALID (1ull << KVM_HC_MAP_GPA_RANGE)

enum { NR_MEMSLOTS = 32764, VM_TYPES = 1 << KVM_X86_DEFAULT_VM | 1 << KVM_X86_SW_PROTECTED_VM };

/* ---- who holds a VM ---- */
void vm_get(struct sim_vm *vm)
{
    assert(vm->refs > 0 && vm->refs < UINT32_MAX);
    vm->refs++;
}

void vm_put(struct sim_world *w, struct sim_vm *vm)
{
    assert(vm->refs > 0);
    if (--vm->refs)
        return;
    kvm_slots_free(w, vm);
    kvm_attributes_free(w, vm);
    for (unsigned i = 0; i < SIM_VCPUS_MAX; i++) {
        if (w->vcpus[i].vm != vm)
            continue;
        assert(!w->vcpus[i].fd_open && !w->vcpus[i].maps && !w->vcpus[i].run);
        w->vcpus[i] = (struct sim_vcpu){0};
    }
    if (w->vm == vm)
        w->vm = NULL;
    arena_free(w->arena, vm);
}

/* The run page goes when neither fd nor mapping reaches it; the vCPU itself stays as long as
 * its VM, so its number cannot be used again. */
static void vcpu_put(struct sim_world *w, struct sim_vcpu *v)
{
    assert(v->vm && v->run);
    if (!v->fd_open && !v->maps) {
        arena_free(w->arena, v->run);
        v->run = NULL;
    }
    vm_put(w, v->vm);
}

struct kvm_run *kvm_run_map(struct sim_world *w, unsigned index)
{
    struct sim_vcpu *v = &w->vcpus[index];

    assert(index < SIM_VCPUS_MAX && v->run);
    v->maps++;
    vm_get(v->vm);
    return v->run;
}

void kvm_run_unmap(struct sim_world *w, unsigned index)
{
    assert(index < SIM_VCPUS_MAX && w->vcpus[index].maps > 0);
    w->vcpus[index].maps--;
    vcpu_put(w, &w->vcpus[index]);
}

void kvm_release(struct sim_world *w, struct sim_fd *f)
{
    if (f->kind == FD_VM) {
        vm_put(w, f->object);
        return;
    }
    assert(f->kind == FD_VCPU && f->index < SIM_VCPUS_MAX);
    assert(w->vcpus[f->index].fd_open == 1);
    w->vcpus[f->index].fd_open = 0;
    vcpu_put(w, &w->vcpus[f->index]);
}

struct sim_vcpu *kvm_vcpu(const struct sim_world *w, uint32_t id)
{
    if (!w->vm)
        return NULL;
    if (id < SIM_VCPUS_MAX && w->vcpus[id].vm == w->vm && w->vcpus[id].id == id)
        return (struct sim_vcpu *)&w->vcpus[id];
    for (unsigned i = 0; i < SIM_VCPUS_MAX; i++)
        if (w->vcpus[i].vm == w->vm && w->vcpus[i].id == id)
            return (struct sim_vcpu *)&w->vcpus[i];
    return NULL;
}

/* ---- /dev/kvm ---- */
/* The fd is reserved before the type is looked at. */
static int create_vm(struct sim_world *w, uint64_t type)
{
    struct sim_vm *vm;
    int fd;

    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    if (type != KVM_X86_DEFAULT_VM && type != KVM_X86_SW_PROTECTED_VM)
        return -EINVAL;
    vm = arena_alloc(w->arena, sizeof(*vm));
    if (!vm)
        return -ENOMEM;
    vm->type = (uint32_t)type;
    vm->gmem_attributes = w->config.gmem_attributes;
    vm->refs = 1;
    fd = fd_new(w, FD_VM, vm, 0);
    assert(fd >= 0);
    if (w->vm)
        journal_all(w); /* guest memory now means the new VM's */
    w->vm = vm;
    return fd;
}

/* Attributes, of a VM or of its guest_memfds; vm NULL: asked of /dev/kvm. */
static int attributes_if(const struct sim_vm *vm, bool kept_there)
{
    bool private_memory = !vm || vm->type == KVM_X86_SW_PROTECTED_VM;

    return kept_there && private_memory ? (int)KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
}

/* The answers of 6.12.117 (nested/linux-6.12.117.answers) and 7.3 (nested.md 2); vm NULL:
 * asked of /dev/kvm. */
static int check_extension(const struct sim_world *w, const struct sim_vm *vm,
                           uint64_t extension)
{
    bool private_memory = !vm || vm->type == KVM_X86_SW_PROTECTED_VM;

    switch (extension) {
    case KVM_CAP_USER_MEMORY:
    case KVM_CAP_SYNC_MMU:
    case KVM_CAP_USER_MEMORY2:
    case KVM_CAP_MEMORY_FAULT_INFO:
    case KVM_CAP_PRE_FAULT_MEMORY:
        return 1;
    case KVM_CAP_NR_MEMSLOTS:
        return NR_MEMSLOTS;
    case KVM_CAP_EXIT_HYPERCALL:
        return (int)HYPERCALLS_VALID;
    case KVM_CAP_MEMORY_ATTRIBUTES:
        return attributes_if(vm, !w->config.gmem_attributes);
    case KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES:
        return attributes_if(vm, w->config.gmem_attributes);
    case KVM_CAP_GUEST_MEMFD:
        return w_since_7_3(w) || private_memory;
    case KVM_CAP_GUEST_MEMFD_FLAGS:
        return (int)gmem_flags_supported(w, vm);
    case KVM_CAP_VM_TYPES:
        return VM_TYPES;
    default:
        return 0;
    }
}

/* Requests that no fd of a kind knows: EINVAL from /dev/kvm and vCPUs, ENOTTY from VMs. */
static int system_effect(struct sim_world *w, unsigned long request, uint64_t arg)
{
    switch (request) {
    case KVM_GET_API_VERSION:
        return arg ? -EINVAL : KVM_API_VERSION;
    case KVM_CREATE_VM:
        return create_vm(w, arg);
    case KVM_CHECK_EXTENSION:
        return check_extension(w, NULL, arg);
    case KVM_GET_VCPU_MMAP_SIZE:
        return arg ? -EINVAL : (int)w_page_size(w);
    default:
        return -EINVAL;
    }
}

/* ---- VM fds ---- */
static int create_vcpu(struct sim_world *w, struct sim_vm *vm, uint64_t id)
{
    struct sim_vcpu *v = NULL;
    int fd;

    for (unsigned i = SIM_VCPUS_MAX; i-- > 0;) {
        if (w->vcpus[i].vm == vm && w->vcpus[i].id == id)
            return -EEXIST;
        if (!w->vcpus[i].vm && (!v || v != &w->vcpus[id % SIM_VCPUS_MAX]))
            v = &w->vcpus[i];
    }
    if (id >= UINT16_MAX || !v)
        return -EINVAL; /* more than there can be */
    if (w->n_fds >= SIM_FDS_MAX - SIM_FD_FIRST)
        return -EMFILE;
    v->run = arena_alloc(w->arena, sizeof(*v->run));
    if (!v->run)
        return -ENOMEM;
    v->vm = vm;
    v->id = (uint32_t)id;
    v->fd_open = 1;
    vm->n_vcpus++;
    vm_get(vm);
    fd = fd_new(w, FD_VCPU, v, (unsigned)(v - w->vcpus));
    assert(fd >= 0);
    return fd;
}

static int enable_cap(struct sim_vm *vm, const struct kvm_enable_cap *cap)
{
    if (!cap)
        return -EFAULT;
    if (cap->flags || cap->cap != KVM_CAP_EXIT_HYPERCALL || (cap->args[0] & ~HYPERCALLS_VALID))
        return -EINVAL;
    vm->exit_hypercalls = cap->args[0];
    return 0;
}

/* The old ioctl knows neither the guest_memfd flag nor its fields. */
static int set_region_v1(struct sim_world *w, struct sim_vm *vm,
                         const struct kvm_userspace_memory_region *old)
{
    struct kvm_userspace_memory_region2 m;

    if (!old)
        return -EFAULT;
    if (old->flags & ~(uint32_t)(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
        return -EINVAL;
    m = (struct kvm_userspace_memory_region2){
        .slot = old->slot,
        .flags = old->flags,
        .guest_phys_addr = old->guest_phys_addr,
        .memory_size = old->memory_size,
        .userspace_addr = old->userspace_addr,
    };
    return kvm_set_region(w, vm, &m);
}

static int vm_effect(struct sim_world *w, struct sim_vm *vm, unsigned long request, void *arg)
{
    switch (request) {
    case KVM_CHECK_EXTENSION:
        return check_extension(w, vm, (uintptr_t)arg);
    case KVM_CREATE_VCPU:
        return create_vcpu(w, vm, (uintptr_t)arg);
    case KVM_ENABLE_CAP:
        return enable_cap(vm, arg);
    case KVM_SET_USER_MEMORY_REGION:
        return set_region_v1(w, vm, arg);
    case KVM_SET_USER_MEMORY_REGION2:
        return arg ? kvm_set_region(w, vm, arg) : -EFAULT;
    case KVM_SET_MEMORY_ATTRIBUTES:
        if (vm->gmem_attributes)
            return -ENOTTY;
        return arg ? kvm_vm_set_attributes(w, vm, arg) : -EFAULT;
    case KVM_CREATE_GUEST_MEMFD:
        return arg ? gmem_create(w, vm, arg) : -EFAULT;
    default:
        return -ENOTTY;
    }
}

static int vcpu_effect(struct sim_world *w, struct sim_vcpu *v, unsigned long request,
                       void *arg)
{
    if (request != KVM_RUN || arg)
        return -EINVAL;
    return kvm_vcpu_run(w, v);
}

/* ---- all of them ---- */
struct described {
    unsigned point;
    uint64_t arg[3];
};

static struct described describe_vm(unsigned long request, const void *arg)
{
    const struct kvm_userspace_memory_region *region = arg; /* both begin alike */
    const struct kvm_memory_attributes *attributes = arg;
    const struct kvm_create_guest_memfd *gmem = arg;
    const struct kvm_enable_cap *cap = arg;

    switch (request) {
    case KVM_CHECK_EXTENSION:
        return (struct described){POINT_KVM_SYSTEM, {(uintptr_t)arg, 0, request}};
    case KVM_CREATE_VCPU:
        return (struct described){POINT_KVM_CREATE_VCPU, {0, 0, (uintptr_t)arg}};
    case KVM_ENABLE_CAP:
        return (struct described){POINT_KVM_ENABLE_CAP, {cap ? cap->cap : 0, 0, request}};
    case KVM_SET_USER_MEMORY_REGION:
    case KVM_SET_USER_MEMORY_REGION2:
        if (!region)
            return (struct described){POINT_KVM_SET_REGION, {0}};
        return (struct described){
            POINT_KVM_SET_REGION,
            {region->guest_phys_addr, region->memory_size, region->userspace_addr}};
    case KVM_SET_MEMORY_ATTRIBUTES:
        if (!attributes)
            return (struct described){POINT_KVM_SET_ATTRIBUTES, {0}};
        return (struct described){
            POINT_KVM_SET_ATTRIBUTES,
            {attributes->address, attributes->size, attributes->attributes}};
    case KVM_CREATE_GUEST_MEMFD:
        if (!gmem)
            return (struct described){POINT_GMEM_CREATE, {0}};
        return (struct described){POINT_GMEM_CREATE, {0, gmem->size, gmem->flags}};
    default:
        return (struct described){POINT_HOST_IOCTL, {0, 0, request}};
    }
}

static struct described describe(const struct sim_world *w, const struct sim_fd *f,
                                 unsigned long request, const void *arg)
{
    if (f->kind == FD_VM)
        return describe_vm(request, arg);
    if (f->kind == FD_VCPU && request == KVM_RUN)
        return (struct described){POINT_KVM_RUN, {0, 0, w->vcpus[f->index].id}};
    if (f->kind == FD_KVM && request == KVM_CREATE_VM)
        return (struct described){POINT_KVM_CREATE_VM, {(uintptr_t)arg, 0, request}};
    if (f->kind == FD_KVM &&
        (request == KVM_GET_API_VERSION || request == KVM_CHECK_EXTENSION ||
         request == KVM_GET_VCPU_MMAP_SIZE))
        return (struct described){POINT_KVM_SYSTEM, {(uintptr_t)arg, 0, request}};
    return (struct described){POINT_HOST_IOCTL, {0, 0, request}};
}

/* Which of the errnos that faults may choose this call can never give. */
static uint16_t impossible_errno(const struct sim_world *w, const struct sim_fd *f,
                                 unsigned point, const void *arg)
{
    if (SIM_LIKELY(!(w->armed >> point & 1) && !w->watch_hits) ||
        point != POINT_KVM_SET_ATTRIBUTES || !arg)
        return 0;
    return kvm_vm_attributes_need_nothing(w, f->object, arg) ? ENOMEM : 0;
}

int kvm_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request, void *arg)
{
    struct described d = describe(w, f, request, arg);
    int result;

    (void)fd;
    call_begin(w, d.point, w->call.caller, d.arg[0], d.arg[1], d.arg[2]);
    w->call.cannot = impossible_errno(w, f, d.point, arg);
    if (call_fails_early(w)) {
        if (d.point == POINT_KVM_RUN)
            kvm_vcpu_run_failed(w, &w->vcpus[f->index]);
        return (int)call_end(w, 0);
    }
    switch (f->kind) {
    case FD_KVM:
        result = system_effect(w, request, (uintptr_t)arg);
        break;
    case FD_VM:
        result = vm_effect(w, f->object, request, arg);
        break;
    default:
        assert(f->kind == FD_VCPU && f->index < SIM_VCPUS_MAX);
        result = vcpu_effect(w, &w->vcpus[f->index], request, arg);
        break;
    }
    return (int)call_end(w, result);
}
