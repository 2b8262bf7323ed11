/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults, from the words of a program to the host call that fails (design.md section 5), and
 * the probe that tries the op again without them (section 6, rule 6 of the outcomes).
 */
#include "tests/run_holds.h"

#define START MACHINE "attach d0\n"
#define FAILS "  expect result=ENOSPC status=EAGAIN private ram0[0..8) entries c0=0\n"
#define WORKS "  expect result=0 status=0\n"

/* ---- deliberate error ---- */
static void a_wrong_expectation_is_found(void **state)
{
    (void)state;
    run_on(&subject_core, START "fault vfio/map ENOSPC nth=2\nconvert ram0[0..4) shared\n"
                                "  expect calls vfio/map=3\n");
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.line, 10);
    assert_int_equal(result.faults, 1);
}

static void nth_fires_once_at_its_hit(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC nth=3\n"
                "convert ram0[0..4) shared\n" FAILS "  expect calls vfio/map=3\n"
                "convert ram0[0..4) shared\n" WORKS "  expect calls vfio/map=4\n",
          1);
}

/* Hits count from the arming on, through all ops. */
static void nth_counts_through_ops(void **state)
{
    (void)state;
    holds(START "convert ram0[6] shared\nfault vfio/map ENOSPC nth=2\n"
                "convert ram0[5] shared\n" WORKS
                "convert ram0[4] shared\n  expect result=ENOSPC private ram0[4]\n",
          1);
}

static void the_second_nth_counts_the_first_ones_hit(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC nth=1\nfault vfio/map ENOMEM nth=2\n"
                "convert ram0[0..4) shared\n" FAILS
                "convert ram0[0..4) shared\n  expect result=ENOMEM calls vfio/map=1\n"
                "convert ram0[0..4) shared\n" WORKS,
          2);
}

static void from_stays(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC from=2\n"
                "convert ram0[0..4) shared\n" FAILS "  expect calls vfio/map=2\n"
                "convert ram0[0..4) shared\n" FAILS "  expect calls vfio/map=1\n"
                "disarm\nconvert ram0[0..4) shared\n" WORKS,
          2);
}

static void chance_of_all_and_of_one(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC chance=100%\nconvert ram0[0..4) shared\n" FAILS, 1);
    holds(MACHINE "seed 1\nattach d0\nfault vfio/map ENOSPC chance=1/65536\n"
                  "convert ram0[0..4) shared\n" WORKS,
          0);
}

/* The program's seed decides, and nothing else. */
static void chance_follows_the_seed(void **state)
{
    static const char *const text[] = {
        MACHINE "seed 1\nattach d0\nfault vfio/map ENOSPC chance=50%\n"
                "convert ram0[0..8) shared\nconvert ram0[0..8) shared\n",
        MACHINE "seed 4\nattach d0\nfault vfio/map ENOSPC chance=50%\n"
                "convert ram0[0..8) shared\nconvert ram0[0..8) shared\n"};
    uint64_t calls[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        uint64_t hash;

        run_on(&subject_core, text[i]);
        assert_int_equal(result.verdict, VERDICT_OK);
        assert_true(result.faults > 0);
        hash = result.hash;
        calls[i] = result.host_calls;
        run_on(&subject_core, text[i]);
        assert_int_equal(result.hash, hash);
    }
    assert_int_not_equal(calls[0], calls[1]);
}

/* A late fault: the kernel dropped the pages and says no. */
static void late_comes_after_the_effect(void **state)
{
    (void)state;
    holds(START "convert ram0[0..4) shared\nfault memfd/punch EINTR from=1\n"
                "convert ram0[0..4) private\n  expect result=0 backed shared ram0[0..4)\n",
          2);
    holds(START "convert ram0[0..4) shared\nfault memfd/punch EINTR from=1 late\n"
                "convert ram0[0..4) private\n  expect result=0 unbacked shared ram0[0..4)\n",
          2);
}

