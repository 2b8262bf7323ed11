/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/iommu: its objects, and the frame around its ioctls (behaviour.md 6.1). Each takes a
 * struct that tells its own size: too short is EINVAL, more than is known must be zeros
 * (E2BIG), and what the kernel answers goes back only when the call succeeds.
 */
#include "sim/iommufd.h"

#include <string.h>

union command {
    uint32_t size;
    struct iommu_destroy destroy;
    struct iommu_ioas_alloc alloc;
    struct iommu_ioas_allow_iovas allow;
    struct iommu_ioas_copy copy;
    struct iommu_ioas_iova_ranges ranges;
    struct iommu_ioas_map map;
    struct iommu_ioas_map_file map_file;
    struct iommu_ioas_unmap unmap;
    struct iommu_option option;
    struct iommu_vfio_ioas vfio_ioas;
    struct iommu_ioas_cut cut;
};

/* The call's answer: bytes for those that map and unmap. */
typedef int64_t run_fn(struct sim_world *w, struct sim_iommufd *i, union command *c);

struct ioctl_op {
    unsigned long request;
    uint32_t size;
    uint8_t point;
    uint8_t since; /* enum sim_kernel */
    run_fn *run;
};

/* ---- objects ---- */

int iommufd_open(struct sim_world *w)
{
    struct sim_iommufd *i = arena_alloc(w->arena, sizeof(*i));

    if (!i)
        return -ENOMEM;
    i->refs = 1;
    int fd = fd_new(w, FD_IOMMUFD, i, 0);
    if (fd < 0)
        arena_free(w->arena, i);
    return fd;
}

void iommufd_get(struct sim_iommufd *i)
{
    assert(i->refs > 0);
    i->refs++;
}

void iommufd_put(struct sim_world *w, struct sim_iommufd *i)
{
    assert(i->refs > 0);
    if (--i->refs)
        return;
    for (uint32_t n = 0; n < IOMMUFD_OBJECTS_MAX; n++) {
        assert(i->objects[n].kind == OBJECT_NONE || i->objects[n].kind == OBJECT_IOAS);
        if (i->objects[n].kind == OBJECT_IOAS)
            ioas_free(w, i->objects[n].ioas);
    }
    arena_free(w->arena, i);
}

uint32_t iommufd_object_new(struct sim_iommufd *i, enum iommufd_kind kind,
                            struct sim_ioas *ioas)
{
    for (uint32_t n = 0; n < IOMMUFD_OBJECTS_MAX; n++) {
        if (i->objects[n].kind != OBJECT_NONE)
            continue;
        i->objects[n] = (struct iommufd_object){.kind = (uint8_t)kind, .ioas = ioas};
        return n + 1;
    }
    return 0;
}

void iommufd_object_free(struct sim_iommufd *i, uint32_t id)
{
    assert(iommufd_object_at(i, id));
    i->objects[id - 1] = (struct iommufd_object){.kind = OBJECT_NONE};
}

struct iommufd_object *iommufd_object_at(struct sim_iommufd *i, uint32_t id)
{
    if (id == 0 || id > IOMMUFD_OBJECTS_MAX || i->objects[id - 1].kind == OBJECT_NONE)
        return NULL;
    return &i->objects[id - 1];
}

static struct sim_ioas *ioas_at(struct sim_iommufd *i, uint32_t id)
{
    const struct iommufd_object *o = iommufd_object_at(i, id);

    return o && o->kind == OBJECT_IOAS ? o->ioas : NULL;
}

/* ---- the ioctls ---- */

static int64_t run_destroy(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    const struct iommufd_object *o = iommufd_object_at(i, c->destroy.id);

    if (!o)
        return -ENOENT;
    if (o->kind != OBJECT_IOAS || o->ioas->n_attached)
        return -EBUSY; /* devices use a page table, drivers use a device */
    ioas_free(w, o->ioas);
    return 0;
}

static int64_t run_ioas_alloc(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct sim_ioas *ioas;
    int error;

    if (c->alloc.flags)
        return -EOPNOTSUPP;
    ioas = ioas_new(w, i, &error);
    if (!ioas)
        return error;
    c->alloc.out_ioas_id = ioas->id;
    return 0;
}

