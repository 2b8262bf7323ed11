/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A RamDiscardManager of 16 pages with sources that are strings and listeners that write down
 * what they hear and which pages they have. In the drawings S is a populated page, . one that
 * is not. Pages of a listener are compared as a set, never counted.
 */
#ifndef TESTS_DISCARD_FIXTURE_H
#define TESTS_DISCARD_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/discard_manager.h"

enum { PAGES = 16, LOG_SIZE = 512 };

struct source {
    struct discard_source base;
    char populated[PAGES + 1];
};

struct listener {
    struct discard_listener base;
    char name;
    char mapped[PAGES + 1];
    enum discard_event fails_at;
    int countdown;   /* the n-th such event fails, 0: none */
    bool undo_fails; /* both undo events do */
    int reserved;    /* runs */
    int forgotten;   /* calls of base.forgotten */
    /* The n-th event other than reserve and release does this to that listener. */
    void (*in_event)(struct listener *whom);
    struct listener *whom;
    int when;
};

static struct discard_manager manager;
static struct source attributes, other, third;
static struct listener a, b, c;
static char heard[LOG_SIZE];
static enum vmm_tracker tracker;
static int allocs_left; /* -1: any number */
static int asked;       /* questions to sources */
static int live;        /* allocations */

static inline void *counted_alloc(void *ctx, const char *caller, size_t size)
{
    (void)ctx, (void)caller;
    if (allocs_left == 0)
        return NULL;
    allocs_left -= allocs_left > 0;
    live++;
    return calloc(1, size);
}

static inline void counted_free(void *ctx, void *memory)
{
    (void)ctx;
    live -= memory != NULL;
    free(memory);
}

static const struct host_ops host_ops = {.alloc = counted_alloc, .free = counted_free};
static const struct host host = {&host_ops, NULL};

static inline bool next_populated(const struct discard_source *source, uint64_t first,
                                  uint64_t end, uint64_t *run_first, uint64_t *run_end)
{
    const char *pages = ((const struct source *)(const void *)source)->populated;

    assert_true(first < end && end <= PAGES);
    asked++;
    while (first < end && pages[first] != 'S')
        first++;
    *run_first = *run_end = first;
    while (*run_end < end && pages[*run_end] == 'S')
        ++*run_end;
    return first < end;
}

static inline int event(struct discard_listener *base, enum discard_event e, uint64_t first,
                        uint64_t end)
{
    static const char *const names[] = {"reserve", "release",       "populate",
                                        "discard", "undo-populate", "undo-discard"};
    struct listener *l = (struct listener *)(void *)base;
    bool maps = e == DISCARD_POPULATE || e == DISCARD_UNDO_DISCARD;
    bool undo = e == DISCARD_UNDO_POPULATE || e == DISCARD_UNDO_DISCARD;
    bool acts = e != DISCARD_RESERVE && e != DISCARD_RELEASE;
    size_t used = strlen(heard);

    assert_true(first < end && first >= base->first && end <= base->end && !base->gone);
    if (acts) {
        snprintf(heard + used, LOG_SIZE - used, "%c %s %d..%d; ", l->name, names[e], (int)first,
                 (int)end);
        /* One that fails has done the first page. */
        l->mapped[first] = maps ? 'M' : '.';
    } else {
        l->reserved = e == DISCARD_RESERVE ? l->reserved + 1 : 0;
    }
    if (acts && l->when && --l->when == 0)
        l->in_event(l->whom);
    if (e == l->fails_at && l->countdown && --l->countdown == 0)
        return -ENOSPC;
    if (undo && l->undo_fails)
        return -EFAULT;
    if (acts)
        memset(l->mapped + first, maps ? 'M' : '.', end - first);
    return 0;
}

static inline int event_after_the_end(struct discard_listener *base, enum discard_event e,
                                      uint64_t first, uint64_t end)
{
    (void)base, (void)e, (void)first, (void)end;
    fail_msg("a forgotten listener was called");
    return 0;
}

/* It may be freed from here on. */
static inline void on_forgotten(struct discard_listener *base)
{
    assert_null(base->next);
    base->event = event_after_the_end;
    ((struct listener *)(void *)base)->forgotten++;
}

static inline void set_up_listener(struct listener *l, char name, uint64_t first, uint64_t end)
{
    *l = (struct listener){
        .base = {.event = event, .first = first, .end = end, .forgotten = on_forgotten},
        .name = name};
    memset(l->mapped, '.', PAGES);
}

static inline void set_up_source(struct source *s, const char *populated, uint64_t granularity)
{
    *s =
        (struct source){.base = {.next_populated = next_populated, .granularity = granularity}};
    memcpy(s->populated, populated, PAGES);
}

static inline int add_set_up(struct source *s)
{
    int undo_error, rc = discard_manager_add_source(&manager, &s->base, &undo_error);

    assert_int_equal(undo_error, 0);
    return rc;
}

