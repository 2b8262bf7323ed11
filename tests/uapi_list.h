/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of core/uapi.h. Compiled twice, because the names clash: once against core/uapi.h
 * (uapi_ours.c) and once against the installed headers (uapi_linux.c), which may not know all
 * of them yet.
 */
#ifndef TESTS_UAPI_LIST_H
#define TESTS_UAPI_LIST_H

#include <stddef.h>

#define UAPI_UNKNOWN 0xdeadbeefdeadbeefULL

struct uapi_value {
    const char *name; /* NULL: the end */
    unsigned long long value;
};

extern const struct uapi_value uapi_ours[];
extern const struct uapi_value uapi_linux[];

/* clang-format off */
#define UAPI_NUMBERS(NUMBER) \
    NUMBER(MFD_HUGE_SHIFT) NUMBER(MFD_HUGE_MASK) \
    NUMBER(KVMIO) NUMBER(KVM_API_VERSION) NUMBER(KVM_GET_API_VERSION) NUMBER(KVM_CREATE_VM) \
    NUMBER(KVM_CHECK_EXTENSION) NUMBER(KVM_GET_VCPU_MMAP_SIZE) NUMBER(KVM_CREATE_VCPU) \
    NUMBER(KVM_SET_USER_MEMORY_REGION) NUMBER(KVM_SET_USER_MEMORY_REGION2) NUMBER(KVM_RUN) \
    NUMBER(KVM_ENABLE_CAP) NUMBER(KVM_SET_MEMORY_ATTRIBUTES) NUMBER(KVM_CREATE_GUEST_MEMFD) \
    NUMBER(KVM_X86_DEFAULT_VM) NUMBER(KVM_X86_SW_PROTECTED_VM) NUMBER(KVM_CAP_USER_MEMORY) \
    NUMBER(KVM_CAP_NR_MEMSLOTS) NUMBER(KVM_CAP_SYNC_MMU) NUMBER(KVM_CAP_EXIT_HYPERCALL) \
    NUMBER(KVM_CAP_USER_MEMORY2) NUMBER(KVM_CAP_MEMORY_FAULT_INFO) \
    NUMBER(KVM_CAP_MEMORY_ATTRIBUTES) NUMBER(KVM_CAP_GUEST_MEMFD) NUMBER(KVM_CAP_VM_TYPES) \
    NUMBER(KVM_CAP_PRE_FAULT_MEMORY) NUMBER(KVM_CAP_GUEST_MEMFD_FLAGS) \
    NUMBER(GUEST_MEMFD_FLAG_MMAP) NUMBER(GUEST_MEMFD_FLAG_INIT_SHARED) \
    NUMBER(KVM_MEM_LOG_DIRTY_PAGES) NUMBER(KVM_MEM_READONLY) NUMBER(KVM_MEM_GUEST_MEMFD) \
    NUMBER(KVM_MEMORY_ATTRIBUTE_PRIVATE) NUMBER(KVM_MEMORY_EXIT_FLAG_PRIVATE) \
    NUMBER(KVM_EXIT_HYPERCALL) NUMBER(KVM_EXIT_HLT) NUMBER(KVM_EXIT_MMIO) \
    NUMBER(KVM_EXIT_INTR) NUMBER(KVM_EXIT_MEMORY_FAULT) NUMBER(KVM_HC_MAP_GPA_RANGE) \
    NUMBER(KVM_MAP_GPA_RANGE_ENCRYPTED) NUMBER(KVM_ENOSYS) NUMBER(VFIO_TYPE) \
    NUMBER(VFIO_BASE) NUMBER(VFIO_API_VERSION) NUMBER(VFIO_GET_API_VERSION) \
    NUMBER(VFIO_CHECK_EXTENSION) NUMBER(VFIO_SET_IOMMU) NUMBER(VFIO_GROUP_GET_STATUS) \
    NUMBER(VFIO_GROUP_SET_CONTAINER) NUMBER(VFIO_GROUP_UNSET_CONTAINER) \
    NUMBER(VFIO_GROUP_GET_DEVICE_FD) NUMBER(VFIO_DEVICE_GET_INFO) \
    NUMBER(VFIO_DEVICE_GET_REGION_INFO) NUMBER(VFIO_IOMMU_GET_INFO) \
    NUMBER(VFIO_IOMMU_MAP_DMA) NUMBER(VFIO_IOMMU_UNMAP_DMA) NUMBER(VFIO_TYPE1_IOMMU) \
    NUMBER(VFIO_TYPE1v2_IOMMU) NUMBER(VFIO_TYPE1_NESTING_IOMMU) NUMBER(VFIO_UNMAP_ALL) \
    NUMBER(VFIO_GROUP_FLAGS_VIABLE) NUMBER(VFIO_GROUP_FLAGS_CONTAINER_SET) \
    NUMBER(VFIO_DMA_MAP_FLAG_READ) NUMBER(VFIO_DMA_MAP_FLAG_WRITE) \
    NUMBER(VFIO_DMA_MAP_FLAG_VADDR) NUMBER(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) \
    NUMBER(VFIO_DMA_UNMAP_FLAG_ALL) NUMBER(VFIO_DMA_UNMAP_FLAG_VADDR) \
    NUMBER(VFIO_IOMMU_INFO_PGSIZES) NUMBER(VFIO_IOMMU_INFO_CAPS) \
    NUMBER(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) NUMBER(VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL) \
    NUMBER(VFIO_DMA_CC_IOMMU)

