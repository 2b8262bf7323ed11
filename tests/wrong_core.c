/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/wrong_core.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "core/uapi.h"

struct wrong_core wrong_core;

static struct host_ops host_ops;
static const struct host_ops *real_ops;
static struct host host;

/* Calls that are no ioctl are recorded as these. */
struct drop {
    uint64_t address, size;
    int mode;
};

enum { CALL_MADVISE, CALL_FALLOCATE };

#define AT(type, field) offsetof(type, field)

static const struct shape {
    unsigned long request; /* or CALL_* */
    uint32_t size, n_fields;
    uint32_t fields[4]; /* offsets of 64-bit addresses and sizes */
    unsigned long other_way;
} shapes[] = {
    {CALL_MADVISE,
     sizeof(struct drop),
     2,
     {AT(struct drop, address), AT(struct drop, size)},
     0},
    {CALL_FALLOCATE,
     sizeof(struct drop),
     2,
     {AT(struct drop, address), AT(struct drop, size)},
     0},
    {KVM_SET_MEMORY_ATTRIBUTES,
     sizeof(struct kvm_memory_attributes),
     2,
     {AT(struct kvm_memory_attributes, address), AT(struct kvm_memory_attributes, size)},
     KVM_SET_MEMORY_ATTRIBUTES},
    {KVM_SET_MEMORY_ATTRIBUTES2,
     sizeof(struct kvm_memory_attributes2),
     2,
     {AT(struct kvm_memory_attributes2, offset), AT(struct kvm_memory_attributes2, size)},
     KVM_SET_MEMORY_ATTRIBUTES2},
    {VFIO_IOMMU_MAP_DMA,
     sizeof(struct vfio_iommu_type1_dma_map),
     3,
     {AT(struct vfio_iommu_type1_dma_map, vaddr), AT(struct vfio_iommu_type1_dma_map, iova),
      AT(struct vfio_iommu_type1_dma_map, size)},
     VFIO_IOMMU_UNMAP_DMA},
    {VFIO_IOMMU_UNMAP_DMA,
     sizeof(struct vfio_iommu_type1_dma_unmap),
     2,
     {AT(struct vfio_iommu_type1_dma_unmap, iova), AT(struct vfio_iommu_type1_dma_unmap, size)},
     0},
    {IOMMU_IOAS_MAP,
     sizeof(struct iommu_ioas_map),
     3,
     {AT(struct iommu_ioas_map, user_va), AT(struct iommu_ioas_map, iova),
      AT(struct iommu_ioas_map, length)},
     IOMMU_IOAS_UNMAP},
    {IOMMU_IOAS_UNMAP,
     sizeof(struct iommu_ioas_unmap),
     2,
     {AT(struct iommu_ioas_unmap, iova), AT(struct iommu_ioas_unmap, length)},
     0},
};

enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

uint32_t record_fields(const struct record *r)
{
    return shapes[r->shape].n_fields;
}

bool record_has_other_way(const struct record *r)
{
    return shapes[r->shape].other_way != 0;
}

/* ---- making a call, as it was or edited ---- */

static uint64_t page_size(void)
{
    return machine_page_size(&wrong_core.runner->program->machine);
}

static int make(const struct record *r, unsigned long request, void *arg)
{
    struct drop *d = arg;

    if (request == CALL_MADVISE)
        return real_ops->madvise(host.ctx, "wrong", d->address, d->size, d->mode);
    if (request == CALL_FALLOCATE)
        return real_ops->fallocate(host.ctx, "wrong", r->fd, d->mode, (int64_t)d->address,
                                   (int64_t)d->size);
    return real_ops->ioctl(host.ctx, "wrong", r->fd, request, arg);
}

static int make_other_way(const struct record *r)
{
    union {
        uint8_t bytes[RECORD_BYTES];
        struct kvm_memory_attributes attributes; /* and how the second one begins */
        struct vfio_iommu_type1_dma_map map;
        struct iommu_ioas_map ioas_map;
    } was;
    struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap)};
    struct iommu_ioas_unmap ioas_unmap = {.size = sizeof(ioas_unmap)};

    memcpy(was.bytes, r->bytes, RECORD_BYTES);
    switch (shapes[r->shape].request) {
    case VFIO_IOMMU_MAP_DMA:
        unmap.iova = was.map.iova;
        unmap.size = was.map.size;
        return make(r, VFIO_IOMMU_UNMAP_DMA, &unmap);
    case IOMMU_IOAS_MAP:
        ioas_unmap.ioas_id = was.ioas_map.ioas_id;
        ioas_unmap.iova = was.ioas_map.iova;
        ioas_unmap.length = was.ioas_map.length;
        return make(r, IOMMU_IOAS_UNMAP, &ioas_unmap);
    default:
        was.attributes.attributes ^= KVM_MEMORY_ATTRIBUTE_PRIVATE;
        return make(r, shapes[r->shape].request, was.bytes);
    }
}

