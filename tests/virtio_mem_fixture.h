/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtio-mem region on the stub host: ram0 of PAGES pages at GPA page GPA, in blocks of
 * BLOCK pages; container 0 listens to all of it, container 1 to pages [3, 6).
 */
#ifndef TESTS_VIRTIO_MEM_FIXTURE_H
#define TESTS_VIRTIO_MEM_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/stub_host.h"

enum { PAGES = 8, BLOCK = 2, GPA = 16, MANUAL_FIRST = 3, MANUAL_END = 6 };

struct vmem {
    struct stub stub;
    struct vmm *vmm;
    enum vmm_share share;
    enum vmm_order order;
    enum vmm_failure failure;
    uint64_t pages;
    uint16_t response; /* of the last request */
};

static inline uint64_t vmem_plugged(const struct vmem *m)
{
    uint64_t bits;

    vmm_plugged_bits(m->vmm, 0, 0, PAGES, &bits);
    return bits;
}

static inline uint64_t vmem_shared(const struct vmem *m)
{
    uint64_t bits;

    vmm_populated_bits(m->vmm, 0, 0, PAGES, &bits);
    return bits;
}

static inline bool vmem_is_unplugged(const struct stub *s, uint64_t gpa_page)
{
    const struct vmem *m = s->owner;
    uint64_t bit;

    if (gpa_page < GPA || gpa_page >= GPA + m->pages)
        return false;
    vmm_plugged_bits(m->vmm, 0, gpa_page - GPA, 1, &bit);
    return !bit;
}

static inline int vmem_build(struct vmem *m, const struct sync *sync, uint64_t pages,
                             uint64_t requested)
{
    struct host host = stub_host(&m->stub);
    struct vmm_config config = {
        .page_size = STUB_PAGE, .n_vcpus = 1, .order = m->order, .failure = m->failure};
    struct vmm_region_config region = {.share = m->share,
                                       .guest_memfd = true,
                                       .size = pages * STUB_PAGE,
                                       .virtio_mem_block = BLOCK * STUB_PAGE,
                                       .requested_size = requested * STUB_PAGE};
    uint32_t index;
    int rc = vmm_create(&host, sync, &config, &m->vmm);

    if (rc) {
        m->vmm = NULL;
        return rc;
    }
    m->pages = pages;
    m->stub.owner = m;
    m->stub.is_unplugged = vmem_is_unplugged;
    rc = vmm_region_add(m->vmm, &region, &index);
    if (!rc)
        rc = vmm_section_add(m->vmm, 0, 0, pages * STUB_PAGE, GPA * STUB_PAGE);
    for (int i = 0; i < 2 && !rc; i++)
        rc = vmm_container_add(m->vmm, VMM_IOMMU_TYPE1, i == 0, &index);
    for (uint32_t i = 0; i < 2 && !rc; i++)
        rc = vmm_device_attach(m->vmm, i, i);
    if (!rc)
        rc = vmm_listen(m->vmm, 1, 0, MANUAL_FIRST * STUB_PAGE,
                        (MANUAL_END - MANUAL_FIRST) * STUB_PAGE);
    stub_trace_clear(&m->stub);
    return rc;
}

static inline struct vmem *vmem_new(void)
{
    const struct sync no_sync = {NULL, NULL};
    struct vmem *m = calloc(1, sizeof *m);

    stub_init(&m->stub);
    m->share = VMM_SHARE_MEMFD;
    if (vmem_build(m, &no_sync, PAGES, PAGES))
        fail_msg("the machine could not be built");
    return m;
}

static inline int vmem_plug(struct vmem *m, uint64_t first, uint64_t n)
{
    return vmm_plug(m->vmm, 0, first * STUB_PAGE, n * STUB_PAGE, &m->response);
}

static inline int vmem_unplug(struct vmem *m, uint64_t first, uint64_t n)
{
    return vmm_unplug(m->vmm, 0, first * STUB_PAGE, n * STUB_PAGE, &m->response);
}

static inline int vmem_unplug_all(struct vmem *m)
{
    return vmm_unplug_all(m->vmm, 0, &m->response);
}

static inline int vmem_convert(struct vmem *m, uint64_t first, uint64_t n, bool to_private)
{
    return vmm_convert(m->vmm, (GPA + first) * STUB_PAGE, n * STUB_PAGE, to_private);
}

/* Does the container of that number (in the order of opening) map a page? */
static inline bool vmem_maps(const struct vmem *m, uint32_t container, uint64_t page)
{
    int fds[2] = {-1, -1};
    int n = 0;

    for (int fd = 0; fd < STUB_FDS && n < 2; fd++)
        if (m->stub.fds[fd].kind == 'c')
            fds[n++] = fd;
    for (unsigned i = 0; i < m->stub.n_maps; i++)
        if (m->stub.maps[i].fd == fds[container] &&
            m->stub.maps[i].iova == (GPA + page) * STUB_PAGE)
            return true;
    return false;
}

