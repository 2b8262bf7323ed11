/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the generator share: the state of one program in the making. */
#ifndef PROGRAM_GENERATE_INTERNAL_H
#define PROGRAM_GENERATE_INTERNAL_H

#include "program/generate.h"
#include "program/rng.h"

enum { GEN_NO_SECTION = 0xff, GEN_LISTENERS_MAX = 6, GEN_AXIS_VALUES_MAX = 5 };

/* Pages of guest physical space; `section` holds the first one. */
struct gen_range {
    uint64_t page;
    uint32_t n;
    uint8_t section; /* or GEN_NO_SECTION: it starts in a hole */
};

struct gen_listener {
    uint8_t container;
    uint8_t region;
    uint32_t first;
    uint32_t n;
};

struct gen {
    struct rng r;
    struct program *p;
    struct machine *m;
    const struct generate_options *o;
    const struct vocabulary *words;
    int error; /* of program_add_op */
    uint32_t page_size;
    uint32_t n_pages;
    uint32_t left;     /* ops still to add */
    uint32_t faults;   /* of them to arm faults */
    bool convert_next; /* a fault was armed for it */
    bool undo_next;    /* the next fault is for the undo of what the last one broke */
    bool last_private;
    struct gen_range last; /* of the conversion before; n == 0: none yet */
    bool striped;          /* one long comb is what the program is about */
    uint8_t comb;          /* single pages still to convert, every other one */
    bool comb_cover;       /* then the whole of it, mixed as it is now */
    struct gen_range comb_range;
    /* A hint: bit i of a section: its page i (or a group of pages) is likely shared. */
    uint64_t shared[PROGRAM_SECTIONS_MAX];
    uint8_t n_ram;  /* sections of RAM with a private side */
    uint8_t n_data; /* sections that hold data, ROM and plain RAM too */
    uint8_t ram[PROGRAM_SECTIONS_MAX];
    uint8_t data[PROGRAM_SECTIONS_MAX];
    uint32_t attached; /* bit i: device i */
    uint32_t n_listeners;
    struct gen_listener listeners[GEN_LISTENERS_MAX];
    uint16_t weight[OP_KIND_COUNT];
    uint32_t weight_sum;
};

/* Index drawn by weight; the sum of them is `sum`. */
static inline uint32_t gen_weighted(struct rng *r, const uint16_t *weight, uint32_t sum)
{
    uint32_t x = rng_below(r, sum), i = 0;

    while (x >= weight[i])
        x -= weight[i++];
    return i;
}

/* generate_weights.c */
extern const uint16_t gen_axis_weight[AXIS_COUNT][GEN_AXIS_VALUES_MAX];
extern const uint16_t gen_share_weight[SHARE_COUNT];
extern const uint16_t gen_op_weight[OP_KIND_COUNT];
/* generate_axes.c: into g->m; of g only r, m and o are used. */
void gen_axes(struct gen *g);
/* generate_machine.c */
void gen_machine(struct gen *g);
/* generate_ranges.c */
void gen_convert_range(struct gen *g, struct gen_range *range, bool *to_private);
/* It is the last conversion now. */
void gen_remember(struct gen *g, const struct gen_range *range, bool to_private);
/* A page that can be read (or written), mostly of the last conversion. */
uint64_t gen_data_page(struct gen *g, bool write, uint8_t *section);
/* Pages of a region's section, with edges favoured. */
void gen_part(struct gen *g, const struct section_decl *s, uint32_t *first, uint32_t *n);
/* generate_faults.c */
void gen_fault(struct gen *g);
/* generate_ops.c */
void gen_ops(struct gen *g);
void gen_add(struct gen *g, const struct op *op);

#endif
