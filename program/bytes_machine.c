/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of the byte form. A machine grows part by part; a part that would make it invalid is
 * replaced by a plain one, or left out. A valid machine loses nothing by that. */
#include <string.h>

#include "program/bytes_internal.h"
#include "program/validate.h"

static const struct complaint nobody = {NULL, 0};

/* ---- axes ---- */

/* Those that go together with the ones before them; a machine's own are tried as a whole. */
static void set_axes(struct machine *m, const uint8_t *axis)
{
    memcpy(m->axis, axis, sizeof(m->axis));
    if (validate_axes(m, &nobody) == 0)
        return;
    memset(m->axis, 0, sizeof(m->axis));
    for (uint32_t i = AXIS_COUNT; i-- > 0;) {
        m->axis[i] = axis[i];
        if (validate_axes(m, &nobody))
            m->axis[i] = 0;
    }
    assert(validate_axes(m, &nobody) == 0);
}

static void read_axes(struct cursor *c, struct machine *m)
{
    uint8_t axis[AXIS_COUNT];

    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        axis[i] = (uint8_t)(cursor_byte(c) % program_axis_count(i));
    set_axes(m, axis);
}

static void read_also(struct cursor *c, struct machine *m)
{
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        m->also[i] = (uint8_t)(cursor_byte(c) & program_axis_all(i) & ~(1u << m->axis[i]));
}

/* ---- parts ---- */

static void add_region(struct machine *m, struct region_decl r)
{
    const struct region_decl plain = {
        .kind = REGION_RAM, .share = SHARE_MEMFD, .guest_memfd = 1, .n_pages = 8};

    if (m->n_regions == PROGRAM_REGIONS_MAX)
        return;
    m->regions[m->n_regions++] = r;
    if (validate_regions(m, &nobody))
        m->regions[m->n_regions - 1] = plain;
    if (validate_regions(m, &nobody))
        m->regions[--m->n_regions] = (struct region_decl){0};
}

static void add_section(struct machine *m, struct section_decl s)
{
    if (m->n_sections == PROGRAM_SECTIONS_MAX)
        return;
    m->sections[m->n_sections++] = s;
    if (validate_machine(m, &nobody))
        m->sections[--m->n_sections] = (struct section_decl){0};
}

static void add_container(struct machine *m, uint64_t listen_all, uint64_t entries)
{
    if (m->n_containers < PROGRAM_CONTAINERS_MAX)
        m->containers[m->n_containers++] = (struct container_decl){
            .listen_all = listen_all & 1, .entry_limit = (uint32_t)entries};
}

static void add_device(struct machine *m, uint64_t container)
{
    if (m->n_devices < PROGRAM_DEVICES_MAX && m->n_containers)
        m->devices[m->n_devices++] =
            (struct device_decl){(uint32_t)(container % m->n_containers)};
}

static bool is_shown(const struct machine *m, uint32_t region)
{
    for (uint32_t i = 0; i < m->n_sections; i++)
        if (m->sections[i].region == region)
            return true;
    return false;
}

/* What a machine must have. */
static void complete(struct machine *m)
{
    if (!m->n_regions)
        add_region(m, (struct region_decl){0});
    for (uint32_t i = 0; i < m->n_regions; i++)
        if (!is_shown(m, i))
            m->regions[i].virtio_mem_pages = m->regions[i].requested_pages = 0;
    assert(m->n_regions && validate_machine(m, &nobody) == 0);
}

/* ---- the whole machine, as it is ---- */

/* How many follow: no more than there can be. */
static uint64_t read_count(struct cursor *c, uint64_t max)
{
    uint64_t n = cursor_number(c);

    return n < max ? n : max;
}

