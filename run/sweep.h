/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sweeps: a program runs clean, then each host call that can fail does, one run each, with each
 * errno it can give, before and after its effect; then pairs of calls, the second one anywhere
 * after the first, so that an undo fails itself; and a sample of triples. What the program's
 * author expected was about other faults: it is dropped, the rules judge. The program's own
 * faults stay armed, and in front.
 *
 * A run does not begin at the program's start: the world is marked between two ops and put back
 * (run/runner.h). An item of the pool is one op of one program and one depth.
 */
#ifndef RUN_SWEEP_H
#define RUN_SWEEP_H

#include "program/text.h"
#include "run/hits.h"
#include "run/pool.h"

enum { SWEEP_DEPTH_MAX = 3, SWEEP_SAMPLES = 100 };

struct sweep_options {
    uint32_t depth; /* how many faults a run has at most */
    struct fault_choice choice;
    uint32_t samples;   /* of depth 3: runs an op ... */
    uint64_t seed;      /* ... and of the choice which */
    uint64_t short_one; /* deeper than 1 only programs with at most so many faults; 0: all */
    bool keep_going;    /* with the other programs, after a finding */
    uint32_t jobs;
    bool progress;
    const struct subject *subject;
};

/* What was done, and what not. */
struct sweep_counts {
    uint64_t hits;                      /* calls that could be made to fail */
    uint64_t faults;                    /* that they could be given */
    uint64_t runs[SWEEP_DEPTH_MAX + 1]; /* by how many faults they had; [0]: the clean one */
    uint64_t not_fired;                 /* faults that found no hit, and left out therefore */
    uint64_t before_mark;               /* hits in front of the program's mark */
    uint64_t sampled_away; /* third faults that could have been, of the pairs that were drawn */
};

/* Armed in front of an op of the program. */
struct sweep_fault {
    uint32_t op;
    struct op fault;
};

/* Of an item; lives in memory that survives the worker. */
struct sweep_outcome {
    struct sweep_counts counts;
    uint32_t n_faults; /* of the run that is under way, or that found something */
    struct sweep_fault faults[SWEEP_DEPTH_MAX];
};

struct sweep_program {
    char *name;
    struct program program;    /* without expectations */
    struct text_error problem; /* why it is none; its `why` is empty when it is one */
    struct sweep_counts counts;
    bool too_long;   /* for more than depth 1 */
    bool unfinished; /* interrupted, or something was found before */
    bool found;
};

struct sweep_finding {
    uint32_t program;
    uint32_t depth; /* of its item ... */
    uint32_t op;    /* ... and op: the same however many jobs there are */
    struct run_result result;
    uint32_t n_faults;
    struct sweep_fault faults[SWEEP_DEPTH_MAX];
};

struct sweep {
    struct sweep_options options;
    struct sweep_program *programs;
    uint32_t n_programs;
    struct sweep_finding *findings; /* in the order of depth, program, op */
    uint32_t n_findings;
    struct pool_totals totals; /* verdicts, hash, seconds: of all depths */
};

void sweep_init(struct sweep *s, const struct sweep_options *options);
void sweep_free(struct sweep *s);

/* One more program to sweep, by copy; or, where `problem` is not NULL, one that cannot be. Nor
 * can one whose own faults do not exist on its machine: its problem says so. 0 or -ENOMEM. */
int sweep_add(struct sweep *s, const char *name, const struct program *p,
              const struct text_error *problem);

/* Sweeps all, a depth after the other. 0, or negative errno when workers could not be started.
 */
int sweep_run(struct sweep *s);

void sweep_add_counts(struct sweep_counts *to, const struct sweep_counts *c);
/* All runs, of all programs and depths. */
uint64_t sweep_runs(const struct sweep *s);

/* The program with a finding's faults in it, up to where it failed, for `replay`; r is its
 * result, f's but for the number of the op. 0 or -errno. */
int sweep_reproducer(const struct sweep *s, const struct sweep_finding *f, struct program *p,
                     struct run_result *r);

/* "sweep-<name of the file>-<number>": what to save it as. */
void sweep_finding_name(const struct sweep *s, const struct sweep_finding *f, char *buf,
                        size_t size);

/* A line a program, and what was skipped. */
void sweep_report_programs(FILE *out, const struct sweep *s);
/* The last line. 0 or -errno of the stream. */
int sweep_report_summary(FILE *out, const struct sweep *s, bool json);

#endif
