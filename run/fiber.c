/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/fiber.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#if FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { GUARD_BYTES = 64, GUARD_VALUE = 0xa5 };

/* ---- the sanitizer wants to know which stack is in use ---- */
#if FIBER_ASAN
static void tell_start(struct fiber *from, const struct fiber *to)
{
    const void *bottom = to->stack ? to->stack : to->bottom;

    __sanitizer_start_switch_fiber(from->done ? NULL : &from->fake_stack, bottom,
                                   to->stack ? to->size : to->bottom_size);
}

/* The first switch of all leaves the thread's own stack, which only now is known. */
static void tell_finish(struct fiber *self, struct fiber *other)
{
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
    if (other && !other->stack && !other->bottom) {
        other->bottom = bottom;
        other->bottom_size = size;
    }
}

static void lift_poison(struct fiber *f)
{
    ASAN_UNPOISON_MEMORY_REGION(f->stack, f->size);
}
#else
static void tell_start(struct fiber *from, const struct fiber *to)
{
    (void)from, (void)to;
}

static void tell_finish(struct fiber *self, struct fiber *other)
{
    (void)self, (void)other;
}

static void lift_poison(struct fiber *f)
{
    (void)f;
}
#endif

/* Where every fiber begins; it never returns. */
static void begin(struct fiber *f)
{
    tell_finish(f, f->parent);
    f->run(f->arg);
    f->done = true;
    fiber_switch(f, f->parent);
    assert(!"a fiber that is done is not switched to");
    __builtin_unreachable();
}

#if FIBER_OWN_SWITCH
/* Saves what the ABI makes a callee keep, and the place to go on; takes up the same of `to`.
 * The floating-point control words are the process's: nobody here changes them. */
void fiber_swap(void **save_sp, void *to_sp);
void fiber_entry(void);
__asm__(".text\n"
        ".globl fiber_swap\n"
        ".hidden fiber_swap\n"
        ".type fiber_swap, @function\n"
        "fiber_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap, .-fiber_swap\n"
        /* The first `ret` of a fiber comes here: its own in rbx, what to call in rbp. */
        ".globl fiber_entry\n"
        ".hidden fiber_entry\n"
        ".type fiber_entry, @function\n"
        "fiber_entry:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    movq %rbx, %rdi\n"
        "    callq *%rbp\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size fiber_entry, .-fiber_entry\n");

enum { SAVED_RBX = 4, SAVED_RBP = 5, SAVED_RIP = 6, SAVED_WORDS = 9 };

static void prepare(struct fiber *f)
{
    uint64_t *top = (uint64_t *)(void *)(f->stack + f->size) - SAVED_WORDS;

    assert(((uintptr_t)f->stack & 15) == 0 && (f->size & 15) == 0);
    memset(top, 0, SAVED_WORDS * sizeof(*top));
    top[SAVED_RBX] = (uint64_t)(uintptr_t)f;
    top[SAVED_RBP] = (uint64_t)(uintptr_t)begin;
    top[SAVED_RIP] = (uint64_t)(uintptr_t)fiber_entry;
    f->sp = top;
}

static void swap(struct fiber *from, struct fiber *to)
{
    fiber_swap(&from->sp, to->sp);
}
#else
static void begin_words(unsigned low, unsigned high)
{
    begin((struct fiber *)(uintptr_t)((uint64_t)high << 32 | low));
}

static void prepare(struct fiber *f)
{
    uint64_t word = (uint64_t)(uintptr_t)f;

    (void)getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = f->size;
    f->context.uc_link = NULL;
    makecontext(&f->context, (void (*)(void))begin_words, 2, (unsigned)word,
                (unsigned)(word >> 32));
}

static void swap(struct fiber *from, struct fiber *to)
{
    (void)swapcontext(&from->context, &to->context);
}
#endif

void fiber_init_thread(struct fiber *thread)
{
    memset(thread, 0, sizeof(*thread));
}

void fiber_init(struct fiber *f, void *stack, size_t size, struct fiber *parent,
                void (*run)(void *arg), void *arg)
{
    assert(stack && size > GUARD_BYTES && parent);
    *f = (struct fiber){.stack = stack, .size = size, .run = run, .arg = arg, .parent = parent};
    lift_poison(f);
    memset(stack, GUARD_VALUE, GUARD_BYTES);
    prepare(f);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    assert(from != to && !to->done);
    tell_start(from, to);
    swap(from, to);
    tell_finish(from, to);
}

void fiber_abandon(struct fiber *f)
{
    assert(f->stack);
    f->done = true;
    lift_poison(f);
}

bool fiber_guard_holds(const struct fiber *f)
{
    for (size_t i = 0; i < GUARD_BYTES; i++)
        if ((unsigned char)f->stack[i] != GUARD_VALUE)
            return false;
    return true;
}
