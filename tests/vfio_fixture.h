/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the VFIO tests share: a world with a few groups, a container with an IOMMU, some RAM,
 * and a check that every count agrees with the mappings.
 */
#ifndef TESTS_VFIO_FIXTURE_H
#define TESTS_VFIO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#include "sim/world.h"

#define PS  (1ull << 12)
#define MiB (1ull << 20)
#define GiB (1ull << 30)

enum { RW = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE };
enum { R_ONLY = VFIO_DMA_MAP_FLAG_READ };

struct fixture {
    struct sim_world *w;
    struct host h;
    const struct observe *o;
    int container, group, device;
};

static inline void fx_world(struct fixture *f, uint64_t memlock_pages)
{
    struct sim_config config = {.page_size = PS, .memlock_pages = memlock_pages, .n_groups = 3};
    f->w = sim_world_new(sim_arena_get(), &config);
    assert_non_null(f->w);
    f->h = sim_host(f->w);
    f->o = sim_observe(f->w);
    f->container = f->group = f->device = -1;
}

static inline int fx_group_path(struct fixture *f, unsigned group)
{
    char path[32];
    snprintf(path, sizeof(path), "/dev/vfio/%u", group);
    return host_open(&f->h, path, O_RDWR);
}

/* What a shell would do with echo. The number of bytes, or the error. */
static inline int64_t fx_echo(struct fixture *f, const char *text, const char *path)
{
    int fd = host_open(&f->h, path, O_WRONLY);
    if (fd < 0)
        return fd;
    int64_t r = f->h.ops->write(f->h.ctx, __func__, fd, text, strlen(text));
    assert_int_equal(host_close(&f->h, fd), 0);
    return r;
}

/* Into the driver_override of a group's device. */
static inline int64_t fx_override(struct fixture *f, unsigned group, const char *driver)
{
    char name[SIM_DEVICE_NAME_SIZE], path[64];
    sim_device_name(group, name);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", name);
    return fx_echo(f, driver, path);
}

static inline int64_t fx_probe(struct fixture *f, unsigned group)
{
    char name[SIM_DEVICE_NAME_SIZE];
    sim_device_name(group, name);
    return fx_echo(f, name, "/sys/bus/pci/drivers_probe");
}

static inline int fx_set_container(struct fixture *f, int group, int container)
{
    return host_ioctl(&f->h, group, VFIO_GROUP_SET_CONTAINER, &container);
}

static inline int fx_set_iommu(struct fixture *f, unsigned long type)
{
    return host_ioctl(&f->h, f->container, VFIO_SET_IOMMU, (void *)type);
}

static inline int fx_device_fd(struct fixture *f, int group_fd, unsigned group)
{
    char name[SIM_DEVICE_NAME_SIZE];
    sim_device_name(group, name);
    return host_ioctl(&f->h, group_fd, VFIO_GROUP_GET_DEVICE_FD, name);
}

/* Container and group 0 in it, its IOMMU not yet chosen. */
static inline void fx_open(struct fixture *f)
{
    f->container = host_open(&f->h, "/dev/vfio/vfio", O_RDWR);
    f->group = fx_group_path(f, 0);
    assert_true(f->container >= 0 && f->group >= 0);
    assert_int_equal(fx_set_container(f, f->group, f->container), 0);
}

static inline void fx_start(struct fixture *f, unsigned long type, uint64_t memlock_pages)
{
    fx_world(f, memlock_pages);
    fx_open(f);
    assert_int_equal(fx_set_iommu(f, type), 0);
}

static inline uint64_t fx_mmap(struct fixture *f, uint64_t size, int prot, int flags, int fd)
{
    uint64_t address = 0;
    assert_int_equal(host_mmap(&f->h, 0, size, prot, flags, fd, 0, &address), 0);
    return address;
}

static inline uint64_t fx_ram(struct fixture *f, uint64_t size)
{
    return fx_mmap(f, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* A shared memfd mapping; *fd is its file. */
static inline uint64_t fx_memfd(struct fixture *f, uint64_t size, int *fd)
{
    *fd = host_memfd_create(&f->h, "ram", 0);
    assert_true(*fd >= 0);
    assert_int_equal(host_ftruncate(&f->h, *fd, (int64_t)size), 0);
    return fx_mmap(f, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd);
}

static inline int fx_punch(struct fixture *f, int fd, uint64_t offset, uint64_t size)
{
    return host_fallocate(&f->h, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                          (int64_t)offset, (int64_t)size);
}

static inline int fx_map(struct fixture *f, uint64_t iova, uint64_t vaddr, uint64_t size,
                         uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {sizeof(m), flags, vaddr, iova, size};
    return host_ioctl(&f->h, f->container, VFIO_IOMMU_MAP_DMA, &m);
}

/* The removed bytes, or a negative errno; on an error the size must not have been written. */
static inline int64_t fx_unmap_flags(struct fixture *f, uint64_t iova, uint64_t size,
                                     uint32_t flags)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};
    int r = host_ioctl(&f->h, f->container, VFIO_IOMMU_UNMAP_DMA, &u);
    if (r)
        assert_int_equal(u.size, size);
    return r ? r : (int64_t)u.size;
}

static inline int64_t fx_unmap(struct fixture *f, uint64_t iova, uint64_t size)
{
    return fx_unmap_flags(f, iova, size, 0);
}

static inline struct observe_container fx_counts(struct fixture *f)
{
    struct observe_container c;
    f->o->container(f->o->ctx, 0, &c);
    return c;
}

static inline struct observe_totals fx_totals(struct fixture *f)
{
    struct observe_totals t;
    f->o->totals(f->o->ctx, &t);
    return t;
}

static inline struct observe_mapping fx_mapping(struct fixture *f, uint64_t iova)
{
    struct observe_mapping m;
    f->o->mapping(f->o->ctx, 0, iova / PS, &m);
    return m;
}

/* Entries still free, as the DMA_AVAIL capability says; -1: no such capability. */
static inline int64_t fx_avail(struct fixture *f)
{
    union {
        struct vfio_iommu_type1_info info;
        unsigned char bytes[256];
    } u = {.info.argsz = sizeof(u)};
    if (host_ioctl(&f->h, f->container, VFIO_IOMMU_GET_INFO, &u))
        return -1;
    for (uint32_t at = u.info.cap_offset; at;) {
        const struct vfio_iommu_type1_info_dma_avail *a = (const void *)(u.bytes + at);
        if (a->header.id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
            return a->avail;
        at = a->header.next;
    }
    return -1;
}

/* Walks container 0's mapped pages and compares with every count (one container only). */
static inline bool fx_counts_agree(struct fixture *f)
{
    uint64_t page = 0, n = 0;
    for (; f->o->next_mapped(f->o->ctx, 0, &page); page++, n++) {
        struct observe_mapping m;
        f->o->mapping(f->o->ctx, 0, page, &m);
        if (!m.frame || !m.access)
            return false;
    }
    struct observe_container c = fx_counts(f);
    struct observe_totals t = fx_totals(f);
    return c.mapped_pages == n && c.pins == n && t.pins == n && t.locked_pages == n &&
           c.entries <= n;
}

/* Nothing of container 0 is left. */
static inline bool fx_nothing_mapped(struct fixture *f)
{
    return fx_counts_agree(f) && fx_counts(f).entries == 0 && fx_totals(f).pins == 0;
}

#endif
