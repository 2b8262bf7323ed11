/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The production halves of core/host.h and core/sync.h, on the system that runs the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/host.h"
#include "core/sync.h"

static const struct host real = {.ops = &host_libc_ops};
static const struct host *const h = &real;

static int64_t host_pread_all(int fd, void *buf, uint64_t size, int64_t offset)
{
    return h->ops->pread(h->ctx, __func__, fd, buf, size, offset);
}

static int64_t host_pwrite_all(int fd, const void *buf, uint64_t size, int64_t offset)
{
    return h->ops->pwrite(h->ctx, __func__, fd, buf, size, offset);
}

/* A region's shared side, as the core makes, fills, shows and drops it. */
static void a_memfd_is_made_mapped_and_punched(void **state)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE) * 2;
    int fd = host_memfd_create(h, "ram", 0);
    uint64_t address = 0;
    char got[4] = "";

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(host_ftruncate(h, fd, (int64_t)size), 0);
    assert_int_equal(host_pwrite_all(fd, "abc", 3, 10), 3);
    assert_int_equal(host_pread_all(fd, got, 3, 10), 3);
    assert_string_equal(got, "abc");
    assert_int_equal(host_mmap(h, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &address),
                     0);
    assert_memory_equal((const char *)(uintptr_t)address + 10, "abc", 3);
    assert_int_equal(
        host_fallocate(h, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (int64_t)size / 2),
        0);
    assert_int_equal(*((const char *)(uintptr_t)address + 10), 0);
    assert_int_equal(host_madvise(h, address, size, MADV_DONTNEED), 0);
    assert_int_equal(host_munmap(h, address, size), 0);
    assert_int_equal(host_close(h, fd), 0);
}

/* Negative errno, and nothing through the errno variable. */
static void failures_are_negative_errnos(void **state)
{
    uint64_t address = 77, limit = 77;
    char byte;

    (void)state;
    assert_int_equal(host_open(h, "/no/such/file", O_RDONLY), -ENOENT);
    assert_int_equal(host_close(h, -1), -EBADF);
    assert_int_equal(h->ops->read(h->ctx, __func__, -1, &byte, 1), -EBADF);
    assert_int_equal(h->ops->write(h->ctx, __func__, -1, "x", 1), -EBADF);
    assert_int_equal(host_pread_all(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(host_pwrite_all(-1, "x", 1, 0), -EBADF);
    assert_int_equal(host_ioctl(h, -1, FIONREAD, NULL), -EBADF);
    assert_int_equal(
        host_mmap(h, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &address), -EINVAL);
    assert_int_equal(address, 77);
    assert_int_equal(host_munmap(h, 1, 1), -EINVAL);
    assert_int_equal(host_madvise(h, 1, 1, MADV_DONTNEED), -EINVAL);
    assert_int_equal(host_fallocate(h, -1, 0, 0, 1), -EBADF);
    assert_int_equal(host_ftruncate(h, -1, 0), -EBADF);
    assert_int_equal(host_getrlimit(h, -1, &limit), -EINVAL);
    assert_int_equal(limit, 77);
}

static void answers_come_through(void **state)
{
    int ends[2], waiting = 0;
    uint64_t limit = 0;
    char byte = 0;
    char *memory;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(h->ops->write(h->ctx, __func__, ends[1], "xy", 2), 2);
    assert_int_equal(host_ioctl(h, ends[0], FIONREAD, &waiting), 0);
    assert_int_equal(waiting, 2);
    assert_int_equal(host_read(h, ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(host_close(h, ends[0]), 0);
    assert_int_equal(host_close(h, ends[1]), 0);
    assert_int_equal(host_getrlimit(h, RLIMIT_NOFILE, &limit), 0);
    assert_true(limit > 0);
    memory = host_alloc(h, 100);
    assert_non_null(memory);
    for (int i = 0; i < 100; i++)
        assert_int_equal(memory[i], 0);
    host_free(h, memory);
    host_free(h, NULL);
}

/* What is given back is there for others. */
static void freed_memory_is_free(void **state)
{
    size_t before = mallinfo2().uordblks;

    (void)state;
    for (int i = 0; i < 1000; i++)
        host_free(h, host_alloc(h, 1000));
    assert_true(mallinfo2().uordblks < before + 100 * 1000);
}

/* ---- threads ---- */

enum { ROUNDS = 20000 };

static const struct sync threads = {.ops = &sync_pthread_ops};
static struct core_lock lock;
static volatile int counter;

static void *count_up(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        sync_lock(&threads, &lock);
        counter = counter + 1;
        sync_unlock(&threads, &lock);
    }
    return arg;
}

static void a_lock_keeps_threads_apart(void **state)
{
    pthread_t other;

    (void)state;
    sync_init(&threads, &lock, LOCK_MACHINE, 0);
    counter = 0;
    assert_int_equal(pthread_create(&other, NULL, count_up, NULL), 0);
    count_up(NULL);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(counter, 2 * ROUNDS);
    assert_false(lock.held);
    sync_destroy(&threads, &lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/host/a-memfd", a_memfd_is_made_mapped_and_punched, NULL, NULL, NULL},
        {"core/host/failures-are-errnos", failures_are_negative_errnos, NULL, NULL, NULL},
        {"core/host/answers-come-through", answers_come_through, NULL, NULL, NULL},
        {"core/host/freed-memory-is-free", freed_memory_is_free, NULL, NULL, NULL},
        {"core/sync/a-lock-keeps-threads-apart", a_lock_keeps_threads_apart, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/host", tests, NULL, NULL);
}
