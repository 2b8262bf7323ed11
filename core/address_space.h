/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest physical address space: regions, and the sections that give parts of them an
 * address. Sections never overlap and are kept sorted by address.
 */
#ifndef CORE_ADDRESS_SPACE_H
#define CORE_ADDRESS_SPACE_H

#include "core/ram_block.h"

/* A section stays while its region is away: nobody else gets its address. */
struct section {
    uint64_t gpa, offset, size; /* bytes; offset in the region */
    struct ram_block *block;
    uint32_t slot; /* KVM's, none for MMIO */
};

/* Has it a slot (at rest)? */
static inline bool section_in_kvm(const struct section *s)
{
    return s->block->present && s->block->kind != VMM_REGION_MMIO;
}

struct address_space {
    struct ram_block **regions;
    uint32_t n_regions, cap_regions;
    struct section *sections;
    uint32_t n_sections, cap_sections;
    uint32_t n_slots;
};

/* Index of the first section that ends after gpa; n_sections when none does. */
uint32_t address_space_find(const struct address_space *as, uint64_t gpa);

/* Is [offset, offset + size) of a region page-aligned, not empty and inside? */
bool region_range_ok(const struct vmm *vmm, const struct ram_block *block, uint64_t offset,
                     uint64_t size);

/* NULL: there is none, or it is away. */
struct ram_block *address_space_region(const struct vmm *vmm, uint32_t region);

/* ---- core/section.c: a section in the kernel; the block's lock is held ---- */
/* Makes the slot, and for guest_memfd all of it private. On failure nothing is left; where that
 * fails too the VM is stopped. */
int section_plug(struct vmm *vmm, const struct section *s);
/* The way back. Goes on after an error; the first one is returned. */
int section_unplug(struct vmm *vmm, const struct section *s);
/* The attribute of those pages of a guest_memfd section that the tracker calls shared (or
 * private), as the tracker says. Goes on after an error. */
int section_restore_attributes(struct vmm *vmm, const struct section *s, bool shared);

/* Deletes slots, frees regions; the first error is returned. */
int address_space_destroy(struct vmm *vmm);

#endif
