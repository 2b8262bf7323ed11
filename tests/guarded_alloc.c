/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/guarded_alloc.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { GUARD_PAGE = 4096 };

/* A page with the length, the memory, which ends where a page begins that nobody may touch. */
void *guarded_alloc(size_t size)
{
    size_t room = (size + GUARD_PAGE - 1) / GUARD_PAGE * GUARD_PAGE + 2 * GUARD_PAGE;
    char *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(at != MAP_FAILED && mprotect(at + room - GUARD_PAGE, GUARD_PAGE, PROT_NONE) == 0);
    memcpy(at, &room, sizeof room);
    return at + room - GUARD_PAGE - (size + 7) / 8 * 8;
}

void guarded_free(void *memory)
{
    char *at = memory;
    size_t room;

    if (!memory)
        return;
    at -= (uintptr_t)memory % GUARD_PAGE + GUARD_PAGE;
    memcpy(&room, at, sizeof room);
    munmap(at, room);
}
