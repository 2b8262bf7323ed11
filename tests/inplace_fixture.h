/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core in place on the mock kernel. By GPA page:
 *   0..16 ram0  16..32 ram1  40..44 ram2 (no guest_memfd)  64..72 ram3[4..12)
 * Container 0 listens to all (group 0), container 1 to ram0[3..9) (group 1).
 */
#ifndef TESTS_INPLACE_FIXTURE_H
#define TESTS_INPLACE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/vmm.h"
#include "program/op.h"
#include "sim/sim.h"

enum { IP_PAGE = PAGE_SIZE_4K, IP_GPA_PAGES = 72, IP_TRACE_MAX = 256 };

struct inplace {
    struct sim_world *w;
    const struct observe *observe;
    struct vmm *vmm;
    uint32_t calls[POINT_COUNT]; /* since inplace_forget */
    char trace[IP_TRACE_MAX];    /* of it: A attribute, M map, U unmap, P punch, D madvise */
    uint32_t n_trace;
    uint32_t fired;
};

static const struct {
    struct vmm_region_config config; /* pages */
    uint64_t offset, size, gpa;
} inplace_regions[] = {
    {{.guest_memfd = true, .size = 16}, 0, 16, 0},
    {{.share = VMM_SHARE_MEMFD, .guest_memfd = true, .size = 16}, 0, 16, 16},
    {{.share = VMM_SHARE_MEMFD, .size = 4}, 0, 4, 40},
    {{.guest_memfd = true, .size = 16}, 4, 8, 64},
};
enum { IP_REGIONS = sizeof inplace_regions / sizeof inplace_regions[0] };

static inline void inplace_note(void *ctx, const struct sim_call *call)
{
    static const struct {
        unsigned point;
        char letter;
    } letters[] = {{POINT_GMEM_SET_ATTRIBUTES, 'A'}, {POINT_VFIO_MAP, 'M'},
                   {POINT_VFIO_UNMAP, 'U'},          {POINT_GMEM_PUNCH, 'P'},
                   {POINT_MEMFD_PUNCH, 'P'},         {POINT_MM_MADVISE, 'D'},
                   {POINT_KVM_SET_ATTRIBUTES, 'V'}};
    struct inplace *ip = ctx;

    ip->calls[call->point]++;
    ip->fired += call->injected;
    for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].point == call->point && ip->n_trace + 1 < IP_TRACE_MAX)
            ip->trace[ip->n_trace++] = letters[i].letter;
}

static inline void inplace_forget(struct inplace *ip)
{
    memset(ip->calls, 0, sizeof ip->calls);
    memset(ip->trace, 0, sizeof ip->trace);
    ip->n_trace = ip->fired = 0;
    sim_op_begin(ip->w);
}

static inline void inplace_world(struct inplace *ip, enum sim_kernel kernel, bool attributes)
{
    struct sim_config config = {.page_size = IP_PAGE,
                                .kernel = kernel,
                                .gmem_attributes = attributes,
                                .memlock_pages = UINT64_MAX,
                                .n_groups = 2,
                                .fault_seed = 1};
    struct sim_arena *arena = sim_arena_get();

    assert_non_null(arena);
    *ip = (struct inplace){.w = sim_world_new(arena, &config)};
    ip->observe = sim_observe(ip->w);
    sim_world_on_call(ip->w, inplace_note, ip);
}

static inline int inplace_create(struct inplace *ip, const struct vmm_config *config)
{
    struct host host = sim_host(ip->w);
    const struct sync no_sync = {NULL, NULL};
    int rc = vmm_create(&host, &no_sync, config, &ip->vmm);

    if (rc)
        ip->vmm = NULL;
    return rc;
}

static inline void inplace_regions_add(struct inplace *ip)
{
    uint32_t index;

    for (int i = 0; i < IP_REGIONS; i++) {
        struct vmm_region_config region = inplace_regions[i].config;

        region.size *= IP_PAGE;
        assert_int_equal(vmm_region_add(ip->vmm, &region, &index), 0);
        assert_int_equal(vmm_section_add(ip->vmm, index, inplace_regions[i].offset * IP_PAGE,
                                         inplace_regions[i].size * IP_PAGE,
                                         inplace_regions[i].gpa * IP_PAGE),
                         0);
    }
}

/* With both devices plugged in. */
static inline void inplace_start(struct inplace *ip, const struct vmm_config *config)
{
    uint32_t index;

    inplace_world(ip, SIM_KERNEL_PROPOSED, true);
    assert_int_equal(inplace_create(ip, config), 0);
    inplace_regions_add(ip);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(vmm_container_add(ip->vmm, VMM_IOMMU_TYPE1, i == 0, &index), 0);
        sim_name_next_container(ip->w, i);
        assert_int_equal(vmm_device_attach(ip->vmm, i, i), 0);
    }
    assert_int_equal(vmm_listen(ip->vmm, 1, 0, 3 * IP_PAGE, 6 * IP_PAGE), 0);
    inplace_forget(ip);
}

static inline int inplace_convert(struct inplace *ip, uint64_t first, uint64_t n, bool private)
{
    return vmm_convert(ip->vmm, first * IP_PAGE, n * IP_PAGE, private);
}

