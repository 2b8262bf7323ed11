/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between what is true (sim/observe.h), what the subject says (its tracker) and the model:
 * translates guest physical and IOVA page numbers into the program's guest pages and hands the
 * model what changed, nothing else. Cost follows the changes.
 */
#ifndef RUN_FEED_H
#define RUN_FEED_H

#include "run/runner.h"

/* Tables of the machine; call when program and world are set. False: arena full. */
bool feed_prepare(struct runner *r);

/* Everything, once. */
void feed_all(struct runner *r);

/* Everything once more: the model may know another world. */
void feed_again(struct runner *r);

/* What the host call that was just answered changed; false when nothing did. `ask_tracker`:
 * what the subject's tracker says, too. Without it only between the DMA maps and unmaps of one
 * row, where nobody could look. */
bool feed_after_call(struct runner *r, bool ask_tracker);

/* Everything at rest: what changed and, if the subject had its turn, the whole tracker and what
 * containers and machine count. */
void feed_after_op(struct runner *r, bool subject_ran);

#endif