#define UNDO                                                                                   \
    "convert ram0[0..4) shared\n" WORKS "convert ram0[0..4) private\n" WORKS                   \
    "fault vfio/map ENOSPC nth=2\nconvert ram0[0..4) shared\n"

/* Unmaps of the op itself do not count; those of an undo do. */
static void in_undo_waits_for_a_failure(void **state)
{
    (void)state;
    holds(START "fault vfio/unmap EFAULT in-undo\n" UNDO FAILS "  expect calls vfio/unmap=2\n",
          2);
    holds(START "fault vfio/unmap EFAULT from=1 in-undo\n" UNDO "  expect stopped\n", 3);
}

static void disarm_forgets_all(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC\nfault kvm/set_attributes ENOMEM\ndisarm\n"
                "convert ram0[0..4) shared\n" WORKS,
          0);
}

static void no_fault_reaches_the_teardown(void **state)
{
    (void)state;
    holds(START "convert ram0[0..4) shared\nfault vfio/unmap EFAULT from=1\n"
                "fault memfd/punch EIO from=1\nfault host/close EIO late from=1\n",
          0);
}

/* An undo that failed for one guest_memfd is not made good by the same call on another. */
static void one_file_makes_nothing_good_of_another(void **state)
{
    (void)state;
    holds("gmemcheck-scenario 1\n"
          "machine mode=inplace kernel=proposed\n"
          "region ram0 pages=1\nregion ram1 pages=1\nregion ram2 pages=1\n"
          "section ram0[0] at 0\nsection ram1[0] at 1\nsection ram2[0] at 2\n"
          "fault gmem/set_attributes EFAULT nth=3 late\n"
          "fault gmem/set_attributes EFAULT nth=1 in-undo\n"
          "fault gmem/set_attributes EFAULT nth=2 late in-undo\n"
          "convert gpa[0..3) shared\n"
          "expect result=EFAULT stopped\n",
          3);
}

static void too_many_armed_are_bad_input(void **state)
{
    char text[8192] = START;
    size_t used = strlen(text);

    (void)state;
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "fault vfio/map ENOSPC nth=%d\n", i + 1);
    run_on(&subject_core, text);
    assert_int_equal(result.verdict, VERDICT_INPUT);
    assert_string_equal(result.rule, "too-many-faults");
    assert_true(result.line > 8 && result.line < 108);
}

/* ---- the probe ---- */
static void the_probe_leaves_no_trace_in_the_hash(void **state)
{
    static const char text[] =
        START "fault vfio/map ENOSPC nth=3\nconvert ram0[0..4) shared\n"
              "convert ram0[2..6) shared\nconvert ram0[3] private via=fault\n";
    struct subject unprobed = subject_core;
    struct run_result with;

    (void)state;
    run_on(&subject_core, text);
    with = result;
    unprobed.capabilities &= ~(uint32_t)SUBJECT_CAN_SNAPSHOT;
    run_on(&unprobed, text);
    assert_int_equal(with.verdict, VERDICT_OK);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_equal(with.hash, result.hash);
    assert_int_equal(with.host_calls, result.host_calls);
    assert_int_equal(with.faults, result.faults);
}

/* A subject that never forgets that it failed: its state is in the world, as it must be. */
static struct host world_host;
static bool *has_failed;

static int build_grudge(const struct host *host, const struct sync *sync,
                        const struct machine *m, void **state)
{
    world_host = *host;
    has_failed = host_alloc(&world_host, sizeof(*has_failed));
    if (!has_failed)
        return -ENOMEM;
    *has_failed = false;
    return subject_core.build(host, sync, m, state);
}

static int destroy_grudge(void *state)
{
    host_free(&world_host, has_failed);
    return subject_core.destroy(state);
}

static int convert_grudge(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    int error = *has_failed ? -ENOSPC : subject_core.convert(state, gpa, size, to_private);

    *has_failed = *has_failed || error;
    return error;
}

