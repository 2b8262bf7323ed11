/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subjects that make one mistake each, and what is left when a program is shrunk with them. */
#ifndef TESTS_SHRINK_FIXTURE_H
#define TESTS_SHRINK_FIXTURE_H

#include "tests/run_fixture.h"

#include <signal.h>
#include <unistd.h>

#include "core/uapi.h"
#include "run/shrink.h"

/* More than any of the mistakes needs: two regions, containers, devices and vCPUs, faults. */
#define LONG                                                                                   \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine tracker=extents kernel=7.3 page_size=16k vcpus=2 memlock=4000\n"                  \
    "region ram0 pages=8 share=memfd\n"                                                        \
    "region ram1 pages=6 virtio_mem=2\n"                                                       \
    "section ram0[2..8) at 100\n"                                                              \
    "section ram1[0..6) at 106\n"                                                              \
    "container c0 listen=all entries=900\n"                                                    \
    "container c1 listen=manual\n"                                                             \
    "device d0 in c1\n"                                                                        \
    "device d1 in c0\n"                                                                        \
    "seed 7\n"                                                                                 \
    "attach d1\n"                                                                              \
    "attach d0\n"                                                                              \
    "listen c1 ram0[4..8)\n"                                                                   \
    "plug ram1[0..4)\n"                                                                        \
    "write ram0[3] value=9 vcpu=1\n"                                                           \
    "fault kvm/run EINTR nth=9\n"                                                              \
    "convert gpa[103..108) shared vcpu=1 via=vmm\n"                                            \
    "dma-write d1 ram0[5] value=5\n"                                                           \
    "query ram0[3..7)\n"                                                                       \
    "fault dma/map ENOMEM chance=30000/65536\n"                                                \
    "convert ram0[2..4) shared vcpu=1\n"                                                       \
    "disarm\n"                                                                                 \
    "convert ram0[4..7) private vcpu=1\n"                                                      \
    "detach d0\n"                                                                              \
    "query ram0[3..7)\n"                                                                       \
    "migrate start\n"                                                                          \
    "dirty-sync\n"

static struct runner runner;

/* ---- subjects ---- */

/* Of the machine that runs now. */
static struct {
    const struct host_ops *real;
    struct host_ops ops;
    bool attached;
    uint32_t queries;
} now;

static inline int build(const struct host *real, const struct sync *sync,
                        const struct machine *m, void **state)
{
    now.attached = false;
    now.queries = 0;
    return subject_core.build(real, sync, m, state);
}

static inline int attach(void *state, uint32_t container, uint32_t device)
{
    now.attached = true;
    return subject_core.attach(state, container, device);
}

static inline int stale_ioctl(void *ctx, const char *caller, int fd, unsigned long request,
                              void *arg)
{
    if (request == VFIO_IOMMU_UNMAP_DMA)
        return 0;
    return now.real->ioctl(ctx, caller, fd, request, arg);
}

static inline int build_stale(const struct host *real, const struct sync *sync,
                              const struct machine *m, void **state)
{
    static struct host host;

    now.real = real->ops;
    now.ops = *real->ops;
    now.ops.ioctl = stale_ioctl;
    host = (struct host){&now.ops, real->ctx};
    return subject_core.build(&host, sync, m, state);
}

/* What it unmaps stays mapped. */
static inline struct subject stale(void)
{
    struct subject s = subject_core;

    s.build = build_stale;
    return s;
}

/* A fault in the way is nobody's to hear of. */
static inline int deaf_convert(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    (void)subject_core.convert(state, gpa, size, to_private);
    return 0;
}

static inline int deaf_run_vcpu(void *state, uint32_t vcpu)
{
    (void)subject_core.run_vcpu(state, vcpu);
    return 0;
}

static inline struct subject deaf(void)
{
    struct subject s = subject_core;

    s.convert = deaf_convert;
    s.run_vcpu = deaf_run_vcpu;
    return s;
}

static inline int query_lies(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    int answer = subject_core.is_populated(state, region, offset, size);

    return answer < 0 ? answer : !answer;
}

static inline int query_crashes(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    (void)state, (void)region, (void)offset, (void)size;
    return now.attached ? raise(SIGABRT) : 0; /* cmocka takes SIGSEGV, where we do not */
}

static inline int query_loops(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    for (volatile bool forever = now.attached; forever;)
        ;
    return subject_core.is_populated(state, region, offset, size);
}

static inline int query_sleeps(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    while (now.attached)
        pause();
    return subject_core.is_populated(state, region, offset, size);
}

static inline int query_exits(void *state, uint32_t region, uint64_t offset, uint64_t size)
{
    if (now.attached)
        _exit(7);
    return subject_core.is_populated(state, region, offset, size);
}

/* The mistake is a lie; what is left when too much is taken away ends the process. */
static inline int query_lies_or_exits(void *state, uint32_t region, uint64_t offset,
                                      uint64_t size)
{
    if (!now.attached)
        _exit(7);
    return query_lies(state, region, offset, size);
}

static inline int query_lies_and_interrupts(void *state, uint32_t region, uint64_t offset,
                                            uint64_t size)
{
    static unsigned runs;

    for (runs++; runs == 9;)
        kill(getppid(), SIGINT);
    return query_lies(state, region, offset, size);
}

static inline int query_lies_at_times(void *state, uint32_t region, uint64_t offset,
                                      uint64_t size)
{
    static unsigned runs;

    return runs++ % 2 ? subject_core.is_populated(state, region, offset, size)
                      : query_lies(state, region, offset, size);
}

static inline struct subject querying(int (*query)(void *, uint32_t, uint64_t, uint64_t))
{
    struct subject s = subject_core;

    s.build = build;
    s.attach = attach;
    s.is_populated = query;
    return s;
}

/* ---- looking from outside ---- */

/* How it fails here, in this process. */
static inline struct signature signature_here(const struct program *p,
                                              const struct subject *subject)
{
    struct run_result r;
    struct signature s;

    runner_run(&runner, p, subject, NULL, &r);
    signature_of(&s, &r, p);
    return s;
}

static inline bool fails_so(const char *text, const struct subject *subject,
                            const struct signature *wanted)
{
    struct text_error error;
    struct program p;
    struct signature s;
    bool good = false;

    program_init(&p);
    if (text_parse(text, strlen(text), &run_vocabulary, &p, &error) == 0) {
        s = signature_here(&p, subject);
        good = signature_equal(&s, wanted);
    }
    program_free(&p);
    return good;
}

static inline char *brief_text(const struct program *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(text_print_brief(out, p, &run_vocabulary, NULL), 0);
    fclose(out);
    return text;
}

/* The number of the first line without which the text fails as wanted all the same; 0: none. */
static inline unsigned line_too_many(const char *text, const struct subject *subject,
                                     const struct signature *wanted)
{
    char *less = malloc(strlen(text) + 1);
    unsigned line = 1, found = 0;

    assert_non_null(less);
    for (const char *at = text; *at && !found; line++) {
        const char *end = strchr(at, '\n') + 1;

        memcpy(less, text, (size_t)(at - text));
        memcpy(less + (at - text), end, strlen(end) + 1);
        if (end - at > 1 && fails_so(less, subject, wanted))
            found = line;
        at = end;
    }
    free(less);
    return found;
}

#endif
