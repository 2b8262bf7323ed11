/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeroed memory that ends where nothing may be touched, and is gone once it is freed. Slow. */
#ifndef TESTS_GUARDED_ALLOC_H
#define TESTS_GUARDED_ALLOC_H

#include <stddef.h>

void *guarded_alloc(size_t size);
void guarded_free(void *memory);

#endif
