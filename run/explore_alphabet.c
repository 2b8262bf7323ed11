/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/explore_alphabet.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/text.h"
#include "run/files.h"
#include "run/vocabulary.h"

#define ALPHABET_NAME(name, help) #name,
#define ALPHABET_HELP(name, help) help,
static const char *const names[] = {ALPHABET_GROUPS(ALPHABET_NAME)};
static const char *const helps[] = {ALPHABET_GROUPS(ALPHABET_HELP)};

const char *alphabet_name(uint32_t group)
{
    return group < ALPHABET_COUNT ? names[group] : NULL;
}

const char *alphabet_help(uint32_t group)
{
    return group < ALPHABET_COUNT ? helps[group] : NULL;
}

static uint32_t group_of(const char *word, size_t length)
{
    for (uint32_t i = 0; i < ALPHABET_COUNT; i++)
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
            return 1u << i;
    return 0;
}

uint32_t alphabet_groups(const char *list)
{
    uint32_t groups = 0;

    for (;;) {
        size_t length = strcspn(list, ",");
        uint32_t group = group_of(list, length);

        if (!group)
            return 0;
        groups |= group;
        if (list[length] == '\0')
            return groups;
        list += length + 1;
    }
}

/* ---- as text, which is how a person would write it ---- */

static void print_machine(FILE *f, uint32_t pages, uint32_t containers, uint32_t groups)
{
    fprintf(f, "gmemcheck-scenario 1\nmachine\nregion ram0 pages=%u share=memfd%s\n", pages,
            groups & 1 << ALPHABET_plug ? " virtio_mem=1" : "");
    fprintf(f, "section ram0[0..%u) at 16\n", pages);
    for (uint32_t c = 0; c < containers; c++)
        fprintf(f, "container c%u\n", c);
    for (uint32_t c = 0; c < containers; c++)
        fprintf(f, "device d%u in c%u\n", c, c);
}

/* One line a range; `tail` ends it. */
static void print_ranges(FILE *f, const char *op, uint32_t pages, const char *tail)
{
    for (uint32_t size = 1; size <= pages; size++)
        for (uint32_t first = 0; first + size <= pages; first++)
            fprintf(f, "%s ram0[%u..%u)%s\n", op, first, first + size, tail);
}

static void print_devices(FILE *f, uint32_t pages, uint32_t containers, uint32_t groups)
{
    for (uint32_t c = 0; c < containers; c++) {
        if (groups & 1 << ALPHABET_attach)
            fprintf(f, "attach d%u\n", c);
        if (groups & 1 << ALPHABET_detach)
            fprintf(f, "detach d%u\n", c);
        for (uint32_t i = 0; groups & 1 << ALPHABET_dma && i < pages; i++)
            fprintf(f, "dma-write d%u ram0[%u] value=2\n", c, i);
    }
}

static void print_ops(FILE *f, uint32_t pages, uint32_t containers, uint32_t groups)
{
    if (groups & 1 << ALPHABET_convert) {
        print_ranges(f, "convert", pages, " shared");
        print_ranges(f, "convert", pages, " private");
    }
    print_devices(f, pages, containers, groups);
    for (uint32_t i = 0; groups & 1 << ALPHABET_touch && i < pages; i++)
        fprintf(f, "write ram0[%u] value=1\n", i);
    if (groups & 1 << ALPHABET_plug) {
        print_ranges(f, "plug", pages, "");
        print_ranges(f, "unplug", pages, "");
        fprintf(f, "unplug-all ram0\n");
    }
    if (groups & 1 << ALPHABET_source) {
        print_ranges(f, "source-add", pages, "");
        fprintf(f, "source-remove ram0\n");
    }
    if (groups & 1 << ALPHABET_hotplug)
        fprintf(f, "remove ram0\nadd ram0\n");
    if (groups & 1 << ALPHABET_reset)
        fprintf(f, "reset\n");
    if (groups & 1 << ALPHABET_migrate)
        fprintf(f, "migrate start\nmigrate stop\ndirty-sync\n");
}

int alphabet_build(struct program *p, uint32_t pages, uint32_t containers, uint32_t groups,
                   const struct generate_options *fixed, char *why, size_t why_size)
{
    struct text_error problem = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    uint32_t line;
    int error = f ? 0 : -ENOMEM;

    assert(pages > 0 && pages <= ALPHABET_PAGES_MAX && groups);
    if (f) {
        print_machine(f, pages, containers, groups);
        print_ops(f, pages, containers, groups);
        error = fclose(f) ? -ENOMEM : 0;
    }
    if (!error)
        error = text_parse(text, size, &run_vocabulary, p, &problem);
    free(text);
    if (error) {
        snprintf(why, why_size, "%s", problem.why[0] ? problem.why : strerror(-error));
        return error;
    }
    files_fix(fixed, p);
    return program_validate(p, why, why_size, &line);
}

int alphabet_of(const struct program *file, struct program *p)
{
    int error = 0;

    program_clear(p);
    p->machine = file->machine;
    for (uint32_t i = 0; i < file->n_ops && !error; i++)
        if (file->ops[i].kind != OP_FAULT && file->ops[i].kind != OP_DISARM)
            error = program_add_op(p, &file->ops[i]);
    return error;
}
