/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "program/validate.h"

/* Those that the matrix may put for each other. */
enum { LISTED_SHARES = 1 << SHARE_ANON | 1 << SHARE_MEMFD };

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

static int check_hugetlb(const struct machine *m, uint32_t i, const struct complaint *c)
{
    const struct region_decl *r = &m->regions[i];
    const struct region_name name = region_name(m, i);

    if (r->share != SHARE_HUGETLB)
        return r->huge_pages ? complain(c, "%s: huge_pages= is for share=hugetlb", name.s) : 0;
    if (!r->huge_pages)
        return complain(c, "%s: share=hugetlb needs huge_pages=N", name.s);
    if (r->also_share)
        return complain(c, "%s: share=hugetlb stands alone", name.s);
    if (r->huge_pages < 2 || !power_of_two(r->huge_pages))
        return complain(c, "%s: huge_pages must be a power of two from 2 on, not %u", name.s,
                        r->huge_pages);
    if (r->n_pages % r->huge_pages)
        return complain(c, "%s: %u pages are not whole huge pages of %u", name.s, r->n_pages,
                        r->huge_pages);
    if (m->axis[AXIS_mode] == MODE_INPLACE && r->guest_memfd)
        return complain(c, "%s: in mode=inplace a guest_memfd cannot be hugetlb", name.s);
    return 0;
}

static int check_virtio_mem(const struct machine *m, uint32_t i, const struct complaint *c)
{
    const struct region_decl *r = &m->regions[i];
    const struct region_name name = region_name(m, i);
    uint32_t block = r->virtio_mem_pages;

    if (!block)
        return r->requested_pages
                   ? complain(c, "%s: requested= is for regions with virtio_mem=", name.s)
                   : 0;
    if (!r->guest_memfd)
        return complain(c, "%s: only ram with guest_memfd can have virtio_mem", name.s);
    if (!power_of_two(block) || r->n_pages % block)
        return complain(c,
                        "%s: virtio_mem must be a power of two that divides %u pages, not %u",
                        name.s, r->n_pages, block);
    if (block < r->huge_pages)
        return complain(c, "%s: blocks of %u pages are smaller than huge pages of %u", name.s,
                        block, r->huge_pages);
    if (r->requested_pages % block || r->requested_pages > r->n_pages)
        return complain(c, "%s: requested must be whole blocks of %u, up to %u pages, not %u",
                        name.s, block, r->n_pages, r->requested_pages);
    return 0;
}

static int check_region(const struct machine *m, uint32_t i, const struct complaint *c)
{
    const struct region_decl *r = &m->regions[i];
    int error;

    if (!region_kind_name(r->kind))
        return complain(c, "region %u is of unknown kind %u", i, r->kind);
    if (r->share >= SHARE_COUNT || r->guest_memfd > 1 || r->also_share & ~LISTED_SHARES ||
        r->also_share >> r->share & 1)
        return complain(c, "%s: a field is out of range", region_name(m, i).s);
    if (!r->n_pages)
        return complain(c, "%s has no pages", region_name(m, i).s);
    if (r->kind != REGION_RAM && r->guest_memfd)
        return complain(c, "%s cannot have guest_memfd, only ram can", region_name(m, i).s);
    if (r->kind == REGION_MMIO && (r->share || r->also_share))
        return complain(c, "%s has no memory, so no share=", region_name(m, i).s);
    error = check_hugetlb(m, i, c);
    return error ? error : check_virtio_mem(m, i, c);
}

int validate_regions(const struct machine *m, const struct complaint *c)
{
    uint64_t total = 0;
    int error = 0;

    for (uint32_t i = 0; i < m->n_regions && !error; i++) {
        error = check_region(m, i, c);
        total += m->regions[i].n_pages;
    }
    if (!error && total > PROGRAM_PAGES_MAX)
        error = complain(c, "%" PRIu64 " pages over all regions, the most is %u", total,
                         PROGRAM_PAGES_MAX);
    return error;
}