static int64_t run_ranges(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct sim_ioas *ioas = ioas_at(i, c->ranges.ioas_id);

    if (c->ranges.__reserved)
        return -EOPNOTSUPP;
    return ioas ? ioas_ranges(w, ioas, &c->ranges) : -ENOENT;
}

static int64_t run_allow(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct sim_ioas *ioas = ioas_at(i, c->allow.ioas_id);

    if (c->allow.__reserved)
        return -EOPNOTSUPP;
    return ioas ? ioas_allow(w, ioas, &c->allow) : -ENOENT;
}

/* What map, map_file and copy check before they look at anything. */
static int check_map(uint32_t flags, uint32_t reserved, uint64_t a, uint64_t b)
{
    if ((flags & ~(uint32_t)(IOMMU_IOAS_MAP_FIXED_IOVA | IOAS_READ_WRITE)) || reserved)
        return -EOPNOTSUPP;
    if (a == UINT64_MAX || b == UINT64_MAX)
        return -EOVERFLOW;
    return flags & IOAS_READ_WRITE ? 0 : -EINVAL;
}

static int64_t run_map(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_ioas_map *m = &c->map;
    struct sim_ioas *ioas = ioas_at(i, m->ioas_id);
    int error = check_map(m->flags, m->__reserved, m->iova, m->length);

    if (!error && !ioas)
        error = -ENOENT;
    if (!error)
        error = ioas_map_user(w, ioas, &m->iova, m->user_va, m->length, m->flags);
    return error ? error : (int64_t)m->length;
}

static int64_t run_map_file(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_ioas_map_file *m = &c->map_file;
    struct sim_ioas *ioas = ioas_at(i, m->ioas_id);
    int error = check_map(m->flags, 0, m->iova, m->length);

    if (!error && !ioas)
        error = -ENOENT;
    if (!error)
        error = ioas_map_file(w, ioas, &m->iova, m);
    return error ? error : (int64_t)m->length;
}

static int64_t run_copy(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_ioas_copy *m = &c->copy;
    struct sim_ioas *from = ioas_at(i, m->src_ioas_id);
    struct sim_ioas *to = ioas_at(i, m->dst_ioas_id);
    int error = check_map(m->flags, 0, m->length, m->dst_iova);

    if (!error && m->src_iova == UINT64_MAX)
        error = -EOVERFLOW;
    if (!error && (!from || !to))
        error = -ENOENT;
    if (!error)
        error = ioas_copy(w, to, from, &m->dst_iova, m);
    return error ? error : (int64_t)m->length;
}

static int64_t run_unmap(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_ioas_unmap *m = &c->unmap;
    struct sim_ioas *ioas = ioas_at(i, m->ioas_id);
    uint64_t unmapped;
    int error;

    if (!ioas)
        return -ENOENT;
    if (m->iova == 0 && m->length == UINT64_MAX)
        error = ioas_unmap_all(w, ioas, &unmapped);
    else if (m->iova == UINT64_MAX || m->length == UINT64_MAX)
        error = -EOVERFLOW;
    else
        error = ioas_unmap(w, ioas, m->iova, m->length, &unmapped);
    if (error)
        return error;
    m->length = unmapped;
    return (int64_t)unmapped;
}

/* Changing it wants CAP_SYS_RESOURCE, which who is free of limits is taken to have. */
static int option_rlimit_mode(struct sim_world *w, struct sim_iommufd *i,
                              struct iommu_option *o)
{
    if (o->object_id)
        return -EOPNOTSUPP;
    if (o->op == IOMMU_OPTION_OP_GET) {
        o->val64 = i->by_process;
        return 0;
    }
    if (o->op != IOMMU_OPTION_OP_SET)
        return -EOPNOTSUPP;
    if (w->config.memlock_pages != UINT64_MAX)
        return -EPERM;
    for (uint32_t n = 0; n < IOMMUFD_OBJECTS_MAX; n++)
        if (i->objects[n].kind != OBJECT_NONE)
            return -EBUSY;
    if (o->val64 > 1)
        return -EINVAL;
    i->by_process = o->val64 == 1;
    return 0;
}

