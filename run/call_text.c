/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/call_text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/uapi.h"
#include "program/text.h"
#include "program/writer.h"
#include "run/points.h"

enum {
    RANGES_MAX = 2,      /* named; whoever wants to know all looks at the addresses */
    FAULTS_AWAY_MAX = 64 /* ops back to a fault's own */
};

static void add(char *buf, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends, and cuts off what does not fit. */
static void add(char *buf, size_t size, const char *format, ...)
{
    size_t used = strlen(buf);
    va_list args;

    assert(used < size);
    va_start(args, format);
    vsnprintf(buf + used, size - used, format, args);
    va_end(args);
}

static void add_range(char *buf, size_t size, uint32_t n_before, const struct machine *m,
                      uint32_t region, uint64_t first, uint64_t n)
{
    char range[48];

    if (n_before > RANGES_MAX)
        return;
    text_range(range, sizeof(range), m, region, first, n);
    add(buf, size, "%s%s", n_before ? " " : "", n_before == RANGES_MAX ? "..." : range);
}

void page_text(char *buf, size_t size, const struct model *o, const struct machine *m,
               uint32_t page)
{
    uint32_t region = 0;

    if (page == MODEL_NO_PAGE || (!o && page >= machine_n_pages(m))) {
        snprintf(buf, size, "no page");
        return;
    }
    if (page >= machine_n_pages(m)) {
        text_range(buf, size, m, OP_NO_REGION, model_gpa_page(o, page), 1);
        return;
    }
    while (page >= m->regions[region].n_pages)
        page -= m->regions[region++].n_pages;
    assert(region < m->n_regions);
    text_range(buf, size, m, region, page, 1);
}

/* The section with the lowest address in GPA pages [first, end); NULL: none. */
static const struct section_decl *next_section(const struct machine *m, uint64_t first,
                                               uint64_t end)
{
    const struct section_decl *next = NULL;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        if (s->gpa_page < end && s->gpa_page + s->n_pages > first &&
            (!next || s->gpa_page < next->gpa_page))
            next = s;
    }
    return next;
}

/* What the guest has at GPA pages [first, end). */
static void gpa_pages_text(char *buf, size_t size, const struct machine *m, uint64_t first,
                           uint64_t end)
{
    const struct section_decl *s;
    uint32_t n = 0;

    for (; first < end && n <= RANGES_MAX && (s = next_section(m, first, end)); n++) {
        uint64_t from = first > s->gpa_page ? first : s->gpa_page;
        uint64_t to = s->gpa_page + s->n_pages;

        to = to < end ? to : end;
        add_range(buf, size, n, m, s->region, s->first_page + (from - s->gpa_page), to - from);
        first = to;
    }
    if (n == 0)
        add(buf, size, "no page");
}

static bool has_gpa(const struct sim_call *call)
{
    return call->point == POINT_KVM_SET_ATTRIBUTES || point_is_dma(call->point) ||
           (call->point == POINT_KVM_SET_REGION && call->arg[1]);
}

/* Pages [*first, *end) of the machine's guest memory, or of a file, that the call names. */
static void named_pages(const struct machine *m, const struct sim_call *call, uint64_t *first,
                        uint64_t *end)
{
    uint64_t page_size = machine_page_size(m);
    uint64_t n = call->arg[1] / page_size + (call->arg[1] % page_size != 0);

    *first = call->arg[0] / page_size;
    *end = n > UINT64_MAX - *first ? UINT64_MAX : *first + n;
}

/* The region whose memory the call's offset is in, as far as the machine has only one that it
 * can be; else OP_NO_REGION. */
static uint32_t file_region(const struct machine *m, const struct sim_call *call)
{
    const uint64_t gmem = UINT64_C(1) << POINT_GMEM_PUNCH | UINT64_C(1) << POINT_GMEM_ALLOCATE |
                          UINT64_C(1) << POINT_GMEM_SET_ATTRIBUTES;
    bool is_gmem = gmem >> call->point & 1;
    uint32_t found = OP_NO_REGION;

    if (!is_gmem && call->point != POINT_MEMFD_PUNCH && call->point != POINT_MEMFD_ALLOCATE)
        return OP_NO_REGION;
    for (uint32_t i = 0; i < m->n_regions; i++) {
        const struct region_decl *d = &m->regions[i];

        if (is_gmem ? !d->guest_memfd : d->kind == REGION_MMIO || d->share != SHARE_MEMFD)
            continue;
        if (found != OP_NO_REGION)
            return OP_NO_REGION;
        found = i;
    }
    return found;
}

bool call_names(const struct runner *r, const struct sim_call *call, uint32_t page)
{
    const struct machine *m = &r->program->machine;
    uint32_t region = file_region(m, call);
    uint64_t first, end, at;

    if (!r->model || page == MODEL_NO_PAGE)
        return false;
    named_pages(m, call, &first, &end);
    if (has_gpa(call) && call->point != POINT_KVM_SET_REGION)
        at = model_gpa_page(r->model, page);
    else if (region != OP_NO_REGION && page >= machine_first_page(m, region))
        at = page - machine_first_page(m, region);
    else
        return false;
    return at >= first && at < end;
}

