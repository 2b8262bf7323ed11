/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wrong core: our own, which makes one mistake in one op. It leaves a system call out, makes
 * it for other pages, makes one too many (any that it made before, the same or the other way
 * round, or a drop that it never made), or tells something else than what is so: to its caller,
 * to the guest, about a page. Some mistakes it makes good when the next op begins: a call that
 * comes late, one that is taken back.
 */
#ifndef TESTS_WRONG_CORE_H
#define TESTS_WRONG_CORE_H

#include "run/runner.h"

enum mistake_kind {
    MISTAKE_NONE,
    MISTAKE_CALL,      /* call number `call` of the op is made with the edit */
    MISTAKE_ONE_MORE,  /* at the op's end `one_more` is made, with the edit */
    MISTAKE_RESULT,    /* the op returns -value */
    MISTAKE_STATUS,    /* the guest is told `value` */
    MISTAKE_TRACKER,   /* from the op on, the tracker has page `value` of region `call` wrong */
    MISTAKE_BLOCKED,   /* guest page `value` is said to be in the way */
    MISTAKE_PLUGGED,   /* the same of what is plugged */
    MISTAKE_RESPONSE,  /* the guest's virtio-mem driver is told `value` */
    MISTAKE_DIRTY,     /* page `value` of region `call` dirty for clean, or the reverse */
    MISTAKE_POPULATED, /* the other answer */
    MISTAKE_OLD_FILE,  /* for a new guest_memfd it takes the one that it made last */
    MISTAKE_STOPPED,   /* from the op on, stopped or not is told wrong */
};

enum edit_kind {
    EDIT_NONE,
    EDIT_LEAVE_OUT, /* 0 is returned */
    EDIT_SWALLOW,   /* made, but 0 is returned whatever came of it */
    EDIT_MOVE,      /* field `field` moves by `pages` */
    EDIT_OTHER_WAY, /* map for unmap, private for shared */
    EDIT_COUNT
};

struct edit {
    uint8_t kind, field;
    int8_t pages;
};

struct mistake {
    uint8_t kind; /* enum mistake_kind */
    uint32_t op;
    uint32_t call;
    uint64_t value;
    bool made_good; /* when the next op begins; of calls: those left out or one too many */
    struct edit edit;
};

enum { RECORDS_MAX = 512, RECORD_BYTES = 128, MEMORIES_MAX = 16 };

/* What the VMM has mapped for itself: RAM, most of it. fd < 0: anonymous. */
struct wrong_memory {
    uint64_t hva, size;
    int fd;
};

/* A system call with an effect on pages, as it was made. */
struct record {
    uint32_t op;
    uint16_t shape; /* index in the table of what is recorded */
    int fd;
    uint8_t bytes[RECORD_BYTES];
};

struct wrong_core {
    struct runner *runner; /* set by the user */
    struct mistake mistake;
    struct record one_more;
    /* Of the run: */
    struct record records[RECORDS_MAX];
    uint32_t n_records;
    int last_file; /* guest_memfd */
    struct wrong_memory memories[MEMORIES_MAX];
    uint32_t n_memories;
    uint32_t op_calls; /* recorded ones of the current op */
    uint32_t last_op;
    struct record late; /* to be made when the next op begins */
    bool has_late;
};

/* One a process. The mistake is set before a run, the records are there after it. */
extern struct wrong_core wrong_core;
struct subject wrong_core_subject(void);
/* Hooks of the runner. */
void wrong_core_before_op(struct runner *r);
void wrong_core_after_op(struct runner *r);

/* A call that no run has to have made: the n-th page of all that the VMM has mapped is dropped.
 * False: there are no more. */
bool wrong_core_drop(uint32_t n, struct record *r);

/* Fields of a record that EDIT_MOVE knows; 0: no other shape of the call exists. */
uint32_t record_fields(const struct record *r);
bool record_has_other_way(const struct record *r);

#endif
