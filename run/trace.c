/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/trace.h"

#include <assert.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/hash.h"
#include "run/vocabulary.h"

enum { CALLS_SHOWN_MAX = 2000 };

/* What the three arguments of a host call are, for those worth showing. */
static const char *const argument_names[POINT_COUNT][3] = {
    [POINT_CORE_ALLOC] = {NULL, "size"},
    [POINT_HOST_CLOSE] = {NULL, NULL, "fd"},
    [POINT_MM_MMAP] = {"address", "size"},
    [POINT_MM_MUNMAP] = {"address", "size"},
    [POINT_MM_MADVISE] = {"address", "size"},
    [POINT_MEMFD_TRUNCATE] = {NULL, "size", "fd"},
    [POINT_MEMFD_PUNCH] = {"offset", "size", "fd"},
    [POINT_MEMFD_ALLOCATE] = {"offset", "size", "fd"},
    [POINT_GMEM_CREATE] = {NULL, "size"},
    [POINT_GMEM_PUNCH] = {"offset", "size", "fd"},
    [POINT_GMEM_ALLOCATE] = {"offset", "size", "fd"},
    [POINT_GMEM_SET_ATTRIBUTES] = {"offset", "size"},
    [POINT_KVM_SET_REGION] = {"gpa", "size"},
    [POINT_KVM_SET_ATTRIBUTES] = {"gpa", "size"},
    [POINT_VFIO_MAP] = {"iova", "size", "vaddr"},
    [POINT_VFIO_UNMAP] = {"iova", "size"},
    [POINT_IOMMUFD_MAP] = {"iova", "size", "vaddr"},
    [POINT_IOMMUFD_COPY] = {"iova", "size", "from"},
    [POINT_IOMMUFD_UNMAP] = {"iova", "size"},
    [POINT_IOMMUFD_CUT] = {"iova", "size"},
};

static void machine_line(struct trace *t, const struct machine *m)
{
    for (uint32_t i = 0; i < AXIS_COUNT && !t->brief; i++)
        fprintf(t->out, "%s%s=%s", i ? " " : "machine ", program_axis_name(i),
                program_axis_value(i, m->axis[i]));
    fprintf(t->out, "%s          (the machine is built)\n", t->brief ? "" : "\n");
}

static void op_line(struct trace *t, const struct runner *r)
{
    char line[160];

    text_op(line, sizeof(line), r->program, &r->program->ops[r->result->op], &run_vocabulary);
    fprintf(t->out, "op %-4u %s\n", r->result->op, line);
}

/* What the model knows of the page whose story is told: its two sides and every mapping. */
static uint64_t mark_hash(const struct runner *r, uint32_t mark_page)
{
    const struct view_page *page;
    uint64_t words[2 + PROGRAM_CONTAINERS_MAX];

    if (mark_page == MODEL_NO_PAGE || !r->model)
        return 0;
    page = model_page(r->model, mark_page);
    words[0] = page->shared_frame | (uint64_t)page->private_frame << 32;
    words[1] = page->is_private;
    for (uint32_t i = 0; i < r->program->machine.n_containers; i++)
        words[2 + i] = model_mapping(r->model, i, mark_page)->frame;
    return hash_words(0, words, 2 + r->program->machine.n_containers);
}

static void call_line(struct trace *t, const struct runner *r, const struct sim_call *call,
                      bool touched, const char *pages)
{
    char answer[CALL_TEXT_SIZE];

    fprintf(t->out, "  %c       %-22s", touched ? '*' : ' ', sim_point_name(call->point));
    if (pages[0])
        fprintf(t->out, " %s", pages);
    for (int i = 0; i < 3; i++)
        if (argument_names[call->point][i])
            fprintf(t->out, " %s=0x%llx", argument_names[call->point][i],
                    (unsigned long long)call->arg[i]);
    call_answer_text(answer, sizeof(answer), r, call);
    fprintf(t->out, " = %s   [%s]\n", answer, call->caller);
}

/* An op that makes thousands of calls shows the first ones, and those that touched. */
static void see_call(struct trace *t, const struct runner *r, const struct sim_call *call)
{
    uint64_t seen = mark_hash(r, t->mark_page);
    bool changed = t->built && seen != t->mark_seen;
    bool touched = changed || call_names(r, call, t->mark_page);
    char pages[CALL_TEXT_SIZE];

    t->mark_seen = seen;
    call_pages_text(pages, sizeof(pages), r, call);
    if (t->brief && !touched && !call->error && !argument_names[call->point][0])
        return;
    if (t->n_calls == CALLS_SHOWN_MAX)
        fprintf(t->out, "          (and more host calls)\n");
    if (t->n_calls++ < CALLS_SHOWN_MAX || touched)
        call_line(t, r, call, touched, pages);
    if (call->failed && !t->failed)
        fprintf(t->out,
                "          (a call has failed: from here on it is retried or undone)\n");
    t->failed |= call->failed;
}

static void result_line(struct trace *t, const struct runner *r, const char *outcome)
{
    char result[CALL_TEXT_SIZE * 2];

    result_text(result, sizeof(result), r);
    fprintf(t->out, "          -> %s%s\n", result, outcome);
    t->returned = false;
}

static void judged_line(struct trace *t, const struct runner *r)
{
    static const char *const outcomes[] = {[MODEL_REJECTED] = ": refused",
                                           [MODEL_DONE] = "",
                                           [MODEL_UNDONE] = ": the old state",
                                           [MODEL_STOPPED] = ""};

    result_line(t, r, outcomes[model_outcome(r->model)]);
}

/* What an op returned is part of what is wrong with it. */
static void broken_line(struct trace *t, const struct runner *r)
{
    if (t->returned)
        result_line(t, r, "");
    fprintf(t->out, "  !!      %s: %s\n", r->result->rule, r->result->detail);
    fflush(t->out);
}

static void step_begins(struct trace *t, const struct runner *r)
{
    t->n_calls = 0;
    t->failed = t->returned = false;
    t->mark_seen = mark_hash(r, t->mark_page);
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct trace *t = (struct trace *)w;

    switch (event) {
    case WATCH_BEGIN:
        machine_line(t, &r->program->machine);
        break;
    case WATCH_BUILT:
        t->built = true;
        break;
    case WATCH_BACK:
        break;
    case WATCH_OP:
        op_line(t, r);
        break;
    case WATCH_CALL:
        see_call(t, r, call);
        return;
    case WATCH_RETURN:
        t->returned = true;
        return;
    case WATCH_JUDGED:
        judged_line(t, r);
        break;
    case WATCH_AGAIN:
        fprintf(t->out, "          (again without faults, on a copy:)\n");
        break;
    case WATCH_TEARDOWN:
        fprintf(t->out, "          (tear-down)\n");
        break;
    case WATCH_BROKEN:
        broken_line(t, r);
        return;
    }
    step_begins(t, r);
}

void trace_init(struct trace *t, FILE *out, uint32_t mark_page, bool brief)
{
    *t = (struct trace){.watch = {see}, .out = out, .mark_page = mark_page, .brief = brief};
}
