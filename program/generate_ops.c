/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ops of a random program: half of them and more convert, the others look and disturb. */
#include <assert.h>

#include "program/generate_internal.h"

void gen_add(struct gen *g, const struct op *op)
{
    int error = program_add_op(g->p, op);

    assert(g->left > 0);
    g->left--;
    if (error)
        g->error = error;
}

/* A device that is plugged in, or not; mostly. */
static uint8_t draw_device(struct gen *g, bool attached)
{
    uint32_t n = g->m->n_devices, device = rng_below(&g->r, n);

    assert(n > 0);
    for (uint32_t i = 0; i < n && rng_percent(&g->r, 92); i++) {
        if (((g->attached >> device) & 1) == attached)
            break;
        device = (device + 1) % n;
    }
    return (uint8_t)device;
}

static bool container_open(const struct gen *g, uint32_t container)
{
    for (uint32_t i = 0; i < g->m->n_devices; i++) {
        if (((g->attached >> i) & 1) && g->m->devices[i].container == container)
            return true;
    }
    return false;
}

/* The pages of a range as text would say them: from a region on, or as addresses. */
static void set_range(struct gen *g, struct op *op, const struct gen_range *range)
{
    const struct section_decl *s;

    op->region = OP_NO_REGION;
    op->start = range->page * g->page_size;
    op->size = (uint64_t)range->n * g->page_size;
    if (range->section == GEN_NO_SECTION || rng_percent(&g->r, 40))
        return;
    s = &g->m->sections[range->section];
    op->region = (uint8_t)s->region;
    op->start = (range->page - s->gpa_page + s->first_page) * g->page_size;
}

/* Bytes that no guest can ask for, but a VMM can: half pages, nothing, around the end. */
static void make_odd(struct gen *g, struct op *op, uint64_t gpa)
{
    uint32_t half = rng_between(&g->r, 1, g->page_size - 1);

    op->via = VIA_VMM;
    switch (rng_below(&g->r, 4)) {
    case 0:
        op->start += half;
        break;
    case 1:
        op->size += half;
        break;
    case 2:
        op->size = 0;
        break;
    default: /* ends at 2^64 or some pages further */
        op->size = 0 - gpa + (uint64_t)rng_below(&g->r, 4) * g->page_size;
    }
}

static void add_convert(struct gen *g)
{
    struct op op = {.kind = OP_CONVERT};
    struct gen_range range;
    bool to_private;
    uint32_t x;

    gen_convert_range(g, &range, &to_private);
    gen_remember(g, &range, to_private);
    g->convert_next = false;
    set_range(g, &op, &range);
    op.to_private = to_private;
    op.unit = (uint8_t)rng_below(&g->r, g->m->n_vcpus);
    x = rng_below(&g->r, 100);
    if (x < 3)
        make_odd(g, &op, range.page * g->page_size);
    else if (x < 13)
        op.via = VIA_VMM;
    else if (range.n == 1 && x < 43)
        op.via = VIA_FAULT;
    gen_add(g, &op);
}

static void add_data(struct gen *g, uint8_t kind)
{
    bool write = kind == OP_WRITE || kind == OP_DMA_WRITE;
    bool dma = kind == OP_DMA_READ || kind == OP_DMA_WRITE;
    struct gen_range range = {.n = 1};
    struct op op = {.kind = kind};

    range.page = gen_data_page(g, write, &range.section);
    set_range(g, &op, &range);
    op.unit = dma ? draw_device(g, true) : (uint8_t)rng_below(&g->r, g->m->n_vcpus);
    op.value = write ? g->p->n_ops + 1 : 0;
    gen_add(g, &op);
}

static void add_attach(struct gen *g, uint8_t device)
{
    struct op op = {.kind = OP_ATTACH, .unit = device};

    g->attached |= UINT32_C(1) << device;
    gen_add(g, &op);
}

