/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program's text may call a host call: a point of the mock kernel's registry, or a group
 * of points that do one thing, whatever the machine ("dma/map"). A name is an index: points
 * first, then groups. And which points a machine's calls go through, so that it can be said
 * whether a fault could ever fire there.
 */
#ifndef RUN_POINTS_H
#define RUN_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "program/op.h"

enum { POINT_GROUPS = 4 };

/* NULL past the end. */
const char *points_name(uint32_t name);
const char *points_help(uint32_t name);
/* A bit for each point that the name means. */
uint64_t points_of(uint32_t name);

/* Does a call of this point change what is mapped for DMA, and nothing else? */
bool point_is_dma(uint32_t point);

/* The i-th errno that a fault of this name may have on some machine, 0 past the end. */
int points_errno(uint32_t name, uint32_t i, bool late);

/* Where a fault is armed on this machine: the points of its name that the machine's calls go
 * through and that can fail so. 0: nowhere, such a fault cannot exist there. */
uint64_t points_armed(uint32_t name, int error, bool late, const struct machine *m);

/* Can every fault of the program exist on its machine? If not, *op is the first that cannot. */
bool points_faults_exist(const struct program *p, uint32_t *op);

#endif
