/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "program/parser.h"

bool looks_like_range(struct word w)
{
    return word_find(w, '[') < w.n || word_find(w, '@') < w.n;
}

bool region_word(struct word w, uint32_t *kind, uint64_t *number)
{
    const char *name;

    for (uint32_t i = 0; (name = region_kind_name(i)); i++) {
        uint32_t n = (uint32_t)strlen(name);

        if (w.n > n && memcmp(w.s, name, n) == 0 && w.s[n] >= '0' && w.s[n] <= '9' &&
            word_number(word_tail(w, n), number) == 0) {
            *kind = i;
            return true;
        }
    }
    return false;
}

int parse_region(struct parser *ps, struct word w, uint32_t *region)
{
    const struct machine *m = &ps->p->machine;
    uint32_t kind = 0;
    uint64_t number = 0;

    if (!region_word(w, &kind, &number))
        return complain(&ps->complaint, "expected a region like ram0, got '%s'", quote(w).s);
    if (number >= m->n_regions)
        return complain(&ps->complaint, "unknown region '%s'; this machine has %u region%s",
                        quote(w).s, m->n_regions, m->n_regions == 1 ? "" : "s");
    if (m->regions[number].kind != kind)
        return complain(&ps->complaint, "unknown region '%s'; region %u is %s", quote(w).s,
                        (unsigned)number, region_name(m, (uint32_t)number).s);
    *region = (uint32_t)number;
    return 0;
}

static int bad_range(struct parser *ps, struct word w)
{
    return complain(&ps->complaint,
                    "expected a range like ram0[0..8), ram0[3], gpa[16..24) or"
                    " gpa@0x1000+0x800, got '%s'",
                    quote(w).s);
}

/* "[first..end)" or "[page]": the numbers. */
static int page_numbers(struct parser *ps, struct word whole, struct word w, uint64_t *first,
                        uint64_t *end)
{
    char close = w.n ? w.s[w.n - 1] : 0;
    struct word inside, right;
    uint32_t dot;
    int error;

    if (w.n < 3 || (close != ')' && close != ']'))
        return bad_range(ps, whole);
    inside = word_tail(word_head(w, w.n - 1), 1);
    dot = word_find(inside, '.');
    if ((dot < inside.n) != (close == ')'))
        return bad_range(ps, whole);
    error = parse_number(ps, "page", word_head(inside, dot), 0, UINT64_MAX - 1, first);
    *end = *first + 1;
    if (error || dot == inside.n)
        return error;
    right = word_tail(inside, dot);
    if (right.n < 3 || right.s[1] != '.')
        return bad_range(ps, whole);
    error = parse_number(ps, "page", word_tail(right, 2), 0, UINT64_MAX, end);
    if (!error && *end <= *first)
        error = complain(&ps->complaint, "'%s' is empty: a range ends before its second number",
                         quote(whole).s);
    return error;
}

static int parse_pages(struct parser *ps, struct word whole, struct word w, struct range *range)
{
    const struct machine *m = &ps->p->machine;
    uint64_t page_size = machine_page_size(m), limit = UINT64_MAX / page_size;
    uint64_t first = 0, end = 0;
    int error = page_numbers(ps, whole, w, &first, &end);

    if (error)
        return error;
    if (range->region != OP_NO_REGION && end > m->regions[range->region].n_pages)
        return complain(&ps->complaint, "%s has %u pages, the range ends at %" PRIu64,
                        region_name(m, range->region).s, m->regions[range->region].n_pages,
                        end);
    if (end > limit)
        return complain(&ps->complaint, "page: %" PRIu64 " is too large, the most is %" PRIu64,
                        end, limit);
    range->start = first * page_size;
    range->size = (end - first) * page_size;
    return 0;
}

/* "@start+size" */
static int parse_bytes(struct parser *ps, struct word whole, struct word w, struct range *range)
{
    uint32_t plus = word_find(w, '+');
    int error;

    assert(w.n && w.s[0] == '@');
    if (plus == w.n)
        return bad_range(ps, whole);
    error = parse_number(ps, "start", word_tail(word_head(w, plus), 1), 0, UINT64_MAX,
                         &range->start);
    if (!error)
        error = parse_number(ps, "size", word_tail(w, plus + 1), 0, UINT64_MAX, &range->size);
    return error;
}

static int parse_range(struct parser *ps, struct word w, bool gpa_allowed, struct range *range)
{
    uint32_t bracket = word_find(w, '['), at = word_find(w, '@'), region = OP_NO_REGION;
    uint32_t n = bracket < at ? bracket : at;
    struct word name = word_head(w, n);
    int error;

    if (n == w.n)
        return bad_range(ps, w);
    if (!word_is(name, "gpa")) {
        error = parse_region(ps, name, &region);
        if (error)
            return error;
    } else if (!gpa_allowed) {
        return complain(&ps->complaint,
                        "expected a range of a region like ram0[0..8), got '%s'", quote(w).s);
    }
    *range = (struct range){.region = (uint8_t)region};
    if (bracket < at)
        return parse_pages(ps, w, word_tail(w, n), range);
    return parse_bytes(ps, w, word_tail(w, n), range);
}

int take_range(struct parser *ps, bool gpa_allowed, struct range *range)
{
    struct word w = {0};
    int error = take_word(ps, "a range like ram0[0..8)", &w);

    return error ? error : parse_range(ps, w, gpa_allowed, range);
}
