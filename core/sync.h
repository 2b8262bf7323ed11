/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every lock, unlock and wait of the core goes through this table: pthreads in production
 * (sync_pthread_ops), a deterministic scheduler's hooks in simulation, and NULL in
 * single-lane programs, where a lock is only a flag that assertions look at.
 *
 * Lock order, outermost first; a lock may be taken only while none below it is held:
 *   1. vmm->machine_lock   regions, sections, listeners, containers come and go
 *   2. block->lock         one a RAM block: attributes, listeners' view of it; a request locks
 *                          every block that it touches, in ascending index, to its end
 *   3. container->lock     one a container: its ledger and its ioctls
 */
#ifndef CORE_SYNC_H
#define CORE_SYNC_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* By the order above. */
enum lock_rank { LOCK_MACHINE = 1, LOCK_BLOCK, LOCK_CONTAINER };

struct core_lock {
    bool held;
    uint8_t rank;   /* enum lock_rank */
    uint32_t index; /* of the block, of the container: ascending among locks of one rank */
    pthread_mutex_t mutex; /* used by sync_pthread_ops only */
};

struct sync_ops {
    void (*init)(void *ctx, struct core_lock *lock);
    void (*destroy)(void *ctx, struct core_lock *lock);
    void (*lock)(void *ctx, struct core_lock *lock, const char *caller);
    void (*unlock)(void *ctx, struct core_lock *lock, const char *caller);
};

/* ops == NULL: one lane, no threads. */
struct sync {
    const struct sync_ops *ops;
    void *ctx;
};

extern const struct sync_ops sync_pthread_ops;

#define sync_lock(s, l)   sync_lock_from((s), (l), __func__)
#define sync_unlock(s, l) sync_unlock_from((s), (l), __func__)

static inline void sync_init(const struct sync *s, struct core_lock *l, enum lock_rank rank,
                             uint32_t index)
{
    l->held = false;
    l->rank = (uint8_t)rank;
    l->index = index;
    if (s->ops)
        s->ops->init(s->ctx, l);
}

static inline void sync_destroy(const struct sync *s, struct core_lock *l)
{
    assert(!l->held);
    if (s->ops)
        s->ops->destroy(s->ctx, l);
}

static inline void sync_lock_from(const struct sync *s, struct core_lock *l, const char *caller)
{
    if (s->ops)
        s->ops->lock(s->ctx, l, caller);
    assert(!l->held);
    l->held = true;
}

static inline void sync_unlock_from(const struct sync *s, struct core_lock *l,
                                    const char *caller)
{
    assert(l->held);
    l->held = false;
    if (s->ops)
        s->ops->unlock(s->ctx, l, caller);
}

#endif
