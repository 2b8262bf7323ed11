/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as files: whole or not at all. */
#ifndef RUN_SAVE_H
#define RUN_SAVE_H

#include "program/text.h"

/* text_print or text_print_brief. */
typedef int save_print_fn(FILE *out, const struct program *p, const struct vocabulary *words,
                          const char *header);

/* Written beside `path`, then put in its place, so that what was there stays until the new one
 * is whole. A path that is no file (a device, a pipe) is just written to. 0 or -errno. */
int save_program(const char *path, const struct program *p, const char *header,
                 save_print_fn *print);

#endif
