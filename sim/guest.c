/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest does: its next request to the hypervisor, and plain loads and stores. */
#include "sim/kvm.h"

void sim_guest_request(struct sim_world *w, uint32_t vcpu, enum sim_request_kind kind,
                       uint64_t gpa, uint64_t n_pages, bool is_private)
{
    struct sim_vcpu *v = kvm_vcpu(w, vcpu);

    assert(kind == SIM_REQUEST_HYPERCALL || kind == SIM_REQUEST_ACCESS);
    if (!v)
        return; /* the VMM never made it: nothing will ask */
    v->request = (struct guest_request){
        .kind = (uint8_t)kind,
        .pending = 1,
        .is_private = is_private,
        .gpa = gpa,
        .n_pages = n_pages,
    };
}

bool sim_guest_request_pending(const struct sim_world *w, uint32_t vcpu)
{
    const struct sim_vcpu *v = kvm_vcpu(w, vcpu);

    assert(w->arena);
    return v && v->request.pending;
}

/* The frame that an access reaches, faulted in as the kernel would. */
static int guest_frame(struct sim_world *w, uint64_t gpa, bool write, struct frame **out)
{
    uint64_t gpa_page = gpa >> w->page_shift;
    struct slot *s = w->vm ? kvm_slot_at(w->vm, gpa_page) : NULL;
    uint32_t frame = 0;
    bool is_private;
    int error;

    if (!s)
        return -EFAULT;
    is_private = kvm_page_is_private(w->vm, gpa_page);
    if (write && !is_private && (s->flags & KVM_MEM_READONLY))
        return -EACCES;
    error = kvm_slot_fault(w, s, gpa_page, is_private, write, &frame);
    if (error)
        return error;
    assert(frame);
    *out = frame_at(&w->frames, frame);
    return 0;
}

int sim_guest_read(struct sim_world *w, uint64_t gpa, uint64_t *token)
{
    struct frame *frame;
    int error = guest_frame(w, gpa, false, &frame);

    if (error)
        return error;
    assert(frame->serial);
    *token = frame->content;
    return 0;
}

int sim_guest_write(struct sim_world *w, uint64_t gpa, uint64_t token)
{
    struct frame *frame;
    int error = guest_frame(w, gpa, true, &frame);

    if (error)
        return error;
    assert(frame->serial);
    frame->content = token;
    return 0;
}
