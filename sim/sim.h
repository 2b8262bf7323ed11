/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock kernel and machine, as run/ and tests see it. One world = one machine = one arena
 * at a fixed address: making a world resets the arena (one pointer), a snapshot is bytes and
 * goes back to the same place. A process has one world at a time. No writable statics.
 *
 * The core talks to the world through sim_host(); what the guest and the devices do comes in
 * through sim_guest_* and sim_dma_*; sim_observe() tells what is true.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "sim/observe.h"
#include "sim/points.h"

enum { SIM_CONTAINERS_MAX = 8, SIM_VCPUS_MAX = 8, SIM_FAULTS_MAX = 16 };

/* Whose answers the mock gives. PROPOSED is 7.3 with what only patches or this project propose
 * (docs/mock-kernel.md). */
enum sim_kernel { SIM_KERNEL_6_12, SIM_KERNEL_7_3, SIM_KERNEL_PROPOSED };

struct sim_config {
    uint32_t page_size;
    enum sim_kernel kernel;
    /* A module parameter of the proposed kernel: guest_memfds keep the private attribute of
     * their pages, VMs have none. */
    bool gmem_attributes;
    uint64_t memlock_pages; /* UINT64_MAX: CAP_IPC_LOCK */
    uint32_t n_groups;      /* VFIO groups 0 .. n_groups - 1, one device each */
    uint64_t fault_seed;    /* of the chance stream */
};

/* One host call, after it was answered. */
struct sim_call {
    uint16_t point;     /* enum sim_point */
    int16_t error;      /* 0, or the positive errno it returned */
    bool injected;      /* a fault made it fail */
    bool late;          /* ... after the effect */
    bool in_undo;       /* an earlier call of this op had failed */
    bool failed;        /* error != 0, and it is no vCPU exit, no signal, no unknown ioctl */
    uint16_t cannot;    /* an errno that no fault could have given it, 0: all of its point's
                           could; known where one is armed, or all hits are watched */
    uint16_t container; /* map, unmap: which one of the world's; gmem/set_attributes: which
                           guest_memfd; else 0 */
    uint16_t hit;       /* injected: which hit of that fault since the op began, 65535: more */
    uint32_t fault;     /* injected: the fault's tag */
    int64_t result;     /* when error is 0: what it returned; map/unmap: bytes */
    uint64_t arg[3];    /* what was asked, by point: (gpa | iova | offset | address), size,
                           (attributes | vaddr | fd | request) */
    const char *caller; /* core function; for reports only */
};

/* Runs after each host call but free and an alloc that went well; may read anything, must not
 * change the world. */
typedef void sim_call_fn(void *ctx, const struct sim_call *call);

struct sim_world;

/* Maps the arena (once a process; more calls give the same one). NULL: not possible. The
 * reservation is virtual; memory is taken as it is touched. */
struct sim_arena *sim_arena_get(void);

/* Forgets whatever the arena holds and makes a new world there. */
struct sim_world *sim_world_new(struct sim_arena *arena, const struct sim_config *config);

/* Arena memory for run/'s and model/'s own state of this world, zeroed, so that a snapshot
 * holds it too; does not count as an allocation of the VMM. NULL: arena full. */
void *sim_world_memory(struct sim_world *w, size_t size);

void sim_world_on_call(struct sim_world *w, sim_call_fn *fn, void *ctx);
/* For who counts what a fault counts: from now on an alloc that went well is a call as well,
 * and all calls say what they cannot. */
void sim_watch_hits(struct sim_world *w, bool on);

/* The table to give to the core. */
struct host sim_host(struct sim_world *w);

/* The table of truths; valid as long as the world. */
const struct observe *sim_observe(struct sim_world *w);

/* ---- snapshots ---- */
/* Copies the world into *bytes (grown with realloc, owned by the caller). 0 or -ENOMEM. */
struct sim_snapshot {
    void *bytes;
    size_t size;
    size_t capacity;
};
int sim_snapshot_take(struct sim_world *w, struct sim_snapshot *s);
/* Puts it back; every pointer into the world is valid again as it was. */
void sim_snapshot_restore(struct sim_world *w, const struct sim_snapshot *s);
void sim_snapshot_free(struct sim_snapshot *s);

/* ---- the machine outside the VMM ---- */
/* dma_entry_limit for containers whose IOMMU is set from now on. Default 65535. */
void sim_set_entry_limit(struct sim_world *w, uint32_t limit);

/* The container behind the n-th open of /dev/vfio/vfio counts as observe container
 * `number` from its opening on; the number is what sim_name_next_container last said. */
