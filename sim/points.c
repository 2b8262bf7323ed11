/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of fault points. Plain characters, no pointers: it needs no relocation. */
#include "sim/points.h"

#include <stddef.h>

enum { ERRNOS_MAX = 5 };

static const struct point {
    char name[24];
    char help[56];
    int early[ERRNOS_MAX];
    int late[ERRNOS_MAX];
} points[POINT_COUNT] = {
#define POINT_ROW(symbol, name, early, late, help) {name, help, early, late},
    SIM_POINTS(POINT_ROW)};

const char *sim_point_name(unsigned point)
{
    return point < POINT_COUNT ? points[point].name : NULL;
}

const char *sim_point_help(unsigned point)
{
    return point < POINT_COUNT ? points[point].help : NULL;
}

int sim_point_errno(unsigned point, unsigned i, int late)
{
    if (point >= POINT_COUNT || i >= ERRNOS_MAX)
        return 0;
    /* A list ends with its first 0, and every list has one. */
    return late ? points[point].late[i] : points[point].early[i];
}
