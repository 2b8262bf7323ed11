/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows for iommufd: groups iofd (no device), iofd-vc (VFIO's ioctls on it), iofd-dev (a device
 * is attached) and, with the rows of answers_vfio.h, edu-ifd. What is mapped, unmapped and
 * copied is the same with and without a device, so these rows are asked twice.
 */
#ifndef TESTS_ANSWERS_IOMMUFD_H
#define TESTS_ANSWERS_IOMMUFD_H

#include "answers_combo.h"

static int64_t new_iommufd_world(struct bench *b, const struct row *row)
{
    memset(b, 0, sizeof(*b));
    io_world(&b->fx, SIM_KERNEL_6_12, row->a[0] ? row->a[0] : UINT64_MAX);
    open_memory(b);
    return 0;
}

static int64_t open_iommu(struct bench *b, const struct row *row)
{
    (void)row;
    return b->iommufd = io_open(&b->fx);
}

static int64_t ioas_alloc(struct bench *b, const struct row *row)
{
    (void)row;
    return io_alloc(&b->fx, b->iommufd, &b->ioas);
}

static int64_t note_ioas(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "%u", b->ioas);
    return 0;
}

static int64_t iova_ranges(struct bench *b, const struct row *row)
{
    struct iommu_iova_range r[4];
    uint32_t n = 4;
    (void)row;
    return io_ranges(&b->fx, b->iommufd, b->ioas, r, &n, NULL);
}

/* a: which of the ranges */
static int64_t note_iova_range(struct bench *b, const struct row *row)
{
    struct iommu_iova_range r[4];
    uint32_t n = 4;
    int error = io_ranges(&b->fx, b->iommufd, b->ioas, r, &n, NULL);
    if (!error && row->a[0] < n)
        snprintf(b->note, sizeof(b->note), "%llx-%llx", (unsigned long long)r[row->a[0]].start,
                 (unsigned long long)r[row->a[0]].last);
    return error;
}

/* a: iova, size, which memory, flags of iommufd, ioas (0: the usual one) */
static int64_t map_io(struct bench *b, const struct row *row)
{
    uint64_t iova = row->a[0];
    uint32_t ioas = row->a[4] ? (uint32_t)row->a[4] : b->ioas;
    int64_t r = io_map_flags(&b->fx, b->iommufd, ioas, &iova, vaddr_of(b, row->a[2]), row->a[1],
                             (uint32_t)row->a[3]);
    b->auto_iova = iova;
    return r;
}

static int64_t note_auto_iova(struct bench *b, const struct row *row)
{
    (void)row;
    snprintf(b->note, sizeof(b->note), "%llx", (unsigned long long)b->auto_iova);
    return 0;
}

/* Whatever is mapped goes. */
static int64_t clear(struct bench *b, const struct row *row)
{
    (void)row;
    return io_unmap_all(&b->fx, b->iommufd, b->ioas);
}

static int64_t second_ioas(struct bench *b, const struct row *row)
{
    (void)row;
    return io_alloc(&b->fx, b->iommufd, &b->other_ioas);
}

/* a: iova to, iova from, size */
static int64_t copy_to_second(struct bench *b, const struct row *row)
{
    return io_copy(&b->fx, b->iommufd, b->other_ioas, row->a[0], b->ioas, row->a[1], row->a[2]);
}

static int64_t destroy_second(struct bench *b, const struct row *row)
{
    (void)row;
    return io_destroy(&b->fx, b->iommufd, b->other_ioas);
}

static int64_t destroy_ioas(struct bench *b, const struct row *row)
{
    (void)row;
    return io_destroy(&b->fx, b->iommufd, b->ioas);
}

/* a: first, size */
static int64_t allow(struct bench *b, const struct row *row)
{
    struct iommu_iova_range r = {row->a[0], row->a[0] + row->a[1] - 1};
    return io_allow(&b->fx, b->iommufd, b->ioas, &r, 1);
}

static int64_t map_memfd(struct bench *b, const struct row *row)
{
    return io_map_file(&b->fx, b->iommufd, b->ioas, row->a[0], b->ram_fd, 0, PS);
}

/* a: iova, type of VM */
static int64_t map_guest_memfd(struct bench *b, const struct row *row)
{
    int kvm = host_open(&b->fx.h, "/dev/kvm", O_RDWR);
    int vm = host_ioctl(&b->fx.h, kvm, KVM_CREATE_VM, (void *)(unsigned long)row->a[1]);
    int gmem = create_gmem(b, vm, MiB, 0);
    assert_true(kvm >= 0 && vm >= 0 && gmem >= 0);
    int64_t r = io_map_file(&b->fx, b->iommufd, b->ioas, row->a[0], gmem, 0, PS);
    host_close(&b->fx.h, gmem);
    host_close(&b->fx.h, vm);
    host_close(&b->fx.h, kvm);
    return r;
}

