/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fibers: stacks that one thread changes between. Nothing runs by itself; who runs says who is
 * next. The memory of a stack is the caller's (the world's arena, so that a snapshot holds it).
 * The lowest bytes of a stack are a guard: whoever ran over it is found out at the next switch.
 */
#ifndef RUN_FIBER_H
#define RUN_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#define FIBER_OWN_SWITCH 1
#else
#define FIBER_OWN_SWITCH 0
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifndef FIBER_ASAN
#define FIBER_ASAN 0
#endif

/* A sanitizer's frames are several times as large. */
enum { FIBER_STACK_SIZE = FIBER_ASAN ? 512 * 1024 : 64 * 1024 };

struct fiber {
    void *sp; /* where it was left */
    char *stack;
    size_t size;
    void (*run)(void *arg);
    void *arg;
    struct fiber *parent; /* who gets the word when `run` has returned */
    bool done;
#if !FIBER_OWN_SWITCH
    ucontext_t context;
#endif
#if FIBER_ASAN
    void *fake_stack;
    const void *bottom; /* as the sanitizer tells it, for a thread's own stack */
    size_t bottom_size;
#endif
};

/* The stack that the caller runs on: to be switched away from, and back to. */
void fiber_init_thread(struct fiber *thread);

/* Prepares `run(arg)` on a stack of `size` bytes, 16-aligned; it begins at the first switch to
 * it, and ends with a switch to `parent`. */
void fiber_init(struct fiber *f, void *stack, size_t size, struct fiber *parent,
                void (*run)(void *arg), void *arg);

/* From `from`, which runs, to `to`; comes back when somebody switches to `from`. */
void fiber_switch(struct fiber *from, struct fiber *to);

/* The fiber is never run again, wherever it stands. */
void fiber_abandon(struct fiber *f);

/* False: its stack was too small. */
bool fiber_guard_holds(const struct fiber *f);

#endif
