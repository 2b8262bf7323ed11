/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plainer words in each op: ranges, faults, numbers. Ops that have the same range may need to
 * keep having the same one, so a range is changed in one op first, then in all that have it. */
#include <assert.h>

#include "program/op_table.h"
#include "run/points.h"
#include "run/shrink_internal.h"

enum { COUNTS_MAX = 16 };

/* The i-th shorter form of a range; false: there are no more. */
static bool range_shorter(const struct machine *m, struct op *op, uint32_t i)
{
    uint64_t page = machine_page_size(m), n = op->size / page, half = n / 2 * page;
    uint64_t end = op->start + op->size;

    switch (i) {
    case 0: /* the first page, the last one */
        op->size = page;
        return true;
    case 1:
        op->start = end - page;
        op->size = page;
        return true;
    case 2: /* the first half, the second one */
        op->size = half;
        return true;
    case 3:
        op->start = end - half;
        op->size = half;
        return true;
    case 4: /* a page less at the end, at the start */
        op->size -= page;
        return true;
    case 5:
        op->start += page;
        op->size -= page;
        return true;
    case 6: /* whole pages */
        op->start -= op->start % page;
        op->size = (end + page - 1 - op->start) / page * page;
        return true;
    case 7: /* low pages */
        op->start = 0;
        return true;
    case 8:
        op->start = op->start / page / 2 * page;
        return true;
    case 9:
        op->start -= op->start >= page ? page : 0;
        return true;
    default:
        return false;
    }
}

static bool has_free_range(const struct op *op)
{
    return op_rows[op->kind].has & HAS_RANGE && op->kind != OP_REMOVE && op->kind != OP_ADD &&
           op->kind != OP_UNPLUG_ALL && op->kind != OP_RESIZE && op->kind != OP_SOURCE_REMOVE;
}

static bool same_range(const struct op *a, const struct op *b)
{
    return has_free_range(b) && a->region == b->region && a->start == b->start &&
           a->size == b->size;
}

/* One form of the range of op `index`: there, then in all ops that have it. */
static bool try_range(struct shrinker *s, uint32_t index, uint32_t form, bool *more)
{
    const struct op was = s->best.ops[index];
    struct op now = was;
    bool good = false;

    *more = range_shorter(&s->best.machine, &now, form);
    for (int all = 0; all < 2 && *more && !good; all++) {
        struct program *p = shrink_begin(s);

        for (uint32_t i = 0; p && i < p->n_ops; i++)
            if (i == index || (all && same_range(&was, &p->ops[i]))) {
                p->ops[i].start = now.start;
                p->ops[i].size = now.size;
            }
        good = p && shrink_try_faults(s);
    }
    return good;
}

static bool shorten_range(struct shrinker *s, uint32_t index)
{
    bool any = false, more = true;

    for (uint32_t form = 0; more && index < s->best.n_ops; form++) {
        if (!has_free_range(&s->best.ops[index]))
            break;
        while (try_range(s, index, form, &more))
            any = true;
    }
    return any;
}

/* "gpa[19]" is "ram0[3]" where that is shown: a range of a region can be read without the
 * sections. */
static bool name_region(struct shrinker *s, uint32_t index)
{
    struct program *p = shrink_begin(s);
    struct op *op = p && index < p->n_ops ? &p->ops[index] : NULL;
    uint64_t page_size = machine_page_size(&s->best.machine);
    const struct section_decl *shown;
    int section;

    if (!op || !(op_rows[op->kind].has & HAS_RANGE) || op->region != OP_NO_REGION)
        return false;
    section = machine_section_at(&p->machine, op->start);
    if (section < 0)
        return false;
    shown = &p->machine.sections[section];
    op->region = (uint8_t)shown->region;
    op->start -= (shown->gpa_page - shown->first_page) * page_size;
    return op_gpa(&p->machine, op) == s->best.ops[index].start && shrink_try(s);
}

/* The i-th plainer form of what else an op says; false: there are no more. */
static bool words_plainer(struct op *op, uint32_t i)
{
    uint64_t counts[] = {1, op->value / 2, op->value - 1};

    switch (i) {
    case 0:
        op->via = VIA_HYPERCALL;
        return true;
    case 1:
        op->via = op->via == VIA_VMM ? VIA_FAULT : op->via;
        return true;
    case 2:
        op->in_undo = op->late = 0;
        op->when = op->kind == OP_FAULT ? FAULT_NTH : 0;
        return true;
    case 3:
        op->in_undo = 0;
        return true;
    case 4:
        op->late = 0;
        return true;
    case 5:
        op->when = op->when == FAULT_STICKY ? FAULT_NTH : op->when;
        return true;
    case 6:
        op->unit = op_rows[op->kind].unit == UNIT_GUARD ? op->unit : 0;
        return true;
    case 7:
        op->unit -= op_rows[op->kind].unit != UNIT_GUARD && op->unit > 0;
        return true;
    case 8:
    case 9:
    case 10:
        if (op_rows[op->kind].has & HAS_VALUE && op->value > 1)
            op->value = counts[i - 8];
        return true;
    case 11:
        if (op->kind == OP_FAULT)
            op->error = (uint16_t)points_errno(op->point, 0, op->late);
        return true;
    default:
        return false;
    }
}

/* A fault in other words fires at another hit. */
static bool try_words(struct shrinker *s, uint32_t index, uint32_t form, bool *more)
{
    struct program *p = shrink_begin(s);
    struct op *op = p && index < p->n_ops ? &p->ops[index] : NULL;
    const struct op was = op ? *op : (struct op){0};
    bool good;

    *more = op && words_plainer(op, form);
    if (!*more)
        return false;
    good = shrink_try_faults(s);
    for (uint64_t hit = was.value; !good && was.kind == OP_FAULT && form >= 2 && form <= 5 &&
                                   hit <= was.value + COUNTS_MAX && (p = shrink_begin(s));
         hit++) {
        words_plainer(&p->ops[index], form);
        p->ops[index].value = was.when == FAULT_CHANCE ? hit - was.value + 1 : hit;
        good = shrink_try(s);
    }
    return good;
}

bool shrink_values(struct shrinker *s)
{
    bool any = false, more;

    for (uint32_t i = s->best.n_ops; i-- > 0;) {
        if (i >= s->best.n_ops)
            continue;
        any |= name_region(s, i);
        any |= shorten_range(s, i);
        more = true;
        for (uint32_t form = 0; more; form++)
            any |= try_words(s, i, form, &more);
    }
    return any;
}
