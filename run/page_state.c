/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/page_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static uint64_t content_of(const struct runner *r, uint32_t frame)
{
    return frame ? r->observe->content(r->observe->ctx, frame) : 0;
}

struct page_state page_seen(const struct runner *r, uint32_t page)
{
    struct page_state s = {.page = page, .view = *model_page(r->model, page)};

    for (uint32_t i = 0; i < r->program->machine.n_containers; i++)
        s.maps[i] = *model_mapping(r->model, i, page);
    return s;
}

struct page_state page_state(const struct runner *r, uint32_t page)
{
    struct page_state s = page_seen(r, page);

    s.shared_content = content_of(r, s.view.shared_frame);
    s.private_content = content_of(r, s.view.private_frame);
    return s;
}

static bool op_writes(const struct runner *r)
{
    const struct program *p = r->program;
    uint32_t op = r->result->op;

    return op < p->n_ops && (p->ops[op].kind == OP_WRITE || p->ops[op].kind == OP_DMA_WRITE);
}

struct page_state page_state_later(const struct runner *r, const struct page_state *before)
{
    struct page_state s = page_seen(r, before->page);
    bool same = s.view.shared_frame == before->view.shared_frame &&
                s.view.private_frame == before->view.private_frame;

    if (r->state && (!same || op_writes(r)))
        return page_state(r, before->page);
    s.shared_content = before->shared_content;
    s.private_content = before->private_content;
    return s;
}

/* Its region. An alias is a page of a plain region: NULL. */
static const struct region_decl *region_of(const struct machine *m, uint32_t page)
{
    for (uint32_t i = 0; i < m->n_regions; i++) {
        if (page < m->regions[i].n_pages)
            return &m->regions[i];
        page -= m->regions[i].n_pages;
    }
    return NULL;
}

static struct page_fact *next(struct page_fact *facts, uint32_t *n, const char *what)
{
    struct page_fact *f = &facts[(*n)++];

    assert(*n <= PAGE_FACTS_MAX);
    snprintf(f->what, sizeof(f->what), "%s", what);
    return f;
}

static void side_fact(struct page_fact *f, uint32_t frame, uint64_t content)
{
    if (!frame)
        snprintf(f->value, sizeof(f->value), "none");
    else if (!content)
        snprintf(f->value, sizeof(f->value), "frame %u, zeros", frame);
    else
        snprintf(f->value, sizeof(f->value), "frame %u, data %llu", frame,
                 (unsigned long long)content);
}

static void mapping_fact(struct page_fact *f, const struct view_mapping *m)
{
    static const char *const access[] = {"no access", "read", "write", "read and write"};

    if (m->frame)
        snprintf(f->value, sizeof(f->value), "frame %u, %s", m->frame, access[m->access & 3]);
    else
        snprintf(f->value, sizeof(f->value), "nothing");
}

uint32_t page_facts(const struct page_state *s, const struct machine *m,
                    struct page_fact facts[PAGE_FACTS_MAX])
{
    const struct region_decl *region = region_of(m, s->page);
    struct page_fact *f;
    char what[24];
    uint32_t n = 0;

    f = next(facts, &n, "attribute");
    snprintf(f->value, sizeof(f->value), "%s", s->view.is_private ? "private" : "shared");
    if (region && region->guest_memfd) {
        f = next(facts, &n, "tracker");
        snprintf(f->value, sizeof(f->value), "%s", s->view.is_populated ? "shared" : "private");
    }
    if (region && region->virtio_mem_pages) {
        f = next(facts, &n, "virtio-mem");
        snprintf(f->value, sizeof(f->value), "%s",
                 s->view.is_plugged ? "plugged" : "unplugged");
    }
    side_fact(next(facts, &n, "shared side"), s->view.shared_frame, s->shared_content);
    if (region && region->guest_memfd)
        side_fact(next(facts, &n, "private side"), s->view.private_frame, s->private_content);
    for (uint32_t i = 0; i < m->n_containers; i++) {
        snprintf(what, sizeof(what), "c%u maps", i);
        mapping_fact(next(facts, &n, what), &s->maps[i]);
    }
    return n;
}

static void add_frame(char buf[PAGE_CELL_SIZE], char before, uint32_t frame)
{
    size_t used = strlen(buf);

    if (frame)
        snprintf(buf + used, PAGE_CELL_SIZE - used, "%c%u", before, frame);
    else
        snprintf(buf + used, PAGE_CELL_SIZE - used, "%c-", before);
}

void page_cell(char buf[PAGE_CELL_SIZE], const struct page_state *s, const struct machine *m)
{
    const struct region_decl *region = region_of(m, s->page);
    char tracker = s->view.is_populated ? 's' : 'p';

    snprintf(buf, PAGE_CELL_SIZE, "%c%c%s", s->view.is_private ? 'P' : 'S',
             region && region->guest_memfd ? tracker : '.',
             region && region->virtio_mem_pages && !s->view.is_plugged ? "u" : "");
    add_frame(buf, ' ', s->view.shared_frame);
    add_frame(buf, '/', s->view.private_frame);
    for (uint32_t i = 0; i < m->n_containers; i++) {
        if (i == 0)
            snprintf(buf + strlen(buf), PAGE_CELL_SIZE - strlen(buf), " ");
        add_frame(buf, i == 0 ? '>' : ',', s->maps[i].frame);
    }
}
