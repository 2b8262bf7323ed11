/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exploration: every state, the shortest way to what is wrong, and what can go wrong with it.
 */
#include "tests/run_fixture.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "run/explore.h"
#include "run/explore_alphabet.h"
#include "run/interrupt.h"

static struct program alphabet;
static struct explore e;
static char checkpoint[64];

static struct explore_options with(uint32_t faults, const struct subject *subject)
{
    return (struct explore_options){
        .faults = faults, .jobs = 1, .states_max = 100000, .subject = subject};
}

static void build(uint32_t pages, uint32_t containers, const char *groups)
{
    struct generate_options fixed;
    char why[200];

    generate_defaults(&fixed);
    program_clear(&alphabet);
    if (alphabet_build(&alphabet, pages, containers, alphabet_groups(groups), &fixed, why,
                       sizeof(why)))
        fail_msg("%s", why);
}

static void explore(const struct explore_options *how)
{
    explore_free(&e);
    assert_int_equal(explore_init(&e, &alphabet, how), 0);
    assert_int_equal(explore_run(&e), 0);
}

static char *last_line(void)
{
    FILE *f = tmpfile();
    char *text, *at;

    assert_int_equal(explore_report(f, &e, false), 0);
    text = all_of(f);
    fclose(f);
    at = strstr(text, " seconds="); /* what differs from run to run */
    assert_non_null(at);
    memcpy(at, strstr(at, " hash="), strlen(strstr(at, " hash=")) + 1);
    return text;
}

/* ---- what is wrong is found ---- */

/* Page 1 is said to be shared while it lies alone between two shared ones and a device looks.
 */
static void wrong_in_one_state(const void *state, uint32_t region, uint64_t first, uint64_t n,
                               uint64_t *bits)
{
    uint64_t all = 0;

    subject_core.populated_bits(state, region, first, n, bits);
    subject_core.populated_bits(state, region, 0, 3, &all);
    if (all == 5 && first <= 1 && first + n > 1)
        bits[0] |= UINT64_C(2) >> first;
}

static void finds_the_shortest_way(void **state)
{
    struct subject s = subject_core;
    const struct explore_options how = with(0, &s);
    struct run_result r, again;
    struct runner runner;
    struct program p;

    (void)state;
    s.populated_bits = wrong_in_one_state;
    build(3, 1, "convert,attach,detach");
    explore(&how);
    assert_true(e.found);
    assert_int_equal(explore_exit_code(&e), 1);
    program_init(&p);
    assert_int_equal(explore_reproducer(&e, &p, &r), 0);
    assert_int_equal(p.n_ops,
                     2); /* [0..3) or both ends, and then the middle or the other end */
    assert_int_equal(r.op, 1);
    assert_int_equal(runner_init(&runner), 0);
    runner_run(&runner, &p, &s, NULL, &again);
    assert_int_equal(again.verdict, VERDICT_VIOLATION);
    assert_string_equal(again.rule, r.rule);
    assert_int_equal(again.op, r.op);
    runner_free(&runner);
    program_free(&p);
}

static int swallows(void *state, uint32_t container, uint32_t device)
{
    return subject_core.attach(state, container, device) ? 0 : 0;
}

static void finds_what_takes_a_fault(void **state)
{
    struct subject s = subject_core;
    struct explore_options how = with(0, &s);
    struct run_result r;
    struct program p;

    (void)state;
    s.attach = swallows;
    build(1, 1, "attach");
    explore(&how); /* a second attach is refused, and that is swallowed, too */
    assert_true(e.found);
    build(1, 1, "attach");
    how.faults = 1;
    explore(&how);
    assert_true(e.found);
    program_init(&p);
    assert_int_equal(explore_reproducer(&e, &p, &r), 0);
    assert_int_equal(p.n_ops, 2);
    assert_int_equal(p.ops[0].kind, OP_FAULT);
    assert_int_equal(p.ops[1].kind, OP_ATTACH);
    program_free(&p);
}

static int calls;

static int forgets_nothing(void *state, uint32_t device)
{
    return ++calls % 2 ? subject_core.detach(state, device) : -EIO;
}

/* Something that is kept outside of the world does not come back when the world does. */
static void notices_hidden_state(void **state)
{
    struct subject s = subject_core;
    const struct explore_options how = with(0, &s);

    (void)state;
    s.detach = forgets_nothing;
    build(1, 1, "convert,attach,detach");
    explore(&how);
    assert_true(e.found);
}

/* ---- a subject that remembers, in the world, what its canonical state does not say ---- */
static const struct host *host_of_it;
static bool *is_odd; /* always at the same place of the arena */

