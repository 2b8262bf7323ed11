/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state manager, as a VMM would link it: guest memory whose pages are private (held in
 * guest_memfd) or shared (held in ordinary memory), and assigned devices that may reach the
 * shared pages only. One struct vmm is one virtual machine; there is no process-wide state.
 *
 * Units: bytes, except where a name says pages. Ranges are half-open. Errors are negative
 * errno values; 0 is success. All functions take the locks that they need (core/sync.h).
 *
 * What a conversion promises (design: validate all, reserve all, change and notify, commit,
 * drop the old side):
 *  - refused by the decision table (behaviour.md 3.1): -EINVAL and nothing was changed; so is,
 *    with VMM_SPLIT_REFUSE, what would leave a part of a mapping: -EOPNOTSUPP;
 *  - failed before commit: the old state is back everywhere and the error is returned;
 *  - committed: 0; if the old side could not be dropped, that is remembered as debt and
 *    retried before the next conversion of those pages and at tear-down;
 *  - an undo that fails itself, or any failure with VMM_FAILURE_STOP, stops the VM: this call
 *    returns the first error, every later one but vmm_destroy returns -EIO.
 *
 * VMM_MODE_INPLACE (needs a kernel that can, behaviour.md 3.7 and 7.10): the guest_memfd holds
 * both sides of a page, so a conversion drops nothing and keeps the page's content. To private
 * a page is unmapped first and made private then; while somebody else on the host holds a
 * reference to it the kernel refuses: -EAGAIN, all is mapped again, and vmm_blocked says which
 * page it was.
 */
#ifndef CORE_VMM_H
#define CORE_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/sync.h"

struct vmm;

enum vmm_mode { VMM_MODE_DISCARD, VMM_MODE_INPLACE };
enum vmm_order { VMM_ORDER_ATTRIBUTE_FIRST, VMM_ORDER_UNMAP_FIRST };
enum vmm_failure { VMM_FAILURE_ROLLBACK, VMM_FAILURE_STOP };
enum vmm_tracker { VMM_TRACKER_BITMAP, VMM_TRACKER_EXTENTS };
enum vmm_iommu {
    VMM_IOMMU_TYPE1, /* version 2 */
    VMM_IOMMU_TYPE1V1,
    VMM_IOMMU_IOMMUFD,
    VMM_IOMMU_COMPAT,   /* an iommufd in a VFIO container's place, version 2 */
    VMM_IOMMU_COMPATV1, /* ... version 1 */
};
enum vmm_mapping { VMM_MAPPING_PAGE, VMM_MAPPING_RUN };
enum vmm_split { VMM_SPLIT_REMAP, VMM_SPLIT_CUT, VMM_SPLIT_REFUSE };
enum vmm_share { VMM_SHARE_ANON, VMM_SHARE_MEMFD, VMM_SHARE_HUGETLB };
enum vmm_region_kind { VMM_REGION_RAM, VMM_REGION_ROM, VMM_REGION_MMIO };

/* Users of discarding that exclude each other; core/discard_guard.h. */
enum vmm_guard {
    VMM_GUARD_DISABLE,
    VMM_GUARD_UNCOORDINATED_DISABLE,
    VMM_GUARD_REQUIRE,
    VMM_GUARD_COORDINATED_REQUIRE,
    VMM_GUARD_COUNT
};
enum { VMM_GUARD_OTHERS_MAX = 1 << 20 };

struct vmm_config {
    uint32_t page_size; /* power of two */
    uint32_t n_vcpus;
    enum vmm_mode mode;
    enum vmm_order order; /* VMM_MODE_DISCARD; in place there is but one */
    enum vmm_failure failure;
    enum vmm_tracker tracker;
    enum vmm_mapping mapping;
    enum vmm_split split; /* where only a part of a mapping has to go */
};

struct vmm_region_config {
    enum vmm_region_kind kind;
    enum vmm_share share; /* says nothing of guest_memfd RAM in place; hugetlb is -EINVAL */
    bool guest_memfd;     /* RAM only: pages can be private, and start private */
    uint64_t size;
    /* VMM_SHARE_HUGETLB: the huge page's size, a power of two of at least two pages, else 0.
     * `size` and the sections are whole huge pages. Pages are converted one by one all the same
     * (behaviour.md 2.2). What a page that becomes private had on the shared side stays there:
     * memory is given back by the huge page only, and its neighbours may be in use. */
    uint64_t huge_page_size;
    /* virtio-mem (guest_memfd RAM only): 0, or the block's size, a power of two; `size` and
     * requested_size are whole blocks. All blocks start unplugged. */
    uint64_t virtio_mem_block;
    uint64_t requested_size;
};

/* Opens KVM and makes a software-protected VM with its vCPUs. The caller frees *out with
 * vmm_destroy. `host` and `sync` are copied. */
int vmm_create(const struct host *host, const struct sync *sync,
               const struct vmm_config *config, struct vmm **out);

/* Tears everything down, devices and listeners first, whatever state it is in; retries debt.
 * Always frees; the return value is the first error met on the way. */
int vmm_destroy(struct vmm *vmm);

