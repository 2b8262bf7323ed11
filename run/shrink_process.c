/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shrinker's process and who watches over it. The best so far is in memory that both share,
 * so a subject that ends the process ends nothing: another one goes on from there, more slowly,
 * with a child for each run.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/interrupt.h"
#include "run/process.h"
#include "run/shrink_internal.h"

enum {
    POLL_US = 500,
    LOOK_EVERY = 40,   /* polls */
    ASLEEP_LOOKS = 50, /* a worker has nothing to wait for */
    SHOW_EVERY = 1000,
    LINES_MORE = 64 /* a program may be longer on its way to be shorter */
};

void shrink_publish(struct shrinker *s)
{
    struct shrink_shared *shared = s->shared;
    uint32_t next = atomic_load_explicit(&shared->current, memory_order_relaxed) == 1 ? 2 : 1;
    struct shrink_slot *slot = &shared->slots[next - 1];

    assert(s->best.n_ops <= shared->cap_ops && s->best.n_expects <= shared->cap_expects);
    slot->machine = s->best.machine;
    slot->seed = s->best.seed;
    slot->n_ops = s->best.n_ops;
    slot->n_expects = s->best.n_expects;
    slot->result = s->result;
    if (slot->n_ops)
        memcpy(slot->ops, s->best.ops, slot->n_ops * sizeof(*slot->ops));
    if (slot->n_expects)
        memcpy(slot->expects, s->best.expects, slot->n_expects * sizeof(*slot->expects));
    atomic_store_explicit(&shared->current, next, memory_order_release);
}

/* The published program, or the original where there is none. 0 or -ENOMEM. */
static int best_of(const struct shrink_shared *shared, const struct program *original,
                   struct program *to, struct run_result *result)
{
    uint32_t current = atomic_load_explicit(&shared->current, memory_order_acquire);
    const struct shrink_slot *slot = &shared->slots[current ? current - 1 : 0];
    const struct program published = {.machine = slot->machine,
                                      .seed = slot->seed,
                                      .n_ops = slot->n_ops,
                                      .n_expects = slot->n_expects,
                                      .ops = slot->ops,
                                      .expects = slot->expects};

    *result = slot->result;
    return program_copy(to, current ? &published : original);
}

static struct shrink_shared *shared_new(const struct program *p)
{
    uint32_t cap_ops = p->n_ops + LINES_MORE, cap_expects = p->n_expects;
    size_t ops = cap_ops * sizeof(struct op), expects = cap_expects * sizeof(struct expect);
    size_t size = sizeof(struct shrink_shared) + 2 * (ops + expects);
    struct shrink_shared *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *at = (char *)(shared + 1);

    if (shared == MAP_FAILED)
        return NULL;
    shared->size = size;
    shared->cap_ops = cap_ops;
    shared->cap_expects = cap_expects;
    for (uint32_t i = 0; i < 2; i++, at += ops + expects) {
        shared->slots[i].ops = (struct op *)at;
        shared->slots[i].expects = (struct expect *)(at + ops);
    }
    return shared;
}

/* ---- the worker ---- */

/* Never returns: the whole life of the child. */
static _Noreturn void be_worker(struct shrinker *s, pid_t parent, const struct program *p)
{
    interrupt_ignore();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    s->want = s->shared->want;
    s->cpu_ms = s->shared->cpu_ms;
    if (best_of(s->shared, p, &s->best, &s->result))
        s->shared->end = SHRINK_HARNESS;
    else
        s->shared->end = shrink_worker(s, atomic_load(&s->shared->current) != 0);
    _exit(0);
}

static void show_progress(const struct shrink_shared *shared, double start)
{
    uint32_t current = atomic_load(&shared->current);

    fprintf(stderr, "\r%6.1f s  shrinking: %llu tries, %u lines left  ", shrink_now() - start,
            (unsigned long long)atomic_load(&shared->tries),
            current ? shared->slots[current - 1].n_ops : 0);
    fflush(stderr);
}

/* Until the worker has ended. A second Ctrl-C does not wait for the try that is under way. */
static void supervise(struct shrinker *s, pid_t pid, double start)
{
    const struct timespec pause = {.tv_nsec = POLL_US * 1000L};
    uint64_t cpu = 0, cpu_before = UINT64_MAX;
    uint32_t asleep = 0;
    int status;

    for (uint32_t n = 1; waitpid(pid, &status, WNOHANG) == 0; n++) {
        if (interrupt_count() > 0)
            atomic_store(&s->shared->stop, true);
        if (n % LOOK_EVERY == 0) {
            asleep = process_sleeps(pid, &cpu) && cpu == cpu_before ? asleep + 1 : 0;
            cpu_before = cpu;
        }
        if (interrupt_count() > 1 || (asleep >= ASLEEP_LOOKS && !s->forks))
            kill(pid, SIGKILL);
        if (s->options->progress && n % SHOW_EVERY == 0)
            show_progress(s->shared, start);
        nanosleep(&pause, NULL);
    }
    if (s->options->progress)
        fputs("\r\033[K", stderr);
}

/* 0 when it has ended by itself, 1 when its process is gone, or negative errno. */
static int run_worker(struct shrinker *s, const struct program *p, double start)
{
    pid_t parent = getpid(), pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        be_worker(s, parent, p);
    supervise(s, pid, start);
    if (s->shared->end == SHRINK_UNDER_WAY && interrupt_count() > 0)
        s->shared->end = SHRINK_INTERRUPTED;
    return s->shared->end == SHRINK_UNDER_WAY;
}

static void take_result(struct shrinker *s, const struct program *p, struct shrink_result *out)
{
    struct shrink_shared *shared = s->shared;

    out->end = shared->end;
    if (best_of(shared, p, &out->program, &out->result))
        out->end = SHRINK_HARNESS;
    /* Interrupted before it was known that it fails at all. */
    if (out->end == SHRINK_INTERRUPTED && atomic_load(&shared->current) == 0)
        out->result.page = MODEL_NO_PAGE;
    out->signature = shared->want;
    out->tries = atomic_load(&shared->tries);
    out->ops = atomic_load(&shared->ops);
    out->removals = shared->removals;
    out->work_seconds = shared->seconds;
}

int shrink(const struct program *p, const struct shrink_options *options,
           struct shrink_result *out)
{
    double start = shrink_now();
    struct shrinker *s = calloc(1, sizeof(*s));
    int error = s ? 0 : -ENOMEM;

    memset(out, 0, sizeof(*out));
    program_init(&out->program);
    if (error)
        return error;
    s->options = options;
    s->deadline = start + (options->seconds > 0 ? options->seconds : SHRINK_SECONDS);
    s->shared = shared_new(p);
    if (s->shared) {
        interrupt_catch();
        atomic_store(&s->shared->stop, interrupt_count() > 0);
        error = run_worker(s, p, start);
        s->forks = true;
        if (error > 0)
            error = run_worker(s, p, start);
        if (error > 0)
            s->shared->end = SHRINK_HARNESS;
        take_result(s, p, out);
        munmap(s->shared, s->shared->size);
    }
    out->seconds = shrink_now() - start;
    error = s->shared ? (error < 0 ? error : 0) : -ENOMEM;
    free(s);
    return error;
}

bool shrink_has_result(const struct shrink_result *r)
{
    return r->result.verdict != VERDICT_OK &&
           (r->end == SHRINK_MINIMAL || r->end == SHRINK_BUDGET ||
            r->end == SHRINK_INTERRUPTED);
}

void shrink_free(struct shrink_result *out)
{
    program_free(&out->program);
}
