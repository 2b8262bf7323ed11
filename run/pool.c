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

#include "run/pool_shared.h"

enum { POLL_MS = 20, PROGRESS_MS = 500, RESTARTS_MAX = 3 };

struct pool {
    const struct pool_source *source;
    const struct pool_options *options;
    struct run_result *results;
    struct pool_shared *shared;
    size_t shared_size;
    double start, deadline;
    uint32_t alive;
    struct pool_totals *totals;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    interrupted = signal;
}

int verdict_exit_code(enum verdict v)
{
    switch (v) {
    case VERDICT_OK:
        return 0;
    case VERDICT_INPUT:
        return 2;
    case VERDICT_NONDETERMINISM:
    case VERDICT_HARNESS:
        return 3;
    default:
        return 1;
    }
}

/* An internal error outweighs a violation, a violation bad input. */
int pool_exit_code(const struct pool_totals *t)
{
    static const int weight[] = {[0] = 0, [1] = 2, [2] = 1, [3] = 3};
    int worst = 0;

    for (uint32_t i = 0; i < t->n_findings && i < POOL_FINDINGS_MAX; i++) {
        int code = verdict_exit_code(t->findings[i].result.verdict);

        if (weight[code] > weight[worst])
            worst = code;
    }
    return worst == 0 && t->interrupted ? 130 : worst;
}

