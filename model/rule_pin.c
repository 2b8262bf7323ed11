/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mode=inplace, someone else's references. P1: who asks for references gets them exactly where
 * the host may touch the page, and once; and while they are held, the page stays shared. D3: a
 * conversion, or an unplug, that failed because a page is in use says which one: the first, in
 * the order of addresses.
 *
 * A reference is to a frame: when the page has got another one since, nothing stands in the way
 * any more.
 */
#include "model/state.h"

const char rule_pin[] = "P1 pin";
const char rule_blocked_name[] = "D3 blocked";

static bool in_the_way(const struct model *o, uint32_t home)
{
    return o->pins[home] != PIN_NONE && o->pins[home] == view_frame(&o->slots[home].seen);
}

uint32_t pin_in_the_way(const struct model *o, uint64_t lo, uint64_t hi)
{
    assert(o->in_place);
    for (uint32_t i = 0; i < o->n_sections; i++) {
        const struct section *s = &o->sections[i];
        uint64_t from = s->gpa_page > lo ? s->gpa_page : lo;
        uint64_t to = s->gpa_page + s->n_pages < hi ? s->gpa_page + s->n_pages : hi;

        if (!(o->info[s->home].kind & SLOT_GMEM))
            continue;
        for (uint64_t page = from; page < to; page++) {
            uint32_t home = s->home + (uint32_t)(page - s->gpa_page);

            if (in_the_way(o, home))
                return home;
        }
    }
    return MODEL_NO_PAGE;
}

static int page_error(const struct model *o, uint32_t home)
{
    bool is_held = o->pins[home] != PIN_NONE;

    if (o->op.kind == OP_UNPIN)
        return is_held ? 0 : ENOENT;
    if (!slot_mappable(&o->info[home]) || page_is_private(o, home))
        return EFAULT;
    return is_held ? EEXIST : 0;
}

/* The errno of the first page that cannot be had. */
static int range_error(const struct model *o)
{
    const struct plan *p = &o->plan;
    int error = p->refused;

    for (uint32_t home = p->home_lo; home < p->home_hi && !error; home++)
        error = page_error(o, home);
    return error;
}

bool rule_pin_op(struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;
    bool pin = o->op.kind == OP_PIN;
    int error = range_error(o);

    assert(o->in_place);
    if (r->error != error)
        return violate(o, v, rule_pin, MODEL_NO_PAGE, CONTAINER_NONE,
                       "must return %s, returned %s", errno_name(error), errno_name(r->error));
    for (uint32_t home = p->home_lo; home < p->home_hi && !error; home++) {
        uint32_t frame = o->slots[home].seen.shared_frame;

        if (pin && !frame)
            return violate(o, v, rule_pin, home, CONTAINER_NONE, "is held and has no frame");
        o->pins[home] = pin ? frame : PIN_NONE;
        o->n_pins += pin ? 1 : -1ULL;
    }
    return rule_s5_pins(o, v);
}

bool rule_pin_converted(const struct model *o, struct violation *v)
{
    const struct plan *p = &o->plan;
    uint32_t held = MODEL_NO_PAGE;

    assert(p->kind == OP_CONVERT);
    if (o->n_pins && p->to_private)
        held = pin_in_the_way(o, p->lo, p->hi);
    if (held == MODEL_NO_PAGE)
        return true;
    return violate(o, v, rule_pin, held, CONTAINER_NONE,
                   "it became private while somebody holds frame %u", o->pins[held]);
}

/* Did a fault say "in use" where nobody was? Then any page may be named. */
static bool said_by_fault(const struct op_result *r)
{
    uint32_t n = r->n_failed < MODEL_FAILED_MAX ? r->n_failed : MODEL_FAILED_MAX;

    for (uint32_t i = 0; i < n; i++)
        if (r->failed[i].injected && r->failed[i].error == EAGAIN)
            return true;
    return r->n_failed > MODEL_FAILED_MAX;
}

/* Asked before the abstract state follows the op: the frames are where they were, or back. */
bool rule_blocked(const struct model *o, const struct op_result *r, struct violation *v)
{
    const struct plan *p = &o->plan;
    uint32_t want = MODEL_NO_PAGE;

    if (!o->in_place || said_by_fault(r))
        return true;
    if (plan_makes_private(p) && r->error == EAGAIN && o->n_pins)
        want = pin_in_the_way(o, p->lo, p->hi);
    if (r->blocked_page == want)
        return true;
    if (r->blocked_page == MODEL_NO_PAGE)
        return violate(o, v, rule_blocked_name, want, CONTAINER_NONE,
                       "it is in use, and nobody says so");
    return violate(o, v, rule_blocked_name, want, CONTAINER_NONE,
                   "guest page %u is said to be in use", r->blocked_page);
}
