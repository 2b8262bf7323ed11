/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the system knows about another process. */
#ifndef RUN_PROCESS_H
#define RUN_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Does it wait for something that may never come (not for a CPU, a disk, a debugger)? *cpu:
 * the time it has used, in whatever unit. False where nobody can tell. */
bool process_sleeps(pid_t pid, uint64_t *cpu);

#endif
