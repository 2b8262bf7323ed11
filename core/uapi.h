/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the Linux user ABI that the state manager uses, declared here because Debian
 * 12's headers (6.1) are older than guest_memfd. Names, numbers and layouts are the kernel's;
 * tests/test_uapi.c compares them with the installed headers where those know the name.
 * All sizes and addresses are bytes.
 */
#ifndef CORE_UAPI_H
#define CORE_UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>

/* ---- KVM ---- */
#define KVMIO                       0xAE
#define KVM_API_VERSION             12
#define KVM_GET_API_VERSION         _IO(KVMIO, 0x00)
#define KVM_CREATE_VM               _IO(KVMIO, 0x01)
#define KVM_CHECK_EXTENSION         _IO(KVMIO, 0x03)
#define KVM_GET_VCPU_MMAP_SIZE      _IO(KVMIO, 0x04)
#define KVM_CREATE_VCPU             _IO(KVMIO, 0x41)
#define KVM_SET_USER_MEMORY_REGION  _IOW(KVMIO, 0x46, struct kvm_userspace_memory_region)
#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_RUN                     _IO(KVMIO, 0x80)
#define KVM_ENABLE_CAP              _IOW(KVMIO, 0xa3, struct kvm_enable_cap)
#define KVM_SET_MEMORY_ATTRIBUTES   _IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_CREATE_GUEST_MEMFD      _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
/* On a guest_memfd. Proposed for Linux (in-place conversion, v7), not merged: the numbers may
 * still change. */
#define KVM_SET_MEMORY_ATTRIBUTES2 _IOWR(KVMIO, 0xd2, struct kvm_memory_attributes2)

#define KVM_X86_DEFAULT_VM      0
#define KVM_X86_SW_PROTECTED_VM 1

#define KVM_CAP_USER_MEMORY                   3
#define KVM_CAP_NR_MEMSLOTS                   10
#define KVM_CAP_SYNC_MMU                      16
#define KVM_CAP_EXIT_HYPERCALL                201
#define KVM_CAP_USER_MEMORY2                  231
#define KVM_CAP_MEMORY_FAULT_INFO             232
#define KVM_CAP_MEMORY_ATTRIBUTES             233
#define KVM_CAP_GUEST_MEMFD                   234
#define KVM_CAP_VM_TYPES                      235
#define KVM_CAP_PRE_FAULT_MEMORY              236
#define KVM_CAP_GUEST_MEMFD_FLAGS             244
#define KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES 246 /* proposed, as the ioctl */

#define KVM_MEM_LOG_DIRTY_PAGES (1UL << 0)
#define KVM_MEM_READONLY        (1UL << 1)
#define KVM_MEM_GUEST_MEMFD     (1UL << 2)

#define GUEST_MEMFD_FLAG_MMAP        (1ULL << 0)
#define GUEST_MEMFD_FLAG_INIT_SHARED (1ULL << 1)

#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)
#define KVM_MEMORY_EXIT_FLAG_PRIVATE (1ULL << 3)

#define KVM_EXIT_HYPERCALL    3
#define KVM_EXIT_HLT          5
#define KVM_EXIT_MMIO         6
#define KVM_EXIT_INTR         10
#define KVM_EXIT_MEMORY_FAULT 39

#define KVM_HC_MAP_GPA_RANGE         12
#define KVM_MAP_GPA_RANGE_PAGE_SZ_2M (1ULL << 0) /* how the guest maps it, a hint */
#define KVM_MAP_GPA_RANGE_ENCRYPTED  (1ULL << 4)
#define KVM_MAP_GPA_RANGE_SHIFT      12 /* it counts 4 KiB pages, however large pages are */
#define KVM_ENOSYS                   1000

struct kvm_userspace_memory_region {
    uint32_t slot;
    uint32_t flags;
    uint64_t guest_phys_addr;
    uint64_t memory_size;
    uint64_t userspace_addr;
};

