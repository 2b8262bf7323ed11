/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vocabulary for tests of program/ alone: some names and errnos of the mock kernel, without
 * the mock kernel. "kvm/system" can only be counted, "host/close" fails late only.
 */
#ifndef TESTS_VOCABULARY_FOR_TESTS_H
#define TESTS_VOCABULARY_FOR_TESTS_H

#include <errno.h>

#include "program/text.h"

static const struct {
    const char *name;
    int early[5];
    int late[3];
} test_points[] = {
    {"core/alloc", {ENOMEM}, {0}},
    {"host/open", {EMFILE, ENOENT, EACCES}, {0}},
    {"host/close", {0}, {EIO}},
    {"mm/madvise", {EAGAIN, EINVAL}, {EAGAIN}},
    {"memfd/punch", {EINTR, EIO}, {EINTR}},
    {"gmem/punch", {EINTR, EIO}, {EINTR}},
    {"kvm/system", {0}, {0}},
    {"kvm/set_attributes", {ENOMEM, EFAULT}, {EFAULT}},
    {"vfio/map", {ENOMEM, EFAULT, ENOSPC}, {EFAULT}},
    {"vfio/unmap", {EFAULT, EINVAL}, {EFAULT}},
    {"shared/drop", {EAGAIN, EINVAL, EINTR, EIO}, {EAGAIN, EINTR}}, /* a group */
};

enum { TEST_POINTS = sizeof(test_points) / sizeof(test_points[0]) };

static const char *test_point_name(uint32_t point)
{
    return point < TEST_POINTS ? test_points[point].name : NULL;
}

static const char *test_point_help(uint32_t point)
{
    return point < TEST_POINTS ? "a point" : NULL;
}

static int test_point_errno(uint32_t point, uint32_t i, bool late)
{
    const int *list = late ? test_points[point].late : test_points[point].early;

    for (uint32_t k = 0; k < i; k++) {
        if (!list[k])
            return 0;
    }
    return list[i];
}

static bool test_point_fails(uint32_t point, int error, bool late)
{
    int number;

    for (uint32_t i = 0; (number = test_point_errno(point, i, late)); i++) {
        if (number == error)
            return true;
    }
    return false;
}

static bool test_point_is_fault(uint32_t point)
{
    return test_point_errno(point, 0, false) || test_point_errno(point, 0, true);
}

static const struct vocabulary test_vocabulary = {
    .n_points = TEST_POINTS - 1,
    .n_names = TEST_POINTS,
    .point_name = test_point_name,
    .point_help = test_point_help,
    .point_fails = test_point_fails,
    .point_errno = test_point_errno,
    .point_is_fault = test_point_is_fault,
};

#endif
