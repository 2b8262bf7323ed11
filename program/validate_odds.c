/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations that can never be asked, and those of one op that cannot hold together. */
#include <assert.h>
#include <string.h>

#include "program/op_table.h"
#include "program/validate.h"

/* ---- which machines ---- */

/* Do these values of the axes, a bit each, go together in some way? The axes from `axis` on are
 * still to be chosen in m. */
static bool any_machine(struct machine *m, const uint8_t *set, uint32_t axis)
{
    const struct complaint nobody = {NULL, 0};

    if (axis == AXIS_COUNT)
        return validate_axes(m, &nobody) == 0;
    for (uint32_t i = 0; set[axis] >> i; i++) {
        m->axis[axis] = (uint8_t)i;
        if ((set[axis] >> i & 1) && any_machine(m, set, axis + 1))
            return true;
    }
    return false;
}

/* The values that both leave; 0 is all. */
static uint8_t both(uint32_t axis, uint8_t a, uint8_t b)
{
    uint8_t all = program_axis_all(axis);

    return (a ? a : all) & (b ? b : all);
}

static bool is_possible(const struct machine *m, const uint8_t *only)
{
    struct machine some = {.n_vcpus = 1};
    uint8_t set[AXIS_COUNT];

    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        uint8_t own = m ? (uint8_t)(m->also[i] | 1u << m->axis[i]) : 0;

        set[i] = both(i, only[i], own);
        if (!set[i])
            return false;
    }
    return any_machine(&some, set, 0);
}

bool expect_may_apply(const struct machine *m, const struct expect *e)
{
    static const uint8_t always[AXIS_COUNT];

    assert(AXIS_COUNT == sizeof(e->only));
    return memcmp(e->only, always, sizeof(always)) == 0 || is_possible(m, e->only);
}

bool expect_is_possible(const struct expect *e)
{
    return is_possible(NULL, e->only);
}

/* ---- at odds ---- */

static bool overlaps(const struct expect *a, const struct expect *b)
{
    return a->region == b->region && a->start < b->start + b->size &&
           b->start < a->start + a->size;
}

/* EXPECT_KIND_COUNT: nothing is its opposite. */
static uint8_t opposite(uint8_t kind)
{
    static const uint8_t pairs[][2] = {{EXPECT_SHARED, EXPECT_PRIVATE},
                                       {EXPECT_MAPPED, EXPECT_UNMAPPED},
                                       {EXPECT_BACKED, EXPECT_UNBACKED},
                                       {EXPECT_PLUGGED, EXPECT_UNPLUGGED},
                                       {EXPECT_DIRTY, EXPECT_CLEAN}};

    for (uint32_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][0] == kind || pairs[i][1] == kind)
            return pairs[i][pairs[i][0] == kind];
    return EXPECT_KIND_COUNT;
}

/* What the op returns and what the guest is told: done, or not. */
static bool says_done(const struct expect *e)
{
    return e->value == (e->kind == EXPECT_RESPONSE ? RESPONSE_ACK : 0);
}

static bool is_outcome(const struct expect *e)
{
    return e->kind == EXPECT_RESULT || e->kind == EXPECT_STATUS || e->kind == EXPECT_RESPONSE;
}

/* Where both are asked, can both hold? Containers, host calls and sides are different things.
 */
static bool contradict(const struct expect *a, const struct expect *b)
{
    if (a->unit != b->unit || a->point != b->point)
        return false;
    if (opposite(a->kind) == b->kind)
        return a->value == b->value && overlaps(a, b);
    if (a->kind != b->kind)
        return is_outcome(a) && is_outcome(b) && says_done(a) != says_done(b);
    if (a->kind == EXPECT_BLOCKED)
        return a->region != b->region || a->start != b->start;
    return opposite(a->kind) == EXPECT_KIND_COUNT && a->value != b->value;
}

/* Is there a machine where both are asked? */
static bool may_meet(const struct machine *m, const struct expect *a, const struct expect *b)
{
    struct expect met = *a;

    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        met.only[i] = both(i, a->only[i], b->only[i]);
        if (!met.only[i])
            return false;
    }
    return expect_may_apply(m, &met);
}

int check_at_odds(const struct program *p, uint32_t n, const struct expect *e,
                  const struct complaint *c)
{
    uint32_t of_op = 1;

    assert(n <= p->n_expects && e->kind < EXPECT_KIND_COUNT);
    for (uint32_t i = n; i-- > 0 && p->expects[i].op == e->op;) {
        const struct expect *other = &p->expects[i];
        const char *name = expect_rows[e->kind].name, *other_name;

        other_name = expect_rows[other->kind].name;
        if (++of_op > PROGRAM_OP_EXPECTS_MAX)
            return complain(c, "more than %d expectations about one op",
                            PROGRAM_OP_EXPECTS_MAX);
        if (!contradict(e, other) || !may_meet(&p->machine, e, other))
            continue;
        if (other->line == e->line)
            return complain(c, "expect %s is at odds with %s before it: both cannot hold", name,
                            other_name);
        return complain(c, "expect %s is at odds with expect %s of line %u: both cannot hold",
                        name, other_name, other->line);
    }
    return 0;
}
