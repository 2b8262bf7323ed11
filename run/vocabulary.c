/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/vocabulary.h"

#include "sim/points.h"

static const char *point_name(uint32_t point)
{
    return sim_point_name(point);
}

static const char *point_help(uint32_t point)
{
    return sim_point_help(point);
}

static int point_errno(uint32_t point, uint32_t i, bool late)
{
    return sim_point_errno(point, i, late);
}

static bool point_fails(uint32_t point, int error, bool late)
{
    for (uint32_t i = 0; sim_point_errno(point, i, late) != 0; i++)
        if (sim_point_errno(point, i, late) == error)
            return true;
    return false;
}

static bool point_is_fault(uint32_t point)
{
    return sim_point_errno(point, 0, false) != 0 || sim_point_errno(point, 0, true) != 0;
}

const struct vocabulary run_vocabulary = {
    .n_points = POINT_COUNT,
    .point_name = point_name,
    .point_help = point_help,
    .point_fails = point_fails,
    .point_errno = point_errno,
    .point_is_fault = point_is_fault,
};
