/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the mock kernel: what its files share. Everything here lives in the world's
 * arena. Errors are negative errno, as everywhere.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <assert.h>
#include <errno.h>

#include "core/uapi.h"
#include "sim/arena.h"
#include "sim/dma_space.h"
#include "sim/page_runs.h"
#include "sim/sim.h"

#define SIM_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SIM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* User space ends here on x86-64: the first address that is not legal. */
#define SIM_USER_END 0x7ffffffff000ull

/* ---- physical pages: sim/frame.c ---- */
struct frame {
    uint64_t content; /* token, 0 = zeros */
    uint32_t serial;  /* its name; 0: this slot is free */
    uint32_t pins;
    uint32_t owners; /* backing slots that hold it: 0 or 1 */
    uint32_t next_free;
};

/* References that somebody else on the host holds, by guest page. */
struct host_pin {
    uint64_t gpa_page;
    uint32_t frame;
};

struct frames {
    struct frame *table; /* index 0 is never used */
    uint32_t n, capacity, free_head, live, next_serial;
    uint64_t pins;
};

/* A new zero page with one owner; index, or 0 when memory is out. */
uint32_t frame_new(struct sim_world *w);
/* Its backing lets go: the page lives on while pinned. */
void frame_disown(struct sim_world *w, uint32_t index);
void frame_pin(struct sim_world *w, uint32_t index);
void frame_unpin(struct sim_world *w, uint32_t index);
static inline struct frame *frame_at(struct frames *f, uint32_t index)
{
    assert(index > 0 && index < f->n);
    return &f->table[index];
}

/* ---- what holds pages: anonymous memory, memfd, guest_memfd: sim/backing.c ----
 * Sparse: chunks of pages by index, so a 2^62-byte guest_memfd costs nothing. */
enum backing_kind { BACKING_ANON, BACKING_MEMFD, BACKING_GMEM };

struct backing {
    uint8_t kind;
    uint16_t id;                       /* small number, for the journal */
    uint32_t refs;                     /* fds, VMAs and slots that hold it */
    uint64_t n_pages;                  /* size; may grow (memfd) */
    uint64_t huge_pages;               /* hugetlb: pages that come and go together; else 0 */
    struct sim_vm *vm;                 /* BACKING_GMEM: the VM that it belongs to */
    uint64_t flags;                    /* guest_memfd creation flags */
    struct page_runs private_pages;    /* of a guest_memfd that keeps attributes */
    struct backing_chunk *first_chunk; /* the first one that was needed */
    struct backing_chunk **chunks;     /* by hash of the chunk number */
    uint32_t n_chunk_buckets;
    uint32_t n_chunks;
};

struct backing *backing_new(struct sim_world *w, enum backing_kind kind, uint64_t n_pages);
void backing_get(struct backing *b);
void backing_put(struct sim_world *w, struct backing *b); /* the last one frees its pages */
uint32_t backing_frame(const struct backing *b, uint64_t page); /* frame index, 0: hole */
/* Frame indexes from a page on; *n becomes how many may be read. NULL: all holes. */
const uint32_t *backing_frames(const struct backing *b, uint64_t page, uint64_t *n);
uint32_t backing_fault(struct sim_world *w, struct backing *b, uint64_t page); /* fills a hole;
                                                                                 0: no memory */
/* Frees [first, first + n); holes are fine; cost follows what is there. hugetlb: whole huge
 * pages only. */
void backing_punch(struct sim_world *w, struct backing *b, uint64_t first, uint64_t n);

/* ---- file descriptors: sim/fd.c ---- */
enum fd_kind {
    FD_FREE,
    FD_NULL, /* /dev/null: something that is of the wrong kind */
    FD_KVM,
    FD_VM,
    FD_VCPU,
    FD_MEMFD,
    FD_GMEM,
    FD_VFIO_CONTAINER,
    FD_VFIO_GROUP,
    FD_VFIO_DEVICE,
    FD_VFIO_CDEV,
    FD_IOMMUFD,
    FD_SYSFS,
};

struct sim_fd {
    uint8_t kind;
    uint16_t index; /* vcpu, group */
    void *object;   /* struct backing, sim_vm, sim_container, sim_iommufd */
};

enum { SIM_FDS_MAX = 128, SIM_FD_FIRST = 3 };

int fd_new(struct sim_world *w, enum fd_kind kind, void *object,
           unsigned index);                         /* or -EMFILE */
struct sim_fd *fd_get(struct sim_world *w, int fd); /* NULL: bad fd */
int fd_close(struct sim_world *w, int fd);          /* releases the object; -EBADF */

