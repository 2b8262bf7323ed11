/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>

#include "run/explore.h"

typedef unsigned long long ull;

int explore_exit_code(const struct explore *e)
{
    if (e->found)
        return verdict_exit_code(e->result.verdict);
    return e->interrupted ? 130 : e->full ? 2 : 0;
}

static const char *verdict(const struct explore *e)
{
    switch (explore_exit_code(e)) {
    case 0:
        return "ok";
    case 1:
        return "violation";
    case 2:
        return "too-many-states";
    case 130:
        return "interrupted";
    default:
        return "error";
    }
}

/* Sum over all states, so that it does not depend on their order. */
static uint64_t states_hash(const struct explore *e)
{
    uint64_t hash = 0;

    for (uint64_t i = 0; i < e->level_end; i++)
        hash += e->table.states[i].key.low;
    return hash;
}

/* The chance that two of n states have one key of 128 bits is below n * n / 2^129. */
static int collision_bits(uint64_t n)
{
    int bits = 129;

    while (n > 1) {
        n = n / 2 + n % 2;
        bits -= 2;
    }
    return bits;
}

static void said(FILE *out, const struct explore *e)
{
    ull n = table_count(&e->table);

    if (e->full)
        fprintf(out, "more states than fit: %llu were met up to level %u (see --states)\n", n,
                e->level + 1);
    else if (e->interrupted)
        fprintf(out, "interrupted in level %u\n", e->level);
    else if (!e->found)
        fprintf(
            out,
            "no sequence of any length of these %u ops, with at most %u fault%s in each,\n"
            "breaks a rule: level %u brought no new state. %llu other ways to a state were\n"
            "followed again, all alike. Two states taken for one: less than 1 in 2^%d.\n",
            e->alphabet->n_ops, e->options.faults, e->options.faults == 1 ? "" : "s",
            e->level + 1, (ull)e->n_samples, collision_bits(e->level_end));
}

static int summary_json(FILE *out, const struct explore *e)
{
    char hash[17];
    json_t *object;
    int error;

    snprintf(hash, sizeof(hash), "%016llx", (ull)states_hash(e));
    object =
        json_pack("{s:s, s:i, s:i, s:I, s:I, s:i, s:I, s:f, s:s}", "verdict", verdict(e),
                  "alphabet", (int)e->alphabet->n_ops, "faults", (int)e->options.faults,
                  "states", (json_int_t)table_count(&e->table), "transitions",
                  (json_int_t)explore_transitions(e), "levels", (int)e->level + 1, "compared",
                  (json_int_t)e->n_samples, "seconds", e->seconds, "hash", hash);
    if (!object)
        return -ENOMEM;
    error = json_dumpf(object, out, JSON_REAL_PRECISION(9)) ? -EIO : 0;
    json_decref(object);
    fputc('\n', out);
    return error;
}

int explore_report(FILE *out, const struct explore *e, bool json)
{
    ull transitions = explore_transitions(e);
    int error = 0;

    said(out, e);
    if (json)
        error = summary_json(out, e);
    else
        fprintf(out,
                "gmemcheck: %s alphabet=%u faults=%u states=%llu transitions=%llu levels=%u "
                "compared=%llu seconds=%.2f transitions_per_second=%.0f hash=%016llx\n",
                verdict(e), e->alphabet->n_ops, e->options.faults, (ull)table_count(&e->table),
                transitions, e->level + 1, (ull)e->n_samples, e->seconds,
                e->seconds > 0 ? (double)transitions / e->seconds : 0, (ull)states_hash(e));
    if (fflush(out))
        return -errno;
    return ferror(out) ? -EIO : error;
}
