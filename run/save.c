/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/save.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/vocabulary.h"

static int write_to(const char *path, const struct program *p, const char *header,
                    save_print_fn *print)
{
    FILE *f = fopen(path, "we");
    int error;

    if (!f)
        return -errno;
    error = print(f, p, &run_vocabulary, header);
    if (fflush(f) && !error)
        error = -errno;
    if (fsync(fileno(f)) && !error && errno != EINVAL && errno != EROFS)
        error = -errno;
    if (fclose(f) && !error)
        error = -errno;
    return error;
}

int save_program(const char *path, const struct program *p, const char *header,
                 save_print_fn *print)
{
    char temporary[PATH_MAX];
    struct stat there;
    int error, length;

    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return write_to(path, p, header, print);
    length = snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
    if (length >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    error = write_to(temporary, p, header, print);
    if (!error && rename(temporary, path))
        error = -errno;
    if (error)
        unlink(temporary);
    return error;
}
