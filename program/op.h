/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The currency: a program is a machine, the operations done to it, the faults armed on the way
 * and what its author expects. Scenario text and the random generator produce it; run/ executes
 * it; model/ predicts it. Plain data, no pointers but the two arrays, so that two equal
 * programs compare equal byte for byte after program_clear.
 *
 * Units: bytes, unless a name says pages. Ranges are half-open.
 */
#ifndef PROGRAM_OP_H
#define PROGRAM_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROGRAM_REGIONS_MAX = 8,
    PROGRAM_SECTIONS_MAX = 16,
    PROGRAM_CONTAINERS_MAX = 4,
    PROGRAM_DEVICES_MAX = 8,
    PROGRAM_VCPUS_MAX = 8,
    PROGRAM_PAGES_MAX = 1 << 18, /* over all regions */
    PROGRAM_OPS_MAX = 1 << 16,
    PROGRAM_EXPECTS_MAX = 1 << 16,
    PROGRAM_ENTRIES_DEFAULT = 65535,  /* entry limit of a container: the kernel's */
    PROGRAM_OP_EXPECTS_MAX = 1 << 12, /* about one op */
    PAGE_SIZE_4K = 4096,              /* the only place where this number is written */
};

/* GPAs end here: IOVA = GPA, and from here on type1 has the MSI window and refuses to map. A
 * multiple of every page size. */
#define PROGRAM_GPA_END UINT64_C(0xfee00000)

/* The axes of a machine: AXIS(field, first value, ...). The values are the text names; a
 * machine holds the index. Which of them go together: validate_machine. What random programs
 * have: program/generate_weights.c. */
#define PROGRAM_AXES(AXIS)                                                                     \
    AXIS(mode, "discard", "inplace")                                                           \
    AXIS(order, "attribute-first", "unmap-first")                                              \
    AXIS(failure, "rollback", "stop")                                                          \
    AXIS(tracker, "bitmap", "extents")                                                         \
    AXIS(iommu, "type1", "type1v1", "iommufd", "compat", "compatv1")                           \
    AXIS(mapping, "page", "run")                                                               \
    AXIS(split, "remap", "cut", "refuse")                                                      \
    AXIS(kernel, "6.12", "7.3", "proposed")                                                    \
    AXIS(page_size, "4k", "16k", "64k")

#define PROGRAM_AXIS_ENUM(name, ...) AXIS_##name,
enum program_axis { PROGRAM_AXES(PROGRAM_AXIS_ENUM) AXIS_COUNT };

enum { MODE_DISCARD, MODE_INPLACE };
enum { ORDER_ATTRIBUTE_FIRST, ORDER_UNMAP_FIRST };
enum { FAILURE_ROLLBACK, FAILURE_STOP };
enum { TRACKER_BITMAP, TRACKER_EXTENTS };
enum { IOMMU_TYPE1, IOMMU_TYPE1V1, IOMMU_IOMMUFD, IOMMU_COMPAT, IOMMU_COMPATV1 };
enum { MAPPING_PAGE, MAPPING_RUN };
enum { SPLIT_REMAP, SPLIT_CUT, SPLIT_REFUSE };
enum { KERNEL_6_12, KERNEL_7_3, KERNEL_PROPOSED };
enum { PAGE_SIZE_AXIS_4K, PAGE_SIZE_AXIS_16K, PAGE_SIZE_AXIS_64K };

enum region_kind { REGION_RAM, REGION_ROM, REGION_MMIO };
enum region_share { SHARE_ANON, SHARE_MEMFD, SHARE_HUGETLB, SHARE_COUNT };

