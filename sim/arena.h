/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world arena: one mapping at a fixed address, so that a snapshot is bytes and can be put
 * back, pointers and all. Allocation is a bump pointer plus free lists by size class; memory
 * handed out is zeroed. In AddressSanitizer builds a freed block is poisoned and not used again
 * within a run, so a use after free of the core's memory is caught.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define SIM_ARENA_BASE 0x7e9000000000ull /* free with gcc and clang, ASan and TSan */
#define SIM_ARENA_SIZE (4ull << 30)      /* reserved, not committed */

struct sim_arena; /* its bookkeeping lives at SIM_ARENA_BASE itself */

/* Empties the arena: every block is gone, used memory reads as zero again. */
void arena_reset(struct sim_arena *a);
/* Zeroed, aligned to 16; NULL when full. */
void *arena_alloc(struct sim_arena *a, size_t size);
/* NULL is allowed. Asserts that the block is live. */
void arena_free(struct sim_arena *a, void *memory);
/* Bytes in use from the base, bookkeeping included: what a snapshot copies. */
size_t arena_used(const struct sim_arena *a);
/* Before bytes are copied out, or put back over what is there now: lifts the poison
 * (AddressSanitizer builds) off the first `size` bytes and off all that is used;
 * arena_restored makes it agree with the blocks again. */
void arena_lift_poison(struct sim_arena *a, size_t size);
/* After used bytes were put back; old_used is what arena_used said before: what lies beyond
 * the new end reads as zero again. */
void arena_restored(struct sim_arena *a, size_t old_used);

#endif
