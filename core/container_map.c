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
    uint64_t iova = first << c->vmm->page_shift, size = (uint64_t)bytes(c, end - first);

    return c->cut_by == CUT_BY_UNMAP ? container_vfio_unmap(c, iova, size)
                                     : c->ops->unmap(c, iova, size);
}

/* Unmaps, although it may have been done already, or that failed with EFAULT: bytes, 0 where
 * nothing is there, or an error. iommufd answers ENOENT both for "nothing there" and for what
 * it would have to cut, so that is asked in another way. */
static int64_t unmap_again(struct container *c, uint64_t first, uint64_t end)
{
    int64_t got = unmap_call(c, first, end);

    if (got == -ENOENT && c->ops->is_mapped &&
        c->ops->is_mapped(c, first << c->vmm->page_shift, (uint64_t)bytes(c, end - first)) == 0)
        return 0;
    return got;
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
    uint64_t known = restore ? ledger_count(&c->ledger, first, end) : 0;
    int rc;

    assert(c->lock.held && first < end);
    assert(known == 0 || known == end - first);
    rc = restore ? map_again(c, first, end, vaddr, read_only)
                 : map_call(c, first, end, vaddr, read_only);
    if (rc == 0 && known)
        ledger_trust(&c->ledger, first);
    else if (rc == 0)
        ledger_add(&c->ledger, first, end);
    if (rc == -EFAULT && !restore) {
        int64_t gone = unmap_again(c, first, end);

        if (gone == -EFAULT)
            gone = unmap_again(c, first, end);
        if (gone != 0 && gone != bytes(c, end - first))
            ledger_add(&c->ledger, first, end);
    }
    return rc;
}

/* Mappings go one after the other: an error at one of them leaves the first ones gone. */
static bool may_be_half_done(const struct container *c, uint64_t first, uint64_t end)
{
    uint64_t mapping_first, mapping_end;

    return !c->ops->unmaps_all_or_nothing &&
           (!ledger_find(&c->ledger, first, &mapping_first, &mapping_end) || mapping_end < end);
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
    bool unknown = got < 0 && may_be_half_done(c, first, end);
    if (got == -EFAULT) {
        got = unmap_again(c, first, end);
        unknown = got < 0;
        if (got == 0)
            got = expected;
    }
    if (unknown && !undo) /* an undo maps it all again */
        ledger_doubt(&c->ledger, first, end);
    if (got >= 0 && c->cut_by == CUT_BY_UNMAP) { /* it may have been a part */
        ledger_cut(&c->ledger, first);
        ledger_cut(&c->ledger, end);
    }
    if (got >= 0)
        ledger_remove(&c->ledger, first, end);
    /* An unmap that works leaves nothing in its range, however much it found. */
    return got == expected || (undo && got >= 0) ? 0 : error;
}