static int build_it(const struct host *host, const struct sync *sync, const struct machine *m,
                    void **state)
{
    host_of_it = host;
    is_odd = host_alloc(host, sizeof(*is_odd));
    return is_odd ? subject_core.build(host, sync, m, state) : -ENOMEM;
}

static int destroy_it(void *state)
{
    host_free(host_of_it, is_odd);
    return subject_core.destroy(state);
}

/* Every other conversion that fails is tried again. Nothing is wrong with either way. */
static int convert_it(void *state, uint64_t gpa, uint64_t size, bool to_private)
{
    int error = subject_core.convert(state, gpa, size, to_private);

    *is_odd = !*is_odd;
    return error && *is_odd ? subject_core.convert(state, gpa, size, to_private) : error;
}

/* Two states are taken for one, and going on from both shows it. */
static void notices_states_that_are_not_one(void **state)
{
    struct subject s = subject_core;
    const struct explore_options how = with(1, &s);

    (void)state;
    s.build = build_it;
    s.destroy = destroy_it;
    s.convert = convert_it;
    build(3, 1, "convert,attach,detach");
    for (uint32_t i = 0; i < alphabet.n_ops; i++)
        if (alphabet.ops[i].kind == OP_CONVERT)
            alphabet.ops[i].via = VIA_VMM;
    explore(&how);
    assert_true(e.found);
    assert_string_equal(e.result.rule, "explore-merge");
    assert_int_equal(explore_exit_code(&e), 3);
}

/* ---- all states ----
 * One page, no faults: private and shared without a device, the latter with memory once a
 * device was there; private and shared with a device. */
static void counts_by_hand(void **state)
{
    const struct explore_options how = with(0, &subject_core);

    (void)state;
    build(1, 1, "convert,attach,detach");
    explore(&how);
    assert_false(e.found);
    assert_int_equal(explore_exit_code(&e), 0);
    assert_int_equal(table_count(&e.table), 5);
    assert_int_equal(explore_transitions(&e), 5 * 4);
    /* convert, attach, detach; and back to private, which is no new state */
    assert_int_equal(e.level, 3);
}

static void jobs_do_not_matter(void **state)
{
    struct explore_options how = with(1, &subject_core);
    char *one, *three;

    (void)state;
    build(2, 1, "convert,attach,detach,touch");
    explore(&how);
    one = last_line();
    how.jobs = 3;
    explore(&how);
    three = last_line();
    assert_string_equal(one, three);
    free(one);
    free(three);
}

static void every_group(void **state)
{
    struct explore_options how = with(1, &subject_core);

    (void)state;
    for (uint32_t i = 0; i < ALPHABET_COUNT; i++) {
        char groups[64];

        snprintf(groups, sizeof(groups), "convert,attach,%s", alphabet_name(i));
        build(1, 1, groups);
        explore(&how);
        assert_false(e.found);
        assert_int_equal(explore_exit_code(&e), 0);
        assert_true(table_count(&e.table) > 4);
    }
}

static void alphabet_lists(void **state)
{
    (void)state;
    assert_int_equal(alphabet_groups("convert,attach,detach"), ALPHABET_DEFAULT);
    assert_int_equal(alphabet_groups("dma"), 1 << ALPHABET_dma);
    assert_int_equal(alphabet_groups(""), 0);
    assert_int_equal(alphabet_groups("convert,"), 0);
    assert_int_equal(alphabet_groups("conver"), 0);
    assert_int_equal(alphabet_groups("convert attach"), 0);
}

/* ---- not to the end ---- */

static void too_many_states(void **state)
{
    struct explore_options how = with(0, &subject_core);

    (void)state;
    how.states_max = 4;
    build(1, 1, "convert,attach,detach");
    explore(&how);
    assert_true(e.full);
    assert_int_equal(explore_exit_code(&e), 2);
    how.states_max = 6; /* one more than there are: the last one shows that none is missing */
    explore(&how);
    assert_false(e.full);
}

static _Atomic int *builds; /* in memory that workers share */

static int interrupts(const struct host *host, const struct sync *sync, const struct machine *m,
                      void **state)
{
    if (++*builds == 30)
        kill(getppid(), SIGINT);
    return subject_core.build(host, sync, m, state);
}