void sim_name_next_container(struct sim_world *w, uint32_t number);

/* The device of VFIO group n is PCI device 00:(n + 5).0 (edu sat in slot 5 when the real
 * kernel was asked): the name that VFIO_GROUP_GET_DEVICE_FD wants is "0000:00:%02x.0" of
 * n + 5. The core builds the same string itself. */
enum { SIM_DEVICE_NAME_SIZE = 13 };
void sim_device_name(uint32_t group, char name[SIM_DEVICE_NAME_SIZE]);

/* The host has no driver yet for the device of a group: there is no such group, until vfio-pci
 * gets the device through sysfs (sim/sysfs.c). */
void sim_take_driver(struct sim_world *w, uint32_t group);

enum sim_request_kind { SIM_REQUEST_HYPERCALL, SIM_REQUEST_ACCESS };

/* MAP_GPA_RANGE counts pages of 4 KiB: a guest knows nothing of the host's. */
enum { SIM_HYPERCALL_SHIFT = 12 };

/* What a vCPU will do when it next enters KVM_RUN; one request at a time.
 * HYPERCALL: MAP_GPA_RANGE(gpa, n_pages, private), n_pages of 4 KiB; ACCESS: touches the page
 * at gpa as private or shared (TDX and SNP style), which exits if the attribute differs. */
void sim_guest_request(struct sim_world *w, uint32_t vcpu, enum sim_request_kind kind,
                       uint64_t gpa, uint64_t n_pages, bool is_private);
/* False once KVM_RUN took it. */
bool sim_guest_request_pending(const struct sim_world *w, uint32_t vcpu);

/* A running vCPU reads or writes the page at gpa, as what the attribute says it is. 0 and
 * *token, or -EFAULT (no slot, no backing), -EACCES (read-only slot). */
int sim_guest_read(struct sim_world *w, uint64_t gpa, uint64_t *token);
int sim_guest_write(struct sim_world *w, uint64_t gpa, uint64_t token);

/* Somebody else on the host (a driver, another process) takes a reference to each of n pages of
 * guest memory, through the VMM's mapping of it, or lets them go: all or nothing. -EFAULT: a
 * page is nowhere, or the host may not touch it; -EEXIST: it holds one already; -ENOENT: it
 * does not; -ENOMEM. */
int sim_pin(struct sim_world *w, uint64_t gpa, uint64_t n_pages);
int sim_unpin(struct sim_world *w, uint64_t gpa, uint64_t n_pages);
bool sim_is_pinned(const struct sim_world *w, uint64_t gpa); /* by these */
void sim_unpin_all(struct sim_world *w);

/* The device of a group does DMA at an IOVA. 0, or -EFAULT: the IOMMU refused (no mapping,
 * no right), -ENODEV: the device is not open. */
int sim_dma_read(struct sim_world *w, uint32_t group, uint64_t iova, uint64_t *token);
int sim_dma_write(struct sim_world *w, uint32_t group, uint64_t iova, uint64_t token);

/* ---- faults ---- */
enum sim_fault_when { SIM_FAULT_NTH, SIM_FAULT_STICKY, SIM_FAULT_CHANCE };

struct sim_fault {
    uint16_t point;
    uint16_t error; /* positive errno */
    uint8_t when;   /* enum sim_fault_when */
    bool late;
    bool in_undo;
    uint64_t value; /* NTH, STICKY: the hit, 1 = next; CHANCE: of 65536 */
    uint64_t more;  /* bit per point: hits there are hits of this fault as well */
    uint32_t tag;   /* the caller's name for it */
    uint8_t lane;   /* whose calls are hits; 0: everybody's */
    uint32_t hits;  /* kept by the world: since the op began */
};

/* -ENOSPC: too many armed; -EINVAL: one of the points has no such errno. */
int sim_fault_arm(struct sim_world *w, const struct sim_fault *fault);
void sim_fault_disarm_all(struct sim_world *w);
/* Faults that fired since the world began. */
uint64_t sim_faults_fired(const struct sim_world *w);
/* A new op begins: no call of it has failed yet. */
void sim_op_begin(struct sim_world *w);

/* ---- lanes ----
 * Whose op makes the calls from now on; lane 0: the only one there is. What the functions above
 * set for an op (its failures, the next container's number and limit) is each lane's own, and a
 * fault that a lane armed sees the calls of that lane. */
enum { SIM_LANES_MAX = 16 };
void sim_lane(struct sim_world *w, uint32_t lane);

#endif
