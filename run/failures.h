/* SPDX-License-Identifier: GPL-2.0-or-later */
/* F of design.md section 6: the host calls of an op that failed, and what became of each. */
#ifndef RUN_FAILURES_H
#define RUN_FAILURES_H

#include "run/runner.h"

/* The call failed. `made_good`: its very error proves that what was wanted is there. */
void failures_note(struct runner *r, const struct sim_call *call, bool made_good);

/* Is the call one that failed before, once more? Notes that, and whether it went well this
 * time. True: its error is such a proof. */
bool failures_note_retry(struct runner *r, const struct sim_call *call);

#endif