/* Rules at rest: what must hold of every page; the first thing that does not, or NULL. */
static inline const char *vmem_broken(const struct vmem *m, uint64_t plugged, uint64_t shared)
{
    unsigned n = 0;

    if (m->stub.violations)
        return m->stub.violation;
    if (vmem_plugged(m) != plugged)
        return "plugged bits";
    if (vmem_shared(m) != shared)
        return "shared bits";
    for (uint64_t p = 0; p < PAGES; p++) {
        bool visible = plugged >> p & shared >> p & 1;
        bool manual = p >= MANUAL_FIRST && p < MANUAL_END;

        if (m->stub.is_private[GPA + p] == (shared >> p & 1))
            return "I3 attribute";
        if (vmem_maps(m, 0, p) != visible || vmem_maps(m, 1, p) != (visible && manual))
            return "I1, I2 mapped is not plugged and shared";
        if (vmm_is_populated(m->vmm, 0, p * STUB_PAGE, STUB_PAGE) != visible &&
            !vmm_stopped(m->vmm))
            return "query";
        n += visible + (visible && manual);
    }
    return n == m->stub.n_maps ? NULL : "mappings elsewhere";
}

/* ---- any state of four blocks, and the moves from there ---- */
enum { BLOCKS = PAGES / BLOCK };

static inline uint64_t pages_of(uint64_t blocks)
{
    uint64_t pages = 0;

    for (int b = 0; b < BLOCKS; b++)
        if (blocks >> b & 1)
            pages |= ((UINT64_C(1) << BLOCK) - 1) << (b * BLOCK);
    return pages;
}

static inline uint64_t range(uint64_t first, uint64_t n)
{
    return ((UINT64_C(1) << n) - 1) << first;
}

/* What one request does to the two sets of pages. */
struct move {
    char what; /* p plug, u unplug, a unplug all, s to shared, v to private */
    uint64_t first, n;
};

static inline void predict(const struct move *q, uint64_t *plugged, uint64_t *shared)
{
    uint64_t set = range(q->first, q->n);

    switch (q->what) {
    case 'p':
        if (!(*plugged & set))
            *plugged |= set;
        break;
    case 'u':
        if ((*plugged & set) == set) {
            *plugged &= ~set;
            *shared &= ~set;
        }
        break;
    case 'a':
        *shared = *plugged ? 0 : *shared;
        *plugged = 0;
        break;
    case 's':
        *shared |= set;
        break;
    default:
        *shared &= ~set;
        break;
    }
}

static inline int make(struct vmem *m, const struct move *q)
{
    switch (q->what) {
    case 'p':
        return vmem_plug(m, q->first, q->n);
    case 'u':
        return vmem_unplug(m, q->first, q->n);
    case 'a':
        return vmem_unplug_all(m);
    default:
        return vmem_convert(m, q->first, q->n, q->what == 'v');
    }
}

/* Brings a fresh machine into a state: some pages shared before, some after the plugging. */
static inline void bring(struct vmem *m, uint64_t plugged, uint64_t shared)
{
    for (uint64_t p = 0; p < PAGES; p++)
        if (shared >> p & 1 && p % 3 == 0)
            assert_int_equal(vmem_convert(m, p, 1, false), 0);
    for (uint64_t b = 0; b < BLOCKS; b++)
        if (plugged >> b & 1)
            assert_int_equal(vmem_plug(m, b * BLOCK, BLOCK), 0);
    for (uint64_t p = 0; p < PAGES; p++)
        if (shared >> p & 1 && p % 3 != 0)
            assert_int_equal(vmem_convert(m, p, 1, false), 0);
    assert_null(vmem_broken(m, pages_of(plugged), shared));
    stub_trace_clear(&m->stub);
}

static const struct move moves[] = {
    {'p', 0, 2}, {'p', 2, 4}, {'p', 4, 2}, {'p', 0, 8}, {'u', 0, 2}, {'u', 2, 4},
    {'u', 6, 2}, {'u', 0, 8}, {'a', 0, 8}, {'s', 0, 8}, {'s', 1, 4}, {'s', 3, 1},
    {'v', 0, 8}, {'v', 1, 4}, {'v', 3, 1}, {'v', 5, 3},
};
enum { MOVES = sizeof moves / sizeof moves[0] };

static inline void expect_trace(struct vmem *m, const char *trace)
{
    assert_string_equal(m->stub.trace, trace);
    stub_trace_clear(&m->stub);
}

/* Tears down; nothing may be left. */
static inline void vmem_free(struct vmem *m)
{
    m->stub.watch_undo = false;
    m->stub.is_unplugged = NULL; /* nobody can be asked any more */
    for (int i = 0; i < STUB_SLOTS; i++)
        m->stub.slots[i] = (struct stub_slot){0};
    (void)vmm_destroy(m->vmm);
    if (stub_open_fds(&m->stub) || m->stub.n_vmas || m->stub.n_blocks || m->stub.n_maps)
        fail_msg("something is left");
    if (m->stub.violations)
        fail_msg("%s", m->stub.violation);
    free(m);
}

#endif
