/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/lines.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

struct lines {
    uint32_t first, last; /* how many are kept of each */
    uint64_t n;           /* whole lines */
    uint32_t used;        /* of the line that is being written */
    char text[][LINES_WIDTH_MAX + 1];
};

static size_t size_of(uint32_t first, uint32_t last)
{
    return sizeof(struct lines) + ((size_t)first + last) * (LINES_WIDTH_MAX + 1);
}

struct lines *lines_new(uint32_t first, uint32_t last)
{
    struct lines *l;

    assert(last > 0);
    l = mmap(NULL, size_of(first, last), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
             0);
    if (l == MAP_FAILED)
        return NULL;
    l->first = first;
    l->last = last;
    return l;
}

void lines_free(struct lines *l)
{
    if (l)
        munmap(l, size_of(l->first, l->last));
}

/* Where line number i is, while it is kept. */
static uint64_t place(const struct lines *l, uint64_t i)
{
    return i < l->first ? i : l->first + (i - l->first) % l->last;
}

static ssize_t take(void *cookie, const char *buf, size_t size)
{
    struct lines *l = cookie;

    for (size_t i = 0; i < size; i++) {
        char *line = l->text[place(l, l->n)];

        if (buf[i] != '\n') {
            if (l->used < LINES_WIDTH_MAX)
                line[l->used++] = buf[i];
            continue;
        }
        line[l->used] = '\0';
        l->used = 0;
        l->n++;
    }
    return (ssize_t)size;
}

FILE *lines_stream(struct lines *l)
{
    FILE *f = fopencookie(l, "w", (cookie_io_functions_t){.write = take});

    if (f && setvbuf(f, NULL, _IOLBF, BUFSIZ)) {
        fclose(f);
        f = NULL;
    }
    return f;
}

uint64_t lines_count(const struct lines *l)
{
    return l->n;
}

void lines_print(const struct lines *l, FILE *out, const char *hint)
{
    uint64_t kept = (uint64_t)l->first + l->last;
    uint64_t skip = l->n > kept ? l->n - kept : 0;

    for (uint64_t i = 0; i < l->n; i++) {
        if (skip && i == l->first) {
            fprintf(out, "... (%llu lines are left out%s)\n", (unsigned long long)skip, hint);
            i += skip;
        }
        fprintf(out, "%s\n", l->text[place(l, i)]);
    }
}
