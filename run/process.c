/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STAT_UTIME = 14, STAT_STATE = 3 };

/* proc(5): "pid (name) state ppid ...", where the name may hold anything. */
bool process_sleeps(pid_t pid, uint64_t *cpu)
{
    char path[64], text[512];
    unsigned long long user = 0, kernel = 0;
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || at[2] != 'S')
        return false;
    at += 2;
    for (int field = STAT_STATE; field < STAT_UTIME && at; field++)
        at = strchr(at + 1, ' ');
    if (!at || sscanf(at, "%llu %llu", &user, &kernel) != 2)
        return false;
    *cpu = user + kernel;
    return true;
}
