/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/history.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/child.h"
#include "run/columns.h"
#include "run/lines.h"
#include "run/page_state.h"
#include "run/report.h"
#include "run/vocabulary.h"

enum { FIRST = 300, LAST = 700 }; /* lines that are kept */

/* A page of a plain region can be shown in each section. */
enum { PLACES_MAX = PROGRAM_SECTIONS_MAX };

struct history {
    struct watch watch;
    FILE *out;
    struct lines *lines;
    const struct program *program;
    const struct subject *subject;
    const struct run_result *result;
    uint32_t page, region, page_of_region;

    struct page_state last[PLACES_MAX]; /* the page, then its aliases */
    uint32_t n_places;
    bool built, broken, op_shown, names;
};

/* ---- facts ---- */
/* The facts at place i: of an alias only the mappings are its own. */
static uint32_t facts_at(const struct history *h, const struct page_state *s, uint32_t i,
                         struct page_fact facts[PAGE_FACTS_MAX])
{
    const struct machine *m = &h->program->machine;
    uint32_t n = page_facts(s, m, facts);

    if (i == 0)
        return n;
    assert(n >= m->n_containers);
    memmove(facts, facts + n - m->n_containers, m->n_containers * sizeof(*facts));
    return m->n_containers;
}

static void put_change(const struct history *h, const struct runner *r, const char *label,
                       uint32_t place, const char *what, const char *change)
{
    char at[24] = "";

    if (place > 0)
        address_text(at, sizeof(at), r, h->last[place].page);
    fprintf(h->out, "     %-*s %-12s %s%s%s\n", LABEL_WIDTH_MAX - 6, label, what, change,
            place > 0 ? " at " : "", at);
}

/* What is new at a place, a line each; the label stands in the first one. */
static uint32_t put_changes(struct history *h, const struct runner *r, uint32_t place,
                            const char *label)
{
    struct page_state now = page_state_later(r, &h->last[place]);
    struct page_fact before[PAGE_FACTS_MAX], after[PAGE_FACTS_MAX];
    uint32_t n = facts_at(h, &h->last[place], place, before), n_changes = 0;
    char change[2 * sizeof(before[0].value) + 8];

    facts_at(h, &now, place, after);
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(before[i].value, after[i].value) == 0)
            continue;
        snprintf(change, sizeof(change), "%s -> %s", before[i].value, after[i].value);
        put_change(h, r, n_changes ? "" : label, place, after[i].what, change);
        n_changes++;
    }
    h->last[place] = now;
    return n_changes;
}

static bool is_changed(const struct history *h, const struct runner *r)
{
    for (uint32_t i = 0; i < h->n_places; i++) {
        struct page_state now = page_state_later(r, &h->last[i]);
        struct page_fact before[PAGE_FACTS_MAX], after[PAGE_FACTS_MAX];
        uint32_t n = facts_at(h, &h->last[i], i, before);

        facts_at(h, &now, i, after);
        for (uint32_t k = 0; k < n; k++)
            if (strcmp(before[k].value, after[k].value) != 0)
                return true;
    }
    return false;
}

/* The page and where the guest sees it, and what is true of it. */
static void put_start(struct history *h, const struct runner *r)
{
    struct page_fact facts[PAGE_FACTS_MAX];
    uint32_t n = facts_at(h, &h->last[0], 0, facts);
    char text[48];

    page_text(text, sizeof(text), r->model, &h->program->machine, h->page);
    fprintf(h->out, "%s, at address", text);
    for (uint32_t i = 0; i < h->n_places; i++) {
        address_text(text, sizeof(text), r, h->last[i].page);
        fprintf(h->out, "%s %s", i ? "," : "", text);
    }
    fprintf(h->out, "\nat the start: ");
    for (uint32_t i = 0; i < n; i++)
        fprintf(h->out, "%s%s %s", i ? "; " : "", facts[i].what, facts[i].value);
    fputc('\n', h->out);
}

/* ---- what names the page ---- */
static bool gpa_names(const struct history *h, const struct runner *r, uint64_t gpa,
                      uint64_t size)
{
    uint64_t page_size = machine_page_size(&h->program->machine), first = gpa / page_size;
    uint64_t n = (size + gpa % page_size + page_size - 1) / page_size;

    for (uint32_t i = 0; i < h->n_places; i++) {
        uint64_t at = model_gpa_page(r->model, h->last[i].page);

        if (at != UINT64_MAX && at - first < n)
            return true;
    }
    return false;
}

static bool op_names(const struct history *h, const struct runner *r, const struct op *op)
{
    uint64_t page_size = machine_page_size(&h->program->machine), gpa;
    uint64_t start = h->page_of_region * page_size;

    if (!op->size)
        return false;
    if (op->region == h->region && op->start < start + page_size &&
        start < op->start + op->size)
        return true;
    gpa = op_gpa(&h->program->machine, op);
    return op->kind <= OP_DMA_WRITE && gpa != UINT64_MAX && gpa_names(h, r, gpa, op->size);
}

