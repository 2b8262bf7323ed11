/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shrinking leaves and what it costs: random programs that fail on cores with one mistake
 * each (a kind of host call that is left out, an answer that is wrong), some for each mistake.
 * Lines of ops and faults that are left, seconds, and checked ops a second while shrinking.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "core/uapi.h"
#include "run/campaign.h"
#include "run/crash.h"
#include "run/shrink.h"

enum { VIOLATIONS_EACH = 12, PROGRAMS_EACH = 20000, VIOLATIONS_MAX = 200 };

/* What the wrong core does not do, and says it has done. */
enum mistake { NO_MAP, NO_UNMAP, NO_ATTRIBUTES, NO_MADVISE, NO_PUNCH, FAILED_MAP, LIES, COUNT };

static const char *const names[COUNT] = {
    "maps left out",    "unmaps left out",      "attributes left out", "madvise left out",
    "punches left out", "failed maps not told", "wrong query answers"};

static struct {
    enum mistake mistake;
    const struct host_ops *real;
    struct host_ops ops;
    struct host host;
} wrong;

static bool is_map(unsigned long request)
{
    return request == VFIO_IOMMU_MAP_DMA || request == IOMMU_IOAS_MAP;
}

static bool is_left_out(unsigned long request)
{
    switch (wrong.mistake) {
    case NO_MAP:
        return is_map(request);
    case NO_UNMAP:
        return request == VFIO_IOMMU_UNMAP_DMA || request == IOMMU_IOAS_UNMAP;
    case NO_ATTRIBUTES:
        return request == KVM_SET_MEMORY_ATTRIBUTES || request == KVM_SET_MEMORY_ATTRIBUTES2;
    default:
        return false;
    }
}

static int wrong_ioctl(void *ctx, const char *caller, int fd, unsigned long request, void *arg)
{
    int rc = is_left_out(request) ? 0 : wrong.real->ioctl(ctx, caller, fd, request, arg);

    return rc < 0 && wrong.mistake == FAILED_MAP && is_map(request) ? 0 : rc;
}

static int wrong_madvise(void *ctx, const char *caller, uint64_t at, uint64_t size, int advice)
{
    return wrong.mistake == NO_MADVISE ? 0 : wrong.real->madvise(ctx, caller, at, size, advice);
}

static int wrong_fallocate(void *ctx, const char *caller, int fd, int mode, int64_t offset,
                           int64_t size)
{
    return wrong.mistake == NO_PUNCH
               ? 0
               : wrong.real->fallocate(ctx, caller, fd, mode, offset, size);
}

static int wrong_build(const struct host *real, const struct sync *sync,
                       const struct machine *m, void **state)
{
    wrong.real = real->ops;
    wrong.ops = *real->ops;
    wrong.ops.ioctl = wrong_ioctl;
    wrong.ops.madvise = wrong_madvise;
    wrong.ops.fallocate = wrong_fallocate;
    wrong.host = (struct host){&wrong.ops, real->ctx};
    return subject_core.build(&wrong.host, sync, m, state);
}

static int wrong_query(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    int answer = subject_core.is_populated(state, region, offset, size);

    return answer < 0 || wrong.mistake != LIES ? answer : !answer;
}

struct figures {
    double lines[VIOLATIONS_MAX], seconds[VIOLATIONS_MAX];
    size_t n;
    double all_seconds, all_ops, all_tries;
    uint32_t not_minimal;
};

static void take(struct figures *f, const struct shrink_result *r)
{
    if (f->n == VIOLATIONS_MAX || !shrink_has_result(r))
        return;
    f->lines[f->n] = r->program.n_ops;
    f->seconds[f->n++] = r->seconds;
    f->all_seconds += r->work_seconds;
    f->all_ops += (double)r->ops;
    f->all_tries += (double)r->tries;
    f->not_minimal += r->end != SHRINK_MINIMAL;
}

static void print(const char *name, struct figures *f)
{
    if (!f->n) {
        printf("%-22s no violation\n", name);
        return;
    }
    double lines = bench_median(f->lines, f->n), seconds = bench_median(f->seconds, f->n);

    printf("%-22s %3zu shrunk: lines %2.0f, at most %2.0f; %.4f s, at most %.4f s; %5.0f tries "
           "each, %7.0f ops/s%s\n",
           name, f->n, lines, f->lines[f->n - 1], seconds, f->seconds[f->n - 1],
           f->all_tries / (double)f->n, f->all_ops / f->all_seconds,
           f->not_minimal ? " (some not minimal)" : "");
}

static void one_mistake(struct runner *runner, const struct subject *subject, uint32_t n_ops,
                        struct figures *all)
{
    const struct shrink_options options = {.subject = subject};
    struct campaign c = {.seed = 1};
    struct figures mine = {.n = 0};
    struct program p;

    generate_defaults(&c.options);
    c.options.n_ops = n_ops;
    program_init(&p);
    for (uint64_t i = 0; i < PROGRAMS_EACH && mine.n < VIOLATIONS_EACH; i++) {
        struct run_result found;
        struct shrink_result r;

        if (campaign_program(&c, i, &p))
            break;
        runner_run(runner, &p, subject, NULL, &found);
        if (found.verdict != VERDICT_VIOLATION)
            continue;
        if (shrink(&p, &options, &r) == 0) {
            take(&mine, &r);
            take(all, &r);
        }
        shrink_free(&r);
    }
    program_free(&p);
    print(names[wrong.mistake], &mine);
}

static void all_mistakes(struct runner *runner, const char *name, uint32_t n_ops)
{
    struct figures all = {.n = 0};
    struct subject subject = subject_core;

    subject.build = wrong_build;
    subject.is_populated = wrong_query;
    printf("%s\n", name);
    for (wrong.mistake = 0; wrong.mistake < COUNT; wrong.mistake++)
        one_mistake(runner, &subject, n_ops, &all);
    print("all", &all);
}

int main(void)
{
    struct runner runner;

    if (crash_init() || runner_init(&runner)) {
        fprintf(stderr, "bench_shrink: the arena could not be mapped\n");
        return 1;
    }
    all_mistakes(&runner, "programs as a campaign has them", 0);
    all_mistakes(&runner, "programs of 1000 ops", 1000);
    printf("goals: a median of 6 lines, under 1 s, over 500000 ops/s\n");
    runner_free(&runner);
    return 0;
}
