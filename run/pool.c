/* SPDX-License-Identifier: GPL-2.0-or-later */
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
#include "run/pool_shared.h"
#include "run/process.h"

enum { POLL_MS = 20, PROGRESS_MS = 500, RESTARTS_MAX = 3, IDLE_MS = 10 * 1000 };

struct pool {
    const struct pool_source *source;
    const struct pool_options *options;
    struct run_result *results;
    struct pool_shared *shared;
    size_t shared_size;
    double start, deadline;
    uint32_t alive;
    bool killing; /* what is under way is given up */
    struct pool_totals *totals;
};

void *pool_shared_alloc(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void pool_shared_free(void *memory, size_t size)
{
    if (memory)
        munmap(memory, size);
}

struct run_result *pool_results_alloc(uint64_t n_items)
{
    return pool_shared_alloc((n_items + 1) * sizeof(struct run_result));
}

void pool_results_free(struct run_result *results, uint64_t n_items)
{
    pool_shared_free(results, (n_items + 1) * sizeof(struct run_result));
}

static int start_worker(struct pool *p, uint32_t number)
{
    struct worker_slot *slot = &p->shared->slots[number];
    pid_t parent = getpid(), child;

    assert(slot->pid == 0);
    fflush(NULL);
    child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        /* Ctrl-C is the supervisor's; and no worker outlives it. */
        interrupt_ignore();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(3);
        worker_main(p->source, p->options, p->shared, number, p->results, p->deadline);
        exit(0);
    }
    slot->pid = child; /* only here: the slot is shared, and the child's pid is 0 to itself */
    slot->n_asleep = 0;
    p->alive++;
    return 0;
}

/* The item that a worker left behind gets this verdict; its share goes on after it. */
static void conclude_item(struct pool *p, uint32_t number, enum verdict verdict,
                          const char *rule, const char *detail)
{
    struct worker_slot *slot = &p->shared->slots[number];
    struct run_result result = {
        .verdict = verdict, .op = RUN_OP_UNKNOWN, .page = MODEL_NO_PAGE};
    struct tally *tally;

    assert(slot->pid == 0);
    slot->restarts = 0;
    slot->stuck = false;
    snprintf(result.rule, sizeof(result.rule), "%s", rule);
    snprintf(result.detail, sizeof(result.detail), "%s", detail);
    tally = tally_begin(slot);
    tally->programs++;
    tally_verdict(p->shared, slot, tally, p->source, &result);
    if (p->results && tally->next - p->source->first < p->source->n_items)
        p->results[tally->next - p->source->first] = result;
    tally->next += p->options->jobs;
    tally_commit(slot);
}

/* Killed from outside (SIGKILL: the OOM killer, an operator) says nothing about the program:
 * it is run again, a few times. */
static void worker_killed(struct pool *p, uint32_t number)
{
    struct worker_slot *slot = &p->shared->slots[number];
    char detail[100];

    p->totals->workers_restarted++;
    slot->restarts++;
    fprintf(stderr, "%sgmemcheck: worker %u was killed from outside in program %llu; %s\n",
            p->options->progress ? "\r\033[K" : "", number,
            (unsigned long long)tally_now(slot)->next,
            slot->restarts > RESTARTS_MAX ? "given up" : "started again");
    if (slot->restarts <= RESTARTS_MAX)
        return;
    snprintf(detail, sizeof(detail),
             "the worker was killed from outside %u times in this program", RESTARTS_MAX + 1);
    conclude_item(p, number, VERDICT_HARNESS, "worker-killed", detail);
}

/* The process of a worker ended inside an item: the item is the finding. */
static void worker_died(struct pool *p, uint32_t number, int status)
{
    bool done = atomic_load(&p->shared->slots[number].done);
    char detail[100];

    if (WIFSIGNALED(status))
        snprintf(detail, sizeof(detail), "the worker died of signal %d (%s)", WTERMSIG(status),
                 sigdescr_np(WTERMSIG(status)));
    else
        snprintf(detail, sizeof(detail), "%s with exit code %d",
                 done ? "a worker ended after its last program"
                      : "the subject ended the process",
                 WEXITSTATUS(status));
    conclude_item(p, number, done ? VERDICT_HARNESS : VERDICT_CRASH,
                  done ? "worker-exit" : "crash", detail);
}

static void worker_slept(struct pool *p, uint32_t number)
{
    conclude_item(p, number, VERDICT_HANG, "hang",
                  "the subject sleeps and nothing will wake it: a lock it holds itself?");
}

