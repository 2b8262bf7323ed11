/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The random generator: one seed, one program. Swarm testing: each program draws its own
 * subset of ops, weights, sizes, layout and policies, so that programs are small and odd
 * rather than all alike; edges are favoured (whole block, single page, across borders, mixed
 * ranges, repeats, back at once).
 */
#ifndef PROGRAM_GENERATE_H
#define PROGRAM_GENERATE_H

#include "program/op.h"
#include "program/text.h"

/* What a program has or does without, as a whole. */
enum generate_feature {
    FEATURE_VIRTIO_MEM, /* regions with virtio-mem, and its ops */
    FEATURE_HOTPLUG,    /* of regions: remove, add */
    FEATURE_RESET,
    FEATURE_PINS, /* of others, in mode=inplace */
    FEATURE_GUARDS,
    FEATURE_MIGRATION,
    FEATURE_HUGETLB, /* most regions on huge pages */
    FEATURE_SOURCES, /* of others, that hold pages back */
    FEATURE_COUNT
};

/* What is fixed from outside (--set): a field at its "free" value is drawn a program. */
struct generate_options {
    int8_t axis[AXIS_COUNT];       /* value index, -1: free */
    int8_t share;                  /* enum region_share of every region, -1: free */
    uint32_t n_pages;              /* guest pages over all regions, 0: free */
    uint32_t n_regions;            /* 0: free */
    uint32_t n_containers;         /* UINT32_MAX: free */
    uint32_t n_vcpus;              /* 0: free */
    uint32_t n_ops;                /* exact number of ops, 0: free */
    uint32_t entry_limit;          /* 0: free */
    uint32_t conversions;          /* percent of the ops that convert, about; 0: free */
    int8_t faults;                 /* 0 off, 1 on, -1: drawn */
    int8_t feature[FEATURE_COUNT]; /* the same */
    int8_t alloc_faults;           /* 0: no fault hits core/alloc */
};

void generate_defaults(struct generate_options *o);

/* "key=value" as given to --set: axes and the fields above. 0, or -EINVAL with one line in
 * `why` that names what exists. */
int generate_set(struct generate_options *o, const char *assignment, char *why,
                 size_t why_size);

/* i-th key that generate_set knows, with its values as one line; NULL past the end. */
const char *generate_key(uint32_t i, const char **values, const char **help);

/* Fills p (cleared first) with the program of this seed. 0 or -ENOMEM. The result always
 * passes program_validate. */
int generate(struct program *p, uint64_t seed, const struct generate_options *o,
             const struct vocabulary *words);

#endif
