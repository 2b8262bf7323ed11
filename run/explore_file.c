/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A checkpoint: a head, and the states as they stand in memory. States hold steps, not bytes of
 * a world, so another build of the same source may go on; another alphabet may not.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/text.h"
#include "run/explore.h"
#include "run/hash.h"
#include "run/vocabulary.h"

struct head {
    char magic[8];
    uint64_t what;   /* a hash of machine, alphabet, faults */
    uint64_t states; /* a hash of them */
    uint64_t n, level_begin, level_end;
    uint32_t level, state_size;
    double seconds;
};

static const char magic[8] = "gmexpl1";

/* 0: no memory. */
static uint64_t what_is_explored(const struct explore *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    uint64_t hash = 0;
    int error;

    if (!f)
        return 0;
    error = text_print(f, e->alphabet, &run_vocabulary, NULL);
    if (fclose(f) == 0 && !error)
        hash = XXH3_64bits_withSeed(text, size, e->options.faults) | 1;
    free(text);
    return hash;
}

static int write_all(FILE *f, const struct head *head, const struct explore *e)
{
    errno = 0;
    fwrite(head, sizeof(*head), 1, f);
    fwrite(e->table.states, sizeof(*e->table.states), head->n, f);
    if (fflush(f) || ferror(f) || fsync(fileno(f)))
        return errno ? -errno : -EIO;
    return 0;
}

int explore_save(const struct explore *e, const char *path)
{
    uint64_t n = table_count(&e->table);
    struct head head = {.what = what_is_explored(e),
                        .states = XXH3_64bits(e->table.states, n * sizeof(*e->table.states)),
                        .n = n,
                        .level_begin = e->level_begin,
                        .level_end = e->level_end,
                        .level = e->level,
                        .state_size = sizeof(*e->table.states),
                        .seconds = e->seconds};
    char temporary[PATH_MAX];
    FILE *f;
    int error;

    assert(e->level_begin <= e->level_end && e->level_end <= n);
    memcpy(head.magic, magic, sizeof(magic));
    if (head.what == 0)
        return -ENOMEM;
    if (snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid()) >= PATH_MAX)
        return -ENAMETOOLONG;
    f = fopen(temporary, "we");
    if (!f)
        return -errno;
    error = write_all(f, &head, e);
    if (fclose(f) && !error)
        error = -errno;
    if (!error && rename(temporary, path))
        error = -errno;
    if (error)
        unlink(temporary);
    return error;
}

/* NULL: it is good, as far as it says itself. */
static const char *bad_head(const struct head *head, const struct explore *e)
{
    if (memcmp(head->magic, magic, sizeof(magic)) != 0 ||
        head->state_size != sizeof(*e->table.states))
        return "no checkpoint of this version of explore";
    if (head->what != what_is_explored(e))
        return "a checkpoint of another machine, alphabet or number of faults";
    if (head->n > e->table.capacity)
        return "it has more states than there may be (see --states)";
    if (head->n == 0 || head->level_begin >= head->level_end || head->level_end > head->n)
        return "damaged";
    return NULL;
}

static const char *read_all(FILE *f, struct head *head, struct explore *e)
{
    const char *why;

    if (fread(head, sizeof(*head), 1, f) != 1)
        return "too short for a checkpoint";
    why = bad_head(head, e);
    if (why)
        return why;
    if (fread(e->table.states, sizeof(*e->table.states), head->n, f) != head->n)
        return "cut off";
    if (XXH3_64bits(e->table.states, head->n * sizeof(*e->table.states)) != head->states)
        return "damaged";
    return NULL;
}

int explore_load(struct explore *e, const char *path, char *why, size_t why_size)
{
    FILE *f = fopen(path, "re");
    const char *problem;
    struct head head;

    if (!f && errno == ENOENT)
        return 0;
    problem = f ? read_all(f, &head, e) : strerror(errno);
    if (f)
        fclose(f);
    if (problem) {
        snprintf(why, why_size, "%s: %s", path, problem);
        return -EINVAL;
    }
    e->level_begin = head.level_begin;
    e->level_end = head.level_end;
    e->level = head.level;
    e->seconds = e->seconds_saved = head.seconds;
    table_restore(&e->table, head.n);
    return 0;
}
