/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private or shared, page by page: behaviour.md 7.4. The VM keeps it by guest page; where a
 * module parameter of the proposed kernel says so (7.10) each guest_memfd keeps it for its own
 * pages instead, and what shows no guest_memfd is shared.
 */
#include "sim/kvm.h"

/* The guest_memfd that a page's attribute is in; NULL: it has none. *end: where the stretch of
 * guest pages ends that the answer is good for. */
static struct backing *attribute_file(struct sim_vm *vm, uint64_t gpa_page, uint64_t *page,
                                      uint64_t *end)
{
    struct slot *s = kvm_slot_at(vm, gpa_page);

    assert(vm->gmem_attributes);
    *end = s ? s->gpa_page + s->n_pages : gpa_page + 1;
    if (!s || !s->gmem)
        return NULL;
    *page = s->gmem_page + (gpa_page - s->gpa_page);
    return s->gmem;
}

bool kvm_page_is_private(struct sim_vm *vm, uint64_t gpa_page)
{
    uint64_t page, end;
    const struct backing *b;

    if (SIM_LIKELY(!vm->gmem_attributes))
        return page_runs_has(&vm->private_pages, gpa_page);
    b = attribute_file(vm, gpa_page, &page, &end);
    return b && page_runs_has(&b->private_pages, page);
}

bool kvm_private_stretch(struct sim_vm *vm, uint64_t gpa_page, uint64_t *end)
{
    uint64_t page, file_end;
    const struct backing *b;
    bool is_private;

    if (SIM_LIKELY(!vm->gmem_attributes))
        return page_runs_stretch(&vm->private_pages, gpa_page, end);
    b = attribute_file(vm, gpa_page, &page, end);
    if (!b)
        return false;
    is_private = page_runs_stretch(&b->private_pages, page, &file_end);
    if (file_end - page < *end - gpa_page)
        *end = gpa_page + (file_end - page);
    return is_private;
}

static uint64_t attributes_supported(const struct sim_vm *vm)
{
    return vm->type == KVM_X86_SW_PROTECTED_VM ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
}

int kvm_attributes_check(const struct sim_world *w, const struct sim_vm *vm, uint64_t start,
                         uint64_t size, uint64_t attributes)
{
    if (attributes & ~attributes_supported(vm))
        return -EINVAL;
    if (size == 0 || start + size < start)
        return -EINVAL;
    return (start | size) & (w_page_size(w) - 1) ? -EINVAL : 0;
}

/* An entry a private page: 6.12 makes sure of them for all of the range whatever is asked, 7.3
 * knows that clearing needs none. */
bool kvm_vm_attributes_need_nothing(const struct sim_world *w, const struct sim_vm *vm,
                                    const struct kvm_memory_attributes *a)
{
    uint64_t first = a->address >> w->page_shift, n = a->size >> w->page_shift, end;

    if (a->attributes)
        return false;
    return w_since_7_3(w) ||
           (page_runs_stretch(&vm->private_pages, first, &end) && end - first >= n);
}

int kvm_vm_set_attributes(struct sim_world *w, struct sim_vm *vm,
                          const struct kvm_memory_attributes *a)
{
    int error =
        a->flags ? -EINVAL : kvm_attributes_check(w, vm, a->address, a->size, a->attributes);
    uint64_t first, end;
    bool changed;

    if (error)
        return error;
    if (page_runs_reserve(w, &vm->private_pages) != 0)
        return -ENOMEM;
    first = a->address >> w->page_shift;
    end = first + (a->size >> w->page_shift);
    if (a->attributes)
        changed = page_runs_add(&vm->private_pages, first, end);
    else
        changed = page_runs_remove(&vm->private_pages, first, end);
    if (changed && w->vm == vm)
        journal_gpa(w, first, end - first);
    return 0;
}

void kvm_attributes_free(struct sim_world *w, struct sim_vm *vm)
{
    struct page_runs *s = &vm->private_pages;

    assert(vm->refs == 0);
    for (uint32_t i = 0; i < s->n && w->vm == vm; i++) {
        const struct page_run *run = page_runs_at(s, i);
        journal_gpa(w, run->first, run->end - run->first);
    }
    page_runs_free(w, s);
}
