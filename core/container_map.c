/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container's mapping calls mean for its ledger. An EFAULT is the one errno that may
 * come after the effect (the kernel could not copy its answer out): the state is then found
 * out by asking for the opposite, or for the same once more.
 */
#include <assert.h>
#include <errno.h>

#include "core/internal.h"

static int64_t bytes(const struct container *c, uint64_t pages)
{
    return (int64_t)(pages << c->vmm->page_shift);
}

int container_has_room(const struct container *c, uint64_t more)
{
    int64_t used = (int64_t)c->ledger.n_mappings + c->entries_pledged;

    assert(c->lock.held && used >= 0);
    return (uint64_t)used + more > c->entry_limit ? -ENOSPC : 0;
}

static int map_call(struct container *c, uint64_t first, uint64_t end, uint64_t vaddr,
                    bool read_only)
{
    return c->ops->map(c, first << c->vmm->page_shift, (uint64_t)bytes(c, end - first), vaddr,
                       read_only);
}

static int64_t unmap_call(struct container *c, uint64_t first, uint64_t end)
{
    return c->ops->unmap(c, first << c->vmm->page_shift, (uint64_t)bytes(c, end - first));
}

static int map_again(struct container *c, uint64_t first, uint64_t end, uint64_t vaddr,
                     bool read_only)
{
    int rc = map_call(c, first, end, vaddr, read_only);

    if (rc == -EFAULT)
        rc = map_call(c, first, end, vaddr, read_only);
    return rc == -EEXIST ? 0 : rc;
}

int container_map(struct container *c, uint64_t first, uint64_t end, uint64_t vaddr,
                  bool read_only, bool restore)
{
    uint64_t known = ledger_count(&c->ledger, first, end);
    int rc;

    assert(c->lock.held && first < end);
    assert(known == 0 || (restore && known == end - first));
    rc = restore ? map_again(c, first, end, vaddr, read_only)
                 : map_call(c, first, end, vaddr, read_only);
    if (rc == 0 && known)
        ledger_trust(&c->ledger, first);
    else if (rc == 0)
        ledger_add(&c->ledger, first, end);
    if (rc == -EFAULT && !restore) {
        int64_t gone = unmap_call(c, first, end);

        if (gone == -EFAULT)
            gone = unmap_call(c, first, end);
        if (gone != 0 && gone != bytes(c, end - first))
            ledger_add(&c->ledger, first, end);
    }
    return rc;
}

int container_unmap(struct container *c, uint64_t first, uint64_t end, bool undo)
{
    int64_t expected = bytes(c, ledger_count(&c->ledger, first, end));
    int64_t got;
    int error;

    assert(c->lock.held && first < end);
    if (expected == 0)
        return 0;
    got = unmap_call(c, first, end);
    error = got < 0 ? (int)got : -EIO;
    if (got == -EFAULT) {
        got = unmap_call(c, first, end);
        if (got == 0 || got == expected || (undo && got > 0))
            got = expected;
        else if (!undo &&
                 got < 0) /* nobody knows what is still there: an undo maps it all again */
            ledger_doubt(&c->ledger, first, end);
    }
    if (got >= 0)
        ledger_remove(&c->ledger, first, end);
    /* An unmap that works leaves nothing in its range, however much it found. */
    return got == expected || (undo && got >= 0) ? 0 : error;
}
