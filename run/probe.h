/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rule 6 of design.md section 6: after a clean failure, the same op without faults succeeds. */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

#include "run/runner.h"

/* Did the op that just ended fail cleanly, so that it would have to succeed now? */
bool probe_wanted(struct runner *r, const struct op *op);

/* Tries that on the side; the program goes on from where the failure left it. */
void probe_retry(struct runner *r, const struct op *op);

#endif
