/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the text printer share. */
#ifndef PROGRAM_WRITER_H
#define PROGRAM_WRITER_H

#include "program/op_table.h"
#include "program/text.h"

/* Appends to buf[0..size), cuts off what does not fit, always ends with a NUL. */
struct writer {
    char *buf;
    size_t size;
    size_t used;
    const struct machine *machine;
    const struct vocabulary *vocabulary;
    bool brief; /* what has its default is left out */
};

void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In pages where the text form can say it so, else in bytes. */
void put_range(struct writer *w, uint32_t region, uint64_t start, uint64_t size);

/* "mode=discard|inplace": an axis and the values that have a bit. program/text_axis.c */
void put_axis(struct writer *w, enum program_axis axis, uint8_t set);

/* Rows of op_rows. program/text_print_op.c */
void print_convert(struct writer *w, const struct op *op);
void print_cpu(struct writer *w, const struct op *op);
void print_dma(struct writer *w, const struct op *op);
void print_device_op(struct writer *w, const struct op *op);
void print_listen(struct writer *w, const struct op *op);
void print_pages_op(struct writer *w, const struct op *op);
void print_region_op(struct writer *w, const struct op *op);
void print_resize(struct writer *w, const struct op *op);
void print_guard(struct writer *w, const struct op *op);
void print_migrate(struct writer *w, const struct op *op);
void print_fault(struct writer *w, const struct op *op);
void print_nothing(struct writer *w, const struct op *op);

/* Rows of expect_rows. program/text_print_expect.c */
void print_expect_errno(struct writer *w, const struct expect *e);
void print_expect_pages(struct writer *w, const struct expect *e);
void print_expect_mapped(struct writer *w, const struct expect *e);
void print_expect_side(struct writer *w, const struct expect *e);
void print_expect_calls(struct writer *w, const struct expect *e);
void print_expect_number(struct writer *w, const struct expect *e);
void print_expect_response(struct writer *w, const struct expect *e);
void print_expect_entries(struct writer *w, const struct expect *e);
void print_expect_stopped(struct writer *w, const struct expect *e);

/* How the words of the text are spelled, index by enum. program/text_print_op.c */
extern const char *const via_names[3];
extern const char *const share_names[SHARE_COUNT];
extern const char *const guard_names[GUARD_KIND_COUNT];
extern const char *const response_names[RESPONSE_COUNT];

#endif
