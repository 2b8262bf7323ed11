/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own core behind the subject table: the only file outside core/ that knows its API. */
#include "run/subject.h"

#include <assert.h>

#include "core/vmm.h"

static void machine_to_config(const struct machine *m, struct vmm_config *c)
{
    static const enum vmm_split splits[] = {[SPLIT_REMAP] = VMM_SPLIT_REMAP,
                                            [SPLIT_CUT] = VMM_SPLIT_CUT,
                                            [SPLIT_REFUSE] = VMM_SPLIT_REFUSE};

    *c = (struct vmm_config){
        .page_size = machine_page_size(m),
        .n_vcpus = m->n_vcpus,
        .mode = m->axis[AXIS_mode] == MODE_INPLACE ? VMM_MODE_INPLACE : VMM_MODE_DISCARD,
        .order = m->axis[AXIS_order] == ORDER_UNMAP_FIRST ? VMM_ORDER_UNMAP_FIRST
                                                          : VMM_ORDER_ATTRIBUTE_FIRST,
        .failure =
            m->axis[AXIS_failure] == FAILURE_STOP ? VMM_FAILURE_STOP : VMM_FAILURE_ROLLBACK,
        .tracker =
            m->axis[AXIS_tracker] == TRACKER_EXTENTS ? VMM_TRACKER_EXTENTS : VMM_TRACKER_BITMAP,
        .mapping = m->axis[AXIS_mapping] == MAPPING_RUN ? VMM_MAPPING_RUN : VMM_MAPPING_PAGE,
        .split = splits[m->axis[AXIS_split]],
    };
}

static int add_regions(struct vmm *vmm, const struct machine *m)
{
    static const enum vmm_region_kind kinds[] = {[REGION_RAM] = VMM_REGION_RAM,
                                                 [REGION_ROM] = VMM_REGION_ROM,
                                                 [REGION_MMIO] = VMM_REGION_MMIO};
    static const enum vmm_share shares[] = {[SHARE_ANON] = VMM_SHARE_ANON,
                                            [SHARE_MEMFD] = VMM_SHARE_MEMFD,
                                            [SHARE_HUGETLB] = VMM_SHARE_HUGETLB};
    uint32_t page_size = machine_page_size(m), index = 0;

    for (uint32_t i = 0; i < m->n_regions; i++) {
        const struct region_decl *d = &m->regions[i];
        struct vmm_region_config c = {
            .kind = kinds[d->kind],
            .share = shares[d->share],
            .huge_page_size = (uint64_t)d->huge_pages * page_size,
            .guest_memfd = d->guest_memfd,
            .size = (uint64_t)d->n_pages * page_size,
            .virtio_mem_block = (uint64_t)d->virtio_mem_pages * page_size,
            .requested_size = (uint64_t)d->requested_pages * page_size,
        };
        int error = vmm_region_add(vmm, &c, &index);

        if (error)
            return error;
        assert(index == i);
    }
    return 0;
}

static int add_sections(struct vmm *vmm, const struct machine *m)
{
    uint64_t page_size = machine_page_size(m);

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *d = &m->sections[i];
        int error = vmm_section_add(vmm, d->region, d->first_page * page_size,
                                    d->n_pages * page_size, d->gpa_page * page_size);

        if (error)
            return error;
    }
    return 0;
}

static int add_containers(struct vmm *vmm, const struct machine *m)
{
    static const enum vmm_iommu iommus[] = {[IOMMU_TYPE1] = VMM_IOMMU_TYPE1,
                                            [IOMMU_TYPE1V1] = VMM_IOMMU_TYPE1V1,
                                            [IOMMU_IOMMUFD] = VMM_IOMMU_IOMMUFD,
                                            [IOMMU_COMPAT] = VMM_IOMMU_COMPAT,
                                            [IOMMU_COMPATV1] = VMM_IOMMU_COMPATV1};
    uint32_t index = 0;

    for (uint32_t i = 0; i < m->n_containers; i++) {
        int error = vmm_container_add(vmm, iommus[m->axis[AXIS_iommu]],
                                      m->containers[i].listen_all, &index);

        if (error)
            return error;
        assert(index == i);
    }
    return 0;
}

static int core_build(const struct host *host, const struct sync *sync, const struct machine *m,
                      void **state)
{
    struct vmm_config config;
    struct vmm *vmm = NULL;
    int error;

    machine_to_config(m, &config);
    error = vmm_create(host, sync, &config, &vmm);
    if (error)
        return error;
    error = add_regions(vmm, m);
    if (!error)
        error = add_sections(vmm, m);
    if (!error)
        error = add_containers(vmm, m);
    if (error) {
        vmm_destroy(vmm);
        return error;
    }
    *state = vmm;
    return 0;
}

static int core_destroy(void *state)
{
    return vmm_destroy(state);
}

static int core_run_vcpu(void *state, uint32_t vcpu)
{
    return vmm_vcpu_run(state, vcpu);
}