static void read_regions(struct cursor *c, struct machine *m)
{
    for (uint64_t n = read_count(c, PROGRAM_REGIONS_MAX); n > 0; n--) {
        struct region_decl r = {.kind = cursor_byte(c), .share = cursor_byte(c)};

        r.guest_memfd = cursor_byte(c);
        r.also_share = cursor_byte(c);
        r.n_pages = (uint32_t)cursor_number(c);
        r.huge_pages = (uint32_t)cursor_number(c);
        r.virtio_mem_pages = (uint32_t)cursor_number(c);
        r.requested_pages = (uint32_t)cursor_number(c);
        add_region(m, r);
    }
}

static void read_sections(struct cursor *c, struct machine *m)
{
    for (uint64_t n = read_count(c, PROGRAM_SECTIONS_MAX); n > 0; n--) {
        struct section_decl s = {.region = (uint32_t)cursor_number(c)};

        s.first_page = (uint32_t)cursor_number(c);
        s.n_pages = (uint32_t)cursor_number(c);
        s.gpa_page = cursor_number(c);
        add_section(m, s);
    }
}

static void read_machine(struct cursor *c, struct program *p)
{
    struct machine *m = &p->machine;
    uint64_t n;

    read_also(c, m);
    m->n_vcpus = 1 + (uint32_t)((cursor_number(c) + PROGRAM_VCPUS_MAX - 1) % PROGRAM_VCPUS_MAX);
    m->memlock_pages = (uint32_t)cursor_number(c);
    read_regions(c, m);
    read_sections(c, m);
    for (n = read_count(c, PROGRAM_CONTAINERS_MAX); n > 0; n--) {
        uint64_t listen_all = cursor_number(c);

        add_container(m, listen_all, cursor_number(c));
    }
    for (n = read_count(c, PROGRAM_DEVICES_MAX); n > 0; n--)
        add_device(m, cursor_number(c));
    p->seed = cursor_number(c);
    p->sweep_from = (uint32_t)cursor_number(c);
}

/* ---- a small machine from six bytes ---- */

static void draw_region(struct machine *m, uint8_t how, uint64_t *gpa_page)
{
    uint32_t n_pages = 2 + (how & 0xe), region = m->n_regions;
    struct region_decl r = {
        .kind = REGION_RAM, .share = SHARE_MEMFD, .guest_memfd = 1, .n_pages = n_pages};

    if ((how >> 4) % 8 == 1)
        r.guest_memfd = 0;
    if ((how >> 4) % 8 == 2)
        r.virtio_mem_pages = 2, r.requested_pages = n_pages;
    if ((how >> 4) % 8 == 3)
        r.share = SHARE_HUGETLB, r.huge_pages = 2;
    add_region(m, r);
    add_section(
        m, (struct section_decl){.region = region, .n_pages = n_pages, .gpa_page = *gpa_page});
    *gpa_page += n_pages + 2 * (how & 1u);
}

static void draw_machine(struct cursor *c, struct machine *m)
{
    static const uint32_t entries[] = {PROGRAM_ENTRIES_DEFAULT, PROGRAM_ENTRIES_DEFAULT, 2, 8};
    uint8_t size = cursor_byte(c), io;
    uint64_t gpa_page = 16;

    m->n_vcpus = 1 + (size >> 2) % 4u;
    m->memlock_pages = size >> 5 == 7 ? 8 : 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t how = cursor_byte(c);

        if (i <= size % 3u)
            draw_region(m, how, &gpa_page);
    }
    io = cursor_byte(c);
    for (uint32_t i = 0; i <= (io & 1u); i++)
        add_container(m, i == 0 || !(io & 2), entries[io >> 2 & 3]);
    for (uint32_t i = 0; i <= (io >> 4) % 3u; i++)
        add_device(m, i);
    (void)cursor_byte(c);
}

void bytes_read_head(struct cursor *c, struct program *p)
{
    uint8_t form = cursor_byte(c);

    assert(p->n_ops == 0 && p->machine.n_regions == 0);
    read_axes(c, &p->machine);
    if (form & 1)
        read_machine(c, p);
    else
        draw_machine(c, &p->machine);
    complete(&p->machine);
}
