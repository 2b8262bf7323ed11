/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C and its kin end a campaign early, never untold: the signals are counted, whoever runs
 * things looks at the count, and they stay caught while the report is written.
 */
#ifndef RUN_INTERRUPT_H
#define RUN_INTERRUPT_H

/* From now on SIGINT, SIGTERM and (unless nohup ignores it) SIGHUP are counted. */
void interrupt_catch(void);

/* In a child: they are the supervisor's. */
void interrupt_ignore(void);

/* How often one came. */
unsigned interrupt_count(void);

/* Back to none: for tests, which outlive an interruption. */
void interrupt_forget(void);

#endif
