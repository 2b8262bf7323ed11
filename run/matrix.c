/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/matrix.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run/points.h"

/* What one digit of the odometer may be: the axes, then share. */
enum { DIGITS = AXIS_COUNT + 1, DIGIT_SHARE = AXIS_COUNT, VALUES_MAX = 9 };

struct digit {
    uint8_t value[VALUES_MAX];
    uint32_t n, at;
};

struct odometer {
    struct digit digits[DIGITS];
};

static void digit_add(struct digit *d, uint32_t value)
{
    assert(d->n < VALUES_MAX);
    d->value[d->n++] = (uint8_t)value;
}

/* Values of share= that every region with memory could have instead; 0 where one says its own.
 */
static uint32_t common_shares(const struct machine *m)
{
    uint32_t common = UINT32_MAX, same = UINT32_MAX;

    for (uint32_t i = 0; i < m->n_regions; i++) {
        const struct region_decl *r = &m->regions[i];

        if (r->kind == REGION_MMIO)
            continue;
        common &= r->also_share ? r->also_share | 1u << r->share : 0;
        same &= 1u << r->share;
    }
    return common & ~same; /* what all have already is their own */
}

static void odometer_set(struct odometer *o, const struct machine *m)
{
    memset(o, 0, sizeof(*o));
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        digit_add(&o->digits[i], m->axis[i]);
        for (uint32_t v = 0; m->also[i] >> v; v++)
            if (m->also[i] >> v & 1)
                digit_add(&o->digits[i], v);
    }
    digit_add(&o->digits[DIGIT_SHARE], MATRIX_OWN_SHARE);
    for (uint32_t v = 0; common_shares(m) >> v; v++)
        if (common_shares(m) >> v & 1)
            digit_add(&o->digits[DIGIT_SHARE], v);
}

static bool odometer_next(struct odometer *o)
{
    for (uint32_t i = 0; i < DIGITS; i++) {
        if (++o->digits[i].at < o->digits[i].n)
            return true;
        o->digits[i].at = 0;
    }
    return false;
}

static struct matrix_item odometer_item(const struct odometer *o, uint32_t file)
{
    struct matrix_item item = {.file = file};

    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        item.axis[i] = o->digits[i].value[o->digits[i].at];
    item.share = o->digits[DIGIT_SHARE].value[o->digits[DIGIT_SHARE].at];
    return item;
}

static void apply(struct program *p, const struct matrix_item *item)
{
    for (uint32_t i = 0; i < AXIS_COUNT; i++)
        program_set_axis(p, i, item->axis[i]);
    if (item->share != MATRIX_OWN_SHARE)
        program_set_share(p, item->share);
}

/* Does the item's program (of the axes first, they are cheap) make sense? */
static bool makes_sense(const struct program *base, const struct matrix_item *item,
                        struct program *scratch)
{
    uint32_t op;

    if (item->share != MATRIX_OWN_SHARE && item->axis[AXIS_mode] == MODE_INPLACE)
        return false;
    scratch->machine = base->machine;
    memcpy(scratch->machine.axis, item->axis, sizeof(item->axis));
    memset(scratch->machine.also, 0, sizeof(scratch->machine.also));
    scratch->n_ops = scratch->n_expects = 0;
    if (program_validate(scratch, NULL, 0, NULL) || program_copy(scratch, base))
        return false;
    apply(scratch, item);
    return program_validate(scratch, NULL, 0, NULL) == 0 && points_faults_exist(scratch, &op);
}

static int append(struct matrix *m, const struct matrix_item *item)
{
    if (m->n_items == m->capacity) {
        uint64_t capacity = m->capacity ? m->capacity * 2 : 1024;
        struct matrix_item *grown = realloc(m->items, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        m->items = grown;
        m->capacity = capacity;
    }
    m->items[m->n_items++] = *item;
    return 0;
}

static int load_base(struct matrix *m, uint32_t file, struct text_error *problem)
{
    int error = 0;

    if (m->base_file == file)
        return 0;
    m->base_file = UINT32_MAX;
    error = file_load(m->list, file, &m->base, problem);
    if (!error)
        m->base_file = file;
    return error;
}

/* Is an axis fixed to what the file's machine line rules out? */
static bool is_overridden(const struct matrix *m, uint32_t file)
{
    char words[256];

    file_overrides(m->list, file, words, sizeof(words));
    return words[0] != 0;
}

/* All that fit are added; if none does, the file's own, so that its run says why. */
static int plan_file(struct matrix *m, uint32_t file, struct program *scratch)
{
    bool none = is_overridden(m, file);
    struct matrix_file *f = &m->files[file];
    struct matrix_item own = {.file = file, .share = MATRIX_OWN_SHARE};
    struct text_error problem;
    struct odometer o;
    int error = 0;

    f->first = m->n_items;
    if (load_base(m, file, &problem) == 0) {
        memcpy(own.axis, m->base.machine.axis, sizeof(own.axis));
        odometer_set(&o, &m->base.machine);
        do {
            struct matrix_item item = odometer_item(&o, file);

            if (!none && makes_sense(&m->base, &item, scratch))
                error = append(m, &item);
            else
                f->left_out++;
        } while (!error && odometer_next(&o));
    }
    if (!error && f->first == m->n_items && !none)
        error = append(m, &own);
    f->n = m->n_items - f->first;
    return error;
}

int matrix_init(struct matrix *m, const struct file_list *l)
{
    struct program scratch;
    int error = 0;

    memset(m, 0, sizeof(*m));
    m->list = l;
    m->base_file = UINT32_MAX;
    program_init(&m->base);
    program_init(&scratch);
    m->files = calloc(l->n ? l->n : 1, sizeof(*m->files));
    if (!m->files)
        error = -ENOMEM;
    for (uint32_t i = 0; i < l->n && !error; i++)
        error = plan_file(m, i, &scratch);
    program_free(&scratch);
    if (error)
        matrix_free(m);
    return error;
}

void matrix_free(struct matrix *m)
{
    program_free(&m->base);
    free(m->files);
    free(m->items);
    memset(m, 0, sizeof(*m));
}

int matrix_load(struct matrix *m, uint64_t item, struct program *p, struct text_error *problem)
{
    int error;

    assert(item < m->n_items);
    *problem = (struct text_error){0};
    error = load_base(m, m->items[item].file, problem);
    if (!error) {
        error = program_copy(p, &m->base);
        if (error)
            snprintf(problem->why, sizeof(problem->why), "out of memory");
    }
    if (error)
        return error;
    apply(p, &m->items[item]);
    if (m->files[m->items[item].file].n > 1)
        return 0; /* it was chosen because it is valid */
    return program_validate(p, problem->why, sizeof(problem->why), &problem->line);
}

static int load(void *ctx, uint64_t item, struct program *p, struct run_result *result)
{
    struct text_error problem;
    int error = matrix_load(ctx, item, p, &problem);

    if (error)
        file_bad_input(&problem, result);
    return error;
}

struct pool_source matrix_source(struct matrix *m)
{
    return (struct pool_source){.ctx = m, .n_items = m->n_items, .load = load};
}