/* What the call's offset means, where that can be said. */
static void file_pages_text(char *buf, size_t size, const struct machine *m,
                            const struct sim_call *call)
{
    uint32_t region = file_region(m, call);
    uint64_t first, end;

    named_pages(m, call, &first, &end);
    if (region != OP_NO_REGION && first < end && end <= m->regions[region].n_pages)
        add_range(buf, size, 0, m, region, first, end - first);
}

/* The pages that the call just changed: what a drop was about says only a file's offset. */
static void changed_pages_text(char *buf, size_t size, const struct runner *r)
{
    const struct machine *m = &r->program->machine;
    uint32_t n_changed = 0, n_ranges = 0, total = machine_n_pages(m);
    const uint32_t *changed = model_changed(r->model, &n_changed);

    for (uint32_t i = 0, n; i < n_changed && n_ranges <= RANGES_MAX; i += n) {
        uint32_t region = 0, page = changed[i];

        for (n = 1; i + n < n_changed && changed[i + n] == page + n; n++)
            ;
        if (page >= total)
            continue; /* an alias: its page is there as well */
        while (page >= m->regions[region].n_pages)
            page -= m->regions[region++].n_pages;
        n = n < m->regions[region].n_pages - page ? n : m->regions[region].n_pages - page;
        add_range(buf, size, n_ranges++, m, region, page, n);
    }
}

void call_pages_text(char *buf, size_t size, const struct runner *r,
                     const struct sim_call *call)
{
    const struct machine *m = &r->program->machine;
    uint64_t first, end;

    buf[0] = '\0';
    if (point_is_dma(call->point) && m->n_containers > 1)
        add(buf, size, "c%u ", call->container);
    named_pages(m, call, &first, &end);
    if (has_gpa(call))
        gpa_pages_text(buf, size, m, first, end);
    else if (r->model)
        changed_pages_text(buf, size, r);
    if (!buf[0])
        file_pages_text(buf, size, m, call);
    if (call->point == POINT_KVM_SET_ATTRIBUTES || call->point == POINT_GMEM_SET_ATTRIBUTES)
        add(buf, size, "%s%s", buf[0] ? " " : "",
            call->arg[2] & KVM_MEMORY_ATTRIBUTE_PRIVATE ? "private" : "shared");
}

/* Was it this fault that made the call fail, if it was armed? */
static bool is_fault_of(const struct machine *m, const struct op *op,
                        const struct sim_call *call)
{
    return op->kind == OP_FAULT && op->error == call->error && op->late == call->late &&
           points_armed(op->point, op->error, op->late, m) >> call->point & 1;
}

/* The op that armed the fault, where only one can have been it; else RUN_OP_UNKNOWN. */
static uint32_t fault_op(const struct runner *r, const struct sim_call *call)
{
    const struct program *p = r->program;
    uint32_t found = RUN_OP_UNKNOWN, away = 0;
    uint32_t i = r->result->op < p->n_ops ? r->result->op : 0; /* else none is armed */

    while (i > 0 && p->ops[i - 1].kind != OP_DISARM) {
        if (is_fault_of(&p->machine, &p->ops[--i], call)) {
            if (found != RUN_OP_UNKNOWN)
                return RUN_OP_UNKNOWN;
            found = i;
        }
        if (++away > FAULTS_AWAY_MAX)
            return RUN_OP_UNKNOWN;
    }
    return found;
}

void call_answer_text(char *buf, size_t size, const struct runner *r,
                      const struct sim_call *call)
{
    uint32_t op;

    if (!call->error) {
        snprintf(buf, size, "%lld", (long long)call->result);
        return;
    }
    snprintf(buf, size, "%s", text_errno(call->error));
    if (!call->failed && call->point == POINT_KVM_RUN)
        add(buf, size, call->error == EFAULT ? " (an exit)" : " (a signal)");
    if (!call->injected)
        return;
    op = fault_op(r, call);
    if (op == RUN_OP_UNKNOWN)
        add(buf, size, " (fault)");
    else
        add(buf, size, " (fault of op %u)", op);
    if (call->late)
        add(buf, size, ", after the effect");
}

/* What an op answered, besides its result. */
static void answer_text(char *buf, size_t size, const struct runner *r, const struct op *op)
{
    const struct op_result *o = &r->now->op_result;
    char page[48];

    if (op->kind == OP_QUERY && !o->error)
        add(buf, size, ", %spopulated", o->data ? "" : "not ");
    else if ((op->kind == OP_READ || op->kind == OP_DMA_READ) && !o->error)
        add(buf, size, ", data %llu", (unsigned long long)o->data);
    else if (op->kind >= OP_PLUG && op->kind <= OP_UNPLUG_ALL && o->response < RESPONSE_COUNT)
        add(buf, size, ", the guest was told %s", response_names[o->response]);
    if (o->blocked_page == MODEL_NO_PAGE)
        return;
    page_text(page, sizeof(page), r->model, &r->program->machine, o->blocked_page);
    add(buf, size, ", as %s is in use", page);
}

void result_text(char *buf, size_t size, const struct runner *r)
{
    const struct op_result *o = &r->now->op_result;
    const struct op *op = &r->program->ops[r->result->op];

    snprintf(buf, size, "%s", o->error ? text_errno(o->error) : "success");
    answer_text(buf, size, r, op);
    if (o->has_status)
        add(buf, size, ", the guest was told %s", text_errno((int)o->guest_status));
    if (o->undelivered)
        add(buf, size, ", the guest's request still waits");
    if (o->stopped)
        add(buf, size, ", the VM is stopped");
}
