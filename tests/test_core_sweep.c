/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every call fails, at every place, one and two at a time; and the locks meanwhile. */
#include <stdlib.h>

#include "core/internal.h"
#include "tests/core_fixture.h"

static const struct sync no_sync = {NULL, NULL};

/* ---- every call fails once, early and late; then two of them ---- */
struct step {
    char what; /* s to shared, p to private, a attach, d detach, l listen, u unlisten */
    uint64_t first, n;
};

static const struct step steps[] = {
    {'s', 60, 8}, {'a', 1, 1},  {'l', 58, 4}, {'s', 56, 8},  {'p', 61, 4}, {'s', 168, 3},
    {'p', 56, 6}, {'s', 57, 9}, {'u', 58, 4}, {'p', 58, 20}, {'d', 1, 0},  {'d', 0, 0},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static int take(struct fixture *f, const struct step *s)
{
    f->stub.watch_undo = s->what == 's' || s->what == 'p';
    f->stub.failed = 0;
    switch (s->what) {
    case 'a':
        return vmm_device_attach(f->vmm, (uint32_t)s->n, (uint32_t)s->first);
    case 'd':
        return vmm_device_detach(f->vmm, (uint32_t)s->first);
    case 'l':
        return vmm_listen(f->vmm, 1, 0, s->first * STUB_PAGE, s->n * STUB_PAGE);
    case 'u':
        return vmm_unlisten(f->vmm, 1, 0, s->first * STUB_PAGE, s->n * STUB_PAGE);
    default:
        return convert(f, s->first, s->n, s->what == 'p');
    }
}

/* Takes all steps; a failed one is taken again. Returns the faults that fired. */
static unsigned take_all(struct fixture *f, bool may_stop)
{
    bool attached = true;
    unsigned fired = 0;

    for (int i = 0; i < STEPS && !vmm_stopped(f->vmm); i++) {
        int rc = take(f, &steps[i]);

        fired += f->stub.failed;
        assert_true(may_stop || !vmm_stopped(f->vmm));
        assert_true(rc == 0 || f->stub.failed);
        attached &= steps[i].what != 'd' || steps[i].first != 0;
        if (vmm_stopped(f->vmm))
            break;
        assert_null(fixture_broken(f, attached));
        if (rc == 0)
            continue;
        rc = take(f, &steps[i]); /* the second fault may hit here */
        fired += f->stub.failed;
        assert_true(rc == 0 || f->stub.failed);
        if (rc)
            break;
        assert_null(fixture_broken(f, attached));
    }
    assert_int_equal(f->stub.violations, 0);
    return fired;
}

/* Bit 0: unmap-first, bit 1: mapping=run, bit 2: extents. */
enum { WAYS = 8 };

static unsigned one_run(unsigned way, unsigned first, unsigned second, bool late)
{
    struct fixture *f = calloc(1, sizeof *f);
    unsigned fired;

    stub_init(&f->stub);
    f->order = way & 1 ? VMM_ORDER_UNMAP_FIRST : VMM_ORDER_ATTRIBUTE_FIRST;
    f->mapping = way & 2 ? VMM_MAPPING_RUN : VMM_MAPPING_PAGE;
    f->tracker = way & 4 ? VMM_TRACKER_EXTENTS : VMM_TRACKER_BITMAP;
    assert_int_equal(fixture_build(f, &no_sync), 0);
    assert_int_equal(vmm_device_attach(f->vmm, 0, 0), 0);
    stub_fail(&f->stub, STUB_ANY, first, EFAULT, late & 1);
    if (second)
        stub_fail(&f->stub, STUB_ANY, second, second % 2 ? EFAULT : EINVAL, false);
    fired = take_all(f, second != 0);
    f->stub.failed = 0;
    f->stub.watch_undo = false;
    (void)vmm_destroy(f->vmm);
    fired += f->stub.failed;
    assert_null(fixture_left(f));
    assert_int_equal(f->stub.violations, 0);
    free(f);
    return fired;
}

static void sweep_one_fault(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++)
        for (int late = 0; late < 2; late++) {
            unsigned n = 1;

            while (one_run(way, n, 0, late))
                n++;

            assert_true(n > 50);
        }
}

static void sweep_two_faults(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned n = 1; n < 110; n++)
            for (unsigned more = 1; more < 14; more++)
                (void)one_run(way, n, n + more, more & 1);
}

