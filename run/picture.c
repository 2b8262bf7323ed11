/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/picture.h"

#include <assert.h>
#include <string.h>

#include "program/text.h"
#include "run/call_text.h"
#include "run/vocabulary.h"

static bool is_special(const struct picture *p, uint32_t i)
{
    return p->columns->page[i] == p->result->page;
}

/* ---- lines ---- */
static void put_gap(FILE *out, const struct columns *c, uint32_t i, const char *sign)
{
    if (column_gap(c, i) == COLUMN_GAP)
        fprintf(out, "  ");
    else
        fprintf(out, " %-2s ", sign);
}

/* Without blanks at the end of the line. The special page has room for its sign. */
static void put_cell(const struct picture *p, uint32_t i, char sign, const char *text)
{
    const struct columns *c = p->columns;
    bool special = is_special(p, i);
    int width = i + 1 < c->n ? (int)c->width[i] - special : 0;

    if (special)
        fputc(sign, p->out);
    fprintf(p->out, "%-*s", width, text);
}

static void header(struct picture *p, const struct runner *r)
{
    const struct machine *m = &r->program->machine;
    const struct columns *c = p->columns;
    char text[48];

    fprintf(p->out, "%-*s", (int)c->label_width, "page");
    for (uint32_t i = 0; i < c->n; i++) {
        page_text(text, sizeof(text), r->model, m, c->page[i]);
        put_gap(p->out, c, i, "..");
        put_cell(p, i, '!', text);
    }
    fprintf(p->out, "\n%-*s", (int)c->label_width, "at address");
    for (uint32_t i = 0; i < c->n; i++) {
        address_text(text, sizeof(text), r, c->page[i]);
        put_gap(p->out, c, i, "");
        put_cell(p, i, ' ', text);
    }
    fputc('\n', p->out);
}

/* Takes in what the pages show now; false: nothing new. */
static bool look(struct picture *p, const struct runner *r, bool changed[COLUMNS_MAX])
{
    bool any = false;

    for (uint32_t i = 0; i < p->columns->n; i++) {
        struct page_state state = page_seen(r, p->columns->page[i]);
        char cell[PAGE_CELL_SIZE];

        page_cell(cell, &state, &r->program->machine);
        changed[i] = strcmp(cell, p->shown[i]) != 0;
        any |= changed[i];
        memcpy(p->shown[i], cell, sizeof(cell));
    }
    return any;
}

static void put_cells(struct picture *p, char sign, const bool changed[COLUMNS_MAX])
{
    for (uint32_t i = 0; i < p->columns->n; i++) {
        put_gap(p->out, p->columns, i, "");
        put_cell(p, i, sign, p->whole || changed[i] ? p->shown[i] : ".");
    }
    p->whole = false;
}

/* A label that is too long stands on a line of its own; so does one without cells. */
static void row(struct picture *p, char mark, const char *label, const bool *changed)
{
    int width = (int)p->columns->label_width;
    bool is_long = strlen(label) + LABEL_INDENT > p->columns->label_width;

    if (!changed || is_long)
        fprintf(p->out, " %c %s\n", mark, label);
    if (!changed)
        return;
    if (is_long)
        fprintf(p->out, "%*s", width, "");
    else
        fprintf(p->out, " %c %-*s", mark, width - LABEL_INDENT, label);
    put_cells(p, mark == '!' ? '!' : ' ', changed);
    fputc('\n', p->out);
}

static void put_op(const struct picture *p, const struct program *program, uint32_t op)
{
    char text[160];

    if (op >= program->n_ops) {
        fprintf(p->out, "tear-down\n");
        return;
    }
    text_op(text, sizeof(text), program, &program->ops[op], &run_vocabulary);
    fprintf(p->out, "op %u %s\n", op, text);
}

