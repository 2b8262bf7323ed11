/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/explain.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/child.h"
#include "run/lines.h"
#include "run/picture.h"
#include "run/report.h"
#include "run/trace.h"

/* Lines of the picture and of the trace, the first and the last ones. */
enum { PICTURE_FIRST = 12, PICTURE_LAST = 60, TRACE_FIRST = 30, TRACE_LAST = 120 };

/* What the child leaves behind. */
struct shared {
    struct page_state before, after; /* the op that broke */
    bool has_before, has_after;
    struct run_result again;
};

struct story {
    struct watch watch;
    const struct program *program;
    const struct subject *subject;
    const struct run_result *result;
    struct columns columns;
    struct lines *picture_lines, *trace_lines;
    struct shared *shared;
    struct picture picture;
    struct trace trace;
};

/* ---- the run ---- */
/* The program goes on from where it was before it tried an op again: only a try that ends it is
 * part of its story. */
static bool is_aside(const struct story *s, const struct runner *r, enum watch_event event)
{
    return (r->probing || event == WATCH_AGAIN) && r->result->op != s->result->op;
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct story *s = (struct story *)w;
    uint32_t page = s->result->page;
    bool known = page != MODEL_NO_PAGE && r->model;

    if (is_aside(s, r, event))
        return;
    if (known && r->result->op == s->result->op &&
        (event == WATCH_OP || event == WATCH_TEARDOWN)) {
        s->shared->before = page_state(r, page);
        s->shared->has_before = true;
    }
    if (known && event == WATCH_BROKEN && s->shared->has_before) {
        s->shared->after = page_state_later(r, &s->shared->before);
        s->shared->has_after = true;
    }
    if (s->columns.n > 0)
        s->picture.watch.see(&s->picture.watch, r, event, call);
    s->trace.watch.see(&s->trace.watch, r, event, call);
}

static int run_in_child(void *ctx)
{
    struct story *s = ctx;
    FILE *picture = lines_stream(s->picture_lines), *trace = lines_stream(s->trace_lines);

    if (!picture || !trace)
        return ENOMEM;
    picture_init(&s->picture, picture, &s->columns, s->result);
    trace_init(&s->trace, trace, s->result->page, true);
    return -child_run(s->program, s->subject, &s->watch, s->result, &s->shared->again);
}

/* ---- what is printed ---- */
static void put_axes(FILE *out, const struct machine *m, uint32_t width)
{
    char text[400];
    size_t used = 0;

    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s=%s",
                                 program_axis_name(i), program_axis_value(i, m->axis[i]));
    assert(used < sizeof(text));
    if (m->memlock_pages)
        snprintf(text + used, sizeof(text) - used, " memlock=%u", m->memlock_pages);
    report_wrapped(out, "machine:", width, text);
}

/* The pages of a region that the guest sees, and where. */
static void put_sections(FILE *out, const struct machine *m, uint32_t region)
{
    uint64_t page_size = machine_page_size(m);
    char range[48];
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];

        if (s->region != region)
            continue;
        text_range(range, sizeof(range), m, region, s->first_page, s->n_pages);
        fprintf(out, "%s%s at 0x%llx", n++ ? ", " : "", range,
                (unsigned long long)(s->gpa_page * page_size));
    }
    if (n == 0)
        fprintf(out, "no section");
}

static void put_regions(FILE *out, const struct machine *m)
{
    static const char *const shares[] = {
        [SHARE_ANON] = "anon", [SHARE_MEMFD] = "memfd", [SHARE_HUGETLB] = "hugetlb"};

    for (uint32_t i = 0; i < m->n_regions; i++) {
        const struct region_decl *d = &m->regions[i];

        fprintf(out, "%*s", REPORT_INDENT, "");
        put_sections(out, m, i);
        fprintf(out, "; %u pages", d->n_pages);
        if (d->kind != REGION_MMIO)
            fprintf(out, ", %s", shares[d->share]);
        if (d->guest_memfd)
            fprintf(out, ", guest_memfd");
        if (d->huge_pages)
            fprintf(out, ", huge pages of %u", d->huge_pages);
        if (d->virtio_mem_pages)
            fprintf(out, ", virtio-mem in blocks of %u", d->virtio_mem_pages);
        fputc('\n', out);
    }
}

static void put_containers(FILE *out, const struct machine *m)
{
    for (uint32_t i = 0; i < m->n_containers; i++) {
        fprintf(out, "%*sc%u: listens to %s", REPORT_INDENT, "", i,
                m->containers[i].listen_all ? "all" : "what it is told to");
        for (uint32_t k = 0; k < m->n_devices; k++)
            if (m->devices[k].container == i)
                fprintf(out, ", d%u", k);
        if (m->containers[i].entry_limit < UINT16_MAX)
            fprintf(out, ", at most %u entries", m->containers[i].entry_limit);
        fputc('\n', out);
    }
}

