/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The declarations but region: machine, section, container, device, seed. */
#include <assert.h>

#include "program/parser.h"

static int set_axis(struct parser *ps, enum program_axis axis, struct word values,
                    struct machine *m)
{
    uint8_t set = 0;
    int error = parse_axis_set(ps, axis, values, &m->axis[axis], &set);

    m->also[axis] = (uint8_t)(set & ~(1 << m->axis[axis]));
    return error;
}

#define SET_AXIS(name, ...)                                                                    \
    static int set_##name(struct parser *ps, struct word value, void *out)                     \
    {                                                                                          \
        struct machine *m = out;                                                               \
                                                                                               \
        return set_axis(ps, AXIS_##name, value, m);                                            \
    }
PROGRAM_AXES(SET_AXIS)

static int set_vcpus(struct parser *ps, struct word value, void *out)
{
    struct machine *m = out;

    return parse_u32(ps, "vcpus", value, 1, PROGRAM_VCPUS_MAX, &m->n_vcpus);
}

static int set_memlock(struct parser *ps, struct word value, void *out)
{
    struct machine *m = out;

    return parse_u32(ps, "memlock", value, 0, UINT32_MAX, &m->memlock_pages);
}

int parse_machine(struct parser *ps)
{
#define AXIS_KEY(name, ...) {#name, false, set_##name},
    static const struct key keys[] = {
        PROGRAM_AXES(AXIS_KEY){"vcpus", false, set_vcpus},
        {"memlock", false, set_memlock},
    };

    if (ps->has_machine)
        return complain(&ps->complaint, "a second machine line, a scenario has one");
    ps->has_machine = true;
    ps->p->machine.n_vcpus = 1;
    for (uint32_t i = 0; i < AXIS_COUNT; i++) /* what is not named may be anything */
        ps->p->machine.also[i] = (uint8_t)(program_axis_all(i) & ~1);
    return parse_keys(ps, "machine", keys, sizeof(keys) / sizeof(keys[0]), &ps->p->machine);
}

int parse_section(struct parser *ps)
{
    struct machine *m = &ps->p->machine;
    uint32_t page_size = machine_page_size(m);
    struct section_decl s = {0};
    struct range range = {0};
    struct word w = {0};
    int error = take_range(ps, false, &range);

    if (!error && (range.start % page_size || range.size % page_size || !range.size ||
                   range.start / page_size + range.size / page_size > PROGRAM_PAGES_MAX))
        error = complain(&ps->complaint, "a section is whole pages of its region");
    if (!error)
        error = take_literal(ps, "at");
    if (!error)
        error = take_word(ps, "a guest physical page number", &w);
    if (!error)
        error = parse_number(ps, "at", w, 0, PROGRAM_GPA_END / page_size, &s.gpa_page);
    if (!error && m->n_sections == PROGRAM_SECTIONS_MAX)
        error =
            complain(&ps->complaint, "too many sections, the most is %d", PROGRAM_SECTIONS_MAX);
    if (error)
        return error;
    s.region = range.region;
    s.first_page = (uint32_t)(range.start / page_size);
    s.n_pages = (uint32_t)(range.size / page_size);
    m->sections[m->n_sections++] = s;
    return 0;
}

/* "c0" where the next free number is n. */
static int take_new(struct parser *ps, char letter, const char *what, uint32_t n, uint32_t max)
{
    struct word w = {0};
    uint64_t number = 0;
    int error = take_word(ps, what, &w);

    if (error)
        return error;
    if (w.n < 2 || w.s[0] != letter || word_number(word_tail(w, 1), &number) || number != n)
        return complain(&ps->complaint,
                        "%ss are numbered as they come: expected %c%u, got '%s'", what, letter,
                        n, quote(w).s);
    if (n == max)
        return complain(&ps->complaint, "too many %ss, the most is %u", what, max);
    return 0;
}

struct container_keys {
    struct container_decl decl;
    uint8_t iommu;
};

static int set_container_iommu(struct parser *ps, struct word value, void *out)
{
    struct container_keys *k = out;
    uint8_t of_machine = ps->p->machine.axis[AXIS_iommu];
    int error = parse_axis(ps, AXIS_iommu, value, &k->iommu);

    if (!error && k->iommu != of_machine)
        error = complain(&ps->complaint, "iommu=%s, but the machine has iommu=%s",
                         quote(value).s, program_axis_value(AXIS_iommu, of_machine));
    return error;
}

static int set_listen(struct parser *ps, struct word value, void *out)
{
    struct container_keys *k = out;

    static const char *const names[] = {"manual", "all"};

    return parse_one_of(ps, "listen", value, names, 2, &k->decl.listen_all);
}

static int set_entries(struct parser *ps, struct word value, void *out)
{
    struct container_keys *k = out;

    return parse_u32(ps, "entries", value, 0, UINT32_MAX, &k->decl.entry_limit);
}

int parse_container(struct parser *ps)
{
    static const struct key keys[] = {
        {"iommu", false, set_container_iommu},
        {"listen", false, set_listen},
        {"entries", false, set_entries},
    };
    struct machine *m = &ps->p->machine;
    struct container_keys k = {
        .decl = {.listen_all = 1, .entry_limit = PROGRAM_ENTRIES_DEFAULT}};
    int error = take_new(ps, 'c', "container", m->n_containers, PROGRAM_CONTAINERS_MAX);

    if (!error)
        error = parse_keys(ps, "container", keys, sizeof(keys) / sizeof(keys[0]), &k);
    if (!error)
        m->containers[m->n_containers++] = k.decl;
    return error;
}

int parse_device(struct parser *ps)
{
    struct machine *m = &ps->p->machine;
    uint8_t container = 0;
    int error = take_new(ps, 'd', "device", m->n_devices, PROGRAM_DEVICES_MAX);

    if (!error)
        error = take_literal(ps, "in");
    if (!error)
        error = take_unit(ps, UNIT_CONTAINER, &container);
    if (!error)
        m->devices[m->n_devices++].container = container;
    return error;
}

int parse_seed(struct parser *ps)
{
    struct word w = {0};
    int error = take_word(ps, "a number", &w);

    if (!error && ps->has_seed)
        error = complain(&ps->complaint, "a second seed line, a scenario has one");
    ps->has_seed = true;
    return error ? error : parse_number(ps, "seed", w, 0, UINT64_MAX, &ps->p->seed);
}
