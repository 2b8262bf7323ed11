/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/internal.h"

enum { ARRAY_CAPACITY_FIRST = 8 };

int array_room(const struct host *host, void **array, uint32_t *capacity, uint32_t n,
               size_t element_size)
{
    uint32_t more = *capacity ? 2 * *capacity : ARRAY_CAPACITY_FIRST;

    assert(n <= *capacity);
    if (n < *capacity)
        return 0;
    if (more > UINT32_MAX / 4)
        return -ENOMEM;
    void *bigger = host_alloc(host, more * element_size);
    if (!bigger)
        return -ENOMEM;
    if (n)
        memcpy(bigger, *array, n * element_size);
    host_free(host, *array);
    *array = bigger;
    *capacity = more;
    return 0;
}

void vmm_stop(struct vmm *vmm)
{
    __atomic_store_n(&vmm->stopped, true, __ATOMIC_RELAXED);
}

bool vmm_stopped(const struct vmm *vmm)
{
    return __atomic_load_n(&vmm->stopped, __ATOMIC_RELAXED);
}

int vmm_enter(struct vmm *vmm)
{
    sync_lock(&vmm->sync, &vmm->machine_lock);
    return vmm_stopped(vmm) ? vmm_leave(vmm, -EIO) : 0;
}

int vmm_leave(struct vmm *vmm, int rc)
{
    assert(vmm->machine_lock.held);
    sync_unlock(&vmm->sync, &vmm->machine_lock);
    return rc;
}

static bool config_ok(const struct vmm_config *config)
{
    uint32_t size = config->page_size;

    return size >= 2 && (size & (size - 1)) == 0 && config->mode <= VMM_MODE_INPLACE &&
           config->tracker <= VMM_TRACKER_EXTENTS && config->mapping <= VMM_MAPPING_RUN &&
           config->split <= VMM_SPLIT_REFUSE;
}

int vmm_create(const struct host *host, const struct sync *sync,
               const struct vmm_config *config, struct vmm **out)
{
    if (!config_ok(config))
        return -EINVAL;
    struct vmm *vmm = host_alloc(host, sizeof *vmm);
    if (!vmm)
        return -ENOMEM;
    vmm->host = *host;
    vmm->sync = *sync;
    vmm->config = *config;
    vmm->page_shift = (uint32_t)__builtin_ctz(config->page_size);
    sync_init(&vmm->sync, &vmm->machine_lock, LOCK_MACHINE, 0);
    int rc = kvm_open(vmm);
    if (!rc)
        rc = vcpus_create(vmm);
    if (rc) {
        (void)vmm_destroy(vmm);
        return rc;
    }
    *out = vmm;
    return 0;
}

bool vmm_blocked(struct vmm *vmm, uint32_t *region, uint64_t *offset)
{
    bool is_blocked;

    sync_lock(&vmm->sync, &vmm->machine_lock);
    is_blocked = vmm->is_blocked;
    *region = vmm->blocked_region;
    *offset = vmm->blocked_page << vmm->page_shift;
    (void)vmm_leave(vmm, 0);
    return is_blocked;
}

static int destroy_containers(struct vmm *vmm)
{
    int error = 0;

    for (uint32_t i = 0; i < vmm->n_containers; i++)
        note_error(&error, container_free(vmm->containers[i]));
    host_free(&vmm->host, vmm->containers);
    vmm->containers = NULL;
    vmm->n_containers = 0;
    return error;
}

static int pay_all_debt(struct vmm *vmm)
{
    int error = 0;

    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++) {
        struct ram_block *block = vmm->address_space.regions[i];

        sync_lock(&vmm->sync, &block->lock);
        note_error(&error, ram_block_pay_all_debt(vmm, block));
        sync_unlock(&vmm->sync, &block->lock);
    }
    return error;
}

/* Devices first, then what they could reach, then who could use that. */
int vmm_destroy(struct vmm *vmm)
{
    struct host host = vmm->host;
    int error = 0;

    sync_lock(&vmm->sync, &vmm->machine_lock);
    note_error(&error, destroy_containers(vmm));
    assert(vmm->n_containers_open == 0);
    note_error(&error, pay_all_debt(vmm));
    note_error(&error, vcpus_destroy(vmm));
    note_error(&error, address_space_destroy(vmm));
    note_error(&error, kvm_close(vmm));
    assert(discard_guards_idle(vmm));
    sync_unlock(&vmm->sync, &vmm->machine_lock);
    sync_destroy(&vmm->sync, &vmm->machine_lock);
    host_free(&host, vmm);
    return error;
}