static inline int add_source(struct source *s, const char *populated)
{
    set_up_source(s, populated, 1);
    return add_set_up(s);
}

static inline int remove_source(struct source *s)
{
    int undo_error, rc = discard_manager_remove_source(&manager, &s->base, &undo_error);

    assert_int_equal(undo_error, 0);
    return rc;
}

/* A block without sources; two listeners that are not registered yet. */
static inline void start_empty(uint64_t a_first, uint64_t a_end, uint64_t b_first,
                               uint64_t b_end)
{
    allocs_left = -1;
    discard_manager_init(&manager, &host, tracker, PAGES);
    set_up_listener(&a, 'a', a_first, a_end);
    set_up_listener(&b, 'b', b_first, b_end);
    set_up_listener(&c, 'c', 0, PAGES);
    attributes = other = third = (struct source){0};
    heard[0] = '\0';
}

static inline void start(const char *populated, uint64_t a_first, uint64_t a_end,
                         uint64_t b_first, uint64_t b_end)
{
    start_empty(a_first, a_end, b_first, b_end);
    assert_int_equal(add_source(&attributes, populated), 0);
}

static inline int add(struct listener *l)
{
    int undo_error;

    l->base.event = event;
    int rc = discard_manager_register(&manager, &l->base, &undo_error);

    assert_int_equal(undo_error, 0);
    return rc;
}

static inline void add_both(void)
{
    assert_int_equal(add(&a), 0);
    assert_int_equal(add(&b), 0);
    heard[0] = '\0';
}

static inline int notify(enum discard_event e, uint64_t first, uint64_t end)
{
    return discard_manager_notify(&manager, &attributes.base, e, first, end);
}

/* A whole request of a source, as core/discard_manager.h says it goes. */
static inline int change(struct source *s, uint64_t first, uint64_t end, bool populate)
{
    struct discard_manager *m = &manager;
    int rc = discard_manager_notify(m, &s->base, DISCARD_RESERVE, first, end);

    if (!rc)
        rc = discard_manager_notify(m, &s->base, populate ? DISCARD_POPULATE : DISCARD_DISCARD,
                                    first, end);
    if (rc)
        assert_int_equal(
            discard_manager_notify(m, &s->base,
                                   populate ? DISCARD_UNDO_POPULATE : DISCARD_UNDO_DISCARD,
                                   first, end),
            0);
    if (!rc) {
        discard_manager_commit(m, &s->base, first, end, populate);
        memset(s->populated + first, populate ? 'S' : '.', end - first);
    }
    (void)discard_manager_notify(m, &s->base, DISCARD_RELEASE, first, end);
    return rc;
}

static inline bool on_list(const struct listener *l)
{
    for (const struct discard_listener *i = manager.listeners; i; i = i->next)
        if (i == &l->base)
            return true;
    return false;
}

static inline bool source_on_list(const struct source *s)
{
    for (const struct discard_source *i = manager.sources; i; i = i->next)
        if (i == &s->base)
            return true;
    return false;
}

/* The AND over the sources on the list, page by page. */
static inline bool should_be_populated(uint64_t page)
{
    for (const struct discard_source *s = manager.sources; s; s = s->next)
        if (((const struct source *)(const void *)s)->populated[page] != 'S')
            return false;
    return true;
}

/* NULL, or what is wrong: a listener has a page that is not populated, or lacks one that is. */
static inline const char *wrong(const struct listener *l)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        bool inside = i >= l->base.first && i < l->base.end && on_list(l);
        bool want = inside && should_be_populated(i);

        if (want != (l->mapped[i] == 'M'))
            return want ? "a populated page is missing" : "a page too many";
    }
    return l->reserved ? "a reservation is left" : NULL;
}

/* The same of all three listeners, and of the manager's own answers. */
static inline const char *anything_wrong(void)
{
    uint64_t first, end;

    for (uint64_t i = 0; i < PAGES; i++) {
        if (discard_manager_is_populated(&manager, i, i + 1) != should_be_populated(i))
            return "is_populated";
        if (discard_manager_next_run(&manager, i, i + 1, true, &first, &end) !=
            should_be_populated(i))
            return "next_run";
    }
    const char *w = wrong(&a);
    w = w ? w : wrong(&b);
    return w ? w : wrong(&c);
}

/* Each test once with either tracker behind the aggregate. */
static inline int with_bitmap(void **state)
{
    (void)state;
    tracker = VMM_TRACKER_BITMAP;
    return 0;
}

static inline int with_extents(void **state)
{
    (void)state;
    tracker = VMM_TRACKER_EXTENTS;
    return 0;
}

/* Nothing stays: whatever listeners are left are forgotten, and memory is free. */
static inline int finish(void **state)
{
    (void)state;
    (void)discard_manager_destroy(&manager);
    assert_int_equal(live, 0);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {name "/bitmap", fn, with_bitmap, finish, NULL},                                           \
    {                                                                                          \
        name "/extents", fn, with_extents, finish, NULL                                        \
    }

#endif
