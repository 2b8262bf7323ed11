/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows for type1 and for the device's DMA: groups vfio and edu-t1. */
#ifndef TESTS_ANSWERS_VFIO_H
#define TESTS_ANSWERS_VFIO_H

#include "answers_kvm.h"

/* ---- the machine ---- */
enum vaddr_kind { V_RAM, V_RAM_PLUS_1, V_RAM_B, V_HOLE, V_READ_ONLY, V_THIRD_MISSING };
enum { RAM_PAGES = 4096, LAST_BIT = 7 };

static void open_memory(struct bench *b)
{
    b->ram = fx_memfd(&b->fx, RAM_PAGES * PS, &b->ram_fd);
    b->ram_b = fx_ram(&b->fx, 16 * PS);
    b->read_only = fx_mmap(&b->fx, PS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    b->hole = fx_ram(&b->fx, 4 * PS);
    assert_int_equal(host_munmap(&b->fx.h, b->hole + 2 * PS, PS), 0);
}

/* a: locked-memory limit in pages, 0: none */
static int64_t new_vfio_world(struct bench *b, const struct row *row)
{
    memset(b, 0, sizeof(*b));
    fx_world(&b->fx, row->a[0] ? row->a[0] : UINT64_MAX);
    open_memory(b);
    return 0;
}

/* The device that DMA is done with: it had no driver. */
static int64_t probe_drivers(struct bench *b, const struct row *row)
{
    (void)row;
    sim_take_driver(b->fx.w, 0);
    int64_t r = fx_override(&b->fx, 0, "vfio-pci");
    r = r < 0 ? r : fx_probe(&b->fx, 0);
    return r < 0 ? r : 0;
}

static int64_t open_container(struct bench *b, const struct row *row)
{
    (void)row;
    return b->fx.container = host_open(&b->fx.h, "/dev/vfio/vfio", O_RDWR);
}

static int64_t open_group(struct bench *b, const struct row *row)
{
    (void)row;
    return b->fx.group = fx_group_path(&b->fx, 0);
}

static int64_t set_container(struct bench *b, const struct row *row)
{
    (void)row;
    return fx_set_container(&b->fx, b->fx.group, b->fx.container);
}

static int64_t set_iommu(struct bench *b, const struct row *row)
{
    return fx_set_iommu(&b->fx, row->a[0]);
}

/* Everything up to a container with the IOMMU of type a. */
static int64_t start_container(struct bench *b, const struct row *row)
{
    fx_open(&b->fx);
    return fx_set_iommu(&b->fx, row->a[0]);
}

static int64_t close_all(struct bench *b, const struct row *row)
{
    (void)row;
    int r = b->fx.device >= 0 ? host_close(&b->fx.h, b->fx.device) : 0;
    b->fx.device = -1;
    r = r ? r : host_close(&b->fx.h, b->fx.group);
    return r ? r : host_close(&b->fx.h, b->fx.container);
}

static int64_t write_entry_limit(struct bench *b, const struct row *row)
{
    sim_set_entry_limit(b->fx.w, (uint32_t)row->a[0]);
    return 0;
}

/* ---- map and unmap ---- */
static uint64_t vaddr_of(const struct bench *b, uint64_t kind)
{
    switch (kind) {
    case V_RAM_PLUS_1:
        return b->ram + 1;
    case V_RAM_B:
        return b->ram_b;
    case V_HOLE:
        return b->hole + 2 * PS;
    case V_READ_ONLY:
        return b->read_only;
    case V_THIRD_MISSING:
        return b->hole;
    default:
        return b->ram;
    }
}

/* a: iova, size, which memory, flags */
static int64_t map(struct bench *b, const struct row *row)
{
    if (b->iommufd)
        return io_map(&b->fx, b->iommufd, b->ioas, row->a[0], vaddr_of(b, row->a[2]),
                      row->a[1]);
    return fx_map(&b->fx, row->a[0], vaddr_of(b, row->a[2]), row->a[1], (uint32_t)row->a[3]);
}

/* a: iova, size, flags */
static int64_t unmap(struct bench *b, const struct row *row)
{
    if (b->iommufd)
        return io_unmap(&b->fx, b->iommufd, b->ioas, row->a[0], row->a[1]);
    return fx_unmap_flags(&b->fx, row->a[0], row->a[1], (uint32_t)row->a[2]);
}

/* a: iova, number of one-page mappings */
static int64_t map_pages(struct bench *b, const struct row *row)
{
    for (uint64_t i = 0; i < row->a[1]; i++) {
        uint64_t iova = row->a[0] + i * PS, vaddr = b->ram + i * PS;
        int64_t r = b->iommufd ? io_map(&b->fx, b->iommufd, b->ioas, iova, vaddr, PS)
                               : fx_map(&b->fx, iova, vaddr, PS, RW);
        if (r)
            return r;
    }
    return 0;
}

/* ---- notes ---- */
static int64_t note_extension(struct bench *b, const struct row *row)
{
    int r = host_ioctl(&b->fx.h, b->fx.container, VFIO_CHECK_EXTENSION,
                       (void *)(unsigned long)row->a[0]);
    snprintf(b->note, sizeof(b->note), "%d", r);
    return 0;
}

static int64_t note_vfio_api(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "%d",
             host_ioctl(&b->fx.h, b->fx.container, VFIO_GET_API_VERSION, NULL));
    return 0;
}

