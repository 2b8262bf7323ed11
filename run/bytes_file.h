/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs in byte form, as files. */
#ifndef RUN_BYTES_FILE_H
#define RUN_BYTES_FILE_H

#include "program/op.h"

enum { BYTES_FILE_MAX = 16 << 20 };

/* 0, or negative errno and one line in `why`. */
int bytes_file_load(const char *path, struct program *p, char *why, size_t why_size);
int bytes_file_save(const char *path, const struct program *p, char *why, size_t why_size);

#endif
