/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "program/parser.h"

/* A byte that no text has: it would only get into messages and terminals. */
static bool is_binary(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Splits [s, s + n) at blanks up to a comment. */
static void split(struct parser *ps, const char *s, uint32_t n)
{
    uint32_t i = 0;

    ps->n_words = 0;
    ps->next = 0;
    while (i < n) {
        uint32_t first;

        while (i < n && is_blank(s[i]))
            i++;
        if (i == n || s[i] == '#')
            break;
        first = i;
        while (i < n && !is_blank(s[i]))
            i++;
        assert(ps->n_words < LINE_WORDS_MAX);
        ps->words[ps->n_words++] = (struct word){s + first, i - first};
    }
    /* A reference is for people, whatever it says. */
    if (ps->n_words && ps->line > 1 && word_is(ps->words[0], "ref"))
        ps->n_words = 0;
}

int lex_line(struct parser *ps)
{
    const char *s, *newline;
    size_t rest = ps->size - ps->at, look, n;

    assert(ps->at <= ps->size);
    if (!rest)
        return 0;
    ps->line++;
    s = ps->text + ps->at;
    look = rest < TEXT_LINE_MAX + 1 ? rest : TEXT_LINE_MAX + 1;
    newline = memchr(s, '\n', look);
    n = newline ? (size_t)(newline - s) : look;
    ps->at += newline ? n + 1 : n;
    if (newline && n && s[n - 1] == '\r')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (is_binary((unsigned char)s[i]))
            return complain(&ps->complaint, "this is not text: byte 0x%02x at column %zu",
                            (unsigned char)s[i], i + 1);
    }
    if (n > TEXT_LINE_MAX)
        return complain(&ps->complaint, "the line is longer than %d bytes", TEXT_LINE_MAX);
    split(ps, s, (uint32_t)n);
    return 1;
}

bool word_is(struct word w, const char *s)
{
    return strlen(s) == w.n && memcmp(w.s, s, w.n) == 0;
}

struct word word_head(struct word w, uint32_t n)
{
    assert(n <= w.n);
    return (struct word){w.s, n};
}

struct word word_tail(struct word w, uint32_t n)
{
    assert(n <= w.n);
    return (struct word){w.s + n, w.n - n};
}

uint32_t word_find(struct word w, char c)
{
    const char *found = w.n ? memchr(w.s, c, w.n) : NULL;

    return found ? (uint32_t)(found - w.s) : w.n;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

int word_number(struct word w, uint64_t *number)
{
    uint64_t n = 0;
    unsigned base = 10;
    int error = 0;

    if (w.n > 2 && w.s[0] == '0' && w.s[1] == 'x') {
        base = 16;
        w = word_tail(w, 2);
    }
    if (!w.n)
        return -EINVAL;
    for (uint32_t i = 0; i < w.n; i++) {
        unsigned d = (unsigned)digit(w.s[i]);

        if (d >= base)
            return -EINVAL;
        if (n > (UINT64_MAX - d) / base)
            error = -ERANGE; /* but it may still turn out to be no number */
        n = n * base + d;
    }
    if (!error)
        *number = n;
    return error;
}

struct quoted quote(struct word w)
{
    struct quoted q;
    size_t used = 0;
    uint32_t i;

    /* 4 for an escape, 3 for "...", one for the NUL. */
    for (i = 0; i < w.n && used + 8 <= sizeof(q.s); i++) {
        unsigned char c = (unsigned char)w.s[i];

        if (c >= 0x20 && c < 0x7f)
            q.s[used++] = (char)c;
        else
            used += (size_t)snprintf(q.s + used, sizeof(q.s) - used, "\\x%02x", c);
    }
    (void)snprintf(q.s + used, sizeof(q.s) - used, "%s", i < w.n ? "..." : "");
    return q;
}

enum { SUGGEST_LENGTH_MAX = 32, SUGGEST_DISTANCE_MAX = 2 };

/* Insertions, deletions and replacements that make one of the other. */
static uint32_t distance(struct word w, const char *s, uint32_t n)
{
    uint8_t row[SUGGEST_LENGTH_MAX + 1];

    assert(w.n <= SUGGEST_LENGTH_MAX && n <= SUGGEST_LENGTH_MAX);
    for (uint32_t j = 0; j <= n; j++)
        row[j] = (uint8_t)j;
    for (uint32_t i = 0; i < w.n; i++) {
        uint8_t diagonal = row[0];

        row[0] = (uint8_t)(i + 1);
        for (uint32_t j = 0; j < n; j++) {
            uint8_t best = (uint8_t)(diagonal + (w.s[i] != s[j]));

            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = (uint8_t)(row[j] + 1);
            if (diagonal + 1 < best)
                best = (uint8_t)(diagonal + 1);
            row[j + 1] = best;
        }
    }
    return row[n];
}

struct suggestion suggest(struct word w, const char *(*name)(const void *ctx, uint32_t i),
                          const void *ctx)
{
    struct suggestion found = {""};
    uint32_t best = SUGGEST_DISTANCE_MAX + 1;
    const char *s;

    if (w.n > SUGGEST_LENGTH_MAX)
        return found;
    for (uint32_t i = 0; (s = name(ctx, i)); i++) {
        size_t n = strlen(s);
        uint32_t d = n <= SUGGEST_LENGTH_MAX ? distance(w, s, (uint32_t)n) : best;

        /* A short word is near to everything. */
        if (d < best && d < n && d < w.n) {
            best = d;
            (void)snprintf(found.s, sizeof(found.s), "; did you mean '%s'?", s);
        }
    }
    return found;
}
