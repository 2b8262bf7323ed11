/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program language can say and this version cannot run. */
#ifndef RUN_UNBUILT_H
#define RUN_UNBUILT_H

#include <stdbool.h>

#include "program/op.h"

/* True: something of it is not built; one line says what, *op is the op that it is about or
 * p->n_ops for the machine, *line its line of text or 0. */
bool unbuilt(const struct program *p, char *why, size_t why_size, uint32_t *op, uint32_t *line);

#endif
