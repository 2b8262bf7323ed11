/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/internal.h"

#define BIT(kind) (1u << (kind))

static const unsigned excludes[VMM_GUARD_COUNT] = {
    [VMM_GUARD_DISABLE] = BIT(VMM_GUARD_REQUIRE) | BIT(VMM_GUARD_COORDINATED_REQUIRE),
    [VMM_GUARD_UNCOORDINATED_DISABLE] = BIT(VMM_GUARD_REQUIRE),
    [VMM_GUARD_REQUIRE] = BIT(VMM_GUARD_DISABLE) | BIT(VMM_GUARD_UNCOORDINATED_DISABLE),
    [VMM_GUARD_COORDINATED_REQUIRE] = BIT(VMM_GUARD_DISABLE),
};

static bool is_excluded(const struct vmm *vmm, enum vmm_guard kind)
{
    assert(vmm->machine_lock.held && kind < VMM_GUARD_COUNT);
    for (unsigned i = 0; i < VMM_GUARD_COUNT; i++)
        if ((excludes[kind] & BIT(i)) && vmm->guards.taken[i])
            return true;
    return false;
}

int discard_guard_take(struct vmm *vmm, enum vmm_guard kind)
{
    if (is_excluded(vmm, kind))
        return -EBUSY;
    vmm->guards.taken[kind]++;
    return 0;
}

void discard_guard_give_back(struct vmm *vmm, enum vmm_guard kind)
{
    struct discard_guards *g = &vmm->guards;

    assert(vmm->machine_lock.held && kind < VMM_GUARD_COUNT);
    assert(g->taken[kind] > g->others[kind]);
    g->taken[kind]--;
}

bool discard_guards_idle(const struct vmm *vmm)
{
    const struct discard_guards *g = &vmm->guards;

    return memcmp(g->taken, g->others, sizeof g->taken) == 0;
}

/* 0 or why not; the machine lock is held. */
static int by_other(struct vmm *vmm, enum vmm_guard kind, bool on)
{
    struct discard_guards *g = &vmm->guards;

    if ((unsigned)kind >= VMM_GUARD_COUNT)
        return -EINVAL;
    if (on) {
        int rc =
            g->others[kind] < VMM_GUARD_OTHERS_MAX ? discard_guard_take(vmm, kind) : -E2BIG;

        g->others[kind] += !rc;
        return rc;
    }
    if (g->others[kind] == 0)
        return -EINVAL;
    g->others[kind]--;
    discard_guard_give_back(vmm, kind);
    return 0;
}

int vmm_guard(struct vmm *vmm, enum vmm_guard kind, bool on)
{
    int rc = vmm_enter(vmm);

    return rc ? rc : vmm_leave(vmm, by_other(vmm, kind, on));
}

bool vmm_guard_is_free(struct vmm *vmm, enum vmm_guard kind)
{
    sync_lock(&vmm->sync, &vmm->machine_lock);
    bool is_free = !is_excluded(vmm, kind);
    (void)vmm_leave(vmm, 0);
    return is_free;
}
