/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory slots: behaviour.md 7.5, in the order of its checks, with what 7.3 has changed. */
#include "sim/kvm.h"

#include <string.h>

enum { USER_SLOTS = 32764, SLOTS_FIRST = 4, AS_SHIFT = 16, MAX_GPA_BITS = 52 };

#define SLOT_PAGES_MAX ((1ull << 31) - 1)

/* Slots are sorted by address space, then address. */
struct slot_table {
    const struct slot *slots;
    unsigned as_id; /* the one that is looked in */
};

static bool slot_before(const void *table, uint32_t i, uint64_t gpa_page)
{
    const struct slot_table *t = table;
    const struct slot *s = &t->slots[i];

    return s->as_id < t->as_id ||
           (s->as_id == t->as_id && s->gpa_page + s->n_pages <= gpa_page);
}

/* Index of the first slot that ends after a page. */
static uint32_t slot_index(const struct sim_vm *vm, unsigned as_id, uint64_t gpa_page)
{
    const struct slot_table table = {vm->slots, as_id};

    return sorted_search(0, vm->n_slots, slot_before, &table, gpa_page);
}

struct slot *kvm_slot_at(struct sim_vm *vm, uint64_t gpa_page)
{
    uint32_t i = vm->last_slot;

    /* Neighbours are asked for one after another: try the slot that was right last time. */
    if (i < vm->n_slots && vm->slots[i].as_id == 0 &&
        gpa_page - vm->slots[i].gpa_page < vm->slots[i].n_pages)
        return &vm->slots[i];
    i = slot_index(vm, 0, gpa_page);
    assert(i <= vm->n_slots);
    vm->last_slot = i;
    if (i == vm->n_slots || vm->slots[i].as_id != 0 || vm->slots[i].gpa_page > gpa_page)
        return NULL;
    return &vm->slots[i];
}

struct backing *kvm_slot_shared(struct sim_world *w, struct slot *s, uint64_t gpa_page,
                                uint64_t *page)
{
    uint64_t offset = gpa_page - s->gpa_page;
    const struct vma *vma;

    assert(gpa_page >= s->gpa_page && offset < s->n_pages);
    if (SIM_LIKELY(s->shared_generation == w->mm.generation)) {
        *page = s->shared_page + offset;
        return s->shared;
    }
    vma = mm_find(w, s->hva);
    if (vma && s->n_pages <= (vma->start + vma->size - s->hva) >> w->page_shift) {
        s->shared_generation = w->mm.generation;
        s->shared = vma->backing;
        s->shared_page = vma->first_page + ((s->hva - vma->start) >> w->page_shift);
        *page = s->shared_page + offset;
        return s->shared;
    }
    vma = mm_find(w, s->hva + (offset << w->page_shift));
    if (!vma)
        return NULL;
    *page =
        vma->first_page + ((s->hva + (offset << w->page_shift) - vma->start) >> w->page_shift);
    return vma->backing;
}

struct backing *kvm_slot_private(struct slot *s, uint64_t gpa_page, uint64_t *page)
{
    assert(gpa_page >= s->gpa_page && gpa_page - s->gpa_page < s->n_pages);
    *page = s->gmem_page + (gpa_page - s->gpa_page);
    return s->gmem;
}

int kvm_slot_fault(struct sim_world *w, struct slot *s, uint64_t gpa_page, bool is_private,
                   bool write, uint32_t *frame)
{
    uint64_t page;
    struct backing *b = kvm_slot_private(s, gpa_page, &page);

    if (!is_private && !kvm_slot_has_one_backing(s))
        return mm_fault(w, s->hva + ((gpa_page - s->gpa_page) << w->page_shift), write, frame);
    if (!b)
        return -EFAULT;
    *frame = backing_fault(w, b, page);
    return *frame ? 0 : -ENOMEM;
}

static struct slot *slot_by_id(struct sim_vm *vm, unsigned as_id, unsigned id)
{
    for (uint32_t i = 0; i < vm->n_slots; i++)
        if (vm->slots[i].id == id && vm->slots[i].as_id == as_id)
            return &vm->slots[i];
    return NULL;
}