/* `out`: the caller's struct, NULL: nobody waits for an answer. */
static int make_edited(const struct record *r, const struct edit *e, void *out)
{
    uint8_t bytes[RECORD_BYTES];
    const struct shape *s = &shapes[r->shape];
    uint64_t field;
    int result;

    if (e->kind == EDIT_LEAVE_OUT)
        return 0;
    if (e->kind == EDIT_OTHER_WAY && s->other_way)
        return make_other_way(r);
    memcpy(bytes, r->bytes, sizeof(bytes));
    if (e->kind == EDIT_MOVE && e->field < s->n_fields) {
        memcpy(&field, bytes + s->fields[e->field], sizeof(field));
        field += (uint64_t)((int64_t)e->pages * (int64_t)page_size());
        memcpy(bytes + s->fields[e->field], &field, sizeof(field));
    }
    result = make(r, s->request, bytes);
    if (out)
        memcpy(out, bytes, s->size);
    return e->kind == EDIT_SWALLOW ? 0 : result;
}

/* ---- between core and kernel ---- */

/* None while the machine is built. */
static uint32_t current_op(void)
{
    const struct run_result *result = wrong_core.runner->result;

    return result->ops ? result->op : UINT32_MAX;
}

/* Is this the op of the mistake, or a later one that still has it? */
static bool is_wrong_now(const struct mistake *m)
{
    uint32_t op = current_op();

    return op == m->op || (op > m->op && op != UINT32_MAX && !m->made_good);
}

static int pass(uint32_t shape, int fd, void *arg)
{
    static const struct edit none;
    const struct mistake *m = &wrong_core.mistake;
    struct record r = {.op = current_op(), .shape = (uint16_t)shape, .fd = fd};
    bool wrong;

    assert(shapes[shape].size <= RECORD_BYTES);
    memcpy(r.bytes, arg, shapes[shape].size);
    if (wrong_core.last_op != r.op)
        wrong_core.op_calls = 0;
    wrong_core.last_op = r.op;
    wrong = m->kind == MISTAKE_CALL && m->op == r.op && m->call == wrong_core.op_calls++;
    if (wrong_core.n_records < RECORDS_MAX)
        wrong_core.records[wrong_core.n_records++] = r;
    if (wrong && m->made_good && m->edit.kind == EDIT_LEAVE_OUT) {
        wrong_core.late = r;
        wrong_core.has_late = true;
    }
    return make_edited(&r, wrong ? &m->edit : &none, arg);
}

static bool keeps_old_file(void)
{
    return wrong_core.mistake.kind == MISTAKE_OLD_FILE && wrong_core.mistake.op == current_op();
}

static int wrong_create(void *ctx, const char *caller, int fd, void *arg)
{
    if (!keeps_old_file())
        wrong_core.last_file = real_ops->ioctl(ctx, caller, fd, KVM_CREATE_GUEST_MEMFD, arg);
    return wrong_core.last_file;
}

static int wrong_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    if (request == KVM_CREATE_GUEST_MEMFD)
        return wrong_create(ctx, caller, fd, arg);
    for (uint32_t i = CALL_FALLOCATE + 1; i < N_SHAPES; i++)
        if (shapes[i].request == request)
            return pass(i, fd, arg);
    return real_ops->ioctl(ctx, caller, fd, request, arg);
}

static int wrong_close(void *ctx, const char *caller, int fd)
{
    if (keeps_old_file() && fd == wrong_core.last_file)
        return 0;
    return real_ops->close(ctx, caller, fd);
}

static int wrong_madvise(void *ctx, const char *caller, uint64_t addr, uint64_t size,
                         int advice)
{
    struct drop d = {addr, size, advice};

    (void)ctx, (void)caller;
    return pass(CALL_MADVISE, -1, &d);
}

static int wrong_fallocate(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                           int64_t size)
{
    struct drop d = {(uint64_t)offset, (uint64_t)size, mode};

    (void)ctx, (void)caller;
    return pass(CALL_FALLOCATE, fd, &d);
}

static int wrong_mmap(void *ctx, const char *caller, uint64_t hint, uint64_t size, int prot,
                      int flags, int fd, int64_t offset, uint64_t *addr)
{
    int rc = real_ops->mmap(ctx, caller, hint, size, prot, flags, fd, offset, addr);

    if (!rc && wrong_core.n_memories < MEMORIES_MAX)
        wrong_core.memories[wrong_core.n_memories++] =
            (struct wrong_memory){.hva = *addr, .size = size, .fd = fd};
    return rc;
}

