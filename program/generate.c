/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "program/generate_internal.h"

int generate(struct program *p, uint64_t seed, const struct generate_options *o,
             const struct vocabulary *words)
{
    struct gen g = {
        .r = rng_make(seed, RNG_PROGRAM), .p = p, .m = &p->machine, .o = o, .words = words};

    assert(p && o && words);
    program_clear(p);
    p->seed = seed;
    gen_machine(&g);
    gen_ops(&g);
    return g.error;
}
