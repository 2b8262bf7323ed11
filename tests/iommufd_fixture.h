/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the iommufd tests share: its ioctls as functions, on top of the VFIO fixture. Those
 * that map and unmap return bytes or a negative errno. */
#ifndef TESTS_IOMMUFD_FIXTURE_H
#define TESTS_IOMMUFD_FIXTURE_H

#include "vfio_fixture.h"

enum {
    IO_RW = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
    IO_FIXED = IOMMU_IOAS_MAP_FIXED_IOVA,
};

static inline void io_world(struct fixture *f, enum sim_kernel kernel, uint64_t memlock_pages)
{
    struct sim_config config = {
        .page_size = PS, .kernel = kernel, .memlock_pages = memlock_pages, .n_groups = 3};
    f->w = sim_world_new(sim_arena_get(), &config);
    assert_non_null(f->w);
    f->h = sim_host(f->w);
    f->o = sim_observe(f->w);
    f->container = f->group = f->device = -1;
}

static inline int io_open(struct fixture *f)
{
    return host_open(&f->h, "/dev/iommu", O_RDWR);
}

static inline int io_alloc(struct fixture *f, int fd, uint32_t *id)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a)};
    int r = host_ioctl(&f->h, fd, IOMMU_IOAS_ALLOC, &a);
    *id = a.out_ioas_id;
    return r;
}

static inline int io_destroy(struct fixture *f, int fd, uint32_t id)
{
    struct iommu_destroy d = {sizeof(d), id};
    return host_ioctl(&f->h, fd, IOMMU_DESTROY, &d);
}

static inline int64_t io_map_flags(struct fixture *f, int fd, uint32_t ioas, uint64_t *iova,
                                   uint64_t vaddr, uint64_t size, uint32_t flags)
{
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = flags,
                               .ioas_id = ioas,
                               .user_va = vaddr,
                               .length = size,
                               .iova = *iova};
    int r = host_ioctl(&f->h, fd, IOMMU_IOAS_MAP, &m);
    *iova = m.iova;
    return r;
}

static inline int64_t io_map(struct fixture *f, int fd, uint32_t ioas, uint64_t iova,
                             uint64_t vaddr, uint64_t size)
{
    return io_map_flags(f, fd, ioas, &iova, vaddr, size, IO_FIXED | IO_RW);
}

static inline int64_t io_map_file(struct fixture *f, int fd, uint32_t ioas, uint64_t iova,
                                  int file, uint64_t start, uint64_t size)
{
    struct iommu_ioas_map_file m = {.size = sizeof(m),
                                    .flags = IO_FIXED | IO_RW,
                                    .ioas_id = ioas,
                                    .fd = file,
                                    .start = start,
                                    .length = size,
                                    .iova = iova};
    return host_ioctl(&f->h, fd, IOMMU_IOAS_MAP_FILE, &m);
}

/* On an error the length must not have been written. */
static inline int64_t io_unmap(struct fixture *f, int fd, uint32_t ioas, uint64_t iova,
                               uint64_t size)
{
    struct iommu_ioas_unmap u = {sizeof(u), ioas, iova, size};
    int r = host_ioctl(&f->h, fd, IOMMU_IOAS_UNMAP, &u);
    if (r)
        assert_int_equal(u.length, size);
    return r ? r : (int64_t)u.length;
}

static inline int64_t io_unmap_all(struct fixture *f, int fd, uint32_t ioas)
{
    return io_unmap(f, fd, ioas, 0, UINT64_MAX);
}

static inline int io_copy(struct fixture *f, int fd, uint32_t to, uint64_t to_iova,
                          uint32_t from, uint64_t from_iova, uint64_t size)
{
    struct iommu_ioas_copy c = {.size = sizeof(c),
                                .flags = IO_FIXED | IO_RW,
                                .dst_ioas_id = to,
                                .src_ioas_id = from,
                                .length = size,
                                .dst_iova = to_iova,
                                .src_iova = from_iova};
    return host_ioctl(&f->h, fd, IOMMU_IOAS_COPY, &c);
}

static inline int io_cut(struct fixture *f, int fd, uint32_t ioas, uint64_t iova, uint64_t size)
{
    struct iommu_ioas_cut c = {
        .size = sizeof(c), .ioas_id = ioas, .iova = iova, .length = size};
    return host_ioctl(&f->h, fd, IOMMU_IOAS_CUT, &c);
}

static inline int io_set_option(struct fixture *f, int fd, uint32_t option, uint32_t object,
                                uint64_t value)
{
    struct iommu_option o = {.size = sizeof(o),
                             .option_id = option,
                             .op = IOMMU_OPTION_OP_SET,
                             .object_id = object,
                             .val64 = value};
    return host_ioctl(&f->h, fd, IOMMU_OPTION, &o);
}

/* The value, or a negative errno. */
static inline int64_t io_get_option(struct fixture *f, int fd, uint32_t option, uint32_t object)
{
    struct iommu_option o = {.size = sizeof(o),
                             .option_id = option,
                             .op = IOMMU_OPTION_OP_GET,
                             .object_id = object,
                             .val64 = 77};
    int r = host_ioctl(&f->h, fd, IOMMU_OPTION, &o);
    return r ? r : (int64_t)o.val64;
}

static inline int io_vfio_ioas(struct fixture *f, int fd, uint16_t op, uint32_t *id)
{
    struct iommu_vfio_ioas v = {.size = sizeof(v), .ioas_id = *id, .op = op};
    int r = host_ioctl(&f->h, fd, IOMMU_VFIO_IOAS, &v);
    *id = v.ioas_id;
    return r;
}

static inline int io_ranges(struct fixture *f, int fd, uint32_t ioas,
                            struct iommu_iova_range *out, uint32_t *n, uint64_t *alignment)
{
    struct iommu_ioas_iova_ranges c = {
        .size = sizeof(c), .ioas_id = ioas, .num_iovas = *n, .allowed_iovas = (uintptr_t)out};
    int r = host_ioctl(&f->h, fd, IOMMU_IOAS_IOVA_RANGES, &c);
    *n = c.num_iovas;
    if (alignment)
        *alignment = c.out_iova_alignment;
    return r;
}

static inline int io_allow(struct fixture *f, int fd, uint32_t ioas,
                           const struct iommu_iova_range *list, uint32_t n)
{
    struct iommu_ioas_allow_iovas c = {
        .size = sizeof(c), .ioas_id = ioas, .num_iovas = n, .allowed_iovas = (uintptr_t)list};
    return host_ioctl(&f->h, fd, IOMMU_IOAS_ALLOW_IOVAS, &c);
}

static inline int io_cdev(struct fixture *f, unsigned group)
{
    char path[40];
    snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%u", group);
    return host_open(&f->h, path, O_RDWR);
}

static inline int io_bind(struct fixture *f, int device, int iommufd)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = iommufd};
    return host_ioctl(&f->h, device, VFIO_DEVICE_BIND_IOMMUFD, &b);
}

/* *pt: the IOAS; becomes the page table. */
static inline int io_attach_pt(struct fixture *f, int device, uint32_t *pt)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = *pt};
    int r = host_ioctl(&f->h, device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);
    *pt = a.pt_id;
    return r;
}

static inline int io_attach(struct fixture *f, int device, uint32_t ioas)
{
    return io_attach_pt(f, device, &ioas);
}

static inline int io_detach(struct fixture *f, int device)
{
    struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};
    return host_ioctl(&f->h, device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
}

#endif
