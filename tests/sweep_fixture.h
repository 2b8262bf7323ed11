/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of sweeps share: how to do one, and cores that are wrong. */
#ifndef TESTS_SWEEP_FIXTURE_H
#define TESTS_SWEEP_FIXTURE_H

#include "tests/run_fixture.h"

#include <signal.h>
#include <unistd.h>

#include "core/host.h"
#include "core/uapi.h"
#include "run/sweep.h"

static struct sweep sweep;

static inline struct sweep_options depth(uint32_t n, const struct subject *subject)
{
    return (struct sweep_options){.depth = n,
                                  .choice = {.early = true, .late = true},
                                  .samples = 10,
                                  .seed = 1,
                                  .jobs = 1,
                                  .subject = subject};
}

static inline void sweep_text(const char *text, const struct sweep_options *options)
{
    struct program p;

    must_parse(text, &p);
    sweep_free(&sweep);
    sweep_init(&sweep, options);
    assert_int_equal(sweep_add(&sweep, "text.scn", &p, NULL), 0);
    assert_int_equal(sweep_run(&sweep), 0);
    program_free(&p);
}

/* ---- cores that are wrong ---- */

static inline int attach_well(void *state, uint32_t container, uint32_t device)
{
    (void)subject_core.attach(state, container, device);
    return 0;
}

static inline struct subject swallows_attach(void)
{
    struct subject s = subject_core;

    s.attach = attach_well;
    return s;
}

/* Between core and kernel: once an ioctl of a request has failed, another one that fails is not
 * heard of. */
static struct host_ops deaf_ops;
static const struct host_ops *real_ops;
static struct host deaf_host;
static bool has_failed;

static inline int deaf_ioctl(void *ctx, const char *caller, int fd, unsigned long request,
                             void *arg)
{
    int result = real_ops->ioctl(ctx, caller, fd, request, arg);
    bool dma = request == VFIO_IOMMU_UNMAP_DMA || request == VFIO_IOMMU_MAP_DMA;

    if (result >= 0 || !dma)
        return result;
    if (has_failed)
        return 0;
    has_failed = true;
    return result;
}

static inline int deaf_build(const struct host *real, const struct sync *sync,
                             const struct machine *m, void **state)
{
    real_ops = real->ops;
    deaf_ops = *real_ops;
    deaf_ops.ioctl = deaf_ioctl;
    deaf_host = (struct host){&deaf_ops, real->ctx};
    return subject_core.build(&deaf_host, sync, m, state);
}

static inline int deaf_run_vcpu(void *state, uint32_t vcpu)
{
    int error;

    has_failed = false;
    error = subject_core.run_vcpu(state, vcpu);
    has_failed = false;
    return error;
}

static inline struct subject deaf_in_undo(void)
{
    struct subject s = subject_core;

    s.build = deaf_build;
    s.run_vcpu = deaf_run_vcpu;
    return s;
}

static inline int crash_if(void *state, uint32_t vcpu)
{
    if (subject_core.run_vcpu(state, vcpu))
        raise(SIGABRT); /* cmocka takes SIGSEGV, where we do not */
    return 0;
}

static inline int exit_if(void *state, uint32_t vcpu)
{
    if (subject_core.run_vcpu(state, vcpu))
        _exit(7);
    return 0;
}

static inline int hang_if(void *state, uint32_t vcpu)
{
    uint64_t soft;

    if (subject_core.run_vcpu(state, vcpu))
        for (;;)
            (void)real_ops->getrlimit(deaf_host.ctx, __func__, 0, &soft);
    return 0;
}

#endif
