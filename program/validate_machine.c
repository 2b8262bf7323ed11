/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "program/validate.h"

static int check_values(const struct machine *m, const struct complaint *c)
{
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        if (!program_axis_value(i, m->axis[i]))
            return complain(c, "unknown value %u of axis %s; this version has: %s", m->axis[i],
                            program_axis_name(i), program_axis_values(i));
        if (m->also[i] & ~program_axis_all(i) || m->also[i] >> m->axis[i] & 1)
            return complain(c, "%s: the other values must be other values, not 0x%x",
                            program_axis_name(i), m->also[i]);
    }
    return 0;
}

/* Does the machine have this value of this axis? */
#define HAS(axis_name, value) (m->axis[AXIS_##axis_name] == (value))

static int check_axes_together(const struct machine *m, const struct complaint *c)
{
    if (HAS(mode, MODE_INPLACE) && !HAS(kernel, KERNEL_PROPOSED))
        return complain(c, "mode=inplace needs kernel=proposed");
    if (HAS(mode, MODE_INPLACE) && !HAS(order, ORDER_ATTRIBUTE_FIRST))
        return complain(c, "mode=inplace has one order, so order= must stay attribute-first");
    if (HAS(mapping, MAPPING_PAGE) && !HAS(split, SPLIT_REMAP))
        return complain(c, "mapping=page has nothing to split, so split= must stay remap");
    if (HAS(split, SPLIT_CUT) && (HAS(iommu, IOMMU_TYPE1) || HAS(iommu, IOMMU_TYPE1V1)))
        return complain(c, "split=cut needs iommu=iommufd, compat or compatv1");
    return 0;
}

static int check_count(uint32_t n, uint32_t max, const char *what, const struct complaint *c)
{
    if (n > max)
        return complain(c, "%u %s, the most is %u", n, what, max);
    return 0;
}

static int check_counts(const struct machine *m, const struct complaint *c)
{
    int error = check_count(m->n_vcpus, PROGRAM_VCPUS_MAX, "vCPUs", c);

    if (!error && !m->n_vcpus)
        error = complain(c, "a machine needs a vCPU");
    if (!error)
        error = check_count(m->n_regions, PROGRAM_REGIONS_MAX, "regions", c);
    if (!error)
        error = check_count(m->n_sections, PROGRAM_SECTIONS_MAX, "sections", c);
    if (!error)
        error = check_count(m->n_containers, PROGRAM_CONTAINERS_MAX, "containers", c);
    if (!error)
        error = check_count(m->n_devices, PROGRAM_DEVICES_MAX, "devices", c);
    return error;
}

/* Do [a, a + a_n) and [b, b + b_n) share a page? Neither sum overflows. */
static bool overlap(uint64_t a, uint64_t a_n, uint64_t b, uint64_t b_n)
{
    return a < b + b_n && b < a + a_n;
}

static int check_pair(const struct machine *m, uint32_t i, uint32_t j,
                      const struct complaint *c)
{
    const struct section_decl *a = &m->sections[i], *b = &m->sections[j];

    if (overlap(a->gpa_page, a->n_pages, b->gpa_page, b->n_pages))
        return complain(c,
                        "section %u (%s at GPA page %" PRIu64
                        ") overlaps section %u (%s at %" PRIu64 ")",
                        i, region_name(m, a->region).s, a->gpa_page, j,
                        region_name(m, b->region).s, b->gpa_page);
    if (a->region == b->region && m->regions[a->region].guest_memfd &&
        overlap(a->first_page, a->n_pages, b->first_page, b->n_pages))
        return complain(c,
                        "sections %u and %u both show pages of %s: a guest_memfd page has"
                        " one GPA at most",
                        j, i, region_name(m, a->region).s);
    return 0;
}

/* What a section may show depends on what its region is. */
static int check_shown(const struct machine *m, uint32_t i, const struct complaint *c)
{
    const struct section_decl *s = &m->sections[i];
    const struct region_decl *r = &m->regions[s->region];

    if (r->huge_pages && (s->first_page % r->huge_pages || s->n_pages % r->huge_pages))
        return complain(c, "section %u: %s is shown in whole huge pages of %u", i,
                        region_name(m, s->region).s, r->huge_pages);
    if (r->virtio_mem_pages && s->n_pages != r->n_pages)
        return complain(c, "section %u: %s has virtio_mem, so a section shows all of it", i,
                        region_name(m, s->region).s);
    return 0;
}

static int check_section(const struct machine *m, uint32_t i, const struct complaint *c)
{
    const struct section_decl *s = &m->sections[i];
    uint64_t end = PROGRAM_GPA_END / machine_page_size(m);

    if (s->region >= m->n_regions || s->pad)
        return complain(c, "section %u is of region %u, there are %u", i, s->region,
                        m->n_regions);
    if (!s->n_pages)
        return complain(c, "section %u has no pages", i);
    if (s->n_pages > m->regions[s->region].n_pages ||
        s->first_page > m->regions[s->region].n_pages - s->n_pages)
        return complain(c, "%s has %u pages, section %u ends at %" PRIu64,
                        region_name(m, s->region).s, m->regions[s->region].n_pages, i,
                        (uint64_t)s->first_page + s->n_pages);
    if (s->gpa_page > end || s->n_pages > end - s->gpa_page)
        return complain(c,
                        "section %u (%u pages at GPA page %" PRIu64
                        ") must end at page 0x%" PRIx64
                        " or below: DMA uses IOVA = GPA, and type1 maps nothing from"
                        " 0x%" PRIx64 " on",
                        i, s->n_pages, s->gpa_page, end, PROGRAM_GPA_END);
    return check_shown(m, i, c);
}

static int check_sections(const struct machine *m, const struct complaint *c)
{
    for (uint32_t i = 0; i < m->n_sections; i++) {
        int error = check_section(m, i, c);

        for (uint32_t j = 0; j < i && !error; j++)
            error = check_pair(m, i, j, c);
        if (error)
            return error;
    }
    return 0;
}

static int check_io(const struct machine *m, const struct complaint *c)
{
    for (uint32_t i = 0; i < m->n_containers; i++) {
        if (m->containers[i].listen_all > 1)
            return complain(c, "c%u: a field is out of range", i);
    }
    for (uint32_t i = 0; i < m->n_devices; i++) {
        if (m->devices[i].container >= m->n_containers)
            return complain(c, "d%u is in container %u, there are %u", i,
                            m->devices[i].container, m->n_containers);
    }
    return 0;
}

int validate_axes(const struct machine *m, const struct complaint *c)
{
    int error = check_values(m, c);

    return error ? error : check_axes_together(m, c);
}

int validate_machine(const struct machine *m, const struct complaint *c)
{
    int error = validate_axes(m, c);

    if (!error)
        error = check_counts(m, c);
    if (!error)
        error = validate_regions(m, c);
    if (!error)
        error = check_sections(m, c);
    if (!error)
        error = check_io(m, c);
    return error;
}