static int64_t run_option(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_option *o = &c->option;

    if (o->__reserved ||
        (o->option_id != IOMMU_OPTION_RLIMIT_MODE && o->option_id != IOMMU_OPTION_HUGE_PAGES))
        return -EOPNOTSUPP;
    if (o->option_id == IOMMU_OPTION_RLIMIT_MODE)
        return option_rlimit_mode(w, i, o);
    struct sim_ioas *ioas = ioas_at(i, o->object_id);
    if (!ioas)
        return -ENOENT;
    if (o->op == IOMMU_OPTION_OP_GET) {
        o->val64 = !ioas->no_large_pages;
        return 0;
    }
    return o->op == IOMMU_OPTION_OP_SET ? ioas_set_large_pages(w, ioas, o->val64) : -EOPNOTSUPP;
}

static int64_t run_vfio_ioas(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_vfio_ioas *v = &c->vfio_ioas;

    (void)w;
    if (v->__reserved || v->op > IOMMU_VFIO_IOAS_CLEAR)
        return -EOPNOTSUPP;
    if (v->op == IOMMU_VFIO_IOAS_GET) {
        if (!i->compat)
            return -ENODEV;
        v->ioas_id = i->compat->id;
        return 0;
    }
    struct sim_ioas *ioas = v->op == IOMMU_VFIO_IOAS_SET ? ioas_at(i, v->ioas_id) : NULL;
    if (v->op == IOMMU_VFIO_IOAS_SET && !ioas)
        return -ENOENT;
    i->compat = ioas;
    return 0;
}

static int64_t run_cut(struct sim_world *w, struct sim_iommufd *i, union command *c)
{
    struct iommu_ioas_cut *cut = &c->cut;
    struct sim_ioas *ioas = ioas_at(i, cut->ioas_id);

    if (cut->flags || cut->__reserved)
        return -EOPNOTSUPP;
    return ioas ? ioas_cut(w, ioas, cut) : -ENOENT;
}

#define OP(request, type, point, since, run)                                                   \
    {                                                                                          \
        request, sizeof(struct type), point, since, run                                        \
    }

static const struct ioctl_op ops[] = {
    OP(IOMMU_IOAS_MAP, iommu_ioas_map, POINT_IOMMUFD_MAP, SIM_KERNEL_6_12, run_map),
    OP(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, POINT_IOMMUFD_UNMAP, SIM_KERNEL_6_12, run_unmap),
    OP(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, POINT_IOMMUFD_MAP, SIM_KERNEL_7_3,
       run_map_file),
    OP(IOMMU_IOAS_CUT, iommu_ioas_cut, POINT_IOMMUFD_CUT, SIM_KERNEL_PROPOSED, run_cut),
    OP(IOMMU_IOAS_COPY, iommu_ioas_copy, POINT_IOMMUFD_COPY, SIM_KERNEL_6_12, run_copy),
    OP(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, POINT_IOMMUFD_IOAS_ALLOC, SIM_KERNEL_6_12,
       run_ioas_alloc),
    OP(IOMMU_DESTROY, iommu_destroy, POINT_IOMMUFD_DESTROY, SIM_KERNEL_6_12, run_destroy),
    OP(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, POINT_IOMMUFD_SYSTEM, SIM_KERNEL_6_12,
       run_ranges),
    OP(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, POINT_IOMMUFD_SYSTEM, SIM_KERNEL_6_12,
       run_allow),
    OP(IOMMU_OPTION, iommu_option, POINT_IOMMUFD_OPTION, SIM_KERNEL_6_12, run_option),
    OP(IOMMU_VFIO_IOAS, iommu_vfio_ioas, POINT_IOMMUFD_VFIO_IOAS, SIM_KERNEL_6_12,
       run_vfio_ioas),
};

static const struct ioctl_op *find_op(const struct sim_world *w, unsigned long request)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (ops[i].request == request)
            return w->config.kernel >= ops[i].since ? &ops[i] : NULL;
    return NULL;
}

/* ---- the frame around them ---- */

