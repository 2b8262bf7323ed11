/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When two failures are the same one. The signature: the rule (or that it crashed, or hung),
 * the kind of the op, and the op's last host call before that with the core function that made
 * it. The bucket: the signature, and the shape of the shrunk program: the kinds of its ops in
 * their order, which way they convert, which calls its faults hit.
 */
#ifndef RUN_SIGNATURE_H
#define RUN_SIGNATURE_H

#include "run/runner.h"

enum { OP_KIND_TEARDOWN = OP_KIND_COUNT, OP_KIND_BUILD, OP_KIND_UNKNOWN, SIGNATURE_TEXT = 256 };

struct signature {
    enum verdict verdict;
    uint32_t op_kind; /* enum op_kind or OP_KIND_* */
    char rule[48];
    char call[32]; /* "": none */
    char caller[48];
};

void signature_of(struct signature *s, const struct run_result *r, const struct program *p);
bool signature_equal(const struct signature *a, const struct signature *b);

/* "S2 stale-frame at convert, after mm/madvise made by drop_once". */
void signature_text(char *buf, size_t size, const struct signature *s);

/* "attach, convert shared, fault dma/unmap, convert private", cut off where it is long. */
void signature_shape(char *buf, size_t size, const struct program *p);

/* A number for the bucket; p: the shrunk program. */
uint32_t signature_bucket(const struct signature *s, const struct program *p);

#endif
