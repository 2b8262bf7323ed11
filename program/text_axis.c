/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of an axis, one or several: "rollback", "stop|rollback". */
#include <assert.h>

#include "program/parser.h"
#include "program/writer.h"

int parse_axis(struct parser *ps, enum program_axis axis, struct word value, uint8_t *index)
{
    assert(axis < AXIS_COUNT);
    for (uint32_t i = 0; i < program_axis_count(axis); i++) {
        if (word_is(value, program_axis_value(axis, i))) {
            *index = (uint8_t)i;
            return 0;
        }
    }
    return complain(&ps->complaint, "unknown axis value %s=%s; this version has: %s",
                    program_axis_name(axis), quote(value).s, program_axis_values(axis));
}

int parse_axis_set(struct parser *ps, enum program_axis axis, struct word values,
                   uint8_t *first, uint8_t *set)
{
    uint8_t index = 0;
    int error;

    *set = 0;
    for (;;) {
        uint32_t end = word_find(values, '|');

        error = parse_axis(ps, axis, word_head(values, end), &index);
        if (error)
            return error;
        if (*set >> index & 1)
            return complain(&ps->complaint, "%s=%s is given twice", program_axis_name(axis),
                            program_axis_value(axis, index));
        if (!*set)
            *first = index;
        *set |= (uint8_t)(1 << index);
        if (end == values.n)
            return 0;
        values = word_tail(values, end + 1);
    }
}

bool axis_word(struct word w, enum program_axis *axis)
{
    struct word name, value;

    if (!split_key(w, &name, &value))
        return false;
    for (uint32_t i = 0; i < AXIS_COUNT; i++) {
        if (word_is(name, program_axis_name(i))) {
            *axis = (enum program_axis)i;
            return true;
        }
    }
    return false;
}

void put_axis(struct writer *w, enum program_axis axis, uint8_t set)
{
    const char *before = "=";

    assert(axis < AXIS_COUNT && set);
    put(w, "%s", program_axis_name(axis));
    for (uint32_t i = 0; i < program_axis_count(axis); i++) {
        if (!(set >> i & 1))
            continue;
        put(w, "%s%s", before, program_axis_value(axis, i));
        before = "|";
    }
}
