/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever builds a feature takes it out of these lists, and gives it a weight in
 * program/generate_weights.c.
 */
#include "run/unbuilt.h"

#include <assert.h>
#include <stdio.h>

#define BIT(value) (UINT32_C(1) << (value))

static const bool virtio_mem = true;

static const uint32_t ops = BIT(OP_PLUG) | BIT(OP_UNPLUG) | BIT(OP_UNPLUG_ALL) |
                            BIT(OP_RESIZE) | BIT(OP_MIGRATE) | BIT(OP_DIRTY_SYNC);

static const uint32_t expects = BIT(EXPECT_RESPONSE) | BIT(EXPECT_PLUGGED) |
                                BIT(EXPECT_UNPLUGGED) | BIT(EXPECT_DIRTY) | BIT(EXPECT_CLEAN);

static_assert(OP_KIND_COUNT <= 32 && EXPECT_KIND_COUNT <= 32, "a bit each");

static bool say(char *why, size_t size, const char *what, const char *more)
{
    (void)snprintf(why, size, "this version cannot run %s%s%s yet", what, *more ? "=" : "",
                   more);
    return true;
}

static bool machine_unbuilt(const struct machine *m, char *why, size_t size)
{
    for (uint32_t i = 0; i < m->n_regions; i++) {
        if (virtio_mem && m->regions[i].virtio_mem_pages)
            return say(why, size, "regions with virtio_mem", "");
    }
    return false;
}

bool unbuilt(const struct program *p, char *why, size_t size, uint32_t *op, uint32_t *line)
{
    *op = p->n_ops;
    *line = 0;
    if (machine_unbuilt(&p->machine, why, size))
        return true;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        if (ops & BIT(p->ops[i].kind)) {
            *op = i;
            *line = p->ops[i].line;
            return say(why, size, op_kind_name(p->ops[i].kind), "");
        }
    }
    for (uint32_t i = 0; i < p->n_expects; i++) {
        if (expects & BIT(p->expects[i].kind)) {
            *op = p->expects[i].op;
            *line = p->expects[i].line;
            return say(why, size, expect_kind_name(p->expects[i].kind), "");
        }
    }
    return false;
}
