/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine of core_fixture.h with mapping=run, container 0 attached. */
#ifndef TESTS_CORE_RUN_FIXTURE_H
#define TESTS_CORE_RUN_FIXTURE_H

#include <stdlib.h>

#include "tests/core_fixture.h"

static inline int run_start(void **state, enum vmm_order order, enum vmm_split split,
                            unsigned limit)
{
    struct fixture *f = calloc(1, sizeof *f);

    stub_init(&f->stub);
    f->order = order;
    f->mapping = VMM_MAPPING_RUN;
    f->split = split;
    if (limit) {
        f->stub.map_limit = limit;
        f->stub.tells_limit = true;
    }
    *state = f;
    if (fixture_build(f, &(struct sync){NULL, NULL}) || vmm_device_attach(f->vmm, 0, 0))
        return -1;
    stub_trace_clear(&f->stub);
    f->stub.watch_undo = true;
    return 0;
}

static inline int run_finish(void **state)
{
    struct fixture *f = *state;
    const char *left;
    bool bad;

    stub_fail_none(&f->stub);
    bad = f->vmm && vmm_destroy(f->vmm) && !f->stub.violations;
    left = fixture_left(f);
    if (left || f->stub.violations)
        print_error("%s\n", left ? left : f->stub.violation);
    bad |= left || f->stub.violations;
    free(f);
    return bad;
}

/* The mappings in a range of GPA pages, "10+4 16+2", ascending. */
static inline const char *mapped(const struct fixture *f, uint64_t first, uint64_t end,
                                 char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = 0;
    for (uint64_t page = first; page < end; page++)
        for (unsigned i = 0; i < f->stub.n_maps; i++)
            if (f->stub.maps[i].iova == page * STUB_PAGE)
                used += (size_t)snprintf(buf + used, size - used, "%s%llu+%llu",
                                         used ? " " : "", (unsigned long long)page,
                                         (unsigned long long)f->stub.maps[i].size / STUB_PAGE);
    return buf;
}

static inline void expect_mapped(struct fixture *f, uint64_t first, uint64_t end,
                                 const char *want)
{
    char buf[256];

    assert_string_equal(mapped(f, first, end, buf, sizeof buf), want);
    assert_null(fixture_broken(f, true));
}

static inline void expect_trace(struct fixture *f, const char *want)
{
    assert_string_equal(f->stub.trace, want);
    stub_trace_clear(&f->stub);
}

/* Every mapping shows the memory that its pages have (D1: a tail with the head's address). */
static inline void expect_addresses(const struct fixture *f)
{
    for (unsigned i = 0; i < f->stub.n_maps; i++) {
        const struct stub_mapping *m = &f->stub.maps[i];
        bool found = false;

        for (unsigned j = 0; j < STUB_SLOTS; j++) {
            const struct stub_slot *s = &f->stub.slots[j];

            found |= s->size && m->iova >= s->gpa && m->iova + m->size <= s->gpa + s->size &&
                     m->vaddr == s->hva + (m->iova - s->gpa);
        }
        assert_true(found);
    }
}

#endif
