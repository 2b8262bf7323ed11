/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole texts against files of tests/data/explain. GMEMCHECK_WRITE_GOLDEN=1 writes these files
 * anew: look at what changed before you commit it.
 */
#ifndef TESTS_EXPLAIN_FIXTURE_H
#define TESTS_EXPLAIN_FIXTURE_H

#include "tests/run_fixture.h"

#include <errno.h>
#include <stdio.h>

#include "core/uapi.h"
#include "run/runner.h"

#define EXPLAIN_DATA "tests/data/explain/"

static inline char *file_text(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text;

    if (!f)
        fail_msg("%s: cannot be read (tests run from the top of the tree)", path);
    text = all_of(f);
    fclose(f);
    return text;
}

static inline char *data_text(const char *name, const char *end)
{
    char path[128];

    snprintf(path, sizeof(path), EXPLAIN_DATA "%s%s", name, end);
    return file_text(path);
}

static inline void write_golden(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), EXPLAIN_DATA "%s.golden", name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Number of the first line in which two texts differ, 0: none. */
static inline unsigned line_that_differs(const char *a, const char *b)
{
    unsigned line = 1;

    for (; *a == *b; a++, b++) {
        if (!*a)
            return 0;
        line += *a == '\n';
    }
    return line;
}

static inline void assert_golden(const char *name, const char *text)
{
    char *golden;
    unsigned line;

    if (getenv("GMEMCHECK_WRITE_GOLDEN"))
        write_golden(name, text);
    golden = data_text(name, ".golden");
    line = line_that_differs(golden, text);
    if (line)
        fail_msg("%s.golden differs from line %u on:\n%s", name, line, text);
    free(golden);
}

static inline void load_scenario(const char *name, struct program *p)
{
    char *text = data_text(name, ".scn");

    must_parse(text, p);
    free(text);
}

/* ---- a core that never unmaps from type1, and says that it did; and that takes it for done
 * when iommufd says that nothing is there (D3) ---- */
static const struct host_ops *forgetful_real;
static struct host_ops forgetful_ops;

static inline int forgetful_ioctl(void *ctx, const char *caller, int fd, unsigned long request,
                                  void *arg)
{
    int result;

    if (request == VFIO_IOMMU_UNMAP_DMA)
        return 0;
    result = forgetful_real->ioctl(ctx, caller, fd, request, arg);
    return request == IOMMU_IOAS_UNMAP && result == -ENOENT ? 0 : result;
}

static inline int forgetful_build(const struct host *real, const struct sync *sync,
                                  const struct machine *m, void **state)
{
    static struct host host; /* the core keeps the pointer */

    forgetful_real = real->ops;
    forgetful_ops = *real->ops;
    forgetful_ops.ioctl = forgetful_ioctl;
    host = (struct host){&forgetful_ops, real->ctx};
    return subject_core.build(&host, sync, m, state);
}

static inline struct subject forgetful_core(void)
{
    struct subject s = subject_core;

    s.build = forgetful_build;
    return s;
}

/* What comes of a program. */
static inline struct run_result outcome_of(const struct program *p, const struct subject *s)
{
    static struct runner runner;
    struct run_result result;

    assert_int_equal(runner_init(&runner), 0);
    runner_run(&runner, p, s, NULL, &result);
    runner_free(&runner);
    return result;
}

#endif
