/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/writer.h"
#include "run/vocabulary.h"

void file_list_init(struct file_list *l)
{
    memset(l, 0, sizeof(*l));
}

void file_list_free(struct file_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        free(l->paths[i]);
    free(l->paths);
    file_list_init(l);
}

static int append(struct file_list *l, const char *path)
{
    if (l->n == FILES_MAX)
        return -E2BIG;
    if (l->n == l->capacity) {
        uint32_t capacity = l->capacity ? l->capacity * 2 : 32;
        char **grown = realloc(l->paths, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        l->paths = grown;
        l->capacity = capacity;
    }
    l->paths[l->n] = strdup(path);
    return l->paths[l->n] ? (l->n++, 0) : -ENOMEM;
}

static int is_scenario(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".scn") == 0;
}

static int add_folder(struct file_list *l, const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_scenario, alphasort), error = 0;
    char path[PATH_MAX];

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

        if (!error)
            error = length < (int)sizeof(path) ? append(l, path) : -ENAMETOOLONG;
        free(entries[i]);
    }
    free(entries);
    return error;
}

/* One clear reason; the C library's words for these are about something else. */
static const char *reason(int error)
{
    switch (error) {
    case -E2BIG:
        return "more than 100000 scenario files";
    case -EFBIG:
        return "larger than a scenario may be (64 MiB)";
    case -ENOTSUP:
        return "neither a file nor a folder";
    default:
        return strerror(-error);
    }
}

int file_list_add(struct file_list *l, const char *path, char *why, size_t why_size)
{
    struct stat st;
    uint32_t before = l->n;
    int error = stat(path, &st) ? -errno : 0;

    assert(FILES_MAX == 100000 && TEXT_FILE_MAX == 64 << 20); /* as reason() says */
    if (!error && S_ISDIR(st.st_mode))
        error = add_folder(l, path);
    else if (!error)
        error = S_ISREG(st.st_mode) ? append(l, path) : -ENOTSUP;
    if (!error && l->n == before) {
        snprintf(why, why_size, "%s: no .scn file in this folder", path);
        return -ENOENT;
    }
    if (error)
        snprintf(why, why_size, "%s: %s", path, reason(error));
    return error;
}

/* Opens without waiting for anyone, whatever the path has become since it was listed. Files
 * are read more than once, so pipes and devices cannot serve. */
static int open_file(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st))
        error = -errno;
    else if (!S_ISREG(st.st_mode))
        error = -ENOTSUP;
    else if (st.st_size > TEXT_FILE_MAX)
        error = -EFBIG;
    if (error) {
        close(fd);
        return error;
    }
    *size = (size_t)st.st_size;
    return fd;
}

/* Whole file into memory, as much of it as there was when it was opened. */
static int slurp(const char *path, char **text, size_t *size)
{
    size_t room = 0, used = 0;
    int fd = open_file(path, &room), error = 0;
    ssize_t got = 1;
    char *buf;

    if (fd < 0)
        return fd;
    assert(room <= TEXT_FILE_MAX);
    buf = malloc(room + 1);
    if (!buf)
        error = -ENOMEM;
    while (!error && got > 0 && used < room) {
        got = read(fd, buf + used, room - used);
        if (got < 0)
            error = errno == EINTR ? (got = 1, 0) : -errno;
        else
            used += (size_t)got;
    }
    close(fd);
    if (error) {
        free(buf);
        return error;
    }
    *text = buf;
    *size = used;
    return 0;
}

void files_fix(const struct generate_options *fixed, struct program *p)
{
    for (uint32_t i = 0; fixed && i < AXIS_COUNT; i++)
        if (fixed->axis[i] >= 0)
            program_set_axis(p, i, (uint8_t)fixed->axis[i]);
    if (fixed && fixed->share >= 0)
        program_set_share(p, (uint8_t)fixed->share);
}

/* The program as the file has it. */
static int load_own(const struct file_list *l, uint32_t index, struct program *p,
                    struct text_error *problem)
{
    char *text = NULL;
    size_t size = 0;
    int error;

    assert(index < l->n);
    *problem = (struct text_error){0};
    error = slurp(l->paths[index], &text, &size);
    if (error) {
        snprintf(problem->why, sizeof(problem->why), "%s", reason(error));
        return error;
    }
    error = text_parse(text, size, &run_vocabulary, p, problem);
    free(text);
    return error;
}

int file_load(const struct file_list *l, uint32_t index, struct program *p,
              struct text_error *problem)
{
    int error = load_own(l, index, p, problem);

    if (error)
        return error;
    files_fix(l->fixed, p); /* may be at odds with what the file says */
    if (l->others_vary)
        return 0;
    return program_validate(p, problem->why, sizeof(problem->why), &problem->line);
}

void file_overrides(const struct file_list *l, uint32_t index, char *buf, size_t size)
{
    struct writer w = {.buf = buf, .size = size};
    struct text_error problem;
    struct program own;
    int error;

    buf[0] = 0;
    program_init(&own);
    error = l->fixed ? load_own(l, index, &own, &problem) : -ENOENT;
    for (uint32_t i = 0; !error && i < AXIS_COUNT; i++) {
        uint8_t allowed = (uint8_t)(own.machine.also[i] | 1u << own.machine.axis[i]);

        if (l->fixed->axis[i] < 0 || allowed >> l->fixed->axis[i] & 1)
            continue;
        put(&w, "%s", w.used ? "; " : "");
        put_axis(&w, i, (uint8_t)(1u << l->fixed->axis[i]));
        put(&w, ", where the machine line says ");
        put_axis(&w, i, allowed);
    }
    program_free(&own);
}

void file_bad_input(const struct text_error *problem, struct run_result *result)
{
    result->verdict = VERDICT_INPUT;
    result->page = MODEL_NO_PAGE;
    result->line = problem->line;
    snprintf(result->rule, sizeof(result->rule), "bad-input");
    snprintf(result->detail, sizeof(result->detail), "%s", problem->why);
}

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    struct text_error problem;
    int error = file_load(ctx, (uint32_t)item, p, &problem);

    if (error)
        file_bad_input(&problem, result);
    return error;
}

struct pool_source file_source(struct file_list *l)
{
    return (struct pool_source){.ctx = l, .n_items = l->n, .load = load};
}
