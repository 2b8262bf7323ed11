/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The declaration of a region. */
#include <assert.h>

#include "program/parser.h"
#include "program/writer.h"

struct region_keys {
    struct region_decl decl;
    bool has_requested;
};

static int set_pages(struct parser *ps, struct word value, void *out)
{
    struct region_keys *k = out;

    return parse_u32(ps, "pages", value, 1, PROGRAM_PAGES_MAX, &k->decl.n_pages);
}

static int parse_share(struct parser *ps, struct word value, uint8_t *share)
{
    return parse_one_of(ps, "share", value, share_names, SHARE_COUNT, share);
}

/* "anon", "memfd|anon": the first is what it has, the others are for the matrix. */
static int parse_share_set(struct parser *ps, struct word values, struct region_decl *r)
{
    uint32_t end = word_find(values, '|');
    int error = parse_share(ps, word_head(values, end), &r->share);

    r->also_share = 0;
    while (!error && end < values.n) {
        uint8_t other = 0;

        values = word_tail(values, end + 1);
        end = word_find(values, '|');
        error = parse_share(ps, word_head(values, end), &other);
        if (!error && (r->share == SHARE_HUGETLB || other == SHARE_HUGETLB))
            error = complain(&ps->complaint, "share=hugetlb needs its huge_pages=, so it stands"
                                             " alone");
        if (!error && (other == r->share || r->also_share >> other & 1))
            error = complain(&ps->complaint, "share=%s is given twice", share_names[other]);
        r->also_share |= (uint8_t)(1 << other);
    }
    return error;
}

static int set_share(struct parser *ps, struct word value, void *out)
{
    struct region_keys *k = out;

    if (k->decl.kind == REGION_MMIO)
        return complain(&ps->complaint, "an mmio region has no memory, so no share=");
    return parse_share_set(ps, value, &k->decl);
}

static int set_guest_memfd(struct parser *ps, struct word value, void *out)
{
    static const char *const names[] = {"no", "yes"};
    struct region_keys *k = out;

    return parse_one_of(ps, "guest_memfd", value, names, 2, &k->decl.guest_memfd);
}

/* In base pages, or as the sizes that x86 has. */
static int set_huge_pages(struct parser *ps, struct word value, void *out)
{
    enum { MIB = 1 << 20, GIB = 1 << 30 };
    uint32_t page_size = machine_page_size(&ps->p->machine);
    struct region_keys *k = out;

    if (word_is(value, "2m") || word_is(value, "1g")) {
        k->decl.huge_pages = (word_is(value, "2m") ? MIB * 2 : GIB) / page_size;
        return 0;
    }
    return parse_u32(ps, "huge_pages", value, 2, PROGRAM_PAGES_MAX, &k->decl.huge_pages);
}

static int set_virtio_mem(struct parser *ps, struct word value, void *out)
{
    struct region_keys *k = out;

    return parse_u32(ps, "virtio_mem", value, 1, PROGRAM_PAGES_MAX, &k->decl.virtio_mem_pages);
}

static int set_requested(struct parser *ps, struct word value, void *out)
{
    struct region_keys *k = out;

    k->has_requested = true;
    return parse_u32(ps, "requested", value, 0, PROGRAM_PAGES_MAX, &k->decl.requested_pages);
}

/* Its name says what kind it is, and must be the next one. */
static int take_region(struct parser *ps, struct region_decl *r)
{
    const struct machine *m = &ps->p->machine;
    struct word w = {0};
    uint32_t kind = 0;
    uint64_t number = 0;
    int error = take_word(ps, "a region like ram0", &w);

    if (error)
        return error;
    if (!region_word(w, &kind, &number))
        return complain(&ps->complaint, "expected a region like ram0, rom1 or mmio2, got '%s'",
                        quote(w).s);
    if (number != m->n_regions)
        return complain(&ps->complaint,
                        "regions are numbered as they come: expected %s%u, got"
                        " '%s'",
                        region_kind_name(kind), m->n_regions, quote(w).s);
    if (m->n_regions == PROGRAM_REGIONS_MAX)
        return complain(&ps->complaint, "too many regions, the most is %d",
                        PROGRAM_REGIONS_MAX);
    r->kind = (uint8_t)kind;
    r->guest_memfd = kind == REGION_RAM;
    r->also_share = kind == REGION_MMIO ? 0 : 1 << SHARE_MEMFD;
    return 0;
}

int parse_region_statement(struct parser *ps)
{
    static const struct key keys[] = {
        {"pages", false, set_pages},
        {"share", false, set_share},
        {"guest_memfd", false, set_guest_memfd},
        {"huge_pages", false, set_huge_pages},
        {"virtio_mem", false, set_virtio_mem},
        {"requested", false, set_requested},
    };
    struct machine *m = &ps->p->machine;
    struct region_keys k = {.decl = {0}};
    int error = take_region(ps, &k.decl);

    if (!error)
        error = parse_keys(ps, "region", keys, sizeof(keys) / sizeof(keys[0]), &k);
    if (!error && !k.decl.n_pages)
        error = complain(&ps->complaint, "expected pages=N");
    if (!error && k.has_requested && !k.decl.virtio_mem_pages)
        error = complain(&ps->complaint, "requested= is for regions with virtio_mem=");
    if (error)
        return error;
    if (k.decl.virtio_mem_pages && !k.has_requested)
        k.decl.requested_pages = k.decl.n_pages;
    assert(m->n_regions < PROGRAM_REGIONS_MAX);
    m->regions[m->n_regions++] = k.decl;
    return 0;
}
