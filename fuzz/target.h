/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is fuzzed: fuzz/target_program.c or fuzz/target_text.c, around it fuzz/harness.c. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_BYTES_MAX = 8192 };

/* Once a process: all memory that inputs need, so that each finds it as the one before did. 0
 * or negative errno. */
int target_init(void);

/* False: one line in `why` says what is wrong. Nothing is left of the one before. */
bool target_one(const uint8_t *data, size_t size, char *why, size_t why_size);

#endif
