/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>

#include "program/op.h"
#include "program/op_table.h"
#include "program/validate.h"

/* "a|b|c" of up to five values, at compile time. */
#define JOIN_1(a)                        a
#define JOIN_2(a, b)                     a "|" b
#define JOIN_3(a, b, c)                  a "|" b "|" c
#define JOIN_4(a, b, c, d)               a "|" b "|" c "|" d
#define JOIN_5(a, b, c, d, e)            a "|" b "|" c "|" d "|" e
#define JOIN_PICK(a, b, c, d, e, n, ...) n
#define JOIN(...)                                                                              \
    JOIN_PICK(__VA_ARGS__, JOIN_5, JOIN_4, JOIN_3, JOIN_2, JOIN_1, none)                       \
    (__VA_ARGS__)

enum { AXIS_VALUES_MAX = 5 };

struct axis_row {
    const char *name;
    const char *joined;
    uint32_t count;
    const char *values[AXIS_VALUES_MAX + 1];
};

#define AXIS_ROW(axis_name, ...)                                                               \
    {#axis_name,                                                                               \
     JOIN(__VA_ARGS__),                                                                        \
     sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                                   \
     {__VA_ARGS__}},

static const struct axis_row axes[AXIS_COUNT] = {PROGRAM_AXES(AXIS_ROW)};

const char *program_axis_name(uint32_t axis)
{
    return axis < AXIS_COUNT ? axes[axis].name : NULL;
}

uint32_t program_axis_count(uint32_t axis)
{
    assert(axis < AXIS_COUNT && axes[axis].count > 0);
    return axes[axis].count;
}

uint8_t program_axis_all(uint32_t axis)
{
    uint32_t count = program_axis_count(axis);

    assert(count <= 8);
    return (uint8_t)((1u << count) - 1);
}

const char *program_axis_values(uint32_t axis)
{
    return axis < AXIS_COUNT ? axes[axis].joined : NULL;
}

const char *program_axis_value(uint32_t axis, uint32_t value)
{
    if (axis >= AXIS_COUNT || value >= axes[axis].count)
        return NULL;
    assert(axes[axis].values[value]);
    return axes[axis].values[value];
}

const char *op_kind_name(uint32_t kind)
{
    return kind < OP_KIND_COUNT ? op_rows[kind].name : NULL;
}

const char *op_kind_help(uint32_t kind)
{
    return kind < OP_KIND_COUNT ? op_rows[kind].help : NULL;
}

const char *region_kind_name(uint32_t kind)
{
    static const char *const names[] = {"ram", "rom", "mmio"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

struct region_name region_name(const struct machine *m, uint32_t region)
{
    struct region_name name;
    const char *kind = NULL;

    if (region < m->n_regions && region < PROGRAM_REGIONS_MAX)
        kind = region_kind_name(m->regions[region].kind);
    (void)snprintf(name.s, sizeof(name.s), "%s%u", kind ? kind : "region", region % 1000);
    return name;
}
