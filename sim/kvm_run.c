/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM_RUN: takes the guest's next request and leaves with what it causes (behaviour.md 7.6,
 * 7.7). A request that the kernel serves by itself is followed by a signal, so KVM_RUN always
 * comes back.
 */
#include "sim/kvm.h"

enum { HYPERCALL_LONG_MODE = 1 };

static int exit_by_signal(struct sim_world *w, struct kvm_run *run)
{
    assert(run);
    run->exit_reason = KVM_EXIT_INTR;
    w->call_is_exit = true;
    return -EINTR;
}

static int exit_memory_fault(struct sim_world *w, struct kvm_run *run, uint64_t gpa_page,
                             bool is_private)
{
    assert(run);
    run->exit_reason = KVM_EXIT_MEMORY_FAULT;
    run->memory_fault.flags = is_private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
    run->memory_fault.gpa = gpa_page << w->page_shift;
    run->memory_fault.size = w_page_size(w);
    w->call_is_exit = true;
    return -EFAULT;
}

/* 6.12 leaves the result field as it is: who forgets to write it tells the guest what was
 * there before (catalogue B8). Whatever page size the guest names besides, KVM hands it on. */
static int run_hypercall(struct sim_world *w, struct sim_vcpu *v, const struct guest_request *r)
{
    uint64_t unit_mask = (1u << KVM_MAP_GPA_RANGE_SHIFT) - 1;
    uint64_t gfn = r->gpa >> KVM_MAP_GPA_RANGE_SHIFT;
    struct kvm_run *run = v->run;

    _Static_assert(SIM_HYPERCALL_SHIFT == KVM_MAP_GPA_RANGE_SHIFT, "one unit");
    assert(!v->in_hypercall);
    if (!(v->vm->exit_hypercalls >> KVM_HC_MAP_GPA_RANGE & 1)) {
        v->status = -(uint64_t)KVM_ENOSYS;
        return exit_by_signal(w, run);
    }
    if ((r->gpa & unit_mask) || gfn + r->n_pages <= gfn) {
        v->status = -(uint64_t)EINVAL;
        return exit_by_signal(w, run);
    }
    run->exit_reason = KVM_EXIT_HYPERCALL;
    run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
    run->hypercall.args[0] = r->gpa;
    run->hypercall.args[1] = r->n_pages;
    run->hypercall.args[2] = (r->is_private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0) |
                             (r->n_pages > 1 ? KVM_MAP_GPA_RANGE_PAGE_SZ_2M : 0);
    run->hypercall.flags = HYPERCALL_LONG_MODE;
    v->in_hypercall = true;
    return 0;
}

/* The guest touches a page as private or shared; one that has no private memory can only touch
 * it as shared. */
static int run_access(struct sim_world *w, struct sim_vcpu *v, const struct guest_request *r)
{
    uint64_t gpa_page = r->gpa >> w->page_shift;
    bool has_private = v->vm->type == KVM_X86_SW_PROTECTED_VM;
    bool want_private = has_private && r->is_private;
    struct slot *s = kvm_slot_at(v->vm, gpa_page);
    uint32_t frame;
    int error;

    assert(v->run);
    if (has_private && kvm_page_is_private(v->vm, gpa_page) != want_private)
        return exit_memory_fault(w, v->run, gpa_page, want_private);
    if (want_private && (!s || !s->gmem))
        return exit_memory_fault(w, v->run, gpa_page, true);
    if (!s) {
        v->run->exit_reason = KVM_EXIT_MMIO;
        return 0;
    }
    error = kvm_slot_fault(w, s, gpa_page, want_private, false, &frame);
    return error ? error : exit_by_signal(w, v->run);
}

int kvm_vcpu_run(struct sim_world *w, struct sim_vcpu *v)
{
    struct guest_request request = v->request;

    assert(v->vm && v->run && v->fd_open);
    if (v->in_hypercall) { /* back in the guest: it takes its result */
        v->in_hypercall = false;
        v->status = v->run->hypercall.ret;
    }
    v->run->exit_reason = KVM_EXIT_NONE;
    if (v->run->immediate_exit) {
        w->call_is_exit = true;
        return -EINTR;
    }
    if (!request.pending)
        return exit_by_signal(w, v->run);
    v->request.pending = 0;
    if (request.kind == SIM_REQUEST_HYPERCALL)
        return run_hypercall(w, v, &request);
    return run_access(w, v, &request);
}

void kvm_vcpu_run_failed(struct sim_world *w, struct sim_vcpu *v)
{
    assert(v->run && w->early_error > 0);
    v->run->exit_reason = w->early_error == EINTR ? KVM_EXIT_INTR : KVM_EXIT_NONE;
}

uint64_t kvm_guest_status(const struct sim_world *w, uint32_t vcpu)
{
    const struct sim_vcpu *v = kvm_vcpu(w, vcpu);

    if (!v)
        return 0;
    assert(v->id == vcpu);
    return v->in_hypercall && v->run ? v->run->hypercall.ret : v->status;
}