/* ---- the process's memory: sim/mm.c ---- */
enum { VMA_NOT_RUN = UINT16_MAX };

struct vma {
    uint64_t start, size;    /* bytes */
    uint64_t first_page;     /* of the backing */
    struct backing *backing; /* NULL: PROT_NONE or a run page */
    uint8_t prot;
    uint8_t shared;
    uint16_t run_of; /* index of the vCPU whose run page this is, or VMA_NOT_RUN. The run
                        page is real arena memory, so its size is not a whole page. */
};

struct mm {
    struct vma *vmas; /* sorted by start */
    uint32_t n, capacity;
    uint64_t next_address;
    uint64_t locked_pages;      /* charged to the process, and ... */
    uint64_t user_locked_pages; /* ... to its user (iommufd) */
    uint32_t generation;        /* goes up when a VMA comes, goes or changes */
};

struct vma *mm_find(struct sim_world *w, uint64_t address); /* NULL: nothing mapped there */
/* Faults one page in as a write (or a read) would and gives its frame index; -EFAULT: nothing
 * mapped, or not allowed by the VMA's protection; -ENOMEM. */
int mm_fault(struct sim_world *w, uint64_t address, bool write, uint32_t *frame);
int mm_mmap(struct sim_world *w, uint64_t addr, uint64_t size, int prot, int flags, int fd,
            int64_t offset, uint64_t *out);
int mm_munmap(struct sim_world *w, uint64_t addr, uint64_t size);
int mm_madvise(struct sim_world *w, uint64_t addr, uint64_t size, int advice);
int memfd_new(struct sim_world *w, unsigned flags);
int memfd_truncate(struct sim_world *w, struct backing *b, int64_t size);
int memfd_fallocate(struct sim_world *w, struct backing *b, int mode, int64_t offset,
                    int64_t size);
/* Punches [first, end), in pages; of a hugetlb file a part of a huge page is only zeroed. */
void memfd_punch(struct sim_world *w, struct backing *b, uint64_t first, uint64_t end);
/* The checks that the VFS makes for every file (behaviour.md 7.3, first three rows); the
 * fallocate functions of the kinds of file call it themselves. */
int vfs_fallocate_check(int mode, int64_t offset, int64_t size);

/* ---- KVM: sim/kvm*.c, sim/gmem.c ---- */
struct slot {
    uint16_t id;
    uint16_t as_id;
    uint32_t flags;
    uint64_t gpa_page, n_pages;
    uint64_t hva;
    struct backing *gmem; /* NULL: none; cleared when the file's fd is closed */
    uint64_t gmem_page;
    /* Cache of what holds the shared side, good while mm.generation is the one noted; only
     * filled when one VMA shows the whole slot. */
    uint32_t shared_generation; /* 0: not filled */
    struct backing *shared;
    uint64_t shared_page;
};

struct sim_vm {
    uint32_t type;
    uint32_t refs; /* its fd, its vcpus, its guest_memfds */
    uint64_t exit_hypercalls;
    struct slot *slots; /* sorted by gpa */
    uint32_t n_slots, cap_slots;
    uint32_t last_slot;             /* where kvm_slot_at looks first */
    struct page_runs private_pages; /* by guest page */
    bool gmem_attributes; /* ... unless guest_memfds keep it, each for its own pages */
    uint32_t n_vcpus;
};

struct guest_request {
    uint8_t kind, pending, is_private;
    uint64_t gpa, n_pages;
};

struct sim_vcpu {
    struct sim_vm *vm;   /* NULL: this slot is free */
    struct kvm_run *run; /* NULL: nobody can reach it any more */
    struct guest_request request;
    uint32_t id;      /* as the VMM numbered it */
    uint16_t fd_open; /* 0 or 1 */
    uint16_t maps;    /* VMAs that show the run page */
    /* Left for a hypercall: until it goes on, the guest's status is in the run page. */
    bool in_hypercall;
    uint64_t status; /* what the last hypercall that is over told the guest */
};

int kvm_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request, void *arg);
int gmem_create(struct sim_world *w, struct sim_vm *vm, struct kvm_create_guest_memfd *arg);
int gmem_fallocate(struct sim_world *w, struct backing *b, int mode, int64_t offset,
                   int64_t size);
