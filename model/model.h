/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle: a reference model small enough to be obviously right. It is computed from the
 * program, its configuration and the list of failed host calls alone (design.md section 6):
 * no file, macro or helper of core/ or sim/.
 *
 * run/ drives it:
 *
 *   model_new -> sync everything observed once -> model_ready
 *   for each op:  model_op_begin
 *                 after each host call:  model_see_* for what changed, model_after_call
 *                 model_see_* again, model_op_end with what came of it
 *   model_full_check at the end, then model_teardown_begin ... model_after_teardown
 *
 * A rule that does not hold is reported once, as the first one found: its name, the page.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/view.h"
#include "program/op.h"

enum { MODEL_NO_PAGE = 0xffffffff, MODEL_FAILED_MAX = 64 };

/* The first rule that was broken. rule == NULL: none. */
struct violation {
    const char *rule;   /* "S1 private-page-mapped", one name a file model/rule_*.c */
    char detail[160];   /* one line: expected, found */
    uint32_t page;      /* guest page, or MODEL_NO_PAGE */
    uint32_t container; /* or UINT32_MAX */
};

/* A host call of this op that failed; the first one that was not made good is its error. */
struct failed_call {
    uint16_t point; /* index, opaque to the model */
    uint16_t error; /* positive errno */
    bool injected;  /* by a fault; false: the kernel's own answer (a limit) */
    bool late;
    bool in_undo; /* an earlier call of the op had failed */
    bool is_drop; /* it should have dropped the backing of pages */
    /* The op made the very same call again; and that worked, or showed that it had worked. */
    bool retried, made_good;
};

/* Where the content of a page is, and whether it may have changed. */
enum {
    MIGRATION_DISCARDED,
    MIGRATION_SHARED,
    MIGRATION_PRIVATE,
    MIGRATION_STATES = 3,
    MIGRATION_DIRTY = 4
};

/* What came of an op. */
struct op_result {
    int error;             /* 0 or positive errno, as the subject returned it */
    bool stopped;          /* the subject says that the VM is stopped */
    bool undelivered;      /* the vCPU did not come to the guest's request: it still waits */
    bool has_status;       /* a hypercall exit was served */
    uint64_t guest_status; /* what the guest was told */
    uint32_t blocked_page; /* the page that the subject says was in use, or MODEL_NO_PAGE */
    uint64_t data;         /* OP_READ, OP_DMA_READ: token; OP_QUERY: answer */
    bool told_guards;      /* the subject was asked for the next one */
    uint8_t free_guards;   /* bit per enum guard_kind: someone could take it now */
    uint8_t response;      /* virtio-mem: what the guest was told, RESPONSE_* */
    const uint8_t *dirty;  /* OP_DIRTY_SYNC: MIGRATION_* of each guest page; NULL: no answer */
    uint32_t n_calls;      /* host calls with an effect on kernel state that the op made */
    uint32_t n_failed; /* entries in failed[]; more than fit are counted here all the same */
    struct failed_call failed[MODEL_FAILED_MAX];
};

struct model;

/* Bytes that model_new needs for this machine. */
size_t model_size(const struct machine *m);
/* Builds the model in zeroed memory of that size (so that a copy of the bytes at the same
 * address is a snapshot). `m` must outlive it. All pages of guest_memfd regions private. */
struct model *model_new(void *memory, const struct machine *m);

/* Pages are numbered as the program numbers them (through all regions). Where sections show a
 * page of a plain region at a second address, numbers past the last guest page stand for those
 * aliases: the functions below take them too, and all of them must be told. */
/* The page, or alias, at a GPA page; MODEL_NO_PAGE: none. */
uint32_t model_page_at(const struct model *o, uint64_t gpa_page);
/* The same for up to *n pages from there on; *n becomes how many are numbered in a row. */
uint32_t model_pages_at(const struct model *o, uint64_t gpa_page, uint64_t *n);
/* The other way round; UINT64_MAX: it has no address (only its tracker can be seen). */
uint64_t model_gpa_page(const struct model *o, uint32_t page);

/* ---- what is seen ----
 * After each host call that changed anything: the pages and mappings that it changed, every
 * container and the totals. Telling what did not change is harmless. */
