/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crash or a hang of the subject is a verdict. Fatal signals are taken on an alternate stack
 * and leave through the guard; a CPU timer does the same for a loop that makes no host call.
 * Process-wide, like signals are: one guarded run at a time. In sanitizer builds the sanitizer
 * reports and ends the process instead, and the supervisor says which program it was.
 */
#ifndef RUN_CRASH_H
#define RUN_CRASH_H

#include <setjmp.h>
#include <stdint.h>

/* Installs the handlers and the CPU timer; once a process. 0 or negative errno. */
int crash_init(void);

/* How much CPU time may pass without crash_progress; 0: the default, 20 s. 0 or -errno. */
int crash_cpu_bound(uint32_t milliseconds);

/* An op begins: the CPU time is counted afresh. */
void crash_progress(void);

/* From now on a crash jumps to *escape with the verdict as value; NULL: no longer. */
void crash_guard(sigjmp_buf *escape);

/* Leaves through the guard with this verdict; the guard must be set. */
_Noreturn void crash_escape(int verdict);

/* What happened, one line: "signal 11 (Segmentation fault)". */
const char *crash_reason(void);

#endif
