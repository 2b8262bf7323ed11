/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace hash: a chain over fixed records of 64-bit words, so that padding, addresses and
 * byte order of structs never enter it.
 */
#ifndef RUN_HASH_H
#define RUN_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_words(uint64_t chain, const uint64_t *words, size_t n)
{
    return XXH3_64bits_withSeed(words, n * sizeof(*words), chain);
}

#endif