static void put_machine(FILE *out, const struct machine *m, uint32_t width)
{
    put_axes(out, m, width);
    put_regions(out, m);
    put_containers(out, m);
}

/* What was true of the page before the op, and what is when the rule breaks. */
static void put_page(FILE *out, const struct story *s)
{
    const struct machine *m = &s->program->machine;
    struct page_fact before[PAGE_FACTS_MAX], after[PAGE_FACTS_MAX];
    const struct shared *shared = s->shared;
    char name[48], when[32];
    uint32_t n;

    if (!shared->has_before || !shared->has_after)
        return;
    n = page_facts(&shared->before, m, before);
    page_facts(&shared->after, m, after);
    page_text(name, sizeof(name), NULL, m, s->result->page);
    if (s->result->op < s->program->n_ops)
        snprintf(when, sizeof(when), "before op %u", s->result->op);
    else
        snprintf(when, sizeof(when), "before tear-down");
    fprintf(out, "\n%-14s %-27s when the rule broke\n", name, when);
    for (uint32_t i = 0; i < n; i++) {
        bool same = strcmp(before[i].value, after[i].value) == 0;

        fprintf(out, "  %-12s %-27s %s%s\n", before[i].what, before[i].value, after[i].value,
                same ? "" : "   <- changed");
    }
}

static void put_picture(FILE *out, const struct story *s)
{
    const struct columns *c = &s->columns;

    fprintf(out, "\n");
    if (c->n == 0) {
        fprintf(out, "picture: no page changed\n");
        return;
    }
    fprintf(out, "picture: a row for each step that changed a page below, or failed");
    if (c->n < c->n_changed)
        fprintf(out, " (%u of %u pages that changed)", c->n, c->n_changed);
    fprintf(out, "\n");
    lines_print(s->picture_lines, out, ": replay --trace has all");
    picture_legend(out, &s->program->machine, c);
}

static void put_trace(FILE *out, const struct story *s)
{
    bool marked = s->result->page != MODEL_NO_PAGE;

    fprintf(out, "\ntrace, without calls that went well and are about no page%s:\n",
            marked ? "; * marks what touched the page" : "");
    lines_print(s->trace_lines, out, ": replay --trace has all");
}

static void put_end(FILE *out, const struct story *s, int code)
{
    if (code == CHILD_DIED)
        fprintf(out, "(the run ended here, and its process with it)\n");
    else if (code == -EINTR)
        fprintf(out, "(interrupted)\n");
    else if (code)
        fprintf(out, "(no story: %s)\n", strerror(code < 0 ? -code : code));
    else if (s->result->verdict != VERDICT_OK && s->shared->again.verdict == VERDICT_OK)
        fprintf(out, "(this run of the program was good)\n");
}

static void put_story(FILE *out, const struct story *s, int code, uint32_t width)
{
    const struct run_result *r = s->result;

    if (r->verdict == VERDICT_OK) {
        fprintf(out, "ok: nothing broke in %u ops and %llu host calls\n", r->ops,
                (unsigned long long)r->host_calls);
    } else {
        report_finding(out, r, s->program);
    }
    put_machine(out, &s->program->machine, width);
    put_page(out, s);
    put_picture(out, s);
    put_trace(out, s);
    put_end(out, s, code);
    fflush(out);
}

void explain_story(FILE *out, const struct program *p, const struct subject *subject,
                   const struct run_result *r, uint32_t width)
{
    struct story s = {.watch = {see}, .program = p, .subject = subject, .result = r};
    int code = -ENOMEM;

    assert(width >= EXPLAIN_WIDTH_MIN && width <= EXPLAIN_WIDTH_MAX);
    s.picture_lines = lines_new(PICTURE_FIRST, PICTURE_LAST);
    s.trace_lines = lines_new(TRACE_FIRST, TRACE_LAST);
    s.shared = mmap(NULL, sizeof(*s.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                    -1, 0);
    if (s.picture_lines && s.trace_lines && s.shared != MAP_FAILED) {
        code = columns_choose(p, subject, r, width, &s.columns);
        if (!code)
            code = child_do(run_in_child, &s);
        put_story(out, &s, code, width);
    } else {
        fprintf(out, "(no story: %s)\n", strerror(ENOMEM));
    }
    lines_free(s.picture_lines);
    lines_free(s.trace_lines);
    if (s.shared != MAP_FAILED)
        munmap(s.shared, sizeof(*s.shared));
}
