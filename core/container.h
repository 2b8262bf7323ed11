/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DMA container: the file, its groups and devices, its listeners, and the ledger of what it
 * has mapped. The IOMMU kinds differ in their calls only (container_ops).
 *
 * Units: pages of IOVA, but for sizes handed to the ops, which are bytes.
 */
#ifndef CORE_CONTAINER_H
#define CORE_CONTAINER_H

#include "core/ledger.h"
#include "core/vmm.h"

struct container;
struct container_device;
struct vfio_listener;

struct container_ops {
    const char *path; /* of what is opened for a container */
    uint32_t type;    /* for VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU */
    /* An unmap that fails (but for EFAULT) has unmapped nothing. */
    bool unmaps_all_or_nothing;
    bool can_cut; /* an iommufd: a part of a mapping can go */
    /* It was just opened. */
    int (*prepare)(struct container *c);
    int (*open_device)(struct container *c, struct container_device *d, bool first);
    /* Closes all of it; the first error is returned. */
    int (*close_device)(struct container *c, const struct container_device *d);
    int (*map)(struct container *c, uint64_t iova, uint64_t size, uint64_t vaddr,
               bool read_only);
    /* Bytes that were unmapped, or an error. */
    int64_t (*unmap)(struct container *c, uint64_t iova, uint64_t size);
    /* Where unmapping nothing is ENOENT, as is more: is anything mapped there? 1, 0, or an
     * error: it cannot be told. NULL: unmapping nothing is 0 bytes. */
    int (*is_mapped)(struct container *c, uint64_t iova, uint64_t size);
    /* How many mappings the kernel lets a container have that has none yet. NULL: any number.
     */
    int (*entry_limit)(struct container *c, uint64_t *limit);
};

extern const struct container_ops container_type1_ops, container_type1v1_ops,
    container_iommufd_ops, container_compat_ops, container_compatv1_ops;

/* ---- core/container_vfio.c: for those that groups are put into ---- */
int container_vfio_prepare(struct container *c);
int container_vfio_open_device(struct container *c, struct container_device *d, bool first);
int container_vfio_close_device(struct container *c, const struct container_device *d);

/* What takes a part out of a mapping; core/container_cut.c. */
enum cut_by { CUT_BY_NOTHING, CUT_BY_UNMAP, CUT_BY_IOCTL };

struct container_device {
    uint32_t group;
    int group_fd, fd;
    bool guarded; /* has a VMM_GUARD_UNCOORDINATED_DISABLE */
};

struct container {
    struct vmm *vmm;
    const struct container_ops *ops;
    uint32_t index;
    bool listen_all;
    int fd;           /* -1: not open */
    uint32_t ioas_id; /* iommufd: what is mapped into */
    enum cut_by cut_by;
    struct container_device *devices;
    uint32_t n_devices, cap_devices;
    struct vfio_listener *listeners, **last; /* in order of registration */
    struct core_lock lock;                   /* of what follows, and of the mapping calls */
    struct ledger ledger;
    uint64_t entry_limit;    /* mappings that the kernel allows, as read when it was opened */
    int64_t entries_pledged; /* more than the ledger has now, to the requests in work */
};

/* Detaches what is attached; the first error is returned. */
int container_free(struct container *c);

/* Could it have so many mappings more? 0 or -ENOSPC. Exact: the kernel would say the same, but
 * only when the first of them are made. The lock is held. */
int container_has_room(const struct container *c, uint64_t more);

/* Its IOMMU is chosen and nothing is mapped: split=cut, if that is wanted. */
int container_cut_prepare(struct container *c);

/* ---- mapping; the container's lock is held, room in the ledger is reserved ---- */

/* One mapping of [first, end). A failure that may have taken effect is cleaned up here; where
 * even that fails, the ledger holds the range, so that an undo tries again.
 * `restore`: an undo puts back what was there; what is still there is fine. Then it may be a
 * mapping that the ledger has, but doubts. */
int container_map(struct container *c, uint64_t first, uint64_t end, uint64_t vaddr,
                  bool read_only, bool restore);

/* Unmaps in one call what the ledger has in [first, end), whole mappings; nothing is fine.
 * After an error the ledger holds what is known to be mapped, and doubts what may be. `undo`:
 * the ledger may hold what a failed map only might have left; less is fine. */
int container_unmap(struct container *c, uint64_t first, uint64_t end, bool undo);

/* split=cut: [first, end) may be unmapped now, whatever of mappings that is. */
int container_cut(struct container *c, uint64_t first, uint64_t end);
/* VFIO's unmap, on whatever file the container has. */
int64_t container_vfio_unmap(struct container *c, uint64_t iova, uint64_t size);

#endif
