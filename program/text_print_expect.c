/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>

#include "program/writer.h"

static const char *name_of(const struct expect *e)
{
    return expect_rows[e->kind].name;
}

void print_expect_errno(struct writer *w, const struct expect *e)
{
    put(w, "%s=%s", name_of(e), text_errno((int)e->value));
}

void print_expect_pages(struct writer *w, const struct expect *e)
{
    put(w, "%s ", name_of(e));
    put_range(w, e->region, e->start, e->size);
}

void print_expect_mapped(struct writer *w, const struct expect *e)
{
    put(w, "%s c%u ", name_of(e), e->unit);
    put_range(w, e->region, e->start, e->size);
}

void print_expect_side(struct writer *w, const struct expect *e)
{
    put(w, "%s %s ", name_of(e), e->value ? "private" : "shared");
    put_range(w, e->region, e->start, e->size);
}

void print_expect_calls(struct writer *w, const struct expect *e)
{
    const struct vocabulary *v = w->vocabulary;

    put(w, "%s %s=%" PRIu64, name_of(e), e->point < v->n_names ? v->point_name(e->point) : "?",
        e->value);
}

void print_expect_number(struct writer *w, const struct expect *e)
{
    put(w, "%s=%" PRIu64, name_of(e), e->value);
}

void print_expect_response(struct writer *w, const struct expect *e)
{
    put(w, "%s=%s", name_of(e), e->value < RESPONSE_COUNT ? response_names[e->value] : "?");
}

void print_expect_entries(struct writer *w, const struct expect *e)
{
    put(w, "%s c%u=%" PRIu64, name_of(e), e->unit, e->value);
}

void print_expect_stopped(struct writer *w, const struct expect *e)
{
    put(w, "%s", e->value ? "stopped" : "running");
}

void text_expect(char *buf, size_t size, const struct program *p, const struct expect *e,
                 const struct vocabulary *words)
{
    struct writer w = {buf, size, 0, &p->machine, words, false};

    assert(buf && size && e->kind < EXPECT_KIND_COUNT);
    put(&w, "expect ");
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        if (e->only[i]) {
            put_axis(&w, (enum program_axis)i, e->only[i]);
            put(&w, " ");
        }
    expect_rows[e->kind].print(&w, e);
}
