/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/validate.h"

static int check_ops(const struct program *p, const struct complaint *c, uint32_t *line)
{
    for (uint32_t i = 0; i < p->n_ops; i++) {
        *line = p->ops[i].line;
        if (validate_op(&p->machine, &p->ops[i], c))
            return -EINVAL;
    }
    return 0;
}

static int check_expects(const struct program *p, const struct complaint *c, uint32_t *line)
{
    uint32_t last_op = 0;

    for (uint32_t i = 0; i < p->n_expects; i++) {
        *line = p->expects[i].line;
        if (validate_expect(p, &p->expects[i], c) || check_at_odds(p, i, &p->expects[i], c))
            return -EINVAL;
        if (p->expects[i].op < last_op)
            return complain(c, "expectation %u is not in the order of the ops", i);
        last_op = p->expects[i].op;
    }
    return 0;
}

static bool is_shown(const struct machine *m, uint32_t region)
{
    for (uint32_t i = 0; i < m->n_sections; i++) {
        if (m->sections[i].region == region)
            return true;
    }
    return false;
}

static int check_complete(const struct machine *m, const struct complaint *c)
{
    if (!m->n_regions)
        return complain(c, "the machine has no region");
    for (uint32_t i = 0; i < m->n_regions; i++) {
        if (m->regions[i].virtio_mem_pages && !is_shown(m, i))
            return complain(c, "%s has virtio_mem, so it needs a section", region_name(m, i).s);
    }
    return 0;
}

int program_validate(const struct program *p, char *why, size_t why_size, uint32_t *line)
{
    const struct complaint c = {why, why_size};
    uint32_t at = 0;
    int error = validate_machine(&p->machine, &c);

    if (!error)
        error = check_complete(&p->machine, &c);
    if (!error && (p->n_ops > PROGRAM_OPS_MAX || p->n_expects > PROGRAM_EXPECTS_MAX))
        error = complain(&c, "%u ops and %u expectations, the most are %u and %u", p->n_ops,
                         p->n_expects, PROGRAM_OPS_MAX, PROGRAM_EXPECTS_MAX);
    if (!error && p->sweep_from > p->n_ops)
        error = complain(&c, "sweeps begin in front of op %u, but there are %u", p->sweep_from,
                         p->n_ops);
    if (!error)
        error = check_ops(p, &c, &at);
    if (!error)
        error = check_expects(p, &c, &at);
    if (line)
        *line = error ? at : 0;
    assert(error == 0 || error == -EINVAL);
    return error;
}
