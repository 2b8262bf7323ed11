/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "program/text.h"

enum { ERRNO_NAMED_LAST = 133, ERRNO_LAST = 4095 };

/* Names that share a number with the one that the C library prefers. */
static const struct {
    const char *name;
    int number;
} aliases[] = {
    {"EWOULDBLOCK", EWOULDBLOCK},
    {"EDEADLOCK", EDEADLOCK},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"ENOTSUP", ENOTSUP},
};

const char *text_errno(int error)
{
    /* A few numbers have no name; a short ring lets one message show several of them. */
    static _Thread_local char numbers[4][16];
    static _Thread_local unsigned next;
    const char *name = error > 0 ? strerrorname_np(error) : NULL;
    char *number;

    if (name)
        return name;
    if (error == 0)
        return "0";
    number = numbers[next++ % 4];
    (void)snprintf(number, sizeof(numbers[0]), "%d", error);
    return number;
}

static bool same(const char *name, const char *s, size_t size)
{
    return name && strlen(name) == size && memcmp(name, s, size) == 0;
}

/* "0" and numbers without a name, as text_errno prints them. */
static int plain_number(const char *s, size_t size)
{
    int number = 0;

    assert(size > 0);
    for (size_t i = 0; i < size; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        number = number * 10 + (s[i] - '0');
        if (number > ERRNO_LAST)
            return -1;
    }
    return number;
}

int text_errno_number(const char *name, size_t size)
{
    assert(name || !size);
    if (!size)
        return -1;
    for (int i = 1; i <= ERRNO_NAMED_LAST; i++) {
        if (same(strerrorname_np(i), name, size))
            return i;
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (same(aliases[i].name, name, size))
            return aliases[i].number;
    }
    return plain_number(name, size);
}
