/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "program/parser.h"

bool have_word(const struct parser *ps)
{
    assert(ps->next <= ps->n_words);
    return ps->next < ps->n_words;
}

struct word peek_word(const struct parser *ps)
{
    return have_word(ps) ? ps->words[ps->next] : (struct word){"", 0};
}

int take_word(struct parser *ps, const char *what, struct word *w)
{
    if (!have_word(ps))
        return complain(&ps->complaint, "expected %s, got the end of the line", what);
    *w = ps->words[ps->next++];
    return 0;
}

int take_literal(struct parser *ps, const char *literal)
{
    struct word w = {0};
    int error = take_word(ps, literal, &w);

    if (!error && !word_is(w, literal))
        error = complain(&ps->complaint, "expected '%s', got '%s'", literal, quote(w).s);
    return error;
}

int parse_number(struct parser *ps, const char *what, struct word w, uint64_t min, uint64_t max,
                 uint64_t *number)
{
    int error = word_number(w, number);

    if (error == -EINVAL)
        return complain(&ps->complaint, "%s: expected a number, got '%s'", what, quote(w).s);
    if (error == -ERANGE || *number > max)
        return complain(&ps->complaint, "%s: %s is too large, the most is %" PRIu64, what,
                        quote(w).s, max);
    if (*number < min)
        return complain(&ps->complaint, "%s: %s is too small, the least is %" PRIu64, what,
                        quote(w).s, min);
    return 0;
}

int parse_u32(struct parser *ps, const char *what, struct word w, uint32_t min, uint32_t max,
              uint32_t *out)
{
    uint64_t number = 0;
    int error = parse_number(ps, what, w, min, max, &number);

    if (!error)
        *out = (uint32_t)number;
    return error;
}

int parse_one_of(struct parser *ps, const char *what, struct word w, const char *const *names,
                 uint32_t n, uint8_t *index)
{
    char list[80] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (word_is(w, names[i])) {
            *index = (uint8_t)i;
            return 0;
        }
    }
    for (uint32_t i = 0; i < n && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", names[i],
                                 i + 2 < n   ? ", "
                                 : i + 1 < n ? " or "
                                             : "");
    return complain(&ps->complaint, "%s: expected %s, got '%s'", what, list, quote(w).s);
}

int parse_unit(struct parser *ps, struct word w, enum op_unit unit, uint8_t *index)
{
    bool device = unit == UNIT_DEVICE;
    const char *what = device ? "device" : "container";
    char letter = device ? 'd' : 'c';
    uint32_t n = device ? ps->p->machine.n_devices : ps->p->machine.n_containers;
    uint64_t number = 0;

    assert(unit == UNIT_DEVICE || unit == UNIT_CONTAINER);
    if (w.n < 2 || w.s[0] != letter || word_number(word_tail(w, 1), &number))
        return complain(&ps->complaint, "expected a %s like %c0, got '%s'", what, letter,
                        quote(w).s);
    if (number >= n && !n)
        return complain(&ps->complaint, "unknown %s '%s'; this machine has none", what,
                        quote(w).s);
    if (number >= n)
        return complain(&ps->complaint, "unknown %s '%s'; the last one is %c%u", what,
                        quote(w).s, letter, n - 1);
    *index = (uint8_t)number;
    return 0;
}

int take_unit(struct parser *ps, enum op_unit unit, uint8_t *index)
{
    struct word w = {0};
    int error = take_word(ps, unit == UNIT_DEVICE ? "a device" : "a container", &w);

    return error ? error : parse_unit(ps, w, unit, index);
}

bool split_key(struct word w, struct word *key, struct word *value)
{
    uint32_t at = word_find(w, '=');

    *key = word_head(w, at);
    *value = at < w.n ? word_tail(w, at + 1) : (struct word){"", 0};
    return at < w.n;
}

struct key_list {
    const struct key *keys;
    uint32_t n;
};

static const char *key_name(const void *ctx, uint32_t i)
{
    const struct key_list *list = ctx;

    return i < list->n ? list->keys[i].name : NULL;
}

static int unknown_key(struct parser *ps, const char *statement, struct word key,
                       const struct key_list *list)
{
    char names[160] = " nothing more";
    size_t used = 0;

    for (uint32_t i = 0; i < list->n && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, " %s%s",
                                 list->keys[i].name, list->keys[i].flag ? "" : "=");
    return complain(&ps->complaint, "unknown word '%s'%s; %s takes:%s", quote(key).s,
                    suggest(key, key_name, list).s, statement, names);
}

static int parse_key(struct parser *ps, const char *statement, struct word w,
                     const struct key_list *list, uint32_t *seen, void *out)
{
    struct word name, value;
    bool has_value = split_key(w, &name, &value);
    uint32_t i = 0;

    while (i < list->n && !word_is(name, list->keys[i].name))
        i++;
    if (i == list->n)
        return unknown_key(ps, statement, name, list);
    if (list->keys[i].flag == has_value)
        return complain(&ps->complaint, has_value ? "'%s' takes no value" : "'%s' needs =value",
                        list->keys[i].name);
    if (*seen & (UINT32_C(1) << i))
        return complain(&ps->complaint, "'%s' is given twice", list->keys[i].name);
    *seen |= UINT32_C(1) << i;
    return list->keys[i].set(ps, value, out);
}

int parse_keys(struct parser *ps, const char *statement, const struct key *keys, uint32_t n,
               void *out)
{
    const struct key_list list = {keys, n};
    uint32_t seen = 0;
    int error = 0;

    assert(n <= 32);
    while (have_word(ps) && !error) {
        struct word w = ps->words[ps->next++];

        error = parse_key(ps, statement, w, &list, &seen, out);
    }
    return error;
}
