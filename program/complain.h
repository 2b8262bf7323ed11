/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line that says what was expected and what came, for whoever wrote the input. */
#ifndef PROGRAM_COMPLAIN_H
#define PROGRAM_COMPLAIN_H

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct complaint {
    char *why; /* NULL: nobody wants to know */
    size_t size;
};

/* Writes the line and returns -EINVAL, so that a check is one `return`. */
static inline __attribute__((format(printf, 2, 3))) int complain(const struct complaint *c,
                                                                 const char *format, ...)
{
    va_list args;

    assert(c && format);
    if (c->why && c->size) {
        va_start(args, format);
        (void)vsnprintf(c->why, c->size, format, args);
        va_end(args);
    }
    return -EINVAL;
}

#endif