static void add_detach(struct gen *g)
{
    struct op op = {.kind = OP_DETACH, .unit = draw_device(g, true)};
    uint32_t container = g->m->devices[op.unit].container, kept = 0;

    g->attached &= ~(UINT32_C(1) << op.unit);
    gen_add(g, &op);
    if (container_open(g, container))
        return;
    for (uint32_t i = 0; i < g->n_listeners; i++) { /* they went with the container */
        if (g->listeners[i].container != container)
            g->listeners[kept++] = g->listeners[i];
    }
    g->n_listeners = kept;
}

static void set_listener(struct gen *g, struct op *op, const struct gen_listener *l)
{
    op->unit = l->container;
    op->region = l->region;
    op->start = (uint64_t)l->first * g->page_size;
    op->size = (uint64_t)l->n * g->page_size;
}

/* Mostly of a container that is open and does not listen to everything anyway. */
static uint8_t draw_container(struct gen *g)
{
    uint32_t n = g->m->n_containers, c = rng_below(&g->r, n);

    assert(n > 0);
    for (uint32_t i = 0; i < n && rng_percent(&g->r, 95); i++) {
        if (container_open(g, c) && !g->m->containers[c].listen_all)
            break;
        c = (c + 1) % n;
    }
    return (uint8_t)c;
}

static struct gen_listener draw_listener(struct gen *g)
{
    const struct section_decl *s = &g->m->sections[g->data[rng_below(&g->r, g->n_data)]];
    struct gen_listener l = {.container = draw_container(g), .region = (uint8_t)s->region};

    uint32_t part = s->n_pages == g->m->regions[s->region].n_pages ? 95 : 55;

    if (part < 95 && g->m->containers[l.container].entry_limit < g->n_pages)
        part = 30; /* one section fits, another does not */
    if (rng_percent(&g->r, part)) {
        gen_pages(g, s, &l.first, &l.n);
    } else { /* the whole block: several sections, or pages that have no address */
        l.first = 0;
        l.n = g->m->regions[s->region].n_pages;
    }
    return l;
}

static void add_listen(struct gen *g)
{
    struct gen_listener l = draw_listener(g);
    struct op op = {.kind = OP_LISTEN};

    set_listener(g, &op, &l);
    if (g->n_listeners < GEN_LISTENERS_MAX && container_open(g, l.container))
        g->listeners[g->n_listeners++] = l;
    gen_add(g, &op);
}

static void add_unlisten(struct gen *g)
{
    struct op op = {.kind = OP_UNLISTEN};
    struct gen_listener l;
    uint32_t i;

    if (g->n_listeners && rng_percent(&g->r, 92)) {
        i = rng_below(&g->r, g->n_listeners);
        l = g->listeners[i];
        g->listeners[i] = g->listeners[--g->n_listeners];
    } else {
        l = draw_listener(g);
    }
    set_listener(g, &op, &l);
    gen_add(g, &op);
}

static void add_query(struct gen *g)
{
    const struct section_decl *s = &g->m->sections[g->data[rng_below(&g->r, g->n_data)]];
    struct gen_listener l = {.region = (uint8_t)s->region};
    struct op op = {.kind = OP_QUERY};

    gen_pages(g, s, &l.first, &l.n);
    set_listener(g, &op, &l);
    gen_add(g, &op);
}

static bool has_manual(const struct machine *m)
{
    for (uint32_t i = 0; i < m->n_containers; i++) {
        if (!m->containers[i].listen_all)
            return true;
    }
    return false;
}

/* Plugging in what is plugged in, and the reverse, is refused: rarely. */
static bool worth_it(struct gen *g, uint8_t kind)
{
    uint32_t all = (UINT32_C(1) << g->m->n_devices) - 1;

    if ((kind == OP_ATTACH && g->attached == all) || (kind == OP_DETACH && !g->attached))
        return rng_percent(&g->r, 12);
    return true;
}

/* Swarm: each kind of op but conversions may be missing, rare or frequent. */
static uint16_t thinned(uint16_t weight, uint32_t bits)
{
    return bits < 6 ? 0 : bits < 9 ? weight / 2 : bits < 13 ? weight : weight * 3;
}