/* ---- VFIO's ioctls on it ---- */
static int64_t set_vfio_ioas(struct bench *b, const struct row *row)
{
    (void)row;
    return io_vfio_ioas(&b->fx, b->iommufd, IOMMU_VFIO_IOAS_SET, &b->ioas);
}

static int64_t compat_api_version(struct bench *b, const struct row *row)
{
    (void)row;
    return host_ioctl(&b->fx.h, b->iommufd, VFIO_GET_API_VERSION, NULL);
}

static int64_t compat_set_iommu(struct bench *b, const struct row *row)
{
    return host_ioctl(&b->fx.h, b->iommufd, VFIO_SET_IOMMU, (void *)(unsigned long)row->a[0]);
}

static int64_t compat_map(struct bench *b, const struct row *row)
{
    struct fixture compat = b->fx;
    compat.container = b->iommufd;
    return fx_map(&compat, row->a[0], b->ram, row->a[1], RW);
}

static int64_t compat_unmap(struct bench *b, const struct row *row)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = (uint32_t)row->a[2], .iova = row->a[0], .size = row->a[1]};
    int r = host_ioctl(&b->fx.h, b->iommufd, VFIO_IOMMU_UNMAP_DMA, &u);
    return r ? r : (int64_t)u.size;
}

/* ---- the device ---- */
static int64_t open_cdev(struct bench *b, const struct row *row)
{
    (void)row;
    return b->fx.device = io_cdev(&b->fx, 0);
}

static int64_t attach_cdev(struct bench *b, const struct row *row)
{
    uint32_t pt = b->ioas;
    (void)row;
    int r = io_attach_pt(&b->fx, b->fx.device, &pt);
    snprintf(b->note, sizeof(b->note), "%u", pt);
    return r;
}

static int64_t bind_cdev(struct bench *b, const struct row *row)
{
    (void)row;
    return io_bind(&b->fx, b->fx.device, b->iommufd);
}

static const struct row iofd_start_rows[] = {
    P(new_iommufd_world, 0),
    F("iofd", "open /dev/iommu", open_iommu),
    R("iofd", "IOAS_ALLOC", ioas_alloc),
    N("iofd", "ioas id ", note_ioas),
    R("iofd", "IOVA_RANGES", iova_ranges),
    N("iofd", "range ", note_iova_range, 0),
};

static const struct row iofd_dev_start_rows[] = {
    P(new_iommufd_world, 0),
    P(open_iommu),
    P(ioas_alloc),
    F("iofd-dev", "open vfio cdev", open_cdev),
    R("iofd-dev", "ATTACH before BIND", attach_cdev),
    R("iofd-dev", "BIND_IOMMUFD", bind_cdev),
    R("iofd-dev", "BIND twice", bind_cdev),
    R("iofd-dev", "MAP at 0xfee00000 before attach", map, 0xfee00000, PS, V_RAM),
    R("iofd-dev", "ATTACH ioas (MSI window occupied)", attach_cdev),
    P(clear),
    R("iofd-dev", "ATTACH ioas", attach_cdev),
    N("iofd-dev", "hwpt id ", attach_cdev),
    N("iofd-dev", "range ", note_iova_range, 0),
    N("iofd-dev", "range ", note_iova_range, 1),
};

#define BAD_FLAG (1 << LAST_BIT)