static int64_t note_group_flags(struct bench *b, const struct row *row)
{
    struct vfio_group_status s = {.argsz = sizeof(s)};
    (void)row;
    int r = host_ioctl(&b->fx.h, b->fx.group, VFIO_GROUP_GET_STATUS, &s);
    snprintf(b->note, sizeof(b->note), "%u", s.flags);
    return r;
}

static int64_t note_avail(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "%lld", (long long)fx_avail(&b->fx));
    return 0;
}

static int64_t note_info(struct bench *b, const struct row *row)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
    (void)row;
    int r = host_ioctl(&b->fx.h, b->fx.container, VFIO_IOMMU_GET_INFO, &info);
    snprintf(b->note, sizeof(b->note), "%llx flags=%u avail=%lld",
             (unsigned long long)info.iova_pgsizes, info.flags, (long long)fx_avail(&b->fx));
    return r;
}

/* a: which IOVA range */
static int64_t note_range(struct bench *b, const struct row *row)
{
    union {
        struct vfio_iommu_type1_info info;
        unsigned char bytes[256];
    } u = {.info.argsz = sizeof(u)};
    int r = host_ioctl(&b->fx.h, b->fx.container, VFIO_IOMMU_GET_INFO, &u);
    for (uint32_t at = r ? 0 : u.info.cap_offset; at;) {
        const struct vfio_iommu_type1_info_cap_iova_range *c = (const void *)(u.bytes + at);
        if (c->header.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE && row->a[0] < c->nr_iovas)
            snprintf(b->note, sizeof(b->note), "%llx-%llx",
                     (unsigned long long)c->iova_ranges[row->a[0]].start,
                     (unsigned long long)c->iova_ranges[row->a[0]].end);
        at = c->header.next;
    }
    return r;
}

/* ---- the device ---- */
static int64_t device_fd(struct bench *b, const struct row *row)
{
    (void)row;
    return b->fx.device = fx_device_fd(&b->fx, b->fx.group, 0);
}

static int64_t device_info(struct bench *b, const struct row *row)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    (void)row;
    int r = host_ioctl(&b->fx.h, b->fx.device, VFIO_DEVICE_GET_INFO, &info);
    snprintf(b->note, sizeof(b->note), "%u irqs=%u flags=%u", info.num_regions, info.num_irqs,
             info.flags);
    return r;
}

static int64_t region_info(struct bench *b, const struct row *row)
{
    struct vfio_region_info info = {.argsz = sizeof(info)};
    (void)row;
    return host_ioctl(&b->fx.h, b->fx.device, VFIO_DEVICE_GET_REGION_INFO, &info);
}

static int64_t mmap_bar0(struct bench *b, const struct row *row)
{
    uint64_t address;
    (void)row;
    return host_mmap(&b->fx.h, 0, PS, PROT_READ | PROT_WRITE, MAP_SHARED, b->fx.device, 0,
                     &address);
}

/* ---- DMA: edu says that it is done whatever the IOMMU said, and then holds zeroes ---- */
enum { EDU_IOVA = 1 * MiB };

