/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core on the mock kernel, by hand: a world, a VMM in it, what is done to it and seen of
 * it. life_fixture.h and inplace_fixture.h build the machines. */
#ifndef TESTS_LIFE_WORLD_H
#define TESTS_LIFE_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/internal.h"
#include "program/op.h"
#include "sim/sim.h"

enum { LIFE_PAGE = PAGE_SIZE_4K, LIFE_TRACE_MAX = 256 };

struct life {
    struct sim_world *w;
    const struct observe *observe;
    struct vmm *vmm;
    enum vmm_order order;
    enum vmm_failure failure;
    enum vmm_tracker tracker;
    enum vmm_iommu iommu;
    uint32_t calls[POINT_COUNT]; /* since life_forget */
    uint32_t failed;             /* by a fault */
    char trace[LIFE_TRACE_MAX];  /* A attribute, M map, U unmap, P punch, D madvise */
    uint32_t n_trace;
};

static inline void life_note_call(void *ctx, const struct sim_call *call)
{
    static const struct {
        unsigned point;
        char letter;
    } letters[] = {{POINT_GMEM_SET_ATTRIBUTES, 'A'}, {POINT_VFIO_MAP, 'M'},
                   {POINT_VFIO_UNMAP, 'U'},          {POINT_GMEM_PUNCH, 'P'},
                   {POINT_MEMFD_PUNCH, 'P'},         {POINT_MM_MADVISE, 'D'},
                   {POINT_KVM_SET_ATTRIBUTES, 'V'}};
    struct life *l = ctx;

    l->calls[call->point]++;
    l->failed += call->injected;
    for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].point == call->point && l->n_trace + 1 < LIFE_TRACE_MAX)
            l->trace[l->n_trace++] = letters[i].letter;
}

static inline void life_forget(struct life *l)
{
    memset(l->calls, 0, sizeof l->calls);
    memset(l->trace, 0, sizeof l->trace);
    l->failed = l->n_trace = 0;
    sim_op_begin(l->w);
}

/* What the machine shall be is kept; nothing else is. */
static inline void life_new_world(struct life *l, const struct sim_config *config)
{
    struct sim_arena *arena = sim_arena_get();

    assert_non_null(arena);
    *l = (struct life){.w = sim_world_new(arena, config),
                       .order = l->order,
                       .failure = l->failure,
                       .tracker = l->tracker,
                       .iommu = l->iommu};
    l->observe = sim_observe(l->w);
    sim_world_on_call(l->w, life_note_call, l);
}

static inline int life_attach(struct life *l, uint32_t container, uint32_t group)
{
    sim_name_next_container(l->w, container);
    return vmm_device_attach(l->vmm, container, group);
}

static inline int life_convert(struct life *l, uint64_t gpa_page, uint64_t n, bool to_private)
{
    return vmm_convert(l->vmm, gpa_page * LIFE_PAGE, n * LIFE_PAGE, to_private);
}

static inline struct observe_page life_page(const struct life *l, uint64_t gpa_page)
{
    struct observe_page page;

    l->observe->pages(l->observe->ctx, gpa_page, 1, &page);
    return page;
}

static inline uint32_t life_mapped(const struct life *l, uint32_t container, uint64_t gpa_page)
{
    struct observe_mapping m;

    l->observe->mapping(l->observe->ctx, container, gpa_page, &m);
    return m.frame;
}

static inline bool life_tracker(const struct life *l, uint32_t region, uint64_t page)
{
    uint64_t bits;

    vmm_populated_bits(l->vmm, region, page, 1, &bits);
    return bits;
}

static inline void life_write(struct life *l, uint64_t gpa_page, uint64_t token)
{
    assert_int_equal(sim_guest_write(l->w, gpa_page * LIFE_PAGE, token), 0);
}

static inline uint64_t life_read(struct life *l, uint64_t gpa_page)
{
    uint64_t token = ~UINT64_C(0);

    assert_int_equal(sim_guest_read(l->w, gpa_page * LIFE_PAGE, &token), 0);
    return token;
}

static inline void life_arm(struct life *l, unsigned point, unsigned nth, int error, bool late)
{
    struct sim_fault fault = {.point = (uint16_t)point,
                              .error = (uint16_t)error,
                              .when = SIM_FAULT_NTH,
                              .late = late,
                              .value = nth};

    assert_int_equal(sim_fault_arm(l->w, &fault), 0);
}

/* Nothing is left of a machine, or what is. */
static inline const char *life_left(const struct life *l)
{
    struct observe_totals t;

    l->observe->totals(l->observe->ctx, &t);
    if (t.fds)
        return "file descriptors left";
    if (t.vmas)
        return "memory mappings left";
    if (t.allocations)
        return "memory left";
    return t.pins || t.locked_pages || t.frames ? "frames left" : NULL;
}

static inline void life_end(struct life *l)
{
    sim_fault_disarm_all(l->w);
    sim_unpin_all(l->w);
    assert_int_equal(vmm_destroy(l->vmm), 0);
    assert_null(life_left(l));
}

#endif
