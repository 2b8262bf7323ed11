/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "program/parser.h"

enum { PAGE_WORD_MAX = 80 };

/* "ram0:3" is "ram0[3]", and one address stands for its page. */
static void as_range(char *buf, size_t size, const char *text, uint32_t page_size)
{
    const char *colon = strchr(text, ':');

    if (colon)
        snprintf(buf, size, "%.*s[%s]", (int)(colon - text), text, colon + 1);
    else if (strchr(text, '@') && !strchr(text, '+'))
        snprintf(buf, size, "%s+%u", text, page_size);
    else
        snprintf(buf, size, "%s", text);
}

/* The page of the machine that a range of one page, or an address, means. */
static int one_page(const struct machine *m, const struct range *range, bool address,
                    const struct complaint *c, uint32_t *page)
{
    uint64_t page_size = machine_page_size(m), first = range->start / page_size;
    uint32_t region = range->region;
    int section;

    if (!address && range->size > page_size)
        return complain(c, "takes one page, not a range of %" PRIu64, range->size / page_size);
    if (region == OP_NO_REGION) {
        section = machine_section_at(m, range->start);
        if (section < 0)
            return complain(c, "no section shows the guest physical address 0x%" PRIx64,
                            range->start);
        region = m->sections[section].region;
        first = first - m->sections[section].gpa_page + m->sections[section].first_page;
    }
    if (first >= m->regions[region].n_pages)
        return complain(c, "%s has %u pages, there is no page %" PRIu64,
                        region_name(m, region).s, m->regions[region].n_pages, first);
    *page = machine_first_page(m, region) + (uint32_t)first;
    return 0;
}

int text_page(const char *text, const struct program *p, uint32_t *page,
              struct text_error *error)
{
    struct program with_machine = {.machine = p->machine};
    struct parser ps = {.p = &with_machine,
                        .error = error,
                        .complaint = {error->why, sizeof(error->why)},
                        .n_words = 1};
    char word[PAGE_WORD_MAX];
    struct range range = {0};
    int result;

    *error = (struct text_error){0};
    as_range(word, sizeof(word), text, machine_page_size(&p->machine));
    ps.words[0] = (struct word){word, (uint32_t)strlen(word)};
    result = take_range(&ps, true, &range);
    return result
               ? result
               : one_page(&p->machine, &range, strchr(text, '@') != NULL, &ps.complaint, page);
}