static struct frame *cpu_page(struct bench *b, uint64_t vaddr)
{
    uint32_t frame = 0;
    assert_int_equal(mm_fault(b->fx.w, vaddr, true, &frame), 0);
    return frame_at(&b->fx.w->frames, frame);
}

/* a: which memory, page, token */
static int64_t cpu_write(struct bench *b, const struct row *row)
{
    cpu_page(b, vaddr_of(b, row->a[0]) + row->a[1] * PS)->content = row->a[2];
    return 0;
}

/* a: offset from EDU_IOVA */
static int64_t edu_from_ram(struct bench *b, const struct row *row)
{
    if (sim_dma_read(b->fx.w, 0, EDU_IOVA + row->a[0], &b->device_buffer))
        b->device_buffer = 0;
    return 0;
}

/* a: how many pages are touched from EDU_IOVA on */
static int64_t edu_to_ram(struct bench *b, const struct row *row)
{
    for (uint64_t i = 0; i < row->a[0]; i++)
        (void)sim_dma_write(b->fx.w, 0, EDU_IOVA + i * PS, b->device_buffer);
    return 0;
}

static int64_t punch_ram(struct bench *b, const struct row *row)
{
    return fx_punch(&b->fx, b->ram_fd, row->a[0], PS);
}

static int64_t note_a0(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "A[0]=%02llx",
             (unsigned long long)cpu_page(b, b->ram)->content);
    return 0;
}

static int64_t note_a0_b0(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "A[0]=%02llx B[0]=%02llx",
             (unsigned long long)cpu_page(b, b->ram)->content,
             (unsigned long long)cpu_page(b, b->ram_b)->content);
    return 0;
}

static int64_t note_crossing(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "A[PG-1]=%02llx A[PG]=%02llx",
             (unsigned long long)cpu_page(b, b->ram)->content,
             (unsigned long long)cpu_page(b, b->ram + PS)->content);
    return 0;
}

/* What arrived in B says what the device had read. */
static int64_t note_b0(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note),
             "%02llx:", (unsigned long long)cpu_page(b, b->ram_b)->content);
    return 0;
}

#define UNMAP_ALL VFIO_DMA_UNMAP_FLAG_ALL

