/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Armed faults. libfiu is asked only at a point that has one; it asks back here, and the
 * decision is made from point, hit number and the world's own random stream. libfiu's state is
 * the process's, the world is always at the same address: enabling a point again is harmless.
 */
#define FIU_ENABLE
#include "sim/world.h"

#include <fiu-control.h>
#include <fiu.h>

enum { CHANCE_OF = 65536 };

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t fault_points(const struct sim_fault *f)
{
    return 1ull << f->point | f->more;
}

static void armed_mask_update(struct sim_world *w)
{
    w->armed = 0;
    for (uint32_t i = 0; i < w->n_faults; i++)
        w->armed |= fault_points(&w->faults[i]);
}

/* One hit of a fault's point: does it fire? *spent: it will never again. */
static bool fault_hit(struct sim_world *w, struct sim_fault *f, bool *spent)
{
    *spent = false;
    if (f->lane && f->lane != w->lane)
        return false;
    if (f->in_undo && !w->call.in_undo)
        return false;
    if (!f->late && f->error == w->call.cannot)
        return false;
    f->hits++;
    if (f->when == SIM_FAULT_CHANCE)
        return random_next(&w->fault_rng) % CHANCE_OF < f->value;
    assert(f->value > 0);
    if (f->value > 1) {
        f->value--;
        return false;
    }
    *spent = f->when == SIM_FAULT_NTH;
    return true;
}

/* The fault decides about the call. */
static void fault_fires(struct sim_world *w, const struct sim_fault *f)
{
    assert(!w->early_error && !w->late_error && f->hits > 0);
    if (f->late)
        w->late_error = f->error;
    else
        w->early_error = f->error;
    w->call.fault = f->tag;
    w->call.hit = f->hits < UINT16_MAX ? (uint16_t)f->hits : UINT16_MAX;
}

/* All faults at the point count the hit; the one armed first wins. */
static int decide(const char *name, int *failnum, void **failinfo, unsigned *flags)
{
    struct sim_world *w = *failinfo;
    uint32_t n = 0;

    (void)name, (void)failnum, (void)flags;
    assert(w->n_faults <= SIM_FAULTS_MAX);
    for (uint32_t i = 0; i < w->n_faults; i++) {
        struct sim_fault *f = &w->faults[i];
        bool spent = false;
        if (fault_points(f) >> w->call.point & 1 && fault_hit(w, f, &spent) &&
            !w->early_error && !w->late_error)
            fault_fires(w, f);
        if (!spent)
            w->faults[n++] = *f;
    }
    w->n_faults = n;
    armed_mask_update(w);
    return w->early_error || w->late_error;
}

void fault_decide(struct sim_world *w)
{
    int fired;

    assert(w->armed >> w->call.point & 1);
    fired = fiu_fail(sim_point_name(w->call.point));
    assert(!fired == !(w->early_error || w->late_error));
    (void)fired;
}

static bool point_has_errno(unsigned point, const struct sim_fault *fault)
{
    int error;

    for (unsigned i = 0; (error = sim_point_errno(point, i, fault->late)); i++)
        if (error == fault->error)
            return true;
    return false;
}

static bool points_have_errno(const struct sim_fault *fault)
{
    if (fault->point >= POINT_COUNT || fault->more >> POINT_COUNT)
        return false;
    for (unsigned point = 0; point < POINT_COUNT; point++)
        if (fault_points(fault) >> point & 1 && !point_has_errno(point, fault))
            return false;
    return true;
}

/* libfiu asks about this point from now on. It is enabled afresh each time: whether it was
 * already cannot be asked, nor kept here without a static; enabling twice would leak. */
static int enable_point(struct sim_world *w, unsigned point)
{
    const char *name = sim_point_name(point);

    assert(name);
    if (fiu_init(0) < 0)
        return -ENOMEM;
    fiu_disable(name);
    return fiu_enable_external(name, 1, w, 0, decide) < 0 ? -ENOMEM : 0;
}

int sim_fault_arm(struct sim_world *w, const struct sim_fault *fault)
{
    if (!points_have_errno(fault))
        return -EINVAL;
    if (fault->when > SIM_FAULT_CHANCE || (fault->when != SIM_FAULT_CHANCE && !fault->value))
        return -EINVAL;
    if (w->n_faults == SIM_FAULTS_MAX)
        return -ENOSPC;
    for (unsigned point = 0; point < POINT_COUNT; point++)
        if (fault_points(fault) >> point & 1 && enable_point(w, point) != 0)
            return -ENOMEM;
    w->faults[w->n_faults] = *fault;
    w->faults[w->n_faults++].hits = 0;
    armed_mask_update(w);
    assert(w->armed >> fault->point & 1);
    return 0;
}

void sim_fault_disarm_all(struct sim_world *w)
{
    assert(w->n_faults <= SIM_FAULTS_MAX);
    w->n_faults = 0;
    w->armed = 0;
}

uint64_t sim_faults_fired(const struct sim_world *w)
{
    return w->faults_fired;
}

void sim_op_begin(struct sim_world *w)
{
    assert(!w->early_error && !w->late_error);
    w->op_failed = false;
    for (uint32_t i = 0; i < w->n_faults; i++)
        if (!w->lane || !w->faults[i].lane || w->faults[i].lane == w->lane)
            w->faults[i].hits = 0;
}