/* A memory region and its RAM block. */
struct region_decl {
    uint8_t kind;        /* enum region_kind */
    uint8_t share;       /* enum region_share: what holds its shared side; says nothing of a
                            guest_memfd region in mode=inplace, whose file holds both */
    uint8_t guest_memfd; /* 1: RAM with a private side; all pages start private */
    uint8_t also_share;  /* bit per enum region_share: the matrix may use these instead */
    uint32_t n_pages;
    uint32_t huge_pages;       /* share=hugetlb: base pages of a huge page, 2, 4, ...; else 0 */
    uint32_t virtio_mem_pages; /* block size, a power of two; 0: no virtio-mem region */
    uint32_t requested_pages;  /* at the start, whole blocks; 0 without virtio-mem */
};

/* Pages [first_page, first_page + n_pages) of a region at a guest physical page number. */
struct section_decl {
    uint32_t region;
    uint32_t first_page;
    uint32_t n_pages;
    uint32_t pad;
    uint64_t gpa_page;
};

/* A DMA container and the addresses it listens to. */
struct container_decl {
    uint8_t listen_all; /* 1: every section from its first device on; 0: see OP_LISTEN */
    uint8_t pad[3];
    uint32_t entry_limit; /* dma_entry_limit when it is opened; iommufd and its compat
                             layer have none, there it says nothing */
};

struct device_decl {
    uint32_t container;
};

/* region i is called "ram<i>" ("rom<i>", "mmio<i>"), container i "c<i>", device i "d<i>". */
struct machine {
    uint8_t axis[AXIS_COUNT];
    /* Bit per value: the matrix (run/matrix.h) may use these instead; the value above is not
     * among them. 0: that value alone. */
    uint8_t also[AXIS_COUNT];
    uint8_t pad[8 - 2 * AXIS_COUNT % 8];
    uint32_t n_vcpus;
    uint32_t memlock_pages; /* RLIMIT_MEMLOCK in pages without CAP_IPC_LOCK; 0: no limit */
    uint32_t n_regions;
    uint32_t n_sections;
    uint32_t n_containers;
    uint32_t n_devices;
    struct region_decl regions[PROGRAM_REGIONS_MAX];
    struct section_decl sections[PROGRAM_SECTIONS_MAX];
    struct container_decl containers[PROGRAM_CONTAINERS_MAX];
    struct device_decl devices[PROGRAM_DEVICES_MAX];
};

enum op_kind {
    OP_CONVERT,  /* vcpu, via, to_private, range */
    OP_READ,     /* vcpu reads the first byte's page */
    OP_WRITE,    /* vcpu writes `value` into the page */
    OP_DMA_READ, /* device reads the page through its IOVA (= GPA) */
    OP_DMA_WRITE,
    OP_ATTACH,     /* device */
    OP_DETACH,     /* device */
    OP_LISTEN,     /* container, range of a region: register a listener */
    OP_UNLISTEN,   /* container, the same range again */
    OP_QUERY,      /* range of a region: is it populated? */
    OP_PLUG,       /* range of a virtio-mem region: the guest plugs blocks */
    OP_UNPLUG,     /* the reverse */
    OP_UNPLUG_ALL, /* virtio-mem region */
    OP_RESIZE,     /* virtio-mem region; value: pages that it is asked to plug */
    OP_REMOVE,     /* region: unplugged as a whole, memory and all */
    OP_ADD,        /* region: back, as it was declared */
    OP_RESET,      /* of a confidential guest */
    OP_PIN,        /* range of a region: someone else on the host takes references */
    OP_UNPIN,
    OP_GUARD,         /* enum guard_kind, value: 1 taken, 0 given back, by someone else */
    OP_MIGRATE,       /* value: 1 start, 0 stop */
    OP_DIRTY_SYNC,    /* what may have changed since the last one? */
    OP_SOURCE_ADD,    /* range of a region: someone else keeps devices away from it */
    OP_SOURCE_REMOVE, /* region: and does so no more */
    OP_FAULT,         /* arm a fault for the ops that follow */
    OP_DISARM,        /* disarm all faults */
    OP_KIND_COUNT
};