static const struct row vfio_rows[] = {
    P(new_vfio_world, 0),
    R("vfio", "drivers_probe", probe_drivers),
    F("vfio", "open /dev/vfio/vfio", open_container),
    N("vfio", "api=", note_vfio_api),
    N("vfio", "ext 1 =", note_extension, 1),
    N("vfio", "ext 3 =", note_extension, 3),
    N("vfio", "ext 6 =", note_extension, 6),
    N("vfio", "ext 9 =", note_extension, 9),
    R("vfio", "MAP_DMA before SET_IOMMU", map, MiB, PS, V_RAM, RW),
    R("vfio", "SET_IOMMU without group", set_iommu, VFIO_TYPE1v2_IOMMU),
    F("vfio", "open group", open_group),
    N("vfio", "group flags=", note_group_flags),
    R("vfio", "GROUP_SET_CONTAINER", set_container),
    R("vfio", "SET_IOMMU TYPE1v2", set_iommu, VFIO_TYPE1v2_IOMMU),
    N("vfio", "pgsizes=", note_info),
    N("vfio", "iova range ", note_range, 0),
    N("vfio", "iova range ", note_range, 1),
    R("vfio", "MAP 4K", map, MiB, PS, V_RAM, RW),
    R("vfio", "MAP same again", map, MiB, PS, V_RAM, RW),
    R("vfio", "MAP 8K overlapping", map, MiB, 2 * PS, V_RAM, RW),
    R("vfio", "UNMAP 4K", unmap, MiB, PS),
    R("vfio", "UNMAP again (nothing there)", unmap, MiB, PS),
    R("vfio", "MAP size=0", map, MiB, 0, V_RAM, RW),
    R("vfio", "MAP size=100", map, MiB, 100, V_RAM, RW),
    R("vfio", "MAP iova+1", map, MiB + 1, PS, V_RAM, RW),
    R("vfio", "MAP vaddr+1", map, MiB, PS, V_RAM_PLUS_1, RW),
    R("vfio", "MAP no R/W flags", map, MiB, PS, V_RAM, 0),
    R("vfio", "MAP flags 1<<7", map, MiB, PS, V_RAM, RW | 1 << LAST_BIT),
    R("vfio", "MAP iova wrap", map, -PS, 2 * PS, V_RAM, RW),
    R("vfio", "MAP iova at 2^50", map, 1ull << 50, PS, V_RAM, RW),
    R("vfio", "MAP in MSI window 0xfee00000", map, 0xfee00000, PS, V_RAM, RW),
    R("vfio", "MAP vaddr not mapped", map, MiB, PS, V_HOLE, RW),
    R("vfio", "MAP RW of PROT_READ page", map, MiB, PS, V_READ_ONLY, RW),
    R("vfio", "MAP R of PROT_READ page", map, MiB, PS, V_READ_ONLY, R_ONLY),
    P(unmap, MiB, PS),
    R("vfio", "MAP 4 pages, 3rd unmapped", map, MiB, 4 * PS, V_THIRD_MISSING, RW),
    R("vfio", "..then UNMAP of it returns size", unmap, MiB, 4 * PS),
    R("vfio", "MAP 2M", map, 2 * MiB, 2 * MiB, V_RAM, RW),
    R("vfio", "UNMAP head 4K of 2M", unmap, 2 * MiB, PS),
    R("vfio", "UNMAP middle 4K", unmap, 3 * MiB, PS),
    R("vfio", "UNMAP tail 4K", unmap, 4 * MiB - PS, PS),
    R("vfio", "UNMAP range cutting front (1M..3M)", unmap, 1 * MiB, 2 * MiB),
    R("vfio", "UNMAP range cutting back (3M..5M)", unmap, 3 * MiB, 2 * MiB),
    R("vfio", "UNMAP wider 0..8M (covers all)", unmap, 0, 8 * MiB),
    P(map_pages, 2 * MiB, 512),
    R("vfio", "512x4K mapped; UNMAP 1 in middle", unmap, 3 * MiB, PS),
    R("vfio", "UNMAP 2M over 511 remaining", unmap, 2 * MiB, 2 * MiB),
    R("vfio", "UNMAP size=0", unmap, MiB, 0),
    R("vfio", "UNMAP size=100", unmap, MiB, 100),
    R("vfio", "UNMAP iova+1", unmap, MiB + 1, PS),
    R("vfio", "UNMAP wrap", unmap, -PS, 2 * PS),
    R("vfio", "UNMAP 0..-1 (size=-1 minus)", unmap, 0, -PS),
    P(map, MiB, PS, V_RAM, RW),
    R("vfio", "UNMAP flag ALL, size!=0", unmap, 0, PS, UNMAP_ALL),
    R("vfio", "UNMAP flag ALL", unmap, 0, 0, UNMAP_ALL),
    R("vfio", "UNMAP bad flag", unmap, MiB, PS, 1 << LAST_BIT),
    N("vfio", "avail=", note_avail),
    P(map_pages, 0, 4096),
    R("vfio", "UNMAP 16M of 4096 maps", unmap, 0, 16 * MiB),
    R("vfio", "write dma_entry_limit=8", write_entry_limit, 8),
    N("vfio", "avail on the existing container=", note_avail),
    F("vfio", "GET_DEVICE_FD", device_fd),
    R("vfio", "VFIO_DEVICE_GET_INFO", device_info),
    N("vfio", "regions=", device_info),
    R("vfio", "REGION_INFO bar0", region_info),
    R("vfio", "mmap bar0", mmap_bar0),
};

