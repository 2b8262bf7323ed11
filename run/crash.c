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

enum { STACK_SIZE = 64 * 1024, CPU_TICKS_MAX = 20, CPU_BOUND_MS = 20 * 1000 };

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
static volatile sig_atomic_t ticks; /* since the last progress */
static uint32_t cpu_bound_ms = CPU_BOUND_MS;
static char reason[96];

void crash_guard(sigjmp_buf *escape)
{
    guard = escape;
    ticks = 0;
}

void crash_progress(void)
{
    ticks = 0;
}

const char *crash_reason(void)
{
    return reason;
}

_Noreturn void crash_escape(int verdict)
{
    sigjmp_buf *to = guard;

    assert(to != NULL);
    if (verdict == VERDICT_HANG && ticks < CPU_TICKS_MAX)
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
    if (!guard || ++ticks < CPU_TICKS_MAX)
        return;
    snprintf(reason, sizeof(reason), "one op used %u.%03u seconds of CPU time",
             cpu_bound_ms / 1000, cpu_bound_ms % 1000);
    unblock(signal);
    crash_escape(VERDICT_HANG);
}

static int install(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    return sigaction(signal, &action, NULL) ? -errno : 0;
}

int crash_cpu_bound(uint32_t milliseconds)
{
    uint64_t us;
    struct itimerval timer;

    cpu_bound_ms = milliseconds ? milliseconds : CPU_BOUND_MS;
    us = (uint64_t)cpu_bound_ms * 1000 / CPU_TICKS_MAX;
    assert(us > 0);
    timer.it_interval.tv_sec = (time_t)(us / 1000000);
    timer.it_interval.tv_usec = (suseconds_t)(us % 1000000);
    timer.it_value = timer.it_interval;
    ticks = 0;
    return setitimer(ITIMER_VIRTUAL, &timer, NULL) ? -errno : 0;
}

int crash_init(void)
{
    static char stack[STACK_SIZE];
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    int error = 0;

    if (!SANITIZED) {
        if (sigaltstack(&alternate, NULL))
            return -errno;
        for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]) && !error; i++)
            error = install(fatal[i], on_fatal, SA_ONSTACK);
    }
    if (!error)
        error = install(SIGVTALRM, on_tick, SA_RESTART);
    return error ? error : crash_cpu_bound(0);
}
