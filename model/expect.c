/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program's author said must hold: looked up in what is seen, not in the model. */
#include "model/state.h"

const char rule_expect[] = "E1 expectation";

static bool want_value(const struct model *o, const char *what, uint64_t want, uint64_t found,
                       struct violation *v)
{
    if (want == found)
        return true;
    return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE,
                   "%s: expected %llu, found %llu", what, (unsigned long long)want,
                   (unsigned long long)found);
}

static bool want_errno(const struct model *o, const char *what, uint64_t want, uint64_t found,
                       struct violation *v)
{
    if (want == found)
        return true;
    return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE,
                   "%s: expected %s, found %s", what, errno_name((int)want),
                   errno_name((int)found));
}

static bool want_response(const struct model *o, uint64_t want, uint64_t found,
                          struct violation *v)
{
    static const char *const names[] = {[RESPONSE_ACK] = "ack",
                                        [RESPONSE_NACK] = "nack",
                                        [RESPONSE_BUSY] = "busy",
                                        [RESPONSE_ERROR] = "error"};

    if (want == found)
        return true;
    return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE,
                   "response: expected %s, found %s",
                   want <= RESPONSE_ERROR ? names[want] : "?",
                   found <= RESPONSE_ERROR ? names[found] : "none");
}

/* One page of a range: NULL when it is as expected, else what it is. */
static const char *page_differs(const struct model *o, const struct expect *e, uint32_t slot)
{
    const struct view_page *s = &o->slots[slot].seen;
    bool gmem = o->info[slot].kind & SLOT_GMEM, placed = o->info[slot].kind & SLOT_PLACED;
    uint32_t frame = e->value ? s->private_frame : s->shared_frame;
    uint32_t mapped = e->kind == EXPECT_MAPPED || e->kind == EXPECT_UNMAPPED
                          ? o->containers[e->unit].maps[slot].seen.frame
                          : 0;

    switch (e->kind) {
    case EXPECT_SHARED:
        if (placed && s->is_private)
            return "the attribute is private";
        return gmem && !s->is_populated ? "the tracker says private" : NULL;
    case EXPECT_PRIVATE:
        if (!gmem || (placed && !s->is_private))
            return "the attribute is shared";
        return s->is_populated ? "the tracker says shared" : NULL;
    case EXPECT_MAPPED:
        if (!mapped)
            return "it is not mapped";
        return mapped != s->shared_frame ? "it is mapped on another frame" : NULL;
    case EXPECT_UNMAPPED:
        return mapped ? "it is mapped" : NULL;
    case EXPECT_PLUGGED:
        return s->is_plugged ? NULL : "it is unplugged";
    case EXPECT_UNPLUGGED:
        return s->is_plugged ? "it is plugged" : NULL;
    case EXPECT_BACKED:
        return frame ? NULL : "it has no frame there";
    default:
        assert(e->kind == EXPECT_UNBACKED);
        return frame ? "it has a frame there" : NULL;
    }
}

static bool expect_pages(const struct model *o, const struct expect *e, struct violation *v)
{
    uint32_t lo, hi;

    if (!layout_range(o, e->region, e->start, e->size, &lo, &hi) ||
        e->unit >= PROGRAM_CONTAINERS_MAX ||
        ((e->kind == EXPECT_MAPPED || e->kind == EXPECT_UNMAPPED) &&
         e->unit >= o->m->n_containers))
        return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE, "no such range");
    for (uint32_t i = lo; i < hi; i++) {
        const char *differs = page_differs(o, e, i);

        if (differs)
            return violate(o, v, rule_expect, i, CONTAINER_NONE, "page %u of region %u: %s",
                           i - o->region_first[e->region], e->region, differs);
    }
    return true;
}

static bool expect_blocked(const struct model *o, const struct expect *e,
                           const struct op_result *r, struct violation *v)
{
    uint32_t lo, hi;

    if (!layout_range(o, e->region, e->start, e->size, &lo, &hi))
        return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE, "no such page");
    if (r->blocked_page == lo)
        return true;
    if (r->blocked_page == MODEL_NO_PAGE)
        return violate(o, v, rule_expect, lo, CONTAINER_NONE, "nothing is said to be in use");
    return violate(o, v, rule_expect, lo, CONTAINER_NONE, "guest page %u is said to be in use",
                   r->blocked_page);
}

/* What the dirty-sync that just was answered. */
static bool expect_dirty(const struct model *o, const struct expect *e,
                         const struct op_result *r, struct violation *v)
{
    uint32_t lo, hi;

    if (!r->dirty || !layout_range(o, e->region, e->start, e->size, &lo, &hi))
        return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE,
                       "no such range, or no answer about it");
    for (uint32_t i = lo; i < hi; i++)
        if (!(r->dirty[i] & MIGRATION_DIRTY) == (e->kind == EXPECT_DIRTY))
            return violate(o, v, rule_expect, i, CONTAINER_NONE,
                           "page %u of region %u: it is %s", i - o->region_first[e->region],
                           e->region, e->kind == EXPECT_DIRTY ? "clean" : "dirty");
    return true;
}

bool model_expect(const struct model *o, const struct expect *e, const struct op_result *r,
                  uint32_t calls_of_point, struct violation *v)
{
    assert(e->kind < EXPECT_KIND_COUNT);
    switch (e->kind) {
    case EXPECT_RESULT:
        return want_errno(o, "result", e->value, (uint64_t)r->error, v);
    case EXPECT_STATUS:
        if (!r->has_status)
            return violate(o, v, rule_expect, MODEL_NO_PAGE, CONTAINER_NONE,
                           "status: expected %llu, the guest was told nothing",
                           (unsigned long long)e->value);
        return want_errno(o, "status", e->value, r->guest_status, v);
    case EXPECT_CALLS:
        return want_value(o, "calls", e->value, calls_of_point, v);
    case EXPECT_DATA:
        return want_value(o, "data", e->value, r->data, v);
    case EXPECT_POPULATED:
        return want_value(o, "populated", e->value, r->data, v);
    case EXPECT_RESPONSE:
        return want_response(o, e->value, r->response, v);
    case EXPECT_DIRTY:
    case EXPECT_CLEAN:
        return expect_dirty(o, e, r, v);
    case EXPECT_STOPPED:
        return want_value(o, "stopped", e->value, r->stopped, v);
    case EXPECT_BLOCKED:
        return expect_blocked(o, e, r, v);
    case EXPECT_ENTRIES:
        if (e->unit >= o->m->n_containers)
            return violate(o, v, rule_expect, MODEL_NO_PAGE, e->unit, "no such container");
        return want_value(o, "entries", e->value, o->containers[e->unit].seen.entries, v);
    default:
        return expect_pages(o, e, v);
    }
}
