/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule 7 of design.md section 6: after a batch of lanes there is a serial order of its ops, in
 * which each lane's ops keep their order and an op that returned before another began comes
 * first, that satisfies every rule for single ops, gives each op the result that it had, and
 * ends in the same state. Searched depth first from the world in front of the batch.
 */
#ifndef RUN_SERIAL_H
#define RUN_SERIAL_H

#include "run/lanes.h"

/* The batch has run. True: the run goes on in its world, the model knows the state that the
 * serial order led to. False: r->broken, a verdict. */
bool serial_explains(struct lanes *l);

#endif
