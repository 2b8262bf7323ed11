/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one program and judges it: builds the world, the subject and the model, executes the
 * ops, lets the model look after every host call (safety rules) and after every op (outcome
 * rules), tears down and looks for leaks. Deterministic: the same program gives the same
 * verdict and the same trace hash everywhere.
 *
 * A failed conversion is also probed: the world is saved, faults are disarmed, the same op is
 * done again and must succeed (rule 6 of design.md section 6), and the world is put back.
 */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "program/op.h"
#include "run/subject.h"
#include "run/watch.h"
#include "sim/sim.h"

enum verdict {
    VERDICT_OK,
    VERDICT_VIOLATION,
    VERDICT_CRASH,          /* signal inside the subject, or its process is gone */
    VERDICT_HANG,           /* too many host calls, or too much CPU time */
    VERDICT_NONDETERMINISM, /* two runs of one program differ */
    VERDICT_HARNESS,        /* our own machinery failed */
    VERDICT_INPUT,          /* the program could not be read */
    VERDICT_NOT_RUN,        /* the pool was ended before it */
    VERDICT_COUNT
};

const char *verdict_name(enum verdict v);

#define RUN_OP_UNKNOWN UINT32_MAX
#define RUN_OP_BUILD   (UINT32_MAX - 1) /* before the first op */

struct run_result {
    enum verdict verdict;
    uint32_t op;   /* index of the op that broke, n_ops: tear-down; or RUN_OP_* */
    uint32_t line; /* its line in the text, 0: none */
    uint32_t page; /* guest page, MODEL_NO_PAGE */
    uint32_t ops;  /* executed */
    uint64_t host_calls;
    uint64_t faults;        /* that fired */
    uint64_t pages_changed; /* by conversions */
    uint64_t conversions;
    uint64_t hash;
    char rule[48];
    char detail[200];
    /* The op's last call before that, "" where it made none. */
    char last_call[32];
    char last_caller[48];
};

/* What has come so far of an op in flight: one a lane, so that several can be. */
struct in_flight {
    struct op_result op_result;
    uint64_t op_points; /* bit per point: the op has called it */
    uint32_t op_calls[POINT_COUNT];
    uint16_t last_point;                           /* of the op's last call so far */
    const char *last_caller;                       /* NULL: it has made none */
    struct sim_call failed_call[MODEL_FAILED_MAX]; /* as op_result.failed[] */
};

enum runner_phase { PHASE_BUILD, PHASE_OPS, PHASE_TEARDOWN };

struct runner {
    struct sim_arena *arena;
    struct sim_snapshot snapshot;
    struct watch *watch; /* NULL: none */

    /* Of the program that runs now. */
    const struct subject *subject;
    const struct program *program;
    struct sim_world *world;
    const struct observe *observe;
    struct host host;
    const struct sync *sync; /* what the subject's locks go through */
    void *state;             /* the subject's */
    struct model *model;
    struct run_result *result;
    struct in_flight *now;   /* of the op that runs at this moment */
    struct lanes *lanes;     /* run/lanes.h; NULL: programs have none */
    struct in_flight single; /* of an op that runs alone */
    uint8_t phase;           /* enum runner_phase */
    bool starting;           /* the start state is being looked at */
    bool probing;            /* inside a retry probe */
    bool broken;             /* a violation is recorded: stop soon */
    bool no_probe;           /* the caller does failed ops again itself */
    uint32_t next_expect;
    uint64_t hash;
    uint64_t calls_left;              /* host-call bound */
    uint64_t *tracker;                /* as last seen, in the arena */
    const struct runner_hooks *hooks; /* set after runner_init; NULL: none */
    uint64_t *plugged;                /* the same of virtio-mem */
    uint8_t *dirty;                   /* answer of a dirty-sync, a byte a page */
    bool has_virtio_mem;              /* some region has it */
    uint32_t region_word[PROGRAM_REGIONS_MAX + 1];
    uint32_t region_page[PROGRAM_REGIONS_MAX + 1];
};

/* For the proof that every expectation is needed (tests/test_run_expects.c). With hooks the
 * rules break nothing off, only `unmet` hears of what does not hold. */
struct runner_hooks {
    void (*before_op)(struct runner *r);
    void (*after_op)(struct runner *r); /* may change r->now->op_result */
    void (*unmet)(const struct runner *r, const struct expect *e);
};

/* 0, or -ENOMEM: the arena could not be mapped. */
int runner_init(struct runner *r);
void runner_free(struct runner *r);

/* Runs p on the subject; `watch` may be NULL. Never fails: what went wrong is the verdict. */
void runner_run(struct runner *r, const struct program *p, const struct subject *subject,
                struct watch *watch, struct run_result *result);

/* ---- in steps, for who goes back (run/sweep.h) ----
 * `steps` builds, does ops and goes back to marks as it likes, until r->broken; crashes and
 * hangs end it like they end runner_run. The program has no expectations. */
void runner_steps(struct runner *r, const struct program *p, const struct subject *subject,
                  struct watch *watch, struct run_result *result,
                  void (*steps)(struct runner *r, void *ctx), void *ctx);

bool runner_build(struct runner *r); /* false: broken */
void runner_op(struct runner *r,
               uint32_t index); /* op number `index` of the program, probe included */
/* Arms a fault that the program does not have. 0 or an errno: ENODEV, ENOSPC. */
int runner_arm(struct runner *r, const struct op *fault);
/* Everything at rest, from scratch; false: broken. */
bool runner_look(struct runner *r);
void runner_end(struct runner *r); /* looks, tears down */

/* A place between two ops: the bytes of the world, with subject and model in it. */
struct runner_mark {
    struct sim_snapshot bytes;
    void *state;
    uint64_t hash;
};
/* 0 or -ENOMEM. A mark is zeroed, or was set before. */
int runner_mark(struct runner *r, struct runner_mark *mark);
/* Everything is as it was there, tear-down or not. */
void runner_go_back(struct runner *r, const struct runner_mark *mark);
void runner_mark_free(struct runner_mark *mark);

#endif