/* Came with iommufd and, some, later; a header of its own, which may not be installed. */
#define UAPI_IOMMUFD_NUMBERS(NUMBER) \
    NUMBER(IOMMUFD_TYPE) NUMBER(IOMMUFD_CMD_BASE) NUMBER(IOMMU_DESTROY) \
    NUMBER(IOMMU_IOAS_ALLOC) NUMBER(IOMMU_IOAS_ALLOW_IOVAS) NUMBER(IOMMU_IOAS_COPY) \
    NUMBER(IOMMU_IOAS_IOVA_RANGES) NUMBER(IOMMU_IOAS_MAP) NUMBER(IOMMU_IOAS_UNMAP) \
    NUMBER(IOMMU_OPTION) NUMBER(IOMMU_VFIO_IOAS) NUMBER(IOMMU_IOAS_MAP_FIXED_IOVA) \
    NUMBER(IOMMU_IOAS_MAP_WRITEABLE) NUMBER(IOMMU_IOAS_MAP_READABLE) \
    NUMBER(IOMMU_OPTION_RLIMIT_MODE) NUMBER(IOMMU_OPTION_HUGE_PAGES) \
    NUMBER(IOMMU_OPTION_OP_SET) NUMBER(IOMMU_OPTION_OP_GET) NUMBER(IOMMU_VFIO_IOAS_GET) \
    NUMBER(IOMMU_VFIO_IOAS_SET) NUMBER(IOMMU_VFIO_IOAS_CLEAR)

#define UAPI_IOMMUFD_STRUCTS(SIZE, OFFSET) \
    SIZE(iommu_destroy) OFFSET(iommu_destroy, id) SIZE(iommu_ioas_alloc) \
    OFFSET(iommu_ioas_alloc, flags) OFFSET(iommu_ioas_alloc, out_ioas_id) \
    SIZE(iommu_iova_range) OFFSET(iommu_iova_range, last) SIZE(iommu_ioas_iova_ranges) \
    OFFSET(iommu_ioas_iova_ranges, ioas_id) OFFSET(iommu_ioas_iova_ranges, num_iovas) \
    OFFSET(iommu_ioas_iova_ranges, allowed_iovas) \
    OFFSET(iommu_ioas_iova_ranges, out_iova_alignment) SIZE(iommu_ioas_allow_iovas) \
    OFFSET(iommu_ioas_allow_iovas, num_iovas) OFFSET(iommu_ioas_allow_iovas, allowed_iovas) \
    SIZE(iommu_ioas_map) OFFSET(iommu_ioas_map, flags) OFFSET(iommu_ioas_map, ioas_id) \
    OFFSET(iommu_ioas_map, user_va) OFFSET(iommu_ioas_map, length) \
    OFFSET(iommu_ioas_map, iova) SIZE(iommu_ioas_copy) OFFSET(iommu_ioas_copy, flags) \
    OFFSET(iommu_ioas_copy, dst_ioas_id) OFFSET(iommu_ioas_copy, src_ioas_id) \
    OFFSET(iommu_ioas_copy, length) OFFSET(iommu_ioas_copy, dst_iova) \
    OFFSET(iommu_ioas_copy, src_iova) SIZE(iommu_ioas_unmap) \
    OFFSET(iommu_ioas_unmap, ioas_id) OFFSET(iommu_ioas_unmap, iova) \
    OFFSET(iommu_ioas_unmap, length) SIZE(iommu_option) OFFSET(iommu_option, option_id) \
    OFFSET(iommu_option, op) OFFSET(iommu_option, object_id) OFFSET(iommu_option, val64) \
    SIZE(iommu_vfio_ioas) OFFSET(iommu_vfio_ioas, ioas_id) OFFSET(iommu_vfio_ioas, op)