static void goes_on_from_a_checkpoint(void **state)
{
    struct subject s = subject_core;
    struct explore_options how = with(1, &s);
    char *whole, *resumed, why[300];

    (void)state;
    build(2, 1, "convert,attach,detach");
    explore(&how);
    whole = last_line();
    s.build = interrupts;
    *builds = 0;
    how.checkpoint = checkpoint;
    explore(&how);
    interrupt_forget();
    assert_true(e.interrupted);
    assert_int_equal(explore_exit_code(&e), 130);
    explore_free(&e);
    assert_int_equal(explore_init(&e, &alphabet, &how), 0);
    assert_int_equal(explore_load(&e, checkpoint, why, sizeof(why)), 0);
    assert_true(table_count(&e.table) > 1);
    assert_int_equal(explore_run(&e), 0);
    resumed = last_line();
    assert_string_equal(whole, resumed);
    assert_int_equal(access(checkpoint, F_OK), -1); /* there is nothing to go on with */
    free(whole);
    free(resumed);
}

/* The place for it is gone half-way: what was found out so far is not lost with it. */
static void a_checkpoint_that_fails_later(void **state)
{
    struct subject s = subject_core;
    struct explore_options how = with(1, &s);
    char *line;

    (void)state;
    build(2, 1, "convert,attach,detach");
    s.build = interrupts;
    *builds = 0;
    how.checkpoint = "/nowhere/that/is/checkpoint";
    explore(&how);
    interrupt_forget();
    assert_int_equal(e.save_error, -ENOENT);
    assert_int_equal(explore_exit_code(&e), 130);
    line = last_line();
    assert_non_null(strstr(line, "gmemcheck: interrupted "));
    assert_true(table_count(&e.table) > 1);
    free(line);
}

/* Changes one byte, or (at < 0) cuts so many off; what does explore_load say? */
static void damaged(long at, const char *expected)
{
    const struct explore_options how = with(1, &subject_core);
    FILE *f = fopen(checkpoint, "r+e");
    char why[300];
    int byte;

    assert_non_null(f);
    if (at < 0) {
        assert_int_equal(fseek(f, 0, SEEK_END), 0);
        assert_int_equal(ftruncate(fileno(f), ftell(f) + at), 0);
    } else {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        byte = fgetc(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_not_equal(fputc(byte ^ 1, f), EOF);
    }
    assert_int_equal(fclose(f), 0);
    explore_free(&e);
    assert_int_equal(explore_init(&e, &alphabet, &how), 0);
    assert_int_equal(explore_load(&e, checkpoint, why, sizeof(why)), -EINVAL);
    if (!strstr(why, expected))
        fail_msg("'%s' does not say '%s'", why, expected);
}

static void bad_checkpoints(void **state)
{
    static const struct {
        long at;
        const char *says;
    } cases[] = {{0, "no checkpoint"},
                 {8, "another machine"},
                 {200, "damaged"},
                 {-1, "cut off"},
                 {-500, "cut off"}};
    const struct explore_options how = with(1, &subject_core);

    (void)state;
    build(2, 1, "convert,attach,detach");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        explore(&how);
        assert_int_equal(explore_save(&e, checkpoint), 0);
        damaged(cases[i].at, cases[i].says);
    }
    assert_int_equal(truncate(checkpoint, 20), 0);
    damaged(-1, "too short");
}

static int begin(void **state)
{
    (void)state;
    program_init(&alphabet);
    builds = pool_shared_alloc(sizeof(*builds));
    snprintf(checkpoint, sizeof(checkpoint), "/tmp/gmemcheck-explore-XXXXXX");
    close(mkstemp(checkpoint));
    unlink(checkpoint);
    return builds ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    explore_free(&e);
    program_free(&alphabet);
    pool_shared_free((void *)builds, sizeof(*builds));
    unlink(checkpoint);
    return 0;
}

#define TEST(text, f)                                                                          \
    {                                                                                          \
        .name = (text), .test_func = (f)                                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("explore/finds/shortest", finds_the_shortest_way),
        TEST("explore/finds/with-a-fault", finds_what_takes_a_fault),
        TEST("explore/finds/hidden-state", notices_hidden_state),
        TEST("explore/finds/merged-states", notices_states_that_are_not_one),
        TEST("explore/states/by-hand", counts_by_hand),
        TEST("explore/states/jobs", jobs_do_not_matter),
        TEST("explore/alphabet/every-group", every_group),
        TEST("explore/alphabet/lists", alphabet_lists),
        TEST("explore/end/too-many-states", too_many_states),
        TEST("explore/end/checkpoint", goes_on_from_a_checkpoint),
        TEST("explore/end/checkpoint-fails", a_checkpoint_that_fails_later),
        TEST("explore/end/bad-checkpoint", bad_checkpoints),
    };

    return cmocka_run_group_tests_name("run/explore", tests, begin, end);
}
