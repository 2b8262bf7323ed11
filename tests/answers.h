/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answers of a real kernel, and rows that ask the mock the same questions. A row builds on
 * the state that the rows before it left, as the probe did. R lines of the file are cases with
 * a result; N lines are notes, of which a row compares the words that the mock can say too.
 */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H

#include <string.h>

#include "iommufd_fixture.h"

enum { ANSWERS_MAX = 1024, ANSWER_NAME_MAX = 160, NOTE_MAX = 160, ROW_ARGS = 6 };

struct answer {
    char kind; /* 'R' or 'N' */
    bool used;
    unsigned line;
    int64_t result;
    char group[12];
    char error[16]; /* "OK" or the errno's name */
    char name[ANSWER_NAME_MAX];
};

struct answers {
    struct answer list[ANSWERS_MAX];
    unsigned n;
    char problem[128]; /* why the file cannot be used; empty: it can */
};

/* The machine that the rows work on; each table begins with a row that makes a new one. */
struct bench {
    struct fixture fx;
    int kvm, vm, other_vm, gmem, other_gmem, vcpu, null;
    struct kvm_run *run;
    uint64_t ram;   /* shared side of a slot, or what VFIO maps */
    uint64_t ram_b; /* a second piece of it */
    int ram_fd;
    uint64_t hole, read_only; /* addresses that must not be pinned (for writing) */
    uint64_t device_buffer;   /* edu's memory: a token */
    int iommufd;              /* 0: DMA goes through the VFIO container */
    uint32_t ioas, other_ioas;
    uint64_t auto_iova; /* the last one that the kernel chose */
    char note[NOTE_MAX];
};

/* VALUE: the result must be equal. FD: a number is only "ok". NOTE: fn leaves words in
 * bench.note, each must be a word of the note. PREPARE: not in the file, must succeed. */
enum row_kind { ROW_VALUE, ROW_FD, ROW_NOTE, ROW_PREPARE };

struct row {
    enum row_kind kind;
    const char *group, *name; /* of a note: how it begins */
    int64_t (*fn)(struct bench *b, const struct row *row);
    uint64_t a[ROW_ARGS];
};

#define R(group, name, fn, ...)                                                                \
    {                                                                                          \
        ROW_VALUE, group, name, fn,                                                            \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }
#define F(group, name, fn, ...)                                                                \
    {                                                                                          \
        ROW_FD, group, name, fn,                                                               \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }
#define N(group, name, fn, ...)                                                                \
    {                                                                                          \
        ROW_NOTE, group, name, fn,                                                             \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }
#define P(fn, ...)                                                                             \
    {                                                                                          \
        ROW_PREPARE, NULL, #fn, fn,                                                            \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

#endif