/* A memory region with its RAM block (backing memory). Regions are numbered 0, 1, ... */
int vmm_region_add(struct vmm *vmm, const struct vmm_region_config *config, uint32_t *index);

/* Places [offset, offset + size) of a region at guest physical address gpa, as a KVM slot.
 * -EEXIST where it would overlap another section; -EINVAL when not page-aligned (hugetlb: not
 * whole huge pages of the region), outside the region, wrapping, or when part of a guest_memfd
 * region already has an address. Containers that listen to all listen to it at once. On failure
 * nothing is left; where that fails too the VM is stopped. */
int vmm_section_add(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
                    uint64_t gpa);

/* ---- memory hot-plug ----
 *
 * A region goes: its listeners, sections, RAM block and guest_memfd. Its number and its
 * addresses stay its own; meanwhile it is a hole for conversions, and -EINVAL for every other
 * call. It comes again as it was declared, empty: all pages private, virtio-mem unplugged,
 * nothing owed. Containers that listen to all listen to it again, vmm_listen's listeners do not
 * come back. -EINVAL: no such region; -ENOENT: it is away; -EEXIST: it is here; -EBUSY: a
 * migration runs. An error that a host call returned: all is as it was; or, where the undo
 * fails too, the VM is stopped. Closing what a region had cannot fail. */
int vmm_region_remove(struct vmm *vmm, uint32_t region);
int vmm_region_readd(struct vmm *vmm, uint32_t region);

/* ---- reset of a confidential guest ----
 *
 * All guest_memfd memory becomes private and empty, in new guest_memfds: nothing of the old
 * guest is left on either side, no device sees a page of it, virtio-mem is unplugged and its
 * usable size shrunk to the requested one. Listeners stay. Other memory stays as it is, and
 * mapped. -EBUSY: a migration runs. An error that a host call returned: all is as it was; or,
 * where the undo fails too, the VM is stopped. Once done, what could not be dropped of the
 * shared sides is debt: 0. */
int vmm_reset(struct vmm *vmm);

/* A DMA container. listen_all: its first device makes it listen to every section; otherwise
 * vmm_listen says what it sees. Containers are numbered 0, 1, ... No system call is made. */
int vmm_container_add(struct vmm *vmm, enum vmm_iommu iommu, bool listen_all, uint32_t *index);

/* Hot-plugs the device of VFIO group number `group` (/dev/vfio/<group>; VMM_IOMMU_IOMMUFD:
 * /dev/vfio/devices/vfio<group>) into a container; the container is opened with its first
 * device and closed with its last. The device gets exactly the shared pages, or the call fails
 * and leaves nothing behind. -EEXIST when plugged. */
int vmm_device_attach(struct vmm *vmm, uint32_t container, uint32_t group);

/* Always gets rid of the device: closing the last one of a container removes what a failed
 * unmap left. -ENOENT when it is not plugged. */
int vmm_device_detach(struct vmm *vmm, uint32_t group);

/* A listener of an open container on [offset, offset + size) of a region, section by section:
 * maps what is populated now and follows from then on. In this order: -EINVAL: not
 * page-aligned, outside, MMIO, or not wholly inside the region's sections; -ENODEV: the
 * container is not open; -EEXIST: it already listens to part of the range. On failure nothing
 * stays registered or mapped. */
int vmm_listen(struct vmm *vmm, uint32_t container, uint32_t region, uint64_t offset,
               uint64_t size);

/* Unmaps and forgets exactly that listener. -ENOENT: no such one. If an unmap fails, the
 * listener stays, with all that it had mapped, and the error is returned. */
int vmm_unlisten(struct vmm *vmm, uint32_t container, uint32_t region, uint64_t offset,
                 uint64_t size);

/* Lets a vCPU run until it leaves the kernel once, and serves the exit: a memory fault or a
 * MAP_GPA_RANGE hypercall is a conversion, and its result is returned here. For a hypercall
 * the guest's status is written on every path: 0, EINVAL (refused) or EAGAIN (failed, old
 * state is back). A memory fault with unknown flags, an unknown exit: -EINVAL; an exit that is
 * no business of the state manager's (a signal, HLT, MMIO): 0. */
int vmm_vcpu_run(struct vmm *vmm, uint32_t vcpu);

/* The same conversion, asked for by the VMM itself. */
int vmm_convert(struct vmm *vmm, uint64_t gpa, uint64_t size, bool to_private);

/* Did the last conversion, vmm_vcpu_run, plug or unplug fail because a page was in use? Then
 * the page's region and offset. Other calls (a resize too), and those that a stopped VM
 * refuses, leave the answer as it was. In place only. */
bool vmm_blocked(struct vmm *vmm, uint32_t *region, uint64_t *offset);

/* 1 when a device may see every byte of the range of a region (it is shared, plugged where
 * there is virtio-mem, and not held back by another source), 0 when not, or an error: -EINVAL
 * for a range that is empty, not page-aligned or outside. RAM without guest_memfd is always
 * populated. */
int vmm_is_populated(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size);

/* Copies the attributes' tracker: bit i of `bits` is page first_page + i, 1 = shared, plugged
 * or not; 0 of a region that is away. For checkers. */
