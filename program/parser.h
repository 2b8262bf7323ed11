/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the text parser share. The input is untrusted: nothing here asserts it. */
#ifndef PROGRAM_PARSER_H
#define PROGRAM_PARSER_H

#include "program/op_table.h"
#include "program/text.h"
#include "program/validate.h"

enum { SCENARIO_VERSION = 1, LINE_WORDS_MAX = TEXT_LINE_MAX / 2 + 1 };

struct word {
    const char *s; /* not NUL-terminated */
    uint32_t n;
};

struct parser {
    const char *text;
    size_t size;
    size_t at; /* where the next line starts */
    const struct vocabulary *vocabulary;
    struct program *p;
    struct text_error *error;
    struct complaint complaint; /* error->why */
    uint32_t line;              /* of the words */
    uint32_t n_words;
    uint32_t next; /* word that is read next */
    bool has_machine;
    bool has_seed;
    bool has_sweep;
    struct word words[LINE_WORDS_MAX];
};

/* ---- lexer: text_lex.c ---- */

/* Splits the next line into words; 1, 0 at the end, -EINVAL. Comments and refs have none. */
int lex_line(struct parser *ps);
bool word_is(struct word w, const char *s);
/* 0; -EINVAL no number; -ERANGE above UINT64_MAX. Decimal, or hexadecimal after 0x. */
int word_number(struct word w, uint64_t *number);
/* The first `n` characters of w, and the rest after them. */
struct word word_head(struct word w, uint32_t n);
struct word word_tail(struct word w, uint32_t n);
/* Position of a character in w, or w.n. */
uint32_t word_find(struct word w, char c);

/* For messages: cut short, control and high bytes escaped. */
struct quoted {
    char s[72];
};
struct quoted quote(struct word w);

/* "; did you mean 'x'?" when one of the names is near, else "". */
struct suggestion {
    char s[64];
};
struct suggestion suggest(struct word w, const char *(*name)(const void *ctx, uint32_t i),
                          const void *ctx);

/* ---- reading words: text_words.c ---- */

bool have_word(const struct parser *ps);
struct word peek_word(const struct parser *ps); /* empty at the end of the line */
/* The next word, or a complaint that `what` was expected. */
int take_word(struct parser *ps, const char *what, struct word *w);
/* Exactly this word. */
int take_literal(struct parser *ps, const char *literal);
int parse_number(struct parser *ps, const char *what, struct word w, uint64_t min, uint64_t max,
                 uint64_t *number);
/* The same in 32 bits. */
int parse_u32(struct parser *ps, const char *what, struct word w, uint32_t min, uint32_t max,
              uint32_t *out);
/* Index of a word among n names. */
int parse_one_of(struct parser *ps, const char *what, struct word w, const char *const *names,
                 uint32_t n, uint8_t *index);
/* "c0": a container ('c') or device ('d') of the machine. */
int parse_unit(struct parser *ps, struct word w, enum op_unit unit, uint8_t *index);
int take_unit(struct parser *ps, enum op_unit unit, uint8_t *index);

struct key {
    const char *name;
    bool flag; /* a bare word, no =value */
    int (*set)(struct parser *ps, struct word value, void *out);
};
/* All remaining words of the line: key=value or flags, each at most once. */
int parse_keys(struct parser *ps, const char *statement, const struct key *keys, uint32_t n,
               void *out);
/* Splits "key=value" at the first =; false when there is none. */
bool split_key(struct word w, struct word *key, struct word *value);

/* ---- values of axes: text_axis.c ---- */

/* Index of the value of an axis. */
int parse_axis(struct parser *ps, enum program_axis axis, struct word value, uint8_t *index);
/* "V|V2": the index of the first, and a bit for each. */
int parse_axis_set(struct parser *ps, enum program_axis axis, struct word values,
                   uint8_t *first, uint8_t *set);
/* Is the word AXIS=something? */
bool axis_word(struct word w, enum program_axis *axis);

/* ---- ranges: text_parse_range.c ---- */

struct range {
    uint8_t region; /* or OP_NO_REGION */
    uint64_t start, size;
};
bool looks_like_range(struct word w);
int take_range(struct parser *ps, bool gpa_allowed, struct range *range);
/* "ram0" -> 0 */
int parse_region(struct parser *ps, struct word w, uint32_t *region);
/* "ram12" -> kind and number, whether it exists or not. */
bool region_word(struct word w, uint32_t *kind, uint64_t *number);

/* ---- statements ---- */

int parse_machine(struct parser *ps);
int parse_region_statement(struct parser *ps);
int parse_section(struct parser *ps);
int parse_container(struct parser *ps);
int parse_device(struct parser *ps);
int parse_seed(struct parser *ps);
int parse_op(struct parser *ps, uint32_t kind);
int parse_expect(struct parser *ps);
/* A name of the vocabulary. */
int parse_point(struct parser *ps, struct word w, uint16_t *point);

/* Rows of op_rows. */
int parse_convert(struct parser *ps, struct op *op);
int parse_read(struct parser *ps, struct op *op);
int parse_write(struct parser *ps, struct op *op);
int parse_dma_read(struct parser *ps, struct op *op);
int parse_dma_write(struct parser *ps, struct op *op);
int parse_device_op(struct parser *ps, struct op *op);
int parse_listen(struct parser *ps, struct op *op);
int parse_pages_op(struct parser *ps, struct op *op);
int parse_region_op(struct parser *ps, struct op *op);
int parse_resize(struct parser *ps, struct op *op);
int parse_guard(struct parser *ps, struct op *op);
int parse_migrate(struct parser *ps, struct op *op);
int parse_fault(struct parser *ps, struct op *op);
int parse_nothing(struct parser *ps, struct op *op);

/* Rows of expect_rows. */
int parse_expect_errno(struct parser *ps, struct expect *e);
int parse_expect_pages(struct parser *ps, struct expect *e);
int parse_expect_mapped(struct parser *ps, struct expect *e);
int parse_expect_side(struct parser *ps, struct expect *e);
int parse_expect_calls(struct parser *ps, struct expect *e);
int parse_expect_number(struct parser *ps, struct expect *e);
int parse_expect_response(struct parser *ps, struct expect *e);
int parse_expect_entries(struct parser *ps, struct expect *e);
int parse_expect_stopped(struct parser *ps, struct expect *e);

#endif
