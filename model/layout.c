/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where every page is: built once from the machine, so that no question walks it again. */
#include "model/state.h"

uint32_t layout_page_size(const struct machine *m)
{
    /* by the axis' values */
    static const uint32_t sizes[] = {PAGE_SIZE_4K, 4 * PAGE_SIZE_4K, 16 * PAGE_SIZE_4K};

    assert(m->axis[AXIS_page_size] < sizeof(sizes) / sizeof(sizes[0]));
    return sizes[m->axis[AXIS_page_size]];
}

/* Does an earlier section show a page of this one too? */
static bool section_overlaps(const struct machine *m, uint32_t n)
{
    const struct section_decl *s = &m->sections[n];

    for (uint32_t i = 0; i < n; i++) {
        const struct section_decl *e = &m->sections[i];

        if (e->region == s->region && e->first_page < s->first_page + s->n_pages &&
            s->first_page < e->first_page + e->n_pages)
            return true;
    }
    return false;
}

static uint32_t count_pages(const struct machine *m)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->n_regions; i++)
        n += m->regions[i].n_pages;
    assert(n <= PROGRAM_PAGES_MAX);
    return n;
}

uint32_t layout_slots(const struct machine *m)
{
    uint32_t n = count_pages(m);

    for (uint32_t i = 1; i < m->n_sections; i++)
        if (section_overlaps(m, i))
            n += m->sections[i].n_pages;
    return n;
}

static uint32_t kind_of(const struct region_decl *r)
{
    uint32_t huge = r->share == SHARE_HUGETLB ? SLOT_HUGE : 0;

    switch (r->kind) {
    case REGION_MMIO:
        return SLOT_MMIO;
    case REGION_ROM:
        return SLOT_ROM | huge;
    default:
        return (r->guest_memfd ? SLOT_GMEM : 0) | (r->virtio_mem_pages ? SLOT_VMEM : 0) | huge;
    }
}

static void place_regions(struct model *o)
{
    uint32_t page = 0;

    for (uint32_t r = 0; r < o->m->n_regions; r++) {
        uint32_t kind = kind_of(&o->m->regions[r]);

        o->region_first[r] = page;
        for (uint32_t i = 0; i < o->m->regions[r].n_pages; i++, page++)
            o->info[page] = (struct slot_info){NO_GPA, page, kind};
    }
    o->region_first[o->m->n_regions] = page;
    assert(page == o->n_pages);
}

/* Gives the pages of a section their address; the ones that have one get an alias. */
static void place_section(struct model *o, struct section *s, uint32_t *next_alias)
{
    uint32_t kind = kind_of(&o->m->regions[s->region]);

    for (uint32_t i = 0; i < s->n_pages; i++) {
        struct slot_info *slot = &o->info[s->home + i];

        if (slot->kind & SLOT_PLACED) {
            assert(s->alias != 0 && !(kind & SLOT_GMEM));
            slot = &o->info[s->alias + i];
            *slot = (struct slot_info){NO_GPA, s->home + i, kind};
        } else if (s->alias) { /* not needed */
            o->info[s->alias + i] = (struct slot_info){NO_GPA, s->home + i, SLOT_MMIO};
        }
        slot->gpa_page = s->gpa_page + i;
        slot->kind |= i == 0 ? SLOT_PLACED | SLOT_HEAD : SLOT_PLACED;
    }
    if (s->alias)
        *next_alias += s->n_pages;
    if (!(kind & (SLOT_GMEM | SLOT_MMIO)))
        o->plain_sections++;
}

static void insert_sorted(struct model *o, const struct section *s)
{
    uint32_t at = o->n_sections++;

    assert(o->n_sections <= PROGRAM_SECTIONS_MAX);
    while (at > 0 && o->sections[at - 1].gpa_page > s->gpa_page) {
        o->sections[at] = o->sections[at - 1];
        at--;
    }
    o->sections[at] = *s;
}

void layout_build(struct model *o)
{
    uint32_t next_alias = o->n_pages;

    place_regions(o);
    for (uint32_t i = 0; i < o->m->n_sections; i++) {
        const struct section_decl *d = &o->m->sections[i];
        struct section s = {.gpa_page = d->gpa_page,
                            .n_pages = d->n_pages,
                            .region = d->region,
                            .first_page = d->first_page,
                            .home = o->region_first[d->region] + d->first_page,
                            .alias = section_overlaps(o->m, i) ? next_alias : 0};

        place_section(o, &s, &next_alias);
        insert_sorted(o, &s);
    }
    assert(next_alias == o->n_slots);
}

uint32_t layout_section_slot(const struct model *o, const struct section *s, uint32_t i)
{
    assert(i < s->n_pages);
    if (s->alias && o->info[s->home + i].gpa_page != s->gpa_page + i)
        return s->alias + i;
    return s->home + i;
}

uint32_t layout_slots_at(const struct model *o, uint64_t gpa_page, uint64_t *n)
{
    assert(*n > 0);
    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t offset = gpa_page - s->gpa_page;

        if (gpa_page < s->gpa_page)
            break;
        if (offset >= s->n_pages)
            continue;
        if (s->alias)
            *n = 1;
        else if (*n > s->n_pages - offset)
            *n = s->n_pages - offset;
        return layout_section_slot(o, s, (uint32_t)offset);
    }
    *n = 1;
    return MODEL_NO_PAGE;
}

uint32_t layout_slot_at(const struct model *o, uint64_t gpa_page)
{
    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];

        if (gpa_page < s->gpa_page)
            break;
        if (gpa_page - s->gpa_page < s->n_pages)
            return layout_section_slot(o, s, (uint32_t)(gpa_page - s->gpa_page));
    }
    return MODEL_NO_PAGE;
}

uint64_t layout_op_gpa(const struct model *o, const struct op *op)
{
    uint64_t page = op->start >> o->page_shift;
    uint64_t gpa;

    if (op->region == OP_NO_REGION)
        return op->start;
    if (op->region >= o->m->n_regions || page >= o->m->regions[op->region].n_pages)
        return NO_GPA;
    gpa = o->info[o->region_first[op->region] + page].gpa_page;
    if (gpa == NO_GPA)
        return NO_GPA;
    return (gpa << o->page_shift) + (op->start & ((1ULL << o->page_shift) - 1));
}

void layout_huge_page(const struct model *o, uint32_t home, uint32_t *lo, uint32_t *hi)
{
    uint32_t region = 0, n;

    while (home >= o->region_first[region + 1])
        region++;
    n = o->m->regions[region].huge_pages;
    assert(n && region < o->m->n_regions);
    *lo = home - (home - o->region_first[region]) % n;
    *hi = *lo + n;
}

bool layout_range(const struct model *o, uint32_t region, uint64_t start, uint64_t size,
                  uint32_t *lo, uint32_t *hi)
{
    uint64_t mask = (1ULL << o->page_shift) - 1, total;

    if (region >= o->m->n_regions)
        return false;
    total = (uint64_t)o->m->regions[region].n_pages << o->page_shift;
    if (size == 0 || ((start | size) & mask) || start >= total || size > total - start)
        return false;
    *lo = o->region_first[region] + (uint32_t)(start >> o->page_shift);
    *hi = *lo + (uint32_t)(size >> o->page_shift);
    return true;
}