/* How a conversion enters. */
enum op_via {
    VIA_HYPERCALL, /* MAP_GPA_RANGE: page-aligned, one page or more */
    VIA_FAULT,     /* KVM_EXIT_MEMORY_FAULT: exactly one page */
    VIA_VMM,       /* asked for by the VMM itself: any bytes */
};

enum { OP_NO_REGION = 0xff };

/* The users of discarding that exclude each other (behaviour.md 1.4). */
enum guard_kind {
    GUARD_DISABLE,
    GUARD_UNCOORDINATED_DISABLE,
    GUARD_REQUIRE,
    GUARD_COORDINATED_REQUIRE,
    GUARD_KIND_COUNT
};

/* What the guest's virtio-mem driver is told. */
enum virtio_mem_response {
    RESPONSE_ACK,
    RESPONSE_NACK,
    RESPONSE_BUSY,
    RESPONSE_ERROR,
    RESPONSE_COUNT
};

enum fault_when {
    FAULT_NTH,    /* the value-th hit from now on (1 = the next), once */
    FAULT_STICKY, /* the value-th hit and all after it */
    FAULT_CHANCE, /* each hit with chance value / 65536 */
};

struct op {
    uint8_t kind;       /* enum op_kind */
    uint8_t unit;       /* vcpu, device, container or enum guard_kind */
    uint8_t region;     /* `start` counts from this region's start; OP_NO_REGION: a GPA */
    uint8_t to_private; /* OP_CONVERT */
    uint8_t via;        /* OP_CONVERT: enum op_via */
    uint8_t when;       /* OP_FAULT: enum fault_when */
    uint8_t late;       /* OP_FAULT: after the effect */
    uint8_t in_undo;    /* OP_FAULT: only hits after the op's first failed call count */
    uint16_t point;     /* OP_FAULT: index in the vocabulary's fault points */
    uint16_t error;     /* OP_FAULT: positive errno */
    uint32_t line;      /* line of the text it came from, 0 when it did not */
    uint64_t start;     /* bytes; region form: the GPA of that byte is meant, and the range
                           runs on from there in guest physical space */
    uint64_t size;      /* bytes; ops on one page: the page size, on a region: all of it */
    uint64_t value;     /* OP_WRITE, OP_DMA_WRITE: content token, not 0; OP_FAULT: see when;
                           OP_RESIZE: pages; OP_GUARD, OP_MIGRATE: 0 or 1 */
};

enum expect_kind {
    EXPECT_RESULT,    /* value: errno of the op, 0 = success */
    EXPECT_STATUS,    /* value: what the guest was told, 0, EAGAIN, EINVAL */
    EXPECT_SHARED,    /* range: attribute and tracker say shared */
    EXPECT_PRIVATE,   /* range: attribute and tracker say private */
    EXPECT_MAPPED,    /* container, range: every page mapped, on its shared frame */
    EXPECT_UNMAPPED,  /* container, range: no page mapped */
    EXPECT_BACKED,    /* value: 0 shared side, 1 private side; range: every page has a frame */
    EXPECT_UNBACKED,  /* no page has a frame on that side */
    EXPECT_CALLS,     /* point, value: the op made that many such host calls */
    EXPECT_DATA,      /* value: token read by OP_READ, OP_DMA_READ */
    EXPECT_ENTRIES,   /* container, value: DMA entries in use */
    EXPECT_STOPPED,   /* value: 1 the VM is stopped, 0 it runs */
    EXPECT_POPULATED, /* value: answer of OP_QUERY */
    EXPECT_RESPONSE,  /* value: enum virtio_mem_response to a virtio-mem op */
    EXPECT_PLUGGED,   /* range: every page plugged; as all are without virtio-mem */
    EXPECT_UNPLUGGED, /* range: none */
    EXPECT_DIRTY,     /* range: OP_DIRTY_SYNC answered that every page may have changed */
    EXPECT_CLEAN,     /* range: that none has */
    EXPECT_BLOCKED,   /* range of one page: it is in use, so the op failed; in place */
    EXPECT_KIND_COUNT
};