struct kvm_userspace_memory_region2 {
    uint32_t slot;
    uint32_t flags;
    uint64_t guest_phys_addr;
    uint64_t memory_size;
    uint64_t userspace_addr;
    uint64_t guest_memfd_offset;
    uint32_t guest_memfd;
    uint32_t pad1;
    uint64_t pad2[14];
};

struct kvm_memory_attributes {
    uint64_t address;
    uint64_t size;
    uint64_t attributes;
    uint64_t flags;
};

/* Of a guest_memfd's own pages; error_offset is written when it fails with ENOMEM or EAGAIN. */
struct kvm_memory_attributes2 {
    uint64_t offset;
    uint64_t size;
    uint64_t attributes;
    uint64_t flags;
    uint64_t error_offset;
    uint64_t reserved[11];
};

struct kvm_create_guest_memfd {
    uint64_t size;
    uint64_t flags;
    uint64_t reserved[6];
};

struct kvm_enable_cap {
    uint32_t cap;
    uint32_t flags;
    uint64_t args[4];
    uint8_t pad[64];
};

/* The vCPU run page; only the fields that the state manager reads or writes are named. */
struct kvm_run {
    uint8_t request_interrupt_window;
    uint8_t immediate_exit;
    uint8_t padding1[6];
    uint32_t exit_reason;
    uint8_t ready_for_interrupt_injection;
    uint8_t if_flag;
    uint16_t flags;
    uint64_t cr8;
    uint64_t apic_base;
    union {
        struct {
            uint64_t nr;
            uint64_t args[6]; /* MAP_GPA_RANGE: gpa, 4 KiB pages, attributes */
            uint64_t ret;
            uint64_t flags;
        } hypercall;
        struct {
            uint64_t flags;
            uint64_t gpa;
            uint64_t size;
        } memory_fault;
        char padding[256];
    };
};

/* ---- memfd: log2 of the huge page's size, in the flags of memfd_create ---- */
#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#define MFD_HUGE_MASK  0x3f
#endif

/* ---- VFIO ---- */
#define VFIO_TYPE ';'
#define VFIO_BASE 100

#define VFIO_API_VERSION            0
#define VFIO_GET_API_VERSION        _IO(VFIO_TYPE, VFIO_BASE + 0)
#define VFIO_CHECK_EXTENSION        _IO(VFIO_TYPE, VFIO_BASE + 1)
#define VFIO_SET_IOMMU              _IO(VFIO_TYPE, VFIO_BASE + 2)
#define VFIO_GROUP_GET_STATUS       _IO(VFIO_TYPE, VFIO_BASE + 3)
#define VFIO_GROUP_SET_CONTAINER    _IO(VFIO_TYPE, VFIO_BASE + 4)
#define VFIO_GROUP_UNSET_CONTAINER  _IO(VFIO_TYPE, VFIO_BASE + 5)
#define VFIO_GROUP_GET_DEVICE_FD    _IO(VFIO_TYPE, VFIO_BASE + 6)
#define VFIO_DEVICE_GET_INFO        _IO(VFIO_TYPE, VFIO_BASE + 7)
#define VFIO_DEVICE_GET_REGION_INFO _IO(VFIO_TYPE, VFIO_BASE + 8)
#define VFIO_IOMMU_GET_INFO         _IO(VFIO_TYPE, VFIO_BASE + 12)
#define VFIO_IOMMU_MAP_DMA          _IO(VFIO_TYPE, VFIO_BASE + 13)
#define VFIO_IOMMU_UNMAP_DMA        _IO(VFIO_TYPE, VFIO_BASE + 14)
/* Of a device as a character device, for iommufd. */
#define VFIO_DEVICE_BIND_IOMMUFD      _IO(VFIO_TYPE, VFIO_BASE + 18)
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)
#define VFIO_DEVICE_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)

#define VFIO_TYPE1_IOMMU         1
#define VFIO_TYPE1v2_IOMMU       3
#define VFIO_DMA_CC_IOMMU        4
#define VFIO_TYPE1_NESTING_IOMMU 6
#define VFIO_UNMAP_ALL           9

#define VFIO_GROUP_FLAGS_VIABLE        (1 << 0)
#define VFIO_GROUP_FLAGS_CONTAINER_SET (1 << 1)

