/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/internal.h"

uint32_t address_space_find(const struct address_space *as, uint64_t gpa)
{
    uint32_t low = 0, high = as->n_sections;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct section *s = &as->sections[middle];

        if (s->gpa + (s->size - 1) < gpa)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ram_block *address_space_region(const struct vmm *vmm, uint32_t region)
{
    const struct address_space *as = &vmm->address_space;

    return region < as->n_regions && as->regions[region]->present ? as->regions[region] : NULL;
}

bool region_range_ok(const struct vmm *vmm, const struct ram_block *block, uint64_t offset,
                     uint64_t size)
{
    uint64_t mask = vmm->config.page_size - 1;

    return size > 0 && !(offset & mask) && !(size & mask) && offset <= block->size &&
           size <= block->size - offset;
}

/* Whole huge pages, each more than a page. */
static bool hugetlb_config_ok(const struct vmm *vmm, const struct vmm_region_config *config)
{
    uint64_t huge = config->huge_page_size;

    if (config->share != VMM_SHARE_HUGETLB)
        return huge == 0;
    if (config->guest_memfd && vmm->config.mode == VMM_MODE_INPLACE)
        return false; /* the guest_memfd is the only memory, and has small pages */
    return config->kind != VMM_REGION_MMIO && huge > vmm->config.page_size &&
           (huge & (huge - 1)) == 0 && config->size % huge == 0 &&
           config->virtio_mem_block % huge == 0;
}

/* Whole blocks; a block is whole pages and a power of two. */
static bool virtio_mem_config_ok(const struct vmm *vmm, const struct vmm_region_config *config)
{
    uint64_t block = config->virtio_mem_block;

    if (block == 0)
        return config->requested_size == 0;
    return config->guest_memfd && block >= vmm->config.page_size &&
           (block & (block - 1)) == 0 && config->size % block == 0 &&
           config->requested_size % block == 0 && config->requested_size <= config->size;
}

static bool region_config_ok(const struct vmm *vmm, const struct vmm_region_config *config)
{
    if (config->size == 0 || config->size & (vmm->config.page_size - 1))
        return false;
    if (config->size > INT64_MAX) /* file offsets and lengths are signed */
        return false;
    if (config->guest_memfd && config->kind != VMM_REGION_RAM)
        return false;
    return hugetlb_config_ok(vmm, config) && virtio_mem_config_ok(vmm, config);
}

int vmm_region_add(struct vmm *vmm, const struct vmm_region_config *config, uint32_t *index)
{
    struct address_space *as = &vmm->address_space;
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    assert(as->n_regions <= as->cap_regions);
    if (!region_config_ok(vmm, config))
        rc = -EINVAL;
    else if (vmm->migrating)
        rc = -EBUSY;
    if (!rc)
        rc = array_room(&vmm->host, (void **)&as->regions, &as->cap_regions, as->n_regions,
                        sizeof as->regions[0]);
    if (!rc)
        rc = ram_block_new(vmm, config, as->n_regions, &as->regions[as->n_regions]);
    if (!rc)
        *index = as->n_regions++;
    return vmm_leave(vmm, rc);
}

/* Does a part of this range of the region have an address already? Two of them would give one
 * private page two owners. */
static bool has_address(const struct address_space *as, const struct ram_block *block,
                        uint64_t offset, uint64_t size)
{
    for (uint32_t i = 0; i < as->n_sections; i++) {
        const struct section *s = &as->sections[i];

        if (s->block == block && s->offset < offset + size && offset < s->offset + s->size)
            return true;
    }
    return false;
}

static int check_section(struct vmm *vmm, const struct section *s)
{
    const struct address_space *as = &vmm->address_space;
    uint32_t i;

    if (!s->block || !region_range_ok(vmm, s->block, s->offset, s->size))
        return -EINVAL;
    if (s->block->share == VMM_SHARE_HUGETLB &&
        ((s->offset | s->size) & (s->block->huge_page_size - 1)))
        return -EINVAL;
    if (s->gpa & (vmm->config.page_size - 1) || s->gpa + s->size <= s->gpa)
        return -EINVAL;
    if (s->block->guest_memfd && has_address(as, s->block, s->offset, s->size))
        return -EINVAL;
    if (s->block->has_virtio_mem && s->size != s->block->size)
        return -EINVAL;
    i = address_space_find(as, s->gpa);
    return i < as->n_sections && as->sections[i].gpa < s->gpa + s->size ? -EEXIST : 0;
}

static int add_section(struct vmm *vmm, struct section *s)
{
    struct address_space *as = &vmm->address_space;
    int rc = array_room(&vmm->host, (void **)&as->sections, &as->cap_sections, as->n_sections,
                        sizeof as->sections[0]);

    assert(s->block->lock.held);
    if (!rc)
        rc = listeners_fit(vmm, s->block, s);
    if (!rc)
        rc = section_plug(vmm, s);
    if (rc)
        return rc;
    rc = listeners_add_section(vmm, s);
    if (rc) {
        if (!vmm_stopped(vmm) && section_unplug(vmm, s))
            vmm_stop(vmm);
        return rc;
    }
    uint32_t i = address_space_find(as, s->gpa);
    memmove(&as->sections[i + 1], &as->sections[i],
            (as->n_sections - i) * sizeof as->sections[0]);
    as->sections[i] = *s;
    as->n_sections++;
    as->n_slots += s->block->kind != VMM_REGION_MMIO;
    assert(as->n_sections <= as->cap_sections);
    return 0;
}

int vmm_section_add(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
                    uint64_t gpa)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    struct section s = {
        .gpa = gpa,
        .offset = offset,
        .size = size,
        .block = address_space_region(vmm, region),
        .slot = vmm->address_space.n_slots,
    };
    rc = check_section(vmm, &s);
    if (rc)
        return vmm_leave(vmm, rc);
    sync_lock(&vmm->sync, &s.block->lock);
    rc = add_section(vmm, &s);
    sync_unlock(&vmm->sync, &s.block->lock);
    return vmm_leave(vmm, rc);
}

int address_space_destroy(struct vmm *vmm)
{
    struct address_space *as = &vmm->address_space;
    int error = 0;

    for (uint32_t i = 0; i < as->n_sections; i++)
        if (section_in_kvm(&as->sections[i]))
            note_error(&error, kvm_slot_delete(vmm, &as->sections[i]));
    for (uint32_t i = 0; i < as->n_regions; i++)
        note_error(&error, ram_block_free(vmm, as->regions[i]));
    host_free(&vmm->host, as->sections);
    host_free(&vmm->host, as->regions);
    return error;
}

int vmm_is_populated(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size)
{
    int rc = vmm_enter(vmm);

    if (rc)
        return rc;
    struct ram_block *block = address_space_region(vmm, region);
    if (!block || !region_range_ok(vmm, block, offset, size))
        return vmm_leave(vmm, -EINVAL);
    if (!block->guest_memfd)
        return vmm_leave(vmm, block->kind != VMM_REGION_MMIO);
    sync_lock(&vmm->sync, &block->lock);
    rc = discard_manager_is_populated(&block->manager, offset >> vmm->page_shift,
                                      (offset + size) >> vmm->page_shift);
    sync_unlock(&vmm->sync, &block->lock);
    return vmm_leave(vmm, rc);
}