/* What close() of such an fd does. */
void kvm_release(struct sim_world *w, struct sim_fd *f);
/* The last fd or mapping of a guest_memfd went. */
void gmem_release(struct sim_world *w, struct backing *b);
/* Its own say about an mmap of it. */
int gmem_mmap_check(const struct backing *b, int flags);
/* May the host touch that page through a mapping? SIGBUS otherwise. */
bool gmem_host_may_touch(const struct backing *b, uint64_t page);
int gmem_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request, void *arg);
bool kvm_page_is_private(struct sim_vm *vm, uint64_t gpa_page);
/* The page's attribute, and in *end where the stretch of pages that share it ends. */
bool kvm_private_stretch(struct sim_vm *vm, uint64_t gpa_page, uint64_t *end);
struct slot *kvm_slot_at(struct sim_vm *vm, uint64_t gpa_page);
/* What holds the shared side of a page of a slot now, and where; NULL: nothing. */
struct backing *kvm_slot_shared(struct sim_world *w, struct slot *s, uint64_t gpa_page,
                                uint64_t *page);
/* What holds the private side; NULL: nothing. */
struct backing *kvm_slot_private(struct slot *s, uint64_t gpa_page, uint64_t *page);
/* Does the guest_memfd hold both sides? That of a file which can be mapped does (behaviour.md
 * 7.6). */
static inline bool kvm_slot_has_one_backing(const struct slot *s)
{
    return s->gmem && (s->gmem->flags & GUEST_MEMFD_FLAG_MMAP);
}
/* The frame that a guest access to a page of the slot reaches, faulted in as KVM would. */
int kvm_slot_fault(struct sim_world *w, struct slot *s, uint64_t gpa_page, bool is_private,
                   bool write, uint32_t *frame);
/* The vCPU of the newest VM that the VMM gave this number, or NULL. */
struct sim_vcpu *kvm_vcpu(const struct sim_world *w, uint32_t id);
/* What a hypercall told the guest: the status field of the run page as it stands, while the
 * vCPU waits in the exit; else what the last one that is over told. */
uint64_t kvm_guest_status(const struct sim_world *w, uint32_t vcpu);
/* The run page gained or lost a mapping. */
struct kvm_run *kvm_run_map(struct sim_world *w, unsigned index);
void kvm_run_unmap(struct sim_world *w, unsigned index);

/* ---- VFIO: sim/vfio*.c, sim/type1*.c ---- */
struct sim_container {
    uint8_t iommu_type; /* 0: not set */
    uint8_t n_groups;
    uint8_t refs;
    struct dma_space space; /* its entry limit is sampled at SET_IOMMU (nested.md 3) */
};

/* A group and its one device. The device is reached through the group's fd or as a character
 * device of its own, not both; through either it may belong to an iommufd. */
struct sim_group {
    struct sim_container *container;
    struct sim_iommufd *iommufd; /* in a container's place */
    struct sim_iommufd *bound;   /* the device's; it keeps it */
    struct sim_ioas *ioas;       /* what the device is attached to */
    uint32_t device_id;          /* its object there, while it is bound */
    uint16_t device_fds;         /* of the group's; each keeps the group open */
    bool opened;                 /* one opener at a time, until the group is released */
    bool fd_open;                /* false while only device fds keep it */
    bool has_no_driver;          /* then neither group nor character device is there */
    bool wants_vfio;             /* the device's driver_override */
};

/* ---- sysfs: which driver a device has ---- */
bool sysfs_has_vfio(const struct sim_world *w, uint32_t group);
int sysfs_open(struct sim_world *w, const char *path, int flags);
int64_t sysfs_write(struct sim_world *w, const struct sim_fd *f, const char *text,
                    uint64_t size);

int vfio_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request, void *arg);
int vfio_open_container(struct sim_world *w);
int vfio_open_group(struct sim_world *w, unsigned group);
/* What close() of such an fd does. */
void vfio_release(struct sim_world *w, struct sim_fd *f);
/* Groups and devices: sim/vfio_group.c, called by vfio.c. */
int64_t vfio_group_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request,
                         void *arg);
int64_t vfio_device_ioctl(struct sim_world *w, unsigned long request, void *arg);
/* Is it a device that answers: any of a group's, a character device once it is bound? */
static inline bool vfio_is_device(const struct sim_fd *f)
{
    return f->kind == FD_VFIO_DEVICE || (f->kind == FD_VFIO_CDEV && f->object);
}
/* May these bytes of a device fd be mapped? */
int vfio_device_mmap_check(int64_t offset, uint64_t size);
void vfio_group_release(struct sim_world *w, struct sim_group *g);
void vfio_device_release(struct sim_world *w, struct sim_group *g);
/* A container has as many references as its fd and its groups are. */
void vfio_container_put(struct sim_world *w, struct sim_container *c);
/* The devices as character devices, for iommufd: sim/vfio_cdev.c. */
int64_t vfio_cdev_ioctl(struct sim_world *w, struct sim_fd *f, unsigned long request,
                        void *arg);