#define VFIO_DMA_MAP_FLAG_READ  (1 << 0)
#define VFIO_DMA_MAP_FLAG_WRITE (1 << 1)
#define VFIO_DMA_MAP_FLAG_VADDR (1 << 2)

#define VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP (1 << 0)
#define VFIO_DMA_UNMAP_FLAG_ALL              (1 << 1)
#define VFIO_DMA_UNMAP_FLAG_VADDR            (1 << 2)

#define VFIO_IOMMU_INFO_PGSIZES (1 << 0)
#define VFIO_IOMMU_INFO_CAPS    (1 << 1)

#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL      3

struct vfio_group_status {
    uint32_t argsz;
    uint32_t flags;
};

struct vfio_device_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t num_regions;
    uint32_t num_irqs;
    uint32_t cap_offset;
};

struct vfio_region_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t cap_offset;
    uint64_t size;
    uint64_t offset;
};

struct vfio_info_cap_header {
    uint16_t id;
    uint16_t version;
    uint32_t next;
};

struct vfio_iova_range {
    uint64_t start;
    uint64_t end; /* last byte, inclusive: the kernel's convention */
};

struct vfio_iommu_type1_info_cap_iova_range {
    struct vfio_info_cap_header header;
    uint32_t nr_iovas;
    uint32_t reserved;
    struct vfio_iova_range iova_ranges[];
};

struct vfio_iommu_type1_info_dma_avail {
    struct vfio_info_cap_header header;
    uint32_t avail; /* entries still free */
};

struct vfio_iommu_type1_info {
    uint32_t argsz;
    uint32_t flags;
    uint64_t iova_pgsizes;
    uint32_t cap_offset;
    uint32_t pad;
};

struct vfio_iommu_type1_dma_map {
    uint32_t argsz;
    uint32_t flags;
    uint64_t vaddr;
    uint64_t iova;
    uint64_t size;
};

struct vfio_iommu_type1_dma_unmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t iova;
    uint64_t size; /* in: asked for; out, on success: removed */
    uint8_t data[];
};

struct vfio_device_bind_iommufd {
    uint32_t argsz;
    uint32_t flags;
    int32_t iommufd;
    uint32_t out_devid;
};

struct vfio_device_attach_iommufd_pt {
    uint32_t argsz;
    uint32_t flags;
    uint32_t pt_id; /* in: an IOAS or a page table; out: the page table */
};

struct vfio_device_detach_iommufd_pt {
    uint32_t argsz;
    uint32_t flags;
};

/* ---- iommufd: `size` is that of the struct, as the caller knows it ---- */
#define IOMMUFD_TYPE           (';')
#define IOMMUFD_CMD_BASE       0x80
#define IOMMU_DESTROY          _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 0)
#define IOMMU_IOAS_ALLOC       _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 1)
#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 2)
#define IOMMU_IOAS_COPY        _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 3)
#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 4)
#define IOMMU_IOAS_MAP         _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 5)
#define IOMMU_IOAS_UNMAP       _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 6)
#define IOMMU_OPTION           _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 7)
#define IOMMU_VFIO_IOAS        _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 8)
#define IOMMU_IOAS_MAP_FILE    _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 15) /* since 6.14 */
/* This project's own proposal (docs/mock-kernel.md); the number is far from those in use. */
#define IOMMU_IOAS_CUT _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 64)

#define IOMMU_IOAS_MAP_FIXED_IOVA (1 << 0)
#define IOMMU_IOAS_MAP_WRITEABLE  (1 << 1)
#define IOMMU_IOAS_MAP_READABLE   (1 << 2)

#define IOMMU_OPTION_RLIMIT_MODE 0
#define IOMMU_OPTION_HUGE_PAGES  1
#define IOMMU_OPTION_OP_SET      0
#define IOMMU_OPTION_OP_GET      1

#define IOMMU_VFIO_IOAS_GET   0
#define IOMMU_VFIO_IOAS_SET   1
#define IOMMU_VFIO_IOAS_CLEAR 2