static int core_convert(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    return vmm_convert(state, gpa, size, to_private);
}

static int core_attach(void *state, uint32_t container, uint32_t device)
{
    return vmm_device_attach(state, container, device);
}

static int core_detach(void *state, uint32_t device)
{
    return vmm_device_detach(state, device);
}

static int core_listen(void *state, uint32_t container, uint32_t region, uint64_t offset,
                       uint64_t size)
{
    return vmm_listen(state, container, region, offset, size);
}

static int core_unlisten(void *state, uint32_t container, uint32_t region, uint64_t offset,
                         uint64_t size)
{
    return vmm_unlisten(state, container, region, offset, size);
}

static int core_region_remove(void *state, uint32_t region)
{
    return vmm_region_remove(state, region);
}

static int core_region_add(void *state, uint32_t region)
{
    return vmm_region_readd(state, region);
}

static int core_reset(void *state)
{
    return vmm_reset(state);
}

static enum vmm_guard core_guard_kind(uint32_t kind)
{
    static const enum vmm_guard kinds[] = {
        [GUARD_DISABLE] = VMM_GUARD_DISABLE,
        [GUARD_UNCOORDINATED_DISABLE] = VMM_GUARD_UNCOORDINATED_DISABLE,
        [GUARD_REQUIRE] = VMM_GUARD_REQUIRE,
        [GUARD_COORDINATED_REQUIRE] = VMM_GUARD_COORDINATED_REQUIRE,
    };

    assert(kind < sizeof kinds / sizeof kinds[0]);
    return kinds[kind];
}

static int core_guard(void *state, uint32_t kind, bool on)
{
    return vmm_guard(state, core_guard_kind(kind), on);
}

static bool core_guard_is_free(void *state, uint32_t kind)
{
    return vmm_guard_is_free(state, core_guard_kind(kind));
}

static int core_source_add(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    return vmm_source_add(state, region, offset, size);
}

static int core_source_remove(void *state, uint32_t region)
{
    return vmm_source_remove(state, region);
}

static int core_is_populated(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    return vmm_is_populated(state, region, offset, size);
}

static int core_plug(void *state, uint32_t region, uint64_t offset, uint64_t size,
                     uint16_t *response)
{
    return vmm_plug(state, region, offset, size, response);
}

static int core_unplug(void *state, uint32_t region, uint64_t offset, uint64_t size,
                       uint16_t *response)
{
    return vmm_unplug(state, region, offset, size, response);
}

static int core_unplug_all(void *state, uint32_t region, uint16_t *response)
{
    return vmm_unplug_all(state, region, response);
}

static int core_resize(void *state, uint32_t region, uint64_t requested_size,
                       uint16_t *response)
{
    return vmm_resize(state, region, requested_size, response);
}

static int core_migrate(void *state, bool start)
{
    return vmm_migrate(state, start);
}

static int core_dirty_sync(void *state, uint32_t region, uint8_t *pages)
{
    return vmm_dirty_sync(state, region, pages);
}

static void core_plugged_bits(const void *state, uint32_t region, uint64_t first_page,
                              uint64_t n_pages, uint64_t *bits)
{
    vmm_plugged_bits(state, region, first_page, n_pages, bits);
}

static void core_populated_bits(const void *state, uint32_t region, uint64_t first_page,
                                uint64_t n_pages, uint64_t *bits)
{
    vmm_populated_bits(state, region, first_page, n_pages, bits);
}

static bool core_stopped(const void *state)
{
    return vmm_stopped(state);
}

static bool core_blocked(void *state, uint32_t *region, uint64_t *offset)
{
    return vmm_blocked(state, region, offset);
}

static size_t core_canon(const void *state, void *buf, size_t size)
{
    return vmm_canon(state, buf, size);
}

const struct subject subject_core = {
    .version = SUBJECT_VERSION,
    .capabilities = SUBJECT_CAN_SNAPSHOT,
    .name = "core",
    .build = core_build,
    .destroy = core_destroy,
    .run_vcpu = core_run_vcpu,
    .convert = core_convert,
    .attach = core_attach,
    .detach = core_detach,
    .listen = core_listen,
    .unlisten = core_unlisten,
    .region_remove = core_region_remove,
    .region_add = core_region_add,
    .reset = core_reset,
    .guard = core_guard,
    .guard_is_free = core_guard_is_free,
    .source_add = core_source_add,
    .source_remove = core_source_remove,
    .is_populated = core_is_populated,
    .plug = core_plug,
    .unplug = core_unplug,
    .unplug_all = core_unplug_all,
    .resize = core_resize,
    .migrate = core_migrate,
    .dirty_sync = core_dirty_sync,
    .populated_bits = core_populated_bits,
    .plugged_bits = core_plugged_bits,
    .stopped = core_stopped,
    .blocked = core_blocked,
    .canon = core_canon,
};