void vfio_cdev_release(struct sim_world *w, struct sim_fd *f);
int type1_map(struct sim_world *w, struct sim_container *c,
              const struct vfio_iommu_type1_dma_map *arg);
int type1_unmap(struct sim_world *w, struct sim_container *c,
                struct vfio_iommu_type1_dma_unmap *arg);
int type1_get_info(struct sim_world *w, struct sim_container *c, void *arg);
/* VFIO_IOMMU_GET_INFO, for type1 and for iommufd in its place. */
struct vfio_iommu_answer {
    uint64_t page_sizes;
    uint32_t avail, n_ranges;
    struct vfio_iova_range ranges[DMA_RANGES_MAX];
};
int vfio_iommu_get_info(const struct vfio_iommu_answer *a, void *arg);
void type1_unmap_all(struct sim_world *w, struct sim_container *c);

/* ---- the journal of changes: sim/journal.c ---- */
/* A page of a backing came, went or was replaced: finds the GPAs that show it. */
void journal_backing(struct sim_world *w, const struct backing *b, uint64_t first, uint64_t n);
void journal_gpa(struct sim_world *w, uint64_t first_page, uint64_t n);
/* What these addresses of the process show changed. */
void journal_hva(struct sim_world *w, uint64_t start, uint64_t size);
/* Everything may have changed. */
void journal_all(struct sim_world *w);
void journal_iova(struct sim_world *w, unsigned container, uint64_t first_page, uint64_t n);

/* ---- the world ---- */
struct sim_world {
    struct sim_arena *arena;
    struct sim_config config;
    uint32_t page_shift;
    uint32_t entry_limit;
    uint32_t next_container_number;
    uint32_t lane; /* whose turn it is */
    struct lane_state {
        bool op_failed;
        uint32_t entry_limit, next_container_number;
    } lanes[SIM_LANES_MAX]; /* of those whose turn it is not */
    sim_call_fn *on_call;
    void *on_call_ctx;
    struct sim_call call; /* the one being answered */
    int early_error;      /* errno that a fault chose for the call being answered, or ... */
    int late_error;       /* ... the one that it gets after its effect */
    bool call_is_exit;    /* its error is a vCPU exit or a signal: no failure */
    bool op_failed;       /* a call of the current op has failed */
    bool watch_hits;      /* an alloc is a call, and all say what they cannot */
    uint64_t armed;       /* bit per point: a fault is armed there */
    uint32_t n_faults;
    struct sim_fault faults[SIM_FAULTS_MAX];
    uint64_t fault_rng;
    uint64_t faults_fired;
    uint32_t n_allocations;
    uint32_t n_fds;
    struct sim_fd fds[SIM_FDS_MAX];
    struct frames frames;
    struct host_pin *host_pins; /* ascending */
    uint32_t n_host_pins, cap_host_pins;
    struct mm mm;
    uint16_t next_backing_id;
    struct sim_vm *vm; /* the newest VM: the machine that guest accesses and observe mean */
    struct sim_vcpu vcpus[SIM_VCPUS_MAX];
    struct dma_space *spaces[SIM_CONTAINERS_MAX]; /* by number */
    struct sim_group groups[SIM_CONTAINERS_MAX];
    uint32_t n_changes; /* > OBSERVE_CHANGES_MAX: too many */
    struct observe_change changes[OBSERVE_CHANGES_MAX];
    struct observe observe;
};

#define w_page_size(w) ((uint64_t)(w)->config.page_size)
#define w_since_7_3(w) ((w)->config.kernel >= SIM_KERNEL_7_3)

/* ---- one host call: sim/call.c ----
 *   call_begin(w, POINT_X, caller, a, b, c);
 *   if (call_fails_early(w)) return call_end(w, 0);   (the fault's errno is in w->call)
 *   r = the effect;
 *   return call_end(w, r);                            (r: negative errno or result)
 * call_end applies a late fault, sets the record and runs on_call.
 * kvm_ioctl and vfio_ioctl do this themselves, with w->call.caller (set by sim/host.c) as the
 * caller: only they know which point and arguments a request means. The functions behind open
 * and close do not: there the point is the same for all. */
void call_begin(struct sim_world *w, unsigned point, const char *caller, uint64_t a, uint64_t b,
                uint64_t c);
bool call_fails_early(struct sim_world *w);
int64_t call_end(struct sim_world *w, int64_t result);
/* The same without on_call: for memory of the VMM that was had. */
int64_t call_end_quiet(struct sim_world *w, int64_t result);

/* ---- faults: sim/fault.c ---- */
/* The call in w->call is at an armed point: decides, and leaves the errno of the fault that
 * fires in w->early_error or w->late_error. */
void fault_decide(struct sim_world *w);

#endif
