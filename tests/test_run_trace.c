/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the narrative trace. */
#include "tests/run_fixture.h"

#include <stdio.h>

#include "run/crash.h"
#include "run/report.h"

static struct program program;
static char *text;

#define VIRTIO_MEM                                                                             \
    "gmemcheck-scenario 1\n"                                                                   \
    "machine\n"                                                                                \
    "region ram0 pages=4 virtio_mem=1\n"                                                       \
    "section ram0[0..4) at 16\n"                                                               \
    "container c0\n"                                                                           \
    "device d0 in c0\n"

/* The trace of these lines on that machine; `page` is marked. */
static void trace_on(const char *machine, const char *lines, uint32_t page)
{
    struct run_result r = {.page = page};
    char scenario[4000];
    FILE *out = tmpfile();

    assert_non_null(out);
    assert_true(snprintf(scenario, sizeof(scenario), "%s%s", machine, lines) <
                (int)sizeof(scenario));
    must_parse(scenario, &program);
    report_trace(out, &r, &program, &subject_core);
    text = all_of(out);
    fclose(out);
}

static void assert_says(const char *words)
{
    if (!strstr(text, words))
        fail_msg("'%s' is not in:\n%s", words, text);
}

static void trace(const char *lines, uint32_t page)
{
    trace_on(MACHINE, lines, page);
}

static void another_word_is_noticed(void **state)
{
    (void)state;
    trace("attach d0\n", MODEL_NO_PAGE);
    assert_says("op 0    attach d0\n");
    assert_null(strstr(text, "op 0    detach d0\n"));
}

static void pages_have_names(void **state)
{
    (void)state;
    trace("attach d0\nconvert ram0[2..4) shared\n", 3);
    assert_says(
        "  *       kvm/set_attributes     ram0[2..4) shared gpa=0x12000 size=0x2000 = 0");
    assert_says("          vfio/map               ram0[2] iova=0x12000 size=0x1000 ");
    assert_says("  *       vfio/map               ram0[3] iova=0x13000 size=0x1000 ");
    assert_says("  *       gmem/punch             ram0[2..4) offset=0x2000 size=0x2000 ");
}

static void the_fault_that_fired_is_named(void **state)
{
    (void)state;
    trace("attach d0\nfault vfio/map ENOMEM nth=2\nconvert ram0[2..4) shared\n", 2);
    assert_says(" = ENOMEM (fault of op 1)   [");
    assert_says("(a call has failed: from here on it is retried or undone)\n");
    assert_says("-> ENOMEM, the guest was told EAGAIN: the old state\n");
    assert_says("(again without faults, on a copy:)\n");
}

/* Two that can have been it, or none that is still armed: it is not said which. */
static void a_fault_that_may_be_two_is_not_named(void **state)
{
    (void)state;
    trace("attach d0\nfault vfio/map ENOMEM nth=2\nfault dma/map ENOMEM nth=5\n"
          "convert ram0[2..4) shared\n",
          MODEL_NO_PAGE);
    assert_says(" = ENOMEM (fault)   [");
}

static void a_late_fault_says_so(void **state)
{
    (void)state;
    trace("attach d0\nfault vfio/map EFAULT late\nconvert ram0[2] shared\n", MODEL_NO_PAGE);
    assert_says(" = EFAULT (fault of op 1), after the effect   [");
}

static void an_exit_is_no_failure(void **state)
{
    (void)state;
    trace("convert ram0[2] shared via=fault\n", MODEL_NO_PAGE);
    assert_says("kvm/run                = EFAULT (an exit)   [");
    assert_null(strstr(text, "a call has failed"));
}

static void a_request_that_waits(void **state)
{
    (void)state;
    trace("fault kvm/run ENOMEM from=1\nconvert ram0[2] shared\n", MODEL_NO_PAGE);
    assert_says("-> ENOMEM, the guest's request still waits");
}

static void answers(void **state)
{
    (void)state;
    trace("write ram0[1] value=7\nread ram0[1]\nquery ram0[1]\nconvert ram0[0..8) shared\n"
          "query ram0[1]\nconvert gpa@0x10000+0x800 shared via=vmm\n",
          MODEL_NO_PAGE);
    assert_says("-> success, data 7\n");
    assert_says("-> success, not populated\n");
    assert_says("-> success, populated\n");
    assert_says("-> EINVAL: refused\n");
}

static void what_virtio_mem_tells_the_guest(void **state)
{
    (void)state;
    trace_on(VIRTIO_MEM, "plug ram0[0]\nplug ram0[0]\n", MODEL_NO_PAGE);
    assert_says("-> success, the guest was told ack\n");
    assert_says("-> EINVAL, the guest was told error: refused\n");
}

static void a_stop_is_said(void **state)
{
    (void)state;
    trace("attach d0\nfault vfio/map ENOMEM\nfault kvm/set_attributes EFAULT from=2\n"
          "convert ram0[2] shared\n",
          MODEL_NO_PAGE);
    assert_says(", the VM is stopped\n");
}

static int setup(void **state)
{
    (void)state;
    text = NULL;
    program_init(&program);
    return crash_init();
}

static int teardown(void **state)
{
    (void)state;
    program_free(&program);
    free(text);
    return 0;
}

#define TEST(name, fn)                                                                         \
    {                                                                                          \
        "run/trace/" name, fn, setup, teardown, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("another-word-is-noticed", another_word_is_noticed),
        TEST("pages-have-names", pages_have_names),
        TEST("the-fault-that-fired-is-named", the_fault_that_fired_is_named),
        TEST("a-fault-that-may-be-two", a_fault_that_may_be_two_is_not_named),
        TEST("a-late-fault-says-so", a_late_fault_says_so),
        TEST("an-exit-is-no-failure", an_exit_is_no_failure),
        TEST("a-request-that-waits", a_request_that_waits),
        TEST("answers", answers),
        TEST("what-virtio-mem-tells", what_virtio_mem_tells_the_guest),
        TEST("a-stop-is-said", a_stop_is_said),
    };

    return cmocka_run_group_tests_name("run/trace", tests, NULL, NULL);
}
