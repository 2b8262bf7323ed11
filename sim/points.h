/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every host call of the mock kernel, once: its name in programs and traces, the errnos that a
 * fault may make it return before it has had any effect, those that it may return although the
 * effect took place ("late": the kernel did it and says no), and what it is. nested.md,
 * "Allocation failures on the real kernel", says which errnos are real; a late EFAULT is a
 * failed copy-out. 0 ends an errno list; an empty one means that no fault can be armed there.
 */
#ifndef SIM_POINTS_H
#define SIM_POINTS_H

#include <errno.h>

#define ERRNOS(...)                                                                            \
    {                                                                                          \
        __VA_ARGS__ __VA_OPT__(, ) 0                                                           \
    }

/* POINT(symbol, name, errnos early, errnos late, one line) */
#define SIM_POINTS(POINT)                                                                      \
    POINT(CORE_ALLOC, "core/alloc", ERRNOS(ENOMEM), ERRNOS(), "memory for the VMM itself")     \
    POINT(HOST_OPEN, "host/open", ERRNOS(EMFILE, ENOENT, EACCES), ERRNOS(), "open a file")     \
    POINT(HOST_CLOSE, "host/close", ERRNOS(), ERRNOS(EIO), "close an fd; it is closed anyway") \
    POINT(HOST_READ, "host/read", ERRNOS(), ERRNOS(), "read from an fd")                       \
    POINT(HOST_WRITE, "host/write", ERRNOS(), ERRNOS(), "write to an fd")                      \
    POINT(HOST_GETRLIMIT, "host/getrlimit", ERRNOS(), ERRNOS(), "ask for a resource limit")    \
    POINT(HOST_IOCTL, "host/ioctl", ERRNOS(), ERRNOS(), "an ioctl that no driver here knows")  \
    POINT(MM_MMAP, "mm/mmap", ERRNOS(ENOMEM), ERRNOS(), "map memory")                          \
    POINT(MM_MUNMAP, "mm/munmap", ERRNOS(), ERRNOS(), "unmap memory")                          \
    POINT(MM_MADVISE, "mm/madvise", ERRNOS(EAGAIN, EINVAL), ERRNOS(EAGAIN),                    \
          "drop anonymous pages (MADV_DONTNEED)")                                              \
    POINT(MEMFD_CREATE, "memfd/create", ERRNOS(EMFILE, ENOMEM), ERRNOS(), "make a memfd")      \
    POINT(MEMFD_TRUNCATE, "memfd/truncate", ERRNOS(ENOMEM), ERRNOS(), "size a memfd")          \
    POINT(MEMFD_PUNCH, "memfd/punch", ERRNOS(EINTR, EIO), ERRNOS(EINTR), "punch a memfd hole") \
    POINT(MEMFD_ALLOCATE, "memfd/allocate", ERRNOS(ENOSPC, EINTR), ERRNOS(), "allocate in it") \
    POINT(GMEM_CREATE, "gmem/create", ERRNOS(ENOMEM, EMFILE, EFAULT), ERRNOS(),                \
          "make a guest_memfd")                                                                \
    POINT(GMEM_PUNCH, "gmem/punch", ERRNOS(EINTR, EIO), ERRNOS(EINTR),                         \
          "punch a guest_memfd hole")                                                          \
    POINT(GMEM_ALLOCATE, "gmem/allocate", ERRNOS(ENOMEM, EINTR), ERRNOS(), "allocate in it")   \
    POINT(GMEM_SET_ATTRIBUTES, "gmem/set_attributes", ERRNOS(EAGAIN, ENOMEM, EFAULT),          \
          ERRNOS(EFAULT), "set the attribute on a guest_memfd (proposed)")                     \
    POINT(KVM_SYSTEM, "kvm/system", ERRNOS(), ERRNOS(), "API version, extensions, mmap size")  \
    POINT(KVM_CREATE_VM, "kvm/create_vm", ERRNOS(ENOMEM), ERRNOS(), "make a VM")               \
    POINT(KVM_ENABLE_CAP, "kvm/enable_cap", ERRNOS(EINVAL), ERRNOS(), "enable a capability")   \
    POINT(KVM_CREATE_VCPU, "kvm/create_vcpu", ERRNOS(ENOMEM), ERRNOS(), "make a vCPU")         \
    POINT(KVM_SET_REGION, "kvm/set_memory_region", ERRNOS(ENOMEM, EFAULT), ERRNOS(),           \
          "make, change or delete a memslot")                                                  \
    POINT(KVM_SET_ATTRIBUTES, "kvm/set_attributes", ERRNOS(ENOMEM, EFAULT), ERRNOS(EFAULT),    \
          "set private or shared on a GPA range")                                              \
    POINT(KVM_RUN, "kvm/run", ERRNOS(EINTR, ENOMEM), ERRNOS(), "run a vCPU to its next exit")  \
    POINT(VFIO_SYSTEM, "vfio/system", ERRNOS(), ERRNOS(), "API version, extensions, info")     \
    POINT(VFIO_GROUP_STATUS, "vfio/group_status", ERRNOS(EFAULT), ERRNOS(), "ask a group")     \
    POINT(VFIO_SET_CONTAINER, "vfio/set_container", ERRNOS(ENOMEM, EBUSY), ERRNOS(),           \
          "put a group into a container")                                                      \
    POINT(VFIO_UNSET_CONTAINER, "vfio/unset_container", ERRNOS(EBUSY), ERRNOS(),               \
          "take a group out of its container")                                                 \
    POINT(VFIO_SET_IOMMU, "vfio/set_iommu", ERRNOS(ENOMEM, ENODEV), ERRNOS(),                  \
          "choose a container's IOMMU driver")                                                 \
    POINT(VFIO_DEVICE_FD, "vfio/device_fd", ERRNOS(ENODEV, EMFILE), ERRNOS(), "open a device") \
    POINT(VFIO_MAP, "vfio/map", ERRNOS(ENOMEM, EFAULT, ENOSPC), ERRNOS(EFAULT),                \
          "map guest memory for DMA")                                                          \
    POINT(VFIO_UNMAP, "vfio/unmap", ERRNOS(EFAULT, EINVAL), ERRNOS(EFAULT),                    \
          "unmap guest memory from DMA")                                                       \
    POINT(IOMMUFD_BIND, "iommufd/bind", ERRNOS(ENOMEM, EBUSY, EFAULT), ERRNOS(),               \
          "bind a device to an iommufd")                                                       \
    POINT(IOMMUFD_ATTACH, "iommufd/attach", ERRNOS(ENOMEM, ENOENT, EFAULT, EINVAL), ERRNOS(),  \
          "attach a device to an IOAS")                                                        \
    POINT(IOMMUFD_DETACH, "iommufd/detach", ERRNOS(EFAULT), ERRNOS(), "detach it again")       \
    POINT(IOMMUFD_SYSTEM, "iommufd/system", ERRNOS(), ERRNOS(), "IOVA ranges, questions")      \
    POINT(IOMMUFD_IOAS_ALLOC, "iommufd/ioas_alloc", ERRNOS(ENOMEM, EFAULT), ERRNOS(),          \
          "make an I/O address space (IOAS)")                                                  \
    POINT(IOMMUFD_DESTROY, "iommufd/destroy", ERRNOS(EBUSY, EFAULT), ERRNOS(),                 \
          "destroy an object of an iommufd")                                                   \
    POINT(IOMMUFD_OPTION, "iommufd/option", ERRNOS(ENOENT, EFAULT), ERRNOS(EFAULT),            \
          "huge pages, accounting")                                                            \
    POINT(IOMMUFD_VFIO_IOAS, "iommufd/vfio_ioas", ERRNOS(ENOENT, EFAULT), ERRNOS(),            \
          "choose the IOAS that VFIO's own ioctls mean")                                       \
    POINT(IOMMUFD_MAP, "iommufd/map", ERRNOS(ENOMEM, ENOENT, EFAULT), ERRNOS(EFAULT),          \
          "map guest memory for DMA")                                                          \
    POINT(IOMMUFD_COPY, "iommufd/copy", ERRNOS(ENOMEM, ENOENT, EFAULT), ERRNOS(EFAULT),        \
          "map what is mapped already once more")                                              \
    POINT(IOMMUFD_UNMAP, "iommufd/unmap", ERRNOS(EBUSY, ENOENT, EFAULT), ERRNOS(EFAULT),       \
          "unmap guest memory from DMA")                                                       \
    POINT(IOMMUFD_CUT, "iommufd/cut", ERRNOS(ENOMEM, EBUSY, EFAULT), ERRNOS(),                 \
          "cut a mapping in two (proposed)")

#define SIM_POINT_ENUM(symbol, ...) POINT_##symbol,
enum sim_point { SIM_POINTS(SIM_POINT_ENUM) POINT_COUNT };

_Static_assert(POINT_COUNT < 64, "the armed mask is one word");

/* Names, one-liners and errno lists; NULL / 0 past the end. sim/points.c */
const char *sim_point_name(unsigned point);
const char *sim_point_help(unsigned point);
int sim_point_errno(unsigned point, unsigned i, int late);

#endif