/* Building a machine fails at every call; whatever is there is taken down again. */
static void sweep_build(void **state)
{
    unsigned fired = 1;

    (void)state;
    for (unsigned nth = 1; fired; nth++) {
        struct fixture *f = calloc(1, sizeof *f);

        stub_init(&f->stub);
        stub_fail(&f->stub, STUB_ANY, nth, EFAULT, false);
        int rc = fixture_build(f, &no_sync);
        fired = f->stub.failed;
        assert_int_equal(rc != 0, fired);
        stub_fail_none(&f->stub);
        if (f->vmm)
            assert_int_equal(vmm_destroy(f->vmm), 0);
        assert_null(fixture_left(f));
        free(f);
    }
}

/* ---- locks, core/sync.h ---- */
struct lock_watch {
    struct fixture f;
    const void *held[16];
    int rank[16], n_held;
    unsigned broken, taken;
};

/* 1000: machine; 2000 + index: blocks; 3000: containers. */
static int rank_of(const struct lock_watch *w, const struct core_lock *lock)
{
    const struct vmm *vmm = w->f.vmm;

    if (lock == &vmm->machine_lock)
        return 1000;
    for (uint32_t i = 0; i < vmm->address_space.n_regions; i++)
        if (lock == &vmm->address_space.regions[i]->lock)
            return 2000 + (int)i;
    return 3000;
}

static void watch_nothing(void *ctx, struct core_lock *lock)
{
    (void)ctx, (void)lock;
}

static void watch_lock(void *ctx, struct core_lock *lock, const char *caller)
{
    struct lock_watch *w = ctx;
    int rank = w->f.vmm ? rank_of(w, lock) : 1000;

    (void)caller;
    for (int i = 0; i < w->n_held; i++)
        w->broken += w->rank[i] >= rank;
    w->held[w->n_held] = lock;
    w->rank[w->n_held++] = rank;
    w->taken++;
}

static void watch_unlock(void *ctx, struct core_lock *lock, const char *caller)
{
    struct lock_watch *w = ctx;

    (void)caller;
    for (int i = 0; i < w->n_held; i++)
        if (w->held[i] == lock) {
            w->held[i] = w->held[--w->n_held];
            w->rank[i] = w->rank[w->n_held];
            return;
        }
    w->broken++;
}

static const struct sync_ops watch_ops = {
    .init = watch_nothing,
    .destroy = watch_nothing,
    .lock = watch_lock,
    .unlock = watch_unlock,
};

static void lock_order(void **state)
{
    struct lock_watch *w = calloc(1, sizeof *w);
    struct sync sync = {&watch_ops, w};

    (void)state;
    stub_init(&w->f.stub);
    assert_int_equal(fixture_build(&w->f, &sync), 0);
    assert_int_equal(vmm_device_attach(w->f.vmm, 0, 0), 0);
    stub_fail(&w->f.stub, STUB_MAP, 6, ENOMEM, false);
    (void)take_all(&w->f, false);
    assert_int_equal(vmm_is_populated(w->f.vmm, 0, 0, STUB_PAGE), 0);
    assert_int_equal(w->broken, 0);
    assert_int_equal(w->n_held, 0);
    assert_true(w->taken > 100);
    watch_lock(w, &w->f.vmm->address_space.regions[1]->lock, "deliberate error");
    watch_lock(w, &w->f.vmm->address_space.regions[0]->lock, "deliberate error");
    assert_int_equal(w->broken, 1);
    w->n_held = 0;
    assert_int_equal(vmm_destroy(w->f.vmm), 0);
    free(w);
}

/* The sweep's judge sees a state that is wrong, and a leak. */
static void deliberate_error(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    (void)state;
    stub_init(&f->stub);
    assert_int_equal(fixture_build(f, &no_sync), 0);
    f->stub.is_private[5] = false;
    assert_non_null(fixture_broken(f, false));
    assert_string_equal(fixture_left(f), "file descriptors left");
    assert_int_equal(vmm_destroy(f->vmm), 0);
    assert_null(fixture_left(f));
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"core/sweep/deliberate-error", deliberate_error, NULL, NULL, NULL},
        {"core/sweep/one-fault", sweep_one_fault, NULL, NULL, NULL},
        {"core/sweep/two-faults", sweep_two_faults, NULL, NULL, NULL},
        {"core/sweep/build", sweep_build, NULL, NULL, NULL},
        {"core/sweep/lock-order", lock_order, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("core/sweep", tests, NULL, NULL);
}