/* *size: what the caller's struct has, at most what is known. */
static int copy_in(const struct ioctl_op *op, const void *arg, union command *c, uint32_t *size)
{
    const unsigned char *bytes = arg;

    if (!arg)
        return -EFAULT;
    memcpy(size, arg, sizeof(*size));
    if (*size < op->size)
        return -EINVAL;
    for (uint32_t i = op->size; i < *size; i++)
        if (bytes[i])
            return -E2BIG;
    *size = op->size;
    memcpy(c, arg, op->size);
    return 0;
}

static void record_range(struct sim_world *w, struct sim_iommufd *i, uint32_t ioas_id,
                         uint64_t iova, uint64_t length, uint64_t what)
{
    const struct sim_ioas *ioas = ioas_at(i, ioas_id);

    w->call.container = ioas ? ioas->space.number : 0;
    w->call.arg[0] = iova;
    w->call.arg[1] = length;
    w->call.arg[2] = what;
}

/* What reports and checkers want to know of a call. */
static void record(struct sim_world *w, struct sim_iommufd *i, const struct ioctl_op *op,
                   const union command *c)
{
    switch (op->request) {
    case IOMMU_IOAS_MAP:
        record_range(w, i, c->map.ioas_id, c->map.iova, c->map.length, c->map.user_va);
        break;
    case IOMMU_IOAS_MAP_FILE:
        record_range(w, i, c->map_file.ioas_id, c->map_file.iova, c->map_file.length,
                     c->map_file.start);
        break;
    case IOMMU_IOAS_UNMAP:
        record_range(w, i, c->unmap.ioas_id, c->unmap.iova, c->unmap.length, 0);
        break;
    case IOMMU_IOAS_COPY:
        record_range(w, i, c->copy.dst_ioas_id, c->copy.dst_iova, c->copy.length,
                     c->copy.src_iova);
        break;
    case IOMMU_IOAS_CUT:
        record_range(w, i, c->cut.ioas_id, c->cut.iova, c->cut.length, 0);
        break;
    default:
        break;
    }
}

/* A fault stands for somebody else at the last area of the range: those before it go first. */
static void unmap_until_busy(struct sim_world *w, struct sim_iommufd *i,
                             const struct iommu_ioas_unmap *m)
{
    struct sim_ioas *ioas = ioas_at(i, m->ioas_id);
    uint64_t last = m->iova + (m->length - 1), unmapped;

    assert(w->early_error == EBUSY);
    if (!ioas || m->length == 0 || last < m->iova)
        return;
    uint32_t end = dma_space_lower_bound(&ioas->space, last);
    if (end == ioas->space.n_maps || dma_space_at(&ioas->space, end)->iova > last)
        return; /* nothing lies at the end */
    uint64_t busy = dma_space_at(&ioas->space, end)->iova;
    if (busy > m->iova)
        (void)ioas_unmap(w, ioas, m->iova, busy - m->iova, &unmapped);
}

int iommufd_ioctl(struct sim_world *w, int fd, struct sim_fd *f, unsigned long request,
                  void *arg)
{
    const struct ioctl_op *op = find_op(w, request);
    struct sim_iommufd *i = f->object;
    union command c;
    uint32_t size = 0;

    if (!op)
        return vfio_ioctl(w, fd, f, request, arg); /* as on a container */
    int error = copy_in(op, arg, &c, &size);
    call_begin(w, op->point, w->call.caller, 0, (uint64_t)fd, request);
    if (!error)
        record(w, i, op, &c);
    if (call_fails_early(w)) {
        if (!error && op->run == run_unmap && w->early_error == EBUSY)
            unmap_until_busy(w, i, &c.unmap);
        return (int)call_end(w, 0);
    }
    int64_t r = error ? error : op->run(w, i, &c);
    /* Too little room for the ranges: how many there are is told all the same. */
    bool answers = r >= 0 || (op->run == run_ranges && r == -EMSGSIZE);
    r = call_end(w, r);
    if (!error && answers && (r >= 0 || r == -EMSGSIZE))
        memcpy(arg, &c, size);
    return r < 0 ? (int)r : 0;
}