/* Younger than all of these. */
#define UAPI_CDEV_NUMBERS(NUMBER) \
    NUMBER(VFIO_DEVICE_BIND_IOMMUFD) NUMBER(VFIO_DEVICE_ATTACH_IOMMUFD_PT) \
    NUMBER(VFIO_DEVICE_DETACH_IOMMUFD_PT)

#define UAPI_CDEV_STRUCTS(SIZE, OFFSET) \
    SIZE(vfio_device_bind_iommufd) OFFSET(vfio_device_bind_iommufd, iommufd) \
    OFFSET(vfio_device_bind_iommufd, out_devid) OFFSET(vfio_device_attach_iommufd_pt, flags) \
    OFFSET(vfio_device_attach_iommufd_pt, pt_id) OFFSET(vfio_device_detach_iommufd_pt, flags)

#define UAPI_MAP_FILE_NUMBERS(NUMBER) NUMBER(IOMMU_IOAS_MAP_FILE)

#define UAPI_MAP_FILE_STRUCTS(SIZE, OFFSET) \
    SIZE(iommu_ioas_map_file) OFFSET(iommu_ioas_map_file, flags) \
    OFFSET(iommu_ioas_map_file, ioas_id) OFFSET(iommu_ioas_map_file, fd) \
    OFFSET(iommu_ioas_map_file, start) OFFSET(iommu_ioas_map_file, length) \
    OFFSET(iommu_ioas_map_file, iova)