static const struct row iofd_rows[] = {
    R(NULL, "MAP 4K fixed", map, MiB, PS, V_RAM),
    R(NULL, "MAP same again", map, MiB, PS, V_RAM),
    R(NULL, "MAP 8K overlapping", map, MiB, 2 * PS, V_RAM),
    R(NULL, "UNMAP 4K", unmap, MiB, PS),
    R(NULL, "UNMAP again (nothing there)", unmap, MiB, PS),
    R(NULL, "MAP len=0", map, MiB, 0, V_RAM),
    R(NULL, "MAP len=100", map, MiB, 100, V_RAM),
    P(clear),
    R(NULL, "MAP iova+1", map, MiB + 1, PS, V_RAM),
    P(clear),
    R(NULL, "MAP va+1", map, MiB, PS, V_RAM_PLUS_1),
    P(clear),
    R(NULL, "MAP no R/W", map_io, MiB, PS, V_RAM, IO_FIXED),
    R(NULL, "MAP bad flag", map_io, MiB, PS, V_RAM, IO_FIXED | IO_RW | BAD_FLAG),
    R(NULL, "MAP wrap", map, -PS, 2 * PS, V_RAM),
    R(NULL, "MAP iova 2^50", map, 1ull << 50, PS, V_RAM),
    R(NULL, "MAP 0xfee00000", map, 0xfee00000, PS, V_RAM),
    R(NULL, "MAP va not mapped", map, 2 * MiB, PS, V_HOLE),
    R(NULL, "MAP bad ioas id", map_io, MiB, PS, V_RAM, IO_FIXED | IO_RW, 99),
    P(clear),
    R(NULL, "MAP 4 pages, 3rd unmapped", map, MiB, 4 * PS, V_THIRD_MISSING),
    R(NULL, "..UNMAP", unmap, MiB, 4 * PS),
    R(NULL, "MAP RW of PROT_READ page", map, MiB, PS, V_READ_ONLY),
    P(clear),
    R(NULL, "MAP 2M", map, 2 * MiB, 2 * MiB, V_RAM),
    R(NULL, "UNMAP head 4K of 2M", unmap, 2 * MiB, PS),
    R(NULL, "UNMAP middle 4K", unmap, 3 * MiB, PS),
    R(NULL, "UNMAP tail 4K", unmap, 4 * MiB - PS, PS),
    R(NULL, "UNMAP cutting front", unmap, 1 * MiB, 2 * MiB),
    R(NULL, "UNMAP cutting back", unmap, 3 * MiB, 2 * MiB),
    R(NULL, "UNMAP wider (gap+area+gap)", unmap, 0, 8 * MiB),
    P(map_pages, 2 * MiB, 512),
    R(NULL, "512x4K; UNMAP 1 middle", unmap, 3 * MiB, PS),
    R(NULL, "UNMAP 2M with one-page gap", unmap, 2 * MiB, 2 * MiB),
    R(NULL, "UNMAP same range, now nothing left?", unmap, 2 * MiB, 2 * MiB),
    P(map, MiB, PS, V_RAM),
    R(NULL, "UNMAP len=0", unmap, MiB, 0),
    R(NULL, "UNMAP len=100", unmap, MiB, 100),
    R(NULL, "UNMAP wrap", unmap, -PS, 2 * PS),
    R(NULL, "UNMAP iova+1 of mapped", unmap, MiB + 1, PS),
    R(NULL, "UNMAP 0..U64_MAX", unmap, 0, UINT64_MAX),
    R(NULL, "UNMAP 0..U64_MAX when empty", unmap, 0, UINT64_MAX),
    R(NULL, "MAP auto iova", map_io, 0, PS, V_RAM, IO_RW),
    N(NULL, "auto iova=", note_auto_iova),
    P(map, 2 * MiB, 2 * MiB, V_RAM),
    P(second_ioas),
    R(NULL, "IOAS_COPY 4K out of 2M area", copy_to_second, MiB, 3 * MiB, PS),
    R(NULL, "IOAS_COPY again (overlap)", copy_to_second, MiB, 3 * MiB, PS),
    R(NULL, "IOAS_COPY of unmapped src", copy_to_second, 2 * MiB, 8 * MiB, PS),
    R(NULL, "UNMAP src while copied", unmap, 2 * MiB, 2 * MiB),
    R(NULL, "DESTROY ioas2 with mapping", destroy_second),
    R(NULL, "DESTROY again", destroy_second),
    P(clear),
    R(NULL, "ALLOW_IOVAS 1M", allow, 16 * MiB, MiB),
    R(NULL, "MAP auto inside allowed", map_io, 0, PS, V_RAM, IO_RW),
    N(NULL, "auto iova=", note_auto_iova),
    R(NULL, "MAP fixed outside allowed", map, MiB, PS, V_RAM),
    R(NULL, "MAP_FILE memfd", map_memfd, 2 * MiB),
    R(NULL, "MAP_FILE guest_memfd vmtype=0 flags=0", map_guest_memfd, 2 * MiB,
      KVM_X86_DEFAULT_VM),
    R(NULL, "MAP_FILE guest_memfd vmtype=1 flags=0", map_guest_memfd, 2 * MiB,
      KVM_X86_SW_PROTECTED_VM),
    P(clear),
};

static const struct row iofd_vc_rows[] = {
    R("iofd-vc", "IOMMU_VFIO_IOAS SET", set_vfio_ioas),
    R("iofd-vc", "VFIO_GET_API_VERSION on /dev/iommu", compat_api_version),
    R("iofd-vc", "VFIO_SET_IOMMU v2 w/o device", compat_set_iommu, VFIO_TYPE1v2_IOMMU),
    R("iofd-vc", "compat MAP_DMA 2M", compat_map, 2 * MiB, 2 * MiB),
    R("iofd-vc", "compat UNMAP_DMA middle 4K", compat_unmap, 3 * MiB, PS),
    R("iofd-vc", "compat UNMAP nothing", compat_unmap, 8 * MiB, PS),
    R("iofd-vc", "compat UNMAP all", compat_unmap, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL),
};

static const struct row iofd_device_rows[] = {
    R("iofd-dev", "VFIO_DEVICE_GET_INFO", device_info),
    N("iofd-dev", "regions=", device_info),
    R("iofd-dev", "REGION_INFO bar0", region_info),
    R("iofd-dev", "mmap bar0", mmap_bar0),
};

static const struct row iofd_end_rows[] = {
    R("iofd-dev", "DESTROY attached ioas", destroy_ioas),
};

#endif
