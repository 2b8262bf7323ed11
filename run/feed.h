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

/* What changed since the last call; the tracker of the regions that the changes are in, after
 * an op of all regions. False when nothing did. */
bool feed_changes(struct runner *r);

#endif
