/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text form of a program (.scn), for people. docs/scenario-format.md is its reference.
 *
 *   gmemcheck-scenario 1
 *   # C1 populate-failure-bitmap-stays-shared
 *   ref C1 QEMU 10.1 system/ram-block-attributes.c
 *   machine order=attribute-first failure=rollback vcpus=2 memlock=0
 *   region ram0 pages=8 share=memfd guest_memfd=yes
 *   section ram0[0..8) at 16
 *   container c0 iommu=type1 listen=all entries=65535
 *   device d0 in c0
 *
 *   attach d0
 *   fault vfio/map ENOSPC nth=4
 *   convert ram0[0..8) shared vcpu=0 via=hypercall
 *     expect result=ENOSPC status=EAGAIN
 *     expect private ram0[0..8)
 *     expect unmapped c0 ram0[0..8)
 *     expect calls vfio/map=4 gmem/punch=0
 *
 * One statement a line; a range is in pages, `gpa[16..24)` pages of guest physical space,
 * `gpa@0x10800+0x1800` bytes. Files are untrusted: memory use is bounded by the limits in
 * op.h, whatever the input; no input crashes or loops.
 */
#ifndef PROGRAM_TEXT_H
#define PROGRAM_TEXT_H

#include <stdio.h>

#include "program/op.h"

/* What the program's text may name but the currency does not know: fault points (and host
 * calls: the same names), then groups of them, the errnos each may fail with. Filled by run/
 * from sim/. */
struct vocabulary {
    uint32_t n_points; /* names that are one point each */
    uint32_t n_names;  /* those, and the groups after them: "dma/map" */
    const char *(*point_name)(uint32_t point);
    const char *(*point_help)(uint32_t point);
    /* May this point fail with this positive errno, early or late? */
    bool (*point_fails)(uint32_t point, int error, bool late);
    /* The i-th errno it may fail with (early or late), 0 past the end. */
    int (*point_errno)(uint32_t point, uint32_t i, bool late);
    /* False: no fault of its own, the name is good for `expect calls` only. */
    bool (*point_is_fault)(uint32_t point);
};

struct text_error {
    uint32_t line;
    char why[200]; /* one line: what was expected, what came */
};

enum { TEXT_LINE_MAX = 1024, TEXT_FILE_MAX = 64 << 20 };

/* Parses text[0..size). 0 and a valid program (program_validate holds), or -EINVAL, -E2BIG,
 * -ENOMEM and *error. Does not need a final NUL. */
int text_parse(const char *text, size_t size, const struct vocabulary *words, struct program *p,
               struct text_error *error);

/* Prints a program so that text_parse gives it back (lines apart). `header` goes in front as
 * comments, one "# " line per line; may be NULL. 0 or -errno of the stream. */
int text_print(FILE *out, const struct program *p, const struct vocabulary *words,
               const char *header);

/* The same as a person would write it: what has its default is left out, and so are the other
 * values that the matrix may use. Parsed, it runs the same. */
int text_print_brief(FILE *out, const struct program *p, const struct vocabulary *words,
                     const char *header);

/* One op or expect as its line, without newline, at most size - 1 characters. */
void text_op(char *buf, size_t size, const struct program *p, const struct op *op,
             const struct vocabulary *words);
void text_op_brief(char *buf, size_t size, const struct program *p, const struct op *op,
                   const struct vocabulary *words);
void text_expect(char *buf, size_t size, const struct program *p, const struct expect *e,
                 const struct vocabulary *words);

/* "ram0[3..7)": pages [first, first + n) of a region of machine m. */
void text_range(char *buf, size_t size, const struct machine *m, uint32_t region,
                uint64_t first, uint64_t n);

/* A page as people name it: "ram0:3", "ram0[3]", "gpa[19]", "gpa@0x13000" (the page that holds
 * this address, as does "ram0@0x3000"). 0 and the guest page, numbered through all regions; or
 * -EINVAL and error->why. */
int text_page(const char *text, const struct program *p, uint32_t *page,
              struct text_error *error);

/* "ENOSPC" for 28, "0" for 0; a number where the C library has no name. */
const char *text_errno(int error);
/* 28 for "ENOSPC"; -1 for no such name. */
int text_errno_number(const char *name, size_t size);

#endif