struct iommu_destroy {
    uint32_t size;
    uint32_t id;
};

struct iommu_ioas_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t out_ioas_id;
};

struct iommu_iova_range {
    uint64_t start;
    uint64_t last; /* inclusive */
};

struct iommu_ioas_iova_ranges {
    uint32_t size;
    uint32_t ioas_id;
    uint32_t num_iovas; /* in: room for; out: there are */
    uint32_t __reserved;
    uint64_t allowed_iovas; /* address of the iommu_iova_range array */
    uint64_t out_iova_alignment;
};

struct iommu_ioas_allow_iovas {
    uint32_t size;
    uint32_t ioas_id;
    uint32_t num_iovas;
    uint32_t __reserved;
    uint64_t allowed_iovas;
};

struct iommu_ioas_map {
    uint32_t size;
    uint32_t flags;
    uint32_t ioas_id;
    uint32_t __reserved;
    uint64_t user_va;
    uint64_t length;
    uint64_t iova; /* out, unless it was fixed */
};

struct iommu_ioas_map_file {
    uint32_t size;
    uint32_t flags;
    uint32_t ioas_id;
    int32_t fd;
    uint64_t start; /* of the file */
    uint64_t length;
    uint64_t iova;
};

struct iommu_ioas_copy {
    uint32_t size;
    uint32_t flags;
    uint32_t dst_ioas_id;
    uint32_t src_ioas_id;
    uint64_t length;
    uint64_t dst_iova;
    uint64_t src_iova;
};

struct iommu_ioas_unmap {
    uint32_t size;
    uint32_t ioas_id;
    uint64_t iova;
    uint64_t length; /* out, on success: unmapped */
};

struct iommu_option {
    uint32_t size;
    uint32_t option_id;
    uint16_t op;
    uint16_t __reserved;
    uint32_t object_id;
    uint64_t val64;
};

struct iommu_vfio_ioas {
    uint32_t size;
    uint32_t ioas_id;
    uint16_t op;
    uint16_t __reserved;
};

/* Proposed: no mapping reaches across either end of [iova, iova + length) afterwards, so that
 * what lies inside can be unmapped by itself. */
struct iommu_ioas_cut {
    uint32_t size;
    uint32_t flags; /* 0 */
    uint32_t ioas_id;
    uint32_t __reserved;
    uint64_t iova;
    uint64_t length;
};

_Static_assert(sizeof(struct vfio_device_bind_iommufd) == 16, "ABI");
_Static_assert(sizeof(struct vfio_device_attach_iommufd_pt) == 12, "ABI");
_Static_assert(sizeof(struct iommu_ioas_alloc) == 12, "ABI");
_Static_assert(sizeof(struct iommu_ioas_iova_ranges) == 32, "ABI");
_Static_assert(sizeof(struct iommu_ioas_allow_iovas) == 24, "ABI");
_Static_assert(sizeof(struct iommu_ioas_map) == 40, "ABI");
_Static_assert(sizeof(struct iommu_ioas_map_file) == 40, "ABI");
_Static_assert(sizeof(struct iommu_ioas_copy) == 40, "ABI");
_Static_assert(sizeof(struct iommu_ioas_unmap) == 24, "ABI");
_Static_assert(sizeof(struct iommu_option) == 24, "ABI");
_Static_assert(sizeof(struct iommu_vfio_ioas) == 12, "ABI");
_Static_assert(sizeof(struct kvm_userspace_memory_region) == 32, "ABI");
_Static_assert(sizeof(struct kvm_userspace_memory_region2) == 160, "ABI");
_Static_assert(sizeof(struct kvm_memory_attributes) == 32, "ABI");
_Static_assert(sizeof(struct kvm_memory_attributes2) == 128, "ABI");
_Static_assert(sizeof(struct kvm_create_guest_memfd) == 64, "ABI");
_Static_assert(sizeof(struct kvm_enable_cap) == 104, "ABI");
_Static_assert(sizeof(struct vfio_iommu_type1_info) == 24, "ABI");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_map) == 32, "ABI");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_unmap) == 24, "ABI");

#endif