bool wrong_core_drop(uint32_t n, struct record *r)
{
    for (uint32_t i = 0; i < wrong_core.n_memories; i++) {
        const struct wrong_memory *m = &wrong_core.memories[i];
        struct drop d = {.size = page_size()};

        if (n >= m->size / page_size()) {
            n -= (uint32_t)(m->size / page_size());
            continue;
        }
        d.address = (m->fd < 0 ? m->hva : 0) + n * page_size();
        d.mode = m->fd < 0 ? MADV_DONTNEED : FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        *r = (struct record){.shape = m->fd < 0 ? CALL_MADVISE : CALL_FALLOCATE, .fd = m->fd};
        memcpy(r->bytes, &d, sizeof(d));
        return true;
    }
    return false;
}

/* ---- between core and runner ---- */

static int build_wrong(const struct host *real, const struct sync *sync,
                       const struct machine *m, void **state)
{
    wrong_core.n_records = wrong_core.op_calls = wrong_core.n_memories = 0;
    wrong_core.has_late = false;
    real_ops = real->ops;
    host_ops = *real_ops;
    host_ops.ioctl = wrong_ioctl;
    host_ops.close = wrong_close;
    host_ops.madvise = wrong_madvise;
    host_ops.mmap = wrong_mmap;
    host_ops.fallocate = wrong_fallocate;
    host = (struct host){&host_ops, real->ctx};
    return subject_core.build(&host, sync, m, state);
}

static void wrong_bit(enum mistake_kind kind, uint32_t region, uint64_t first_page,
                      uint64_t n_pages, uint64_t *bits)
{
    const struct mistake *m = &wrong_core.mistake;
    uint64_t at = m->value - first_page;

    if (m->kind == kind && m->call == region && is_wrong_now(m) && m->value >= first_page &&
        at < n_pages)
        bits[at / 64] ^= UINT64_C(1) << at % 64;
}

static void populated_bits_wrong(const void *state, uint32_t region, uint64_t first_page,
                                 uint64_t n_pages, uint64_t *bits)
{
    subject_core.populated_bits(state, region, first_page, n_pages, bits);
    wrong_bit(MISTAKE_TRACKER, region, first_page, n_pages, bits);
}

static void plugged_bits_wrong(const void *state, uint32_t region, uint64_t first_page,
                               uint64_t n_pages, uint64_t *bits)
{
    subject_core.plugged_bits(state, region, first_page, n_pages, bits);
    wrong_bit(MISTAKE_PLUGGED, region, first_page, n_pages, bits);
}

struct subject wrong_core_subject(void)
{
    struct subject s = subject_core;

    s.build = build_wrong;
    s.populated_bits = populated_bits_wrong;
    s.plugged_bits = plugged_bits_wrong;
    return s;
}

/* ---- around an op ---- */

void wrong_core_before_op(struct runner *r)
{
    const struct mistake *m = &wrong_core.mistake;
    struct edit back = {.kind = EDIT_NONE};

    if (!wrong_core.has_late || m->op == r->result->op)
        return;
    wrong_core.has_late = false;
    if (m->kind == MISTAKE_ONE_MORE && m->edit.kind == EDIT_NONE)
        back.kind = EDIT_OTHER_WAY;
    (void)make_edited(&wrong_core.late, &back, NULL);
}

static void tell(struct runner *r, const struct mistake *m)
{
    struct op_result *o = &r->now->op_result;

    if (m->kind == MISTAKE_RESULT)
        o->error = (int)m->value;
    else if (m->kind == MISTAKE_STATUS && o->has_status)
        o->guest_status = m->value;
    else if (m->kind == MISTAKE_BLOCKED)
        o->blocked_page = (uint32_t)m->value;
    else if (m->kind == MISTAKE_POPULATED)
        o->data ^= 1;
    else if (m->kind == MISTAKE_RESPONSE)
        o->response = (uint8_t)m->value;
    else if (m->kind == MISTAKE_DIRTY && o->dirty)
        r->dirty[r->region_page[m->call] + m->value] ^= MIGRATION_DIRTY;
}

void wrong_core_after_op(struct runner *r)
{
    const struct mistake *m = &wrong_core.mistake;

    if (m->kind == MISTAKE_STOPPED && is_wrong_now(m))
        r->now->op_result.stopped = !r->now->op_result.stopped;
    if (m->op != r->result->op)
        return;
    tell(r, m);
    if (m->kind != MISTAKE_ONE_MORE)
        return;
    (void)make_edited(&wrong_core.one_more, &m->edit, NULL);
    wrong_core.late = wrong_core.one_more;
    wrong_core.has_late = m->made_good;
}
