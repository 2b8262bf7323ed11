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

#include "program/text.h"
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

int file_list_add(struct file_list *l, const char *path, char *why, size_t why_size)
{
    struct stat st;
    uint32_t before = l->n;
    int error = stat(path, &st) ? -errno : 0;

    if (!error)
        error = S_ISDIR(st.st_mode) ? add_folder(l, path) : append(l, path);
    if (!error && l->n == before) {
        snprintf(why, why_size, "%s: no .scn file in this folder", path);
        return -ENOENT;
    }
    if (error)
        snprintf(why, why_size, "%s: %s", path, strerror(-error));
    return error;
}

/* Whole file into memory; bounded, and pipes and devices work too. */
static int slurp(const char *path, char **text, size_t *size)
{
    size_t capacity = 64 * 1024, used = 0;
    char *buf = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = fd < 0 ? -errno : 0;
    ssize_t got = 1;

    while (!error && got > 0) {
        char *grown = used + 1 < capacity && buf ? buf : realloc(buf, capacity *= 2);

        if (!grown) {
            error = -ENOMEM;
            break;
        }
        buf = grown;
        got = read(fd, buf + used, capacity - used);
        if (got < 0)
            error = errno == EINTR ? (got = 1, 0) : -errno;
        else
            used += (size_t)got;
        if (used > TEXT_FILE_MAX)
            error = -EFBIG;
    }
    if (fd >= 0)
        close(fd);
    if (error) {
        free(buf);
        return error;
    }
    *text = buf;
    *size = used;
    return 0;
}

static int apply_fixed(const struct generate_options *fixed, struct program *p)
{
    for (uint32_t i = 0; fixed && i < AXIS_COUNT; i++)
        if (fixed->axis[i] >= 0)
            p->machine.axis[i] = (uint8_t)fixed->axis[i];
    return 0;
}

int file_load(const struct file_list *l, uint32_t index, struct program *p, char *why,
              size_t why_size)
{
    struct text_error problem = {0};
    const char *path = l->paths[index];
    char *text = NULL;
    size_t size = 0;
    int error;

    assert(index < l->n);
    error = slurp(path, &text, &size);
    if (error) {
        snprintf(why, why_size, "%s: %s", path,
                 error == -EFBIG ? "larger than a scenario may be (64 MiB)" : strerror(-error));
        return error;
    }
    error = text_parse(text, size, &run_vocabulary, p, &problem);
    free(text);
    if (error)
        snprintf(why, why_size, "%s:%u: %s", path, problem.line, problem.why);
    else
        apply_fixed(l->fixed, p);
    return error;
}

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    char why[sizeof(result->detail)];
    int error = file_load(ctx, (uint32_t)item, p, why, sizeof(why));

    if (error) {
        result->verdict = VERDICT_INPUT;
        result->page = MODEL_NO_PAGE;
        snprintf(result->rule, sizeof(result->rule), "bad-input");
        memcpy(result->detail, why, sizeof(why));
    }
    return error;
}

struct pool_source file_source(struct file_list *l)
{
    return (struct pool_source){.ctx = l, .n_items = l->n, .load = load};
}