static void slot_remove(struct sim_world *w, struct sim_vm *vm, struct slot *s)
{
    uint32_t i = (uint32_t)(s - vm->slots);

    assert(i < vm->n_slots);
    if (w->vm == vm)
        journal_gpa(w, s->gpa_page, s->n_pages);
    vm->n_slots--;
    memmove(s, s + 1, (vm->n_slots - i) * sizeof(*s));
}

static int slots_reserve(struct sim_world *w, struct sim_vm *vm)
{
    uint32_t capacity = vm->cap_slots ? 2 * vm->cap_slots : SLOTS_FIRST;
    struct slot *slots;

    if (vm->n_slots < vm->cap_slots)
        return 0;
    assert(vm->n_slots == vm->cap_slots);
    slots = arena_alloc(w->arena, capacity * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    if (vm->n_slots)
        memcpy(slots, vm->slots, vm->n_slots * sizeof(*slots));
    arena_free(w->arena, vm->slots);
    vm->slots = slots;
    vm->cap_slots = capacity;
    return 0;
}

static void slot_insert(struct sim_world *w, struct sim_vm *vm, const struct slot *s)
{
    uint32_t i = slot_index(vm, s->as_id, s->gpa_page);

    assert(vm->n_slots < vm->cap_slots && s->n_pages);
    memmove(&vm->slots[i + 1], &vm->slots[i], (vm->n_slots - i) * sizeof(*s));
    vm->slots[i] = *s;
    vm->n_slots++;
    if (w->vm == vm)
        journal_gpa(w, s->gpa_page, s->n_pages);
}

/* Everything that is looked at before the slot's past: all of it is EINVAL. */
static int region_check(const struct sim_world *w, const struct sim_vm *vm,
                        const struct kvm_userspace_memory_region2 *m)
{
    bool private_memory = vm->type == KVM_X86_SW_PROTECTED_VM;
    bool gmem = m->flags & KVM_MEM_GUEST_MEMFD;
    uint64_t page_mask = w_page_size(w) - 1;
    uint32_t valid = gmem ? 0 : KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY;

    if (private_memory || w_since_7_3(w))
        valid |= KVM_MEM_GUEST_MEMFD;
    if (m->flags & ~valid)
        return -EINVAL;
    if ((m->memory_size | m->guest_phys_addr | m->userspace_addr) & page_mask)
        return -EINVAL;
    if (m->memory_size > SIM_USER_END || m->userspace_addr > SIM_USER_END - m->memory_size)
        return -EINVAL;
    if (gmem && ((m->guest_memfd_offset & page_mask) ||
                 m->guest_memfd_offset > UINT64_MAX - m->memory_size))
        return -EINVAL;
    /* Private memory has one address space, other VMs have SMM's as well. */
    if (m->slot >> AS_SHIFT >= (private_memory ? 1u : 2u) || (uint16_t)m->slot >= USER_SLOTS)
        return -EINVAL;
    if (m->guest_phys_addr + m->memory_size < m->guest_phys_addr)
        return -EINVAL;
    return m->memory_size >> w->page_shift > SLOT_PAGES_MAX ? -EINVAL : 0;
}

/* Does [gpa_page, + n_pages) meet a slot other than `self`? */
static bool slot_overlaps(const struct sim_vm *vm, const struct slot *new,
                          const struct slot *self)
{
    for (uint32_t i = slot_index(vm, new->as_id, new->gpa_page); i < vm->n_slots; i++) {
        const struct slot *s = &vm->slots[i];
        if (s->as_id != new->as_id || s->gpa_page >= new->gpa_page + new->n_pages)
            return false;
        if (s != self)
            return true;
    }
    return false;
}

/* Binds a slot to its guest_memfd: a range may be bound once. */
static int slot_bind(struct sim_world *w, struct sim_vm *vm, struct slot *new,
                     const struct kvm_userspace_memory_region2 *m)
{
    struct sim_fd *f = fd_get(w, (int)m->guest_memfd);
    uint64_t first = m->guest_memfd_offset >> w->page_shift;
    struct backing *b;

    if (!f)
        return -EBADF;
    if (f->kind != FD_GMEM)
        return -EINVAL;
    b = f->object;
    if (b->vm != vm)
        return -EINVAL;
    if (m->guest_memfd_offset > INT64_MAX || first + new->n_pages > b->n_pages)
        return -EINVAL;
    for (uint32_t i = 0; i < vm->n_slots; i++) {
        const struct slot *s = &vm->slots[i];
        uint64_t s_end = s->gmem_page + s->n_pages;
        if (s->gmem == b && first < s_end && first + new->n_pages > s->gmem_page)
            return w_since_7_3(w) ? -EEXIST : -EINVAL;
    }
    new->gmem = b;
    new->gmem_page = first;
    return 0;
}

/* What an existing slot may become: other flags, another place. *old NULL: nothing to do. */
static int change_check(const struct slot *new, struct slot **old)
{
    struct slot *s = *old;

    assert(s->n_pages && new->n_pages);
    if ((new->flags | s->flags) & KVM_MEM_GUEST_MEMFD)
        return -EINVAL; /* never changes, not even into itself */
    if (new->hva != s->hva || new->n_pages != s->n_pages ||
        ((new->flags ^ s->flags) & KVM_MEM_READONLY))
        return -EINVAL;
    if ((new->gpa_page == s->gpa_page) && (new->flags == s->flags))
        *old = NULL;
    return 0;
}

static int slot_place(struct sim_world *w, struct sim_vm *vm, struct slot *new,
                      struct slot *old, const struct kvm_userspace_memory_region2 *m)
{
    int error;

    if ((!old || old->gpa_page != new->gpa_page) && slot_overlaps(vm, new, old))
        return -EEXIST;
    if (new->flags & KVM_MEM_GUEST_MEMFD) {
        error = slot_bind(w, vm, new, m);
        if (error)
            return error;
    }
    if (m->guest_phys_addr + m->memory_size > 1ull << MAX_GPA_BITS)
        return -EINVAL; /* x86 looks at it last */
    if (!old) {
        error = slots_reserve(w, vm);
        if (error)
            return error;
    } else {
        slot_remove(w, vm, old);
    }
    slot_insert(w, vm, new);
    return 0;
}

int kvm_set_region(struct sim_world *w, struct sim_vm *vm,
                   const struct kvm_userspace_memory_region2 *m)
{
    struct slot *old;
    struct slot new = {0};
    int error = region_check(w, vm, m);

    if (error)
        return error;
    new.id = (uint16_t)m->slot;
    new.as_id = (uint16_t)(m->slot >> AS_SHIFT);
    new.flags = m->flags;
    new.gpa_page = m->guest_phys_addr >> w->page_shift;
    new.n_pages = m->memory_size >> w->page_shift;
    new.hva = m->userspace_addr;
    old = slot_by_id(vm, new.as_id, new.id);
    if (!new.n_pages) {
        if (!old)
            return -EINVAL;
        slot_remove(w, vm, old);
        return 0;
    }
    if (old) {
        error = change_check(&new, &old);
        if (error || !old)
            return error;
    }
    return slot_place(w, vm, &new, old, m);
}

void kvm_slots_unbind(struct sim_world *w, struct sim_vm *vm, const struct backing *b)
{
    assert(b->kind == BACKING_GMEM && b->vm == vm);
    for (uint32_t i = 0; i < vm->n_slots; i++) {
        struct slot *s = &vm->slots[i];
        if (s->gmem != b)
            continue;
        s->gmem = NULL;
        if (w->vm == vm)
            journal_gpa(w, s->gpa_page, s->n_pages);
    }
}

void kvm_slots_free(struct sim_world *w, struct sim_vm *vm)
{
    assert(vm->refs == 0);
    for (uint32_t i = 0; i < vm->n_slots && w->vm == vm; i++)
        journal_gpa(w, vm->slots[i].gpa_page, vm->slots[i].n_pages);
    arena_free(w->arena, vm->slots);
    vm->slots = NULL;
    vm->n_slots = vm->cap_slots = 0;
}
