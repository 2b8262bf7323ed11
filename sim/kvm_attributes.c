/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private or shared, page by page: behaviour.md 7.4. Kept as sorted runs of private pages that
 * neither overlap nor touch, so a range of any size costs what it changes.
 */
#include "sim/kvm.h"

#include <string.h>

enum { RUNS_FIRST = 8 };

/* Index of the first run whose end is beyond a page. */
static uint32_t run_after(const struct sim_vm *vm, uint64_t page)
{
    uint32_t low = 0, high = vm->n_runs;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (vm->private_runs[middle].end <= page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool kvm_page_is_private(const struct sim_vm *vm, uint64_t gpa_page)
{
    uint32_t i = run_after(vm, gpa_page);

    assert(i <= vm->n_runs);
    return i < vm->n_runs && vm->private_runs[i].first <= gpa_page;
}

bool kvm_private_stretch(const struct sim_vm *vm, uint64_t gpa_page, uint64_t *end)
{
    uint32_t i = run_after(vm, gpa_page);
    bool is_private = i < vm->n_runs && vm->private_runs[i].first <= gpa_page;

    if (is_private)
        *end = vm->private_runs[i].end;
    else
        *end = i < vm->n_runs ? vm->private_runs[i].first : UINT64_MAX;
    assert(*end > gpa_page || gpa_page == UINT64_MAX);
    return is_private;
}

/* Room for one run more: the only thing that can fail, so it comes before any change. */
static int runs_reserve(struct sim_world *w, struct sim_vm *vm)
{
    uint32_t capacity = vm->cap_runs ? 2 * vm->cap_runs : RUNS_FIRST;
    struct run *runs;

    if (vm->n_runs < vm->cap_runs)
        return 0;
    assert(vm->n_runs == vm->cap_runs);
    runs = arena_alloc(w->arena, capacity * sizeof(*runs));
    if (!runs)
        return -ENOMEM;
    if (vm->n_runs)
        memcpy(runs, vm->private_runs, vm->n_runs * sizeof(*runs));
    arena_free(w->arena, vm->private_runs);
    vm->private_runs = runs;
    vm->cap_runs = capacity;
    return 0;
}

/* Runs [i, j) become the n given ones. */
static void runs_replace(struct sim_vm *vm, uint32_t i, uint32_t j, const struct run *with,
                         uint32_t n)
{
    struct run *runs = vm->private_runs;

    assert(i <= j && j <= vm->n_runs && vm->n_runs - (j - i) + n <= vm->cap_runs);
    memmove(&runs[i + n], &runs[j], (vm->n_runs - j) * sizeof(*runs));
    for (uint32_t k = 0; k < n; k++)
        runs[i + k] = with[k];
    vm->n_runs = vm->n_runs - (j - i) + n;
}

/* True if anything changed. */
static bool set_private(struct sim_vm *vm, uint64_t first, uint64_t end)
{
    struct run new = {first, end};
    uint32_t i = first ? run_after(vm, first - 1) : 0, j = i;

    assert(first < end);
    while (j < vm->n_runs && vm->private_runs[j].first <= end)
        j++;
    if (i < j) { /* takes in all that it meets or touches */
        const struct run *a = &vm->private_runs[i], *z = &vm->private_runs[j - 1];
        if (a->first <= first && a->end >= end)
            return false;
        if (a->first < first)
            new.first = a->first;
        if (z->end > end)
            new.end = z->end;
    }
    runs_replace(vm, i, j, &new, 1);
    return true;
}

static bool set_shared(struct sim_vm *vm, uint64_t first, uint64_t end)
{
    uint32_t i = run_after(vm, first), j = i, n = 0;
    struct run left[2];

    assert(first < end);
    while (j < vm->n_runs && vm->private_runs[j].first < end)
        j++;
    if (i == j)
        return false;
    if (vm->private_runs[i].first < first)
        left[n++] = (struct run){vm->private_runs[i].first, first};
    if (vm->private_runs[j - 1].end > end)
        left[n++] = (struct run){end, vm->private_runs[j - 1].end};
    runs_replace(vm, i, j, left, n);
    return true;
}

int kvm_vm_set_attributes(struct sim_world *w, struct sim_vm *vm,
                          const struct kvm_memory_attributes *a)
{
    uint64_t supported = vm->type == KVM_X86_SW_PROTECTED_VM ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
    uint64_t first, end;
    bool changed;

    if (a->flags)
        return -EINVAL;
    if (a->attributes & ~supported)
        return -EINVAL;
    if (a->size == 0 || a->address + a->size < a->address)
        return -EINVAL;
    if ((a->address | a->size) & (w_page_size(w) - 1))
        return -EINVAL;
    if (runs_reserve(w, vm) != 0)
        return -ENOMEM;
    first = a->address >> w->page_shift;
    end = first + (a->size >> w->page_shift);
    if (a->attributes)
        changed = set_private(vm, first, end);
    else
        changed = set_shared(vm, first, end);
    if (changed && w->vm == vm)
        journal_gpa(w, first, end - first);
    return 0;
}

void kvm_attributes_free(struct sim_world *w, struct sim_vm *vm)
{
    assert(vm->refs == 0);
    for (uint32_t i = 0; i < vm->n_runs && w->vm == vm; i++)
        journal_gpa(w, vm->private_runs[i].first,
                    vm->private_runs[i].end - vm->private_runs[i].first);
    arena_free(w->arena, vm->private_runs);
    vm->private_runs = NULL;
    vm->n_runs = vm->cap_runs = 0;
}
