/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole program: with every default, so that a file keeps its meaning when they change, or
 * without them, so that it says what matters. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "program/parser.h"
#include "program/writer.h"

/* Comments, cut into lines that the parser takes; bytes that it refuses become '?'. */
static void print_header(FILE *out, const char *header)
{
    enum { COLUMNS_MAX = TEXT_LINE_MAX - 2 };
    uint32_t column = 0;

    for (const char *s = header; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (column == 0)
            (void)fputs("# ", out);
        if (c == '\n' || column == COLUMNS_MAX) {
            (void)fputc('\n', out);
            column = 0;
            if (c == '\n')
                continue;
            (void)fputs("# ", out);
        }
        (void)fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, out);
        column++;
    }
    if (column)
        (void)fputc('\n', out);
}

static void print_shares(FILE *out, const struct region_decl *r, bool brief)
{
    if (r->kind == REGION_MMIO || (brief && r->share == SHARE_ANON))
        return;
    (void)fprintf(out, " share=%s", share_names[r->share]);
    for (uint32_t other = 0; !brief && r->also_share >> other; other++)
        if (r->also_share >> other & 1)
            (void)fprintf(out, "|%s", share_names[other]);
}

static void print_region(FILE *out, const struct machine *m, uint32_t i, bool brief)
{
    const struct region_decl *r = &m->regions[i];

    (void)fprintf(out, "region %s pages=%u", region_name(m, i).s, r->n_pages);
    print_shares(out, r, brief);
    if (r->kind == REGION_RAM && !(brief && r->guest_memfd))
        (void)fprintf(out, " guest_memfd=%s", r->guest_memfd ? "yes" : "no");
    if (r->huge_pages)
        (void)fprintf(out, " huge_pages=%u", r->huge_pages);
    if (r->virtio_mem_pages)
        (void)fprintf(out, " virtio_mem=%u", r->virtio_mem_pages);
    if (r->virtio_mem_pages && !(brief && r->requested_pages == r->n_pages))
        (void)fprintf(out, " requested=%u", r->requested_pages);
    (void)fputc('\n', out);
}

static void print_section(FILE *out, const struct machine *m, uint32_t i)
{
    const struct section_decl *s = &m->sections[i];
    char range[64];

    text_range(range, sizeof(range), m, s->region, s->first_page, s->n_pages);
    (void)fprintf(out, "section %s at %" PRIu64 "\n", range, s->gpa_page);
}

/* What it is, then what the matrix may use instead. */
static void print_axis(FILE *out, const struct machine *m, uint32_t axis)
{
    (void)fprintf(out, " %s=%s", program_axis_name(axis),
                  program_axis_value(axis, m->axis[axis]));
    for (uint32_t i = 0; m->also[axis] >> i; i++)
        if (m->also[axis] >> i & 1)
            (void)fprintf(out, "|%s", program_axis_value(axis, i));
}

static void print_container(FILE *out, const struct machine *m, uint32_t i, bool brief)
{
    const struct container_decl *c = &m->containers[i];

    (void)fprintf(out, "container c%u", i);
    if (!brief)
        (void)fprintf(out, " iommu=%s", program_axis_value(AXIS_iommu, m->axis[AXIS_iommu]));
    if (!brief || !c->listen_all)
        (void)fprintf(out, " listen=%s", c->listen_all ? "all" : "manual");
    if (!brief || c->entry_limit != PROGRAM_ENTRIES_DEFAULT)
        (void)fprintf(out, " entries=%u", c->entry_limit);
    (void)fputc('\n', out);
}

static void print_machine_line(FILE *out, const struct machine *m, bool brief)
{
    (void)fputs("machine", out);
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        if (!brief)
            print_axis(out, m, i);
        else if (m->axis[i])
            (void)fprintf(out, " %s=%s", program_axis_name(i),
                          program_axis_value(i, m->axis[i]));
    }
    if (!brief || m->n_vcpus != 1)
        (void)fprintf(out, " vcpus=%u", m->n_vcpus);
    if (!brief || m->memlock_pages)
        (void)fprintf(out, " memlock=%u", m->memlock_pages);
    (void)fputc('\n', out);
}

static void print_machine(FILE *out, const struct machine *m, bool brief)
{
    print_machine_line(out, m, brief);
    for (uint32_t i = 0; i < m->n_regions; i++)
        print_region(out, m, i, brief);
    for (uint32_t i = 0; i < m->n_sections; i++)
        print_section(out, m, i);
    for (uint32_t i = 0; i < m->n_containers; i++)
        print_container(out, m, i, brief);
    for (uint32_t i = 0; i < m->n_devices; i++)
        (void)fprintf(out, "device d%u in c%u\n", i, m->devices[i].container);
}

/* Swept from its first op on is every program that says nothing. */
static void print_mark(FILE *out, const struct program *p, uint32_t op)
{
    if (op > 0 && op == p->sweep_from)
        (void)fputs("sweep from here\n", out);
}

static void print_ops(FILE *out, const struct program *p, const struct vocabulary *words,
                      bool brief)
{
    char line[TEXT_LINE_MAX];
    uint32_t next = 0;

    for (uint32_t i = 0; i < p->n_ops; i++) {
        print_mark(out, p, i);
        (brief ? text_op_brief : text_op)(line, sizeof(line), p, &p->ops[i], words);
        (void)fprintf(out, "%s\n", line);
        for (; next < p->n_expects && p->expects[next].op == i; next++) {
            if (!expect_may_apply(&p->machine, &p->expects[next]))
                continue; /* an axis was fixed since; a text must not say it */
            text_expect(line, sizeof(line), p, &p->expects[next], words);
            (void)fprintf(out, "  %s\n", line);
        }
    }
    print_mark(out, p, p->n_ops);
    assert(next == p->n_expects);
}

static int print_program(FILE *out, const struct program *p, const struct vocabulary *words,
                         const char *header, bool brief)
{
    assert(out && p && words);
    errno = 0;
    (void)fprintf(out, "gmemcheck-scenario %d\n", SCENARIO_VERSION);
    if (header)
        print_header(out, header);
    print_machine(out, &p->machine, brief);
    if (!brief || p->seed)
        (void)fprintf(out, "seed %" PRIu64 "\n", p->seed);
    if (p->n_ops)
        (void)fputc('\n', out);
    print_ops(out, p, words, brief);
    if (fflush(out) != 0 || ferror(out))
        return errno ? -errno : -EIO;
    return 0;
}

int text_print(FILE *out, const struct program *p, const struct vocabulary *words,
               const char *header)
{
    return print_program(out, p, words, header, false);
}

int text_print_brief(FILE *out, const struct program *p, const struct vocabulary *words,
                     const char *header)
{
    return print_program(out, p, words, header, true);
}
