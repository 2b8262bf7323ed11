/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/child.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/crash.h"
#include "run/interrupt.h"

enum { HUNG_CPU_MS = 2000 };

/* What it returned, if it did: an exit code can be the subject's. */
struct answer {
    int code;
    bool returned;
};

static _Noreturn void be_child(int (*work)(void *ctx), void *ctx, struct answer *v)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
    interrupt_ignore();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    v->code = work(ctx);
    assert(v->code >= 0);
    v->returned = true;
    _exit(0);
}

int child_do(int (*work)(void *ctx), void *ctx)
{
    struct answer *v =
        mmap(NULL, sizeof(*v), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned before = interrupt_count();
    int code;
    pid_t pid;

    if (v == MAP_FAILED)
        return -errno;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        be_child(work, ctx, v);
    code = pid < 0 ? -errno : 0;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        if (interrupt_count() != before) {
            kill(pid, SIGKILL);
            code = -EINTR;
        }
    }
    if (!code)
        code = v->returned ? v->code : CHILD_DIED;
    munmap(v, sizeof(*v));
    return code;
}

int child_run(const struct program *p, const struct subject *subject, struct watch *watch,
              const struct run_result *before, struct run_result *result)
{
    struct runner runner;
    int error = crash_init();

    if (!error)
        error = crash_cpu_bound(before->verdict == VERDICT_HANG ? HUNG_CPU_MS : 0);
    if (!error)
        error = runner_init(&runner);
    if (error)
        return error;
    runner_run(&runner, p, subject, watch, result);
    runner_free(&runner);
    return 0;
}