static void *shared_alloc(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

struct run_result *pool_results_alloc(uint64_t n_items)
{
    return shared_alloc((n_items + 1) * sizeof(struct run_result));
}

void pool_results_free(struct run_result *results, uint64_t n_items)
{
    if (results)
        munmap(results, (n_items + 1) * sizeof(struct run_result));
}

static int start_worker(struct pool *p, uint32_t number)
{
    struct worker_slot *slot = &p->shared->slots[number];
    pid_t parent = getpid(), child;

    fflush(NULL);
    child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        /* Ctrl-C is the supervisor's; and no worker outlives it. */
        signal(SIGINT, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(3);
        worker_main(p->source, p->options, p->shared, number, p->results, p->deadline);
        exit(0);
    }
    slot->pid = child; /* only here: the slot is shared, and the child's pid is 0 to itself */
    p->alive++;
    return 0;
}

static void add_finding(struct pool_totals *t, const struct finding *f)
{
    uint32_t at = t->n_findings < POOL_FINDINGS_MAX ? t->n_findings : POOL_FINDINGS_MAX;

    t->n_findings++;
    while (at > 0 && t->findings[at - 1].item > f->item) {
        if (at < POOL_FINDINGS_MAX)
            t->findings[at] = t->findings[at - 1];
        at--;
    }
    if (at < POOL_FINDINGS_MAX)
        t->findings[at] = *f;
}

/* The process of a worker ended inside an item: the item is the finding. */
static void record_death(struct pool *p, const struct worker_slot *slot, int status)
{
    struct finding f = {.item = atomic_load(&slot->item)};
    uint64_t now = atomic_load(&p->shared->limit);

    f.result.verdict = VERDICT_CRASH;
    f.result.page = MODEL_NO_PAGE;
    snprintf(f.result.rule, sizeof(f.result.rule), "crash");
    if (WIFSIGNALED(status))
        snprintf(f.result.detail, sizeof(f.result.detail), "the worker died of signal %d (%s)",
                 WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
    else
        snprintf(f.result.detail, sizeof(f.result.detail),
                 "the subject ended the process with exit code %d", WEXITSTATUS(status));
    add_finding(p->totals, &f);
    if (p->results)
        p->results[f.item - p->source->first] = f.result;
    if (p->source->stop_at_first && f.item + 1 < now)
        atomic_store(&p->shared->limit, f.item + 1);
}

static void record_unable(struct pool *p, const struct worker_slot *slot)
{
    struct finding f = {.item = atomic_load(&slot->item)};

    f.result.verdict = VERDICT_HARNESS;
    f.result.page = MODEL_NO_PAGE;
    snprintf(f.result.rule, sizeof(f.result.rule), "worker-killed");
    snprintf(f.result.detail, sizeof(f.result.detail),
             "the worker was killed from outside %u times in this program", RESTARTS_MAX + 1);
    add_finding(p->totals, &f);
    if (p->results)
        p->results[f.item - p->source->first] = f.result;
}

/* Killed from outside (SIGKILL: the OOM killer, an operator) says nothing about the program:
 * it is run again. */
static int worker_ended(struct pool *p, uint32_t number, int status)
{
    struct worker_slot *slot = &p->shared->slots[number];
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    uint64_t item = atomic_load(&slot->item);

    slot->pid = 0;
    p->alive--;
    if (atomic_load(&slot->done) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (!killed) {
        record_death(p, slot, status);
        slot->restarts = 0;
        slot->next = item + p->options->jobs;
        return start_worker(p, number);
    }
    slot->restarts = slot->next == item ? slot->restarts + 1 : 1;
    slot->next = item;
    p->totals->workers_restarted++;
    fprintf(stderr, "gmemcheck: worker %u was killed from outside in program %llu; %s\n",
            number, (unsigned long long)item,
            slot->restarts > RESTARTS_MAX ? "given up" : "started again");
    if (slot->restarts > RESTARTS_MAX) {
        record_unable(p, slot);
        slot->next = item + p->options->jobs;
        slot->restarts = 0;
    }
    return start_worker(p, number);
}

static void sum_up(struct pool *p)
{
    struct pool_totals *t = p->totals;

    t->programs = t->ops = t->host_calls = t->faults = t->hash = 0;
    t->conversions = t->pages_changed = t->rechecked = 0;
    for (uint32_t i = 0; i < p->options->jobs; i++) {
        struct worker_slot *s = &p->shared->slots[i];

        t->programs += atomic_load(&s->programs);
        t->ops += atomic_load(&s->ops);
        t->host_calls += atomic_load(&s->host_calls);
        t->faults += atomic_load(&s->faults);
        t->conversions += atomic_load(&s->conversions);
        t->pages_changed += atomic_load(&s->pages_changed);
        t->rechecked += atomic_load(&s->rechecked);
        t->hash += atomic_load(&s->hash);
    }
    t->seconds = pool_now() - p->start;
}

static void show_progress(struct pool *p)
{
    struct pool_totals *t = p->totals;

    sum_up(p);
    fprintf(stderr, "\r%6.1f s  %llu programs  %.0f ops/s  %llu host calls  %llu faults  ",
            t->seconds, (unsigned long long)t->programs, (double)t->ops / t->seconds,
            (unsigned long long)t->host_calls, (unsigned long long)t->faults);
    fflush(stderr);
}

static int reap(struct pool *p)
{
    int status, error = 0;
    pid_t pid;

    while (!error && (pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (uint32_t i = 0; i < p->options->jobs; i++)
            if (p->shared->slots[i].pid == pid) {
                error = worker_ended(p, i, status);
                break;
            }
    return error;
}

static int supervise(struct pool *p)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    double shown = p->start;
    int error = 0;

    while (p->alive > 0 && !error) {
        error = reap(p);
        if (p->alive == 0)
            break;
        if (interrupted)
            atomic_store(&p->shared->stop, true);
        if (p->options->progress && pool_now() - shown >= PROGRESS_MS * 1e-3) {
            show_progress(p);
            shown = pool_now();
        }
        nanosleep(&pause, NULL);
    }
    if (p->options->progress && shown > p->start)
        fputs("\r\033[K", stderr);
    return error;
}

static void collect_findings(struct pool *p)
{
    for (uint32_t i = 0; i < p->options->jobs; i++) {
        struct worker_slot *s = &p->shared->slots[i];
        uint32_t n = atomic_load(&s->n_findings);

        for (uint32_t j = 0; j < n && j < POOL_FINDINGS_MAX; j++)
            add_finding(p->totals, &s->findings[j]);
    }
}

static int run_workers(struct pool *p)
{
    int error = 0;

    p->start = pool_now();
    p->deadline = p->options->seconds > 0 ? p->start + p->options->seconds : 0;
    for (uint32_t i = 0; i < p->options->jobs && !error; i++) {
        p->shared->slots[i].item = p->source->first + i;
        p->shared->slots[i].next = p->source->first + i;
        error = start_worker(p, i);
    }
    if (!error)
        error = supervise(p);
    sum_up(p);
    collect_findings(p);
    p->totals->interrupted = interrupted != 0;
    return error;
}

int pool_run(const struct pool_source *source, const struct pool_options *options,
             struct run_result *results, struct pool_totals *totals)
{
    struct pool p = {
        .source = source, .options = options, .results = results, .totals = totals};
    struct sigaction on_int = {.sa_handler = on_interrupt}, old_int, old_term;
    int error;

    assert(options->jobs > 0 && options->jobs <= POOL_JOBS_MAX);
    memset(totals, 0, sizeof(*totals));
    p.shared_size = sizeof(struct pool_shared) + options->jobs * sizeof(struct worker_slot);
    p.shared = shared_alloc(p.shared_size);
    if (!p.shared)
        return -ENOMEM;
    p.shared->limit =
        source->n_items == UINT64_MAX ? UINT64_MAX : source->first + source->n_items;
    interrupted = 0;
    sigaction(SIGINT, &on_int, &old_int);
    sigaction(SIGTERM, &on_int, &old_term);
    error = run_workers(&p);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    munmap(p.shared, p.shared_size);
    return error;
}