/* What makes no sense on this machine. */
static void drop_senseless(struct gen *g)
{
    static const uint8_t need_device[] = {OP_DMA_READ, OP_DMA_WRITE, OP_ATTACH,
                                          OP_DETACH,   OP_LISTEN,    OP_UNLISTEN};

    if (!has_manual(g->m)) { /* its answer is always the same */
        g->weight[OP_LISTEN] = g->weight[OP_LISTEN] != 0;
        g->weight[OP_UNLISTEN] = g->weight[OP_UNLISTEN] != 0;
    }
    for (uint32_t i = 0; i < sizeof(need_device) && !g->m->n_devices; i++)
        g->weight[need_device[i]] = 0;
}

static void draw_weights(struct gen *g)
{
    uint64_t bits = rng_next(&g->r);
    uint32_t others = 0;

    static_assert(OP_PLUG <= 16, "four bits an op");
    for (uint32_t i = 0; i < OP_KIND_COUNT; i++) {
        uint32_t feature = gen_op_feature[i];

        if (feature)
            g->weight[i] = gen_has(g, feature - 1) ? gen_op_weight[i] : 0;
        else if (i < OP_PLUG)
            g->weight[i] = thinned(gen_op_weight[i], (bits >> (4 * i)) & 15);
    }
    g->weight[OP_CONVERT] = gen_op_weight[OP_CONVERT];
    drop_senseless(g);
    for (uint32_t i = OP_CONVERT + 1; i < OP_KIND_COUNT; i++)
        others += g->weight[i];
    if (g->o->conversions && others)
        g->weight[OP_CONVERT] =
            (uint16_t)(others * g->o->conversions / (100 - g->o->conversions) + 1);
    g->weight_sum = g->weight[OP_CONVERT] + others;
}

/* One of the ops from this kind on, OP_KIND_COUNT when none of them is drawn. */
static uint8_t draw_kind_from(struct gen *g, uint32_t first)
{
    uint16_t weight[OP_KIND_COUNT] = {0};
    uint32_t sum = 0;

    for (uint32_t i = first; i < OP_KIND_COUNT; i++)
        sum += weight[i] = g->weight[i];
    return sum ? (uint8_t)gen_weighted(&g->r, weight, sum) : OP_KIND_COUNT;
}

/* An op of a feature that makes calls which may fail; OP_KIND_COUNT: none. */
static uint8_t draw_life_kind(struct gen *g)
{
    uint8_t kind = draw_kind_from(g, OP_PLUG);

    if (kind == OP_ADD || kind == OP_REMOVE)
        return g->removed && rng_percent(&g->r, 70) ? OP_ADD : OP_REMOVE;
    if (kind == OP_SOURCE_ADD || kind == OP_SOURCE_REMOVE)
        return g->held && rng_percent(&g->r, 60) ? OP_SOURCE_REMOVE : OP_SOURCE_ADD;
    return kind < OP_KIND_COUNT && gen_may_fail(kind) ? kind : OP_KIND_COUNT;
}

/* The op that a fault is armed for: a conversion, one that the program is about, or one that
 * maps and unmaps. */
void gen_next_op(struct gen *g)
{
    uint32_t x = rng_below(&g->r, 100);
    uint32_t all = (UINT32_C(1) << g->m->n_devices) - 1;

    g->next_kind = OP_KIND_COUNT;
    g->convert_next = false;
    if (g->fault_kind != OP_KIND_COUNT)
        g->next_kind = g->fault_kind;
    else if (g->features && rng_percent(&g->r, 55))
        g->next_kind = draw_life_kind(g);
    else if (x < 6 && g->n_listeners)
        g->next_kind = OP_UNLISTEN;
    else if (x < 11 && g->m->n_devices && has_manual(g->m))
        g->next_kind = OP_LISTEN;
    else if (x < 18 && g->m->n_devices)
        g->next_kind = g->attached == all ? OP_DETACH : OP_ATTACH;
    g->fault_kind = OP_KIND_COUNT;
    g->convert_next = g->next_kind == OP_KIND_COUNT && x < 92;
}