/* What the kernel says of n pages in a row. True when any of it was not known yet. */
bool model_see_truth(struct model *o, uint32_t page, uint32_t n, const struct view_truth *now);
/* What the subject says of 64 pages from `page` on, a bit each: those in `changed` are now
 * populated, or plugged, or are not. */
void model_see_bits(struct model *o, uint32_t page, uint64_t changed, uint64_t now,
                    bool plugged);
void model_see_mapping(struct model *o, uint32_t container, uint32_t page,
                       const struct view_mapping *now);
/* A mapping at an IOVA that is no guest page's address. */
void model_see_stray(struct model *o, uint32_t container, uint64_t iova_page, bool mapped);
void model_see_container(struct model *o, uint32_t container, const struct view_container *now);
void model_see_totals(struct model *o, const struct view_totals *now);

/* The machine is built and everything was seen once: the start state must hold. False and *v
 * when it does not. */
bool model_ready(struct model *o, struct violation *v);

/* ---- one op ---- */
void model_op_begin(struct model *o, const struct op *op);
/* The safety rules S1-S7 on what was seen to change since the last call of this. */
bool model_after_call(struct model *o, struct violation *v);
/* The rules of an op that has returned (docs/rules.md). Adopts the outcome. */
bool model_op_end(struct model *o, const struct op_result *r, struct violation *v);
/* What the op that just ended did: for the caller's retry probe (rule 6) and statistics. */
enum model_outcome {
    MODEL_REJECTED, /* 1: refused by the decision table */
    MODEL_DONE,     /* 2, 3a: target reached */
    MODEL_UNDONE,   /* 3b, 4: failed, old state */
    MODEL_STOPPED,  /* 3c */
};
enum model_outcome model_outcome(const struct model *o);
/* Rule 6: would the same op without faults have to succeed now? (Not where a limit refuses
 * it, not when stopped.) */
bool model_retry_must_succeed(const struct model *o, const struct op *op);
uint32_t model_pages_changed(const struct model *o); /* by the op that just ended */

/* ---- lanes ----
 * Several ops are in flight at once: what a host call does must be allowed to one of them
 * (S3, S4, S6, S7), the rules of what is true at any instant hold as always. Nothing is judged
 * when one of them returns: whoever drives the lanes looks for a serial order that explains
 * them, and then adopts what the model said at the end of that. */
enum { MODEL_LANES_MAX = 4 };
void model_lanes_begin(struct model *o, const struct op *ops, uint32_t n); /* of the batch */
void model_lane_op(struct model *o, uint32_t lane, const struct op *op);   /* NULL: none */
/* `from` are the bytes of this model as it was elsewhere; everything is seen once more, then
 * model_adopted tells whether that is what it knows. */
void model_adopt(struct model *o, const void *from);
bool model_adopted(struct model *o, struct violation *v);

/* Everything from scratch, and the incremental bookkeeping must agree with it. */
bool model_full_check(struct model *o, struct violation *v);

/* Between two ops: all that is known and decides what may come, as 64-bit words without serial
 * numbers of frames, so that equal states are equal bytes whatever led to them. Writes at most
 * `size` bytes, returns how many there are. */
size_t model_canon(const struct model *o, void *buf, size_t size);

/* ---- the end ---- */
void model_teardown_begin(struct model *o);
/* I8: nothing is left. */
bool model_after_teardown(struct model *o, struct violation *v);

/* The expectation's answer: does what the program's author wrote hold now? The model only
 * looks (it does not use it): the caller passes the last op's result and its call counts. */
bool model_expect(const struct model *o, const struct expect *e, const struct op_result *r,
                  uint32_t calls_of_point, struct violation *v);

/* For pictures and traces. */
/* The *n pages and aliases that were seen to change since model_after_call last looked, in the
 * order in which they were seen. */
const uint32_t *model_changed(const struct model *o, uint32_t *n);
const struct view_page *model_page(const struct model *o, uint32_t page);
const struct view_mapping *model_mapping(const struct model *o, uint32_t container,
                                         uint32_t page);

/* Names of all rules, NULL past the end: a test proves of each that it can fire. */
const char *model_rule_name(uint32_t i);

#endif
