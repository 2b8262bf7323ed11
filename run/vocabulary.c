/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/vocabulary.h"

#include "run/points.h"
#include "sim/points.h"

static bool point_fails(uint32_t point, int error, bool late)
{
    for (uint32_t i = 0; points_errno(point, i, late) != 0; i++)
        if (points_errno(point, i, late) == error)
            return true;
    return false;
}

static bool point_is_fault(uint32_t point)
{
    return points_errno(point, 0, false) != 0 || points_errno(point, 0, true) != 0;
}

const struct vocabulary run_vocabulary = {
    .n_points = POINT_COUNT,
    .n_names = POINT_COUNT + POINT_GROUPS,
    .point_name = points_name,
    .point_help = points_help,
    .point_fails = point_fails,
    .point_errno = points_errno,
    .point_is_fault = point_is_fault,
};
