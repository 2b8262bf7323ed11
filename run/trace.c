/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/trace.h"

#include <assert.h>

#include "program/text.h"
#include "run/vocabulary.h"

enum { CALLS_SHOWN_MAX = 2000 };

/* What the three arguments of a host call are, for those worth showing. */
static const char *const argument_names[POINT_COUNT][3] = {
    [POINT_CORE_ALLOC] = {NULL, "size"},
    [POINT_HOST_CLOSE] = {NULL, NULL, "fd"},
    [POINT_MM_MMAP] = {"address", "size"},
    [POINT_MM_MUNMAP] = {"address", "size"},
    [POINT_MM_MADVISE] = {"address", "size"},
    [POINT_MEMFD_TRUNCATE] = {NULL, "size"},
    [POINT_MEMFD_PUNCH] = {"offset", "size"},
    [POINT_MEMFD_ALLOCATE] = {"offset", "size"},
    [POINT_GMEM_CREATE] = {NULL, "size"},
    [POINT_GMEM_PUNCH] = {"offset", "size"},
    [POINT_GMEM_ALLOCATE] = {"offset", "size"},
    [POINT_KVM_SET_REGION] = {"gpa", "size"},
    [POINT_KVM_SET_ATTRIBUTES] = {"gpa", "size", "attributes"},
    [POINT_VFIO_MAP] = {"iova", "size", "vaddr"},
    [POINT_VFIO_UNMAP] = {"iova", "size"},
    [POINT_IOMMUFD_MAP] = {"iova", "size", "vaddr"},
    [POINT_IOMMUFD_COPY] = {"iova", "size", "from"},
    [POINT_IOMMUFD_UNMAP] = {"iova", "size"},
    [POINT_IOMMUFD_CUT] = {"iova", "size"},
};

void trace_page_name(char *buf, size_t size, const struct machine *m, uint32_t page)
{
    for (uint32_t i = 0; i < m->n_regions; i++) {
        uint32_t first = machine_first_page(m, i);

        if (page >= first && page - first < m->regions[i].n_pages) {
            text_range(buf, size, m, i, page - first, 1);
            return;
        }
    }
    snprintf(buf, size, "no page");
}

void trace_machine(struct trace *t, const struct program *p)
{
    t->program = p;
    fprintf(t->out, "machine");
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        fprintf(t->out, " %s=%s", program_axis_name(i),
                program_axis_value(i, p->machine.axis[i]));
    fputc('\n', t->out);
}

void trace_op(struct trace *t, uint32_t index, const struct op *op)
{
    char line[160];

    t->n_calls = 0;
    text_op(line, sizeof(line), t->program, op, &run_vocabulary);
    fprintf(t->out, "op %-4u %s\n", index, line);
}

void trace_call(struct trace *t, const struct sim_call *call, bool touched)
{
    if (t->n_calls == CALLS_SHOWN_MAX)
        fprintf(t->out, "          (and more host calls)\n");
    if (t->n_calls++ >= CALLS_SHOWN_MAX && !touched)
        return;
    fprintf(t->out, "  %c       %-22s", touched ? '*' : ' ', sim_point_name(call->point));
    for (int i = 0; i < 3; i++)
        if (argument_names[call->point][i])
            fprintf(t->out, " %s=0x%llx", argument_names[call->point][i],
                    (unsigned long long)call->arg[i]);
    if (call->error)
        fprintf(t->out, " = %s%s%s", text_errno(call->error), call->injected ? " (fault)" : "",
                call->late ? " after the effect" : "");
    else
        fprintf(t->out, " = %lld", (long long)call->result);
    fprintf(t->out, "   [%s]\n", call->caller);
}

void trace_op_end(struct trace *t, const struct op_result *r, enum model_outcome outcome)
{
    static const char *const names[] = {[MODEL_REJECTED] = "refused",
                                        [MODEL_DONE] = "done",
                                        [MODEL_UNDONE] = "old state kept",
                                        [MODEL_STOPPED] = "stopped"};

    fprintf(t->out, "          -> %s, %s", r->error ? text_errno(r->error) : "success",
            names[outcome]);
    if (r->has_status)
        fprintf(t->out, ", the guest was told %s", text_errno((int)r->guest_status));
    if (r->stopped)
        fprintf(t->out, ", VM stopped");
    if (r->data)
        fprintf(t->out, ", data 0x%llx", (unsigned long long)r->data);
    fputc('\n', t->out);
}

void trace_note(struct trace *t, const char *text)
{
    fprintf(t->out, "          (%s)\n", text);
}

void trace_broken(struct trace *t, const char *rule, const char *detail)
{
    fprintf(t->out, "  !!      %s: %s\n", rule, detail);
    fflush(t->out);
}
