/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core/sync.h with POSIX threads. A mutex of ours cannot fail when it is used rightly, so a
 * failure is a bug of ours: asserted.
 */
#include "core/sync.h"

static void thread_init(void *ctx, struct core_lock *lock)
{
    (void)ctx;
    int rc = pthread_mutex_init(&lock->mutex, NULL);

    assert(rc == 0);
    (void)rc;
}

static void thread_destroy(void *ctx, struct core_lock *lock)
{
    (void)ctx;
    int rc = pthread_mutex_destroy(&lock->mutex);

    assert(rc == 0);
    (void)rc;
}

static void thread_lock(void *ctx, struct core_lock *lock, const char *caller)
{
    (void)ctx, (void)caller;
    int rc = pthread_mutex_lock(&lock->mutex);

    assert(rc == 0);
    (void)rc;
}

static void thread_unlock(void *ctx, struct core_lock *lock, const char *caller)
{
    (void)ctx, (void)caller;
    int rc = pthread_mutex_unlock(&lock->mutex);

    assert(rc == 0);
    (void)rc;
}

const struct sync_ops sync_pthread_ops = {
    .init = thread_init,
    .destroy = thread_destroy,
    .lock = thread_lock,
    .unlock = thread_unlock,
};
