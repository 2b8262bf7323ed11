/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd: contexts (an open /dev/iommu), their objects, I/O address spaces (IOAS). What is
 * modelled of its objects: IOAS, the one page table (HWPT) that an IOAS gets while devices are
 * attached to it, devices.
 */
#ifndef SIM_IOMMUFD_H
#define SIM_IOMMUFD_H

#include "sim/world.h"

enum { IOMMUFD_OBJECTS_MAX = 32 };
enum iommufd_kind { OBJECT_NONE, OBJECT_IOAS, OBJECT_HWPT, OBJECT_DEVICE };

struct iommufd_object {
    uint8_t kind;          /* enum iommufd_kind */
    struct sim_ioas *ioas; /* of an IOAS and of its page table */
};

/* Lives as long as its fd, a group that was put into it, or a device that is bound to it. */
struct sim_iommufd {
    uint32_t refs;
    bool by_process;         /* IOMMU_OPTION_RLIMIT_MODE is 1 */
    struct sim_ioas *compat; /* what VFIO's own ioctls mean, or NULL */
    struct iommufd_object objects[IOMMUFD_OBJECTS_MAX]; /* by id - 1 */
};

struct sim_ioas {
    struct sim_iommufd *owner;
    uint32_t id;
    uint32_t hwpt_id;    /* while a device is attached */
    uint32_t n_attached; /* devices */
    bool no_large_pages; /* IOMMU_OPTION_HUGE_PAGES is 0 */
    uint32_t n_allowed;  /* 0: automatic IOVAs may be anywhere */
    struct iommu_iova_range *allowed;
    struct dma_space space;
};

/* ---- contexts and objects: sim/iommufd.c ---- */
int iommufd_open(struct sim_world *w);
void iommufd_get(struct sim_iommufd *i);
void iommufd_put(struct sim_world *w, struct sim_iommufd *i);
int iommufd_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request,
                  void *arg);
/* The lowest free id, as the kernel gives them; 0: none is left. */
uint32_t iommufd_object_new(struct sim_iommufd *i, enum iommufd_kind kind,
                            struct sim_ioas *ioas);
void iommufd_object_free(struct sim_iommufd *i, uint32_t id);
/* NULL: there is no such object, or it is of another kind. */
struct iommufd_object *iommufd_object_at(struct sim_iommufd *i, uint32_t id);

/* ---- I/O address spaces: sim/ioas.c ---- */
/* NULL: *error says why. */
struct sim_ioas *ioas_new(struct sim_world *w, struct sim_iommufd *i, int *error);
void ioas_free(struct sim_world *w, struct sim_ioas *ioas);
uint64_t ioas_alignment(const struct sim_world *w, const struct sim_ioas *ioas);
/* One device more, one less. The first one pins all that is mapped: -EADDRINUSE where that is
 * no IOVA of the machine's, or not page-aligned; -EFAULT, -EINVAL, -ENOMEM: it cannot be. */
int ioas_attach(struct sim_world *w, struct sim_ioas *ioas);
void ioas_detach(struct sim_world *w, struct sim_ioas *ioas);
int ioas_set_large_pages(struct sim_world *w, struct sim_ioas *ioas, uint64_t value);
int ioas_ranges(struct sim_world *w, struct sim_ioas *ioas, struct iommu_ioas_iova_ranges *c);
int ioas_allow(struct sim_world *w, struct sim_ioas *ioas,
               const struct iommu_ioas_allow_iovas *c);
/* The allowed ranges leave automatic IOVAs in here, ascending: the n-th, or false. */
bool ioas_allowed_range(const struct sim_world *w, const struct sim_ioas *ioas, uint32_t n,
                        struct iommu_iova_range *out);

/* ---- what is mapped: sim/ioas_map.c ---- */
enum { IOAS_READ_WRITE = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE };
/* `flags`: IOMMU_IOAS_MAP_*, already checked. *iova: in where it is fixed, out where not. */
int ioas_map_user(struct sim_world *w, struct sim_ioas *ioas, uint64_t *iova, uint64_t address,
                  uint64_t length, uint32_t flags);
int ioas_map_file(struct sim_world *w, struct sim_ioas *ioas, uint64_t *iova,
                  const struct iommu_ioas_map_file *c);
int ioas_copy(struct sim_world *w, struct sim_ioas *to, struct sim_ioas *from, uint64_t *iova,
              const struct iommu_ioas_copy *c);
/* Areas wholly inside, in ascending order up to the first that is not: those before it are
 * gone then (-ENOENT). *unmapped: bytes, whatever is returned. */
int ioas_unmap(struct sim_world *w, struct sim_ioas *ioas, uint64_t iova, uint64_t length,
               uint64_t *unmapped);
int ioas_unmap_all(struct sim_world *w, struct sim_ioas *ioas, uint64_t *unmapped);
/* After it no area goes on beyond byte `last`. A cut at either end of an area is none. */
int ioas_cut_after(struct sim_world *w, struct sim_ioas *ioas, uint64_t last);
/* The proposed ioctl: both ends of a range, or neither. */
int ioas_cut(struct sim_world *w, struct sim_ioas *ioas, const struct iommu_ioas_cut *c);

/* ---- VFIO's own ioctls on an iommufd: sim/iommufd_vfio.c ---- */
int iommufd_vfio_map(struct sim_world *w, struct sim_iommufd *i,
                     const struct vfio_iommu_type1_dma_map *arg);
/* Writes arg->size where the kernel would; *bytes is what was unmapped. */
int iommufd_vfio_unmap(struct sim_world *w, struct sim_iommufd *i,
                       struct vfio_iommu_type1_dma_unmap *arg, uint64_t *bytes);
int64_t iommufd_vfio_other(struct sim_world *w, struct sim_iommufd *i, unsigned long request,
                           void *arg);
/* A group was put into it: makes the IOAS that the group's device will be attached to. */
int iommufd_vfio_use(struct sim_world *w, struct sim_iommufd *i);
/* Binds a group's device, and attaches it; the way back. sim/vfio_cdev.c */
int vfio_device_bind(struct sim_group *g, struct sim_iommufd *i);
int vfio_device_attach(struct sim_world *w, struct sim_group *g, struct sim_ioas *ioas);
void vfio_device_detach(struct sim_world *w, struct sim_group *g);
void vfio_device_unbind(struct sim_world *w, struct sim_group *g);

#endif