/* The op's own line, before its first row, and what to say of those that have none. */
static void op_line(struct picture *p, const struct runner *r)
{
    uint32_t op = r->result->op;

    if (p->op_shown)
        return;
    if (p->n_idle == 1)
        put_op(p, r->program, op - 1);
    else if (p->n_idle)
        fprintf(p->out, "   (%u ops with nothing to show)\n", p->n_idle);
    p->n_idle = 0;
    p->op_shown = true;
    put_op(p, r->program, op);
}

/* ---- steps ---- */
static void see_call(struct picture *p, const struct runner *r, const struct sim_call *call)
{
    bool changed[COLUMNS_MAX], any = look(p, r, changed);
    char label[LABEL_SIZE];

    if (!any && !call->failed && !call->injected)
        return;
    op_line(p, r);
    call_label(label, r, call);
    row(p, call->injected ? '*' : ' ', label, any ? changed : NULL);
}

static void see_return(struct picture *p, const struct runner *r)
{
    bool changed[COLUMNS_MAX], any = look(p, r, changed);
    char label[LABEL_SIZE];

    if (!any && !p->op_shown)
        return;
    op_line(p, r);
    return_label(label, r);
    row(p, ' ', label, any ? changed : NULL);
}

static void see_broken(struct picture *p, const struct runner *r)
{
    bool changed[COLUMNS_MAX];

    p->broken = true;
    if (!p->built) {
        fprintf(p->out, " ! %s\n", r->result->rule);
        return;
    }
    op_line(p, r);
    look(p, r, changed);
    p->whole = true;
    row(p, '!', r->result->rule, changed);
}

static void see_start(struct picture *p, const struct runner *r)
{
    bool changed[COLUMNS_MAX];

    p->built = true;
    header(p, r);
    look(p, r, changed);
    row(p, ' ', "at the start", changed);
}

static void see_op(struct picture *p, const struct runner *r)
{
    const struct op *op =
        r->result->op < r->program->n_ops ? &r->program->ops[r->result->op] : NULL;

    p->n_idle += !p->op_shown;
    p->op_shown = false;
    p->whole = true;
    if (op && (op->kind == OP_FAULT || op->kind == OP_DISARM))
        op_line(p, r);
}

static void see(struct watch *w, const struct runner *r, enum watch_event event,
                const struct sim_call *call)
{
    struct picture *p = (struct picture *)w;

    if (p->broken || (!p->built && event == WATCH_CALL))
        return;
    switch (event) {
    case WATCH_BUILT:
        see_start(p, r);
        break;
    case WATCH_OP:
    case WATCH_TEARDOWN:
        see_op(p, r);
        break;
    case WATCH_CALL:
        see_call(p, r, call);
        break;
    case WATCH_RETURN:
        see_return(p, r);
        break;
    case WATCH_AGAIN:
        op_line(p, r);
        fprintf(p->out, "   again without faults, on a copy:\n");
        break;
    case WATCH_BROKEN:
        see_broken(p, r);
        break;
    case WATCH_BEGIN:
    case WATCH_JUDGED:
    case WATCH_BACK:
        break;
    }
}

void picture_init(struct picture *p, FILE *out, const struct columns *c,
                  const struct run_result *result)
{
    *p = (struct picture){.watch = {see},
                          .out = out,
                          .columns = c,
                          .result = result,
                          .whole = true,
                          .op_shown = true};
}

void picture_legend(FILE *out, const struct machine *m, const struct columns *c)
{
    bool virtio_mem = false, gap = false;

    for (uint32_t i = 0; i < c->n; i++)
        gap |= column_gap(c, i) != COLUMN_GAP;
    for (uint32_t i = 0; i < m->n_regions; i++)
        virtio_mem |= m->regions[i].virtio_mem_pages != 0;
    fprintf(out, "S|P attribute, s|p tracker (shared, private),%s shared/private frame",
            virtio_mem ? " u unplugged," : "");
    if (m->n_containers)
        fprintf(out, ", >frame c0%s", m->n_containers == 1 ? " reaches" : ",.. reach");
    fprintf(out,
            "\n'-' none, '.' as above; '*' a fault made the call fail, '!' where the rule "
            "broke%s\n",
            gap ? ", '..' other pages" : "");
}
