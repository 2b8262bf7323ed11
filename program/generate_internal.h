/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the generator share: the state of one program in the making. */
#ifndef PROGRAM_GENERATE_INTERNAL_H
#define PROGRAM_GENERATE_INTERNAL_H

#include "program/generate.h"
#include "program/rng.h"

enum {
    GEN_NO_SECTION = 0xff,
    GEN_LISTENERS_MAX = 6,
    GEN_PINS_MAX = 4,
    GEN_AXIS_VALUES_MAX = 5,
};

/* Pages of guest physical space; `section` holds the first one. */
struct gen_range {
    uint64_t page;
    uint32_t n;
    uint8_t section; /* or GEN_NO_SECTION: it starts in a hole */
};

/* Pages of a region. */
struct gen_part {
    uint8_t region;
    uint32_t first, n;
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
    uint32_t features; /* bit per enum generate_feature */
    bool hugetlb;      /* regions may have huge pages */
    uint32_t unit;     /* sizes of regions are multiples of so many pages */
    uint32_t n_pages;
    uint32_t left;      /* ops still to add */
    uint32_t faults;    /* of them to arm faults */
    bool convert_next;  /* a fault was armed for it */
    bool around_next;   /* that conversion goes around the last range, mostly to private */
    uint8_t next_kind;  /* op that comes next, OP_KIND_COUNT: any */
    uint8_t fault_kind; /* what the next fault is for, OP_KIND_COUNT: any */
    bool undo_next;     /* the next fault is for the undo of what the last one broke */
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
    /* Hints, too: */
    uint64_t plugged[PROGRAM_REGIONS_MAX]; /* bit per block, or per some blocks */
    uint32_t removed;                      /* bit i: region i */
    uint32_t held;                         /* bit i: a source holds pages of region i back */
    bool migrating;
    uint8_t guards[GUARD_KIND_COUNT];
    uint32_t n_pins;
    struct gen_part pins[GEN_PINS_MAX];
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

static inline bool gen_has(const struct gen *g, enum generate_feature feature)
{
    return g->features >> feature & 1;
}

/* generate_weights.c */
extern const uint16_t gen_axis_weight[AXIS_COUNT][GEN_AXIS_VALUES_MAX];
extern const uint16_t gen_share_weight[SHARE_COUNT];
extern const uint8_t gen_feature_percent[FEATURE_COUNT];
extern const uint16_t gen_op_weight[OP_KIND_COUNT];
extern const uint8_t gen_op_feature[OP_KIND_COUNT]; /* 1 + feature; 0: every program's */
/* generate_axes.c: into g->m; of g only r, m and o are used. */
void gen_axes(struct gen *g);
/* generate_machine.c */
void gen_machine(struct gen *g);
/* generate_regions.c: the unit, then n regions of g->n_pages together. */
void gen_unit(struct gen *g);
void gen_regions(struct gen *g, uint32_t n);
/* generate_life.c: ops of features; false: it is none. What comes first of them. */
bool gen_life_op(struct gen *g, uint8_t kind);
void gen_life_start(struct gen *g);
/* generate_ranges.c */
void gen_convert_range(struct gen *g, struct gen_range *range, bool *to_private);
/* It is the last conversion now. */
void gen_remember(struct gen *g, const struct gen_range *range, bool to_private);
/* These pages are private, whatever was done to them. */
void gen_now_private(struct gen *g, const struct gen_part *part);
/* A page that can be read (or written), mostly of the last conversion. */
uint64_t gen_data_page(struct gen *g, bool write, uint8_t *section);
/* Pages of a region's section, with edges favoured. */
void gen_pages(struct gen *g, const struct section_decl *s, uint32_t *first, uint32_t *n);
/* generate_faults.c */
void gen_fault(struct gen *g);
/* Does an op of this kind, but conversions, make calls that may fail? */
bool gen_may_fail(uint8_t kind);
/* generate_ops.c */
void gen_ops(struct gen *g);
void gen_add(struct gen *g, const struct op *op);
void gen_next_op(struct gen *g);

#endif
