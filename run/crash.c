/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/crash.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "run/runner.h"

enum { STACK_SIZE = 64 * 1024, CPU_TICK_SECONDS = 1, CPU_TICKS_MAX = 20 };

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static sigjmp_buf *guard;
static volatile sig_atomic_t ticks_in_guard;
static char reason[96];

void crash_guard(sigjmp_buf *escape)
{
    guard = escape;
    ticks_in_guard = 0;
}

const char *crash_reason(void)
{
    return reason;
}

_Noreturn void crash_escape(int verdict)
{
    sigjmp_buf *to = guard;

    assert(to != NULL);
    if (verdict == VERDICT_HANG && ticks_in_guard < CPU_TICKS_MAX)
        snprintf(reason, sizeof(reason), "the bound of host calls was reached");
    siglongjmp(*to, verdict);
}

/* sigsetjmp did not save the mask: unblock what the kernel blocked for the handler. */
static void unblock(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void on_fatal(int signal)
{
    if (!guard) {
        struct sigaction plain = {.sa_handler = SIG_DFL};

        sigaction(signal, &plain, NULL);
        unblock(signal);
        raise(signal);
        return;
    }
    snprintf(reason, sizeof(reason), "signal %d (%s) inside the subject", signal,
             sigdescr_np(signal));
    unblock(signal);
    crash_escape(VERDICT_CRASH);
}

static void on_tick(int signal)
{
    if (!guard || ++ticks_in_guard < CPU_TICKS_MAX)
        return;
    snprintf(reason, sizeof(reason), "one program used %d seconds of CPU time",
             CPU_TICK_SECONDS * CPU_TICKS_MAX);
    unblock(signal);
    crash_escape(VERDICT_HANG);
}

static int install(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    return sigaction(signal, &action, NULL) ? -errno : 0;
}

int crash_init(void)
{
    static char stack[STACK_SIZE];
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const struct itimerval tick = {.it_interval = {.tv_sec = CPU_TICK_SECONDS},
                                   .it_value = {.tv_sec = CPU_TICK_SECONDS}};
    int error = 0;

    if (!SANITIZED) {
        if (sigaltstack(&alternate, NULL))
            return -errno;
        for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]) && !error; i++)
            error = install(fatal[i], on_fatal, SA_ONSTACK);
    }
    if (!error)
        error = install(SIGVTALRM, on_tick, SA_RESTART);
    if (!error && setitimer(ITIMER_VIRTUAL, &tick, NULL))
        error = -errno;
    return error;
}
