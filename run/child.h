/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that is run once more, for somebody who looks on: in a child process, so that a
 * subject which ends its process ends only that. */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include <errno.h>

#include "run/runner.h"

/* Calls `work` in a child process and waits for its end. What it returned, which is not
 * negative; or CHILD_DIED: it did not return; or another negative errno: there was no child.
 * -EINTR: this process was interrupted meanwhile, which ends the child. What the child has to
 * say on stderr was said when the program ran first. */
enum { CHILD_DIED = -ECHILD };
int child_do(int (*work)(void *ctx), void *ctx);

/* Runs p once more, in a child, as it ran before: with less patience if it hung then. 0, or
 * -errno. */
int child_run(const struct program *p, const struct subject *subject, struct watch *watch,
              const struct run_result *before, struct run_result *result);

#endif
