/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exhaustive exploration: all states that a machine can come to by the ops of an alphabet, in
 * sequences of any length, with up to so many faults in each op. Breadth first: a *level* is
 * what is one step further away; when a level brings nothing new, no sequence breaks a rule.
 *
 * The alphabet is the ops of a program, each of which may be done in every state. A state is
 * known by its key, a hash of 128 bits over what the oracle sees and knows (model_canon) and
 * what the subject keeps (its canon). States are not stored: each has one step and a parent,
 * and is reached again from the start, which also shows that it is what it was.
 */
#ifndef RUN_EXPLORE_H
#define RUN_EXPLORE_H

#include <stdio.h>

#include "run/explore_table.h"
#include "run/pool.h"

struct explore_options {
    uint32_t faults; /* an op, at most EXPLORE_FAULTS_MAX */
    uint32_t jobs;
    uint64_t states_max; /* more is a refusal */
    bool progress;
    const struct subject *subject;
    const char *checkpoint; /* NULL: none. Written after levels and when interrupted */
};

struct explore {
    struct explore_options options;
    const struct program *alphabet;
    struct explore_table table;
    uint64_t level_begin, level_end; /* states that are expanded now */
    uint32_t level;
    double seconds, seconds_saved; /* in all; of these, when the last checkpoint was written */
    int save_error; /* the last checkpoint could not be written: negative errno */
    bool full;      /* more states than fit */
    bool interrupted;
    uint64_t *samples; /* states that have one, once all are expanded */
    uint64_t n_samples;
    /* The first finding, if `found`. */
    bool found, in_sample;
    uint64_t found_state;
    struct run_result result;
};

/* The program must outlive e, have no expectations and no faults. 0, -ENOMEM, or -E2BIG: the
 * machine is too large. */
int explore_init(struct explore *e, const struct program *alphabet,
                 const struct explore_options *options);
void explore_free(struct explore *e);

/* Until nothing new appears, something is found, it is interrupted or full. 0, or negative
 * errno when workers could not be started. */
int explore_run(struct explore *e);

uint64_t explore_transitions(const struct explore *e);

/* The shortest program that shows what was found, and its result. 0 or -ENOMEM. */
int explore_reproducer(const struct explore *e, struct program *p, struct run_result *r);

/* 0, 1, 2, 3 or 130. */
int explore_exit_code(const struct explore *e);
/* What was shown, and the last line. 0 or -errno of the stream. */
int explore_report(FILE *out, const struct explore *e, bool json);

/* ---- in a worker: run/explore_item.c ---- */
/* All that can come after state `index`. */
void explore_expand(struct explore *e, uint64_t index, struct runner *r,
                    const struct program *p, struct run_result *result);
/* What came to state `index` by another way (its `sample`) must lead to the same states. */
void explore_compare(struct explore *e, uint64_t index, struct runner *r,
                     const struct program *p, struct run_result *result);

/* ---- run/explore_file.c ----
 * Whole or not at all. 0 or negative errno. */
int explore_save(const struct explore *e, const char *path);
/* Between explore_init and explore_run: goes on from there, where there is such a file. 0, or
 * negative errno and one line in `why`. */
int explore_load(struct explore *e, const char *path, char *why, size_t why_size);

#endif