static void add_op(struct gen *g, uint8_t kind)
{
    struct op disarm = {.kind = OP_DISARM};

    if (!worth_it(g, kind))
        kind = OP_CONVERT;
    if (gen_life_op(g, kind))
        return;
    switch (kind) {
    case OP_CONVERT:
        add_convert(g);
        break;
    case OP_READ:
    case OP_WRITE:
    case OP_DMA_READ:
    case OP_DMA_WRITE:
        add_data(g, kind);
        break;
    case OP_ATTACH:
        add_attach(g, draw_device(g, false));
        break;
    case OP_DETACH:
        add_detach(g);
        break;
    case OP_LISTEN:
        add_listen(g);
        break;
    case OP_UNLISTEN:
        add_unlisten(g);
        break;
    case OP_QUERY:
        add_query(g);
        break;
    default:
        assert(kind == OP_DISARM);
        gen_add(g, &disarm);
    }
}

/* A device is there early, and what listens by hand listens. */
static void add_start(struct gen *g)
{
    if (!g->m->n_devices || !rng_percent(&g->r, 88))
        return;
    if (g->faults && rng_percent(&g->r, 6)) {
        g->fault_kind = OP_ATTACH; /* the first attach is what fails */
        gen_fault(g);
        return;
    }
    for (uint32_t i = 0; i < g->m->n_devices && g->left > g->faults; i++) {
        uint32_t container = g->m->devices[i].container;
        bool first = !container_open(g, container);

        if (i > 0 && !rng_percent(&g->r, first ? 75 : 25))
            continue;
        add_attach(g, (uint8_t)i);
        if (first && !g->m->containers[container].listen_all && g->left > g->faults &&
            rng_percent(&g->r, 80))
            add_listen(g);
    }
}

static void draw_counts(struct gen *g)
{
    uint32_t x = rng_below(&g->r, 100), y = rng_below(&g->r, 100);

    if (g->o->n_ops)
        g->left = g->o->n_ops;
    else if (g->striped)
        g->left = rng_between(&g->r, 26, 40);
    else
        g->left = x < 12   ? rng_between(&g->r, 1, 7)
                  : x < 88 ? rng_between(&g->r, 8, 24)
                           : rng_between(&g->r, 25, 40);
    g->faults = y < 48 ? 0 : y < 73 ? 1 : y < 91 ? 2 : 3;
    if (g->o->faults == 1 && !g->faults)
        g->faults = 1 + (y & 1);
    if (g->o->faults == 0 || !g->words->n_points)
        g->faults = 0;
    if (g->faults > 1 && g->faults > g->left / 2)
        g->faults = g->left / 2 ? g->left / 2 : 1;
}

/* Time for a fault? They spread over what is left, and none is forgotten. */
static bool fault_now(struct gen *g)
{
    bool waits = g->convert_next || g->next_kind != OP_KIND_COUNT;

    if (!g->faults || (waits && !g->undo_next && g->left > g->faults))
        return false;
    return g->undo_next || g->left <= 2 * g->faults ||
           rng_below(&g->r, g->left) < 2 * g->faults;
}

void gen_ops(struct gen *g)
{
    bool armed = false;

    draw_counts(g);
    draw_weights(g);
    g->next_kind = g->fault_kind = OP_KIND_COUNT;
    if (gen_has(g, FEATURE_GUARDS) && g->left > g->faults && rng_percent(&g->r, 40))
        add_op(g, OP_GUARD);
    add_start(g);
    gen_life_start(g);
    while (g->left && !g->error) {
        if (fault_now(g)) {
            gen_fault(g);
            armed = true;
        } else if (g->convert_next || g->comb || g->comb_cover) {
            add_convert(g);
        } else if (g->next_kind != OP_KIND_COUNT) {
            uint8_t kind = g->next_kind;

            g->next_kind = OP_KIND_COUNT;
            add_op(g, kind);
        } else if (armed && rng_percent(&g->r, 5)) {
            add_op(g, OP_DISARM);
            armed = false;
        } else {
            add_op(g, (uint8_t)gen_weighted(&g->r, g->weight, g->weight_sum));
        }
        assert(!g->faults || g->left || g->error);
    }
}