static struct subject grudge(void)
{
    struct subject s = subject_core;

    s.build = build_grudge;
    s.destroy = destroy_grudge;
    s.convert = convert_grudge;
    return s;
}

static void a_subject_that_cannot_heal_is_caught(void **state)
{
    struct subject s = grudge();

    (void)state;
    run_on(&s, START "fault vfio/map ENOSPC nth=2\nconvert ram0[0..4) shared via=vmm\n");
    assert_int_equal(result.verdict, VERDICT_VIOLATION);
    assert_int_equal(result.op, 2);
    assert_non_null(strstr(result.detail, "same op again, without faults"));
}

/* What the probe does to the subject is undone with the world: without a failure of its own
 * the same subject is good. */
static void the_grudge_alone_is_no_violation(void **state)
{
    struct subject s = grudge();

    (void)state;
    run_on(&s, START "convert ram0[0..4) shared via=vmm\n");
    assert_int_equal(result.verdict, VERDICT_OK);
}

/* A sticky fault is disarmed for the probe and armed again after it. */
static void the_probe_gives_the_fault_back(void **state)
{
    (void)state;
    holds(START "fault vfio/map ENOSPC from=1\n"
                "convert ram0[0..4) shared\n" FAILS "convert ram0[0..4) shared\n" FAILS
                "convert ram0[0..4) shared\n" FAILS,
          3);
}

/* In place a frame that an unplug could not drop is the page's only one. No data is in it: who
 * asks for what the page is already may pay that debt. */
static void debt_of_an_unplugged_page_in_place(void **state)
{
    (void)state;
    holds("gmemcheck-scenario 1\n"
          "machine mode=inplace kernel=proposed\n"
          "region ram0 pages=8 share=memfd guest_memfd=yes virtio_mem=2\n"
          "section ram0[0..8) at 16\n"
          "plug ram0[0..2)\nwrite ram0[0] value=7\n"
          "fault gmem/punch EIO from=1\n"
          "unplug ram0[0..2)\n  expect result=0 response=ack\n"
          "convert ram0[0] shared via=vmm\n  expect result=0\n"
          "disarm\n"
          "convert ram0[0] shared via=vmm\n  expect result=0 calls gmem/punch=1\n",
          2);
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/faults/" name, fn, NULL, NULL, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("a-wrong-expectation-is-found", a_wrong_expectation_is_found),
        TEST("nth-fires-once-at-its-hit", nth_fires_once_at_its_hit),
        TEST("nth-counts-through-ops", nth_counts_through_ops),
        TEST("the-second-nth-counts-too", the_second_nth_counts_the_first_ones_hit),
        TEST("from-stays", from_stays),
        TEST("chance-of-all-and-of-one", chance_of_all_and_of_one),
        TEST("chance-follows-the-seed", chance_follows_the_seed),
        TEST("late-comes-after-the-effect", late_comes_after_the_effect),
        TEST("in-undo-waits-for-a-failure", in_undo_waits_for_a_failure),
        TEST("disarm-forgets-all", disarm_forgets_all),
        TEST("no-fault-reaches-the-teardown", no_fault_reaches_the_teardown),
        TEST("too-many-armed-are-bad-input", too_many_armed_are_bad_input),
        TEST("one-file-makes-nothing-good", one_file_makes_nothing_good_of_another),
        TEST("the-probe-leaves-no-trace-in-the-hash", the_probe_leaves_no_trace_in_the_hash),
        TEST("a-subject-that-cannot-heal-is-caught", a_subject_that_cannot_heal_is_caught),
        TEST("the-grudge-alone-is-no-violation", the_grudge_alone_is_no_violation),
        TEST("the-probe-gives-the-fault-back", the_probe_gives_the_fault_back),
        TEST("debt-of-an-unplugged-page-in-place", debt_of_an_unplugged_page_in_place),
    };

    return cmocka_run_group_tests_name("run/faults", tests, setup, teardown);
}