#define UAPI_STRUCTS(SIZE, OFFSET) \
    SIZE(kvm_userspace_memory_region) OFFSET(kvm_userspace_memory_region, slot) \
    OFFSET(kvm_userspace_memory_region, flags) \
    OFFSET(kvm_userspace_memory_region, guest_phys_addr) \
    OFFSET(kvm_userspace_memory_region, memory_size) \
    OFFSET(kvm_userspace_memory_region, userspace_addr) SIZE(kvm_enable_cap) \
    OFFSET(kvm_enable_cap, cap) OFFSET(kvm_enable_cap, flags) OFFSET(kvm_enable_cap, args) \
    OFFSET(kvm_run, request_interrupt_window) OFFSET(kvm_run, immediate_exit) \
    OFFSET(kvm_run, exit_reason) OFFSET(kvm_run, ready_for_interrupt_injection) \
    OFFSET(kvm_run, if_flag) OFFSET(kvm_run, flags) OFFSET(kvm_run, cr8) \
    OFFSET(kvm_run, apic_base) OFFSET(kvm_run, hypercall.nr) OFFSET(kvm_run, hypercall.args) \
    OFFSET(kvm_run, hypercall.ret) SIZE(vfio_group_status) OFFSET(vfio_group_status, argsz) \
    OFFSET(vfio_group_status, flags) SIZE(vfio_device_info) OFFSET(vfio_device_info, argsz) \
    OFFSET(vfio_device_info, flags) OFFSET(vfio_device_info, num_regions) \
    OFFSET(vfio_device_info, num_irqs) OFFSET(vfio_device_info, cap_offset) \
    SIZE(vfio_region_info) OFFSET(vfio_region_info, argsz) OFFSET(vfio_region_info, flags) \
    OFFSET(vfio_region_info, index) OFFSET(vfio_region_info, cap_offset) \
    OFFSET(vfio_region_info, size) OFFSET(vfio_region_info, offset) \
    SIZE(vfio_info_cap_header) OFFSET(vfio_info_cap_header, id) \
    OFFSET(vfio_info_cap_header, version) OFFSET(vfio_info_cap_header, next) \
    SIZE(vfio_iova_range) OFFSET(vfio_iova_range, start) OFFSET(vfio_iova_range, end) \
    SIZE(vfio_iommu_type1_info_cap_iova_range) \
    OFFSET(vfio_iommu_type1_info_cap_iova_range, header) \
    OFFSET(vfio_iommu_type1_info_cap_iova_range, nr_iovas) \
    OFFSET(vfio_iommu_type1_info_cap_iova_range, iova_ranges) \
    SIZE(vfio_iommu_type1_info_dma_avail) OFFSET(vfio_iommu_type1_info_dma_avail, header) \
    OFFSET(vfio_iommu_type1_info_dma_avail, avail) SIZE(vfio_iommu_type1_info) \
    OFFSET(vfio_iommu_type1_info, argsz) OFFSET(vfio_iommu_type1_info, flags) \
    OFFSET(vfio_iommu_type1_info, iova_pgsizes) OFFSET(vfio_iommu_type1_info, cap_offset) \
    SIZE(vfio_iommu_type1_dma_map) OFFSET(vfio_iommu_type1_dma_map, argsz) \
    OFFSET(vfio_iommu_type1_dma_map, flags) OFFSET(vfio_iommu_type1_dma_map, vaddr) \
    OFFSET(vfio_iommu_type1_dma_map, iova) OFFSET(vfio_iommu_type1_dma_map, size) \
    SIZE(vfio_iommu_type1_dma_unmap) OFFSET(vfio_iommu_type1_dma_unmap, argsz) \
    OFFSET(vfio_iommu_type1_dma_unmap, flags) OFFSET(vfio_iommu_type1_dma_unmap, iova) \
    OFFSET(vfio_iommu_type1_dma_unmap, size) OFFSET(vfio_iommu_type1_dma_unmap, data)

/* Came with guest_memfd. */
#define UAPI_NEW_STRUCTS(SIZE, OFFSET) \
    SIZE(kvm_userspace_memory_region2) OFFSET(kvm_userspace_memory_region2, slot) \
    OFFSET(kvm_userspace_memory_region2, flags) \
    OFFSET(kvm_userspace_memory_region2, guest_phys_addr) \
    OFFSET(kvm_userspace_memory_region2, memory_size) \
    OFFSET(kvm_userspace_memory_region2, userspace_addr) \
    OFFSET(kvm_userspace_memory_region2, guest_memfd_offset) \
    OFFSET(kvm_userspace_memory_region2, guest_memfd) SIZE(kvm_memory_attributes) \
    OFFSET(kvm_memory_attributes, address) OFFSET(kvm_memory_attributes, size) \
    OFFSET(kvm_memory_attributes, attributes) OFFSET(kvm_memory_attributes, flags) \
    SIZE(kvm_create_guest_memfd) OFFSET(kvm_create_guest_memfd, size) \
    OFFSET(kvm_create_guest_memfd, flags)

/* clang-format on */

#define UAPI_NUMBER(name)           {#name, (unsigned long long)(name)},
#define UAPI_SIZE(name)             {"sizeof " #name, sizeof(struct name)},
#define UAPI_OFFSET(name, field)    {#name "." #field, offsetof(struct name, field)},
#define UAPI_NO_NUMBER(name)        {#name, UAPI_UNKNOWN},
#define UAPI_NO_SIZE(name)          {"sizeof " #name, UAPI_UNKNOWN},
#define UAPI_NO_OFFSET(name, field) {#name "." #field, UAPI_UNKNOWN},

#endif
