/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/interrupt.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static volatile sig_atomic_t count;

static void on_signal(int signal)
{
    (void)signal;
    count++;
}

static void set(int signal, void (*handler)(int))
{
    /* Without SA_RESTART: a wait is to end. */
    const struct sigaction action = {.sa_handler = handler};
    int error = sigaction(signal, &action, NULL);

    assert(!error);
    (void)error;
}

static bool is_ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void interrupt_catch(void)
{
    set(SIGINT, on_signal);
    set(SIGTERM, on_signal);
    if (!is_ignored(SIGHUP))
        set(SIGHUP, on_signal);
}

void interrupt_ignore(void)
{
    set(SIGINT, SIG_IGN);
    set(SIGTERM, SIG_IGN);
    set(SIGHUP, SIG_IGN);
}

unsigned interrupt_count(void)
{
    return (unsigned)count;
}

void interrupt_forget(void)
{
    count = 0;
}