static inline struct observe_page inplace_page(const struct inplace *ip, uint64_t gpa_page)
{
    struct observe_page page;

    ip->observe->pages(ip->observe->ctx, gpa_page, 1, &page);
    return page;
}

static inline uint32_t inplace_mapped(const struct inplace *ip, uint32_t c, uint64_t gpa_page)
{
    struct observe_mapping m;

    ip->observe->mapping(ip->observe->ctx, c, gpa_page, &m);
    return m.frame;
}

static inline void inplace_write(struct inplace *ip, uint64_t gpa_page, uint64_t token)
{
    assert_int_equal(sim_guest_write(ip->w, gpa_page * IP_PAGE, token), 0);
}

static inline uint64_t inplace_read(struct inplace *ip, uint64_t gpa_page)
{
    uint64_t token = ~UINT64_C(0);

    assert_int_equal(sim_guest_read(ip->w, gpa_page * IP_PAGE, &token), 0);
    return token;
}

static inline void inplace_arm(struct inplace *ip, unsigned point, unsigned nth, int error,
                               bool late)
{
    struct sim_fault fault = {.point = (uint16_t)point,
                              .error = (uint16_t)error,
                              .when = SIM_FAULT_NTH,
                              .late = late,
                              .value = nth};

    assert_int_equal(sim_fault_arm(ip->w, &fault), 0);
}

static inline bool inplace_hears(uint32_t container, uint32_t region, uint64_t page)
{
    return container == 0 || (region == 0 && page >= 3 && page < 9);
}

/* What is known of one guest_memfd page: tracker, attribute, mappings; the first thing that
 * does not fit, or NULL. */
static inline const char *inplace_page_broken(const struct inplace *ip, uint32_t r, uint64_t p,
                                              bool shared)
{
    uint64_t gpa = inplace_regions[r].gpa + p, offset = inplace_regions[r].offset + p, bit;
    struct observe_page page = inplace_page(ip, gpa);

    vmm_populated_bits(ip->vmm, r, offset, 1, &bit);
    if (bit != shared)
        return "tracker";
    if (page.is_private == shared)
        return "attribute";
    if (shared ? page.private_frame : page.shared_frame)
        return "a frame on the side that is not live";
    for (uint32_t c = 0; c < 2; c++) {
        uint32_t mapped = inplace_mapped(ip, c, gpa);

        if ((mapped != 0) != (shared && inplace_hears(c, r, offset)))
            return "mapped is not shared";
        if (mapped && mapped != page.shared_frame)
            return "mapped elsewhere";
    }
    return NULL;
}

/* Everything at rest; `shared` by GPA page. */
static inline const char *inplace_broken(const struct inplace *ip, const bool *shared)
{
    struct observe_totals totals;
    uint64_t mapped = 0;

    for (uint32_t r = 0; r < IP_REGIONS; r++)
        for (uint64_t p = 0; p < inplace_regions[r].size; p++) {
            const char *broken = NULL;

            if (inplace_regions[r].config.guest_memfd)
                broken = inplace_page_broken(ip, r, p, shared[inplace_regions[r].gpa + p]);
            if (broken)
                return broken;
            for (uint32_t c = 0; c < 2; c++)
                mapped += inplace_mapped(ip, c, inplace_regions[r].gpa + p) != 0;
        }
    ip->observe->totals(ip->observe->ctx, &totals);
    return totals.pins < mapped ? "pins" : NULL;
}

static inline void inplace_end(struct inplace *ip)
{
    struct observe_totals t;

    sim_fault_disarm_all(ip->w);
    sim_unpin_all(ip->w);
    assert_int_equal(vmm_destroy(ip->vmm), 0);
    ip->observe->totals(ip->observe->ctx, &t);
    assert_int_equal(t.pins + t.locked_pages + t.fds + t.vmas + t.frames + t.allocations, 0);
}

static const struct vmm_config plain = {
    .page_size = IP_PAGE, .n_vcpus = 1, .mode = VMM_MODE_INPLACE};

/* What most tests use. */
static struct inplace ip;
static bool shared[IP_GPA_PAGES]; /* what must be */

static inline int setup(void **state)
{
    (void)state;
    memset(shared, 0, sizeof shared);
    inplace_start(&ip, &plain);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    inplace_end(&ip);
    return 0;
}

static inline void set_shared(uint64_t first, uint64_t n, bool value)
{
    for (uint64_t i = first; i < first + n; i++)
        shared[i] = value;
}

/* Converts, and that must have worked. */
static inline void become(uint64_t first, uint64_t n, bool to_private)
{
    assert_int_equal(inplace_convert(&ip, first, n, to_private), 0);
    set_shared(first, n, !to_private);
    assert_null(inplace_broken(&ip, shared));
}

static inline bool blocked_at(uint32_t region, uint64_t page)
{
    uint32_t r;
    uint64_t offset;

    return vmm_blocked(ip.vmm, &r, &offset) && r == region && offset == page * IP_PAGE;
}

static inline bool nothing_blocked(void)
{
    uint32_t r;
    uint64_t offset;

    return !vmm_blocked(ip.vmm, &r, &offset);
}

#endif