/* Asked once through a container, once through iommufd. */
static const struct row edu_rows[] = {
    P(cpu_write, V_RAM, 0, 0xa1),
    P(cpu_write, V_RAM_B, 0, 0xb2),
    R(NULL, "edu: map A", map, EDU_IOVA, PS, V_RAM, RW),
    R(NULL, "edu: DMA RAM->edu (A)", edu_from_ram, 0),
    P(cpu_write, V_RAM, 0, 0),
    R(NULL, "edu: DMA edu->RAM (A)", edu_to_ram, 1),
    N(NULL, "", note_a0),
    R(NULL, "edu: unmap A", unmap, EDU_IOVA, PS),
    P(cpu_write, V_RAM, 0, 0),
    R(NULL, "edu: DMA edu->RAM 4B after unmap", edu_to_ram, 1),
    N(NULL, "", note_a0),
    R(NULL, "edu: DMA RAM->edu 4B after unmap", edu_from_ram, 0),
    R(NULL, "edu: map B at same IOVA", map, EDU_IOVA, PS, V_RAM_B, RW),
    R(NULL, "edu: DMA RAM->edu (B)", edu_from_ram, 0),
    P(cpu_write, V_RAM_B, 0, 0),
    R(NULL, "edu: DMA edu->RAM (B)", edu_to_ram, 1),
    N(NULL, "", note_a0_b0),
    R(NULL, "edu: unmap B", unmap, EDU_IOVA, PS),
    R(NULL, "edu: map A 1 page", map, EDU_IOVA, PS, V_RAM, RW),
    R(NULL, "edu: DMA edu->RAM 8B crossing into unmapped page", edu_to_ram, 2),
    N(NULL, "", note_crossing),
    P(unmap, EDU_IOVA, PS),
    P(cpu_write, V_RAM, 0, 0x11),
    R(NULL, "stale: map A", map, EDU_IOVA, PS, V_RAM, RW),
    R(NULL, "stale: PUNCH memfd page under the mapping", punch_ram, 0),
    N(NULL, "CPU sees ", note_a0),
    R(NULL, "stale: DMA RAM->edu", edu_from_ram, 0),
    R(NULL, "stale: unmap", unmap, EDU_IOVA, PS),
    R(NULL, "stale: map B", map, EDU_IOVA, PS, V_RAM_B, RW),
    R(NULL, "stale: DMA edu->RAM(B)", edu_to_ram, 1),
    N(NULL, "device had read ", note_b0),
    R(NULL, "stale: unmap B", unmap, EDU_IOVA, PS),
};

static const struct row vfio_limit_rows[] = {
    R("vfio", "close group + container", close_all),
    R("vfio", "new container SET_IOMMU", start_container, VFIO_TYPE1v2_IOMMU),
    N("vfio", "avail=", note_avail),
    R("vfio", "limit 8: MAP #1", map, MiB + 1 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #2", map, MiB + 2 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #3", map, MiB + 3 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #4", map, MiB + 4 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #5", map, MiB + 5 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #6", map, MiB + 6 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #7", map, MiB + 7 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #8", map, MiB + 8 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #9", map, MiB + 9 * PS, PS, V_RAM, RW),
    R("vfio", "limit 8: MAP #10", map, MiB + 10 * PS, PS, V_RAM, RW),
    N("vfio", "avail=", note_avail),
    R("vfio", "UNMAP one", unmap, MiB + 3 * PS, PS),
    R("vfio", "MAP again", map, MiB + 3 * PS, PS, V_RAM, RW),
    R("vfio", "MAP over-limit with bad vaddr (order of checks)", map, 8 * MiB, PS, V_HOLE, RW),
    R("vfio", "MAP over-limit overlapping existing", map, MiB + 3 * PS, PS, V_RAM, RW),
    R("vfio", "UNMAP all", unmap, 0, 0, UNMAP_ALL),
    P(new_vfio_world, 4),
    P(start_container, VFIO_TYPE1v2_IOMMU),
    R("vfio", "memlock=16K uid1000: MAP 16K", map, MiB, 4 * PS, V_RAM, RW),
    R("vfio", "memlock=16K: MAP another 4K", map, 2 * MiB, PS, V_RAM, RW),
    P(new_vfio_world, 0),
    R("vfio", "container SET_IOMMU TYPE1 (v1)", start_container, VFIO_TYPE1_IOMMU),
    P(map, 2 * MiB, 2 * MiB, V_RAM, RW),
    R("vfio", "v1 UNMAP head 4K of 2M", unmap, 2 * MiB, PS),
    R("vfio", "v1 UNMAP middle", unmap, 3 * MiB, PS),
    R("vfio", "v1 UNMAP all 2M", unmap, 2 * MiB, 2 * MiB),
};

#endif