/* ---- steps ---- */
static void put_op(struct history *h, const struct runner *r)
{
    const struct program *p = h->program;
    uint32_t op = r->result->op;
    char text[160];

    if (h->op_shown || op == RUN_OP_BUILD)
        return;
    h->op_shown = true;
    if (op >= p->n_ops) {
        fprintf(h->out, "tear-down\n");
        return;
    }
    text_op(text, sizeof(text), p, &p->ops[op], &run_vocabulary);
    fprintf(h->out, "op %u %s\n", op, text);
}

/* One step: what it changed; or, when it named the page, that it did not. */
static void put_step(struct history *h, const struct runner *r, const char *label, bool named)
{
    uint32_t n = 0;

    if (!is_changed(h, r)) {
        if (named) {
            put_op(h, r);
            fprintf(h->out, "     %s\n", label);
        }
        return;
    }
    put_op(h, r);
    for (uint32_t i = 0; i < h->n_places; i++)
        n += put_changes(h, r, i, n ? "" : label);
    assert(n > 0);
}

static void see_call(struct history *h, const struct runner *r, const struct sim_call *call)
{
    char label[LABEL_SIZE];
    bool named = false;

    call_label(label, r, call);
    if (call->injected)
        snprintf(label + strlen(label), sizeof(label) - strlen(label), " (fault)");
    for (uint32_t i = 0; i < h->n_places; i++)
        named |= call_names(r, call, h->last[i].page);
    put_step(h, r, label, named);
}

static void see_return(struct history *h, const struct runner *r)
{
    char label[LABEL_SIZE];

    return_label(label, r);
    put_step(h, r, label, h->op_shown || h->names);
}

static void see_start(struct history *h, const struct runner *r)
{
    const struct machine *m = &h->program->machine;

    h->built = true;
    h->last[h->n_places++] = page_state(r, h->page);
    for (uint32_t i = 0; i < m->n_sections; i++) {
        const struct section_decl *s = &m->sections[i];
        uint64_t away = h->page_of_region - (uint64_t)s->first_page;
        uint32_t page;

        if (s->region != h->region || away >= s->n_pages)
            continue;
        page = model_page_at(r->model, s->gpa_page + away);
        if (page != h->page && h->n_places < PLACES_MAX)
            h->last[h->n_places++] = page_state(r, page);
    }
    put_start(h, r);
}

static void see_broken(struct history *h, const struct runner *r)
{
    h->broken = true;
    if (h->built)
        put_op(h, r);
    fprintf(h->out, " !!  %s: %s\n", r->result->rule, r->result->detail);
}

static void see_op(struct history *h, const struct runner *r)
{
    const struct program *p = h->program;
    uint32_t op = r->result->op;

    h->op_shown = false;
    h->names = op < p->n_ops && op_names(h, r, &p->ops[op]);
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct history *h = (struct history *)w;
    /* A try on a copy has no consequences, but for the one that ends the program. */
    bool aside = r->probing && r->result->op != h->result->op;

    if (h->broken || aside)
        return;
    if (event == WATCH_BUILT)
        see_start(h, r);
    if (event == WATCH_BROKEN)
        see_broken(h, r);
    if (!h->built)
        return;
    if (event == WATCH_OP || event == WATCH_TEARDOWN)
        see_op(h, r);
    else if (event == WATCH_CALL)
        see_call(h, r, call);
    else if (event == WATCH_RETURN)
        see_return(h, r);
}

static int run_in_child(void *ctx)
{
    struct history *h = ctx;
    struct run_result again;
    int error;

    h->out = lines_stream(h->lines);
    if (!h->out)
        return ENOMEM;
    error = child_run(h->program, h->subject, &h->watch, h->result, &again);
    if (!error && again.verdict == VERDICT_OK)
        fprintf(h->out, "nothing broke\n");
    return -error;
}

void history_story(FILE *out, const struct program *p, const struct subject *subject,
                   const struct run_result *r, uint32_t page)
{
    struct history h = {.watch = {see},
                        .lines = lines_new(FIRST, LAST),
                        .program = p,
                        .subject = subject,
                        .result = r,
                        .page = page,
                        .page_of_region = page};
    int code = -ENOMEM;

    while (h.page_of_region >= p->machine.regions[h.region].n_pages)
        h.page_of_region -= p->machine.regions[h.region++].n_pages;
    assert(h.region < p->machine.n_regions);
    if (h.lines) {
        code = child_do(run_in_child, &h);
        lines_print(h.lines, out, "");
    }
    if (code == CHILD_DIED)
        fprintf(out, "(the run ended here, and its process with it)\n");
    else if (code == -EINTR)
        fprintf(out, "(interrupted)\n");
    else if (code)
        fprintf(out, "(no history: %s)\n", strerror(code < 0 ? -code : code));
    lines_free(h.lines);
    fflush(out);
}