static void worker_ended(struct pool *p, uint32_t number, int status)
{
    struct worker_slot *slot = &p->shared->slots[number];
    bool done = atomic_load(&slot->done);
    int error;

    slot->pid = 0;
    p->alive--;
    if (p->killing || (done && WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    if (slot->stuck)
        worker_slept(p, number);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        worker_killed(p, number);
    else
        worker_died(p, number, status);
    if (done)
        return;
    error = start_worker(p, number);
    if (error)
        conclude_item(p, number, VERDICT_HARNESS, "worker-start", strerror(-error));
}

static void show_progress(struct pool *p)
{
    struct pool_totals *t = p->totals;

    if (p->source->show_progress) {
        p->source->show_progress(p->source->ctx, pool_now() - p->start);
        return;
    }
    pool_sum(p->shared, p->options->jobs, t);
    t->seconds = pool_now() - p->start;
    fprintf(stderr, "\r%6.1f s  %llu programs  %.0f ops/s  %llu host calls  %llu faults  ",
            t->seconds, (unsigned long long)t->programs, (double)t->ops / t->seconds,
            (unsigned long long)t->host_calls, (unsigned long long)t->faults);
    fflush(stderr);
}

static void reap(struct pool *p)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (uint32_t i = 0; i < p->options->jobs; i++)
            if (p->shared->slots[i].pid == pid) {
                worker_ended(p, i, status);
                break;
            }
}

static void kill_all(struct pool *p)
{
    p->killing = true;
    for (uint32_t i = 0; i < p->options->jobs; i++)
        if (p->shared->slots[i].pid > 0)
            kill(p->shared->slots[i].pid, SIGKILL);
}

/* A loop is ended by the worker's own CPU timer, but a subject that waits for itself uses none.
 * Counted in looks, not in seconds: nothing counts while the whole machine stands still. */
static void look_for_sleepers(struct pool *p)
{
    uint32_t ms = p->options->idle_ms ? p->options->idle_ms : IDLE_MS;

    for (uint32_t i = 0; i < p->options->jobs; i++) {
        struct worker_slot *slot = &p->shared->slots[i];
        uint64_t item = tally_now(slot)->next, cpu = 0;

        if (slot->pid == 0 || atomic_load(&slot->done))
            continue;
        if (item != slot->asleep_in || !process_sleeps(slot->pid, &cpu) ||
            cpu != slot->asleep_cpu)
            slot->n_asleep = 0;
        slot->asleep_in = item;
        slot->asleep_cpu = cpu;
        if (slot->n_asleep++ * POLL_MS < ms)
            continue;
        slot->stuck = true;
        kill(slot->pid, SIGKILL);
    }
}

static void supervise(struct pool *p)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    double shown = p->start;

    for (reap(p); p->alive > 0; reap(p)) {
        if (interrupt_count() > 0)
            atomic_store(&p->shared->stop, true);
        if (interrupt_count() > 1)
            kill_all(p);
        look_for_sleepers(p);
        if (p->options->progress && pool_now() - shown >= PROGRESS_MS * 1e-3) {
            show_progress(p);
            shown = pool_now();
        }
        nanosleep(&pause, NULL);
    }
    if (p->options->progress && shown > p->start)
        fputs("\r\033[K", stderr);
}

/* All of them or none. */
static int run_workers(struct pool *p)
{
    int error = 0;

    p->start = pool_now();
    p->deadline = p->options->seconds > 0 ? p->start + p->options->seconds : 0;
    for (uint32_t i = 0; i < p->options->jobs && !error; i++) {
        p->shared->slots[i].tally[0].next = p->source->first + i;
        error = start_worker(p, i);
    }
    if (error)
        kill_all(p);
    supervise(p);
    pool_sum(p->shared, p->options->jobs, p->totals);
    pool_collect(p->shared, p->options->jobs, p->totals);
    p->totals->seconds = pool_now() - p->start;
    p->totals->interrupted = interrupt_count() > 0;
    return error;
}

int pool_run(const struct pool_source *source, const struct pool_options *options,
             struct run_result *results, struct pool_totals *totals)
{
    struct pool p = {
        .source = source, .options = options, .results = results, .totals = totals};
    int error;

    assert(options->jobs > 0 && options->jobs <= POOL_JOBS_MAX);
    assert(!results || source->n_items != UINT64_MAX);
    memset(totals, 0, sizeof(*totals));
    for (uint64_t i = 0; results && i < source->n_items; i++)
        results[i].verdict = VERDICT_NOT_RUN;
    p.shared_size = sizeof(struct pool_shared) + options->jobs * sizeof(struct worker_slot);
    p.shared = pool_shared_alloc(p.shared_size);
    if (!p.shared)
        return -ENOMEM;
    p.shared->limit =
        source->n_items == UINT64_MAX ? UINT64_MAX : source->first + source->n_items;
    interrupt_catch();
    error = run_workers(&p);
    munmap(p.shared, p.shared_size);
    return error;
}