/* What the author says must be true after op number `op`. */
struct expect {
    uint32_t op;
    /* Bit per value of an axis: the check is for machines with one of these; 0: for all. */
    uint8_t only[AXIS_COUNT];
    uint8_t kind; /* enum expect_kind */
    uint8_t unit;
    uint8_t region;
    uint16_t point;
    uint16_t pad;
    uint32_t line;
    uint64_t start; /* bytes from the start of the region */
    uint64_t size;
    uint64_t value;
};

struct program {
    struct machine machine;
    uint64_t seed;       /* of the fault-chance stream; 0 in hand-written text */
    uint32_t sweep_from; /* sweeps begin in front of this op; n_ops: nothing is swept */
    uint32_t n_ops;
    uint32_t n_expects;
    uint32_t cap_ops;
    uint32_t cap_expects;
    struct op *ops;
    struct expect *expects;
};

/* An empty program; arrays are grown by program_add_*. program/program.c */
void program_init(struct program *p);
void program_free(struct program *p);
/* Forgets machine, ops and expects, keeps the arrays' memory. Fields that an op, an expect or
 * a region has no use for stay 0 (program_validate insists), so that equal means equal bytes.
 */
void program_clear(struct program *p);
/* `to` becomes equal to `from`. 0 or -ENOMEM. */
int program_copy(struct program *to, const struct program *from);
/* Append a copy. 0, -ENOMEM or -E2BIG (the maximum above). */
int program_add_op(struct program *p, const struct op *op);
int program_add_expect(struct program *p, const struct expect *expect);

/* Fixes an axis, or what holds the shared sides of all regions with memory (hugetlb needs
 * regions that say how large their huge pages are). With another page
 * size all byte positions and sizes scale: what was page 3, or a page and a half, still is.
 * Numbers that are too large to scale stay as they are. The result may not validate. */
void program_set_axis(struct program *p, enum program_axis axis, uint8_t value);
void program_set_share(struct program *p, uint8_t share);

/* Is the expectation about this machine? About one that the matrix makes of it? */
bool expect_applies(const struct machine *m, const struct expect *e);
bool expect_may_apply(const struct machine *m, const struct expect *e);

/* Bytes: 4096 for "4k", ... */
uint32_t machine_page_size(const struct machine *m);
/* Guest pages are numbered through all regions: region 0's first, then region 1's, ... */
uint32_t machine_first_page(const struct machine *m, uint32_t region);
uint32_t machine_n_pages(const struct machine *m);
/* GPA of a byte of a region, or UINT64_MAX where no section shows it. */
uint64_t machine_gpa(const struct machine *m, uint32_t region, uint64_t offset);
/* The section that holds a GPA, or -1. */
int machine_section_at(const struct machine *m, uint64_t gpa);
/* First GPA of an op's range, region form resolved; UINT64_MAX where it has none. */
uint64_t op_gpa(const struct machine *m, const struct op *op);

/* Checks a whole program: counts, indexes, overlaps, alignment, sizes, every rule of the
 * comments above. 0, or -EINVAL with one line in `why` (and the op's text line in *line,
 * where it has one). */
int program_validate(const struct program *p, char *why, size_t why_size, uint32_t *line);

/* Names, index by enum; NULL past the end. */
const char *program_axis_name(uint32_t axis);
const char *program_axis_value(uint32_t axis, uint32_t value);
const char *program_axis_values(uint32_t axis); /* all of them: "rollback|stop" */
uint32_t program_axis_count(uint32_t axis);
uint8_t program_axis_all(uint32_t axis); /* a bit for each value */
const char *op_kind_name(uint32_t kind);
const char *op_kind_help(uint32_t kind); /* one line for `gmemcheck ops` */

#endif
