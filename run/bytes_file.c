/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/bytes_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/bytes.h"
#include "run/vocabulary.h"

/* The first BYTES_FILE_MAX + 1 bytes; negative errno when there are more, or none can be had.
 */
static int read_bytes(FILE *f, uint8_t **data, size_t *size)
{
    int error = 0;

    *data = malloc(BYTES_FILE_MAX + 1);
    if (!*data)
        return -ENOMEM;
    errno = 0;
    *size = fread(*data, 1, BYTES_FILE_MAX + 1, f);
    if (ferror(f))
        error = errno ? -errno : -EIO;
    else if (*size > BYTES_FILE_MAX)
        error = -EFBIG;
    return error;
}

int bytes_file_load(const char *path, struct program *p, char *why, size_t why_size)
{
    FILE *f = fopen(path, "re");
    uint8_t *data = NULL;
    size_t size = 0;
    int error = f ? read_bytes(f, &data, &size) : -errno;

    if (f)
        fclose(f);
    if (!error)
        error = bytes_decode(data, size, &run_vocabulary, p);
    free(data);
    if (error)
        snprintf(why, why_size, "%s: %s", path, strerror(-error));
    assert(error <= 0);
    return error;
}

int bytes_file_save(const char *path, const struct program *p, char *why, size_t why_size)
{
    FILE *f = fopen(path, "we");
    int error;

    if (!f) {
        error = -errno;
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return error;
    }
    error = bytes_encode(f, p, &run_vocabulary, why, why_size);
    if (error != -EINVAL && (fclose(f) || error)) {
        error = error ? error : -errno;
        snprintf(why, why_size, "%s: cannot be written: %s", path, strerror(-error));
    } else if (error) {
        fclose(f);
    }
    return error;
}
