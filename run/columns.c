/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/columns.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/child.h"
#include "run/page_state.h"

/* Of one page; zero: it has not changed. */
struct mark {
    uint32_t steps, last; /* that changed it; the last one */
    uint32_t width;
};

/* In memory that the child shares. */
struct survey {
    uint32_t n_steps, op_first; /* first step of the op that began last */
    uint32_t label_width;
    struct mark marks[];
};

struct surveyor {
    struct watch watch;
    struct survey *survey;
    uint32_t n_marks;
    bool built;
    const struct program *program;
    const struct subject *subject;
    const struct run_result *result;
};

static uint32_t longer(uint32_t a, size_t b)
{
    return a > b ? a : (uint32_t)b;
}

void call_label(char buf[LABEL_SIZE], const struct runner *r, const struct sim_call *call)
{
    char pages[CALL_TEXT_SIZE];

    call_pages_text(pages, sizeof(pages), r, call);
    snprintf(buf, LABEL_SIZE, "%s%s%s%s%s%s", sim_point_name(call->point), pages[0] ? " " : "",
             pages, call->error ? " = " : "", call->error ? text_errno(call->error) : "",
             call->late ? ", done" : "");
}

void return_label(char buf[LABEL_SIZE], const struct runner *r)
{
    char result[CALL_TEXT_SIZE];

    result_text(result, sizeof(result), r);
    snprintf(buf, LABEL_SIZE, "-> %s", result);
}

void address_text(char *buf, size_t size, const struct runner *r, uint32_t page)
{
    uint64_t gpa_page = model_gpa_page(r->model, page);

    if (gpa_page == UINT64_MAX)
        snprintf(buf, size, "none");
    else
        snprintf(buf, size, "0x%llx",
                 (unsigned long long)(gpa_page * machine_page_size(&r->program->machine)));
}

static void measure_page(struct surveyor *s, const struct runner *r, uint32_t page)
{
    const struct machine *m = &r->program->machine;
    struct mark *mark = &s->survey->marks[page];
    struct page_state state = page_seen(r, page);
    char cell[PAGE_CELL_SIZE];

    assert(page < s->n_marks);
    page_cell(cell, &state, m);
    mark->width = longer(mark->width, strlen(cell));
    page_text(cell, sizeof(cell), r->model, m, page);
    mark->width = longer(mark->width, strlen(cell));
    address_text(cell, sizeof(cell), r, page);
    mark->width = longer(mark->width, strlen(cell));
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct surveyor *s = (struct surveyor *)w;
    const uint32_t *changed;
    char label[LABEL_SIZE];
    uint32_t n = 0;

    if (event == WATCH_BUILT) {
        s->built = true;
        if (s->result->page != MODEL_NO_PAGE)
            measure_page(s, r, s->result->page);
    }
    if (!s->built)
        return;
    s->survey->n_steps++;
    if (event == WATCH_OP || event == WATCH_TEARDOWN)
        s->survey->op_first = s->survey->n_steps;
    if (event != WATCH_CALL && event != WATCH_RETURN)
        return;
    changed = model_changed(r->model, &n);
    for (uint32_t i = 0; i < n; i++) {
        measure_page(s, r, changed[i]);
        s->survey->marks[changed[i]].steps++;
        s->survey->marks[changed[i]].last = s->survey->n_steps;
    }
    if (n == 0 && !(call && call->failed))
        return;
    if (call)
        call_label(label, r, call);
    else
        return_label(label, r);
    if (strlen(label) + LABEL_INDENT <= LABEL_WIDTH_MAX) /* longer ones have their own line */
        s->survey->label_width = longer(s->survey->label_width, strlen(label));
}

static int survey_in_child(void *ctx)
{
    struct surveyor *s = ctx;
    struct run_result again;

    return child_run(s->program, s->subject, &s->watch, s->result, &again) ? 1 : 0;
}

/* ---- choosing ---- */
static uint32_t distance(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

/* Does page a matter more than page b? */
static bool matters_more(const struct survey *s, uint32_t special, uint32_t a, uint32_t b)
{
    const struct mark *ma = &s->marks[a], *mb = &s->marks[b];
    bool last_a = ma->last >= s->op_first, last_b = mb->last >= s->op_first;

    if (special == MODEL_NO_PAGE)
        return ma->steps != mb->steps ? ma->steps > mb->steps : a < b;
    if ((a == special) != (b == special))
        return a == special;
    if (last_a != last_b)
        return last_a;
    if (distance(a, special) != distance(b, special))
        return distance(a, special) < distance(b, special);
    return a < b;
}

static bool is_chosen(const struct columns *c, uint32_t page)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->page[i] == page)
            return true;
    return false;
}

static uint32_t best_page(const struct survey *s, const struct columns *c, uint32_t special)
{
    uint32_t best = MODEL_NO_PAGE;

    for (uint32_t page = 0; page < c->n_pages; page++)
        if ((s->marks[page].steps || page == special) && !is_chosen(c, page) &&
            (best == MODEL_NO_PAGE || matters_more(s, special, page, best)))
            best = page;
    return best;
}

/* Puts it at its place, ascending. */
static void insert(struct columns *c, uint32_t page, uint32_t width)
{
    uint32_t i = c->n++;

    assert(c->n <= COLUMNS_MAX);
    for (; i > 0 && c->page[i - 1] > page; i--) {
        c->page[i] = c->page[i - 1];
        c->width[i] = c->width[i - 1];
    }
    c->page[i] = page;
    c->width[i] = width;
}

uint32_t column_gap(const struct columns *c, uint32_t i)
{
    uint32_t before = i == 0 ? UINT32_MAX : c->page[i - 1];

    assert(i < c->n);
    return c->page[i] == before + 1 ? COLUMN_GAP : COLUMN_GAP_LEFT_OUT;
}

static uint32_t width_of(const struct columns *c)
{
    uint32_t width = c->label_width;

    for (uint32_t i = 0; i < c->n; i++)
        width += column_gap(c, i) + c->width[i];
    return width;
}

/* The first one always has room. */
static void choose(const struct survey *s, uint32_t special, uint32_t width, struct columns *c)
{
    struct columns with = *c;
    uint32_t page;

    while (c->n < COLUMNS_MAX && (page = best_page(s, c, special)) != MODEL_NO_PAGE) {
        insert(&with, page, s->marks[page].width + (page == special));
        if (with.n > 1 && width_of(&with) > width)
            return;
        *c = with;
    }
}

/* Pages and, as far as sections may show them once more, aliases. */
static uint32_t marks_of(const struct machine *m)
{
    uint32_t n = machine_n_pages(m);

    for (uint32_t i = 0; i < m->n_sections; i++)
        n += m->sections[i].n_pages;
    return n;
}

int columns_choose(const struct program *p, const struct subject *subject,
                   const struct run_result *result, uint32_t width, struct columns *c)
{
    uint32_t n = marks_of(&p->machine);
    size_t size = sizeof(struct survey) + n * sizeof(struct mark);
    struct survey *s =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct surveyor surveyor = {{see}, s, n, false, p, subject, result};
    int code;

    if (s == MAP_FAILED)
        return -errno;
    code = child_do(survey_in_child, &surveyor);
    *c = (struct columns){
        .n_pages = n, .label_width = longer(LABEL_WIDTH_MIN, s->label_width + LABEL_INDENT)};
    for (uint32_t i = 0; i < n; i++)
        c->n_changed += s->marks[i].steps != 0;
    choose(s, result->page, width, c);
    munmap(s, size);
    return code < 0 && code != CHILD_DIED ? code : 0;
}