void vmm_populated_bits(const struct vmm *vmm, uint32_t region, uint64_t first_page,
                        uint64_t n_pages, uint64_t *bits);

/* ---- virtio-mem (behaviour.md 8) ----
 *
 * The guest's requests on [offset, offset + size) of a region, and the response it is given.
 * In this order:
 *   -EINVAL, ERROR  no virtio-mem region, or it has no address; the range is empty, not whole
 *                   blocks, or not below the usable size
 *   -ENOSPC, NACK   plug: more than the requested size would be plugged
 *   -EINVAL, ERROR  not all blocks are in the opposite state
 *   -EBUSY, BUSY    a migration is running
 *   an error, BUSY  a host call failed: all is as it was, but what an unplugged page may have
 *                   held can be gone. With an undo that fails itself the VM is stopped; the
 *                   failure policy is about conversions alone
 *   0, ACK          done
 *
 * Plug drops what unplugged pages may hold, then listeners map those that are shared. Unplug
 * unmaps, makes the pages private, and drops both sides of them; a side that could not be
 * dropped is debt. Unplug-all does that to the whole region, unplugged pages too, and shrinks
 * the usable size to the requested one; where nothing is plugged it does only that, and is
 * never busy. */
enum vmm_response {
    VMM_RESPONSE_ACK,
    VMM_RESPONSE_NACK,
    VMM_RESPONSE_BUSY,
    VMM_RESPONSE_ERROR
};

int vmm_plug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
             uint16_t *response);
int vmm_unplug(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size,
               uint16_t *response);
int vmm_unplug_all(struct vmm *vmm, uint32_t region, uint16_t *response);

/* How much the VMM wants the guest to plug, whole blocks up to the region's size, else -EINVAL,
 * ERROR. No page changes, so a migration does not mind. The usable size grows with it. */
int vmm_resize(struct vmm *vmm, uint32_t region, uint64_t requested_size, uint16_t *response);

/* As vmm_populated_bits: 1 = plugged. A region without virtio-mem is wholly plugged. */
void vmm_plugged_bits(const struct vmm *vmm, uint32_t region, uint64_t first_page,
                      uint64_t n_pages, uint64_t *bits);

/* ---- other users of a region's pages ----
 *
 * One at a time may keep devices away from a stretch of a guest_memfd region, whatever the
 * guest does: add unmaps it everywhere, remove maps what is shared, and plugged, of it.
 * Attributes, contents and what the guest may do do not change. It goes with its region, and
 * stays in a reset. -EINVAL: no such range, no guest_memfd, or the region is away; -EEXIST:
 * there is one; -ENOENT: there is none; -EOPNOTSUPP: VMM_SPLIT_REFUSE, and a part of a mapping
 * would stay. An error that a host call returned, or a limit: all is as it was; or, where the
 * undo fails too, the VM is stopped. */
int vmm_source_add(struct vmm *vmm, uint32_t region, uint64_t offset, uint64_t size);
int vmm_source_remove(struct vmm *vmm, uint32_t region);

/* ---- migration ----
 *
 * While it runs, virtio-mem requests, regions that come or go, and a reset are refused
 * (-EBUSY); conversions are not.
 * -EBUSY: it runs already. -EINVAL: there is nothing to stop. */
int vmm_migrate(struct vmm *vmm, bool start);

/* Where the content of a page is. */
enum vmm_page_state { VMM_PAGE_DISCARDED, VMM_PAGE_SHARED, VMM_PAGE_PRIVATE };
enum { VMM_PAGE_DIRTY = 4 };

/* For each page of a region (one byte a page) the state, and VMM_PAGE_DIRTY
 * when its content may have changed since this was asked last, at first for all. A page is
 * dirty when it was converted, or when a device could have written to it: it was mapped for DMA
 * (not read-only) at any time since then, be it for a moment. Discarded pages are never dirty;
 * private ones can be. What vCPUs write is not known here: KVM keeps no dirty log of
 * guest_memfd slots (behaviour.md 7.5). -EINVAL: no migration runs, no such region, or it has
 * no memory. */
int vmm_dirty_sync(struct vmm *vmm, uint32_t region, uint8_t *pages);

/* Another user of the machine takes (on) one of the four discard guards, or gives back one that
 * it took. -EBUSY: someone holds what it excludes (guest_memfd RAM and virtio-mem hold
 * coordinated-require, each plugged device uncoordinated-disable; what is refused that way is
 * vmm_device_attach, vmm_region_add or this call); -EINVAL: there is none to give back, or no
 * such guard; -E2BIG: VMM_GUARD_OTHERS_MAX are taken. */
int vmm_guard(struct vmm *vmm, enum vmm_guard kind, bool on);

/* Could someone take it now? */
bool vmm_guard_is_free(struct vmm *vmm, enum vmm_guard kind);

bool vmm_stopped(const struct vmm *vmm);

/* Writes the internal state that decides future behaviour (tracker, debt, ledgers, listeners)
 * in a canonical form, at most `size` bytes; returns the bytes it has. For checkers. */
size_t vmm_canon(const struct vmm *vmm, void *buf, size_t size);

#endif
